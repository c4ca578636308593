"""Key frames in color: by the network, and by what a person gave for them.

Hints follow the thing that they lie on from frame to frame until the scene ends or it is lost from sight;
a colored picture of a frame speaks for all frames of its scene, the more the nearer they are in time.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.color import lab_to_rgb, luminance
from photochrom.downsample import working_lab
from photochrom.hints import Hint, dump_hints, load_hints
from photochrom.look import Look, ReferencePhoto
from photochrom.photo import Photo, read
from photochrom.video.motion import PER_CELL, STRIDE, tones_of, ways
from photochrom.video.steady import MEMORY, Opinion

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.color import Float
    from photochrom.colorizer import Colorizer, Plate
    from photochrom.video.motion import Way
    from photochrom.video.steady import State, Step

_USUAL = 12.0  # standard deviation of ab at which an answer has weight 1
_RANGE = 30.0  # L* between dark and light from which a frame counts in full; less in fades
_LOST = 0.15  # trust below which a hint's place is no longer seen
_TOGETHER = 0.02  # of the frame, within which a later hint takes the place of an earlier one
_HINTED, _CHANGE = 50.0, 4.0  # weight of what hints decide on, and the change of ab that shows it
_PICTURED = 1000.0  # weight of a person's picture
_SHOWN = 0.35  # share of a frame that a picture must show to speak for it


@dataclass(frozen=True)
class Picture:
    """A frame that a person colored, and its time in seconds; it is opened when its scene comes."""

    seconds: float
    path: Path


@dataclass(frozen=True)
class _Shown:
    """What is kept of a picture: its tones, its colors in cells, and the picture at the working size."""

    tones: NDArray[np.uint8]
    ab: Float
    reference: ReferencePhoto


class Painter:
    """Colors the key frames of a film, scene by scene."""

    def __init__(
        self,
        colorizer: Colorizer,
        look: Look,
        pictures: Sequence[Picture] = (),
        *,
        step: float,
        state: State | None = None,
    ):
        """step: seconds from frame to frame; state: of the stretch from which the film goes on."""
        self._colorizer, self._look, self._step = colorizer, replace(look, hints=()), step
        self._pictures = sorted(pictures, key=lambda picture: picture.seconds)
        self._shown: dict[Path, _Shown] = {}
        self._hints: list[Hint] = []
        self._waiting = sorted(look.hints, key=lambda hint: hint.time or 0.0)
        self._since = 0.0  # when the scene began
        if state is not None:
            self._hints = load_hints(json.loads(str(state["hints"])))
            self._waiting = self._waiting[len(self._waiting) - int(state["waiting"]) :]
            self._since = float(state["since"])

    def state(self) -> State:
        """What a painter must know to go on from here."""
        return {
            "hints": np.array(json.dumps(dump_hints(self._hints))),
            "waiting": np.array(len(self._waiting)),
            "since": np.array(self._since),
        }

    def begins(self, seconds: float) -> None:
        """A scene begins: what was hinted before is over."""
        self._hints, self._since = [], seconds

    def moves(self, step: Step) -> None:
        """The scene goes on: hints move with what they lie on."""
        self._hints = [moved for hint in self._hints if (moved := _moved(hint, step.ahead)) is not None]

    def asked(self, seconds: float) -> bool:
        """Whether this frame must be a key frame, since a person spoke of it."""
        waiting = bool(self._waiting) and self._is_due(self._waiting[0], seconds)
        return waiting or any(abs(p.seconds - seconds) <= self._step / 2 for p in self._pictures)

    def _is_due(self, hint: Hint, seconds: float) -> bool:
        return (hint.time or 0.0) <= seconds + self._step / 2

    def paint(self, neutral: NDArray[np.uint16], seconds: float) -> Opinion:
        """Colors (h/4, w/4) of a frame, given in grey (h, w) at the working size."""
        while self._waiting and self._is_due(self._waiting[0], seconds):
            hint = self._waiting.pop(0)
            near = [h for h in self._hints if math.hypot(h.x - hint.x, h.y - hint.y) < _TOGETHER]
            self._hints = [h for h in self._hints if h not in near] + [hint]
        plate = self._colorizer.prepare(neutral)
        grey = tones_of(luminance(neutral))
        said = [(p, carried) for p in self._speaking(seconds) if (carried := self._carried(p, grey, seconds))]
        if not said:
            return self._opinion(plate)
        nearest = min((picture for picture, _ in said), key=lambda p: abs(p.seconds - seconds))
        # colors alike where the picture does not show a place
        opinion = self._opinion(plate, self._opened(nearest, grey.shape).reference)
        for _, carried in said:
            opinion = opinion.joined(carried)
        return opinion

    def _opinion(self, plate: Plate, reference: ReferencePhoto | None = None) -> Opinion:
        answer = plate.answer()
        size = (plate.size[0] // STRIDE, plate.size[1] // STRIDE)
        sure = _at((_USUAL / answer.deviation()) ** 2, size).clip(0.1, 4)
        dark, light = np.percentile(plate.luminance, (2, 98))
        sure *= np.float32(np.clip((light - dark) / _RANGE, 0.05, 1) ** 2)
        look = replace(self._look, hints=tuple(self._hints))
        if reference is not None:
            look = replace(look, reference=reference)
        plain = _at(plate.chroma(vividness=look.vividness), size)
        if look == Look(vividness=look.vividness, model=look.model):
            return Opinion(plain, sure)
        ab = _at(plate.color(look).chroma, size)
        change = cv2.magnitude(*cv2.split(ab - plain))
        return Opinion(ab, sure * (1 + np.float32(_HINTED) * cv2.min(change / _CHANGE, 1.0)))

    def _speaking(self, seconds: float) -> list[Picture]:
        """The nearest pictures before and after."""
        before = [p for p in self._pictures if p.seconds <= seconds + self._step / 2]
        return before[-1:] + self._pictures[len(before) :][:1]

    def _carried(self, picture: Picture, tones: NDArray[np.uint8], seconds: float) -> Opinion | None:
        """What a picture says of a frame, given by its tones; None where it is of another scene."""
        own = self._opened(picture, tones.shape)
        back, ahead = ways(own.tones, tones)
        shown = min(back.share, ahead.share) >= _SHOWN
        if not (shown or self._since <= picture.seconds <= seconds):
            return None
        weight = _PICTURED * math.exp(-abs(picture.seconds - seconds) / MEMORY) if shown else 0.0
        return Opinion(own.ab, np.full(back.trust.shape, weight, np.float32)).carried(back, 1.0)

    def _opened(self, picture: Picture, size: tuple[int, ...]) -> _Shown:
        """A picture, of which little is kept; `size` is that of frames' tones. Raises PhotoError."""
        if picture.path not in self._shown:
            lab = working_lab(
                read(picture.path), (size[0] * STRIDE // PER_CELL, size[1] * STRIDE // PER_CELL)
            )
            ab = _at(lab[..., 1:], (size[0] // PER_CELL, size[1] // PER_CELL))
            rgb = np.rint(lab_to_rgb(lab) * 255).astype(np.uint8)
            reference = ReferencePhoto.of(Photo.from_array(rgb))
            kept = list(self._shown.items())[-3:]
            self._shown = {**dict(kept), picture.path: _Shown(tones_of(lab[..., 0]), ab, reference)}
        return self._shown[picture.path]


def _moved(hint: Hint, ahead: Way) -> Hint | None:
    """The hint where its thing is in the next frame, None where that is lost from sight."""
    rows, columns = ahead.trust.shape

    def cell(x: float, y: float) -> tuple[int, int]:
        return min(rows - 1, int(y * rows)), min(columns - 1, int(x * columns))

    def follow(x: float, y: float) -> tuple[float, float]:
        row, column = cell(x, y)
        to_x, to_y = ahead.places[row, column]
        places = (x + (to_x - column) / columns, y + (to_y - row) / rows)
        return min(1.0, max(0.0, float(places[0]))), min(1.0, max(0.0, float(places[1])))

    if ahead.trust[cell(hint.x, hint.y)] < _LOST:
        return None
    x, y = follow(hint.x, hint.y)
    path = tuple(follow(*place) for place in hint.path)
    return replace(hint, x=x, y=y, path=path, within=tuple(follow(*place) for place in hint.within))


def _at(plane: Float, size: tuple[int, int]) -> Float:
    if plane.shape[:2] == size:
        return np.ascontiguousarray(plane, np.float32)
    how = cv2.INTER_AREA if plane.shape[0] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=how), np.float32)
