"""Area averaging down, the guided filter up."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.upsample import AreaReduction, GuidedFilter


def reduced(plane, rows, columns, strip):
    area = AreaReduction(*plane.shape, rows, columns)
    parts = [(top, area.add(top, plane[top : top + strip])) for top in range(0, plane.shape[0], strip)]
    return area.collect(parts)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12), st.integers(1, 50))
def test_strips_average_areas_exactly(height, width, rows, columns, strip):
    plane = np.random.default_rng(height * 50 + width).integers(0, 65536, (height, width)).astype(np.uint16)
    small = reduced(plane, rows, columns, strip)
    assert small.shape == (min(rows, height), min(columns, width))
    assert small.mean() == pytest.approx(plane.mean(), rel=1e-3)
    expected = cv2.resize(plane.astype(np.float32), small.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small - expected).max() < 1e-3 * 65535


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1200, 1400), (1201, 1403)])
def test_large_planes_are_averaged_in_two_steps(size, dtype):
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


def edge_picture(size=64):
    luminance = np.full((size, size), 30, np.float32)
    luminance[:, size // 2 :] = 70
    ab = np.zeros((size, size, 2), np.float32)
    ab[:, size // 2 :] = (40, -20)
    return luminance, ab


def test_colour_returns_to_its_edge():
    """A chroma edge blurred over 8 px comes back sharp where the luminance has its edge."""
    luminance, ab = edge_picture()
    blurred = cv2.GaussianBlur(ab, (0, 0), 3)
    large = np.repeat(np.repeat(luminance, 4, 0), 4, 1)
    result = GuidedFilter.fit(blurred, luminance).rows(0, large, 256)
    truth = np.repeat(np.repeat(ab, 4, 0), 4, 1)
    bilinear = cv2.resize(blurred, (256, 256))
    near = np.s_[:, 120:136]
    assert np.abs(result - truth)[near].mean() < 0.7 * np.abs(bilinear - truth)[near].mean()


def test_no_colour_where_there_is_none():
    luminance, _ = edge_picture()
    assert not GuidedFilter.fit(np.zeros((64, 64, 2), np.float32), luminance).rows(0, luminance, 64).any()


def test_even_colour_stays_even():
    luminance = np.random.default_rng(0).uniform(0, 100, (40, 56)).astype(np.float32)
    ab = np.full((40, 56, 2), (12, -7), np.float32)
    assert np.abs(GuidedFilter.fit(ab, luminance).rows(0, luminance, 40) - ab).max() < 1e-2


@given(st.integers(1, 90), st.integers(1, 60), st.integers(1, 30))
def test_strips_are_rows_of_the_whole(height, width, strip):
    random = np.random.default_rng(height)
    luminance = random.uniform(0, 100, (32, 48)).astype(np.float32)
    colours = GuidedFilter.fit(random.normal(0, 20, (32, 48, 2)).astype(np.float32), luminance)
    large = random.uniform(0, 100, (height, width)).astype(np.float32)
    whole = colours.rows(0, large, height)
    assert whole.shape == (height, width, 2)
    for top in range(0, height, strip):
        part = colours.rows(top, large[top : top + strip], height)
        assert np.abs(part - whole[top : top + strip]).max() < 1e-3
