"""Hints: what is accepted, the file, drawing and spreading."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.errors import HintError
from photochrom.hints import (
    MAX_HINTS,
    Hint,
    dump_hints,
    load_hints,
)

fractions = st.floats(0, 1)
hints = st.builds(
    Hint,
    x=fractions,
    y=fractions,
    color=st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}"),
    radius=st.floats(0.001, 0.5),
    weight=fractions,
    path=st.lists(st.tuples(fractions, fractions), max_size=3).map(tuple),
    within=st.just(()) | st.lists(st.tuples(fractions, fractions), min_size=3, max_size=5).map(tuple),
    time=st.none() | st.floats(0, 1e5),
    alike=st.booleans(),
    reach=st.floats(0.1, 10),
)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"x": -0.1}, "x must be at least 0"),
        ({"x": 1.01}, "x must be at least 0 and at most 1"),
        ({"y": float("nan")}, "y must be at least 0"),
        ({"y": "0.5"}, "y must be a number"),
        ({"x": True}, "x must be a number"),
        ({"x": 10**400}, "x is too large a number"),
        ({"radius": -(10**400)}, "radius is too large a number"),
        ({"color": "green"}, "#rrggbb"),
        ({"color": 5}, "color must be text"),
        ({"radius": 0}, "radius"),
        ({"radius": 0.6}, "radius"),
        ({"weight": 2}, "weight"),
        ({"path": ((0.1, 0.2), (0.3,))}, "path"),
        ({"path": ((0.1, 7),)}, "path must be at least 0 and at most 1"),
        ({"path": 3}, "path"),
        ({"within": ((0.1, 0.2), (0.3, 0.4))}, "at least 3 points"),
        ({"within": ((0.1, 0.2), (0.3, 0.4), (0.5, 1.4))}, "within must be at least 0"),
        ({"within": "abc"}, r"within\[0\] must be a list"),
        ({"time": -1}, "time must be at least 0"),
        ({"alike": "yes"}, "alike must be true or false"),
        ({"time": "1"}, "time must be a number"),
        ({"reach": 0}, "reach must be at least 0.1 and at most 10"),
        ({"reach": 10.5}, "reach must be at least 0.1 and at most 10"),
        ({"reach": None}, "reach must be a number"),
    ],
)
def test_a_hint_that_makes_no_sense_names_its_fault(change, word):
    with pytest.raises(HintError, match=word):
        Hint(**{"x": 0.5, "y": 0.5, "color": "#808080", **change})


def test_a_hint_knows_its_color():
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
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "version"),
        (b"{}", "version"),
        (b'{"version": 2, "hints": []}', "version"),
        (b'{"version": 1, "hints": {}}', "version"),
        (b'{"version": 1, "hints": [3]}', "hint 1"),
        (b'{"version": 1, "hints": [{"x": 0.5, "y": 0.5}]}', "hint 1: color is missing"),
        (
            b'{"version": 1, "hints": [{"x": 0.5, "y": 0.5, "colour": "#fff", "color": "#fff"}]}',
            r"colour is not known \(did you mean 'color'\?\)",
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
    with pytest.raises(HintError, match="cannot be read"):
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
