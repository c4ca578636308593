"""Whole runs, from photos to a model that colors, and what stops them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from photochrom import Colorizer, read
from photochrom.errors import CheckpointError, DataError, OptionError, TrainingError
from photochrom.training import checkpoints, finish, loader
from photochrom.training import recipe as recipes
from photochrom.training import run as running
from photochrom.training.run import RunOptions
from photochrom.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photochrom.training.recipe import Recipe

CPU = torch.device("cpu")


def weights(run: Path) -> dict[str, torch.Tensor]:
    state = checkpoints.load(run / "checkpoint.pt", CPU)
    return {f"{part}.{name}": value for part in ("network", "average") for name, value in state[part].items()}


def identical(a: Path, b: Path) -> bool:
    ours, theirs = weights(a), weights(b)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def lines(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def train(recipe: Recipe, data: Path, out: Path, options: RunOptions | None = None) -> Path:
    assert running.train(recipe, data, out, options)
    return out


@pytest.fixture
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that stop short of the ONNX graph, which takes seconds, and leave its card alone."""
    monkeypatch.setattr(
        finish, "export", lambda _, target, card: target.with_suffix(".json").write_text(card.dump())
    )


def with_(recipe: Recipe, *changes: str) -> Recipe:
    return recipes.parse(recipes.dump(recipe).encode(), "test", changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of eight epochs of alpha on the astronaut, kept small."""
    place = tmp_path_factory.mktemp("alpha")
    data = pytest.importorskip("skimage.data")
    Image.fromarray(data.astronaut()).resize((64, 48)).save(place / "photo.png")
    recipe = recipes.load("alpha", ("schedule.epochs=8", "schedule.checkpoint=4", "schedule.sheets=1"))
    return train(recipe, place / "photo.png", place / "run")


def test_a_run_leaves_everything(run: Path) -> None:
    left = {path.name for path in run.iterdir()}
    assert left >= {
        "checkpoint.pt", "img_gray_scale.png", "img_result.png", "log.jsonl", "loss.png",
        "model.json", "model.onnx", "recipe.toml", "sheets", "weights.safetensors",
    }  # fmt: skip
    assert not [name for name in left if "partial" in name]
    assert recipes.load(str(run / "recipe.toml")).schedule.epochs == 8


def test_every_epochs_loss_is_shown(run: Path) -> None:
    losses = [line["loss"] for line in lines(run) if "loss" in line]
    assert len(losses) == 8
    assert all(loss > 0 for loss in losses)


def test_the_pictures_are_the_articles(run: Path) -> None:
    result = np.asarray(Image.open(run / "img_result.png"))
    grey = np.asarray(Image.open(run / "img_gray_scale.png"))
    assert result.shape == (48, 64, 3)
    assert grey.shape == (48, 64)
    assert (result.std(-1) > 0).any()


def test_the_card_tells_how_the_model_was_made(run: Path) -> None:
    card = json.loads((run / "model.json").read_text())
    assert card["head"] == "ab"
    assert card["size"]["multiple"] == 8
    training = card["training"]
    assert (training["network"], training["photos_seen"], training["photos"]) == ("alpha", 8, 1)
    assert training["recipe"]["optimizer"]["name"] == "rmsprop"
    assert training["started_from"] == "random weights"
    assert training["evaluation_loss"] > 0
    assert "NaN" not in json.dumps(training)


def test_the_model_colors(run: Path) -> None:
    photo = read(run / "img_gray_scale.png")
    colored = Colorizer(run, threads=1).prepare(photo).render()
    assert colored.rgb.shape == (48, 64, 3)
    assert (colored.rgb.std(-1) > 0).any()


WITHOUT_TORCH = """
import sys
from photochrom.cli import run
code = run(["colorize", sys.argv[1], "-o", sys.argv[2], "--model", sys.argv[3]])
print(code, "torch" in sys.modules)
"""


def test_the_model_colors_without_torch(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "colored.png"
    command = [sys.executable, "-c", WITHOUT_TORCH, str(run / "img_gray_scale.png"), str(out), str(run)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.stdout.split()[-2:] == ["0", "False"], told.stderr
    assert np.asarray(Image.open(out)).shape == (48, 64, 3)


@pytest.mark.usefixtures("no_export")
def test_weights_start_another_run(run: Path, photo: Path, tmp_path: Path, alpha: Recipe) -> None:
    still = with_(alpha, "schedule.epochs=1", "optimizer.learning_rate=0", "schedule.sheets=0")
    for number, source in enumerate((run, run / "weights.safetensors", run / "checkpoint.pt")):
        out = train(still, photo, tmp_path / str(number), RunOptions(init=source))
        card = json.loads((out / "model.json").read_text())
        assert card["training"]["started_from"] == str(source)
        for name, value in weights(run).items():
            torch.testing.assert_close(weights(out)[name], value, atol=1e-3, rtol=1e-3)


def test_weights_of_another_network_start_nothing(run: Path, photo: Path, tmp_path: Path) -> None:
    beta = recipes.load("beta", ("samples.size=32", "schedule.batch=1", "schedule.epochs=1"))
    with pytest.raises(CheckpointError, match="another network than beta"):
        train(beta, photo, tmp_path / "beta", RunOptions(init=run))


def test_a_folder_that_holds_a_run_is_not_written_over(run: Path, photo: Path, alpha: Recipe) -> None:
    before = (run / "checkpoint.pt").read_bytes()
    with pytest.raises(OptionError, match="--resume"):
        train(alpha, photo, run)
    assert (run / "checkpoint.pt").read_bytes() == before


def test_a_file_is_no_folder_for_a_run(photo: Path, alpha: Recipe) -> None:
    with pytest.raises(OptionError, match="is a file"):
        train(alpha, photo, photo)


def test_nothing_to_resume(photo: Path, tmp_path: Path, alpha: Recipe) -> None:
    with pytest.raises(CheckpointError, match="without --resume"):
        train(alpha, photo, tmp_path / "run", RunOptions(resume=True))


def test_a_device_that_is_not_there(photo: Path, tmp_path: Path, alpha: Recipe) -> None:
    missing = "cuda" if not torch.cuda.is_available() else "mps"
    with pytest.raises(OptionError, match=f"no {missing} device"):
        train(alpha, photo, tmp_path / "run", RunOptions(device=missing))


def test_an_empty_folder(tmp_path: Path, alpha: Recipe) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no photographs"):
        train(alpha, tmp_path / "empty", tmp_path / "run")


@pytest.mark.usefixtures("no_export")
def test_what_is_left_out_is_said(
    folder: Path,
    tmp_path: Path,
    squeezed: Recipe,
    picture: Callable[..., np.ndarray],
    capsys: pytest.CaptureFixture[str],
) -> None:
    Image.fromarray(picture(0)[..., 0]).save(folder / "grey.png")
    (folder / "broken.jpg").write_bytes(b"no photo")
    out = train(squeezed, folder, tmp_path / "run")
    told = capsys.readouterr().err
    assert "left out: 1 without color, 1 unreadable" in told
    assert "broken.jpg" in told
    assert json.loads((out / "model.json").read_text())["training"]["photos"] == 6


@pytest.mark.usefixtures("no_export")
def test_photos_held_out_are_looked_at(folder: Path, tmp_path: Path, squeezed: Recipe) -> None:
    recipe = with_(squeezed, "data.validation=0.3", "schedule.sheets=1")
    out = train(recipe, folder, tmp_path / "run")
    training = json.loads((out / "model.json").read_text())["training"]
    assert (training["photos"], training["held_out"]) == (4, 2)
    assert training["gain_measured_on"] == "2 photos held out"
    assert [line["of"] for line in lines(out) if "gain" in line][-1] == "held out"
    assert list((out / "sheets").iterdir())


# --- interruptions -----------------------------------------------------------------------------


class Stopped(Exception):
    """What a test stops a run with."""


@pytest.mark.usefixtures("no_export")
def test_a_resumed_run_is_the_uninterrupted_one(
    folder: Path, tmp_path: Path, squeezed: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = with_(squeezed, "optimizer.average=0.9", "schedule.cooldown=6", "schedule.photos=20")
    whole = train(recipe, folder, tmp_path / "whole")
    genuine = loader.make_sample
    for stop in (7, 5):  # in the middle of batches, at other places than checkpoints
        made = 0

        def until(*inputs: object, stop: int = stop) -> object:
            nonlocal made
            made += 1
            if made > stop:
                raise Stopped
            return genuine(*inputs)

        monkeypatch.setattr(loader, "make_sample", until)
        with pytest.raises(Stopped):
            train(recipe, folder, tmp_path / "cut", RunOptions(resume=stop < 7))
    monkeypatch.setattr(loader, "make_sample", genuine)
    cut = train(recipe, folder, tmp_path / "cut", RunOptions(resume=True))
    assert identical(whole, cut)
    assert [line.get("seen") for line in lines(cut)] == sorted(line["seen"] for line in lines(cut))


SMALL = {
    "alpha": (),
    "beta": ("samples.size=32", "schedule.batch=1", "schedule.warmup=1"),
    "fusion": ("samples.size=32", "schedule.batch=1", "schedule.warmup=1"),
    "photochrom": ("samples.size=64", "schedule.batch=1", "schedule.warmup=1", "schedule.cooldown=2",
                   "network.pretrained=false"),
}  # fmt: skip


@pytest.mark.usefixtures("no_export")
@pytest.mark.parametrize("name", SMALL)
def test_a_shipped_recipe_stopped_in_the_middle_goes_on(
    name: str,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = recipes.load(name, (*SMALL[name], "schedule.photos=4", "schedule.sheets=0"))
    whole = train(recipe, photo, tmp_path / "whole", RunOptions(threads=1))
    genuine = Trainer.step

    def step(self: Trainer, batches: list[list[torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
        if self.seen == 2:
            raise MemoryError
        return genuine(self, batches)

    monkeypatch.setattr(Trainer, "step", step)
    with pytest.raises(MemoryError):
        train(recipe, photo, tmp_path / "cut", RunOptions(threads=1))
    assert "holds 2 photos' training: go on with --resume" in capsys.readouterr().err
    monkeypatch.setattr(Trainer, "step", genuine)
    cut = train(recipe, photo, tmp_path / "cut", RunOptions(resume=True, threads=1))
    assert identical(whole, cut)


@pytest.mark.usefixtures("no_export")
def test_a_run_shorter_than_a_line_of_its_log(folder: Path, tmp_path: Path, squeezed: Recipe) -> None:
    recipe = with_(squeezed, "schedule.log=100", "schedule.checkpoint=100", "schedule.sheets=3")
    out = train(recipe, folder, tmp_path / "run")
    assert len(list((out / "sheets").iterdir())) == 3
    assert checkpoints.load(out / "checkpoint.pt", CPU)["seen"] == 12


@pytest.mark.usefixtures("no_export")
def test_a_step_cut_short_is_not_kept(
    folder: Path, tmp_path: Path, squeezed: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(self: Trainer) -> None:
        if self.seen == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "follow", half)
    with pytest.raises(KeyboardInterrupt):
        train(squeezed, folder, tmp_path / "run")
    assert checkpoints.load(tmp_path / "run/checkpoint.pt", CPU)["seen"] == 4


@pytest.mark.usefixtures("no_export")
def test_a_killed_run_ends_as_if_nothing_had_happened(folder: Path, tmp_path: Path) -> None:
    """kill -9 at whatever moment the machine makes of it, then --resume."""
    changes = ["samples.kind=affine", "samples.size=64", "schedule.batch=2", "schedule.checkpoint=3",
               "schedule.epochs=0", "schedule.photos=300", "schedule.sheets=0"]  # fmt: skip
    recipe = recipes.load("alpha", tuple(changes))
    cut = tmp_path / "cut"
    command = [sys.executable, "-m", "photochrom", "train", "alpha", "--data", str(folder), "--out", str(cut)]
    command += ["--threads", "1", *(word for change in changes for word in ("--set", change))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not (cut / "checkpoint.pt").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(float(np.random.default_rng().uniform(0, 0.4)))
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    seen = checkpoints.load(cut / "checkpoint.pt", CPU)["seen"]
    assert 0 < seen < 300
    assert not (cut / "model.onnx").exists()
    train(recipe, folder, cut, RunOptions(resume=True, threads=1))
    assert identical(train(recipe, folder, tmp_path / "whole", RunOptions(threads=1)), cut)


@pytest.mark.usefixtures("no_export")
def test_a_loss_that_is_no_number_stops_the_run(
    folder: Path, tmp_path: Path, squeezed: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, made = loader.make_sample, 0

    def poisoned(*inputs: object) -> object:
        nonlocal made
        made += 1
        sample = genuine(*inputs)
        return sample._replace(ab=sample.ab * np.float32("nan")) if made == 8 else sample

    monkeypatch.setattr(loader, "make_sample", poisoned)
    out = tmp_path / "run"
    with pytest.raises(TrainingError, match=r"loss became NaN or infinite at step 4; the last good"):
        train(squeezed, folder, out)
    state = checkpoints.load(out / "checkpoint.pt", CPU)
    assert state["seen"] == 4  # two steps of two photos: the checkpoint before
    assert all(bool(torch.isfinite(value).all()) for value in state["average"].values())
    monkeypatch.setattr(loader, "make_sample", genuine)
    train(squeezed, folder, out, RunOptions(resume=True))
    assert checkpoints.load(out / "checkpoint.pt", CPU)["seen"] == 12


@pytest.mark.usefixtures("no_export")
def test_weights_that_are_no_numbers_are_never_kept(
    folder: Path, tmp_path: Path, squeezed: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = Trainer.step

    def step(self: Trainer, batches: list[list[torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
        result = genuine(self, batches)
        if self.seen == 8:  # an update that overflows, right where a checkpoint is due
            with torch.no_grad():
                next(self.network.parameters())[0] = float("inf")
        return result

    monkeypatch.setattr(Trainer, "step", step)
    with pytest.raises(TrainingError, match="weights became NaN or infinite at step 4; the last good"):
        train(squeezed, folder, tmp_path / "run")
    assert checkpoints.load(tmp_path / "run/checkpoint.pt", CPU)["seen"] == 4


def test_a_finished_run_resumed_only_makes_its_model_again(
    photo: Path, tmp_path: Path, alpha: Recipe
) -> None:
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finish, "export", lambda *_: None)
        train(alpha, photo, out)
    before = weights(out)
    assert not (out / "model.onnx").exists()
    train(alpha, photo, out, RunOptions(resume=True))
    assert (out / "model.onnx").exists()
    assert all(torch.equal(before[name], value) for name, value in weights(out).items())


@pytest.mark.usefixtures("no_export")
def test_a_changed_recipe_is_said(
    folder: Path, tmp_path: Path, squeezed: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    out = train(squeezed, folder, tmp_path / "run")
    longer = with_(squeezed, "schedule.photos=16")
    train(longer, folder, out, RunOptions(resume=True))
    assert "schedule.photos was 12, is 16" in capsys.readouterr().err
    assert checkpoints.load(out / "checkpoint.pt", CPU)["seen"] == 16


@pytest.mark.usefixtures("no_export")
def test_a_checkpoint_of_another_network(folder: Path, tmp_path: Path, squeezed: Recipe) -> None:
    out = train(squeezed, folder, tmp_path / "run")
    beta = recipes.load("beta", ("samples.size=32", "schedule.batch=1", "schedule.epochs=1"))
    with pytest.raises(CheckpointError, match="checkpoint of alpha, not of beta"):
        train(beta, folder, out, RunOptions(resume=True))


def test_the_default_network_trains_and_colors(folder: Path, tmp_path: Path) -> None:
    changes = ["samples.size=32", "schedule.batch=2", "schedule.photos=4", "schedule.cooldown=2",
               "schedule.sheets=1", "network.pretrained=false", "schedule.warmup=1"]  # fmt: skip
    out = train(recipes.load("photochrom", tuple(changes)), folder, tmp_path / "run")
    card = json.loads((out / "model.json").read_text())
    assert card["head"] == "bins"
    assert len(card["bins"]) == 244
    assert card["supports_hints"] is True
    photo = Colorizer(out, threads=1).prepare(read(folder / "one/1.png")).render()
    assert photo.rgb.shape == (48, 64, 3)
