"""Documents to dataclasses: what is wrong is named, what is right comes back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.documents import check, dump, option, parse, read_json
from photochrom.errors import DataError, HintError, OptionError


@dataclass(frozen=True)
class Disc:
    radius: float = option(0.01, gt=0, le=0.5)
    path: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.radius == 0.123:
            raise HintError("this radius is unlucky")


@dataclass(frozen=True)
class Square:
    side: int = option(3, ge=1)


@dataclass(frozen=True)
class Thing:
    name: str
    depth: Literal[8, 16] | None = None
    on: bool = False
    span: tuple[float, float] = option((0.0, 1.0), ge=0, le=10, ordered=True)
    disc: Disc = field(default_factory=Disc)
    shape: Disc | Square = field(default_factory=Square, metadata={"kinds": {"disc": Disc, "square": Square}})
    weights: dict[str, float] = field(default_factory=dict)
    free: Any = None
    words: list[str] = field(default_factory=list)


things = st.builds(
    Thing,
    name=st.text(max_size=5),
    depth=st.sampled_from([None, 8, 16]),
    on=st.booleans(),
    span=st.tuples(st.floats(0, 10), st.floats(0, 10)).map(sorted).map(tuple),
    disc=st.builds(Disc, st.floats(0.2, 0.5), st.just(((0.5, 1.0),))),
    shape=st.builds(Square, st.integers(1)) | st.builds(Disc, st.floats(0.2, 0.5)),
    weights=st.dictionaries(st.text(max_size=3), st.floats(allow_nan=False), max_size=2),
    words=st.lists(st.text(max_size=3), max_size=2),
)


@given(things, st.booleans())
def test_there_and_back(thing: Thing, defaults: bool) -> None:
    document = json.loads(json.dumps(dump(thing, defaults=defaults)))
    assert parse(Thing, document) == thing
    check(thing)


def test_defaults_are_left_out() -> None:
    assert dump(Thing("a"), defaults=False) == {"name": "a"}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "thing x must be an object, not []"),
        ({}, "thing x: name is missing"),
        ({"name": 3}, "thing x: name must be text, not 3"),
        ({"name": None}, "thing x: name must be text, not None"),
        (
            {"name": "a", "onn": True},
            "thing x: onn is not known (did you mean 'on'?); allowed there are depth",
        ),
        ({"name": "a", "on": 1}, "on must be true or false, not 1"),
        ({"name": "a", "depth": True}, "depth must be one of 8, 16, not True"),
        ({"name": "a", "depth": "8"}, "depth must be one of 8, 16, not '8'"),
        ({"name": "a", "span": [2, 1]}, "span must be [low, high]"),
        ({"name": "a", "span": [0, 11]}, "span must be at least 0 and at most 10, not [0.0, 11.0]"),
        ({"name": "a", "span": [0]}, "span must be a list of 2, not [0]"),
        ({"name": "a", "span": 4}, "span must be a list, not 4"),
        ({"name": "a", "span": [0, 10**400]}, "span[1] is too large a number: 1000"),
        (
            {"name": "a", "shape": {"kind": "square", "side": -(10**400)}},
            "must be at least 1, not -1000",
        ),
        ({"name": "a", "disc": {"radius": 0}}, "disc.radius must be above 0 and at most 0.5, not 0.0"),
        ({"name": "a", "disc": {"radius": float("nan")}}, "disc.radius must be above 0"),
        ({"name": "a", "disc": {"radius": 0.123}}, "thing x: disc: this radius is unlucky"),
        ({"name": "a", "disc": {"path": [[0, "b"]]}}, "disc.path[0][1] must be a number, not 'b'"),
        ({"name": "a", "shape": {"kind": "star"}}, "kind is one of disc, square, not 'star'"),
        ({"name": "a", "shape": {"kind": "square", "side": 0}}, "shape.side must be at least 1, not 0"),
        ({"name": "a", "shape": 3}, "shape must be a table whose kind is one of"),
        ({"name": "a", "weights": {"b": "c"}}, "weights.b must be a number, not 'c'"),
        ({"name": "a", "words": [1]}, "words[0] must be text, not 1"),
    ],
)
def test_every_fault_is_named(document: Any, said: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse(Thing, document, "thing x: ")
    assert said in str(caught.value)


def test_the_class_of_the_error_is_the_callers() -> None:
    with pytest.raises(DataError, match="name is missing"):
        parse(Thing, {}, "", DataError)
    with pytest.raises(HintError):
        parse(Thing, {"name": "a", "disc": {"radius": 0.123}}, "", DataError)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from([*Thing.__dataclass_fields__, "other"])


@given(st.dictionaries(KEYS, VALUES, max_size=4) | VALUES)
def test_any_document_is_a_thing_or_an_error(document: Any) -> None:
    try:
        thing = parse(Thing, document)
    except OptionError:
        return
    check(thing)


def test_json_that_is_none(tmp_path) -> None:
    for text in (b"", b"{", b"[" * 100_000, b"\xff"):
        with pytest.raises(DataError, match="x is not valid JSON: give another"):
            read_json(text, "x", "give another", DataError)
    with pytest.raises(DataError, match="cannot be read"):
        read_json(tmp_path / "x.json", "x", "give another", DataError)
