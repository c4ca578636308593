"""The guided filter."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from photochrom.upsample import GuidedFilter


def edge_picture(size=64):
    luminance = np.full((size, size), 30, np.float32)
    luminance[:, size // 2 :] = 70
    ab = np.zeros((size, size, 2), np.float32)
    ab[:, size // 2 :] = (40, -20)
    return luminance, ab


def test_color_returns_to_its_edge():
    """A chroma edge blurred over 8 px comes back sharp where the luminance has its edge."""
    luminance, ab = edge_picture()
    blurred = cv2.GaussianBlur(ab, (0, 0), 3)
    large = np.repeat(np.repeat(luminance, 4, 0), 4, 1)
    result = GuidedFilter.fit(blurred, luminance).rows(0, large, 256)
    truth = np.repeat(np.repeat(ab, 4, 0), 4, 1)
    bilinear = cv2.resize(blurred, (256, 256))
    near = np.s_[:, 120:136]
    assert np.abs(result - truth)[near].mean() < 0.7 * np.abs(bilinear - truth)[near].mean()


def test_no_color_where_there_is_none():
    luminance, _ = edge_picture()
    assert not GuidedFilter.fit(np.zeros((64, 64, 2), np.float32), luminance).rows(0, luminance, 64).any()


def test_even_color_stays_even():
    luminance = np.random.default_rng(0).uniform(0, 100, (40, 56)).astype(np.float32)
    ab = np.full((40, 56, 2), (12, -7), np.float32)
    assert np.abs(GuidedFilter.fit(ab, luminance).rows(0, luminance, 40) - ab).max() < 1e-2


@given(st.integers(1, 90), st.integers(1, 60), st.integers(1, 30))
def test_strips_are_rows_of_the_whole(height, width, strip):
    random = np.random.default_rng(height)
    luminance = random.uniform(0, 100, (32, 48)).astype(np.float32)
    colors = GuidedFilter.fit(random.normal(0, 20, (32, 48, 2)).astype(np.float32), luminance)
    large = random.uniform(0, 100, (height, width)).astype(np.float32)
    whole = colors.rows(0, large, height)
    assert whole.shape == (height, width, 2)
    for top in range(0, height, strip):
        part = colors.rows(top, large[top : top + strip], height)
        assert np.abs(part - whole[top : top + strip]).max() < 1e-3
