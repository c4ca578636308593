"""Hints on the grid of the working size: masks, points, and how their colors are carried along edges.

A hint list is drawn once into the two forms in which our network takes it (docs/model-card.md): the discs
and strokes themselves, and the same colors carried along the photo's edges by a joint-bilateral kernel
(Levin, Lischinski & Weiss 2004, "Colorization using optimization", is the classical source of the idea that
neighbors of equal luminance share a color).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from photochrom.color import AB_SCALE
from photochrom.hints import Hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.color import Float

STRIDE = 4  # pixels of the working size in a cell
REACHES = ((0.30, 18.0), (0.12, 12.0), (0.05, 8.0))  # (share of the short side, L*) of the kernel
FLOOR = 0.05  # a total weight well below this fades to nothing


class Points(NamedTuple):
    """Hints as points, in cells of stride 4: the center of cell (0, 0) is (0.5, 0.5)."""

    places: Float  # (n, 2): y, x
    luminance: Float  # (n,): mean L* under the hint
    ab: Float  # (n, 2)
    weights: Float  # (n,)
    reaches: Float  # (n,): how far each spreads, times the usual; kriging heeds it, the network is not told


def spread(cells: Float, points: Points) -> Float:
    """Carry hints along edges: cells (h, w) of mean L* -> (9, h, w), the network's `spread` input.

    For each reach (s, t): w_ij = exp(−|p_i − p_j|² / 2(s·short)² − (L_i − L_j)² / 2t²), and the channels
    Σw·a/110, Σw·b/110 and Σw, each over (Σw + 0.05).
    """
    out = np.zeros((3 * len(REACHES), *cells.shape), np.float32)
    if len(points.places) == 0:
        return out
    for number, near in enumerate(kernels(cells, points, REACHES)):
        kernel = near * points.weights
        total = kernel.sum(-1, keepdims=True)  # (h·w, 1)
        values = np.concatenate([kernel @ (points.ab / np.float32(AB_SCALE)), total], axis=-1) / (
            total + FLOOR
        )
        out[3 * number : 3 * number + 3] = values.T.reshape(3, *cells.shape)
    return out


def kernels(
    cells: Float, points: Points, reaches: Sequence[tuple[float, float]], scale: Float | float = 1.0
) -> list[Float]:
    """How near every hint is to every cell, (h·w, n) 0..1 for each reach; `scale` is of squared distances."""
    distance = squared_distances(cells.shape, points)
    distance *= np.float32(scale)
    difference = (cells.reshape(-1, 1) - points.luminance) ** 2
    return falloff(distance, difference, min(cells.shape), reaches)


def squared_distances(shape: tuple[int, ...], points: Points) -> Float:
    """(h·w, n): of every cell's center from every hint, in cells, squared."""
    height, width = shape
    dy = (np.arange(height, dtype=np.float32) + 0.5)[:, None] - points.places[:, 0]
    dx = (np.arange(width, dtype=np.float32) + 0.5)[:, None] - points.places[:, 1]
    distance: Float = ((dy * dy)[:, None] + (dx * dx)[None]).reshape(height * width, -1)
    return distance


def falloff(
    distance: Float, difference: Float, short: int, reaches: Sequence[tuple[float, float]]
) -> list[Float]:
    """exp(−distance / 2(s·short)² − difference / 2t²) for each reach (s, t), of squared distances and L*."""
    out = []
    for share, tolerance in reaches:
        exponent = distance * np.float32(-0.5 / (share * short) ** 2)
        exponent += difference * np.float32(-0.5 / tolerance**2)
        out.append(cv2.exp(exponent).reshape(exponent.shape))
    return out


def cell_means(plane: Float) -> Float:
    """(H, W) averaged over cells of 4 × 4: (H/4, W/4)."""
    height, width = plane.shape
    cells = plane.reshape(height // STRIDE, STRIDE, width // STRIDE, STRIDE)
    return np.asarray(cells.mean((1, 3), dtype=np.float32))


class Raster(NamedTuple):
    """A hint list drawn for the network."""

    hints: Float  # (3, H, W): weight · a/110, weight · b/110, weight
    points: Points


def rasterize(hints: Sequence[Hint], luminance: Float) -> Raster:
    """Draw hints on a photo of the working size, given its L* (H, W); later hints cover earlier ones."""
    height, width = luminance.shape
    drawn = np.zeros((3, height, width), np.float32)
    latest = np.full((height, width), -1, np.int64)  # the number of the last hint drawn
    rows: list[tuple[float, ...]] = []
    for number, hint in enumerate(hints):
        mask = _hint_mask(hint, height, width)
        weight = np.float32(hint.weight)
        for channel, value in zip(drawn, (hint.ab[0] / AB_SCALE, hint.ab[1] / AB_SCALE, 1.0), strict=True):
            channel[mask] = np.float32(value) * weight
        latest[mask] = number
        for x, y in stroke_points(hint, height, width):
            under = _hint_mask(Hint(x, y, hint.color, hint.radius), height, width) if hint.path else mask
            level = float(luminance[under].mean())
            rows.append((y * height, x * width, level, *hint.ab, hint.weight, hint.reach, number))
    table: Float = np.array(rows, np.float32).reshape(-1, 8)
    row, column = (np.minimum(size - 1, table[:, k].astype(int)) for k, size in enumerate(latest.shape))
    table = table[latest[row, column] <= table[:, 7]]
    points = Points(table[:, :2] / np.float32(STRIDE), table[:, 2], table[:, 3:5], table[:, 5], table[:, 6])
    return Raster(drawn, points)


def _pixel(place: float, size: int) -> int:
    return min(size - 1, int(place))


def _hint_mask(hint: Hint, height: int, width: int) -> Any:
    """(height, width) bool: the pixels under a hint's disc or stroke, at least one."""
    radius = hint.radius * max(height, width)
    x0, y0 = hint.x * width, hint.y * height
    mask = np.zeros((height, width), np.uint8)
    if hint.path:
        line = np.array([(x0, y0), *((x * width, y * height) for x, y in hint.path)]) - 0.5
        fixed = np.rint(line * 16).astype(np.int32)
        cv2.polylines(mask, [fixed], False, 1, max(1, round(2 * radius)), cv2.LINE_8, 4)
    else:
        top, bottom = max(0, int(y0 - radius)), min(height, int(y0 + radius) + 1)
        left, right = max(0, int(x0 - radius)), min(width, int(x0 + radius) + 1)
        y, x = np.ogrid[top:bottom, left:right]
        mask[top:bottom, left:right] = (x + 0.5 - x0) ** 2 + (y + 0.5 - y0) ** 2 <= radius * radius
    mask[_pixel(y0, height), _pixel(x0, width)] = 1
    return mask > 0


def stroke_points(hint: Hint, height: int, width: int) -> list[tuple[float, float]]:
    """Points (x, y) in fractions along a hint's path, a few cells apart; one for a disc."""
    line = [(hint.x, hint.y), *hint.path]
    gap = _gap(hint, height, width)
    found = [line[0]]
    for (x0, y0), (x1, y1) in pairwise(line):
        count = math.ceil(math.hypot((x1 - x0) * width, (y1 - y0) * height) / gap)
        found += [(x0 + (x1 - x0) * k / count, y0 + (y1 - y0) * k / count) for k in range(1, count + 1)]
    return found


def _gap(hint: Hint, height: int, width: int) -> float:
    """Pixels between the points of a stroke."""
    return max(hint.radius * max(height, width), 2.0 * STRIDE)


def count_points(hints: Sequence[Hint], height: int, width: int) -> int:
    """How many points hints come to, before any are drawn: one a disc, one every few cells of a stroke.

    Time and memory of the network's inputs grow with it, whatever the number of hints.
    """
    return sum(_points_of(hint, height, width) for hint in hints)


def _points_of(hint: Hint, height: int, width: int) -> int:
    if not hint.path:
        return 1
    line = np.array([(hint.x, hint.y), *hint.path]) * (width, height)
    lengths = np.hypot(*np.diff(line, axis=0).T)
    return 1 + int(np.ceil(lengths / _gap(hint, height, width)).sum())
