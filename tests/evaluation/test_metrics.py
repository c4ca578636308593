"""Each figure against scikit-image, plain numpy or a value worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from photochrom.color import merge, neutralize, rgb_to_lab
from photochrom.evaluation import metrics

PICTURES = arrays(np.uint8, (16, 16, 3))


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.ascontiguousarray(data.astronaut()[::2, ::2])


@pytest.fixture(scope="module")
def picture(truth: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(3)
    noisy = truth.astype(np.float64) * [0.9, 1.0, 0.8] + rng.normal(0, 8, truth.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


# --- PSNR ---------------------------------------------------------------------------------------


def test_psnr_agrees_with_scikit_image(picture: np.ndarray, truth: np.ndarray) -> None:
    assert metrics.psnr(picture, truth) == pytest.approx(peak_signal_noise_ratio(truth, picture), abs=1e-9)


def test_psnr_by_hand() -> None:
    black, one = np.zeros((2, 2, 3), np.uint8), np.ones((2, 2, 3), np.uint8)
    assert metrics.psnr(one, black) == pytest.approx(20 * math.log10(255))
    assert metrics.psnr(np.full_like(one, 255), black) == pytest.approx(0)


def test_psnr_of_identical_pictures_is_infinite_or_floored(truth: np.ndarray) -> None:
    assert metrics.psnr(truth, truth) == math.inf
    assert metrics.psnr(truth, truth, floor=1e-5) == pytest.approx(50)


@given(PICTURES, st.integers(1, 60), st.integers(1, 60))
def test_psnr_falls_as_the_error_grows(picture: np.ndarray, small: int, more: int) -> None:
    truth = picture // 3  # room above for the error
    near, far = truth + np.uint8(small), truth + np.uint8(small + more)
    assert metrics.psnr(near, truth) > metrics.psnr(far, truth)


@given(PICTURES, PICTURES)
def test_psnr_does_not_care_which_is_the_truth_nor_where_pixels_are(a: np.ndarray, b: np.ndarray) -> None:
    swapped = metrics.psnr(b, a)
    assert metrics.psnr(a, b) == swapped
    assert metrics.psnr(a[::-1], b[::-1]) == pytest.approx(swapped)


# --- colorfulness ------------------------------------------------------------------------------


def test_grey_has_no_colorfulness() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    assert metrics.colorfulness(grey) == 0
    assert metrics.colorfulness_absolute(grey) == 0


def test_colorfulness_by_hand() -> None:
    # Two pixels, red (rg 255, yb 127.5) and green (rg -255, yb 127.5): σ 255 and 0, means 0 and 127.5.
    pixels = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)
    assert metrics.colorfulness(pixels) == pytest.approx(255 + 0.3 * 127.5)
    # With absolute values rg is 255 at both: no deviation at all.
    assert metrics.colorfulness_absolute(pixels) == pytest.approx(0.3 * math.hypot(255, 127.5))


def test_colorfulness_against_the_formula_in_plain_numpy(picture: np.ndarray) -> None:
    red, green, blue = (picture[..., c].astype(float).ravel() for c in range(3))
    rg, yb = red - green, 0.5 * (red + green) - blue
    expected = np.sqrt(np.var(rg) + np.var(yb)) + 0.3 * np.sqrt(np.mean(rg) ** 2 + np.mean(yb) ** 2)
    assert metrics.colorfulness(picture) == pytest.approx(expected, rel=1e-12)


@given(PICTURES)
def test_colorfulness_does_not_care_where_pixels_are(picture: np.ndarray) -> None:
    shuffled = np.random.default_rng(0).permutation(picture.reshape(-1, 3)).reshape(picture.shape)
    assert metrics.colorfulness(shuffled) == pytest.approx(metrics.colorfulness(picture), abs=1e-9)


def test_more_chroma_is_more_colorful(truth: np.ndarray) -> None:
    lab, grey = rgb_to_lab(truth), neutralize(truth)
    steps = [
        metrics.colorfulness(merge(grey, lab[..., 1:] * s, np.dtype(np.uint8))) for s in (0, 0.3, 0.6, 1)
    ]
    assert steps == sorted(steps)
    assert steps[0] < 1  # rounding alone


# --- AuC ----------------------------------------------------------------------------------------


def area_by_thresholds(error: np.ndarray, weights: np.ndarray) -> float:
    """The definition, literally: the weighted share within t for t = 0…150, trapezoid, divided by 150."""
    shares = [float((weights * (error <= t)).sum() / weights.sum()) for t in range(151)]
    return float(np.trapezoid(shares, dx=1.0)) / 150


@given(arrays(np.float64, (40,), elements=st.floats(0, 250)))
def test_auc_is_the_area_under_the_shares(error: np.ndarray) -> None:
    assert metrics.auc_scores(error).mean() == pytest.approx(
        area_by_thresholds(error, np.ones(40)), abs=1e-12
    )


@pytest.mark.parametrize(
    ("error", "score"), [(0, 1), (0.1, 149.5 / 150), (1, 149.5 / 150), (150, 0.5 / 150), (151, 0)]
)
def test_auc_by_hand(error: float, score: float) -> None:
    assert float(metrics.auc_scores(np.array([error], float))[0]) == pytest.approx(score)


def test_binned_auc_allows_any_weighting_of_bins() -> None:
    rng = np.random.default_rng(1)
    error, bins = rng.uniform(0, 200, 500), rng.integers(0, 7, 500)
    weight_of_bin = rng.uniform(0.1, 5, 7)
    binned = metrics.binned_auc(metrics.auc_scores(error), bins, 7)
    mine = (weight_of_bin * binned.scores).sum() / (weight_of_bin * binned.counts).sum()
    assert mine == pytest.approx(area_by_thresholds(error, weight_of_bin[bins]), abs=1e-12)


def test_ab_error_ignores_luminance() -> None:
    assert float(metrics.ab_error(np.array([10.0, 3, 4]), np.array([90.0, 0, 0]))) == pytest.approx(5)


# --- ΔE2000, SSIM, luminance --------------------------------------------------------------------


def test_mean_ciede2000_agrees_with_scikit_image(picture: np.ndarray, truth: np.ndarray) -> None:
    mine = metrics.mean_ciede2000(rgb_to_lab(picture), rgb_to_lab(truth))
    other = deltaE_ciede2000(rgb2lab(picture), rgb2lab(truth)).mean()
    assert mine == pytest.approx(other, rel=2e-4)  # the white points differ in the fifth digit


@settings(max_examples=20)
@given(st.integers(12, 40), st.integers(12, 40), st.integers(0, 2**32 - 1))
def test_ssim_agrees_with_scikit_image(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    b = a // 2 + b // 2
    expected = structural_similarity(
        a, b, channel_axis=2, gaussian_weights=True, use_sample_covariance=False, data_range=255
    )
    assert metrics.ssim(a, b) == pytest.approx(expected, abs=1e-9)


def test_ssim_of_identical_pictures_is_one(truth: np.ndarray) -> None:
    assert metrics.ssim(truth, truth) == pytest.approx(1)


def test_luma_error_of_a_merge_stays_within_half_a_step(truth: np.ndarray) -> None:
    grey = merge(neutralize(truth), np.zeros((*truth.shape[:2], 2), np.float32), np.dtype(np.uint8))[..., 0]
    merged = merge(grey, rgb_to_lab(truth)[..., 1:])
    error = metrics.luma_error(merged, grey)
    assert 0 < error.mean < error.highest
    assert error.steps <= 0.5


def test_luma_error_by_hand() -> None:
    grey = np.full((2, 2), 100, np.uint8)
    brighter = np.full((2, 2, 3), 101, np.uint8)
    error = metrics.luma_error(brighter, grey)
    assert error.steps == pytest.approx(1, abs=1e-3)
    assert error.highest == pytest.approx(error.mean)


def test_dark_plum_counts_dark_pixels_of_plum_hue_alone() -> None:
    lab = np.zeros((1, 10, 3))
    lab[0, :, 0] = [20, 49, 51, 30, 30, 30, 30, 30, 30, 30]
    hue = np.radians([0, -70, 0, -80, 12, 9, -30, 90, 180, -180])
    chroma = [10, 7, 10, 10, 10, 7, 5, 10, 10, 10]  # plum: the first, second and sixth
    lab[0, :, 1], lab[0, :, 2] = chroma * np.cos(hue), chroma * np.sin(hue)
    assert metrics.dark_plum(lab) == pytest.approx(30)
    assert metrics.dark_plum(lab * [1, -1, 1]) == pytest.approx(20)  # those at 180° become plum
