"""Finished parts of a film on disk, from which an interrupted run goes on.

A segment holds the encoded packets of a run of frames. It is written beside its name and renamed, so it is
whole or absent; the folder's plan says for which film, model and options its segments were made. The folder
is locked while a run works in it.
"""

from __future__ import annotations

import json
import shutil
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from photochrom.errors import OutputExists, WriteError
from photochrom.locks import lock
from photochrom.photo.atomic import save, save_bytes

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
    """The folder beside the output in which a film's finished segments wait. One run at a time has it."""

    def __init__(self, output: Path):
        self._output = output
        self.folder = output.with_name(f".{output.name}.photochrom-video")
        self._lock: BinaryIO | None = None

    def open(self, plan: dict[str, Any], *, resume: bool, overwrite: bool = False) -> int:
        """Make the folder ready; returns how many finished segments may be used again.

        overwrite: those that may not be are dropped. Raises OutputExists for them otherwise, WriteError.
        """
        if not self.folder.parent.is_dir():
            raise WriteError(
                f"the folder {self.folder.parent} does not exist: make it first, or choose another"
            )
        self._claim()
        known = self.folder / "plan.json"
        text = json.dumps(plan, sort_keys=True, indent=1)
        same = known.exists() and known.read_text(encoding="utf-8") == text
        count = self._finished()
        if same and resume:
            return count
        if count and not overwrite:
            raise OutputExists(self._left_behind(count, same=same))
        for path in self.folder.glob("[0-9]*"):
            path.unlink()
        save_bytes(known, text.encode(), overwrite=True)
        return 0

    def _claim(self) -> None:
        """Make the folder and lock it. Raises WriteError where that fails, or another run has it."""
        path = self.folder / "lock"
        while self._lock is None:
            try:
                self.folder.mkdir(exist_ok=True)
                file = path.open("a+b")
            except OSError as error:
                raise WriteError(
                    f"{self.folder} cannot be made ({error.strerror}): choose another folder for the output"
                ) from None
            if lock(file, wait=False) is False:  # None where nobody can tell two runs apart
                file.close()
                raise WriteError(
                    f"another run is writing {self._output}: wait for it, or choose another name"
                )
            if path.exists():  # else the run that had it is done, and has removed it
                self._lock = file
            else:
                file.close()

    def _finished(self) -> int:
        count = 0
        while self._segment(count).exists() and self._state(count).exists():
            count += 1
        return count

    def _left_behind(self, count: int, *, same: bool) -> str:
        if same:
            advice = "add --resume to go on from there"
        else:
            advice = "repeat its command with --resume to go on from there"
        return (
            f"an interrupted run left {count} finished segments of {self._output}: {advice}, "
            "or --if-exists overwrite to begin anew"
        )

    def close(self) -> None:
        """Let another run have the folder; what is finished stays in it."""
        if self._lock is not None:
            if self.folder.exists() and not self._finished():
                self.remove()
            self._lock.close()
            self._lock = None

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

        save(self._segment(number), write, overwrite=True)  # complete when it has its name
        save(self._state(number), lambda file: np.savez(file, allow_pickle=False, **state), overwrite=True)

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
        raise WriteError(f"{file.name} is damaged: begin anew with --if-exists overwrite, without --resume")
