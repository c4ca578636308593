"""Drawings: well-formed, in their frame, values where they belong."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.color import ab_bins
from photochrom.evaluation import plots
from photochrom.evaluation.plots import Frame, Point, Series

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing: str) -> ElementTree.Element:
    """The drawing as XML: any mistake in quoting or nesting raises."""
    root = ElementTree.fromstring(drawing)
    assert root.tag == f"{SVG}svg"
    assert root.get("aria-label")
    return root


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


@given(st.floats(-1000, 1000), st.floats(0.01, 1000), st.integers(2, 12))
def test_ticks_are_round_few_and_inside(low: float, width: float, wanted: int) -> None:
    high = low + width
    found = plots.ticks(low, high, wanted)
    assert len(found) <= wanted + 1
    assert all(low - 1e-6 * width <= tick <= high + 1e-6 * width for tick in found)
    if len(found) > 2:
        steps = np.diff(found)
        assert steps.max() - steps.min() < 1e-6 * max(1, abs(low), abs(high))
        mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-9)
        assert min(abs(mantissa - round_one) for round_one in (1, 2, 5, 10)) < 1e-3


def test_a_frame_maps_its_corners() -> None:
    frame = Frame((0, 10), (20, 30), width=400, height=300, left=50, right=20, top=10, bottom=40)
    assert (frame.x(0), frame.x(10)) == (50, 380)
    assert (frame.y(20), frame.y(30)) == (260, 10)


def test_hint_curves_hold_every_line_and_band() -> None:
    lines = [
        Series("ours <b>&", [Point(0, 22, 21, 23), Point(1, 24, 23, 25), Point(100, 29, 28, 30)], "#c2571a"),
        Series("theirs", [Point(0, 24.4), Point(10, 28.4), Point(100, 31.1)], "#888888", dashed=True),
    ]
    root = parsed(plots.hint_curves(lines))
    assert len(root.findall(f"{SVG}polyline")) == 2
    assert len(root.findall(f"{SVG}circle")) == 6
    labels = [element.text for element in root.findall(f"{SVG}text")]
    assert {"ours <b>&", "theirs", "hints a photo", "0", "1", "10", "100"} <= set(labels)
    dashed = [line for line in root.findall(f"{SVG}polyline") if line.get("stroke-dasharray")]
    assert len(dashed) == 1


def test_a_higher_value_is_drawn_higher() -> None:
    line = Series("ours", [Point(0, 10), Point(1, 20), Point(2, 15)], "#000000")
    root = parsed(plots.hint_curves([line]))
    heights = [float(circle.get("cy", "nan")) for circle in root.findall(f"{SVG}circle")]
    assert heights[1] < heights[2] < heights[0]
    places = [float(circle.get("cx", "nan")) for circle in root.findall(f"{SVG}circle")]
    assert places == sorted(places)


def test_labels_that_would_overlap_are_pushed_apart() -> None:
    frame = Frame((0, 1), (0, 1))
    lines = [Series(f"line {n}", [Point(0, 0), Point(1, 0.5 + n / 1000)], "#000000") for n in range(5)]
    heights = sorted(numbers(label)[1] for label in plots.line_ends(frame, lines))
    assert min(np.diff(heights)) >= 15


@pytest.mark.parametrize("count", [0, 1, 400])
def test_scatter_draws_every_photo_inside(count: int) -> None:
    points = np.random.default_rng(0).uniform(0, 120, (count, 2)) if count else np.zeros((1, 2))
    root = parsed(plots.scatter(points, "#c2571a", "truth", "picture", "ours"))
    circles = root.findall(f"{SVG}circle")
    assert len(circles) == max(count, 1)
    for circle in circles:
        assert 56 <= float(circle.get("cx", "nan")) <= 340 - 14
        assert 14 <= float(circle.get("cy", "nan")) <= 330 - 46


def test_forest_has_a_line_a_row_and_a_place_for_nothing() -> None:
    rows = [
        ("faces (11)", [Point(0, 8, 6, 10), None]),
        ("cars (3)", [Point(0, -3, -6, -1), Point(0, 1, 0, 2)]),
    ]
    root = parsed(plots.forest(rows, ["#c2571a", "#1f77b4"], "gain over grey, dB"))
    assert len(root.findall(f"{SVG}circle")) == 3
    labels = [element.text for element in root.findall(f"{SVG}text")]
    assert "faces (11)" in labels
    assert "gain over grey, dB" in labels


def test_forest_of_nothing_still_draws() -> None:
    parsed(plots.forest([("empty", [None])], ["#000000"], "nothing"))


def test_a_forests_zero_lies_between_losses_and_gains() -> None:
    rows = [("gain", [Point(0, 2, 1, 3)]), ("loss", [Point(0, -2, -3, -1)])]
    root = parsed(plots.forest(rows, ["#000000"], "dB"))
    gain, loss = (float(circle.get("cx", "nan")) for circle in root.findall(f"{SVG}circle"))
    upright = [e for e in root.findall(f"{SVG}line") if e.get("x1") == e.get("x2") and e.get("y1") == "14"]
    assert loss < float(upright[0].get("x1", "nan")) < gain


def test_ab_map_draws_only_colours_that_occur() -> None:
    counts = np.zeros(len(ab_bins()))
    counts[[10, 100]] = (1, 10_000)
    root = parsed(plots.ab_map(counts, "truth"))
    squares = root.findall(f"{SVG}rect")
    assert len(squares) == 2
    strength = [float(square.get("opacity", "nan")) for square in squares]
    assert strength[0] < strength[1] == 1
    assert parsed(plots.ab_map(np.zeros(len(ab_bins())), "nothing")) is not None


def test_an_ab_squares_place_and_colour_follow_its_bin() -> None:
    bins = ab_bins()
    yellow = int(np.flatnonzero((bins == (0, 60)).all(axis=1))[0])
    blue = int(np.flatnonzero((bins == (20, -60)).all(axis=1))[0])
    counts = np.zeros(len(bins))
    counts[[yellow, blue]] = 1
    squares = parsed(plots.ab_map(counts, "truth")).findall(f"{SVG}rect")
    by_height = sorted(squares, key=lambda square: float(square.get("y", "nan")))
    top, low = (square.get("fill", "") for square in by_height)
    assert int(top[5:7], 16) < int(top[1:3], 16)  # yellow above: little blue in it
    assert int(low[5:7], 16) > int(low[1:3], 16)


def test_reliability_draws_bars_and_groups_with_places() -> None:
    share = np.array([0.5, 0.3, 0.2, 0.0])
    confidence, hits = np.array([0.1, 0.4, 0.6, 0.9]), np.array([0.1, 0.5, 0.9, 0.0])
    root = parsed(plots.reliability(confidence, hits, share))
    assert len(root.findall(f"{SVG}rect")) == 4
    assert len(root.findall(f"{SVG}circle")) == 3  # the empty group has no point


def test_simple_line_starts_at_zero() -> None:
    root = parsed(plots.simple_line([Point(0.2, 5), Point(0.8, 20)], "entropy", "error"))
    assert "0" in [element.text for element in root.findall(f"{SVG}text")]
    assert len(root.findall(f"{SVG}circle")) == 2


def test_drawings_carry_their_own_style_for_light_and_dark() -> None:
    drawing = plots.simple_line([Point(0.2, 5), Point(0.8, 20)], "entropy", "error")
    assert "prefers-color-scheme:dark" in drawing
    assert "var(" not in drawing  # a saved file has no page to inherit from
