"""A film's frames in color: read twice, a little apart.

The first reading finds scenes and agrees on colors at a small size; the second, some seconds behind, gives
every frame its colors at full size. So no full frame has to wait in memory for what comes after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
from av.video.frame import VideoFrame

from photochrom.color import luminance
from photochrom.errors import OptionError
from photochrom.look import Look
from photochrom.provenance import file_sha256
from photochrom.upsample import GuidedFilter
from photochrom.video.painting import Painter, Picture
from photochrom.video.planes import Layout, Signal, Tags, luma, rescaled, view
from photochrom.video.scenes import Scenes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from photochrom.color import Float
    from photochrom.colorizer import Colorizer
    from photochrom.hints import Hint
    from photochrom.video.planes import Plane
    from photochrom.video.scenes import Stretch
    from photochrom.video.source import Source
    from photochrom.video.steady import State


@dataclass(frozen=True)
class Wishes:
    """What is asked of a film's colors; seconds are those of the original. Raises OptionError."""

    look: Look = field(default_factory=Look)
    pictures: tuple[Picture, ...] = ()  # colored frames
    start: float | None = None
    end: float | None = None
    side_by_side: bool = False

    @classmethod
    def of(cls, **asked: Any) -> Wishes:
        """The wishes with these fields, those of Look among them. Raises OptionError, GuidanceError."""
        looks = {item.name: asked.pop(item.name) for item in fields(Look) if item.name in asked}
        return cls(**asked, look=Look(**looks)) if looks else cls(**asked)

    @property
    def early_hints(self) -> list[Hint]:
        """The hints that are for what lies before the start: their things may be gone by then."""
        start = self.start or 0.0
        return [hint for hint in self.look.hints if hint.time is not None and hint.time < start]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; pictures by their time and hash."""
        pictures = [[picture.seconds, file_sha256(picture.path)] for picture in self.pictures]
        plain = {"start": self.start, "end": self.end, "side_by_side": self.side_by_side}
        return {"look": self.look.to_json(), "pictures": pictures, **plain}

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise OptionError(f"--to must lie after --from, not at {self.end:g} after {self.start:g}")


@dataclass(frozen=True)
class Colored:
    """A frame in color: its pts, Y', and Cb and Cr."""

    pts: int
    y: Plane
    chroma: tuple[Plane, Plane]


class Coloring:
    """A film's frames and their colors, in a layout of planes."""

    def __init__(self, source: Source, colorizer: Colorizer, wishes: Wishes, layout: Layout):
        self.source, self.wishes, self.layout = source, wishes, layout
        self.tags = Tags.of(source)
        self._colorizer = colorizer
        self._depth = Layout.of(source.first).depth
        self._own, self._signal = Signal(self.tags, self._depth), Signal(self.tags, layout.depth)
        self._turns = round(source.rotation / 90) % 4
        height, width = source.height, max(1, round(source.width * source.sample_aspect))
        shown = (width, height) if source.on_its_side else (height, width)
        size = colorizer.network.working_size(*shown)
        self._small = size[::-1] if source.on_its_side else size

    # --- over the film -------------------------------------------------------------------------

    def stretches(
        self, state: State | None, after: int | None
    ) -> Iterator[tuple[Stretch, Iterator[Colored]]]:
        """Stretches and their frames, which must be taken before the next stretch.

        state, after: of the stretch from whose end the film goes on, and the pts of its last frame.
        """
        painter = self._painter(state)
        scenes = Scenes(painter, float(self.source.time_base), float(self.source.rate), state)
        second = _Followed(self._frames(after))
        for stretch in scenes.stretches(self.small_frames(after)):
            yield stretch, self._of(stretch, second)

    def each_alone(self) -> Iterator[Colored]:
        """Frames in the colors that the network gives each by itself, to compare with."""
        painter = self._painter(None)
        for frame in self._frames(None):
            opinion = painter.paint(self._neutral(luma(frame, self._depth)), self.source.seconds(frame.pts))
            yield self._beside(self._colored(frame, opinion.ab, None))

    def _painter(self, state: State | None) -> Painter:
        step = float(self.source.step * self.source.time_base)
        early = self.wishes.early_hints
        hints = tuple(hint for hint in self.wishes.look.hints if hint not in early)
        look = replace(self.wishes.look, hints=hints)
        return Painter(self._colorizer, look, self.wishes.pictures, step=step, state=state)

    def _of(self, stretch: Stretch, second: _Followed) -> Iterator[Colored]:
        before: Colored | None = None
        for pts, cells in zip(stretch.times, stretch.colors(), strict=True):
            for frame in second.up_to(pts):
                before = self._colored(frame, cells, before)
                yield self._beside(before)

    def bounds(self) -> tuple[int | None, int | None]:
        """The pts of the first frame that is asked for, and of the first that is not any more."""
        asked = (self.wishes.start, self.wishes.end)
        first, last = (None if s is None else round(Fraction(s) / self.source.time_base) for s in asked)
        return first, last

    def _frames(self, after: int | None) -> Iterator[Any]:
        """The frames that are asked for, those after a finished one."""
        first, last = self.bounds()
        if after is None:
            yield from self.source.frames(first, last)
            return
        for frame in self.source.frames(after, last, exact=True):
            if frame.pts > after:
                yield frame

    def small_frames(self, after: int | None) -> Iterator[tuple[int, NDArray[np.uint16]]]:
        """The pts of each frame and its neutral plane (h, w) at the working size, upright."""
        for frame in self._frames(after):
            yield frame.pts, self._neutral(luma(frame, self._depth))

    # --- of one frame --------------------------------------------------------------------------

    def _neutral(self, y: Plane) -> NDArray[np.uint16]:
        """(h, w) of the working size, upright."""
        how = cv2.INTER_AREA if y.shape[0] > self._small[0] else cv2.INTER_CUBIC
        small = cv2.resize(y, self._small[::-1], interpolation=how)
        return np.ascontiguousarray(np.rot90(self._own.neutral(small), self._turns))

    def _colored(self, frame: Any, cells: Float, before: Colored | None) -> Colored:
        own = luma(frame, self._depth)
        neutral = self._neutral(own)
        ab = cv2.resize(cells, neutral.shape[::-1], interpolation=cv2.INTER_LINEAR)
        fitted = GuidedFilter.fit(ab, luminance(neutral))
        fitted = GuidedFilter(_turned(fitted.slope, -self._turns), _turned(fitted.offset, -self._turns))
        y = rescaled(own, self._depth, self.layout.depth, self.tags.range)
        encoded = self._signal.encoded(y, self.layout.chroma_size(*y.shape))
        guide = self._without_grain(self._signal.lightness(encoded))
        ab = fitted.planes(0, guide, len(encoded))
        return Colored(frame.pts, y, self._signal.chroma(encoded, *ab, before.chroma if before else None))

    def _without_grain(self, lightness: Float) -> Float:
        """L* where it guides colors: colors as fine as Y' would follow each grain of the film."""
        wide, tall = (1 if subsampled else 3 for subsampled in (self.layout.wide, self.layout.tall))
        return lightness if wide == tall == 1 else cast("Float", cv2.blur(lightness, (wide, tall)))

    def shown(self, frame: Any) -> NDArray[np.uint8]:
        """(H, W) in grey of a frame as it is shown: upright, with square pixels."""
        neutral = self._own.neutral(luma(frame, self._depth))
        wide = max(1, round(self.source.width * self.source.sample_aspect))
        if wide != neutral.shape[1]:
            neutral = cv2.resize(neutral, (wide, len(neutral)), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(np.rot90((neutral / 257).round().astype(np.uint8), self._turns))

    def _beside(self, colored: Colored) -> Colored:
        """Where that is asked for, the grey frame and the colored one, side by side as they are shown."""
        if not self.wishes.side_by_side:
            return colored
        axis = 0 if self.source.on_its_side else 1
        both: Any = np.concatenate([colored.y, colored.y], axis)
        rows, columns = self.layout.chroma_size(*both.shape)
        grey = np.full_like(colored.chroma[0], 1 << (self.layout.depth - 1))
        first = self._turns in (2, 3)  # rows and columns run the other way
        pairs: Any = ([plane, grey] if first else [grey, plane] for plane in colored.chroma)
        cb, cr = [np.concatenate(pair, axis)[-rows:, -columns:] for pair in pairs]
        return Colored(colored.pts, both, (cb, cr))

    def rgb(self, colored: Colored, depth: int) -> NDArray[Any]:
        """(H, W, 3) of a frame of this film: uint8 where depth is 8, uint16 where it is 16."""
        frame = VideoFrame(colored.y.shape[1], colored.y.shape[0], self.layout.name)
        for target, plane in zip(frame.planes, (colored.y, *colored.chroma), strict=True):
            view(target, self.layout.depth, *plane.shape)[...] = plane
        tags = {"src_colorspace": self.tags.matrix, "src_color_range": self.tags.range}
        kind = "rgb24" if depth == 8 else "rgb48le"
        return np.asarray(frame.reformat(format=kind, **tags, dst_color_range=2).to_ndarray())


class _Followed:
    """The second reading, which follows the first. A damaged film may be decoded otherwise: then by time."""

    def __init__(self, frames: Iterator[Any]):
        self._frames = frames
        self._next = next(frames, None)

    def up_to(self, pts: int) -> Iterator[Any]:
        """The frames that come up to a time stamp: almost always the one that bears it."""
        while self._next is not None and self._next.pts <= pts:
            yield self._next
            self._next = next(self._frames, None)


def _turned(plane: Float, turns: int) -> Float:
    return np.ascontiguousarray(np.rot90(plane, turns))
