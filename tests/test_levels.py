"""What the network is shown of a faded print."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.levels import stretch_contrast


def scene(low, high, size=64):
    """Tones from low to high, as many of each."""
    return np.random.default_rng(0).uniform(low, high, (size, size)).astype(np.float32)


def test_a_faded_print_gets_the_tones_of_a_fresh_one():
    shown = stretch_contrast(scene(35, 80))
    assert np.percentile(shown, [0.5, 99.5]) == pytest.approx([8, 92], abs=0.5)


def test_a_photo_of_full_contrast_is_left_as_it_is():
    photo = scene(2, 99)
    assert stretch_contrast(photo) is photo


@pytest.mark.parametrize("level", [0, 7, 50, 93, 100])
def test_a_plain_surface_is_left_as_it_is(level):
    plain = np.full((32, 32), level, np.float32)
    assert stretch_contrast(plain) is plain
    grain = np.random.default_rng(1).normal(0, 0.5, (32, 32)).astype(np.float32)
    assert np.abs(stretch_contrast(plain + grain) - level).max() < 5


@given(st.floats(0, 100), st.floats(0, 100))
def test_order_and_range_are_kept(one, other):
    photo = scene(*sorted((one, other)))
    shown = stretch_contrast(photo)
    assert shown.min() >= 0
    assert shown.max() <= 100
    order = np.argsort(photo.ravel())
    assert (np.diff(shown.ravel()[order]) >= -1e-3).all()
    assert np.ptp(shown) >= np.ptp(photo) - 1e-3


def test_a_little_dust_does_not_count():
    photo = scene(35, 80)
    dusty = photo.copy()
    dusty[:2, :4], dusty[-2:, :4] = 100, 0
    assert np.abs(stretch_contrast(dusty)[8:-8] - stretch_contrast(photo)[8:-8]).max() < 1
