"""Options: one place for the command line, the sidecar and the ledger's key."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.batch.options import Options, digest
from photochrom.errors import HintError, OptionError
from photochrom.hints import Hint

unit = st.floats(0, 1)
hints = st.lists(
    st.builds(Hint, x=unit, y=unit, color=st.sampled_from(["#ff0000", "#6a8fbf"]), weight=unit), max_size=3
).map(tuple)
options = st.builds(
    Options,
    hints=hints,
    vividness=st.none() | unit,
    model=st.sampled_from(["photochrom", "runs/a"]),
    side_by_side=st.booleans(),
    quality=st.integers(1, 100),
    format=st.sampled_from([None, "png", "tiff"]),
    subsampling=st.sampled_from(["4:2:0", "4:2:2", "4:4:4"]),
    depth=st.sampled_from([None, 8, 16]),
    profile=st.sampled_from(["srgb", "input"]),
    strip=st.booleans(),
    mark=st.booleans(),
    sidecar=st.booleans(),
    layer=st.sampled_from([None, "tiff", "png"]),
    page=st.integers(0, 9),
    max_pixels=st.integers(1, 10**12),
    max_side=st.integers(1, 10**6),
)


@given(options)
def test_json_there_and_back(asked: Options) -> None:
    document = json.loads(json.dumps(asked.to_json()))
    assert Options.from_json(document) == asked


@given(options, options)
def test_fingerprints_are_equal_exactly_for_equal_results(one: Options, other: Options) -> None:
    unlimited = {"max_pixels": 1, "max_side": 1}
    same = replace(one, **unlimited) == replace(other, **unlimited)
    assert (one.fingerprint() == other.fingerprint()) is same


def test_limits_are_not_part_of_the_key() -> None:
    assert Options(max_pixels=5, max_side=5).fingerprint() == Options().fingerprint()


def test_defaults_are_an_empty_document() -> None:
    assert Options().to_json() == {}


def test_every_field_has_help_that_ends() -> None:
    for item in fields(Options):
        assert item.metadata["description"].endswith(".")


def test_hints_are_read_from_their_file_at_once(tmp_path) -> None:
    path = tmp_path / "h.json"
    path.write_text('{"version": 1, "hints": [{"x": 0.5, "y": 0.25, "color": "#102030"}]}')
    assert Options.from_flags({"hints": path}).hints == (Hint(0.5, 0.25, "#102030"),)
    path.write_text('{"version": 1, "hints": [{"x": 7, "y": 0.25, "color": "#102030"}]}')
    with pytest.raises(HintError, match="hint 1"):
        Options.from_flags({"hints": path})


def test_hints_count_by_content_not_by_file_name(tmp_path) -> None:
    text = '{"version": 1, "hints": [{"x": 0.5, "y": 0.25, "color": "#102030"}]}'
    (tmp_path / "a.json").write_text(text)
    (tmp_path / "b.json").write_text(text)
    one, other = (Options.from_flags({"hints": tmp_path / name}) for name in ("a.json", "b.json"))
    assert one.fingerprint() == other.fingerprint() != Options().fingerprint()


@pytest.mark.parametrize(
    "document",
    [
        {"vividness": 2},
        {"vividness": "much"},
        {"vividness": True},
        {"quality": 0},
        {"quality": 50.5},
        {"subsampling": "4:1:1"},
        {"strip": "yes"},
        {"model": 3},
        {"page": -1},
        {"colour": "blue"},
    ],
)
def test_a_document_that_makes_no_sense_is_refused(document: dict) -> None:
    with pytest.raises(OptionError, match=next(iter(document))):
        Options.from_json(document)


def test_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})
