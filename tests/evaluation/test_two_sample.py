"""Fréchet distance and the classifier test against closed forms, scipy and made-up sets."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from skimage import data

from photochrom.errors import MissingExtra
from photochrom.evaluation.two_sample import _frechet, frechet_interval, two_sample_hits


@pytest.mark.parametrize(("n", "d"), [(60, 8), (20, 50), (30, 30)])
def test_frechet_is_the_textbooks(n: int, d: int) -> None:
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(n, d)), rng.normal(0.3, 1.4, size=(n, d))
    covariances = np.cov(a.T), np.cov(b.T)
    shift = a.mean(axis=0) - b.mean(axis=0)
    product = covariances[0] @ covariances[1] + 1e-12 * np.eye(d)
    expected = shift @ shift + np.trace(covariances[0] + covariances[1] - 2 * np.real(sqrtm(product)))
    assert _frechet(a, b) == pytest.approx(expected, rel=1e-3)


def test_frechet_of_a_shift_is_its_square() -> None:
    a = np.random.default_rng(0).normal(size=(40, 10))
    assert _frechet(a, a) == pytest.approx(0, abs=1e-9)
    assert _frechet(a, a + 2) == pytest.approx(40)
    assert _frechet(a, 3 * a) == pytest.approx(_frechet(3 * a, a))


def test_frechet_grows_with_the_distance() -> None:
    a = np.random.default_rng(0).normal(size=(40, 10))
    distances = [_frechet(a, a * (1 + step)) for step in (0, 0.2, 0.5, 1)]
    assert distances == sorted(distances)


def test_the_interval_holds_the_estimate() -> None:
    rng = np.random.default_rng(1)
    interval = frechet_interval(rng.normal(size=(40, 6)), rng.normal(0.5, 1, size=(40, 6)))
    assert interval.low < interval.mean < interval.high
    assert interval.n == 40


def test_a_classifier_cannot_tell_like_from_like() -> None:
    rng = np.random.default_rng(0)
    hits = two_sample_hits(rng.normal(size=(300, 12)), rng.normal(size=(300, 12)))
    assert hits.shape == (300,)
    assert 0.42 < hits.mean() < 0.58


def test_a_classifier_tells_what_is_plain() -> None:
    rng = np.random.default_rng(0)
    assert two_sample_hits(rng.normal(size=(100, 12)), rng.normal(4, 1, size=(100, 12))).mean() > 0.99


def test_the_same_photo_never_stands_on_both_sides_of_a_fold() -> None:
    """Real and colored copies of a photo are nearly equal: split apart, they mislead to below 50 %."""
    rng = np.random.default_rng(0)
    photos = rng.normal(size=(100, 400)) * 5
    hits = two_sample_hits(photos, photos + rng.normal(0, 1e-3, photos.shape))
    assert 0.35 < hits.mean() < 0.65


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingExtra, match=r"photochrom\[eval\]"):
        two_sample_hits(np.zeros((10, 2)), np.ones((10, 2)))


@pytest.mark.torch
def test_the_network_knows_a_cat_and_a_coffee() -> None:
    features = pytest.importorskip("photochrom.evaluation.features", exc_type=MissingExtra)
    network = features.EfficientNetFeatures()
    assert network.classify(data.chelsea()) in range(281, 286)  # ImageNet's domestic cats
    assert network.classify(data.coffee()) == 967  # espresso
    pooled = network(data.coffee())
    assert pooled.shape == (1280,)
    assert (pooled >= 0).all()
    assert (pooled == network(data.coffee())).all()
