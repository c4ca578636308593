"""The protocol `video`: colored clips as truth, colored anew as a film and frame by frame.

Figures are made at a short side of at most 256 px: `flicker`, gain over grey and colorfulness.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.color import luminance, rgb_to_lab
from photochrom.errors import DataError, PhotochromError
from photochrom.evaluation.flicker import flickers
from photochrom.evaluation.metrics import colorfulness, psnr
from photochrom.evaluation.photos import Exclusion
from photochrom.evaluation.protocols import grey_of
from photochrom.evaluation.stability import resize_short_side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.colorizer import Colorizer

SIDE = 256
FILM, EACH, TRUTH = "film", "frame by frame", "truth"


@dataclass
class _Clip:
    """One clip while it is read, with the sums behind its figures."""

    path: Path
    colorizer: Colorizer
    frames: int
    count: int = 0
    gain: dict[str, float] = field(default_factory=lambda: {FILM: 0.0, EACH: 0.0})
    colorful: dict[str, float] = field(default_factory=lambda: {FILM: 0.0, EACH: 0.0, TRUTH: 0.0})

    def planes(self) -> Iterator[tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]]:
        """(L*, {way: ab}) of each frame."""
        for pictures in self._pictures():
            shown = {way: np.rint(picture / 257).astype(np.uint8) for way, picture in pictures.items()}
            truth = shown[TRUTH]
            grey = grey_of(truth)
            plain = psnr(np.dstack([grey] * 3), truth, floor=1e-5)
            for way, picture in shown.items():
                self.colorful[way] += colorfulness(picture)
                if way != TRUTH:
                    self.gain[way] += psnr(picture, truth, floor=1e-5) - plain
            self.count += 1
            yield luminance(grey), {way: rgb_to_lab(picture)[..., 1:] for way, picture in pictures.items()}

    def _pictures(self) -> Iterator[dict[str, NDArray[np.uint16]]]:
        """Both colorings keep the film's Y', so that they differ in their colors alone.

        16 bits: rounded to 8, colors that stay flicker by 0.3 as the luminance changes.
        """
        from photochrom.video import frames

        ways = [frames(self.path, model=self.colorizer, steady=steady, depth=16) for steady in (True, False)]
        both = islice(zip(*ways, strict=True), self.frames)
        for ((_, film), (_, each)), truth in zip(both, _decoded(self.path), strict=False):
            yield {FILM: _small(film), EACH: _small(each), TRUTH: _small(truth)}


def _decoded(path: Path) -> Iterator[NDArray[np.uint16]]:
    """The pictures of a film, as they lie in the file."""
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb48le"), np.uint16)


def _small(picture: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return resize_short_side(picture, SIDE) if min(picture.shape[:2]) > SIDE else picture


def _clips_in(data: Path) -> list[Path]:
    """A film, or those of a folder, by name. Raises DataError where there are none."""
    found = sorted(path for path in data.rglob("*") if path.is_file()) if data.is_dir() else [data]
    if not found or not all(path.is_file() for path in found):
        raise DataError(f"there are no films in {data}: give a film in color, or a folder of such films")
    return found


def _evaluate_clip(path: Path, colorizer: Colorizer, frames: int) -> dict[str, dict[str, float]]:
    """{way: {"flicker", "gain", "cf_ratio", "frames"}} of "film", "frame by frame" and "truth".

    frames: how many at most, from the start. Raises PhotoError for what is no film, DataError for one without
    two frames or without color, MissingExtra without PyAV.
    """
    clip = _Clip(path, colorizer, frames)
    found = flickers(clip.planes())
    if clip.count < 2 or clip.colorful[TRUTH] < clip.count:
        raise DataError(f"{path} has no two frames in color: give a film in color")
    return {
        way: {
            "flicker": round(value, 6),
            "gain": round(clip.gain.get(way, 0.0) / clip.count, 6),
            "cf_ratio": round(clip.colorful[way] / clip.colorful[TRUTH], 6),
            "frames": clip.count,
        }
        for way, value in found.items()
    }


def evaluate_films(data: Path, colorizer: Colorizer, frames: int) -> tuple[dict[str, Any], list[Exclusion]]:
    """{clip: {way: figures}}, and what was left out and why. Raises DataError where nothing is left."""
    found: dict[str, Any] = {}
    left_out: list[Exclusion] = []
    for path in _clips_in(data):
        try:
            found[path.name] = _evaluate_clip(path, colorizer, frames)
        except PhotochromError as error:
            left_out.append(Exclusion(path.name, str(error), failed=True))
    if not found:
        raise DataError(f"none of the {len(left_out)} films can be measured; the first: {left_out[0].reason}")
    return found, left_out
