"""Key frames in color: by the network, and by what a person gave for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.video.scenes import STRIDE
from photochrom.video.steady import Opinion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Float
    from photochrom.colorizer import Colorizer
    from photochrom.video.scenes import State
    from photochrom.video.steady import Step

_USUAL = 12.0  # standard deviation of ab at which an answer has weight 1
_RANGE = 30.0  # L* between dark and light from which a frame counts in full; less in fades


class NetworkPainter:
    """Colors frames by the network alone."""

    def __init__(self, colorizer: Colorizer, vividness: float | None):
        self._colorizer, self._vividness = colorizer, vividness

    def begins(self) -> None: ...

    def moves(self, step: Step) -> None: ...

    def asked(self, seconds: float) -> bool:
        return False

    def paint(self, neutral: NDArray[np.uint16], seconds: float) -> Opinion:
        plate = self._colorizer.prepare(neutral)
        answer = plate.answer()
        size = (neutral.shape[0] // STRIDE, neutral.shape[1] // STRIDE)
        ab = _at(answer.ab(0.35 if self._vividness is None else self._vividness), size)
        sure = _at((_USUAL / answer.deviation()) ** 2, size).clip(0.1, 4)
        dark, light = np.percentile(plate.luminance, (2, 98))
        return Opinion(ab, sure * np.float32(np.clip((light - dark) / _RANGE, 0.05, 1) ** 2))

    def state(self) -> State:
        return {}


def _at(plane: Float, size: tuple[int, int]) -> Float:
    if plane.shape[:2] == size:
        return np.ascontiguousarray(plane, np.float32)
    how = cv2.INTER_AREA if plane.shape[0] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=how), np.float32)
