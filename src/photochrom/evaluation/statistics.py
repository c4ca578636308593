"""Averages over photos and their bootstrap 95 % intervals.

Every statistic here is a function of the means of some columns (one row a photo), so one set of
resampled photos serves them all, and models are compared on the same resamples (paired).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.float64]

RESAMPLES = 2000
SEED = 20160328  # any fixed number; this is the date of Zhang et al.'s preprint
LEVEL = 0.95


class Interval(NamedTuple):
    """A statistic, its bootstrap 95 % interval, and how many photos it rests on."""

    mean: float
    low: float
    high: float
    n: int


def first_column(means: Columns) -> Columns:
    """The plain average: the combination that most metrics use."""
    return means[..., 0]


def ratio(means: Columns) -> Columns:
    """First column's mean over the second's; 0 where both are 0."""
    bottom = means[..., 1]
    return np.asarray(np.divide(means[..., 0], bottom, out=np.zeros_like(bottom), where=bottom != 0))


def gap(means: Columns) -> Columns:
    """|mean of the first column − mean of the second|."""
    return np.asarray(np.abs(means[..., 0] - means[..., 1]))


def at_colorfulness(share: float) -> Combine:
    """The gain at which colorfulness reaches `share` of the truth's, between the vividnesses measured.

    Takes means of (truth's colorfulness, gains at rising vividness, colorfulness at the same), interpolates
    linearly, and gives NaN where no vividness reaches the share.
    """

    def combine(means: Columns) -> Columns:
        flat = np.atleast_2d(means)
        steps = flat.shape[1] // 2
        gains, shares = flat[:, 1 : steps + 1], flat[:, steps + 1 :] / flat[:, :1]
        found = [_interpolated(*row, share) for row in zip(shares, gains, strict=True)]
        return np.array(found).reshape(means.shape[:-1])

    return combine


def _interpolated(shares: Columns, gains: Columns, share: float) -> float:
    for (x0, x1), (y0, y1) in zip(pairwise(shares), pairwise(gains), strict=True):
        if min(x0, x1) <= share <= max(x0, x1):
            return float(y0 if x0 == x1 else y0 + (y1 - y0) * (share - x0) / (x1 - x0))
    return float("nan")


Combine = Callable[[Columns], Columns]


def bootstrap(columns: NDArray[Any], combine: Combine = first_column) -> Interval:
    """The statistic `combine(means of columns)` of (n,) or (n, k) rows, over those without NaN.

    Percentile interval over 2000 resamples of photos, fixed seed. One photo gives an interval of
    no width; none gives NaN with n = 0.
    """
    rows = np.asarray(columns, np.float64)
    rows = rows.reshape(len(rows), -1)
    rows = rows[~np.isnan(rows).any(axis=1)]
    if len(rows) == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    center = float(combine(rows.mean(axis=0)))
    if np.isnan(center):  # a gain at a colorfulness that the model never comes near
        return Interval(np.nan, np.nan, np.nan, len(rows))
    means = np.concatenate([counts @ rows / len(rows) for counts in _resample_counts(len(rows))])
    tail = 50 * (1 - LEVEL)
    low, high = np.nanpercentile(combine(means), [tail, 100 - tail])
    return Interval(center, float(low), float(high), len(rows))


def _resample_counts(n: int, resamples: int = RESAMPLES) -> Iterator[NDArray[np.float64]]:
    """How often each of n photos is drawn, (chunk, n) at a time, the same at every call."""
    if n <= 2000:
        yield _counts(n, resamples)
        return
    rng = np.random.default_rng([SEED, n])
    for _ in range(0, resamples, 50):
        yield _draw(rng, n, 50)


@lru_cache(maxsize=16)
def _counts(n: int, resamples: int) -> NDArray[np.float64]:
    return _draw(np.random.default_rng([SEED, n]), n, resamples)


def _draw(rng: np.random.Generator, n: int, resamples: int) -> NDArray[np.float64]:
    """Sampling n photos with replacement is one multinomial draw of their counts."""
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)


def centered(estimate: float, resampled: NDArray[np.float64], n: int) -> Interval:
    """Interval of a statistic that resampling biases: its spread, moved to the estimate.

    Doubled photos make a Fréchet distance larger; the spread is right, the place is not.
    """
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(resampled, [tail, 100 - tail]) - resampled.mean()
    return Interval(estimate, float(estimate + low), float(estimate + high), n)
