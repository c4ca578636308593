"""The page's parts, from figures made by hand."""

from __future__ import annotations

import copy
import io
import math
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom.evaluation import page, results_page
from photochrom.evaluation.gallery import Strip, encode_strip, heat
from photochrom.evaluation.plots import NEUTRAL, Point, Series
from photochrom.evaluation.summary import Metric

VOID = {"img", "meta", "br", "link", "circle", "line", "rect", "polyline", "polygon"}


class Balanced(HTMLParser):
    """Raises where a closing tag does not fit."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open, f"nothing is open for </{tag}>"
            assert self.open.pop() == tag


def check(html: str) -> None:
    parser = Balanced()
    parser.feed(html)
    parser.close()
    assert parser.open == []


def entry(mean: float, spread: float = 1.0, n: int = 10) -> dict[str, Any]:
    return {"mean": mean, "low": mean - spread, "high": mean + spread, "n": n}


def figures_of(gain: float) -> dict[str, Any]:
    return {
        "psnr": entry(21 + gain),
        "gain": entry(gain),
        "psnr_hints_10": entry(25 + gain),
        "gain_hints_10": entry(4 + gain),
        "cf_ratio": entry(0.6, 0.1),
        "de2000": entry(12 - gain),
    }


@pytest.fixture
def summary() -> dict[str, Any]:
    models = {
        "ours": figures_of(1),
        "theirs": figures_of(2),
        "grey": {"psnr": entry(21), "gain": entry(0, 0)},
    }
    return {
        "protocol": "photos",
        "n": 10,
        "description": "squares",
        "hint_counts": [0, 10],
        "excluded": [],
        "identical": {},
        "models": models,
        "truth": {"cf_hs": entry(48)},
        "paired": {"theirs − ours": {"psnr": entry(1, 0.5), "de2000": entry(-1, 2)}},
        "sources": {
            "a": {"n": 6, "models": copy.deepcopy(models)},
            "b": {"n": 4, "models": copy.deepcopy(models)},
        },
        "stability": {
            "ours": [
                {"photo": "p", "short_side": 400, "enlarged": [512], "difference": {"256": 0.4, "512": 0.2}}
            ]
        },
    }


PSNR = Metric("psnr", "PSNR", "dB", "higher")


def test_every_part_is_balanced_html(summary: dict[str, Any]) -> None:
    for part in (page.header, page.figures, page.paired, page.hints, page.sources, page.robustness):
        check(part(summary))
    check(page.document("title <&>", "<p>body</p>"))
    check(page.published_table())


def test_names_are_escaped(summary: dict[str, Any]) -> None:
    evil = "<script>alert(1)</script>"
    summary["models"] = {evil: figures_of(1), **summary["models"]}
    summary["excluded"] = [{"photo": evil, "reason": evil, "failed": True}]
    for part in (page.header, page.figures, page.hints):
        assert "<script>" not in part(summary)
    strip = Strip(evil, evil, (evil,), b"")
    assert "<script>" not in page.strip_grid([strip])


def test_photos_left_out_stand_at_the_top(summary: dict[str, Any]) -> None:
    assert "in no average" not in page.header(summary)
    summary["excluded"] = [{"photo": "a/1", "reason": "cannot be read", "failed": True}]
    summary["identical"] = {"ours": 3, "grey": 0}
    top = page.header(summary)
    assert "1 photos are in no average" in top
    assert "a/1: cannot be read" in top
    assert "ours: 3" in top
    assert "grey: 0" not in top


def test_the_better_model_is_marked_and_baselines_are_not(summary: dict[str, Any]) -> None:
    row = page.figure_row(PSNR, summary["models"])
    assert row.count('class="best"') == 1
    assert '<td class="best"><b>23.00</b>' in row
    lower = page.figure_row(Metric("de2000", "ΔE", "", "lower"), summary["models"])
    assert '<td class="best"><b>10.00</b>' in lower
    alone = page.figure_row(PSNR, {name: summary["models"][name] for name in ("ours", "grey")})
    assert 'class="best"' not in alone


def test_a_metric_that_nobody_has_takes_one_cell() -> None:
    missing = {"mean": None, "low": None, "high": None, "not_available": "no weights"}
    row = page.figure_row(PSNR, {"a": {"psnr": missing}, "b": {"psnr": missing}})
    assert 'colspan="2">not available: no weights<' in row
    mixed = page.figure_row(PSNR, {"a": {"psnr": missing}, "b": {"psnr": entry(20)}})
    assert "colspan" not in mixed
    assert "not available: no weights" in mixed


def test_a_clear_difference_is_marked(summary: dict[str, Any]) -> None:
    table = page.paired(summary)
    assert '<td class="best"><b>+1.00</b>' in table
    assert '<td class=""><b>-1.00</b>' in table
    assert page.paired({**summary, "paired": {}}) == ""


def test_titles_say_which_way_is_better() -> None:
    assert page.title(PSNR) == "PSNR, dB ↑"
    assert page.title(Metric("x", "ΔE", "", "lower")) == "ΔE ↓"
    assert page.title(Metric("x", "CF", "", "truth")) == "CF → truth"
    assert page.title(Metric("x", "n")) == "n"


def test_curves_are_of_models_with_hints(summary: dict[str, Any]) -> None:
    lines = page.curves(summary)
    assert [line.name for line in lines] == ["ours", "theirs"]
    assert [(p.x, p.y) for p in lines[0].points] == [(0, 22), (10, 26)]
    assert [p.y for p in page.rises(lines)[0].points] == [0, 4]
    assert page.hints({**summary, "models": {"grey": summary["models"]["grey"]}}) == ""


def test_baselines_are_neutral_and_models_differ() -> None:
    shades = page.colours(["a", "b", "grey", "mean colour", "spreading"])
    assert shades["grey"] == shades["mean colour"] == NEUTRAL
    assert len({shades[name] for name in ("a", "b", "spreading")}) == 3


def test_one_source_needs_no_breakdown(summary: dict[str, Any]) -> None:
    assert "By" not in page.sources(summary)
    assert page.sources({**summary, "sources": {"a": summary["sources"]["a"]}}) == ""


def test_a_source_whose_pictures_are_all_identical_comes_last(summary: dict[str, Any]) -> None:
    del summary["sources"]["a"]["models"]["ours"]["gain"]
    assert page.gain_of(summary["sources"]["a"], "ours") == -math.inf
    drawn = page.sources(summary)
    check(drawn)
    assert drawn.index("b (4)") < drawn.index("a (6)")


def test_enlarged_sizes_are_starred(summary: dict[str, Any]) -> None:
    table = page.robustness(summary)
    assert "<td>0.40</td>" in table
    assert "<td>0.20*</td>" in table
    assert page.robustness({**summary, "stability": {}}) == ""


# --- pictures -----------------------------------------------------------------------------------


def test_a_strip_is_a_jpeg_of_its_pictures_side_by_side() -> None:
    red, blue = (np.full((256, 256, 3), colour, np.uint8) for colour in ((200, 30, 30), (30, 30, 200)))
    picture = np.asarray(Image.open(io.BytesIO(encode_strip([red, blue], side=40))))
    assert picture.shape == (40, 80, 3)
    assert np.abs(picture[:, 2:36].astype(int) - (200, 30, 30)).max() < 12
    assert np.abs(picture[:, 44:].astype(int) - (30, 30, 200)).max() < 12


def test_heat_is_dark_for_nothing_and_bright_for_much() -> None:
    shown = heat(np.array([[0.0, 0.5, 1.0, 9.0]]))
    brightness = shown.sum(axis=2)[0]
    assert brightness[0] < brightness[1] < brightness[2] == brightness[3]


def test_a_strip_goes_into_the_page_whole() -> None:
    html = page.strip_grid([Strip("a/1", "+1.0 dB", ("grey", "truth"), b"\xff\xd8")])
    check(html)
    assert 'src="data:image/jpeg;base64,/9g="' in html
    assert page.strip_grid([]) == ""


# --- the Markdown page --------------------------------------------------------------------------


def test_markdown_tables_have_one_width(summary: dict[str, Any]) -> None:
    lines = results_page.table(summary, summary["models"]).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[0] == "| | ours | theirs | grey |"
    assert "| PSNR, dB ↑ | 22.00 [21.00, 23.00] |" in lines[2]


def test_markdown_names_what_was_left_out(summary: dict[str, Any]) -> None:
    assert results_page.left_out(summary) == ""
    summary["excluded"] = [{"photo": "a/1", "reason": "the truth has no colour", "failed": False}]
    assert results_page.left_out(summary) == "In no average: a/1 (the truth has no colour)."


def test_budgets_are_told() -> None:
    assert results_page.budgets({"budgets": {}}) == ""
    assert "`beta`: 5 photos seen" in results_page.budgets({"budgets": {"beta": "5 photos seen"}})


def test_rows_of_pictures_are_saved(tmp_path: Any) -> None:
    pictures = [np.full((100 + 10 * n, 150, 3), 40 * n, np.uint8) for n in range(5)]
    results_page.save_row(pictures, tmp_path / "row.jpg", columns=2)
    with Image.open(tmp_path / "row.jpg") as saved:
        assert saved.height == 3 * (results_page.HEIGHT + 6)
    assert not results_page.write_examples(tmp_path / "none", tmp_path)


def test_a_published_line_is_dashed(summary: dict[str, Any]) -> None:
    assert "stroke-dasharray" in page.hints(summary)
    assert Series("x", [Point(0, 1)], "#000000").dashed is False
