"""Does a photo keep its colors when it is given at another size? (`size_stability`)"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from photochrom.color import rgb_to_lab
from photochrom.evaluation.metrics import ciede2000
from photochrom.evaluation.photos import Sample, to_bytes
from photochrom.evaluation.protocols import grey_of
from photochrom.photo import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.evaluation.metrics import RGB
    from photochrom.evaluation.predictors import Predictor

_Depth = TypeVar("_Depth", np.uint8, np.uint16)

SIDES = (256, 512, 1024, 2048, 4096)  # px of the short side
_REFERENCE = 1024
_COMPARED_AT = 256


@dataclass(frozen=True)
class Stability:
    """One photo at several sizes."""

    photo: str
    original: int  # short side of the file
    difference: dict[int, float]  # short side: mean ΔE2000 against the output at 1024, at 256 px

    @property
    def enlarged(self) -> tuple[int, ...]:
        """Sides above the original's, which hold no more detail than it."""
        return tuple(side for side in self.difference if side > self.original)

    @property
    def mean(self) -> float:
        """Mean ΔE2000 over the sizes other than the reference."""
        return float(np.mean([value for side, value in self.difference.items() if side != _REFERENCE]))


def size_stability(path: Path, predictor: Predictor, sides: Sequence[int] = SIDES) -> Stability:
    """Color one photo at every size and compare, at 256 px, with the output at 1024 px."""
    original = to_bytes(read(path).rgb)
    outputs = {side: _output(original, side, predictor, path.stem) for side in {*sides, _REFERENCE}}
    reference = rgb_to_lab(outputs[_REFERENCE])
    difference = {side: float(ciede2000(rgb_to_lab(outputs[side]), reference).mean()) for side in sides}
    return Stability(path.stem, min(original.shape[:2]), difference)


def _output(original: RGB, side: int, predictor: Predictor, key: str) -> RGB:
    given = resize_short_side(original, side)
    size = (given.shape[1], given.shape[0])
    prepared = predictor.prepare(Sample(key, 0, "", given, grey_of(given), size))
    return resize_short_side(prepared.render(), _COMPARED_AT)


def resize_short_side(picture: NDArray[_Depth], side: int) -> NDArray[_Depth]:
    """Area averaging down, bicubic up."""
    height, width = picture.shape[:2]
    scale = side / min(height, width)
    size = (max(side, round(width * scale)), max(side, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=way), picture.dtype)
