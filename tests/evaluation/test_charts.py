"""Charts: well-formed SVG that holds what it was given, the same bytes for the same figures."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from photochrom.color import ab_bins
from photochrom.evaluation import charts
from photochrom.evaluation.charts import Series

SVG = "{http://www.w3.org/2000/svg}"
LINES = [
    Series("ours <b>&", [0, 1, 100], [22, 24, 29], "#c2571a", [21, 23, 28], [23, 25, 30]),
    Series("theirs", [0, 10, 100], [24.4, 28.4, 31.1], "#123456", style="o--"),
    Series("a point", [10], [26], "#654321", style="D"),
]


def parsed(drawing: str) -> ElementTree.Element:
    """The drawing as XML: any mistake in quoting or nesting raises."""
    root = ElementTree.fromstring(drawing)
    assert root.tag == f"{SVG}svg"
    assert root.get("aria-label")
    return root


def words(drawing: str) -> set[str | None]:
    return {"".join(element.itertext()) for element in parsed(drawing).iter(f"{SVG}text")}


def test_lines_name_every_series_axis_and_count() -> None:
    drawing = charts.lines(LINES, "hints a photo", "PSNR, dB", counts=True)
    assert {"ours <b>&", "theirs", "a point", "hints a photo", "PSNR, dB", "0", "1", "10", "100"} <= words(
        drawing
    )
    assert all(one.color in drawing for one in LINES)
    assert "stroke-dasharray" in drawing
    assert drawing == charts.lines(LINES, "hints a photo", "PSNR, dB", counts=True)
    assert "<metadata" not in drawing


def markers(drawing: str, color: str) -> list[tuple[float, float]]:
    uses = parsed(drawing).iter(f"{SVG}use")
    found = [use for use in uses if f"fill: {color}" in use.get("style", "")]
    return [(float(use.get("x", "nan")), float(use.get("y", "nan"))) for use in found]


def test_a_higher_value_is_drawn_higher_and_counts_rise_to_the_right() -> None:
    line = Series("ours", [0, 1, 2], [10, 20, 15], "#c2571a")
    drawing = charts.lines([line], "hints", "dB", counts=True)
    (x0, y0), (x1, y1), (x2, y2) = markers(drawing, "#c2571a")[:3]
    assert x0 < x1 < x2
    assert y1 < y2 < y0
    assert (x1 - x0) == pytest.approx((x2 - x1) / np.log2(1.5), rel=0.01)


@pytest.mark.parametrize("count", [1, 400])
def test_scatter_draws_every_photo(count: int) -> None:
    points = np.random.default_rng(0).uniform(0, 120, (count, 2))
    drawing = charts.scatter(points, "#c2571a", "truth", "picture", "ours")
    assert len(markers(drawing, "#c2571a")) == count
    assert {"truth", "picture", "ours"} <= words(drawing)


def test_forest_has_a_line_a_row_and_a_place_for_nothing() -> None:
    rows = [
        ("faces (11)", [(8, 6, 10), None]),
        ("cars (3)", [(-3, -6, -1), (1, 0, 2)]),
        ("empty", [None, None]),
    ]
    drawing = charts.forest(rows, ["#c2571a", "#123456"], "gain over grey, dB")
    assert {"faces (11)", "cars (3)", "empty", "gain over grey, dB"} <= words(drawing)
    (gain, top), (loss, low) = markers(drawing, "#c2571a")
    assert loss < gain
    assert top < low
    assert len(markers(drawing, "#123456")) == 1


def test_ab_map_has_a_square_a_bin_that_occurs(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.axes import Axes

    shown: list[np.ndarray] = []
    drawn = Axes.imshow
    monkeypatch.setattr(
        Axes, "imshow", lambda self, image, **k: (shown.append(image), drawn(self, image, **k))[1]
    )
    bins = ab_bins()
    yellow, blue = (int(np.flatnonzero((bins == ab).all(axis=1))[0]) for ab in ((0, 60), (20, -60)))
    counts = np.zeros(len(bins))
    counts[[yellow, blue]] = (10_000, 1)
    parsed(charts.ab_map(counts, "truth"))
    square = shown[0]
    assert np.count_nonzero(square[..., 3]) == 2
    assert square[18, 12, 3] == 1  # b* = 60 is above the middle, a* = 0 in it
    assert square[18, 12, 2] < square[18, 12, 0]  # yellow: little blue
    assert 0 < square[6, 14, 3] < 0.5
    assert square[6, 14, 2] > square[6, 14, 0]
    parsed(charts.ab_map(np.zeros(len(bins)), "nothing"))


def test_reliability_leaves_out_groups_without_places() -> None:
    share = np.array([0.5, 0.3, 0.2, 0.0])
    confidence, hits = np.array([0.1, 0.4, 0.6, 0.9]), np.array([0.1, 0.5, 0.9, 0.0])
    drawing = charts.reliability(confidence, hits, share)
    assert len(markers(drawing, charts.PALETTE[0])) == 3
    assert len(re.findall(rf"fill: {charts.NEUTRAL}", drawing)) == 4
