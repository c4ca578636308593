"""photochrom evaluate and photochrom study on the command line, with the embedded model."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from skimage import data

from photochrom.cli.evaluate import _BASELINE_NAMES, _PROTOCOL_NAMES, split
from photochrom.cli.evaluate import command as evaluate
from photochrom.cli.study import command as study
from photochrom.errors import DataError, OptionError
from photochrom.evaluation.protocols import PROTOCOLS

if TYPE_CHECKING:
    from pathlib import Path

FAST = ["--hints", "0,1", "--size-photos", "0", "--robust-photos", "0", "--no-features"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth")
    for number, source in enumerate((data.astronaut, data.coffee, data.chelsea)):
        place = folder / ("a" if number else "b")
        place.mkdir(exist_ok=True)
        picture = np.ascontiguousarray(source()[60:252, 60:252])
        Image.fromarray(picture).save(place / f"{number}.png")
    return folder


def run(command: object, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=True)  # type: ignore[arg-type]


def test_the_embedded_model_by_default(photos: Path, tmp_path: Path) -> None:
    result = run(evaluate, "--data", photos, "--out", tmp_path / "report", *FAST)
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert list(report["models"]) == ["photochrom", "grey", "mean color", "spreading"]
    assert report["n"] == 3
    assert report["models"]["photochrom"]["psnr"]["mean"] > 10
    assert report["models"]["photochrom"]["luma_steps"]["mean"] <= 0.5
    assert {"ece", "hint_obeyed", "psnr_hints_1"} <= set(report["models"]["photochrom"])
    assert result.stdout.strip().endswith("index.html")
    assert "PSNR, dB ↑" in result.stdout
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {"index.html", "report.json", "metrics.csv", "photos.csv"}


def test_folders_of_pictures_alone(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path / "theirs")
    options = ["--predictions", f"theirs={tmp_path / 'theirs'}", "--baseline", "grey", *FAST]
    result = run(evaluate, "--data", photos, "--out", tmp_path / "report", *options)
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert list(report["models"]) == ["theirs", "grey"]
    assert report["identical"]["theirs"] == 3  # the truths cut like the truths
    assert report["models"]["theirs"]["de2000"]["mean"] == 0


def test_what_was_left_out_is_told_and_changes_the_exit_code(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path / "data")
    (tmp_path / "data/a/1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    options = ["--data", tmp_path / "data", "--out", tmp_path / "report", "--predictions", photos, *FAST]
    result = run(evaluate, *options)
    assert result.exit_code == 3
    assert "left out: a/1: cannot be read" in result.stderr
    assert "a/1: cannot be read" in (tmp_path / "report/index.html").read_text()


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        (["--hints", "many"], OptionError, "--hints takes numbers"),
        (["--only", "nothing*"], DataError, "no photos matching"),
        (["--protocol", "imagenet-val5k"], DataError, "needs its 5000 photos, but 0 of the 3"),
        (["--predictions", "nowhere"], DataError, "nowhere is not a folder"),
        (["--baseline", "none", "--baseline", "grey"], OptionError, "stands alone"),
    ],
)
def test_mistakes(photos: Path, tmp_path: Path, options: list[str], error: type, sentence: str) -> None:
    result = run(evaluate, "--data", photos, "--out", tmp_path / "report", *options)
    assert isinstance(result.exception, error)
    assert sentence in str(result.exception)
    assert not (tmp_path / "report").exists()


def test_an_empty_folder(tmp_path: Path) -> None:
    result = run(evaluate, "--data", tmp_path, "--out", tmp_path / "report")
    assert isinstance(result.exception, DataError)
    assert "there are no photos" in str(result.exception)


def test_choices_are_those_of_the_room() -> None:
    assert set(_PROTOCOL_NAMES) == {*PROTOCOLS, "video"}  # films are measured by a way of their own
    assert len(_BASELINE_NAMES) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ours=runs/a", ("ours", "runs/a")),
        ("runs/a", ("a", "runs/a")),
        ("photochrom", ("photochrom", "photochrom")),
        ("out/x=1/model.onnx", ("model", "out/x=1/model.onnx")),
    ],
)
def test_names(text: str, expected: tuple[str, str]) -> None:
    assert split(text) == expected


def test_a_study_from_creation_to_report(photos: Path, tmp_path: Path) -> None:
    place = tmp_path / "study"
    counts = ["--pairs", "2", "--practice", "1"]
    made = run(study, "create", place, "--truth", photos, "--model", "ours=photochrom", *counts)
    assert made.exit_code == 0, made.output
    assert "should have 40 pairs" in made.stderr
    assert len(list((place / "images").iterdir())) == 6
    told = run(study, "report", place)
    assert told.exit_code == 0, told.output
    assert "0 participants" in told.stdout
    assert "fooling rate of ours: no answers yet" in told.stdout
    assert (place / "report/index.html").exists()


def test_a_study_needs_predictions(photos: Path, tmp_path: Path) -> None:
    refused = run(study, "create", tmp_path / "study", "--truth", photos)
    assert isinstance(refused.exception, OptionError)
    assert isinstance(run(study, "report", photos).exception, DataError)
