"""Hints: what is accepted, the file, drawing and spreading."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.errors import HintError
from photochrom.hints import (
    MAX_HINTS,
    Hint,
    Points,
    cell_means,
    dump_hints,
    hint_mask,
    hints_from_ab,
    load_hints,
    rasterize,
    spread,
    stroke_points,
)

CHECK = Path(__file__).parents[2] / "shared" / "weights" / "check.npz"
fractions = st.floats(0, 1)
hints = st.builds(
    Hint,
    x=fractions,
    y=fractions,
    color=st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}"),
    radius=st.floats(0.001, 0.5),
    weight=fractions,
    path=st.lists(st.tuples(fractions, fractions), max_size=3).map(tuple),
)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"x": -0.1}, "x must lie"),
        ({"x": 1.01}, "x must lie"),
        ({"y": float("nan")}, "y must be a number"),
        ({"y": "0.5"}, "y must be a number"),
        ({"x": True}, "x must be a number"),
        ({"color": "green"}, "#rrggbb"),
        ({"color": 5}, "#rrggbb"),
        ({"radius": 0}, "radius"),
        ({"radius": 0.6}, "radius"),
        ({"weight": 2}, "weight"),
        ({"path": ((0.1, 0.2), (0.3,))}, "path"),
        ({"path": ((0.1, 7),)}, "path must lie"),
        ({"path": 3}, "path"),
    ],
)
def test_a_hint_that_makes_no_sense_names_its_fault(change, word):
    with pytest.raises(HintError, match=word):
        Hint(**{"x": 0.5, "y": 0.5, "color": "#808080", **change})


def test_a_hint_knows_its_colour():
    a, b = Hint(0, 0, "#ff0000").ab
    assert (a, b) == pytest.approx((80.1, 67.2), abs=0.1)
    assert Hint(0, 0, "#777777").ab == (0, 0)


# --- the file ----------------------------------------------------------------------------------


@given(st.lists(hints, max_size=5))
def test_dump_and_load(listed):
    assert load_hints(json.loads(json.dumps(dump_hints(listed)))) == listed


def test_the_file_of_the_documentation(tmp_path):
    path = tmp_path / "hints.json"
    item = {"x": 0.31, "y": 0.22, "color": "#6a8fbf", "radius": 0.01, "weight": 1.0, "path": [[0.32, 0.25]]}
    path.write_text(json.dumps({"version": 1, "hints": [item]}))
    assert load_hints(path) == [Hint(0.31, 0.22, "#6a8fbf", path=((0.32, 0.25),))]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "version"),
        (b"{}", "version"),
        (b'{"version": 2, "hints": []}', "version"),
        (b'{"version": 1, "hints": {}}', "version"),
        (b'{"version": 1, "hints": [3]}', "hint 1"),
        (b'{"version": 1, "hints": [{"x": 0.5, "y": 0.5}]}', "hint 1 lacks 'color'"),
        (
            b'{"version": 1, "hints": [{"x": 0.5, "y": 0.5, "colour": "#fff", "color": "#fff"}]}',
            "unknown key 'colour'",
        ),
        (b'{"version": 1, "hints": [{"x": 5, "y": 0.5, "color": "#fff"}]}', "hint 1: x"),
        (b'{"version": 1, "hints": [{"x": 0.5, "y": 0.5, "color": "#fff", "path": "abc"}]}', "path"),
        (b'{"version": 1, "hints": [{"x": 0.5, "y": 0.5, "color": "#fff", "path": [1]}]}', "path"),
    ],
)
def test_a_broken_file_names_what_is_wrong(content, word):
    with pytest.raises(HintError, match=word):
        load_hints(content)


def test_a_missing_file_and_too_many_hints(tmp_path):
    with pytest.raises(HintError, match="cannot read"):
        load_hints(tmp_path / "none.json")
    many = {"version": 1, "hints": [{"x": 0, "y": 0, "color": "#000000"}] * (MAX_HINTS + 1)}
    with pytest.raises(HintError, match="at most 5000"):
        load_hints(many)


@given(st.binary(max_size=60))
def test_any_bytes_are_hints_or_an_error(content):
    try:
        assert isinstance(load_hints(content), list)
    except HintError as error:
        assert str(error)  # noqa: PT017 — either outcome is right


def test_hints_from_ab_are_in_gamut():
    middle, ab = np.full(2, 0.5), np.array([(20, -30), (200, 200)])
    hint, beyond = hints_from_ab(middle, middle, ab, np.array([60.0, 50.0]), radius=0.01, weight=middle)
    assert hint.ab == pytest.approx((20, -30), abs=0.6)
    assert beyond.color.startswith("#")


# --- drawing -----------------------------------------------------------------------------------


@given(hints)
def test_every_hint_covers_its_place(hint):
    mask = hint_mask(hint, 64, 96)
    assert mask[min(63, int(hint.y * 64)), min(95, int(hint.x * 96))]


def test_a_disc_has_its_area():
    mask = hint_mask(Hint(0.5, 0.5, "#ffffff", radius=0.1), 200, 200)
    assert mask.sum() == pytest.approx(np.pi * 20**2, rel=0.03)


def test_a_stroke_follows_its_path():
    hint = Hint(0.1, 0.5, "#ffffff", radius=0.02, path=((0.9, 0.5),))
    mask = hint_mask(hint, 128, 128)
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
    points = Points(places, np.float32([40, 60]), np.float32([[20, -10], [-30, 50]]), np.float32([1, 1]))
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


@pytest.mark.skipif(not CHECK.exists(), reason="the first weights' check file is not here")
def test_spread_reproduces_the_first_weights_check():
    check = np.load(CHECK)
    rows = check["hint_points"]
    points = Points(rows[:, :2], rows[:, 2], rows[:, 3:], np.ones(len(rows), np.float32))
    assert np.abs(spread(cell_means(check["luminance"][0, 0]), points) - check["spread"][0]).max() < 1e-6
