"""The same scene twice: a geometry found from features, refined and checked on the luminance itself.

The reference is warped onto the photo; patches are moved to where their luminance correlates best
(zero-mean normalized cross-correlation), an affine map is fitted to the moves, and a place counts as
found again only where the luminance around it then agrees.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Float
    from photochrom.guidance.matching import Similarity

_STEP = 16  # px of the working size between the patches that are compared
MOST = 70  # hints: more cost more time than they add
_PATCH = 8  # half a patch's side
_ROUNDS = (12, 4)  # px that a patch may move in each round
_TEXTURE = 2.0  # L*: standard deviation above which a patch can be located
_AGREE = 0.6  # correlation from which a located patch counts as the same thing
_SANE = 1.01  # correlations beyond it come from a window without texture
_SHAPES = 0.35  # correlation of blurred luminance under which two photos are not the same scene
_LEVEL = 5.0  # L*: difference up to which a plain patch does


class Aligned(NamedTuple):
    """A reference laid over the photo."""

    places: NDArray[np.int64]  # (n, 2): y, x where the scene is found again
    ab: Float  # (n, 2), the reference's color there
    confidence: Float  # (n,) 0..1


def align(luminance: Float, reference: Float, lab_ab: Float, guess: Similarity) -> Aligned | None:
    """Lay the reference (L* (h', w'), ab (h', w', 2)) over the photo (L* (h, w)); None if it does not fit."""
    matrix = guess.matrix()
    grid = _grid(luminance.shape)
    grid = grid[_deviation(luminance)[grid[:, 0], grid[:, 1]] > _TEXTURE]
    for reach in _ROUNDS:
        warped, inside = _warp(reference, matrix, luminance.shape)
        if not _alike(luminance, warped, inside):
            return None
        refined = _refine(luminance, warped, inside, matrix, grid, reach)
        if refined is None:
            return None
        matrix = refined
    warped, inside = _warp(reference, matrix, luminance.shape)
    colors, _ = _warp(cv2.blur(lab_ab, (3, 3)), matrix, luminance.shape)
    step = max(_STEP, math.ceil(math.sqrt(luminance.size / MOST)))
    return _judge(luminance, warped, inside, colors, _grid(luminance.shape, step))


def _grid(shape: tuple[int, ...], step: int = _STEP) -> NDArray[np.int64]:
    """(n, 2) y, x: the centers of squares of `step` px."""
    rows, columns = (np.arange(step // 2, side, step) for side in shape)
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)


def _warp(plane: Float, matrix: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[Any, NDArray[np.bool_]]:
    """The reference's plane as seen from the photo, and where it is defined."""
    # Pixel centers lie at .5 in our coordinates, at 0 in OpenCV's.
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (shape[1], shape[0])
    warped = cv2.warpAffine(plane, shifted, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    whole = np.ones(plane.shape[:2], np.uint8)
    inside = cv2.warpAffine(whole, shifted, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return warped, inside > 0


def _alike(luminance: Float, warped: Float, inside: NDArray[np.bool_]) -> bool:
    """Whether the large shapes go together: a quick look that spares most of the work on other scenes."""
    first, second = (cv2.blur(plane, (17, 17))[inside] for plane in (luminance, warped))
    if first.size < 16 * _STEP * _STEP / 4 or min(first.std(), second.std()) < 1e-3:
        return False
    return bool(np.corrcoef(first, second)[0, 1] > _SHAPES)


def _refine(
    luminance: Float,
    warped: Float,
    inside: NDArray[np.bool_],
    matrix: NDArray[np.float64],
    grid: NDArray[np.int64],
    reach: int,
) -> NDArray[np.float64] | None:
    """The matrix corrected by an affine map fitted to the patches' moves; None if too few can be located."""
    moves = [
        (y, x, *move)
        for y, x in grid.tolist()
        if (move := _move(luminance, warped, inside, y, x, reach)) is not None
    ]
    if len(moves) < 5:
        return None
    table = np.array(moves, np.float64)
    from_ = table[:, 1::-1] + 0.5
    to = from_ + table[:, 3:1:-1]
    tolerance = max(1.5, reach / 4)
    fitted, kept = cv2.estimateAffine2D(from_, to, method=cv2.RANSAC, ransacReprojThreshold=tolerance)
    if fitted is None or kept.sum() < max(5, 0.3 * len(moves)) or abs(np.linalg.det(fitted[:, :2]) - 1) > 0.5:
        return None
    full = matrix @ np.vstack([fitted, [0, 0, 1]])
    return cast("NDArray[np.float64]", full)


def _deviation(plane: Float) -> Float:
    """(h, w): the standard deviation over the patch around each pixel."""
    size = (2 * _PATCH + 1, 2 * _PATCH + 1)
    mean = cv2.blur(plane, size)
    deviation: Float = cv2.sqrt((cv2.blur(plane * plane, size) - mean * mean).clip(0))
    return deviation


def _move(
    luminance: Float, warped: Float, inside: NDArray[np.bool_], y: int, x: int, reach: int
) -> tuple[float, float] | None:
    """(dy, dx) by which the patch's likeness lies away in the warped reference, if it can be told."""
    half, far = _PATCH, _PATCH + reach
    height, width = luminance.shape
    if not (far <= y < height - far and far <= x < width - far):
        return None
    if not inside[y - far : y + far + 1 : far, x - far : x + far + 1 : far].all():
        return None
    patch = luminance[y - half : y + half + 1, x - half : x + half + 1]
    around = warped[y - far : y + far + 1, x - far : x + far + 1]
    scores = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
    _, best, _, (column, row) = cv2.minMaxLoc(scores)
    return (float(row - reach), float(column - reach)) if _AGREE < best <= _SANE else None


def _judge(
    luminance: Float, warped: Float, inside: NDArray[np.bool_], colors: Float, grid: NDArray[np.int64]
) -> Aligned | None:
    """The places where the luminance agrees; None unless most of those that can be told do."""
    correlation, texture = _correlation(luminance, warped)
    known = inside[grid[:, 0], grid[:, 1]]
    at = grid[known]
    score, rough = correlation[at[:, 0], at[:, 1]], texture[at[:, 0], at[:, 1]] > _TEXTURE
    if rough.sum() < 6 or (score[rough] > _AGREE).mean() < 0.5:
        return None
    level = cv2.blur(luminance - warped, (9, 9))[at[:, 0], at[:, 1]]
    level = level - np.median(level)
    good = np.where(rough, score > _AGREE, np.abs(level) < _LEVEL)
    confidence = np.where(rough, score, 0.8).astype(np.float32).clip(0, 1)
    return Aligned(at[good], colors[at[good, 0], at[good, 1]], confidence[good])


def _correlation(first: Float, second: Float) -> tuple[Float, Float]:
    """Local zero-mean correlation of two planes, and the lesser of their local standard deviations."""

    def mean(plane: Float) -> Float:
        return cast("Float", cv2.blur(plane, (2 * _PATCH + 1, 2 * _PATCH + 1)))

    mean_1, mean_2 = mean(first), mean(second)
    variance_1 = (mean(first * first) - mean_1 * mean_1).clip(1e-3)
    variance_2 = (mean(second * second) - mean_2 * mean_2).clip(1e-3)
    covariance = mean(first * second) - mean_1 * mean_2
    return covariance / np.sqrt(variance_1 * variance_2), np.sqrt(np.minimum(variance_1, variance_2))
