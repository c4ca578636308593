"""Between full size and working size: luminance goes down by area averaging, ab comes up along edges.

Upsampling is the fast guided filter (He & Sun 2015, arXiv:1505.00996): at the working size ab is
written as a local linear function of luminance, ab = slope·L + offset; slope and offset, which are
smooth, are enlarged, and the full-size luminance puts the edges back where the photo has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from photochrom.color import Float, Neutral

RADIUS = 5  # px of the working size
TOLERANCE = 4.0  # L*: luminance differences well above this are edges


class AreaReduction:
    """Area average of a plane that arrives in strips of rows, from top to bottom or not."""

    def __init__(self, height: int, width: int, rows: int, columns: int):
        """From (height, width) to (rows, columns); enlarging is done by `finish`."""
        self.height, self.rows, self.columns = height, min(rows, height), columns
        self.sum = np.zeros((self.rows, columns), np.float32)
        self.width = width

    def add(self, top: int, strip: Neutral) -> Float:
        """The strip's contribution, to be summed by `collect`; safe to call from several threads."""
        narrow = strip
        if self.columns < self.width:
            size = (self.columns, strip.shape[0])
            narrow = cv2.resize(strip.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        return self._weights(top, strip.shape[0]) @ narrow.astype(np.float32, copy=False)

    def _weights(self, top: int, count: int) -> Float:
        """(rows, count): the share of each source row in each target row."""
        scale = self.height / self.rows
        low = np.arange(self.rows)[:, None] * scale
        source = (top + np.arange(count))[None]
        overlap = np.minimum(low + scale, source + 1) - np.maximum(low, source)
        return np.asarray(overlap.clip(0) / scale, np.float32)

    def collect(self, parts: Iterable[tuple[int, Float]]) -> Float:
        """The reduced plane (min(rows, height), min(columns, width)) of all contributions."""
        total = None
        for _, part in parts:
            total = part if total is None else total + part
        assert total is not None
        return total


@dataclass(frozen=True)
class Guide:
    """ab as a local linear function of luminance, at the working size (h, w)."""

    slope: Float  # (h, w, 2), ab per L*
    offset: Float  # (h, w, 2)

    def rows(self, top: int, luminance: Float, height: int) -> Float:
        """ab (n, W, 2) of the rows top..top+n of a photo of `height` rows, from their L* (n, W)."""
        count, width = luminance.shape
        planes = np.concatenate([self.slope, self.offset], axis=-1)  # (h, w, 4)
        enlarged = cv2.resize(
            _rows(planes, top, count, height), (width, count), interpolation=cv2.INTER_LINEAR
        )
        ab: Float = enlarged[..., :2]
        ab *= luminance[..., None]
        ab += enlarged[..., 2:]
        return ab


def _rows(planes: Float, top: int, count: int, height: int) -> Float:
    """Rows top..top+count of the planes (h, w, c) enlarged bilinearly to `height` rows, width as it is."""
    small = planes.shape[0]
    place = ((top + np.arange(count) + 0.5) * small / height - 0.5).clip(0, small - 1)
    low = np.minimum(place.astype(np.int64), max(0, small - 2))
    share = (place - low).astype(np.float32)[:, None, None]
    high = np.minimum(low + 1, small - 1)
    rows: Float = planes[low] * (1 - share) + planes[high] * share
    return rows


def guide(ab: Float, luminance: Float, radius: int = RADIUS, tolerance: float = TOLERANCE) -> Guide:
    """The guided filter's coefficients: ab (h, w, 2) and L* (h, w) at the working size."""

    def mean(plane: Float) -> Float:
        blurred: Float = cv2.blur(plane, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT)
        return blurred

    mean_l = mean(luminance)
    variance = mean(luminance * luminance) - mean_l * mean_l
    mean_ab = mean(ab)
    covariance = mean(ab * luminance[..., None]) - mean_ab * mean_l[..., None]
    slope: Float = (covariance / (variance.clip(0) + tolerance * tolerance)[..., None]).astype(np.float32)
    offset: Float = mean_ab - slope * mean_l[..., None]
    return Guide(mean(slope), mean(offset))
