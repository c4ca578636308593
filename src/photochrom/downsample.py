"""A photo at the working size: its luminance and its colors, averaged over areas strip by strip."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.color import linear_to_lab, to_linear, white

if TYPE_CHECKING:
    from collections.abc import Iterable

    from photochrom.color import Float, Neutral, Pixels
    from photochrom.photo import Photo

_LARGE = 1000  # px
_BAND = 4  # rows


def _halved(plane: Neutral | Float) -> Neutral | Float:
    """(⌈h/2⌉, ⌈W/2⌉): the means of 2×2 pixels of a plane (h, W), its last row or column repeated if odd."""
    height, width = plane.shape
    even: Any = np.ascontiguousarray(plane)
    if height % 2 or width % 2:
        even = cv2.copyMakeBorder(even, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    size = (even.shape[1] // 2, even.shape[0] // 2)
    return cast("Neutral", cv2.resize(even, size, interpolation=cv2.INTER_AREA))


@lru_cache(maxsize=16)  # most photos of a batch are of one size
def _area_weights(top: int, count: int, height: int, rows: int) -> tuple[int, Float]:
    """The share of rows top..top+count of `height` in the `rows` averages that they touch.

    (number of the first, (n, count); the array is kept and must not be changed).
    """
    scale = height / rows
    first, last = int(top / scale), min(rows, math.ceil((top + count) / scale))
    low = np.arange(first, last)[:, None] * scale
    source = (top + np.arange(count))[None]
    overlap = np.minimum(low + scale, source + 1) - np.maximum(low, source)
    return first, np.asarray(overlap.clip(0) / scale, np.float32)


class AreaReduction:
    """Area average of a plane that arrives in strips of rows, in any order, on any thread.

    Exact, but for reductions of large planes to an eighth and less: there 2×2 pixels are averaged first, as
    often as four of the result remain, which is twice as fast and may count a row or column of pixels half to
    the neighbor.
    """

    def __init__(self, height: int, width: int, rows: int, columns: int):
        """From (height, width) to (min(rows, height), min(columns, width))."""
        self._height, self._width = height, width
        self._rows, self._columns = min(rows, height), min(columns, width)
        ratio = min(height / self._rows, width / self._columns)
        self._halvings = max(0, int(math.log2(ratio)) - 2) if min(height, width) >= _LARGE else 0

    def add(self, top: int, strip: Neutral) -> tuple[int, Float]:
        """A strip's share of the target rows that it touches: (first row, (n, columns)).

        16-bit steps, whatever the strip's depth.
        """
        first, weights = _area_weights(top, len(strip), self._height, self._rows)
        plane: Neutral | Float = strip
        for number in range(self._halvings):
            if top >> number & 1:
                break
            plane = _halved(plane if number == 0 else plane.astype(np.float32))  # 8 bits are rounded but once
            weights = np.pad(weights, ((0, 0), (0, weights.shape[1] % 2)))
            weights = weights[:, ::2] + weights[:, 1::2]
        narrow = plane.astype(np.float32)
        if self._columns < narrow.shape[1]:
            narrow = cv2.resize(narrow, (self._columns, len(narrow)), interpolation=cv2.INTER_AREA)
        return first, _product(weights, narrow, 65535 // white(strip.dtype))

    def collect(self, shares: Iterable[tuple[int, Float]]) -> Float:
        """The reduced plane (rows, columns), 0..65535, of all strips' shares."""
        total = np.zeros((self._rows, self._columns), np.float32)
        for first, share in shares:
            total[first : first + len(share)] += share
        return total


def _product(weights: Float, plane: Float, scale: float) -> Float:
    """scale · weights (n, h) · plane (h, w), of weights that lie about the diagonal.

    A few rows at a time: zeros are passed over, and products so small wake no threads of BLAS.
    """
    weights = weights * np.float32(scale)
    found = np.empty((len(weights), plane.shape[1]), np.float32)
    for top in range(0, len(weights), _BAND):
        band = weights[top : top + _BAND]
        used = np.flatnonzero(band.any(0))
        part = slice(used[0], used[-1] + 1)
        np.matmul(band[:, part], plane[part], out=found[top : top + _BAND])
    return found


def working_lab(photo: Photo, size: tuple[int, int]) -> Float:
    """(h, w, 3) float32 CIELAB of a photo, averaged in linear light over areas; L* as the eye has it.

    The photo is read strip by strip, whatever its size. Raises DamagedPhoto where decoding fails.
    """
    rows, columns = min(size[0], photo.height), min(size[1], photo.width)
    linear = np.zeros((rows, columns, 3), np.float32)

    def reduced(top: int, strip: Pixels) -> tuple[int, Float]:
        return _share(to_linear(strip), top, photo.height, rows, columns)

    for _, (first, part) in photo.map_strips(reduced):
        linear[first : first + len(part)] += part if part.shape[-1] == 3 else part[..., :1]
    lab = linear_to_lab(np.clip(linear, 0, 1)).astype(np.float32)
    if (rows, columns) != size:
        lab = cv2.resize(lab, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(lab)


def _share(strip: Float, top: int, height: int, rows: int, columns: int) -> tuple[int, Float]:
    """What a strip (n, W[, 3]) from row `top` of `height` adds to the rows of the average it touches."""
    narrow = cv2.resize(strip, (columns, len(strip)), interpolation=cv2.INTER_AREA)
    narrow = narrow.reshape(len(strip), columns, -1)
    if rows == height:
        return top, narrow
    first, weights = _area_weights(top, len(strip), height, rows)
    return first, np.tensordot(weights, narrow, axes=1)
