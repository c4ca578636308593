"""Checkpoints survive what can happen to them, and say what is wrong with others."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from photochrom.errors import CheckpointError, TrainingError
from photochrom.training import checkpoints
from photochrom.training.networks.seed import Alpha, Beta

if TYPE_CHECKING:
    from pathlib import Path

CPU = torch.device("cpu")


def state() -> dict[str, object]:
    network = Alpha().state_dict()
    return {
        "kind": "alpha",
        "config": {"a": 1},
        "seen": 3,
        "network": network,
        "average": network,
        "optimizer": {},
    }


def test_there_and_back(tmp_path: Path) -> None:
    path, kept = tmp_path / "checkpoint.pt", state()
    checkpoints.save(path, kept)
    loaded = checkpoints.load(path, CPU)
    assert loaded["version"] == checkpoints.VERSION
    assert loaded["seen"] == 3
    assert all(torch.equal(kept["network"][name], value) for name, value in loaded["network"].items())
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


FULL_DISK = """
import resource, sys, torch
from pathlib import Path
from photochrom.errors import TrainingError
from photochrom.training import checkpoints
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
large = {"config": {}, "seen": 2, "network": {}, "average": {"x": torch.zeros(100_000)}, "optimizer": {}}
try:
    checkpoints.save(Path(sys.argv[1]), large)
except TrainingError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits")
def test_a_disk_that_takes_no_more_keeps_the_previous_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoints.save(path, state())
    before = path.read_bytes()
    told = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True
    )
    assert "cannot write" in told.stdout
    assert "the previous one is kept" in told.stdout
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_no_space_is_said_in_plain_words(tmp_path: Path) -> None:
    def write(partial: Path) -> None:
        partial.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(TrainingError, match=r"No space left on device.*there is none yet.*--resume"):
        checkpoints._replace_file(tmp_path / "checkpoint.pt", write)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [0, 10, 500, -1])
def test_a_broken_checkpoint(tmp_path: Path, size: int) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoints.save(path, state())
    path.write_bytes(path.read_bytes()[:size] if size >= 0 else b"nonsense" * 200)
    with pytest.raises(CheckpointError, match="not a whole checkpoint"):
        checkpoints.load(path, CPU)


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="without --resume"):
        checkpoints.load(tmp_path / "checkpoint.pt", CPU)


def test_another_version(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({**state(), "version": 99}, path)
    with pytest.raises(CheckpointError, match="version 99, not 1"):
        checkpoints.load(path, CPU)


def test_something_else_that_torch_saved(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": torch.zeros(3)}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of photochrom"):
        checkpoints.load(path, CPU)


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch trapped",)


def test_a_checkpoint_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "checkpoint.pt"
    torch.save({**state(), "optimizer": Trap()}, path, pickle_module=pickle)
    with pytest.raises(CheckpointError):
        checkpoints.load(path, CPU)
    assert not (tmp_path / "trapped").exists()


def test_weights_alone(tmp_path: Path) -> None:
    path, weights = tmp_path / "weights.safetensors", Alpha().state_dict()
    checkpoints.save_weights(path, weights, {"architecture": "alpha"})
    loaded, metadata = checkpoints.load_weights(path)
    assert metadata == {"format": "1", "architecture": "alpha"}
    for name, value in weights.items():
        assert torch.equal(loaded[name], value.half().float())


def test_running_variances_keep_their_range(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    weights = {"norm.running_var": torch.tensor([1e9]), "norm.num_batches_tracked": torch.tensor(3)}
    checkpoints.save_weights(path, weights, {})
    assert checkpoints.load_weights(path)[0] == {"norm.running_var": torch.tensor([1e9])}


@pytest.mark.parametrize("name", ["missing.safetensors", "bad.safetensors", "folder"])
def test_weights_that_are_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CheckpointError):
        checkpoints.load_weights(tmp_path / name)


def test_weights_of_another_network_name_the_first_difference() -> None:
    alpha = Alpha()
    with pytest.raises(
        CheckpointError, match=r"other\.safetensors holds another network than alpha \(layers"
    ):
        checkpoints.fill(alpha, Beta().state_dict(), "other.safetensors", "alpha")
    extra = {**alpha.state_dict(), "layers.99.weight": torch.zeros(1)}
    with pytest.raises(CheckpointError, match=r"layers\.99\.weight is unknown"):
        checkpoints.fill(alpha, extra, "x", "alpha")
    fewer = dict(list(alpha.state_dict().items())[1:])
    with pytest.raises(CheckpointError, match=r"layers\.0\.weight is missing"):
        checkpoints.fill(alpha, fewer, "x", "alpha")


def test_weights_of_the_same_network_fill_it() -> None:
    torch.manual_seed(1)
    source, target = Alpha(), Alpha()
    checkpoints.fill(target, source.state_dict(), "x", "alpha")
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), target.parameters(), strict=True))
