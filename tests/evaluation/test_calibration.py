"""Confidence against hits, entropy against error, on distributions made to order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.color import ab_bins, rgb_to_lab
from photochrom.evaluation import calibration
from photochrom.evaluation.measure import _true_bins
from photochrom.evaluation.predictors import Distribution

BINS = ab_bins()


def flat(ab: tuple[float, float], side: int = 32) -> np.ndarray:
    from photochrom.color import lab_to_rgb, quantize

    return np.tile(quantize(lab_to_rgb(np.array([60.0, *ab]))), (side, side, 1))


def certain(index: int, confidence: float, side: int = 8) -> Distribution:
    probabilities = np.full((len(BINS), side, side), (1 - confidence) / (len(BINS) - 1), np.float32)
    probabilities[index] = confidence
    return Distribution(probabilities, BINS)


def index_of(ab: tuple[float, float]) -> int:
    return int(np.flatnonzero((ab == BINS).all(axis=1))[0])


def test_nearest_bin_by_brute_force() -> None:
    ab = np.random.default_rng(0).uniform(-90, 90, (50, 2))
    expected = [int(np.hypot(*(BINS - one).T).argmin()) for one in ab]
    assert calibration.nearest_bin(ab, BINS).tolist() == expected


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_the_table_of_bins_finds_the_nearest_one(red: int, green: int, blue: int) -> None:
    ab = rgb_to_lab(np.array([[red, green, blue]], np.uint8))[:, 1:]
    mine = BINS[_true_bins(ab)[0]]
    best = np.hypot(*(BINS - ab[0]).T).min()
    assert np.hypot(*(mine - ab[0])) <= best + 4  # at the gamut's edge the grid point stands for its square
    if best < 5:
        assert np.hypot(*(mine - ab[0])) == pytest.approx(best, abs=1e-3) or best > 4.9


def test_right_and_sure_wrong_and_sure() -> None:
    truth = flat((20, 30))
    right = calibration.confidence_sums(certain(index_of((20, 30)), 0.9), truth)
    wrong = calibration.confidence_sums(certain(index_of((-20, 30)), 0.9), truth)
    assert calibration.expected_calibration_error(right.reshape(-1)) == pytest.approx(0.1, abs=1e-5)
    assert calibration.expected_calibration_error(wrong.reshape(-1)) == pytest.approx(0.9, abs=1e-5)
    assert right[:, 0].sum() == 64


def test_one_who_is_right_as_often_as_it_says_is_calibrated() -> None:
    rng = np.random.default_rng(1)
    sums = np.zeros((calibration.GROUPS, 3))
    truths = [flat((20, 30)), flat((-20, 30))]
    for _ in range(300):
        confidence = rng.uniform(0.3, 1)
        hit = rng.random() < confidence
        sums += calibration.confidence_sums(
            certain(index_of((20, 30)), confidence, 1), truths[0 if hit else 1]
        )
    assert calibration.expected_calibration_error(sums.reshape(-1)) < 0.07


def test_the_error_is_of_groups_not_of_places() -> None:
    """Guo et al.'s definition, literally, on random sums."""
    rng = np.random.default_rng(2)
    places = rng.integers(1, 50, calibration.GROUPS)
    confidence, hits = rng.uniform(0, places), rng.uniform(0, places)
    expected = sum(
        n / places.sum() * abs(h / n - c / n) for n, c, h in zip(places, confidence, hits, strict=True)
    )
    sums = np.stack([places, confidence, hits], axis=-1)
    assert calibration.expected_calibration_error(sums.reshape(-1)) == pytest.approx(expected)


def test_entropy_is_0_when_sure_and_1_when_not() -> None:
    assert calibration.normalized_entropy(certain(5, 1.0).probabilities).max() < 1e-6
    even = np.full((len(BINS), 2, 2), 1 / len(BINS), np.float32)
    np.testing.assert_allclose(calibration.normalized_entropy(even), 1, atol=1e-6)


def test_entropy_sums_hold_every_place_and_its_error() -> None:
    truth, picture = flat((20, 30)), flat((20, 0))
    sums = calibration.entropy_sums(certain(5, 0.5), picture, truth)
    assert sums[:, 0].sum() == 64
    assert sums[:, 1].sum() / 64 == pytest.approx(30, abs=0.7)


def test_reduction_is_by_area() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:, :2] = (200, 30, 30)
    ab = rgb_to_lab(picture)[..., 1:]
    reduced = calibration._reduce_ab(picture, (2, 1))
    np.testing.assert_allclose(reduced[0, 0], ab.mean(axis=(0, 1)), atol=1e-3)
