"""From plates to bytes: parts, glances and uncertain places."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.errors import OptionError
from photochrom.server.pictures import box, fitted, gray_png, jpeg, uncertain_places
from photochrom.server.schemas import Region

share = st.floats(0, 1)


@given(share, share, share, share, st.integers(1, 500), st.integers(1, 500))
def test_box_holds_pixels_of_the_photo_or_is_refused(
    left: float, top: float, right: float, bottom: float, height: int, width: int
) -> None:
    region = Region(left=left, top=top, right=right, bottom=bottom)
    try:
        found = box(region, height, width)
    except OptionError:
        assert right * width <= left * width + 1 or bottom * height <= top * height + 1
        return
    assert 0 <= found[0] < found[1] <= height
    assert 0 <= found[2] < found[3] <= width


def test_box_of_everything() -> None:
    assert box(None, 30, 40) == box(Region(left=0, top=0, right=1, bottom=1), 30, 40) == (0, 30, 0, 40)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(100, 300), (300, 100, 3)])
def test_fitted_keeps_the_mean(dtype: type, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape).astype(dtype)
    small = fitted(pixels, 75)
    assert small.dtype == np.uint8
    assert max(small.shape) == 75
    assert abs(small.mean() / 255 - pixels.mean() / np.iinfo(dtype).max) < 0.01


def test_fitted_never_enlarges() -> None:
    assert fitted(np.zeros((10, 20), np.uint8), 500).shape == (10, 20)


def test_jpeg_is_rgb() -> None:
    rgb = np.zeros((16, 16, 3), np.uint8)
    rgb[..., 0] = 200
    back = np.asarray(Image.open(io.BytesIO(jpeg(rgb))))
    assert abs(int(back[8, 8, 0]) - 200) < 6
    assert back[8, 8, 2] < 10


def test_png_is_exact() -> None:
    plane = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(gray_png(plane)))), plane)


def ramp() -> np.ndarray:
    return np.tile(np.linspace(20, 235, 90, dtype=np.uint8), (60, 1))


@given(st.integers(0, 2**32 - 1), st.integers(3, 60), st.integers(3, 60))
def test_uncertain_places_lie_in_the_photo_and_apart(seed: int, height: int, width: int) -> None:
    values = np.random.default_rng(seed).random((height, width), dtype=np.float32)
    places = uncertain_places(values)
    assert 1 <= len(places) <= 6
    for x, y, value in places:
        assert 0 < x < 1
        assert 0 < y < 1
        assert value == values[int(y * height), int(x * width)]
    points = [(x * width, y * height) for x, y, _ in places]
    gaps = [np.hypot(a[0] - b[0], a[1] - b[1]) for a in points for b in points if a is not b]
    assert not gaps or min(gaps) > max(height, width) // 6


def test_the_blob_is_found_first() -> None:
    values = np.full((40, 60), 0.1, np.float32)
    values[10:20, 40:52] = 0.9
    x, y, _ = uncertain_places(values)[0]
    assert 40 / 60 < x < 52 / 60
    assert 10 / 40 < y < 20 / 40
