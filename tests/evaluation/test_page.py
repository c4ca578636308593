"""The page's parts, from figures made by hand."""

from __future__ import annotations

import copy
import io
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom.evaluation import page
from photochrom.evaluation.charts import NEUTRAL
from photochrom.evaluation.gallery import Strip, _heat, encode_strip

VOID = {"img", "meta", "br", "link", "circle", "line", "rect", "path", "use", "image"}


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
        "truth": {"cf_hs": entry(48), "dark_plum": entry(4)},
        "curves": {
            "ours": [
                {"vividness": v, "gain": 1 - v, "cf_ratio": 0.4 + v, "psnr": 22 - v, "cf_hs": 20 + 20 * v}
                for v in (0, 0.5, 1)
            ]
        },
        "neighbors": {"ours": [{"photo": "astronaut", "thing": "suit", "own": 20.0, "others": 1.5}]},
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


PARTS = (page._header, page._figures, page._paired, page._neighbors, page._sources, page._sizes, page._hints)


def test_every_part_is_balanced_html(summary: dict[str, Any]) -> None:
    for part in PARTS:
        html = part(summary)
        assert html
        check(html)
    check(page.document("title <&>", "<p>body</p>"))
    check(page._published())


def test_names_are_escaped(summary: dict[str, Any]) -> None:
    evil = "<script>alert(1)</script>"
    summary["models"] = {evil: figures_of(1), **summary["models"]}
    summary["excluded"] = [{"photo": evil, "reason": evil, "failed": True}]
    for part in (page._header, page._figures, page._hints):
        assert "<script>" not in part(summary)
    strip = Strip(evil, evil, (evil,), b"")
    assert "<script>" not in page.strip_grid([strip])


def test_photos_left_out_stand_at_the_top(summary: dict[str, Any]) -> None:
    assert "in no average" not in page._header(summary)
    summary["excluded"] = [{"photo": "a/1", "reason": "cannot be read", "failed": True}]
    summary["identical"] = {"ours": 3, "grey": 0}
    top = page._header(summary)
    assert "1 photos are in no average" in top
    assert "a/1: cannot be read" in top
    assert "ours: 3" in top
    assert "grey: 0" not in top


def test_curves_are_of_models_with_hints(summary: dict[str, Any]) -> None:
    lines = page.hint_curves(summary["models"], summary["hint_counts"])
    assert [line.name for line in lines] == ["ours", "theirs", "siggraph17 (published)"]
    assert (lines[0].x, lines[0].y) == ([0, 10], [22, 26])
    assert (lines[2].x, lines[2].style) == ([0, 1, 2, 5, 10], "o--")
    assert page._hints({**summary, "models": {"grey": summary["models"]["grey"]}}) == ""


def test_published_systems_are_points_beside_the_curve_of_colorfulness(summary: dict[str, Any]) -> None:
    own, beside = page.color_charts(summary["curves"], {"ours": "#123456"})
    assert "second-hand" not in own
    assert "DDColor-L 2023 (second-hand)" in beside
    assert page.color_charts({}, {}) == []


def test_baselines_are_neutral_and_models_differ() -> None:
    shades = page.shades(["a", "b", "grey", "mean color", "spreading"])
    assert shades["grey"] == shades["mean color"] == NEUTRAL
    assert len({shades[name] for name in ("a", "b", "spreading")}) == 3


def test_one_source_needs_no_breakdown(summary: dict[str, Any]) -> None:
    assert "By" not in page._sources(summary)
    assert page._sources({**summary, "sources": {"a": summary["sources"]["a"]}}) == ""


def test_a_source_whose_pictures_are_all_identical_comes_last(summary: dict[str, Any]) -> None:
    del summary["sources"]["a"]["models"]["ours"]["gain"]
    drawn = page._sources(summary)
    check(drawn)
    assert drawn.index("b (4)") < drawn.index("a (6)")  # in the order in which they are drawn


def test_enlarged_sizes_are_starred(summary: dict[str, Any]) -> None:
    table = page._sizes(summary)
    assert "<b>0.40</b>" in table
    assert "<b>0.20*</b>" in table
    assert page._sizes({**summary, "stability": {}}) == ""


# --- pictures -----------------------------------------------------------------------------------


def test_a_strip_is_a_jpeg_of_its_pictures_side_by_side() -> None:
    red, blue = (np.full((256, 256, 3), color, np.uint8) for color in ((200, 30, 30), (30, 30, 200)))
    picture = np.asarray(Image.open(io.BytesIO(encode_strip([red, blue], side=40))))
    assert picture.shape == (40, 80, 3)
    assert np.abs(picture[:, 2:36].astype(int) - (200, 30, 30)).max() < 12
    assert np.abs(picture[:, 44:].astype(int) - (30, 30, 200)).max() < 12


def test_heat_is_dark_for_nothing_and_bright_for_much() -> None:
    shown = _heat(np.array([[0.0, 0.5, 1.0, 9.0]]))
    brightness = shown.sum(axis=2)[0]
    assert brightness[0] < brightness[1] < brightness[2] == brightness[3]


def test_a_strip_goes_into_the_page_whole() -> None:
    html = page.strip_grid([Strip("a/1", "+1.0 dB", ("grey", "truth"), b"\xff\xd8")])
    check(html)
    assert 'src="data:image/jpeg;base64,/9g="' in html
    assert page.strip_grid([]) == ""
