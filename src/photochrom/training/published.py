"""Published checkpoints of other people's networks: recognized by their names, loaded strictly.

None of the real files could be fetched where this was written: the networks are built from the published
layouts, and the tests load random weights of those layouts.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file

from photochrom.errors import CheckpointError
from photochrom.models.card import SizeRule
from photochrom.training.networks.ddcolor import DDColor
from photochrom.training.networks.zhang import Eccv16, Siggraph17

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor

    Published = DDColor | Eccv16 | Siggraph17

_OPTIONAL = ("num_batches_tracked",)  # what files of older torch lack, and nothing at run time needs
_WRAPPERS = ("params", "state_dict", "model", "params_ema")  # keys under which weights are published


@dataclass(frozen=True)
class Family:
    """A published architecture."""

    name: str
    build: Callable[[], Published]
    marks: Mapping[str, int]  # weights that only this one has, and their first dimension
    size: SizeRule
    licence: str
    description: str


FAMILIES = (
    Family(
        "siggraph17", Siggraph17, {"model8up.0.weight": 512}, SizeRule(256, 8, square=True), "BSD-2-Clause",
        "Zhang et al. 2017, user-guided colorization: takes hints, colors alone",
    ),
    Family(
        "eccv16", Eccv16, {"model8.6.weight": 313}, SizeRule(256, 8, square=True), "BSD-2-Clause",
        "Zhang et al. 2016, Colorful Image Colorization: colors alone",
    ),
    Family(
        "ddcolor", lambda: DDColor((3, 3, 27, 3), (192, 384, 768, 1536)),
        {"encoder.arch.downsample_layers.0.0.weight": 192}, SizeRule(512, 32, square=True), "Apache-2.0",
        "Kang et al. 2023, DDColor with its large encoder: colors alone",
    ),
    Family(
        "ddcolor-tiny", lambda: DDColor((3, 3, 9, 3), (96, 192, 384, 768)),
        {"encoder.arch.downsample_layers.0.0.weight": 96}, SizeRule(512, 32, square=True), "Apache-2.0",
        "Kang et al. 2023, DDColor with its tiny encoder: colors alone",
    ),
)  # fmt: skip


def load_published(source: Path) -> tuple[Published, Family]:
    """The network in a checkpoint, in evaluation mode, and its family.

    Raises CheckpointError, each with its own sentence, for a web page, a truncated file, a pickle that wants
    to run code, weights of no known family, and weights that are missing, unknown, of another shape or NaN.
    """
    weights = _unwrapped(_read(source), source)
    family = _recognize(weights, source)
    network = family.build()
    _check(network.state_dict(), weights, family, source)
    network.load_state_dict(weights, strict=False)  # strictly compared above, but for what is optional
    return network.eval(), family


def _read(source: Path) -> Any:
    """What is in the file, read without running any code in it."""
    try:
        with source.open("rb") as file:
            start = file.read(512).lstrip().lower()
        if start.startswith((b"<", b'{"error')):
            raise CheckpointError(f"{source} is a web page, not weights: download the file itself")
        if source.suffix == ".safetensors":
            return load_file(source)
        return torch.load(source, weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        if "weights_only" in str(error) or "Unsupported" in str(error):
            raise CheckpointError(
                f"{source} holds more than weights, and could run code when it is read: "
                "give a file of weights alone"
            ) from None
        raise CheckpointError(_BROKEN.format(source)) from None
    except OSError as error:
        raise CheckpointError(f"{source} cannot be read ({error.strerror or error})") from None
    except CheckpointError:
        raise
    except Exception:  # noqa: BLE001  torch fails on broken files in ways that no list holds
        raise CheckpointError(_BROKEN.format(source)) from None


_BROKEN = "{} is not a whole checkpoint: download it again"


def _unwrapped(found: Any, source: Path) -> dict[str, Tensor]:
    for key in _WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
            break
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise CheckpointError(f"{source} holds no table of weights: give a checkpoint of one of {_names()}")
    return {str(key).removeprefix("module."): value for key, value in found.items()}


def _names() -> str:
    return ", ".join(family.name for family in FAMILIES)


def _recognize(weights: Mapping[str, Tensor], source: Path) -> Family:
    for family in FAMILIES:
        if all(key in weights and size in weights[key].shape[:1] for key, size in family.marks.items()):
            return family
    raise CheckpointError(
        f"{source} holds weights of another network than {_names()}: "
        "export those of Photochrom's networks with `photochrom export`"
    )


def _check(
    expected: Mapping[str, Tensor], weights: Mapping[str, Tensor], family: Family, source: Path
) -> None:
    """Raises CheckpointError at the first weight that does not fit."""
    optional = {key for key in expected if key.endswith(_OPTIONAL) or key in ("mean", "std")}
    missing, extra = (
        sorted(expected.keys() - weights.keys() - optional),
        sorted(weights.keys() - expected.keys()),
    )
    common = expected.keys() & weights.keys()
    shaped = sorted(key for key in common if expected[key].shape != weights[key].shape)
    broken = sorted(key for key in common if not bool(torch.isfinite(weights[key]).all()))
    found = [
        (missing, "is missing"),
        (extra, "is unknown"),
        (shaped, "has another shape"),
        (broken, "holds NaN"),
    ]
    for keys, what in found:
        if keys:
            more = f" (and {len(keys) - 1} more)" if len(keys) > 1 else ""
            raise CheckpointError(f"{source} is not a whole {family.name}: {keys[0]} {what}{more}")
