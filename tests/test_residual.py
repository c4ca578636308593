"""Hints become exact, and only where they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.hints import Hint, Points
from photochrom.residual import confine, hold, propagate, reach, surprises
from photochrom.upsample import Guide


def points(places, ab, luminance=50.0, weight=1.0):
    count = len(places)
    return Points(
        np.float32(places),
        np.full(count, luminance, np.float32),
        np.float32(ab),
        np.full(count, weight, np.float32),
    )


def test_without_hints_nothing_changes():
    ab = np.random.default_rng(0).normal(0, 10, (8, 8, 2)).astype(np.float32)
    empty = Points(
        np.zeros((0, 2), np.float32),
        np.zeros(0, np.float32),
        np.zeros((0, 2), np.float32),
        np.zeros(0, np.float32),
    )
    assert propagate(ab, np.full((8, 8), 50, np.float32), empty) is ab
    guide = Guide(ab, ab)
    assert hold(guide, (), np.full((8, 8), 50, np.float32)) is guide


@given(st.floats(-60, 60), st.floats(-60, 60))
def test_the_residual_is_gone_at_the_hint(a, b):
    cells = np.full((16, 16), 50, np.float32)
    corrected = propagate(np.zeros((16, 16, 2), np.float32), cells, points([[8.5, 8.5]], [[a, b]]))
    assert np.abs(corrected[8, 8] - (a, b)).max() <= 0.01 * max(1, abs(a), abs(b))


def test_the_residual_stops_at_an_edge():
    cells = np.full((16, 16), 30, np.float32)
    cells[:, 8:] = 90
    corrected = propagate(
        np.zeros((16, 16, 2), np.float32), cells, points([[8.5, 6.5]], [[40, 0]], luminance=30)
    )
    assert corrected[8, 7, 0] > 20
    assert np.abs(corrected[:, 8:]).max() < 0.5


def test_weight_weakens_the_residual():
    cells = np.full((16, 16), 50, np.float32)
    zero = np.zeros((16, 16, 2), np.float32)
    strong, weak = (propagate(zero, cells, points([[8.5, 8.5]], [[40, 0]], weight=w)) for w in (1.0, 0.02))
    assert 0 < weak[8, 8, 0] < strong[8, 8, 0]


def test_denser_hints_reach_less_far():
    shares = [reach(n)[0] for n in (1, 5, 20, 100, 5000)]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("place", [(0.5, 0.5), (0, 0), (1, 1)])
def test_a_pin_is_exact_and_local(place):
    luminance = np.full((64, 64), 50, np.float32)
    guide = Guide(np.full((64, 64, 2), 0.3, np.float32), np.zeros((64, 64, 2), np.float32))
    hint = Hint(*place, "#c03020", radius=0.03)
    pinned = hold(guide, (hint,), luminance)
    row, column = (min(63, int(n * 64)) for n in place[::-1])
    assert pinned.offset[row, column] == pytest.approx(hint.ab, abs=0.5)
    assert np.abs(pinned.slope[row, column]).max() < 0.01
    far = np.hypot(*(np.mgrid[:64, :64] - np.array([row, column])[:, None, None])) > 6
    assert np.array_equal(pinned.slope[far], guide.slope[far])
    assert not guide.offset.any(), "the guide given is left as it was"


# --- confine -----------------------------------------------------------------------------------


def two_things(size=16):
    """Cells, features and colours of a left thing and a right one of other luminance and look."""
    cells = np.full((size, size), 30, np.float32)
    cells[:, size // 2 :] = 75
    features = np.zeros((3, size // 4, size // 4), np.float32)
    features[0, :, : size // 8], features[1, :, size // 8 :] = 1, 1
    automatic = np.full((size, size, 2), (5, 10), np.float32)
    return cells, features, automatic


def test_a_surprising_hint_changes_its_thing_alone():
    cells, features, automatic = two_things()
    answer = automatic + np.float32([-40, 20])  # the network turned all of it
    kept = confine(answer, automatic, cells, features, points([[8.5, 3.5]], [[-35, 30]], luminance=30))
    assert np.abs(kept[8, 3] - answer[8, 3]).max() < 1
    assert np.abs(kept[:, 12:] - automatic[:, 12:]).max() < 1


def test_an_expected_hint_may_tell_of_the_whole_scene():
    cells, features, automatic = two_things()
    answer = automatic + np.float32([4, 4])
    kept = confine(answer, automatic, cells, features, points([[8.5, 3.5]], [[7, 13]], luminance=30))
    assert np.allclose(kept, answer, atol=1e-4)


@given(st.integers(1, 600))
def test_confined_colours_lie_between_the_two_answers(count):
    cells, features, automatic = two_things()
    random = np.random.default_rng(count)
    answer = automatic + 10
    listed = points(random.uniform(0, 16, (count, 2)), random.normal(0, 40, (count, 2)))
    kept = confine(answer, automatic, cells, features, listed)
    assert (kept >= automatic - 1e-3).all()
    assert (kept <= answer + 1e-3).all()
    assert 0 <= surprises(automatic, listed).min() <= surprises(automatic, listed).max() <= 1
