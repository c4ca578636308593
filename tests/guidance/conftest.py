"""One colorizer for all, and a portrait with its truth at the network's size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.color import fit_gamut, lab_to_rgb, neutralize, quantize, rgb_to_lab
from photochrom.colorizer import Colorizer, Plate
from photochrom.photo import Photo

EXAMPLES = Path(__file__).parents[2] / "examples"


class Lab:
    """What the tests of guidance do to pictures."""

    @staticmethod
    def resized(rgb: np.ndarray, side: int) -> np.ndarray:
        return np.asarray(Image.fromarray(rgb).resize((side, side), Image.Resampling.BICUBIC))

    @staticmethod
    def grey(rgb: np.ndarray) -> np.ndarray:
        return (neutralize(rgb) // 257).astype(np.uint8)

    @staticmethod
    def photo(rgb: np.ndarray) -> Photo:
        return Photo.from_array(np.ascontiguousarray(rgb))

    @staticmethod
    def turned(rgb: np.ndarray, degrees: float) -> np.ndarray:
        """Every hue turned, L* kept."""
        lab = rgb_to_lab(rgb).astype(np.float64).reshape(-1, 3)
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        lab[:, 1:] = lab[:, 1:] @ turn
        return quantize(lab_to_rgb(fit_gamut(lab)).reshape(rgb.shape))

    @staticmethod
    def ab(rgb: np.ndarray) -> np.ndarray:
        return rgb_to_lab(rgb)[..., 1:]

    @staticmethod
    def psnr(rgb: np.ndarray, truth: np.ndarray) -> float:
        squared = ((rgb.astype(np.float64) - truth) ** 2).mean()
        return float(10 * np.log10(255**2 / squared))


@pytest.fixture(scope="session")
def lab() -> type[Lab]:
    return Lab


@pytest.fixture(scope="session")
def colorizer() -> Colorizer:
    return Colorizer()


@pytest.fixture(scope="session")
def truth() -> np.ndarray:
    """(256, 256, 3): the astronaut, a NASA portrait in the public domain."""
    with Image.open(EXAMPLES / "astronaut.jpg") as image:
        return np.asarray(image.convert("RGB").resize((256, 256), Image.Resampling.BICUBIC))


@pytest.fixture(scope="session")
def plate(colorizer: Colorizer, truth: np.ndarray) -> Plate:
    return colorizer.prepare(Lab.grey(truth))


@pytest.fixture(scope="session")
def automatic(plate: Plate) -> np.ndarray:
    return plate.preview(side=256)
