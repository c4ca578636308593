"""Area averaging; a photo's own colors against plain averages in linear light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import block_reduce

from photochrom.color import chroma_of, hue_of, linear_to_lab, rgb_to_lab, to_linear
from photochrom.downsample import AreaReduction, working_lab
from photochrom.photo import Photo


def reduced(plane, rows, columns, strip):
    area = AreaReduction(*plane.shape, rows, columns)
    return area.collect(area.add(top, plane[top : top + strip]) for top in range(0, plane.shape[0], strip))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12), st.integers(1, 50))
def test_strips_average_areas_exactly(height, width, rows, columns, strip):
    plane = np.random.default_rng(height * 50 + width).integers(0, 65536, (height, width)).astype(np.uint16)
    small = reduced(plane, rows, columns, strip)
    assert small.shape == (min(rows, height), min(columns, width))
    assert small.mean() == pytest.approx(plane.mean(), rel=1e-3)
    expected = cv2.resize(plane.astype(np.float32), small.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small - expected).max() < 1e-3 * 65535


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1200, 1400), (1201, 1403), (2402, 2803)])
def test_large_planes_are_averaged_in_steps(size, dtype):
    """An edge in an odd place moves by less than a pixel of the large plane, and nothing else changes."""
    plane = np.random.default_rng(0).integers(0, 200, size).astype(dtype)
    plane[:, 701:] += 55
    plane *= dtype(1 if dtype is np.uint8 else 257)
    small = reduced(plane, 100, 130, 64) / 257
    expected = cv2.resize(plane.astype(np.float32), (130, 100), interpolation=cv2.INTER_AREA)
    expected /= 1 if dtype is np.uint8 else 257
    assert small.mean() == pytest.approx(expected.mean(), abs=0.2)  # means of 8 bits are rounded
    assert np.abs(small - expected).mean() < 1.5  # of pixels that differ by 67 on average
    assert np.abs(small.mean(0) - expected.mean(0)).max() < 55 / (1400 / 130)


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
    color = np.array((90, 140, 30), np.uint8)
    lab = working_lab(Photo.from_array(np.broadcast_to(color, (height, width, 3)).copy()), (rows, columns))
    assert lab.shape == (rows, columns, 3)
    np.testing.assert_allclose(lab, np.broadcast_to(rgb_to_lab(color[None]), lab.shape), atol=2e-2)


@given(chroma=st.floats(0.5, 100), hue=st.floats(-179, 179))
def test_chroma_and_hue_are_polar_coordinates(chroma: float, hue: float) -> None:
    ab = chroma * np.array([np.cos(np.radians(hue)), np.sin(np.radians(hue))], np.float32)
    assert chroma_of(ab) == pytest.approx(chroma, rel=1e-4)
    assert hue_of(ab) == pytest.approx(hue, abs=1e-2)
