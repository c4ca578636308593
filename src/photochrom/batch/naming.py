"""Where a result goes: the names of outputs, sidecars and color layers."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from photochrom.errors import PhotochromError
from photochrom.photo.formats import FORMATS, SNIFF, Format, is_picture_name, sniff
from photochrom.photo.tiff import is_bilevel

FOLDER = ".photochrom"  # of what batches know, where the results are; hidden, so never searched for photos
MARK = ".colorized"
_OURS = re.compile(r"\.colorized\.[^/]+$", re.IGNORECASE)
_BY_SUFFIX = {suffix: fmt for fmt in FORMATS.values() for suffix in fmt.suffixes}


def is_ours(name: str) -> bool:
    """Whether a file of this name is a result, or lies beside one."""
    return bool(_OURS.search(name))


def is_input_name(name: str) -> bool:
    """Whether a file of this name, found in a folder, is taken as a photo to color."""
    return not name.startswith(".") and is_picture_name(name) and not is_ours(name)


def output_suffix(path: Path, wanted: str | None = None) -> str:
    """The suffix of the colored photo: the input's, or ".png" where its format cannot hold color.

    `wanted` is the name of another format. The first bytes of the file tell its format, its name only where
    they do not.
    """
    named = _BY_SUFFIX.get(path.suffix.lower())
    if not (path.is_file() or wanted):  # reading it for real will say why
        return path.suffix if named and named.writes else ".png"
    if wanted:
        return path.suffix if named and named.name == wanted else FORMATS[wanted].suffixes[0]
    fmt = _format_inside(path) or named
    if fmt is None or not fmt.writes or (fmt.name == "tiff" and is_bilevel(path)):
        return ".png"
    return path.suffix if fmt is named else fmt.suffixes[0]


def beside(path: Path, wanted: str | None = None) -> Path:
    """The output beside an input: {stem}.colorized.{ext}."""
    return path.with_name(f"{path.stem}{MARK}{output_suffix(path, wanted)}")


def base(output: Path) -> str:
    """The output's path without its suffix and mark, to which other results' suffixes are added."""
    return os.path.join(output.parent, output.stem.removesuffix(MARK))  # noqa: PTH118 (a stem may be ".")


def sidecar_path(base: str) -> Path:
    """x.colorized.json"""
    return Path(f"{base}{MARK}.json")


def layer_path(base: str, kind: str) -> Path:
    """x.colorized.layer.tif or x.colorized.layer.png"""
    return Path(f"{base}{MARK}.layer.{'tif' if kind == 'tiff' else 'png'}")


class ProposalFiles(NamedTuple):
    """Where the proposals for a photo go."""

    pictures: tuple[Path, ...]
    hints: tuple[Path, ...]
    sheet: Path

    @property
    def all(self) -> tuple[Path, ...]:
        return (*self.pictures, *self.hints, self.sheet)


def proposal_files(base: str, suffix: str, count: int) -> ProposalFiles:
    """Proposals: x.colorized.1.jpg …, their hints x.colorized.1.json …, and x.colorized.sheet.jpg."""
    named = [f"{base}{MARK}.{number}" for number in range(1, count + 1)]
    pictures = tuple(Path(name + suffix) for name in named)
    return ProposalFiles(
        pictures, tuple(Path(f"{name}.json") for name in named), Path(f"{base}{MARK}.sheet.jpg")
    )


def _format_inside(path: Path) -> Format | None:
    try:
        with path.open("rb") as file:
            return sniff(file.read(SNIFF))
    except (OSError, PhotochromError):
        return None  # reading it for real will say why
