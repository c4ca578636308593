"""Are two sets of pictures alike? On features (n, d) of real and colored photos, in numpy.

`_frechet` is the distance behind FID (Heusel et al. 2017), `two_sample_hits` the classifier
two-sample test (Lopez-Paz & Oquab 2017): a machine's fooling rate.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from photochrom.errors import MissingExtra
from photochrom.evaluation.statistics import Interval, centered

Features = NDArray[np.floating[Any]]

_FOLDS = 5
RESAMPLES = 100  # of a Fréchet distance: each costs a singular value decomposition
_INVERSE_REGULARIZATION = 0.01
SEED = 0


def _frechet(first: Features, second: Features) -> float:
    """|μ1 − μ2|² + tr(Σ1 + Σ2 − 2·(Σ1Σ2)^½) of two feature sets.

    With centered rows A, B scaled so that Σ1 = AᵀA and Σ2 = BᵀB, the last trace is the sum of the
    singular values of A·Bᵀ: exact, and n × n instead of d × d.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    shift = a.mean(axis=0) - b.mean(axis=0)
    a, b = _rows(a), _rows(b)
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(shift @ shift + (a * a).sum() + (b * b).sum() - 2 * shared)


def _rows(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centered rows whose Gram matrix is the sample covariance."""
    centered_rows = features - features.mean(axis=0)
    if len(features) > features.shape[1]:  # fewer rows of the same Gram matrix: cheaper below
        centered_rows = np.linalg.qr(centered_rows, mode="r")
    return np.asarray(centered_rows / np.sqrt(max(1, len(features) - 1)))


def frechet_interval(real: Features, colored: Features) -> Interval:
    """`_frechet` with the spread of 100 resamples of photos, moved to the estimate (they are biased)."""
    rng = np.random.default_rng(SEED)
    picks = (rng.integers(0, len(real), len(real)) for _ in range(RESAMPLES))
    resampled = np.array([_frechet(real[pick], colored[pick]) for pick in picks])
    return centered(_frechet(real, colored), resampled, len(real))


def two_sample_hits(real: Features, colored: Features) -> NDArray[np.float64]:
    """(n,) per photo: share of its two pictures that a classifier trained on other photos tells rightly.

    Logistic regression on standardized features, 5 folds split by photo. The mean is the accuracy:
    0.5 = it cannot tell. Raises MissingExtra without scikit-learn.
    """
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        raise MissingExtra("c2st_effnet", "eval") from None
    n = len(real)
    fold = np.random.default_rng(SEED).permutation(n) % _FOLDS
    hits = np.empty(n)
    for number in range(_FOLDS):
        held, kept = fold == number, fold != number
        model = make_pipeline(StandardScaler(), LogisticRegression(C=_INVERSE_REGULARIZATION, max_iter=1000))
        labels = np.repeat([0, 1], kept.sum())
        model.fit(np.concatenate([real[kept], colored[kept]]).astype(np.float64), labels)
        says_real, says_colored = model.predict(real[held]) == 0, model.predict(colored[held]) == 1
        hits[held] = (says_real.astype(float) + says_colored) / 2
    return hits
