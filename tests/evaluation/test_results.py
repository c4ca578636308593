"""The results page: figures in prose equal docs/results.json, the page is what the JSON makes."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.errors import DataError

ROOT = Path(__file__).parents[2]
if not (ROOT / "docs" / "make_results.py").exists():
    pytest.skip("docs/ is not in this copy of the project", allow_module_level=True)
sys.path.insert(0, str(ROOT / "docs"))
import make_results as results  # noqa: E402 it lies beside the modules that it imports
import results_page  # noqa: E402
from stamped_figures import look_up, stamp  # noqa: E402

STORED = ROOT / "docs" / "results.json"
SOME: dict[str, Any] = {"n": 400, "models": {"ours": {"psnr": {"mean": 22.754, "low": None}}}}


# --- markers ------------------------------------------------------------------------------------


def test_a_marker_is_filled_from_the_results() -> None:
    text = "gains <!--figure models/ours/psnr/mean +.1f-->?<!--/--> dB on <!--figure n d-->0<!--/--> photos"
    filled = stamp(text, SOME)
    assert "-->+22.8<!--/--> dB" in filled
    assert "-->400<!--/--> photos" in filled
    assert stamp(filled, SOME) == filled


@given(st.text())
def test_text_without_markers_is_left_alone(text: str) -> None:
    if "<!--figure" not in text:
        assert stamp(text, SOME) == text


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ("<!--figure models/theirs/psnr/mean .2f-->1<!--/-->", "ends before 'theirs'"),
        ("<!--figure n/mean .2f-->1<!--/-->", "ends before 'mean'"),
        ("<!--figure models/ours/psnr/low .2f-->1<!--/-->", "cannot show None"),
        ("<!--figure n nonsense-->1<!--/-->", "cannot show 400"),
    ],
)
def test_a_wrong_marker_is_an_error(marker: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        stamp(marker, SOME)


def test_look_up_follows_keys() -> None:
    assert look_up(SOME, "models/ours/psnr/mean") == 22.754


# --- the committed page -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    if not STORED.exists():
        pytest.skip("docs/results.json is not in this copy of the project")
    return results.read_results(STORED)


@pytest.mark.parametrize("name", [*results.STAMPED, "docs/results.md"])
def test_figures_in_prose_are_those_of_the_json(stored: dict[str, Any], name: str) -> None:
    page = ROOT / name
    if not page.exists():
        pytest.skip(f"{name} is not in this copy of the project")
    text = page.read_text(encoding="utf-8")
    assert stamp(text, stored) == text, "run make results, or python docs/make_results.py --pages-only"


def test_the_page_is_what_the_json_makes(stored: dict[str, Any]) -> None:
    assert (ROOT / "docs/results.md").read_text(encoding="utf-8") == results_page.markdown(stored)
    for name, drawing in results_page.drawings(stored).items():  # bytes differ between matplotlib's versions
        committed = (ROOT / f"docs/results/{name}.svg").read_text(encoding="utf-8")
        labels = r"aria-label=\"[^\"]*\"|<text[^>]*>([^<]*)</text>"
        assert re.findall(labels, committed) == re.findall(labels, drawing)


def test_every_picture_of_the_page_is_there(stored: dict[str, Any]) -> None:
    for link in re.findall(r"!\[[^]]*\]\(([^)]+)\)", results_page.markdown(stored)):
        assert (ROOT / "docs" / link).is_file(), link


def test_the_results_are_of_the_embedded_model(stored: dict[str, Any]) -> None:
    from photochrom.models import find

    _, embedded = find("photochrom")
    assert stored["model"] == {"name": embedded.name, "sha256": embedded.sha256}, (
        "the model changed: make results"
    )


# --- the command --------------------------------------------------------------------------------


def test_missing_photos_say_where_to_get_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = results.main([str(tmp_path / "none"), "--root", str(tmp_path)])
    assert code == 1
    told = capsys.readouterr().err
    assert told.startswith("error: validation photos are missing")
    assert "cocodataset.org" in told


def test_a_baseline_needs_a_name(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert results.main([str(folder), "--root", str(tmp_path), "--baseline", "runs/beta"]) == 2
    assert "takes NAME=RUN" in capsys.readouterr().err


def test_pages_alone_need_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert results.main(["--pages-only", "--root", str(tmp_path)]) == 1
    assert "run make results" in capsys.readouterr().err


def test_from_photos_to_pages(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole command on four photos, then once more from its JSON."""
    for path in sorted(folder.rglob("*.png"))[:8:2]:
        (tmp_path / "val" / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "val" / path.parent.name)
    (tmp_path / "docs").mkdir()
    readme = tmp_path / "README.md"
    readme.write_text("<!--figure models/photochrom/gain/mean +.2f-->?<!--/--> dB")
    options = [
        "--root",
        str(tmp_path),
        str(tmp_path / "val"),
        "--hints",
        "0,1",
        "--size-photos",
        "0",
    ]
    assert results.main(options) == 0, capsys.readouterr().err
    made = json.loads((tmp_path / "docs/results.json").read_text())
    assert f"-->{made['models']['photochrom']['gain']['mean']:+.2f}<!--/-->" in readme.read_text()
    page = (tmp_path / "docs/results.md").read_text()
    assert "## All 4 photos" in page
    assert "## Pictures" not in page  # there is no examples/ here
    assert (tmp_path / "docs/results/hints.svg").read_text().startswith("<svg")
    (tmp_path / "docs/results.md").unlink()
    assert results.main(["--root", str(tmp_path), "--pages-only"]) == 0
    assert (tmp_path / "docs/results.md").read_text() == page


def test_markdown_names_what_was_left_out() -> None:
    assert results_page.left_out({"excluded": []}) == ""
    left = [{"photo": "a/1", "reason": "the truth has no color", "failed": False}]
    assert results_page.left_out({"excluded": left}) == "In no average: a/1 (the truth has no color)."


def test_budgets_are_told() -> None:
    assert results_page.budgets({"budgets": {}}) == ""
    assert "`beta`: 5 photos seen" in results_page.budgets({"budgets": {"beta": "5 photos seen"}})


def test_rows_of_pictures_are_saved(tmp_path: Path) -> None:
    pictures = [np.full((100 + 10 * n, 150, 3), 40 * n, np.uint8) for n in range(5)]
    results_page.save_row(pictures, tmp_path / "row.jpg", columns=2)
    with Image.open(tmp_path / "row.jpg") as saved:
        assert saved.height == 3 * (results_page.HEIGHT + 6)
    assert not results_page.write_examples(tmp_path / "none", tmp_path)


def test_trained_baselines_are_kept_from_earlier() -> None:
    earlier = {
        "protocol": "photos",
        "n": 3,
        "models": {"beta": {"psnr": 1}},
        "budgets": {"beta": "5 photos seen"},
        "groups": {"imagen": {"beta": {"psnr": 2}}},
    }

    def fresh(n: int) -> dict[str, Any]:
        return {"protocol": "photos", "n": n, "models": {}, "budgets": {}, "groups": {"imagen": {}}}

    kept = results.keep_baselines(fresh(3), earlier)
    assert kept["models"] == earlier["models"]
    assert kept["groups"] == earlier["groups"]
    assert results.keep_baselines(fresh(4), earlier)["models"] == {}  # other photos: not comparable
