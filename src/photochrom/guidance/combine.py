"""Several kinds of guidance for one photo, the earlier ones stronger.

Near a stronger hint, on things of the same luminance, a weaker one loses weight, with the kernel by which
hints spread; what is left of it is passed on to the network.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from photochrom.hints import MAX_HINTS, Hint
from photochrom.raster import cell_means, kernels, rasterize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from photochrom.color import Float
    from photochrom.prepared import PreparedPhoto

_REACH = (0.12, 12.0)  # (share of the short side, L*) within which a stronger hint decides
_PLACE = (0.025, 1000.0)  # the same for the hint's very place, whatever the luminance
_FAINT = 0.1  # weight below which a hint is left out


class Guidance(NamedTuple):
    """What one kind of guidance gives: hints, and perhaps a last change of ab at the working size."""

    hints: Sequence[Hint] = ()
    redraw: Callable[[Float], Float] | None = None


def combined(plate: PreparedPhoto, *ranks: Sequence[Hint]) -> list[Hint]:
    """One hint list of several, the strongest given first. At most MAX_HINTS.

    The strongest come last, so that they cover the others where they overlap.
    """
    result: list[Hint] = []
    for rank in ranks:
        room = MAX_HINTS - len(result)
        result = [*_yielding(plate, rank, result)[:room], *result]
    return result


def _yielding(plate: PreparedPhoto, hints: Sequence[Hint], stronger: Sequence[Hint]) -> list[Hint]:
    """The hints with the weight that the stronger ones leave them."""
    if not stronger or not hints:
        return list(hints)
    taken = influence(plate, stronger)
    height, width = plate.size
    left = []
    for hint in hints:
        y, x = min(height - 1, int(hint.y * height)), min(width - 1, int(hint.x * width))
        weight = hint.weight * (1 - float(taken[y, x]))
        if weight >= min(_FAINT, hint.weight):
            left.append(replace(hint, weight=weight))
    return left


def influence(plate: PreparedPhoto, hints: Sequence[Hint]) -> Float:
    """(h, w) 0..1 at the working size: how far the hints decide on each place's color."""
    height, width = plate.size
    if not hints:
        return np.zeros((height, width), np.float32)
    cells = cell_means(plate.luminance)
    points = rasterize(hints, plate.luminance).points
    near, at = kernels(cells, points, [_REACH, _PLACE])
    most = (np.maximum(near, at) * points.weights).max(-1).reshape(cells.shape).clip(0, 1)
    return np.asarray(cv2.resize(most, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
