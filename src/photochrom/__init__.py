"""Photochrom: believable color for black-and-white photographs, and you have the last word.

For example:

    from photochrom import Colorizer, Hint, read, write

    plate = Colorizer().prepare(read("in.jpg"))
    write(plate.render([Hint(0.31, 0.22, "#6a8fbf")]), "out.jpg")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pathlib import Path

    from photochrom.colorizer import Colorizer, Plate
    from photochrom.errors import PhotochromError
    from photochrom.hints import Hint
    from photochrom.look import Look
    from photochrom.photo import Photo, read, write

_HOMES = {
    "Colorizer": "colorizer",
    "Plate": "colorizer",
    "Hint": "hints",
    "Look": "look",
    "Photo": "photo",
    "PhotochromError": "errors",
    "read": "photo",
    "write": "photo",
}
__all__ = ["Colorizer", "Hint", "Look", "Photo", "PhotochromError", "Plate", "colorize", "read", "write"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'photochrom' has no attribute {name!r}")
    return getattr(import_module(f"photochrom.{_HOMES[name]}"), name)


def colorize(source: str | Path, target: str | Path, **options: Any) -> Path:
    """Color one photo, from file to file; options are those of `Plate.render` (hints, vividness).

    Returns the path written. Raises PhotochromError.
    """
    from photochrom.colorizer import Colorizer
    from photochrom.photo import read, write

    return write(Colorizer().prepare(read(source)).render(**options), target)
