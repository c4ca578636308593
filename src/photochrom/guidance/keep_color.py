"""Revive a faded colour photograph: its own remaining colour, as weak hints.

Dyes fade unevenly: a cast comes over the whole print, different in the shadows and in the lights, and
what colour is left is pale. The automatic colours serve as a yardstick for both: the cast is what the
photo's ab has more than they have at each luminance, and the rest is stretched to their spread.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.errors import GuidanceError
from photochrom.guidance.colours import chroma_of, working_lab
from photochrom.hints import Hint, hint_from_ab

if TYPE_CHECKING:
    from photochrom.color import Float
    from photochrom.colorizer import Plate

MOST = 400  # hints
WEIGHT = 0.4
_RADIUS = 0.012
_MOST_STRETCH = 5.0
_LEVELS = 8  # steps of luminance at which the cast is measured


def remaining_hints(plate: Plate) -> list[Hint]:
    """Weak hints with the photo's own remaining colour, its cast taken off.

    Raises GuidanceError for a photo without colour, UnsupportedReading for a model without hints.
    """
    lab = working_lab(plate.photo, plate.size)
    own = restored(lab, plate.chroma())
    height, width = plate.size
    step = max(8, math.ceil(math.sqrt(height * width / MOST)))
    smooth = cv2.blur(own, (9, 9))
    return [
        hint_from_ab(
            (x + 0.5) / width,
            (y + 0.5) / height,
            (float(smooth[y, x, 0]), float(smooth[y, x, 1])),
            float(plate.luminance[y, x]),
            radius=_RADIUS,
            weight=WEIGHT,
        )
        for y in range(step // 2, height, step)
        for x in range(step // 2, width, step)
    ]


def restored(lab: Float, automatic: Float) -> Float:
    """(h, w, 2): the remaining ab of a photo (h, w, 3), its cast off and stretched, given automatic ab.

    Raises GuidanceError where there is nothing left but one tint.
    """
    ab = lab[..., 1:]
    own = ab - _cast(lab[..., 0], ab - automatic)
    rest = ab - _cast(lab[..., 0], ab)
    if np.percentile(chroma_of(rest), 95) < 1.0:
        msg = "the photo has no colour of its own left to keep: leave --keep-color out"
        raise GuidanceError(msg)
    base = _cast(lab[..., 0], automatic)
    spread = np.sqrt((rest**2).mean((0, 1)))
    wanted = np.sqrt(((automatic - base) ** 2).mean((0, 1)))
    stretch = np.clip(wanted / (spread + 1e-3), 1, _MOST_STRETCH)
    result: Float = (base + (own - base) * stretch).astype(np.float32)
    return result


def _cast(luminance: Float, ab: Float) -> Float:
    """(h, w, 2): a straight line in luminance through the medians of ab at its levels."""
    edges = np.percentile(luminance, np.linspace(0, 100, _LEVELS + 1))
    middles, medians = [], []
    for low, high in pairwise(edges):
        inside = (luminance >= low) & (luminance <= high)
        middles.append(float(luminance[inside].mean()))
        medians.append(np.median(ab[inside], axis=0))
    line = np.polyfit(middles, np.array(medians), 1)
    cast: Float = (luminance[..., None] * line[0] + line[1]).astype(np.float32)
    return cast
