"""What the engine adds to the network's answer, so that hints obey.

`obey`: the answer corrected by kriging, so that it agrees with the hints; and where a hint contradicts
what the network believed of its place, only its own object follows. `hold`: the hint's colour, exactly,
at its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.hints import Hint, Points, falloff, kernels, stroke_points
from photochrom.upsample import Guide

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from photochrom.color import Float

# Chosen on validation (docs/model-development.md).
_REACHES = ((1.0, 25.0), (0.3, 20.0), (0.1, 12.0), (0.04, 10.0))  # (share of the short side, L*)
_SHARES: Float = np.array([4 / 9, 2 / 9, 2 / 9, 1 / 9], np.float32)  # of the residual's variance
_COLOURS = 15.0  # ab: automatic colours well within this are alike
_NOISE = 0.03  # of a hint, as a share of the residual's variance
_AUTOMATIC = 0.25  # share of the automatic colours in what is corrected

_AFFINITY = (0.40, 15.0)  # (share of the short side, L*) within which a hint's object is sought
_SCENE = (0.6, 60.0)
_LIKENESS = (-0.1, 0.3)  # cosine of centred features: below, another thing; above, the same
_LIFT = 3.0  # affinities above 1/3 count in full
_DOUBT = (15.0, 40.0)  # ab distance from the automatic colour: below, no surprise; above, full
_CHUNK = 128  # hints at a time: a few tens of megabytes


@dataclass(frozen=True)
class Scene:
    """What is known of a photo's cells without any hint."""

    cells: Float  # (h, w): mean L*
    automatic: Float  # (h, w, 2): the colours without hints
    features: Float  # (C, h/4, w/4): the network's

    @cached_property
    def unit_features(self) -> Float:
        """(h·w, C): centred features of length at most 1."""
        centred = self.features - self.features.mean((1, 2), keepdims=True)
        unit = centred / (np.sqrt((centred * centred).sum(0)) + np.float32(1e-6))
        fine = cv2.resize(
            np.ascontiguousarray(unit.transpose(1, 2, 0)),
            self.cells.shape[::-1],
            interpolation=cv2.INTER_LINEAR,
        )
        return np.asarray(fine.reshape(-1, len(self.features)), np.float32)


def obey(answer: Float, deviation: Float, scene: Scene, points: Points) -> Float:
    """The answer (h, w, 2) to hints, corrected so that it agrees with them.

    deviation (h, w): the standard deviation of ab that the network sees in each cell, given the hints.

    What the hints say minus what the answer says is interpolated by simple kriging (Gaussian process
    regression; Matheron 1963): its covariance falls off with distance and with differences of L*, of the
    network's features and of the automatic colours, and it grows with the network's own doubt. The
    answer is first mixed with the automatic colours: two estimates whose errors differ.

    A true colour tells much of the whole scene, and may; a colour that contradicts what the network
    believed of its place (a dress made green) tells of its object alone.
    """
    if len(points.places) == 0:
        return answer
    shape = answer.shape
    automatic = scene.automatic.reshape(-1, 2)
    mean = answer.reshape(-1, 2) + np.float32(_AUTOMATIC) * (automatic - answer.reshape(-1, 2))
    sigma = deviation.reshape(-1, 1)
    at = _cell_numbers(points, scene.cells.shape)
    unit = scene.unit_features
    coefficients = _solve(
        _between_hints(scene, points, unit[at], automatic[at]),
        points.weights,
        (points.ab - mean[at]) / sigma[at],
    )
    residual = np.zeros_like(mean)
    local = Locality(len(mean))
    for part in _parts(points):
        falls = kernels(scene.cells, _unweighted(points, part), [*_REACHES, _AFFINITY, _SCENE])
        cosine = _cosines(unit, unit[at[part]])
        alike = _alike(cosine, automatic, automatic[at[part]])
        residual += cv2.gemm(_mixed(falls[:-2]) * alike, coefficients[part], 1, None, 0)
        local.add(
            falls[-2],
            falls[-1],
            cosine,
            _surprises(automatic[at[part]], points.ab[part]),
            points.weights[part],
        )
    corrected = mean + sigma * residual
    confined: Float = automatic + local.kept()[:, None] * (corrected - automatic)
    return confined.reshape(shape)


def _parts(points: Points) -> Iterator[slice]:
    """The hints, a chunk at a time: memory is of cells times a chunk, whatever their number."""
    for start in range(0, len(points.places), _CHUNK):
        yield slice(start, start + _CHUNK)


def _unweighted(points: Points, part: slice) -> Points:
    places, levels, ab = points.places[part], points.luminance[part], points.ab[part]
    return Points(places, levels, ab, np.ones(len(places), np.float32))


# --- kriging -----------------------------------------------------------------------------------


def _mixed(falls: Sequence[Float]) -> Float:
    """The correlation by distance and L*: the reaches' falloffs by their shares."""
    total = falls[0] * _SHARES[0]
    for fall, share in zip(falls[1:], _SHARES[1:], strict=True):
        total += fall * share
    return np.asarray(total)


def _cosines(unit: Float, hinted: Float) -> Float:
    """(m, n): cosines of the features of places and hints."""
    product: Float = cv2.gemm(unit, hinted, 1, None, 0, flags=cv2.GEMM_2_T)
    return product


def _alike(cosine: Float, ab: Float, hinted: Float) -> Float:
    """(m, n) in 0..1: how alike places (colours ab (m, 2)) and hints look, by features and by colour."""
    exponent = _squares(ab, hinted)
    exponent *= np.float32(-0.5 / _COLOURS**2)
    alike: Float = cv2.exp(exponent).reshape(exponent.shape) * (np.float32(0.5) + np.float32(0.5) * cosine)
    return alike


def _squares(a: Float, b: Float) -> Float:
    """(m, n): squared distances of a (m, 2) from b (n, 2)."""
    first, second = a[:, :1] - b[:, 0], a[:, 1:] - b[:, 1]
    return np.asarray(first * first + second * second)


def _between_hints(scene: Scene, points: Points, unit: Float, ab: Float) -> Float:
    """(n, n): the correlation of the residuals at the hints; unit (n, C) and ab (n, 2): of their cells."""
    distance = _squares(points.places, points.places)
    difference = (points.luminance[:, None] - points.luminance) ** 2
    falls = falloff(distance, difference, min(scene.cells.shape), _REACHES)
    return _mixed(falls) * _alike(_cosines(unit, unit), ab, ab)


def _solve(correlation: Float, weights: Float, residual: Float) -> Float:
    """(n, 2): what each hint contributes. A weak hint counts as a noisy one: alone it moves its place by
    about its weight."""
    noise = np.float32(_NOISE) + (1 - weights) / np.maximum(weights, np.float32(1e-3))
    solved: Float = np.linalg.solve(correlation + np.diag(noise), residual)
    return solved


# --- a contradiction stays with its object ------------------------------------------------------


class Locality:
    """How much of the hints' effect each cell keeps: all on a hint's object, and where no hint surprises."""

    def __init__(self, count: int):
        self.belongs, self.surprise, self.weight = np.zeros((3, count), np.float32)

    def add(self, near: Float, wide: Float, cosine: Float, surprises: Float, weights: Float) -> None:
        """Hints: closeness to the cells (m, n) in two reaches and in features; surprise, weight (n,)."""
        alike = ((cosine - _LIKENESS[0]) / (_LIKENESS[1] - _LIKENESS[0])).clip(0, 1)
        self.belongs = np.maximum(self.belongs, (near * alike * weights).max(-1))
        wide = wide * weights + np.float32(1e-4)
        self.surprise += wide @ surprises
        self.weight += wide.sum(-1)

    def kept(self) -> Float:
        """(m,) in 0..1."""
        kept: Float = 1 - self.surprise / self.weight * (1 - np.minimum(1, _LIFT * self.belongs))
        return kept


def _surprises(automatic: Float, ab: Float) -> Float:
    """(n,) in 0..1: how much each hint contradicts the automatic colour of its place."""
    distance = np.hypot(*(automatic - ab).T)
    share: Float = ((distance - _DOUBT[0]) / (_DOUBT[1] - _DOUBT[0])).clip(0, 1).astype(np.float32)
    return share


def _cell_numbers(points: Points, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The number of the cell in which each point lies, row by row."""
    place = points.places.astype(np.int64)
    return np.asarray(place[:, 0].clip(0, shape[0] - 1) * shape[1] + place[:, 1].clip(0, shape[1] - 1))


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
