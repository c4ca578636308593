"""Kriging: the network's answer is corrected so that it agrees with the hints.

`krige` interpolates what the hints ask for beyond the answer; and where a hint contradicts what the network
believed of its place, only its own object follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from photochrom.raster import Points, falloff, kernels, squared_distances

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from photochrom.color import Float

# Fitted on half of the validation photos (docs/model-development.md).
_REACHES = ((3.8, 75.0), (1.2, 41.5), (0.196, 55.0), (0.024, 28.0))  # (share of the short side, L*)
_SHARES = (0.544, 0.348, 0.088, 0.02)  # of the residual's variance: the scene, a thing, a part, a place
_COLORS = 25.0  # ab: automatic colors well within this are alike
_NOISE = 0.0057  # of a hint, as a share of the residual's variance
_DOUBT = 0.185  # power of the network's standard deviation with which a residual grows
_AUTOMATIC = (0.68, 1.0)  # share of the automatic colors under many hints, and hints that bring half of it

_AFFINITY = (0.4, 11.0)  # (share of the short side, L*) within which a hint's object is sought
_SCENE = (0.42, 51.0)
_LIKENESS = (-0.05, 0.55)  # cosine of centered features: below, another thing; above, the same
_LIFT = 6.5  # affinities above 0.15 count in full
_SURPRISE = (8.0, 26.0)  # ab distance from the automatic color: below, no surprise; above, full
_KIND = (0.3, 0.6)  # cosine: below, another kind; above, the same
_KIND_COLORS, _KIND_LEVELS = 15.0, 35.0  # ab and L* within which things are of one kind
_KEPT = 0.5  # of the automatic variation of color within a kind
_CHUNK = 128  # hints at a time: a few tens of megabytes


@dataclass(frozen=True)
class Scene:
    """What is known of a photo's cells without any hint."""

    cells: Float  # (h, w): mean L*
    automatic: Float  # (h, w, 2): the colors without hints
    unit_features: Float  # (h, w, C): of length at most 1; their products are cosines


def krige(answer: Float, deviation: Float, scene: Scene, points: Points) -> Float:
    """The answer (h, w, 2) to hints, corrected so that it agrees with them.

    deviation (h, w): the standard deviation of ab that the network sees in each cell, given the hints.

    What the hints say minus what the answer says is interpolated by simple kriging (Gaussian process
    regression; Matheron 1963): its covariance falls off with distance and with differences of L*, of the
    network's features and of the automatic colors, and it grows with the network's own doubt. The
    answer is first mixed with the automatic colors, two estimates whose errors differ: a single hint is
    best left to the network, which knows its object; among many, interpolation does nearly as well.

    A true color tells much of the whole scene, and may; a color that contradicts what the network
    believed of its place (a dress made green) tells of its object alone.
    """
    if len(points.places) == 0:
        return answer
    sigma = deviation[..., None] ** np.float32(_DOUBT)
    stretched = _stretched(points.reaches[:, None], points.reaches)
    between = _between_hints(scene, points, stretched.scale)
    share = _automatic_share(between[-1], points.weights)
    mean = answer + share * (scene.automatic - answer)
    automatic, unit, own, doubt = (
        sample(plane, points.places) for plane in (scene.automatic, scene.unit_features, mean, sigma)
    )
    coefficients = _solve(
        _correlation(between, _cosines(unit, unit), _same_colors(automatic, automatic) * stretched.factor),
        points.weights,
        (points.ab - own) / doubt,
    )
    surprises = _surprises(automatic, points.ab)
    cells, colors = _listed(scene.unit_features), _listed(scene.automatic)
    residual = np.zeros_like(colors)
    local = Locality(len(colors))
    reaches = _reaches_of_cells(scene, points)
    for part in _parts(points):
        chunk = _chunk(points, part)
        stretched = _stretched(reaches, chunk.reaches)
        falls = kernels(scene.cells, chunk, _REACHES, stretched.scale)
        cosine, same = _cosines(cells, unit[part]), _same_colors(colors, automatic[part])
        correlation = _correlation(falls, cosine, same * stretched.factor)
        residual += cv2.gemm(correlation, coefficients[part], 1, None, 0)
        (near,) = kernels(scene.cells, chunk, (_AFFINITY,), chunk.reaches**-2)
        (wide,) = kernels(scene.cells, chunk, (_SCENE,))
        surprise = _with_short_reach(scene, chunk, surprises[part])
        local.add(_belonging(near, cosine, same), wide, surprise, chunk.weights)
    corrected = mean + sigma * residual.reshape(mean.shape)
    confined: Float = scene.automatic + local.kept().reshape(sigma.shape) * (corrected - scene.automatic)
    return confined


def _listed(plane: Float) -> Float:
    """(h, w, C) as (h·w, C)."""
    return plane.reshape(-1, plane.shape[-1])


def sample(plane: Float, places: Float) -> Float:
    """(n, C): a plane of cells (h, w, C) between their centers, as it will be enlarged (bilinear)."""
    last = np.array(plane.shape[:2]) - 1
    place = (places - np.float32(0.5)).clip(0, last).astype(np.float32)
    corner = place.astype(np.int64)
    (top, left), (below, right) = corner.T, np.minimum(corner + 1, last).T
    down, across = (place - corner.astype(np.float32)).T[..., None]
    upper = plane[top, left] + across * (plane[top, right] - plane[top, left])
    lower = plane[below, left] + across * (plane[below, right] - plane[below, left])
    return np.asarray(upper + down * (lower - upper))


def _parts(points: Points) -> Iterator[slice]:
    """The hints, a chunk at a time: memory is of cells times a chunk, whatever their number."""
    for start in range(0, len(points.places), _CHUNK):
        yield slice(start, start + _CHUNK)


def _chunk(points: Points, part: slice) -> Points:
    return Points(*(field[part] for field in points))


# --- kriging -----------------------------------------------------------------------------------


def _automatic_share(near: Float, weights: Float) -> np.float32:
    """The share of the automatic colors in what is corrected, by how many places the hints speak of.

    near (n, n): 1 for hints at one place. The points of a stroke and hints put on one another count as one.
    """
    count = (weights / near.sum(1)).sum()
    most, half = _AUTOMATIC
    return np.float32(most * count / (count + half))


def _correlation(falls: Sequence[Float], cosine: Float, same_colors: Float) -> Float:
    """(m, n): of the residuals at places and hints.

    By distance and L* in four reaches; a thing and its parts also by features, all of them by color.
    """
    (scene, thing, part, place), (a, b, c, d) = falls, _SHARES
    correlation: Float = cv2.addWeighted(thing, b, part, c, 0)
    half = cosine * np.float32(0.5)
    half += np.float32(0.5)
    correlation *= half
    correlation += cv2.addWeighted(scene, a, place, d, 0)
    correlation *= same_colors
    return correlation


def _same_colors(ab: Float, hinted: Float) -> Float:
    """(m, n) 0..1: how alike the automatic colors of places (m, 2) and hints (n, 2) are."""
    exponent = _squares(ab, hinted)
    exponent *= np.float32(-0.5 / _COLORS**2)
    return np.asarray(cv2.exp(exponent, exponent).reshape(exponent.shape))


def _cosines(unit: Float, hinted: Float) -> Float:
    """(m, n): cosines of the features of places and hints."""
    product: Float = cv2.gemm(unit, hinted, 1, None, 0, flags=cv2.GEMM_2_T)
    return product


def _squares(a: Float, b: Float) -> Float:
    """(m, n): squared distances of a (m, 2) from b (n, 2)."""
    first, second = a[:, :1] - b[:, 0], a[:, 1:] - b[:, 1]
    return np.asarray(first * first + second * second)


def _between_hints(scene: Scene, points: Points, scale: Float | float) -> list[Float]:
    """(n, n) for each reach: how near the hints are to one another; `scale` is of squared distances."""
    distance = _squares(points.places, points.places) * scale
    difference = (points.luminance[:, None] - points.luminance) ** 2
    return falloff(distance, difference, min(scene.cells.shape), _REACHES)


def _solve(correlation: Float, weights: Float, residual: Float) -> Float:
    """(n, 2): what each hint contributes. A weak hint counts as a noisy one: alone it moves its place by
    about its weight."""
    noise = np.float32(_NOISE) + (1 - weights) / np.maximum(weights, np.float32(1e-3))
    solved: Float = np.linalg.solve(correlation + np.diag(noise), residual)
    return solved


# --- everything of a kind ------------------------------------------------------------------------


def change_of_kind(scene: Scene, points: Points) -> Float:
    """(h, w, 2): what hints for everything of their kind add to the automatic colors.

    A cell is of a hint's kind by the network's features, its automatic color and its L*, not by its place.
    The kind gets the hint's color on the average, and keeps part of the automatic variation.
    """
    cells, automatic = _listed(scene.unit_features), _listed(scene.automatic)
    levels = scene.cells.reshape(-1, 1)
    unit, hinted = (sample(plane, points.places) for plane in (scene.unit_features, scene.automatic))
    most, total = np.zeros((2, len(cells), 1), np.float32)
    wanted, typical = np.zeros((2, *automatic.shape), np.float32)
    low, high = _KIND
    for part in _parts(points):
        alike = ((_cosines(cells, unit[part]) - low) / (high - low)).clip(0, 1) * points.weights[part]
        width = points.reaches[part] ** -2  # a kind has no distance in place: its reach is in colors and L*
        alike *= np.exp(_squares(automatic, hinted[part]) * width * np.float32(-0.5 / _KIND_COLORS**2))
        alike *= np.exp((levels - points.luminance[part]) ** 2 * width * np.float32(-0.5 / _KIND_LEVELS**2))
        mean = alike.T @ automatic / np.maximum(alike.sum(0), np.float32(1e-6))[:, None]
        most = np.maximum(most, alike.max(-1, keepdims=True))
        total += alike.sum(-1, keepdims=True)
        wanted += alike @ points.ab[part]
        typical += alike @ mean
    shift = (wanted - np.float32(_KEPT) * typical) / np.maximum(total, np.float32(1e-6))
    change: Float = most * (shift - np.float32(1 - _KEPT) * automatic)
    return change.reshape(scene.automatic.shape)


# --- a contradiction stays with its object ------------------------------------------------------


def belonging(scene: Scene, points: Points, weights: Float) -> Float:
    """(h, w) 0..1: how far each cell is of the thing of one of the points, times that one's weight (n,)."""
    cells, colors = _listed(scene.unit_features), _listed(scene.automatic)
    unit, automatic = (sample(plane, points.places) for plane in (scene.unit_features, scene.automatic))
    most = np.zeros(len(cells), np.float32)
    for part in _parts(points):
        chunk = _chunk(points, part)
        (near,) = kernels(scene.cells, chunk, (_AFFINITY,), chunk.reaches**-2)
        same = _same_colors(colors, automatic[part])
        belongs = _belonging(near, _cosines(cells, unit[part]), same)
        most = np.maximum(most, (belongs * weights[part]).max(-1))
    return most.reshape(scene.cells.shape)


def _belonging(near: Float, cosine: Float, same_colors: Float) -> Float:
    """(m, n) 0..1: of places and hints that are near, alike to the network and of one automatic color."""
    alike = cosine - np.float32(_LIKENESS[0])
    alike *= np.float32(_LIFT / (_LIKENESS[1] - _LIKENESS[0]))
    alike = alike.clip(0, _LIFT)
    alike *= near
    alike *= same_colors
    return np.asarray(np.minimum(1, alike))


class Locality:
    """How much of the hints' effect each cell keeps: all on a hint's object, and where no hint surprises."""

    def __init__(self, count: int):
        self.belongs, self.surprise, self.weight = np.zeros((3, count), np.float32)

    def add(self, belongs: Float, wide: Float, surprises: Float, weights: Float) -> None:
        """What belongs to hints, what is near them, their surprise there (m or 1, n); their weight (n,)."""
        self.belongs = np.maximum(self.belongs, (belongs * weights).max(-1))
        wide = wide * weights + np.float32(1e-4)
        self.surprise += np.einsum("mn,mn->m", wide, np.broadcast_to(surprises, wide.shape))
        self.weight += wide.sum(-1)

    def kept(self) -> Float:
        """(m,) in 0..1."""
        kept: Float = 1 - self.surprise / self.weight * (1 - self.belongs)
        return kept


def _surprises(automatic: Float, ab: Float) -> Float:
    """(n,) in 0..1: how much each hint contradicts the automatic color of its place."""
    distance = np.hypot(*(automatic - ab).T)
    share: Float = ((distance - _SURPRISE[0]) / (_SURPRISE[1] - _SURPRISE[0])).clip(0, 1).astype(np.float32)
    return share


# --- a hint's own reach --------------------------------------------------------------------------


class _Stretched(NamedTuple):
    scale: Float | float  # of squared distances
    factor: Float | float  # of correlations


def _stretched(here: Float, there: Float) -> _Stretched:
    """How places whose reaches are `here` (m, 1) and `there` (n,) correlate; 1 where all have the usual one.

    The covariance of Gibbs (1997; Rasmussen & Williams 2006, "Gaussian Processes for Machine Learning", eq.
    4.32) in two dimensions: positive definite however reaches differ.
    """
    if (there == 1).all() and (here == 1).all():
        return _Stretched(1.0, 1.0)
    scale = np.asarray(2 / (here * here + there * there), np.float32)
    return _Stretched(scale, scale * here * there)


def _reaches_of_cells(scene: Scene, points: Points) -> Float:
    """(h·w, 1): the hints' own reaches between their places, mixed by nearness (Shepard 1968)."""
    count = scene.cells.size
    if (points.reaches == 1).all():
        return np.ones((count, 1), np.float32)
    total, logs = np.zeros((2, count), np.float32)
    for part in _parts(points):
        near = (squared_distances(scene.cells.shape, _chunk(points, part)) + 1) ** -2
        total += near.sum(-1)
        logs += near @ np.log(points.reaches[part])
    mixed: Float = np.exp(logs / total)[:, None]
    return mixed


def _with_short_reach(scene: Scene, points: Points, surprises: Float) -> Float:
    """(m or 1, n): how far the hints' effect is undone beyond their things.

    A hint whose reach was shortened tells nothing of places beyond it, however well it agrees.
    """
    if points.reaches.min() >= 1:
        return surprises[None]
    (near,) = kernels(scene.cells, points, ((_SCENE[0], np.inf),))
    heard: Float = near ** (np.minimum(points.reaches, 1) ** -2 - 1)
    return 1 - heard * (1 - surprises)
