"""Finished parts of a film on disk, from which an interrupted run goes on.

A segment holds the encoded packets of a run of frames. It is written beside its name and renamed, so it is
whole or absent; the folder's plan says for which film, model and options its segments were made.
"""

from __future__ import annotations

import json
import shutil
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from photochrom.errors import WriteError
from photochrom.photo.atomic import save

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from photochrom.video.steady import State

_RECORD = struct.Struct("<qBI")  # pts, whether a key frame, bytes that follow
_END = b"photochrom segment ends"


@dataclass(frozen=True)
class Encoded:
    """A packet of pictures; `pts` in units of the film's time base."""

    pts: int
    key: bool
    data: bytes


class Workplace:
    """The folder beside the output in which a film's finished segments wait."""

    def __init__(self, output: Path):
        self.folder = output.with_name(f".{output.name}.photochrom-video")

    def open(self, plan: dict[str, Any], *, resume: bool) -> int:
        """Make the folder ready; returns how many finished segments may be used again. Raises WriteError."""
        known = self.folder / "plan.json"
        text = json.dumps(plan, sort_keys=True, indent=1)
        if not (resume and known.exists() and known.read_text(encoding="utf-8") == text):
            self.remove()
            if not self.folder.parent.is_dir():
                raise WriteError(
                    f"the folder {self.folder.parent} does not exist: make it first, or choose another"
                )
            self.folder.mkdir()
            save(known, lambda file: _write(file, text.encode()), _unchecked)
        count = 0
        while self._segment(count).exists() and self._state(count).exists():
            count += 1
        return count

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _segment(self, number: int) -> Path:
        return self.folder / f"{number:06}.packets"

    def _state(self, number: int) -> Path:
        return self.folder / f"{number:06}.npz"

    def save_segment(self, number: int, packets: Iterable[Encoded], state: State) -> None:
        """Write a segment, and what the next one needs to know. Raises WriteError."""

        def write(file: BinaryIO) -> None:
            for packet in packets:
                file.write(_RECORD.pack(packet.pts, packet.key, len(packet.data)))
                file.write(packet.data)
            file.write(_END)

        save(self._segment(number), write, _unchecked, overwrite=True)
        save(
            self._state(number),
            lambda file: np.savez(file, allow_pickle=False, **state),
            _unchecked,
            overwrite=True,
        )

    def state_after(self, number: int) -> State:
        """What segment `number` left for the next one."""
        with np.load(self._state(number), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}

    def packets(self, count: int) -> Iterator[Encoded]:
        """The packets of the first `count` segments, in the order of decoding."""
        for number in range(count):
            yield from self._packets(number)

    def times(self, count: int) -> list[int]:
        """The pts of all packets, in the order of decoding."""
        return [packet.pts for packet in self.packets(count)]

    def _packets(self, number: int) -> Iterator[Encoded]:
        with self._segment(number).open("rb") as file:
            while len(head := file.read(_RECORD.size)) == _RECORD.size:
                if head == _END[: _RECORD.size]:
                    return
                pts, key, size = _RECORD.unpack(head)
                yield Encoded(pts, bool(key), file.read(size))
        raise WriteError(f"{file.name} is damaged: run again without --resume")


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)


def _unchecked(_: Path) -> None:
    """A segment is complete when it has its name."""
