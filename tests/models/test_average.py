"""Averages of models, and the providers that run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from photochrom import Colorizer, Hint
from photochrom.cli import run
from photochrom.errors import OptionError, UnknownModel, UnsupportedReading
from photochrom.models import catalogue, find, members
from photochrom.models.session import PROVIDER, PROVIDERS, chosen_providers

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("models")
GREY = np.tile(np.arange(30, 220, dtype=np.uint8), (120, 1))


@pytest.mark.parametrize(
    ("model", "expected"),
    [("red+blue", (20, -10)), ("3*red+blue", (30, 5)), ("red + 0.5*blue+0.5*blue", (20, -10))],
)
def test_an_average_is_the_weighted_mean(model: str, expected: tuple[float, float]) -> None:
    plate = Colorizer(model, threads=1).prepare(GREY)
    assert plate.size == (96, 96)
    assert plate.chroma().reshape(-1, 2) == pytest.approx(np.tile(expected, (96 * 96, 1)), abs=0.1)
    assert plate.render([Hint(0.5, 0.5, "#c03020")]).rgb.shape == (*GREY.shape, 3)
    with pytest.raises(UnsupportedReading, match="no distribution"):
        plate.uncertainty()


def test_with_a_model_that_has_a_distribution() -> None:
    colorizer = Colorizer("photochrom+red", threads=1)
    assert colorizer.model.licence == "Apache-2.0 and MIT"
    ours = Colorizer(threads=1).prepare(GREY).chroma((), 0.3).mean((0, 1))
    reds = Colorizer("red", threads=1).prepare(GREY).chroma((), 0.3).mean((0, 1))
    mean = colorizer.prepare(GREY).chroma((), 0.3).mean((0, 1))
    assert mean == pytest.approx((ours + reds) / 2, abs=1.0)


def test_the_hash_covers_members_and_weights(models: Path) -> None:
    hashes = {find(model)[1].sha256 for model in ("red+blue", "2*red+blue", "blue+red", "red+red")}
    assert len(hashes) == 4
    assert find("red+blue")[1].family == "average"


@pytest.mark.parametrize("model", ["red+", "x*red+blue", "-1*red+blue", "nan*red+blue", "+"])
def test_averages_that_are_none(model: str) -> None:
    with pytest.raises(OptionError, match="not an average of models"):
        members(model)


def test_a_folder_without_a_card_is_no_model(models: Path) -> None:
    (models / "half").mkdir()
    (models / "half/model.onnx").write_bytes(b"x")
    assert run(["models", "list"]) == 0
    assert "half" not in catalogue()


def test_a_member_that_is_unknown_is_named() -> None:
    with pytest.raises(UnknownModel, match="'green'"):
        Colorizer("red+green")


def test_providers_by_short_name_and_full_name() -> None:
    cpu = "CPUExecutionProvider"
    assert chosen_providers(["cpu"]) == chosen_providers([cpu]) == (cpu,)
    assert Colorizer("red", providers=["cpu"]).network.session.providers == (cpu,)


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "cpu"])
def test_a_provider_that_is_not_here_names_its_package(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.models.session.available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(OptionError, match=f"pip install {PROVIDERS[name][1]}"):
        chosen_providers([name])
    assert chosen_providers([name, "cpu"]) == ("CPUExecutionProvider",)
    with pytest.raises(OptionError, match="no provider is called"):
        chosen_providers(["abacus"])


def test_the_commands_take_a_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PROVIDER, "cpu")  # put back at the end
    from PIL import Image

    Image.fromarray(GREY).save(tmp_path / "photo.png")
    words = ["colorize", str(tmp_path / "photo.png"), "--model", "red+blue"]
    monkeypatch.setattr("photochrom.models.session.available_providers", lambda: ["CPUExecutionProvider"])
    assert run([*words, "--provider", "cuda"]) != 0
    assert "onnxruntime-gpu" in capsys.readouterr().err
    assert run([*words, "--provider", "cuda,cpu"]) == 0
