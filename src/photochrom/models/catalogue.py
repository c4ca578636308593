"""Which models there are, and where a name, a run or a file leads."""

from __future__ import annotations

import hashlib
import math
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from photochrom.errors import ModelError, OptionError, UnknownModel
from photochrom.models.card import Card, read_card
from photochrom.models.store import imported

DEFAULT = "photochrom"
_SHIPPED = Path(__file__).parent


def catalogue() -> dict[str, Path]:
    """The models that have names, shipped ones first, then imported ones: name -> ONNX file."""
    shipped = {path.stem: path for path in sorted(_SHIPPED.glob("*.onnx"))}
    return shipped | {name: path for name, path in imported().items() if name not in shipped}


def cards() -> dict[str, Card]:
    """The cards of the models that have names; a model whose card cannot be read is left out."""
    found = {}
    for name in catalogue():
        with suppress(ModelError):
            found[name] = find(name)[1]
    return found


def members(model: str | Path) -> list[tuple[float, str]]:
    """Weights and models of an average such as "2*ddcolor+photochrom"; empty for a single model.

    Raises OptionError for a weight that is not a number above 0.
    """
    if not isinstance(model, str) or not {"+", "*"} & set(model) or Path(model).exists():
        return []
    found = []
    for part in model.split("+"):
        weight, star, name = part.strip().rpartition("*")
        try:
            number = float(weight) if star else 1.0
        except ValueError:
            number = 0.0
        if not name or not 0 < number < math.inf:
            raise OptionError(f"{model!r} is not an average of models: write it as 2*ddcolor+photochrom")
        found.append((number, name))
    return found


def _average(model: str, parts: list[tuple[float, str]]) -> tuple[Path, Card]:
    """The first member's file, and a card that says what is averaged; its hash covers all members."""
    found = [(weight, *find(name)) for weight, name in parts]
    hashed = "+".join(f"{weight:g}*{card.sha256}" for weight, _, card in found)
    card = Card(
        name=model,
        head="ab",
        supports_hints=any(card.supports_hints for _, _, card in found),
        licence=" and ".join(dict.fromkeys(card.licence for _, _, card in found)),
        sha256=hashlib.sha256(hashed.encode()).hexdigest(),
        description="The mean of several models",
        family="average",
        training={"members": {name: weight for weight, name in parts}},
    )
    return found[0][1], card


def find(model: str | Path) -> tuple[Path, Card]:
    """The ONNX file and card of a name, a training run's folder, an .onnx file or an average (`members`).

    A name wins over a folder or file of that name: `./NAME` is the folder.
    Raises UnknownModel where there is none, ModelError where its card is missing or broken.
    """
    if parts := members(model):
        return _average(str(model), parts)
    path = Path(model)
    known = catalogue()
    named = isinstance(model, str) and model in known
    if named:
        path = known[str(model)]
    elif path.is_dir():
        path = path / "model.onnx"
        if not path.exists():
            raise UnknownModel(
                f"{model} holds no model.onnx: finish the training run, or use `photochrom export`"
            )
    elif path.suffix != ".onnx":
        names = ", ".join(known) or "none"
        raise UnknownModel(
            f"unknown model {str(model)!r}: use one of {names}, a run's folder or an .onnx file"
        )
    if not path.is_file():
        raise UnknownModel(f"there is no model file {path}: check the path, or use the default model")
    if path.stat().st_size == 0:
        raise ModelError(f"{path} is empty: export the model again")
    card = read_card(path)
    return path, replace(card, name=str(model)) if named else card
