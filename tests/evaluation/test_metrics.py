"""Each figure against scikit-image, plain numpy or a value worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

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


# Sharma, Wu & Dalal (2005), Table 1: the pairs that catch wrong hue means, wrong quadrants, greys.
PUBLISHED = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, 2.8361, -74.0200), (50.0, 0.0, -82.7485), 3.4412),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, -0.0010, 2.4900), (50.0, 0.0009, -2.4900), 4.8045),
    ((50.0, -0.0010, 2.4900), (50.0, 0.0011, -2.4900), 4.7461),
    ((50.0, 2.5000, 0.0), (50.0, 0.0, -2.5000), 4.3065),
    ((50.0, 2.5000, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5000, 0.0), (61.0, -5.0, 29.0), 22.8977),
    ((50.0, 2.5000, 0.0), (56.0, -27.0, -3.0), 31.9030),
    ((50.0, 2.5000, 0.0), (58.0, 24.0, 15.0), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), PUBLISHED)
def test_ciede2000_of_the_published_pairs(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    assert float(metrics.ciede2000(np.array(first), np.array(second))) == pytest.approx(expected, abs=6e-5)
    pictures = (np.full((4, 6, 3), lab, np.float32) for lab in (first, second))
    assert metrics.ciede2000(*pictures).shape == (4, 6)


def plain_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al. (2004), literally: one Gaussian window of 11 px around each pixel that has room for it."""
    place = np.arange(-5, 6)
    bell = np.exp(-(place**2) / (2 * 1.5**2))
    window = np.outer(bell, bell) / bell.sum() ** 2
    found = []
    for row in range(5, x.shape[0] - 5):
        for column in range(5, x.shape[1] - 5):
            part = np.s_[row - 5 : row + 6, column - 5 : column + 6]
            a, b = x[part], y[part]
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            covariance = (window * (a - mean_a) * (b - mean_b)).sum()
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
            found.append(top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))
    return float(np.mean(found))


def test_ssim_is_the_published_formula() -> None:
    a, b = np.random.default_rng(0).integers(0, 256, (2, 16, 18, 3), dtype=np.uint8)
    b = a // 2 + b // 2
    expected = np.mean([plain_ssim(*(one[..., n].astype(float) for one in (a, b))) for n in range(3)])
    assert metrics.ssim(a, b) == pytest.approx(expected, abs=1e-6)


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
