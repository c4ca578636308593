"""The photos of an evaluation: listed, numbered, read, and every one left out named with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photochrom.batch.naming import is_ours
from photochrom.color import quantize, rgb_to_lab
from photochrom.errors import DataError, PhotochromError
from photochrom.evaluation.protocols import Protocol, grey_of
from photochrom.photo import is_picture_name, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from photochrom.evaluation.metrics import RGB

_GREY_CHROMA = 1.0  # mean chroma below which a "truth" has no color to compare with


@dataclass(frozen=True)
class Sample:
    """One photo as its protocol shows it."""

    key: str  # path below the data folder, without suffix, with "/"
    number: int  # place in the sorted list: the seed of its hints
    source: str  # folder it lies in: the unit of the breakdown
    truth: RGB  # (side, side, 3)
    grey: NDArray[np.uint8]  # (side, side)
    size: tuple[int, int]  # width and height of the file

    @property
    def plain(self) -> RGB:
        """The grey as a picture: (side, side, 3)."""
        return np.repeat(self.grey[..., None], 3, axis=2)


@dataclass(frozen=True)
class Exclusion:
    """A photo that no average contains, and why."""

    key: str
    reason: str
    failed: bool  # a fault of the data, not a property of the photo


@dataclass(frozen=True)
class PhotoSet:
    """A folder of truths under a protocol; `load` each number of `keys`."""

    folder: Path
    protocol: Protocol
    keys: tuple[str, ...]
    paths: dict[str, Path] = field(repr=False)

    @classmethod
    def open(cls, folder: Path | str, protocol: Protocol, only: Sequence[str] = ()) -> PhotoSet:
        """List a folder, without results of ours. `only`: patterns such as "imagen*/*" on the paths below it.

        Raises DataError when nothing is left, or when the protocol's data set is not complete.
        """
        folder = Path(folder)
        listed = list_pictures(folder).items()
        paths = {key: path for key, path in listed if _wanted(key, only) and not is_ours(path.name)}
        accepted = {key: path for key, path in paths.items() if protocol.accepts(path.name)}
        if not paths:
            wanted = f" matching {' or '.join(only)}" if only else ""
            raise DataError(
                f"there are no photos{wanted} in {folder}: give a folder of color photos with --data"
            )
        protocol.check(len(accepted), len(paths))
        return cls(folder, protocol, tuple(sorted(accepted)), accepted)

    def source(self, key: str) -> str:
        """The folder that a photo lies in, "" at the top."""
        return key.rpartition("/")[0]

    def load(self, number: int) -> Sample | Exclusion:
        """Read photo `number` of `keys`, or say why it cannot be used."""
        key = self.keys[number]
        try:
            pixels = read(self.paths[key]).rgb
        except PhotochromError as error:
            return Exclusion(key, f"cannot be read: {error}", failed=True)
        truth = self.protocol.square(to_bytes(pixels))
        if _is_colorless(truth):
            return Exclusion(key, "the truth has no color", failed=False)
        height, width = pixels.shape[:2]
        return Sample(key, number, self.source(key), truth, grey_of(truth), (width, height))


def list_pictures(folder: Path) -> dict[str, Path]:
    """{path below the folder without suffix: path} of every picture file, hidden ones left out.

    Raises DataError for a missing folder, and for two files that differ in their suffix alone.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: give a folder of photos")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if not is_picture_name(path) or any(part.startswith(".") for part in below.parts):
            continue
        key = below.with_suffix("").as_posix()
        if key in found:
            raise DataError(f"{found[key]} and {path} have the same name: keep one of them")
        found[key] = path
    return found


def _wanted(key: str, only: Iterable[str]) -> bool:
    patterns = list(only)
    return not patterns or any(fnmatch(key, pattern) for pattern in patterns)


def to_bytes(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> RGB:
    """8-bit RGB of what `read` gives."""
    if pixels.dtype == np.uint16:
        return quantize(pixels / 65535, np.uint8).astype(np.uint8)
    return np.ascontiguousarray(pixels, np.uint8)


def _is_colorless(truth: RGB) -> bool:
    """Whether a truth is grey (a mean chroma below 1 is rounding and JPEG noise)."""
    return bool(np.hypot(*np.moveaxis(rgb_to_lab(truth)[..., 1:], -1, 0)).mean() < _GREY_CHROMA)
