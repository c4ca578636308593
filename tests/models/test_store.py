"""Imported models at work: what they made is known by their hash; one that is gone or changed is named."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from photochrom import Colorizer
from photochrom.cli import run
from photochrom.errors import ModelError
from photochrom.models import cards, find, load
from photochrom.models.card import card_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(2):
        Image.fromarray(np.full((40, 50), 90 + 40 * n, np.uint8)).save(folder / f"{n}.png")
    return folder


def mean_color(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).reshape(-1, 3).mean(0)


def test_a_batch_is_resumed_and_made_anew_when_the_model_is_another(
    models: Path,
    photos: Path,
    tmp_path: Path,
    flat_model: Callable[..., Any],
    capfd: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    words = ["batch", str(photos), str(out), "--model", "red", "--workers", "1", "--json"]

    def states() -> list[str]:
        return [json.loads(line)["status"] for line in capfd.readouterr().out.splitlines()]

    assert run(words) == 0
    assert states() == ["done", "done"]
    red = mean_color(out / "0.png")
    assert red[0] > red[2] + 20
    (out / "1.png").unlink()
    assert run(words) == 0
    assert sorted(states()) == ["done", "skipped"]

    flat_model(models / "red", (0, -40), 64, "MIT")  # another model under the same name
    assert run(words) == 0
    assert states() == ["done", "done"]
    assert mean_color(out / "0.png")[2] > red[2] + 20

    shutil.rmtree(models / "red")
    assert run(words) == 4
    assert "unknown model 'red'" in capfd.readouterr().err


def test_a_model_whose_graph_was_swapped_is_named_by_a_batch(
    models: Path, photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(models / "blue/model.onnx", models / "red/model.onnx")
    assert run(["batch", str(photos), str(tmp_path / "out"), "--model", "red", "--workers", "1"]) != 0
    assert "the model red has changed" in capfd.readouterr().err
    assert not list((tmp_path / "out").glob("*.png"))


def test_redo_wants_the_very_model(
    models: Path,
    photos: Path,
    tmp_path: Path,
    flat_model: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.png"
    assert run(["colorize", str(photos / "0.png"), "-o", str(out), "--model", "blue", "--sidecar"]) == 0
    sidecar = tmp_path / "out.colorized.json"
    told = json.loads(sidecar.read_text())
    assert told["model_sha256"] == find("blue")[1].sha256
    assert told["model_licence"] == "CC-BY-NC-4.0 (no commercial use)"
    first = out.read_bytes()
    out.unlink()
    assert run(["redo", str(sidecar)]) == 0
    assert out.read_bytes() == first

    flat_model(models / "blue", (0, -41), 96, "CC-BY-NC-4.0")
    assert run(["redo", str(sidecar), "-o", str(tmp_path / "again.png")]) == 1
    assert "blue has " in capsys.readouterr().err
    shutil.rmtree(models / "blue")
    assert run(["redo", str(sidecar), "-o", str(tmp_path / "again.png")]) == 4
    assert "unknown model 'blue'" in capsys.readouterr().err


@pytest.mark.usefixtures("models")
def test_list_and_show_say_where_commercial_use_is_forbidden(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["list"], ["show", "blue"], ["show", "red+blue"]):
        assert run(["models", *words]) == 0
        assert "CC-BY-NC-4.0 (no commercial use)" in capsys.readouterr().out


def test_an_edited_card_is_seen_by_the_next_load(models: Path) -> None:
    assert Colorizer("red", threads=1).prepare(np.zeros((40, 50), np.uint8)).size == (64, 64)
    path = card_path(models / "red/model.onnx")
    document = json.loads(path.read_text())
    document["size"]["short"] = 32
    path.write_text(json.dumps(document))
    assert Colorizer("red", threads=1).prepare(np.zeros((40, 50), np.uint8)).size == (32, 32)


def test_a_graph_that_changed_is_refused_though_it_was_loaded_before(models: Path) -> None:
    load("red")
    shutil.copy(models / "blue/model.onnx", models / "red/model.onnx")
    with pytest.raises(ModelError, match="the model red has changed"):
        load("red")


def test_one_broken_card_does_not_hide_the_other_models(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card_path(models / "blue/model.onnx").write_text('{"card": 2, "colour": 1}')
    assert set(cards()) == {"photochrom", "red"}
    assert run(["models", "list"]) == 1
    told = capsys.readouterr()
    assert "red\n" in told.out
    assert str(models / "blue/model.json") in told.err
    assert run(["doctor"]) == 1
    told = capsys.readouterr()
    assert "FAIL models" in told.out
    assert "; red 0" in told.out


def test_a_model_is_called_as_its_folder(models: Path) -> None:
    (models / "red").rename(models / "rosy")
    assert find("rosy")[1].name == Colorizer("rosy", threads=1).model.name == "rosy"


@pytest.mark.usefixtures("models")
def test_the_evaluator_shows_two_models_side_by_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for n in range(2):
        coarse = np.random.default_rng(n).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((320, 280), Image.Resampling.BICUBIC).save(data / f"{n}.png")
    few = ["--hints", "0,1", "--hint-photos", "1", "--robust-photos", "1", "--size-photos", "0"]
    asked = ["--model", "red", "--model", "random weights=blue", "--baseline", "none", "--no-features"]
    out = tmp_path / "report"
    assert run(["evaluate", "--data", str(data), *asked, *few, "--out", str(out), "--workers", "1"]) == 0
    assert "random weights" in capsys.readouterr().out
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "<h1>red, random weights</h1>" in page
    assert 'alt="grey | red | random weights | truth"' in page
    assert set(json.loads((out / "report.json").read_text())["models"]) == {"red", "random weights"}
