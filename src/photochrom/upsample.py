"""ab comes up from the working size along the edges of the full-size photo.

The fast guided filter (He & Sun 2015, arXiv:1505.00996): at the working size ab is written as a local linear
function of luminance, ab = slope·L + offset; slope and offset, which are smooth, are enlarged, and the
full-size luminance puts the edges back where the photo has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from photochrom.color import Float

_RADIUS = 5  # px of the working size
_TOLERANCE = 4.0  # L*: luminance differences well above this are edges


@dataclass(frozen=True)
class GuidedFilter:
    """ab as a local linear function of luminance, at the working size (h, w)."""

    slope: Float  # (h, w, 2), ab per L*
    offset: Float  # (h, w, 2)

    @classmethod
    def fit(cls, ab: Float, luminance: Float, radius: int = _RADIUS, tolerance: float = _TOLERANCE) -> Self:
        """The filter's coefficients for ab (h, w, 2) and L* (h, w) at the working size."""

        def mean(plane: Float) -> Float:
            side = 2 * radius + 1
            return cast("Float", cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT))

        def each(plane: Float) -> Float:
            return cast("Float", cv2.merge([plane, plane]))

        mean_l, mean_ab = mean(luminance), mean(ab)
        variance = cv2.subtract(mean(cv2.multiply(luminance, luminance)), cv2.multiply(mean_l, mean_l))
        covariance = cv2.subtract(
            mean(cv2.multiply(ab, each(luminance))), cv2.multiply(mean_ab, each(mean_l))
        )
        slope = cv2.divide(covariance, each(cv2.add(cv2.max(variance, 0), tolerance * tolerance)))
        offset = cv2.subtract(mean_ab, cv2.multiply(slope, each(mean_l)))
        return cls(mean(slope), mean(offset))

    def planes(self, top: int, luminance: Float, height: float) -> tuple[Float, Float]:
        """a* and b*, (n, W) each, of rows top..top+n of a photo of `height` rows, from their L* (n, W)."""
        count, width = luminance.shape
        tall = self._enlarged_rows(top, count, height)
        slope_a, slope_b, offset_a, offset_b = (
            cv2.resize(band, (width, count), interpolation=cv2.INTER_LINEAR)
            for band in np.split(tall, 4, axis=1)
        )
        a: Float = cv2.add(cv2.multiply(slope_a, luminance), offset_a)
        b: Float = cv2.add(cv2.multiply(slope_b, luminance), offset_b)
        return a, b

    @cached_property
    def _bands(self) -> tuple[Float, Float]:
        """(h, 4·w): the four bands beside each other; and what the next row has more."""
        rows = np.hstack([*cv2.split(self.slope), *cv2.split(self.offset)])
        rise = np.zeros_like(rows)
        np.subtract(rows[1:], rows[:-1], out=rise[:-1])
        return rows, rise

    def _enlarged_rows(self, top: int, count: int, height: float) -> Float:
        """Rows top..top+count of the bands enlarged bilinearly to `height` rows, width as it is."""
        rows, rise = self._bands
        place = ((top + np.arange(count) + 0.5) * len(rows) / height - 0.5).clip(0, len(rows) - 1)
        low = place.astype(np.int64)
        enlarged: Float = rise[low]
        enlarged *= (place - low).astype(np.float32)[:, None]
        enlarged += rows[low]
        return enlarged

    def rows(self, top: int, luminance: Float, height: int) -> Float:
        """`planes` as one array (n, W, 2)."""
        return np.stack(self.planes(top, luminance, height), axis=-1)
