"""Hints become exact: what a hint says minus what the network answered, carried along the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.hints import STRIDE, Hint, Points, kernels, stroke_points
from photochrom.upsample import Guide

if TYPE_CHECKING:
    from photochrom.color import Float

_FLOOR = 0.05
_ROUNDS = 3  # each round carries what the last one left at the hints


def reach(count: int) -> tuple[float, float]:
    """(share of the short side, L*) over which a residual is carried: the denser the hints, the nearer."""
    share = float(np.clip(0.25 / np.sqrt(max(count, 1)), 0.03, 0.12))
    return share, 12.0 if count < 10 else 8.0


def propagate(ab: Float, cells: Float, points: Points) -> Float:
    """ab (h, w, 2) corrected so that it agrees with the points, given the cells' L* (h, w)."""
    if len(points.places) == 0:
        return ab
    height, width = cells.shape
    (kernel,) = kernels(cells, points, [reach(len(points.places))])  # (h·w, n)
    row = points.places[:, 0].astype(np.int64).clip(0, height - 1)
    column = points.places[:, 1].astype(np.int64).clip(0, width - 1)
    share = kernel / (kernel.sum(-1, keepdims=True) + _FLOOR)
    corrected = ab.reshape(-1, 2).copy()
    for _ in range(_ROUNDS):
        residual = points.ab - corrected[row * width + column]
        corrected += share @ residual
    return corrected.reshape(ab.shape)


def hold(guide: Guide, hints: tuple[Hint, ...], luminance: Float) -> Guide:
    """Pin each hint's colour where it was placed: there ab no longer depends on the luminance.

    The pin fades over about a radius, and stops at edges of L*.
    """
    if not hints:
        return guide
    slope, offset = guide.slope.copy(), guide.offset.copy()
    height, width = luminance.shape
    for hint in hints:
        radius = max(1.5, hint.radius * max(height, width))
        for x, y in stroke_points(hint, height, width):
            part = _window(x * width, y * height, 2 * radius, height, width)
            pin = _pin(x * width, y * height, radius, part, luminance) * np.float32(hint.weight)
            slope[part] *= (1 - pin)[..., None]
            offset[part] += pin[..., None] * (np.array(hint.ab, np.float32) - offset[part])
    return Guide(slope, offset)


def _window(x: float, y: float, reach: float, height: int, width: int) -> tuple[slice, slice]:
    rows = slice(max(0, int(y - reach)), min(height, int(y + reach) + 2))
    return rows, slice(max(0, int(x - reach)), min(width, int(x + reach) + 2))


def _pin(x: float, y: float, radius: float, part: tuple[slice, slice], luminance: Float) -> Float:
    """1 on the disc, falling to 0 at twice its radius; less where L* differs from the disc's centre."""
    rows = np.arange(part[0].start, part[0].stop, dtype=np.float32)[:, None] + 0.5 - y
    columns = np.arange(part[1].start, part[1].stop, dtype=np.float32)[None] + 0.5 - x
    distance = cv2.sqrt(rows * rows + columns * columns)
    disc = np.clip(2 - distance / np.float32(radius), 0, 1)
    level = luminance[min(luminance.shape[0] - 1, int(y)), min(luminance.shape[1] - 1, int(x))]
    alike = np.exp(-((luminance[part] - level) ** 2) / np.float32(2 * 12.0**2))
    pin: Float = np.where(distance <= min(radius, 1.5), disc, disc * alike).astype(np.float32)
    return pin


__all__ = ["STRIDE", "hold", "propagate", "reach"]
