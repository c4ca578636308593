"""Keep to a palette: its colors as hints where the network would have allowed them, hues turned to it.

Hints alone cannot keep a whole photo to a few hues (between two hints the network answers as it sees
fit), so a palette is two things: hints, and a last step at the working size that turns each place's hue
toward the nearest of the palette's and leaves its luminance alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from photochrom.color import chroma_of, hue_of
from photochrom.errors import UnsupportedReading
from photochrom.guidance.combine import Guidance, influence
from photochrom.guidance.placing import placed_in_cells
from photochrom.palette import GREY, Palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.color import Float
    from photochrom.hints import Hint
    from photochrom.look import Look
    from photochrom.prepared import PreparedPhoto

_SLACK = 8.0  # degrees of hue that a color may keep to either side of the palette's
_EACH = 3  # hints a palette color
_APART = 0.18  # of the short side, between hints
_ALLOWED = 0.4  # of the likelihood of the likeliest color, from which a color is allowed
_THINGS = 11  # cells over which the palette's colors compete: about the size of things
_CLEARLY = 1.25  # times as likely as the palette's other colors, for a hint
_WIDTH = 15.0  # ab: how far from a color its likelihood is gathered
_WEIGHT = 0.15


def guide_by_palette(plate: PreparedPhoto, look: Look, stronger: Sequence[Hint]) -> Guidance:
    """The palette's hints and its turning of hues, which leave to stronger hints what those decide."""
    if not look.palette:
        return Guidance()
    palette = Palette(look.palette)
    turn = _PaletteTurn(palette, 1 - influence(plate, stronger))
    return Guidance(palette_hints(plate, palette, stronger), turn)


# --- hints -------------------------------------------------------------------------------------


def palette_hints(plate: PreparedPhoto, palette: Palette, hints: Sequence[Hint] = ()) -> list[Hint]:
    """Hints with the palette's colors where the distribution (given hints) already allows them.

    A model without a distribution gives none: its hues are turned to the palette's all the same.
    """
    try:
        probability, bins = plate.answer(hints).distribution
    except UnsupportedReading:
        return []
    colors = palette.lab[:, 1:]
    colors = colors[chroma_of(colors) > GREY]
    near = _nearness(colors, bins)
    gathered: Float = np.tensordot(near, probability, axes=1)  # (n, h, w)
    allowed = gathered / _likeliest(probability, bins)
    wide = np.stack([cv2.blur(plane, (_THINGS, _THINGS)) for plane in allowed])
    places: list[tuple[int, int]] = []
    asked: list[Float] = []
    for number, ab in enumerate(colors):
        others = np.delete(wide, number, axis=0).max(0, initial=0)
        clear = (allowed[number] > _ALLOWED) & (wide[number] > _CLEARLY * others)
        score = np.where(clear, allowed[number], 0)
        for y, x in _peaks(score):
            meant = near[number] * probability[:, y, x] @ bins / gathered[number, y, x]
            places.append((y, x))
            asked.append(ab / chroma_of(ab) * chroma_of(meant))
    cells, ab = np.array(places).reshape(-1, 2), np.array(asked).reshape(-1, 2)
    return placed_in_cells(plate, cells, ab, _WEIGHT)


def _nearness(colors: Float, bins: Float) -> Float:
    """(n, Q) 0..1: how much each bin counts as that color."""
    squared = ((bins[None] - colors[:, None]) ** 2).sum(-1)
    return cast("Float", np.exp(-squared / (2 * _WIDTH**2)).astype(np.float32))


def _likeliest(probability: Float, bins: Float) -> Float:
    """(h, w): the likelihood of the likeliest color of each place, gathered in the same way."""
    near = [_nearness(part, bins) for part in np.array_split(bins, 8)]
    highest = [np.tensordot(part, probability, axes=1).max(0) for part in near]
    return cast("Float", np.maximum.reduce(highest) + np.float32(1e-9))


def _peaks(score: Float) -> list[tuple[int, int]]:
    """Up to _EACH cells with the highest smoothed score, well apart."""
    left = cv2.blur(score.astype(np.float32), (5, 5)) * (score > 0)
    gap = max(2, round(_APART * min(left.shape)))
    found: list[tuple[int, int]] = []
    while len(found) < _EACH and left.max() > 0:
        y, x = divmod(int(left.argmax()), left.shape[1])
        found.append((y, x))
        left[max(0, y - gap) : y + gap + 1, max(0, x - gap) : x + gap + 1] = 0
    return found


# --- hues --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _PaletteTurn:
    """Turns hues toward a palette's: ab (h, w, 2) -> ab, a pure function; luminance is untouched.

    `strength` (h, w) 0..1 is less than 1 where something else has the say (a person's hints, a reference).
    """

    palette: Palette
    strength: Float | None = None

    def __call__(self, ab: Float) -> Float:
        """ab with the same chroma and drawn hues; far from every hue, chroma gives way a little."""
        chroma, hue = chroma_of(ab), hue_of(ab)
        hues = self.palette.hues
        turns = (hues[:, None, None] - hue[None] + 180) % 360 - 180
        nearest = np.abs(turns).argmin(0)
        turn = np.take_along_axis(turns, nearest[None], 0)[0]
        keep = np.clip(-turn, -_SLACK, _SLACK)
        least = 0.3 if self.palette.has_grey else 0.75
        chroma = chroma * (1 - (1 - least) * np.clip((np.abs(turn) - 30) / 90, 0, 1))
        angle = np.radians(hue + turn + keep)
        drawn = np.stack([chroma * np.cos(angle), chroma * np.sin(angle)], -1).astype(np.float32)
        if self.strength is None:
            return drawn
        return ab + self.strength[..., None] * (drawn - ab)
