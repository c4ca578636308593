"""`photochrom train` and `photochrom export` as a user meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from safetensors.torch import save_file

from photochrom.cli import run
from photochrom.training import checkpoints
from photochrom.training.networks.seed import Alpha

if TYPE_CHECKING:
    from pathlib import Path


def test_from_a_photo_to_a_colored_photo(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    options = ["--set", "schedule.epochs=2", "--set", "schedule.sheets=0", "--threads", "1"]
    assert run(["train", "alpha", "--data", str(photo), "--out", str(out), *options]) == 0
    told = capsys.readouterr()
    assert told.out == f"{out}\n"
    assert "1 photos to train on" in told.err
    assert "loss" in told.err
    colored = tmp_path / "colored.png"
    assert run(["colorize", str(photo), "--model", str(out), "-o", str(colored)]) == 0
    assert colored.exists()
    capsys.readouterr()

    graph = tmp_path / "again.onnx"
    assert run(["export", str(out), str(graph)]) == 0
    assert capsys.readouterr().out == f"{graph}\n"
    assert graph.with_suffix(".json").exists()
    assert run(["export", str(out), str(graph)]) == 1
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["gamma", "--data", "PHOTO", "--out", "OUT"], 2, "alpha, beta, fusion, photochrom"),
        (
            ["alpha", "--data", "PHOTO", "--out", "OUT", "--set", "schedule.epoch=1"],
            2,
            "did you mean 'epochs'",
        ),
        (["alpha", "--data", "PHOTO", "--out", "OUT", "--set", "schedule.epochs=-1"], 2, "at least 0"),
        (["alpha", "--data", "NOTHING", "--out", "OUT"], 1, "there is nothing at"),
        (["alpha", "--data", "PHOTO", "--out", "PHOTO"], 2, "is a file"),
        (["alpha", "--data", "PHOTO", "--out", "OUT", "--resume"], 1, "without --resume"),
        (["alpha", "--data", "PHOTO", "--out", "OUT", "--resume", "--init", "x"], 2, "leave --init out"),
        (["alpha", "--data", "PHOTO", "--out", "OUT", "--init", "missing.safetensors"], 1, "no weights"),
        (["alpha", "--out", "OUT"], 2, "--data"),
    ],
)
def test_mistakes(
    words: list[str], code: int, said: str, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"PHOTO": str(photo), "OUT": str(tmp_path / "run"), "NOTHING": str(tmp_path / "nothing")}
    assert run(["train", *(places.get(word, word) for word in words)]) == code
    told = capsys.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_export_of_what_is_no_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch")
    save_file({"x": torch.zeros(2)}, tmp_path / "x.safetensors")
    for source, said in ((tmp_path / "x.safetensors", "no network"), (tmp_path / "missing", "no weights")):
        assert run(["export", str(source), str(tmp_path / "model.onnx")]) == 1
        assert said in capsys.readouterr().err
    checkpoints.save_weights(tmp_path / "alpha.safetensors", Alpha().state_dict(), {})
    assert run(["export", str(tmp_path / "alpha.safetensors"), str(tmp_path / "model.bin")]) == 2
    assert "must end in .onnx" in capsys.readouterr().err
