"""What the engine adds to the network's answer, so that hints obey.

`confine`: a hint that contradicts the network speaks for its own object alone. `propagate`: what a hint
says minus what the answer says, carried along the edges. `hold`: the hint's colour, exactly, at its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.hints import STRIDE, Hint, Points, kernels, stroke_points
from photochrom.upsample import Guide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Float

_FLOOR = 0.05
_ROUNDS = 3  # each round carries what the last one left at the hints


# Chosen on validation: hint_leak falls from 7.7 to 2.9, ten hints lose nothing (docs/model-development.md).
_AFFINITY = (0.30, 15.0)  # (share of the short side, L*) within which a hint's object is sought
_LIKENESS = (-0.1, 0.3)  # cosine of centred features: below, another thing; above, the same
_LIFT = 3.0  # affinities above 1/3 count in full
_DOUBT = (10.0, 30.0)  # ab distance from the automatic colour: below, no surprise; above, full
_CHUNK = 128  # hints at a time: what OpenCV resizes as channels


def confine(ab: Float, automatic: Float, cells: Float, features: Float, points: Points) -> Float:
    """Undo what surprising hints changed outside their objects: ab (h, w, 2), as `automatic`.

    A true colour tells much of the whole scene, and may; a colour that contradicts what the network
    believed of its place (a dress made green) tells of its object alone. Objects are told by distance,
    L* (cells, (h, w)) and the network's features (C, h/4, w/4).
    """
    if len(points.places) == 0:
        return ab
    height, width = cells.shape
    belongs = np.zeros(height * width, np.float32)
    surprise, weight = np.zeros_like(belongs), np.zeros_like(belongs)
    for start in range(0, len(points.places), _CHUNK):
        part = Points(*(field[start : start + _CHUNK] for field in points))
        near, wide = kernels(cells, part, [_AFFINITY, (0.6, 60.0)])
        belongs = np.maximum(belongs, (near * likeness(features, cells.shape, part)).max(-1))
        wide += np.float32(1e-4)
        surprise += wide @ surprises(automatic, part)
        weight += wide.sum(-1)
    kept = 1 - surprise / weight * (1 - np.minimum(1, _LIFT * belongs))
    confined: Float = automatic + kept.reshape(height, width, 1) * (ab - automatic)
    return confined


def surprises(automatic: Float, points: Points) -> Float:
    """(n,) in 0..1: how much each hint contradicts the automatic colour of its place."""
    row, column = _cells_of(points, automatic.shape[:2])
    distance = np.hypot(*(automatic[row, column] - points.ab).T)
    share: Float = ((distance - _DOUBT[0]) / (_DOUBT[1] - _DOUBT[0])).clip(0, 1).astype(np.float32)
    return share


def likeness(features: Float, shape: tuple[int, ...], points: Points) -> Float:
    """(h·w, n) in 0..1: how alike each cell and each hint's place look to the network."""
    centred = features - features.mean((1, 2), keepdims=True)
    unit = centred / (np.linalg.norm(centred, axis=0, keepdims=True) + 1e-6)
    row, column = (place // STRIDE for place in _cells_of(points, shape))
    cosine = np.einsum("chw,cn->hwn", unit, unit[:, row, column])
    fine = cv2.resize(cosine, shape[1::-1], interpolation=cv2.INTER_LINEAR).reshape(-1, len(points.places))
    alike: Float = ((fine - _LIKENESS[0]) / (_LIKENESS[1] - _LIKENESS[0])).clip(0, 1)
    return alike


def _cells_of(points: Points, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of the cell in which each point lies."""
    place = points.places.astype(np.int64)
    return place[:, 0].clip(0, shape[0] - 1), place[:, 1].clip(0, shape[1] - 1)


def reach(count: int) -> tuple[float, float]:
    """(share of the short side, L*) over which a residual is carried: the denser the hints, the nearer."""
    share = float(np.clip(0.25 / np.sqrt(max(count, 1)), 0.03, 0.12))
    return share, 12.0 if count < 10 else 8.0


def propagate(ab: Float, cells: Float, points: Points) -> Float:
    """ab (h, w, 2) corrected so that it agrees with the points, given the cells' L* (h, w)."""
    if len(points.places) == 0:
        return ab
    (kernel,) = kernels(cells, points, [reach(len(points.places))])  # (h·w, n)
    row, column = _cells_of(points, cells.shape)
    share = kernel / (kernel.sum(-1, keepdims=True) + _FLOOR)
    corrected = ab.reshape(-1, 2).copy()
    for _ in range(_ROUNDS):
        residual = points.ab - corrected[row * cells.shape[1] + column]
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
