"""One table, three renderings."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from photochrom.evaluation.summary import Metric
from photochrom.evaluation.tables import NOTHING, Cell, Table, metric_table, title


def entry(mean: float, spread: float = 1.0) -> dict[str, Any]:
    return {"mean": mean, "low": mean - spread, "high": mean + spread, "n": 10}


MISSING = {"mean": None, "low": None, "high": None, "not_available": "no weights"}
MODELS: dict[str, Any] = {
    "ours": {"psnr": entry(22), "de2000": entry(11), "lpips_vgg": MISSING},
    "theirs": {"psnr": entry(23), "de2000": entry(10), "lpips_vgg": MISSING},
    "grey": {"psnr": entry(30), "de2000": entry(1), "lpips_vgg": MISSING},
}


class Cells(HTMLParser):
    """The text and class of every cell, line by line."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lines: list[list[str]] = []
        self.marked: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.lines.append([])
        if tag in ("td", "th"):
            self.lines[-1].append("")
            self.best = dict(attrs).get("class") == "best"

    def handle_data(self, data: str) -> None:
        if self.best and not self.lines[-1][-1]:
            self.marked.append(data)
        self.lines[-1][-1] += data


def test_the_renderings_hold_the_same_figures() -> None:
    table = metric_table(MODELS, (0,), "photos, 10 photos")
    html = Cells(table.html())
    assert html.lines[0] == ["photos, 10 photos", "ours", "theirs", "grey"]
    assert html.lines[1] == ["PSNR, dB ↑", "22.0021.00 … 23.00", "23.0022.00 … 24.00", "30.0029.00 … 31.00"]
    markdown = table.markdown().splitlines()
    assert markdown[0] == "| photos, 10 photos | ours | theirs | grey |"
    assert (
        markdown[2] == "| PSNR, dB ↑ | 22.00 [21.00, 23.00] | 23.00 [22.00, 24.00] | 30.00 [29.00, 31.00] |"
    )
    assert len({line.count("|") for line in markdown}) == 1
    text = table.text().splitlines()
    assert text[1].split()[:3] == ["PSNR,", "dB", "↑"]
    assert "22.00 [21.00, 23.00]" in text[1]
    assert len({len(line) for line in text}) == 1
    assert "not available" in text[-1]
    assert "no weights" not in text[-1]


def test_the_best_real_model_of_a_line_is_marked() -> None:
    assert Cells(metric_table(MODELS, (0,)).html()).marked == ["23.00", "10.00"]
    alone = {name: MODELS[name] for name in ("ours", "grey")}
    assert Cells(metric_table(alone, (0,)).html()).marked == []


def test_a_clear_difference_is_marked() -> None:
    table = metric_table(
        {"theirs − ours": {"psnr": entry(1, 0.5), "de2000": entry(-1, 2)}}, (0,), signed=True
    )
    html = Cells(table.html())
    assert html.marked == ["+1.00"]
    assert html.lines[2][1] == "-1.00-3.00 … +1.00"


def test_a_metric_that_nobody_has_says_why() -> None:
    table = metric_table(MODELS, (0,))
    assert table.rows[-1][0] == "LPIPS (VGG) ↓"
    assert {str(cell) for cell in table.rows[-1][1]} == {"not available: no weights"}


def test_what_stands_in_a_table_is_escaped() -> None:
    evil = "<script>alert(1)|</script>"
    table = Table(
        [evil, evil], [(evil, [Cell(evil, evil)]), (evil, [Cell(evil, prose=True)]), (evil, [NOTHING])]
    )
    assert "<script>" not in table.html()
    assert len({line.count("|") for line in table.markdown().splitlines()}) == 1


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        (Metric("psnr", "PSNR", "dB", "higher"), "PSNR, dB ↑"),
        (Metric("x", "ΔE", "", "lower"), "ΔE ↓"),
        (Metric("x", "CF", "", "truth"), "CF → truth"),
        (Metric("x", "n"), "n"),
    ],
)
def test_titles_say_which_way_is_better(metric: Metric, told: str) -> None:
    assert title(metric) == told
