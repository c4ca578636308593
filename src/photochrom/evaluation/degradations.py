"""What age does to a photo, with a fixed seed: how much of the colors' gain survives it.

Each takes the truth (H, W, 3) and returns the grey (H, W) uint8 that the model is given.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from photochrom.color import merge, rgb_to_lab
from photochrom.evaluation.metrics import psnr
from photochrom.evaluation.photos import Sample, to_bytes
from photochrom.evaluation.protocols import grey_of, mixed_grey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.evaluation.metrics import RGB
    from photochrom.evaluation.predictors import Predictor

_ORTHOCHROMATIC = (0.05, 0.50, 0.45)  # weights of linear R, G, B: the film is nearly blind to red
FADED = (70, 200)  # black and white of a faded print, 8-bit
_FADE_GAMMA = 0.8
GRAIN_SIGMA, GRAIN_SIZE = 14.0, 0.6  # 8-bit steps before softening; px of softening
_BLUR_SIGMA = 1.5  # px at 256
_JPEG_QUALITY = 30

_Degradation = Callable[["RGB", np.random.Generator], "NDArray[np.uint8]"]


def orthochromatic(truth: RGB, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Grey as film before the 1920s saw it: blue skies white, red lips black."""
    return mixed_grey(truth, _ORTHOCHROMATIC)


def faded(truth: RGB, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blacks turned grey, whites dull, middle tones lifted."""
    black, white = FADED
    lifted = (grey_of(truth) / 255.0) ** _FADE_GAMMA
    return np.asarray(np.rint(black + (white - black) * lifted), np.uint8)


def _grainy(truth: RGB, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Slightly soft Gaussian grain, the same for all tones."""
    grey = grey_of(truth)
    noise = cv2.GaussianBlur(rng.normal(0, GRAIN_SIGMA, grey.shape), (0, 0), GRAIN_SIZE)
    return np.asarray(np.clip(np.rint(grey + noise), 0, 255), np.uint8)


def blurred(truth: RGB, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Out of focus."""
    return np.asarray(cv2.GaussianBlur(grey_of(truth), (0, 0), _BLUR_SIGMA), np.uint8)


def _recompressed(truth: RGB, rng: np.random.Generator) -> NDArray[np.uint8]:
    """JPEG at quality 30."""
    stored = io.BytesIO()
    Image.fromarray(grey_of(truth)).save(stored, "JPEG", quality=_JPEG_QUALITY)
    return np.asarray(Image.open(stored))


DEGRADATIONS: dict[str, _Degradation] = {
    "orthochromatic": orthochromatic,
    "fading": faded,
    "grain": _grainy,
    "blur": blurred,
    "jpeg30": _recompressed,
}


OLD_TONES = ("orthochromatic", "fading")


def colored_copy(sample: Sample, predictor: Predictor, name: str) -> RGB:
    """(H, W, 3): a degraded copy of the photo, colored. The seed is the photo's number."""
    degraded = DEGRADATIONS[name](sample.truth, np.random.default_rng(sample.number))
    return predictor.prepare(replace(sample, grey=degraded)).render()


def robust_gain(sample: Sample, predictor: Predictor, name: str) -> float:
    """PSNR gain over the clean grey of colors predicted from a degraded copy, joined to the clean L*.

    dB; what degradation costs the colors alone.
    """
    return color_gain(sample, rgb_to_lab(colored_copy(sample, predictor, name))[..., 1:])


def color_gain(sample: Sample, ab: NDArray[np.float32]) -> float:
    """PSNR of the clean grey colored with ab (H, W, 2) minus the grey's own."""
    joined = to_bytes(merge(sample.grey, ab))
    return psnr(joined, sample.truth) - psnr(sample.plain, sample.truth)
