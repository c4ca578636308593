"""Colors at places of the working size, as hints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.hints import Hint, hints_from_ab
from photochrom.raster import STRIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.prepared import PreparedPhoto

_RADIUS = 0.012  # of guidance's hints, as a fraction of the longer side


def placed(
    plate: PreparedPhoto, y: NDArray[Any], x: NDArray[Any], ab: NDArray[Any], weight: NDArray[Any] | float
) -> list[Hint]:
    """Hints of colours ab (n, 2) at places y, x (n,), px of the working size; weight of each or of all."""
    height, width = plate.size
    rows, columns = np.minimum(height - 1, y.astype(int)), np.minimum(width - 1, x.astype(int))
    level = plate.luminance[rows, columns]
    weights = np.broadcast_to(np.asarray(weight), level.shape)
    return hints_from_ab(x / width, y / height, ab, level, radius=_RADIUS, weight=weights)


def placed_in_cells(plate: PreparedPhoto, cells: NDArray[Any], ab: NDArray[Any], weight: float) -> list[Hint]:
    """The same in the middle of cells (n, 2): row and column of the network's answer."""
    y, x = (cells.T + 0.5) * STRIDE
    return placed(plate, y, x, ab, weight)
