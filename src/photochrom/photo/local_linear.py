"""Two planes that follow a third, by a slope and an offset in each cell of a coarse grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from photochrom.color import Float


@dataclass(frozen=True)
class LocalLinear:
    """The coefficients of both planes, (h, w, 2) float32, enlarged bilinearly: slope · guide + offset."""

    slope: Float
    offset: Float

    def planes(self, top: int, guide: Float, height: float) -> tuple[Float, Float]:
        """Both planes, (n, W) each, of rows top..top+n of a picture of `height` rows, and the guide's."""
        count, width = guide.shape
        tall = self._enlarged_rows(top, count, height)
        first_slope, second_slope, first_offset, second_offset = (
            cv2.resize(band, (width, count), interpolation=cv2.INTER_LINEAR)
            for band in np.split(tall, 4, axis=1)
        )
        first: Float = cv2.add(cv2.multiply(first_slope, guide), first_offset)
        second: Float = cv2.add(cv2.multiply(second_slope, guide), second_offset)
        return first, second

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
