"""What is evaluated: anything that colors a square. Models, folders of pictures, baselines.

A predictor prepares a sample once and renders it for any hints:

    class Mine:
        name, supports_hints, is_model = "mine", False, True
        def prepare(self, sample): return Still(my_network(sample.grey))
"""

from __future__ import annotations

import typing
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from photochrom.batch.naming import MARK, is_ours
from photochrom.color import merge, rgb_to_lab
from photochrom.errors import DataError, PhotochromError, UnsupportedReading
from photochrom.evaluation.photos import list_pictures, to_bytes
from photochrom.photo import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.colorizer import Colorizer, Plate
    from photochrom.evaluation.metrics import RGB
    from photochrom.evaluation.photos import PhotoSet, Sample
    from photochrom.evaluation.protocols import Protocol
    from photochrom.hints import Hint


class Distribution(NamedTuple):
    """Probabilities over ab bins at the model's own stride."""

    probabilities: NDArray[np.float32]  # (Q, h, w)
    bins: NDArray[np.float32]  # (Q, 2)


class Prepared(typing.Protocol):
    """One sample, ready to be colored."""

    def render(self, hints: Sequence[Hint] = ()) -> RGB:
        """(side, side, 3) uint8."""

    def distribution(self) -> Distribution | None:
        """The probabilities behind the automatic colors, if the model has any."""


class Predictor(typing.Protocol):
    """A colorizer under evaluation."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    @property
    def supports_hints(self) -> bool:
        """Whether hints change its pictures; if not, only the automatic figures are made."""

    @property
    def is_model(self) -> bool:
        """Whether it looks at the photo it is given, so that degraded copies and other sizes make sense."""

    def prepare(self, sample: Sample) -> Prepared:
        """Do once what does not depend on hints."""


@dataclass(frozen=True)
class Still:
    """A picture that no hint changes."""

    picture: RGB

    def render(self, hints: Sequence[Hint] = ()) -> RGB:
        return self.picture

    def distribution(self) -> Distribution | None:
        return None


# --- models --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ModelPredictor:
    """A Colorizer: a model by name, RUN folder or .onnx file, through the public API."""

    name: str
    colorizer: Colorizer
    vividness: float | None = None  # None: the default
    is_model: bool = True
    supports_hints: bool = True  # where the network takes none, they are carried from its colors

    def prepare(self, sample: Sample) -> Prepared:
        return PreparedPlate(self.colorizer.prepare(sample.grey), self.vividness)


@dataclass(frozen=True)
class PreparedPlate:
    """A Colorizer's plate."""

    plate: Plate
    vividness: float | None

    def render(self, hints: Sequence[Hint] = (), vividness: float | None = None) -> RGB:
        vividness = self.vividness if vividness is None else vividness
        return to_bytes(self.plate.render(hints, vividness=vividness).rgb)

    def distribution(self) -> Distribution | None:
        try:
            return Distribution(*self.plate.answer().distribution)
        except UnsupportedReading:
            return None


# --- folders of pictures ---------------------------------------------------------------------------


@dataclass(frozen=True)
class FolderPredictor:
    """Someone's outputs in a folder, matched to the truths by name; see `problems` before use."""

    name: str
    folder: Path
    pictures: dict[str, Path] = field(repr=False)
    protocol: Protocol
    supports_hints: bool = False
    is_model: bool = False

    @classmethod
    def open(cls, name: str, folder: Path, photos: PhotoSet) -> FolderPredictor:
        """Match a folder with the photos: by path below the folder, else by file name alone.

        `{name}.colorized.png`, as `photochrom colorize` writes it, counts as `{name}`.
        Raises DataError when a name fits several photos or pictures.
        """
        listed = sorted(list_pictures(folder).items(), key=lambda item: is_ours(item[1].name))
        found = {key.removesuffix(MARK): path for key, path in listed}  # of `x` and `x.colorized` the latter
        by_stem: dict[str, list[Path]] = {}
        for key, path in found.items():
            by_stem.setdefault(_stem(key), []).append(path)
        times = Counter(_stem(key) for key in photos.keys)
        pictures = {}
        for key in photos.keys:
            stem = _stem(key)
            candidates = [found[key]] if key in found else by_stem.get(stem, [])
            if len(candidates) > 1 or (candidates and key not in found and times[stem] > 1):
                raise DataError(
                    f"several are called {stem!r}: give {folder} the subfolders that the photos have"
                )
            if candidates:
                pictures[key] = candidates[0]
        return cls(name, folder, pictures, photos.protocol)

    def problems(self, photos: PhotoSet) -> dict[str, str]:
        """{key: what is wrong} of photos whose picture is missing, unreadable or of a wrong size."""
        reasons = {key: self._problem(key, photos) for key in photos.keys}
        return {key: reason for key, reason in reasons.items() if reason}

    def _problem(self, key: str, photos: PhotoSet) -> str:
        if key not in self.pictures:
            return "no prediction of that name"
        try:
            width, height = _size(self.pictures[key])
        except PhotochromError as error:
            return f"the prediction cannot be read: {error}"
        if (width, height) == (self.protocol.side, self.protocol.side):
            return ""
        try:
            same = (width, height) == _size(photos.paths[key])
        except PhotochromError:
            return ""  # the photo itself is at fault and will be named for that
        return (
            ""
            if same
            else f"the prediction has {width}×{height} px, neither the photo's size nor the square's"
        )

    def prepare(self, sample: Sample) -> Prepared:
        """Read the picture; one of the photo's own size is cut like the photo."""
        picture = to_bytes(read(self.pictures[sample.key]).rgb)
        side = self.protocol.side
        return Still(picture if picture.shape[:2] == (side, side) else self.protocol.square(picture))


def _stem(key: str) -> str:
    return key.rpartition("/")[2]


def _size(path: Path) -> tuple[int, int]:
    photo = read(path)
    return photo.width, photo.height


# --- baselines ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grey:
    """The photo itself: where every gain starts."""

    name: str = "grey"
    supports_hints: bool = False
    is_model: bool = False

    def prepare(self, sample: Sample) -> Prepared:
        return Still(sample.plain)


@dataclass(frozen=True)
class MeanColor:
    """An oracle: the truth's mean ab over the whole photo, a tint and nothing more."""

    name: str = "mean color"
    supports_hints: bool = False
    is_model: bool = False

    def prepare(self, sample: Sample) -> Prepared:
        ab = rgb_to_lab(sample.truth)[..., 1:].mean(axis=(0, 1))
        return Still(to_bytes(merge(sample.grey, np.broadcast_to(ab, (*sample.grey.shape, 2)).copy())))
