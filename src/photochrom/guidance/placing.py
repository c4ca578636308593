"""Colors at places of the working size, as hints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.color import fit_gamut, lab_to_rgb, rgb_to_hex
from photochrom.hints import Hint
from photochrom.raster import STRIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.prepared import PreparedPhoto

_RADIUS = 0.012  # of guidance's hints, as a fraction of the longer side


def placed(
    plate: PreparedPhoto, y: NDArray[Any], x: NDArray[Any], ab: NDArray[Any], weight: NDArray[Any] | float
) -> list[Hint]:
    """Hints of colors ab (n, 2), within sRGB, at places y, x (n,), px of the working size.

    weight: of each or of all.
    """
    if len(ab) == 0:
        return []
    height, width = plate.size
    rows, columns = np.minimum(height - 1, y.astype(int)), np.minimum(width - 1, x.astype(int))
    lab = np.column_stack([plate.luminance[rows, columns], ab]).astype(np.float64)
    weights = np.broadcast_to(np.asarray(weight), len(ab))
    return [
        Hint(float(column / width), float(row / height), rgb_to_hex(rgb), _RADIUS, float(share))
        for column, row, rgb, share in zip(x, y, lab_to_rgb(fit_gamut(lab)), weights, strict=True)
    ]


def placed_in_cells(plate: PreparedPhoto, cells: NDArray[Any], ab: NDArray[Any], weight: float) -> list[Hint]:
    """The same in the middle of cells (n, 2): row and column of the network's answer."""
    y, x = (cells.T + 0.5) * STRIDE
    return placed(plate, y, x, ab, weight)
