"""Which models there are, and where a name, a run or a file leads."""

from __future__ import annotations

from pathlib import Path

from photochrom.errors import ModelError, UnknownModel
from photochrom.models.card import Card, read_card

DEFAULT = "photochrom"
_SHIPPED = Path(__file__).parent


def catalogue() -> dict[str, Path]:
    """The models shipped with the package: name -> ONNX file."""
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.onnx"))}


def find(model: str | Path) -> tuple[Path, Card]:
    """The ONNX file and card of a name, a training run's folder or an .onnx file.

    A name wins over a folder or file of that name: `./NAME` is the folder.
    Raises UnknownModel where there is none, ModelError where its card is missing or broken.
    """
    path = Path(model)
    known = catalogue()
    if isinstance(model, str) and model in known:
        path = known[model]
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
    return path, read_card(path)
