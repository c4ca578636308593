"""Strokes of any length are counted before they are drawn; borders bound what hints move."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom import read
from photochrom.colorizer import Colorizer
from photochrom.errors import HintError
from photochrom.hints import MAX_HINTS, Hint
from photochrom.raster import count_points, stroke_points
from photochrom.strokes import blend_within
from photochrom.upsample import GuidedFilter

EXAMPLES = Path(__file__).parents[1] / "examples"

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


# --- borders -------------------------------------------------------------------------------------

LASSO = ((0.1, 0.5), (0.6, 0.5), (0.6, 1.0), (0.1, 1.0))
SUIT = Hint(0.3, 0.75, "#2060d0", radius=0.02)


@pytest.fixture(scope="module")
def plate():
    return Colorizer(threads=1).prepare(read(EXAMPLES / "photos" / "astronaut.jpg"))


def inside(plate, margin):
    """The working pixels within LASSO, and `margin` px around it."""
    height, width = plate.size
    y, x = np.mgrid[:height, :width] + 0.5
    return (x > 0.1 * width - margin) & (x < 0.6 * width + margin) & (y > 0.5 * height - margin)


def test_a_border_bounds_what_a_hint_moves(plate) -> None:
    free, bounded = plate.chroma([SUIT]), plate.chroma([replace(SUIT, within=LASSO)])
    automatic = plate.chroma()
    assert np.abs(free - automatic)[~inside(plate, 2)].max() > 5
    assert np.abs(bounded - automatic)[~inside(plate, 2)].max() == 0
    assert np.abs(bounded - free)[inside(plate, -2)].max() < 1e-4


def test_the_picture_outside_a_border_is_the_same_bytes(plate) -> None:
    before, after = plate.render().rgb, plate.render([replace(SUIT, within=LASSO)]).rgb
    height, width = before.shape[:2]
    margin = int(np.ceil(3 * max(height, width) / max(plate.size)))
    changed = (before != after).any(-1)
    assert changed[: height // 2 - margin].sum() == 0
    assert changed[:, int(0.6 * width) + margin :].sum() == 0
    assert changed[int(0.75 * height), int(0.3 * width)]


def test_hints_of_several_borders_and_of_none(plate) -> None:
    other = ((0.6, 0.0), (1.0, 0.0), (1.0, 0.5), (0.6, 0.5))
    hints = [Hint(0.8, 0.2, "#30a040", within=other), replace(SUIT, within=LASSO)]
    both, alone = plate.chroma(hints), plate.chroma(hints[1:])
    left = np.s_[:, : plate.size[1] // 2]
    assert np.array_equal(both[left], alone[left])
    row, column = int(0.2 * plate.size[0]), int(0.8 * plate.size[1])
    assert np.abs(both[row, column] - hints[0].ab).max() < 1


@given(st.lists(st.tuples(share, share), min_size=3, max_size=6))
def test_any_border_is_taken(border) -> None:
    flat = GuidedFilter(np.zeros((32, 48, 2), np.float32), np.zeros((32, 48, 2), np.float32))
    full = GuidedFilter(flat.slope, flat.offset + 10)
    mixed = blend_within(flat, full, border).offset
    assert mixed.min() >= 0
    assert mixed.max() <= 10
