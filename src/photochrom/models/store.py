"""The folder of imported models: NAME/model.onnx with its card, one folder a model."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.errors import ModelError, OptionError, UnknownModel
from photochrom.models.card import card_path

if TYPE_CHECKING:
    from collections.abc import Iterator

GRAPH = "model.onnx"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def models_folder() -> Path:
    """PHOTOCHROM_MODELS, or a folder of the user's data; it need not exist yet."""
    if chosen := os.environ.get("PHOTOCHROM_MODELS"):
        return Path(chosen)
    home = Path.home()
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = home / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data / "photochrom" / "models"


def imported() -> dict[str, Path]:
    """The imported models: name -> ONNX file. A folder without a card is none."""
    return {
        graph.parent.name: graph
        for graph in sorted(models_folder().glob(f"*/{GRAPH}"))
        if _NAME.fullmatch(graph.parent.name) and card_path(graph).exists()
    }


def check_name(name: str) -> str:
    """A name that a model may be stored under. Raises OptionError for a path and for what is no name."""
    if not _NAME.fullmatch(name):
        raise OptionError(
            f"{name!r} cannot be a model's name: use letters, digits, - and _, for example --name ddcolor"
        )
    return name


@contextmanager
def adding(name: str) -> Iterator[Path]:
    """A folder in which a model is made; it gets its name when all went well and is gone when not."""
    root = models_folder()
    new = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
    except OSError as error:
        raise ModelError(
            f"no model can be stored in {root} ({error.strerror}): set PHOTOCHROM_MODELS"
        ) from None
    try:
        yield making
        making.rename(root / name)
    except OSError as error:
        raise ModelError(f"{name} cannot be stored in {root} ({error.strerror or error})") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
        if new and not any(root.iterdir()):
            root.rmdir()


def remove(name: str) -> Path:
    """Delete an imported model and return its folder. Raises UnknownModel where there is none."""
    if name not in imported():
        raise UnknownModel(f"there is no imported model {name!r}: see `photochrom models list`")
    folder = models_folder() / name
    shutil.rmtree(folder)
    return folder
