"""Strokes of any length: they are counted before they are drawn, and endless ones are refused at once."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.colorizer import Colorizer
from photochrom.errors import HintError
from photochrom.hints import MAX_HINTS, Hint
from photochrom.raster import count_points, stroke_points

share = st.floats(0, 1)
paths = st.lists(st.tuples(share, share), max_size=8).map(tuple)
hints = st.builds(Hint, share, share, st.just("#806040"), st.floats(0.001, 0.5), share, paths)


@given(st.lists(hints, max_size=5), st.integers(32, 400), st.integers(32, 400))
def test_points_counted_are_what_will_be_drawn(given_hints: list[Hint], height: int, width: int) -> None:
    drawn = sum(len(stroke_points(hint, height, width)) for hint in given_hints)
    assert abs(count_points(given_hints, height, width) - drawn) <= len(given_hints)


def scribble(points: int) -> Hint:
    corners = ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
    return Hint(0.5, 0.5, "#806040", path=tuple(corners[number % 4] for number in range(points)))


def test_an_endless_scribble_is_refused_at_once() -> None:
    plate = Colorizer(threads=1).prepare(np.full((100, 120), 128, np.uint8))
    started = time.monotonic()
    with pytest.raises(HintError, match="draw fewer"):
        plate.preview([scribble(10_000)])
    assert time.monotonic() - started < 5


def test_a_long_scribble_is_drawn() -> None:
    plate = Colorizer(threads=1).prepare(np.full((100, 120), 128, np.uint8))
    hint = scribble(12)
    assert 100 < count_points([hint], *plate.size) < MAX_HINTS
    assert plate.preview([hint]).shape == (100, 120, 3)
