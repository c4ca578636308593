"""One way to combine what is asked: a person's hints, a reference, the photo's own colour, a palette.

Who speaks first is heard: a person's hint beats the reference, the reference beats the photo's own
remaining colour and the palette. Near a stronger hint, on things of the same luminance, a weaker one
loses weight, with the kernel by which hints spread; what is left of it is passed on to the network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.guidance.keep_color import remaining_hints
from photochrom.guidance.palette import Palette, PaletteDraw, palette_hints
from photochrom.guidance.reference import Reference, reference_hints
from photochrom.hints import MAX_HINTS, Hint
from photochrom.raster import cell_means, kernels, rasterize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.color import Float, Pixels
    from photochrom.colorizer import Plate
    from photochrom.photo import Photo

REACH = (0.12, 12.0)  # (share of the short side, L*) within which a stronger hint has the say
_PLACE = (0.025, 1000.0)  # the same for the hint's very place, whatever the luminance
_FAINT = 0.1  # weight below which a hint is left out


@dataclass(frozen=True)
class Guided:
    """What guidance comes to for one photo."""

    hints: tuple[Hint, ...] = ()
    draw: PaletteDraw | None = None

    def render(self, plate: Plate, vividness: float | None = None) -> Photo:
        """The coloured photo, as `Plate.render`."""
        return plate.render(self.hints, vividness, draw=self.draw)

    def preview(self, plate: Plate, vividness: float | None = None, side: int = 1000) -> Pixels:
        """The same at a small size, as `Plate.preview`."""
        return plate.preview(self.hints, vividness, side, draw=self.draw)

    def render_small(self, plate: Plate, vividness: float | None = None, side: int = 1000) -> Photo:
        """The same as a photo, as `Plate.render_small`."""
        return plate.render_small(self.hints, vividness, side, draw=self.draw)


@dataclass(frozen=True)
class Guidance:
    """What is asked, in the order of its say: hints, reference, the photo's own colour, palette."""

    hints: Sequence[Hint] = ()
    reference: Photo | Reference | None = None
    keep_color: bool = False
    palette: Palette | None = None

    def guide(self, plate: Plate) -> Guided:
        """What this comes to for a photo. Raises GuidanceError, UnsupportedReading."""
        mine = tuple(self.hints)
        theirs = reference_hints(plate, self.reference) if self.reference is not None else []
        stronger = combined(plate, mine, theirs)
        kept = remaining_hints(plate) if self.keep_color else []
        if self.palette is None:
            return Guided(tuple(combined(plate, stronger, kept)))
        strength = 1 - say(plate, stronger)
        drawn = palette_hints(plate, self.palette, stronger)
        return Guided(tuple(combined(plate, stronger, kept, drawn)), PaletteDraw(self.palette, strength))


def combined(plate: Plate, *ranks: Sequence[Hint]) -> list[Hint]:
    """One hint list of several, the first of which has the most say. At most MAX_HINTS.

    The strongest come last, so that they cover the others where they overlap.
    """
    result: list[Hint] = []
    for rank in ranks:
        room = MAX_HINTS - len(result)
        result = [*_yielding(plate, rank, result)[:room], *result]
    return result


def _yielding(plate: Plate, hints: Sequence[Hint], stronger: Sequence[Hint]) -> list[Hint]:
    """The hints with the weight that the stronger ones leave them."""
    if not stronger or not hints:
        return list(hints)
    say_of = say(plate, stronger)
    height, width = plate.size
    left = []
    for hint in hints:
        y, x = min(height - 1, int(hint.y * height)), min(width - 1, int(hint.x * width))
        weight = hint.weight * (1 - float(say_of[y, x]))
        if weight >= min(_FAINT, hint.weight):
            left.append(replace(hint, weight=weight))
    return left


def say(plate: Plate, hints: Sequence[Hint]) -> Float:
    """(h, w) 0..1 at the working size: how far the hints decide on each place's colour."""
    height, width = plate.size
    if not hints:
        return np.zeros((height, width), np.float32)
    cells = cell_means(plate.luminance)
    near, at = kernels(cells, rasterize(hints, plate.luminance).points, [REACH, _PLACE])
    most = np.maximum(near, at).max(-1).reshape(cells.shape).clip(0, 1)
    return np.asarray(cv2.resize(most, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
