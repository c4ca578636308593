"""A whole film: colored, encoded in segments, and put together with its sound."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.colorizer import Colorizer
from photochrom.errors import OptionError, OutputExists, WriteError
from photochrom.photo.strips import give_memory_back
from photochrom.video.coloring import Coloring, Wishes
from photochrom.video.encoding import CODECS, Encoder, container_for, encoding_for
from photochrom.video.keyframes import write_keyframes
from photochrom.video.muxing import check_streams, mark_of, mux
from photochrom.video.planes import Layout
from photochrom.video.segments import Encoded, Workplace
from photochrom.video.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from photochrom.video.steady import State

_SEGMENT = 240  # frames at least


@dataclass(frozen=True)
class Progress:
    """How far a film is."""

    frames: int  # done
    total: int  # about; 0 where it is unknown
    rate: float  # frames a second of this run
    resumed: int = 0  # frames that an earlier run had finished

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take, None where that is unknown."""
        if not (self.total and self.rate):
            return None
        return round(max(0, self.total - self.frames) / self.rate, 1)


@dataclass
class Report:
    """What became of a film."""

    model: str
    frames: int = 0
    scenes: int = 0
    seconds: float = 0.0
    resumed: int = 0  # frames that an earlier run had finished
    damage: list[float] = field(default_factory=list)  # seconds at which the original is damaged
    warnings: list[str] = field(default_factory=list)


def colorize(
    path: str | Path,
    out: str | Path,
    *,
    model: str | Path | Colorizer = "photochrom",
    codec: str = "h264",
    crf: int | None = None,
    preset: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
    **wishes: Any,
) -> Report:
    """Color a film into a file: MP4, Matroska or QuickTime by its suffix.

    codec: h264, hevc, av1, prores or ffv1; crf, preset: the encoder's; wishes: the fields of `Look`
    (vividness, palette, hints with a time, …) and of `Wishes` (start, end, side_by_side, pictures); resume:
    go on from the segments that an interrupted run of the same film, model and options left beside `out`;
    overwrite: replace a file that is there, and drop such segments.
    Raises PhotoError for what is not a film, OptionError for what the codec or container does not take,
    WriteError and OutputExists; the output is whole or absent.
    """
    source, target = Source(Path(path)), Path(out)
    if target.exists() and target.samefile(source.path):
        raise WriteError(f"{target} is the film itself, which is never replaced: choose another name")
    if not overwrite and os.path.lexists(target):
        raise OutputExists(f"{target} exists already: ask for another name, or to overwrite it")
    if codec not in CODECS:
        raise OptionError(f"{codec!r} is not a codec: choose {', '.join(CODECS)}")
    asked = {"codec": codec, "crf": crf, "preset": preset}
    film = _Film(source, target, _colorizer(model), Wishes.of(**wishes), asked)
    return film.run(resume=resume, overwrite=overwrite, progress=progress)


def frames(
    path: str | Path,
    *,
    model: str | Path | Colorizer = "photochrom",
    steady: bool = True,
    depth: int = 8,
    **wishes: Any,
) -> Iterator[tuple[float, NDArray[Any]]]:
    """(seconds, rgb (H, W, 3)) of each colored frame, as it lies in the file; wishes as there.

    depth: 8 gives uint8, 16 uint16; steady: False colors every frame by itself, to compare with.
    Raises PhotoError for what is not a film, OptionError for another depth.
    """
    if depth not in (8, 16):
        raise OptionError(f"frames have a depth of 8 or 16 bits, not {depth}")
    source = Source(Path(path))
    # 16 bits: Cb and Cr rounded to 8 would flicker by themselves
    coloring = Coloring(source, _colorizer(model), Wishes.of(**wishes), Layout(16, 0, 0))
    parts = coloring.stretches(None, None) if steady else [(None, coloring.each_alone())]
    for _, colored in parts:
        for frame in colored:
            yield source.seconds(frame.pts), coloring.rgb(frame, depth)


def export_keyframes(
    path: str | Path, folder: str | Path, *, model: str | Path | Colorizer = "photochrom", **wishes: Any
) -> Iterator[Path]:
    """Write a frame of each scene as a PNG for coloring by hand, and give the paths; wishes: start, end."""
    coloring = Coloring(Source(Path(path)), _colorizer(model), Wishes.of(**wishes), Layout(8, 0, 0))
    yield from write_keyframes(coloring, Path(folder))


def _colorizer(model: str | Path | Colorizer) -> Colorizer:
    return model if isinstance(model, Colorizer) else Colorizer(model)


class _Film:
    """One film on its way to a file."""

    def __init__(
        self, source: Source, target: Path, colorizer: Colorizer, wishes: Wishes, asked: dict[str, Any]
    ):
        self._source, self._target, self._wishes, self._asked = source, target, wishes, asked
        codec = CODECS[asked["codec"]]
        self._container = container_for(target.suffix, codec)
        wanted = Layout.of(source.first)
        self._encoding = encoding_for(source, wishes.side_by_side, codec, asked["crf"], asked["preset"])
        self._coloring = Coloring(source, colorizer, wishes, self._encoding.layout)
        self._card = colorizer.model
        told = _warnings(source, wishes, wanted, self._encoding.layout)
        self._report = Report(self._card.name, warnings=told)
        check_streams(source, target, self._container)
        Encoder(self._encoding)  # which refuses bad options before anything is written

    def run(self, *, resume: bool, overwrite: bool, progress: Callable[[Progress], None] | None) -> Report:
        """Make the file."""
        self._started = time.monotonic()
        with closing(Workplace(self._target)) as workplace:
            done = workplace.open(self._plan(), resume=resume, overwrite=overwrite)
            self._fill(workplace, done, progress, overwrite=overwrite)
            workplace.remove()
        self._report.damage = sorted(self._source.damage)
        self._report.seconds = time.monotonic() - self._started
        return self._report

    def _fill(
        self,
        workplace: Workplace,
        done: int,
        progress: Callable[[Progress], None] | None,
        *,
        overwrite: bool,
    ) -> None:
        """Finish the segments that are missing, and put all together."""
        state = workplace.state_after(done - 1) if done else None
        for packets, left in self._segments(state, progress):
            workplace.save_segment(done, packets, left)
            done += 1
        if not done:
            raise OptionError(
                f"{self._source.path} has no frame in the time that was asked for: change --from and --to"
            )
        self._report.warnings += mux(
            self._source,
            self._target,
            self._container,
            self._encoding,
            workplace.packets(done),
            workplace.times(done),
            span=self._span(),
            mark=mark_of(self._card.name, version("photochrom")),
            overwrite=overwrite,
        )

    def _plan(self) -> dict[str, Any]:
        """What must be the same for a segment to be used again."""
        found = self._source.path.stat()
        return {
            "film": [str(self._source.path.resolve()), found.st_size, found.st_mtime_ns],
            "model": self._card.sha256,
            "options": {**self._asked, **self._wishes.to_json()},
            "photochrom": version("photochrom"),
        }

    def _span(self) -> tuple[Fraction, Fraction | None] | None:
        start, end = self._wishes.start, self._wishes.end
        if start is None and end is None:
            return None
        return Fraction(start or 0), None if end is None else Fraction(end)

    def _segments(
        self, state: State | None, progress: Callable[[Progress], None] | None
    ) -> Iterator[tuple[list[Encoded], State]]:
        """Segments of encoded frames, each with the state from which the next goes on."""
        report = self._report
        report.resumed = report.frames = int(state["frames"]) if state else 0
        report.scenes = int(state["scenes"]) if state else 0
        after = int(state["last"]) if state else None
        self._source.damage += state["damage"].tolist() if state else []
        encoder, packets, count = Encoder(self._encoding), list[Encoded](), 0
        left: State | None = None
        for stretch, colored in self._coloring.stretches(state, after):
            for frame in colored:
                packets += _kept(encoder.encode(frame.y, frame.chroma, frame.pts))
                count, report.frames = count + 1, report.frames + 1
                if progress:
                    progress(self._progress())
            report.scenes = stretch.scene + 1
            numbers = {
                "last": stretch.times[-1],
                "frames": report.frames,
                "scenes": report.scenes,
                "damage": self._source.damage,
            }
            left = {**stretch.state, **{name: np.array(number) for name, number in numbers.items()}}
            if count >= _SEGMENT:
                yield [*packets, *_kept(encoder.finish())], left
                del encoder  # before there is another
                give_memory_back()  # of threads that ended with it
                encoder, packets, count = Encoder(self._encoding), [], 0
        if count and left is not None:
            yield [*packets, *_kept(encoder.finish())], left

    def _progress(self) -> Progress:
        passed = max(1e-3, time.monotonic() - self._started)
        done, resumed = self._report.frames, self._report.resumed
        return Progress(done, self._total(), (done - resumed) / passed, resumed)

    def _total(self) -> int:
        """About how many frames are asked for."""
        first, last = self._wishes.start or 0.0, self._wishes.end
        count = self._source.count - round(first * self._source.rate)
        return max(0, count if last is None else min(count, round((last - first) * self._source.rate)))


def _warnings(source: Source, wishes: Wishes, wanted: Layout, given: Layout) -> list[str]:
    """What a person should know of how a film is treated."""
    found = []
    if early := len(wishes.early_hints):
        found.append(f"hints for the time before --from are left out: {early}")
    if source.interlaced:
        found.append(
            "the film is interlaced, and stays so: fast motion is colored better after deinterlacing"
        )
    if given.depth < wanted.depth:
        found.append(f"its {wanted.depth} bits become {given.depth}, which is what the codec holds")
    return found


def _kept(packets: Iterator[Any]) -> Iterator[Encoded]:
    for packet in packets:
        yield Encoded(packet.pts, packet.is_keyframe, bytes(packet))
