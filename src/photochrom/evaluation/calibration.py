"""Do the probabilities mean what they say? Confidence against hits, entropy against error.

Sums are kept by photo, so that photos can be resampled and pooled afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from photochrom.color import rgb_to_lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.evaluation.metrics import RGB, Plane
    from photochrom.evaluation.predictors import Distribution

GROUPS = 15  # of confidence, equally wide (Guo et al. 2017)
_LEVELS = 20  # of entropy, equally wide


def nearest_bin(ab: NDArray[Any], bins: NDArray[Any]) -> NDArray[np.int64]:
    """Index of the nearest of bins (Q, 2) for every ab (..., 2)."""
    flat = np.asarray(ab, np.float32).reshape(-1, 2)
    squared = (bins**2).sum(axis=1)[None] - 2 * flat @ np.asarray(bins, np.float32).T
    return np.asarray(squared.argmin(axis=1).reshape(ab.shape[:-1]), np.int64)


def _reduce_ab(picture: RGB, size: tuple[int, int]) -> NDArray[np.float32]:
    """ab (h, w, 2) of a picture, area-averaged to size (h, w)."""
    ab = np.ascontiguousarray(rgb_to_lab(picture)[..., 1:])
    return np.asarray(cv2.resize(ab, size[::-1], interpolation=cv2.INTER_AREA), np.float32)


def confidence_sums(distribution: Distribution, truth: RGB) -> NDArray[np.float64]:
    """(GROUPS, 3) of one photo: places, summed confidence, summed hits, by group of confidence.

    Confidence is the top bin's probability; a hit is a top bin that is the nearest to the truth's ab,
    area-averaged to the model's stride.
    """
    probabilities, bins = distribution
    true_bin = nearest_bin(_reduce_ab(truth, probabilities.shape[1:]), bins)
    confidence = probabilities.max(axis=0)
    hit = probabilities.argmax(axis=0) == true_bin
    group = np.clip((confidence * GROUPS).astype(int), 0, GROUPS - 1)
    return _sums(group, GROUPS, confidence, hit)


def entropy_sums(distribution: Distribution, picture: RGB, truth: RGB) -> NDArray[np.float64]:
    """(_LEVELS, 2) of one photo: places and summed ab error of the picture, by level of entropy 0..1."""
    entropy = normalized_entropy(distribution.probabilities)
    size = (entropy.shape[0], entropy.shape[1])
    error = np.hypot(*np.moveaxis(_reduce_ab(picture, size) - _reduce_ab(truth, size), -1, 0))
    level = np.clip((entropy * _LEVELS).astype(int), 0, _LEVELS - 1)
    return _sums(level, _LEVELS, error)


def normalized_entropy(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Entropy of (Q, h, w) over log Q: 0 sure, 1 no idea."""
    p = np.maximum(np.asarray(probabilities, np.float64), 1e-12)
    return np.asarray(-(p * np.log(p)).sum(axis=0) / np.log(len(p)))


def _sums(group: NDArray[np.int64], groups: int, *values: NDArray[Any]) -> NDArray[np.float64]:
    flat = group.ravel()
    counts = np.bincount(flat, minlength=groups)
    sums = [np.bincount(flat, np.asarray(value, np.float64).ravel(), minlength=groups) for value in values]
    return np.stack([counts, *sums], axis=-1).astype(np.float64)


def expected_calibration_error(sums: NDArray[Any]) -> NDArray[np.float64]:
    """Σ over groups of share · |hits − confidence|, of sums or means (..., GROUPS · 3)."""
    table = np.reshape(sums, (*np.shape(sums)[:-1], GROUPS, 3))
    places, confidence, hits = np.moveaxis(table, -1, 0)
    return np.asarray(np.abs(hits - confidence).sum(axis=-1) / places.sum(axis=-1))


def reliability_sums(
    confidence: NDArray[Any], entropy: NDArray[Any]
) -> tuple[tuple[Plane, Plane, Plane], list[float], list[float]]:
    """What the diagrams show, of `confidence_sums` and `entropy_sums` added up over photos.

    (mean confidence, share of hits, share of places) of each group; the levels of entropy that hold at least
    one place in a thousand, 0..1, and the mean error there.
    """
    places, told, hits = np.reshape(confidence, (GROUPS, 3)).T
    counts, errors = np.reshape(entropy, (_LEVELS, 2)).T
    kept = np.flatnonzero(counts >= 1e-3 * counts.sum())
    some = np.maximum(places, 1)
    diagram = told / some, hits / some, places / places.sum()
    return diagram, ((kept + 0.5) / _LEVELS).tolist(), (errors[kept] / counts[kept]).tolist()
