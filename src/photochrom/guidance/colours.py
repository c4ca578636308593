"""Colours at the working size: a photo's own (a Plate keeps the luminance alone), and those put on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.color import linear_to_lab, to_linear
from photochrom.hints import Hint, hints_from_ab
from photochrom.raster import STRIDE
from photochrom.upsample import area_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Float, Pixels
    from photochrom.colorizer import Plate
    from photochrom.photo import Photo

RADIUS = 0.012  # of guidance's hints, as a fraction of the longer side


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
    first, weights = area_weights(top, len(strip), height, rows)
    return first, np.tensordot(weights, narrow, axes=1)


def chroma_of(ab: Float) -> Float:
    """C*, the distance from grey, of ab (..., 2)."""
    return cast("Float", np.hypot(ab[..., 0], ab[..., 1]))


def hue_of(ab: Float) -> Float:
    """The hue angle in degrees, −180..180, of ab (..., 2)."""
    return cast("Float", np.degrees(np.arctan2(ab[..., 1], ab[..., 0])).astype(np.float32))


def placed(
    plate: Plate, y: NDArray[Any], x: NDArray[Any], ab: NDArray[Any], weight: NDArray[Any] | float
) -> list[Hint]:
    """Hints of colours ab (n, 2) at places y, x (n,), px of the working size; weight of each or of all."""
    height, width = plate.size
    rows, columns = np.minimum(height - 1, y.astype(int)), np.minimum(width - 1, x.astype(int))
    level = plate.luminance[rows, columns]
    weights = np.broadcast_to(np.asarray(weight), level.shape)
    return hints_from_ab(x / width, y / height, ab, level, radius=RADIUS, weight=weights)


def placed_in_cells(plate: Plate, cells: NDArray[Any], ab: NDArray[Any], weight: float) -> list[Hint]:
    """The same in the middle of cells (n, 2): row and column of the network's answer."""
    y, x = (cells.T + 0.5) * STRIDE
    return placed(plate, y, x, ab, weight)
