"""Is this photo already coloured? A toned print is not, though its pixels are not grey.

In a toned or yellowed print a* and b* follow from L* (a sepia's shadows are browner than its lights),
in a colour photo things of one L* differ in colour. So what is measured is the spread of ab around its
mean at each L*. Sixty genuine old photographs, toned, stained and yellowed ones among them, have at
most 3.5; of 400 colour photographs 1 % have less than 4 (docs/command-line.md).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.color import rgb_to_lab

if TYPE_CHECKING:
    from photochrom.color import Pixels
    from photochrom.photo import Photo
    from photochrom.photo.sources import PixelSource

Passed = Callable[[int, int], None]
COLOURED = 4.0  # spread from which a photo counts as coloured
_LEVELS = 20  # of L*
_SAMPLES = 160  # rows and columns looked at


def spread(rgb: Pixels) -> float:
    """Root mean square distance of ab from the mean ab of its L* level, for RGB pixels (..., 3)."""
    lab = rgb_to_lab(rgb.reshape(-1, 3))
    level = np.minimum((lab[:, 0] * (_LEVELS / 100)).astype(np.int64), _LEVELS - 1)
    count = np.maximum(np.bincount(level, minlength=_LEVELS), 1)
    square = 0.0
    for plane in (lab[:, 1], lab[:, 2]):
        mean = np.bincount(level, plane, _LEVELS) / count
        square += float(np.mean((plane - mean[level]) ** 2))
    return float(np.sqrt(square))


class Sampled:
    """A photo's pixels that remember a few of those that pass, so that no one decodes them twice.

    `passed(rows, height)` is told of all rows that pass.
    """

    def __init__(self, base: PixelSource, passed: Passed | None = None):
        self._base, self._passed = base, passed
        self._lock = threading.Lock()
        self._step = (max(1, base.height // _SAMPLES), max(1, base.width // _SAMPLES))
        self._seen: dict[int, Pixels] = {}

    @property
    def height(self) -> int:
        return self._base.height

    @property
    def width(self) -> int:
        return self._base.width

    @property
    def channels(self) -> int:
        return self._base.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._base.dtype

    @property
    def has_alpha(self) -> bool:
        return self._base.has_alpha

    def rows(self, top: int, bottom: int) -> Pixels:
        pixels = self._base.rows(top, bottom)
        first = -top % self._step[0]
        if self.channels == 3 and first < bottom - top:
            few = pixels[first :: self._step[0], :: self._step[1]].reshape(-1, 3).copy()
            with self._lock:
                self._seen[top] = few
        if self._passed:
            self._passed(bottom - top, self.height)
        return pixels

    def alpha_rows(self, top: int, bottom: int) -> Pixels:
        return self._base.alpha_rows(top, bottom)

    def is_coloured(self) -> bool:
        """Whether the pixels seen so far are those of a colour photo."""
        return bool(self._seen) and spread(np.concatenate(list(self._seen.values()))) > COLOURED


def sampled(photo: Photo, passed: Passed | None = None) -> tuple[Photo, Sampled]:
    """The photo with pixels that are remembered as they pass, and what remembers them."""
    source = Sampled(photo.source, passed)
    return replace(photo, source=source), source
