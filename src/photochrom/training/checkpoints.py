"""Checkpoints: written all or nothing, read with every mismatch told.

A checkpoint holds everything that a run needs to go on as if it had never stopped: {version, kind,
config (the recipe's tables), seen, network, average, optimizer}. Weights alone are safetensors.
"""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes

from photochrom.errors import CheckpointError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor

    from photochrom.training.networks import Network

VERSION = 1
NAME = "checkpoint.pt"
WEIGHTS = "weights.safetensors"
_KEYS = ("config", "seen", "network", "average", "optimizer")


def _replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that its name always leads to a whole one, old or new.

    Raises TrainingError where the disk does not take it; the previous file is still there then.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # torch and safetensors wrap OSError
        partial.unlink(missing_ok=True)
        kept = "the previous one is kept" if path.exists() else "there is none yet"
        raise TrainingError(
            f"cannot write {path} ({_reason(error)}); {kept}: free some space, then train with --resume"
        ) from error


def _reason(error: Exception) -> str:
    said = str(error).splitlines() or [type(error).__name__]
    return (isinstance(error, OSError) and error.strerror) or said[0][:120]


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint."""
    _replace_file(path, lambda partial: torch.save({"version": VERSION, **state}, partial))


def load(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint. Raises CheckpointError where none is, or a broken one, or another version."""
    try:
        state = torch.load(path, weights_only=True, map_location=device)
    except FileNotFoundError:
        raise CheckpointError(f"there is no checkpoint {path}: start the run without --resume") from None
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f"{path} is not a whole checkpoint ({_reason(error)}): start from another one with --init"
        ) from None
    if not isinstance(state, dict) or any(key not in state for key in _KEYS):
        raise CheckpointError(
            f"{path} is not a checkpoint of photochrom: give a run's folder or a .safetensors file"
        )
    version = state.get("version", VERSION)
    if version != VERSION:
        raise CheckpointError(
            f"{path} is a checkpoint of version {version}, not {VERSION}: use the photochrom that wrote it"
        )
    return state


def save_weights(path: Path, weights: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Weights alone, `halved`."""
    kept = {
        name: halved(name, tensor).detach().cpu().contiguous()
        for name, tensor in weights.items()
        if not name.endswith("num_batches_tracked")
    }
    content = to_bytes(kept, {"format": "1", **metadata})
    _replace_file(path, lambda partial: partial.write_bytes(content))


def halved(name: str, tensor: Tensor) -> Tensor:
    """A weight as it is stored: fp16, but for running variances and integers, which need the range."""
    return tensor if "running_var" in name or not tensor.is_floating_point() else tensor.half()


def load_weights(source: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(weights, metadata) of a run's folder, a checkpoint or a safetensors file. Raises CheckpointError."""
    if source.is_dir():
        source = source / (WEIGHTS if (source / WEIGHTS).exists() else NAME)
    if source.suffix == ".pt":
        return load(source, torch.device("cpu"))["average"], {}
    try:
        with safe_open(source, "pt") as file:
            metadata = dict(file.metadata() or {})
        return {name: tensor.float() for name, tensor in load_file(source).items()}, metadata
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"no weights can be read from {source} ({_reason(error)}): give a run or a .safetensors file"
        ) from None


def fill(network: Network, weights: Mapping[str, Tensor], source: str, name: str) -> None:
    """Put weights into a network. Raises CheckpointError where they are of another one."""
    expected = network.state_dict()
    ours = {key for key in expected if not key.endswith("num_batches_tracked")}
    theirs = {key for key in weights if not key.endswith("num_batches_tracked")}
    wrong = sorted(key for key in ours & theirs if expected[key].shape != weights[key].shape)
    if ours != theirs or wrong:
        first = (wrong or sorted(ours ^ theirs))[0]
        how = "has another shape" if wrong else ("is missing" if first in ours else "is unknown")
        raise CheckpointError(
            f"{source} holds another network than {name} ({first} {how}): use the recipe of that run"
        )
    network.load_state_dict(dict(weights), strict=False)
