"""Hints on the grid: drawing and spreading."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.hints import Hint
from photochrom.raster import Points, _hint_mask, cell_means, rasterize, spread, stroke_points

fractions = st.floats(0, 1)
hints = st.builds(
    Hint,
    x=fractions,
    y=fractions,
    color=st.just("#806040"),
    radius=st.floats(0.001, 0.5),
    weight=fractions,
    path=st.lists(st.tuples(fractions, fractions), max_size=3).map(tuple),
)


# --- drawing -----------------------------------------------------------------------------------


@given(hints)
def test_every_hint_covers_its_place(hint):
    mask = _hint_mask(hint, 64, 96)
    assert mask[min(63, int(hint.y * 64)), min(95, int(hint.x * 96))]


def test_a_disc_has_its_area():
    mask = _hint_mask(Hint(0.5, 0.5, "#ffffff", radius=0.1), 200, 200)
    assert mask.sum() == pytest.approx(np.pi * 20**2, rel=0.03)


def test_a_stroke_follows_its_path():
    hint = Hint(0.1, 0.5, "#ffffff", radius=0.02, path=((0.9, 0.5),))
    mask = _hint_mask(hint, 128, 128)
    assert mask[64, 20:110].all()
    assert not mask[40].any()
    assert len(stroke_points(hint, 128, 128)) > 8


def test_later_hints_cover_earlier_ones():
    first, second = Hint(0.5, 0.5, "#ff0000"), Hint(0.5, 0.5, "#0000ff", radius=0.05)
    raster = rasterize([first, second], np.full((64, 64), 50, np.float32))
    assert len(raster.points.ab) == 1
    assert raster.points.ab[0] == pytest.approx(second.ab)
    assert raster.hints[0, 32, 32] == pytest.approx(second.ab[0] / 110)


def test_weight_scales_mask_and_spread():
    plane = np.full((64, 64), 50, np.float32)
    full, half = (rasterize([Hint(0.5, 0.5, "#ff0000", weight=w)], plane) for w in (1.0, 0.5))
    assert np.allclose(half.hints, full.hints / 2)
    cells = cell_means(plane)
    assert spread(cells, half.points)[2].max() < spread(cells, full.points)[2].max()


# --- spreading ---------------------------------------------------------------------------------


def test_spread_is_the_formula():
    """Against the definition of MODEL.md written out as loops."""
    random = np.random.default_rng(1)
    cells = random.uniform(0, 100, (5, 7)).astype(np.float32)
    places = np.float32([[1.5, 2.5], [4, 6]])
    points = Points(
        places,
        np.float32([40, 60]),
        np.float32([[20, -10], [-30, 50]]),
        np.float32([1, 1]),
        np.float32([1, 1]),
    )
    result = spread(cells, points)
    for number, (share, tolerance) in enumerate(((0.30, 18), (0.12, 12), (0.05, 8))):
        for y in range(5):
            for x in range(7):
                w = []
                for j in range(2):
                    d2 = (y + 0.5 - places[j, 0]) ** 2 + (x + 0.5 - places[j, 1]) ** 2
                    dl2 = (cells[y, x] - points.luminance[j]) ** 2
                    w.append(np.exp(-d2 / (2 * (share * 5) ** 2) - dl2 / (2 * tolerance**2)))
                total = sum(w)
                expected = [
                    (w[0] * points.ab[0, 0] + w[1] * points.ab[1, 0]) / 110,
                    (w[0] * points.ab[0, 1] + w[1] * points.ab[1, 1]) / 110,
                    total,
                ]
                got = result[3 * number : 3 * number + 3, y, x]
                assert got == pytest.approx(np.array(expected) / (total + 0.05), abs=1e-5)


def test_no_hints_spread_nothing():
    raster = rasterize([], np.full((64, 96), 50, np.float32))
    assert not raster.hints.any()
    assert not spread(np.full((16, 24), 50, np.float32), raster.points).any()
