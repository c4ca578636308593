"""What counts as a photo that is coloured already."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.batch.chroma import COLOURED, sampled, spread
from photochrom.color import lab_to_rgb, quantize
from photochrom.photo import Photo

SHARED = Path(__file__).parents[3] / "shared" / "photos"


def picture(seed: int = 0, side: int = 200) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 1, (side, side, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 8)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def toned(seed: int, a: float, b: float, curve: float) -> np.ndarray:
    """A grey picture toned like a print: a*, b* follow from L*."""
    grey = picture(seed)[..., 0].astype(np.float64) / 255
    lab = np.stack([grey * 100, a * grey**curve, b * grey**curve], axis=-1)
    return quantize(lab_to_rgb(lab))


def coloured(rgb: np.ndarray) -> bool:
    photo, seen = sampled(Photo.from_array(rgb))
    for _ in photo.strips():
        pass
    return seen.is_coloured()


@given(st.integers(0, 5), st.floats(-15, 20), st.floats(-25, 35), st.floats(0.3, 2))
def test_a_toned_print_is_not_coloured(seed: int, a: float, b: float, curve: float) -> None:
    assert not coloured(toned(seed, a, b, curve))


@given(st.integers(0, 50))
def test_a_colour_photo_is(seed: int) -> None:
    assert coloured(picture(seed))


def test_grey_is_not() -> None:
    grey = picture()[..., 0]
    assert not coloured(np.dstack([grey] * 3))
    assert not coloured(grey)


def test_a_toned_print_saved_as_jpeg_is_not(tmp_path: Path) -> None:
    path = tmp_path / "sepia.jpg"
    Image.fromarray(toned(3, 8, 22, 0.8)).save(path, quality=60)
    assert not coloured(np.asarray(Image.open(path)))


def test_pixels_pass_unchanged_and_only_a_few_are_kept() -> None:
    rgb = picture(side=400)
    photo, seen = sampled(Photo.from_array(rgb))
    np.testing.assert_array_equal(photo.rgb, rgb)
    assert sum(len(few) for few in seen._seen.values()) <= 200 * 200
    assert (photo.height, photo.width, photo.channels, photo.has_alpha) == (400, 400, 3, False)


def test_strips_shorter_than_the_step_are_fine() -> None:
    photo, seen = sampled(Photo.from_array(picture(side=1000)))
    for top in range(1000):
        photo.rows(top, top + 1)
    assert seen.is_coloured()


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared photos")
def test_the_threshold_tells_genuine_old_photographs_from_colour_ones() -> None:
    def spreads(folder: Path) -> list[float]:
        found = []
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".jpg", ".webp", ".png"):
                with Image.open(path) as image:
                    small = image.convert("RGB").resize((160, 160), Image.Resampling.NEAREST)
                found.append(spread(np.asarray(small)))
        return found

    assert max(spreads(SHARED / "legacy")) < COLOURED
    colour = spreads(SHARED / "val")[::4]
    assert np.mean(np.array(colour) > COLOURED) >= 0.97
