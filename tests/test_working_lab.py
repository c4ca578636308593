"""A photo's own colours at the working size, against plain averages in linear light."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import block_reduce

from photochrom.color import chroma_of, hue_of, linear_to_lab, rgb_to_lab, to_linear
from photochrom.photo import Photo
from photochrom.upsample import working_lab


def noise(height: int, width: int, channels: int = 3, dtype: type = np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(height * width).integers(0, top, shape, dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_whole_factors_give_the_mean_of_the_linear_light(dtype: type) -> None:
    rgb = noise(96, 64, dtype=dtype)
    expected = linear_to_lab(block_reduce(to_linear(rgb), (4, 2, 1), np.mean))
    np.testing.assert_allclose(working_lab(Photo.from_array(rgb), (24, 32)), expected, atol=2e-2)


def test_the_same_size_gives_the_photo_itself() -> None:
    rgb = noise(20, 30)
    np.testing.assert_allclose(working_lab(Photo.from_array(rgb), (20, 30)), rgb_to_lab(rgb), atol=1e-2)


def test_a_grey_photo_has_no_chroma() -> None:
    lab = working_lab(Photo.from_array(noise(40, 50, 1)), (10, 20))
    assert lab.shape == (10, 20, 3)
    assert np.abs(lab[..., 1:]).max() < 1e-3


def test_a_small_photo_is_enlarged() -> None:
    lab = working_lab(Photo.from_array(np.full((3, 4, 3), (200, 30, 30), np.uint8)), (32, 64))
    assert lab.shape == (32, 64, 3)
    assert np.ptp(lab, axis=(0, 1)).max() < 1e-3


@settings(max_examples=20)
@given(
    height=st.integers(1, 90), width=st.integers(1, 90), rows=st.integers(1, 40), columns=st.integers(1, 40)
)
def test_a_flat_photo_stays_flat_at_any_size(height: int, width: int, rows: int, columns: int) -> None:
    colour = np.array((90, 140, 30), np.uint8)
    lab = working_lab(Photo.from_array(np.broadcast_to(colour, (height, width, 3)).copy()), (rows, columns))
    assert lab.shape == (rows, columns, 3)
    np.testing.assert_allclose(lab, np.broadcast_to(rgb_to_lab(colour[None]), lab.shape), atol=2e-2)


@given(chroma=st.floats(0.5, 100), hue=st.floats(-179, 179))
def test_chroma_and_hue_are_polar_coordinates(chroma: float, hue: float) -> None:
    ab = chroma * np.array([np.cos(np.radians(hue)), np.sin(np.radians(hue))], np.float32)
    assert chroma_of(ab) == pytest.approx(chroma, rel=1e-4)
    assert hue_of(ab) == pytest.approx(hue, abs=1e-2)
