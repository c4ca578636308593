"""Figures of one picture against its truth, as pure functions.

Pictures are (H, W, 3) uint8 sRGB, planes of CIELAB are float; definitions: docs/evaluation.md.
Averages over photos and their intervals are made in `statistics`, never here.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from photochrom.color import luminance_table, rgb_to_lab
from photochrom.errors import MissingExtra

RGB = NDArray[np.uint8]
Plane = NDArray[np.float64]

_AUC_LIMIT = 150  # ab distance at which Zhang et al. (2016) end their curve


def mse(picture: RGB, truth: RGB) -> float:
    """Mean squared error over all pixels and channels, in 8-bit steps squared."""
    difference = picture.astype(np.float64) - truth
    return float(np.mean(difference * difference))


def psnr(picture: RGB, truth: RGB, floor: float = 0.0) -> float:
    """10·log10(255² / MSE) in dB; infinite for identical pictures unless `floor` bounds the MSE.

    `floor` is in units of (0..1)²: the published iColoriT figures use 1e-5.
    """
    error = max(mse(picture, truth) / 255**2, floor)
    return math.inf if error == 0 else -10 * math.log10(error)


def colorfulness(picture: RGB) -> float:
    """Hasler & Süsstrunk's (2003) M3 with signed opponents, 0 (grey) to about 110 (`cf_hs`)."""
    red_green, yellow_blue = _opponents(picture)
    return _m3(red_green, yellow_blue)


def colorfulness_absolute(picture: RGB) -> float:
    """The variant with absolute opponents that several repositories use (`cf_abs`)."""
    red_green, yellow_blue = _opponents(picture)
    return _m3(np.abs(red_green), np.abs(yellow_blue))


def _opponents(picture: RGB) -> tuple[Plane, Plane]:
    red, green, blue = np.moveaxis(picture.astype(np.float64), -1, 0)
    return red - green, (red + green) / 2 - blue


def _m3(red_green: Plane, yellow_blue: Plane) -> float:
    deviation = math.hypot(red_green.std(), yellow_blue.std())
    return deviation + 0.3 * math.hypot(red_green.mean(), yellow_blue.mean())


def ab_error(picture: NDArray[Any], truth: NDArray[Any]) -> Plane:
    """Euclidean distance in ab between CIELAB pictures (..., 3)."""
    difference = np.asarray(picture[..., 1:] - truth[..., 1:], np.float64)
    return np.asarray(np.hypot(difference[..., 0], difference[..., 1]))


def auc_scores(error: Plane) -> Plane:
    """Each pixel's part, 0..1, of the area under the share of pixels with error ≤ t, t = 0…150.

    The mean of these over pixels is the trapezoid area over the 151 integer thresholds divided by
    150 (Zhang et al. 2016); kept by pixel so that any weighting can follow.
    """
    first = np.ceil(error)  # the first threshold that takes the pixel in
    area = np.maximum(_AUC_LIMIT + 0.5 - first, 0)
    return np.where(first <= 0, _AUC_LIMIT, area) / _AUC_LIMIT


class _BinnedScores(NamedTuple):
    """Sums of `auc_scores` by the pixel's true ab bin, for weighting by any prior afterwards."""

    scores: Plane  # (Q,)
    counts: Plane  # (Q,)


def binned_auc(scores: Plane, bin_of_pixel: NDArray[np.integer[Any]], bins: int) -> _BinnedScores:
    """Sum the scores of each true bin."""
    flat = bin_of_pixel.ravel()
    return _BinnedScores(
        np.bincount(flat, scores.ravel(), minlength=bins).astype(np.float64),
        np.bincount(flat, minlength=bins).astype(np.float64),
    )


def ciede2000(first: NDArray[Any], second: NDArray[Any]) -> Plane:
    """ΔE2000 (...) between CIELAB colors (..., 3), by scikit-image. Raises MissingExtra without it."""
    try:
        from skimage.color import deltaE_ciede2000
    except ModuleNotFoundError:
        raise MissingExtra("measuring pictures", "eval") from None
    return np.asarray(deltaE_ciede2000(np.asarray(first, np.float64), np.asarray(second, np.float64)))


def ssim(picture: RGB, truth: RGB) -> float:
    """Structural similarity (Wang et al. 2004), mean of the three channels, data range 255, by scikit-image.

    Gaussian window σ 1.5 of 11 px, population covariance, borders of 5 px left out.
    """
    from skimage.metrics import structural_similarity

    settings = {
        "channel_axis": 2,
        "gaussian_weights": True,
        "use_sample_covariance": False,
        "data_range": 255,
    }
    return float(structural_similarity(picture, truth, **settings))


def dark_plum(lab: NDArray[Any]) -> float:
    """Percent of the pixels of CIELAB (H, W, 3) that are dark and plum (`dark_plum`).

    L* < 50, a hue angle from −75° to 10° and a chroma above 6: what doubt makes of dark cloth. Real reds
    are among them, so the truth's own share stands beside it.
    """
    lightness, a, b = np.moveaxis(lab, -1, 0)
    hue = np.degrees(np.arctan2(b, a))
    plum = (lightness < 50) & (hue >= -75) & (hue <= 10) & (np.hypot(a, b) > 6)
    return float(100 * plum.mean())


class _LumaError(NamedTuple):
    """|L* of the picture − L* of the grey it was made from|, in L* units (`luma_error`)."""

    highest: float
    mean: float
    steps: float  # highest, in 8-bit steps of the grey at its place


def luma_error(picture: RGB, grey: NDArray[np.uint8]) -> _LumaError:
    """How far the luminance moved; 0.5 steps is the promise."""
    table = luminance_table(256).astype(np.float64)
    difference = np.abs(rgb_to_lab(picture)[..., 0].astype(np.float64) - table[grey])
    step = np.diff(table)[np.minimum(grey, 254)]
    return _LumaError(float(difference.max()), float(difference.mean()), float((difference / step).max()))
