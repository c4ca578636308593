"""Revive a faded color photograph: its own remaining color, as weak hints.

Dyes fade unevenly: a cast comes over the whole print, another in the shadows than in the lights, and what
color is left may be pale. The automatic colors serve as a yardstick for both: the cast is what shows on
things that the network takes for nearly grey, and the rest is stretched to the strength of their colors.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.color import chroma_of
from photochrom.downsample import working_lab
from photochrom.errors import GuidanceError
from photochrom.guidance.combine import Guidance
from photochrom.guidance.placing import placed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.color import Float
    from photochrom.hints import Hint
    from photochrom.look import Look
    from photochrom.prepared import PreparedPhoto

MOST = 400  # hints
_WEIGHT = 0.4
_MOST_STRETCH = 4.0
_COLORLESS = 1.5  # C*, the 95th percentile with the photo's tone off, below which nothing is left
_NEARLY_GREY = 10.0  # C* of automatic colors up to about which a thing tells of the cast
_LEAST = 0.02  # the weight of all other things
_OUTLIER = 6.0  # ab: residuals above it count less
_ROUNDS = 4


def guide_by_remaining_color(plate: PreparedPhoto, look: Look, stronger: Sequence[Hint]) -> Guidance:
    """The photo's own color, if the look keeps it."""
    return Guidance(remaining_hints(plate) if look.keep_color else ())


def remaining_hints(plate: PreparedPhoto) -> list[Hint]:
    """Weak hints with the photo's own remaining color, its cast taken off.

    Raises GuidanceError for a photo without color.
    """
    lab = working_lab(plate.photo, plate.size)
    own = _restored(lab, plate.chroma())
    height, width = plate.size
    step = max(8, math.ceil(math.sqrt(height * width / MOST)))
    smooth = cv2.blur(own, (9, 9))
    y, x = np.mgrid[step // 2 : height : step, step // 2 : width : step].reshape(2, -1)
    return placed(plate, y + 0.5, x + 0.5, smooth[y, x], _WEIGHT)


def _restored(lab: Float, automatic: Float) -> Float:
    """(h, w, 2): the remaining ab of a photo (h, w, 3), its cast off and stretched, given automatic ab.

    Raises GuidanceError where there is nothing left but one tone.
    """
    level, ab = lab[..., 0], lab[..., 1:]
    everywhere = np.ones_like(level)
    if np.percentile(chroma_of(ab - _line(level, ab, everywhere)), 95) < _COLORLESS:
        raise GuidanceError("the photo has no color of its own left: leave out keep_color")
    weights = np.exp(-(chroma_of(automatic) ** 2) / (2 * _NEARLY_GREY**2)) + _LEAST
    own = ab - _line(level, ab - automatic, weights)
    stretch = _strength(automatic) / (_strength(own) + 1e-3)
    return own * np.float32(np.clip(stretch, 1, _MOST_STRETCH))


def _strength(ab: Float) -> float:
    return float(np.sqrt((chroma_of(ab) ** 2).mean()))


def _line(level: Float, ab: Float, weights: Float) -> Float:
    """(h, w, 2): a straight line in luminance through ab, weighted, with outliers held down (Huber 1964)."""
    x = np.column_stack([level.ravel() / 100, np.ones(level.size)])
    y, weight = ab.reshape(-1, 2), weights.ravel()
    line = np.zeros((2, 2))
    for _ in range(_ROUNDS):
        weighted = (x * weight[:, None]).T
        line = np.linalg.solve(weighted @ x + 1e-6 * np.eye(2), weighted @ y)
        away = np.hypot(*(y - x @ line).T)
        weight = weights.ravel() / np.maximum(1, away / _OUTLIER)
    return np.asarray((x @ line).reshape(ab.shape), np.float32)
