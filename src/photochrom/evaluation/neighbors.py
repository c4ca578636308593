"""`neighbours`: how far one hint moves other things, on a photograph with masks made by hand.

The photograph is scikit-image's astronaut (NASA, public domain).
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from photochrom.color import rgb_to_lab
from photochrom.errors import MissingExtra
from photochrom.evaluation.hint_metrics import RADIUS, turned
from photochrom.evaluation.photos import Sample
from photochrom.evaluation.protocols import PROTOCOLS, grey_of
from photochrom.hints import Hint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.evaluation.predictors import Predictor

_SIDE = 512  # px of the photograph in which the outlines are drawn
_THINGS = {  # a place on the thing, then its outline: (x, y)
    "suit": ((100, 290), ((75, 235), (112, 228), (150, 272), (178, 292), (128, 345), (128, 400), (150, 430),
                          (118, 480), (42, 488), (34, 440), (58, 300))),
    "stripe of the flag": ((62, 165), ((20, 145), (42, 122), (58, 130), (94, 205), (76, 230), (62, 212))),
    "face": ((205, 115), ((188, 88), (262, 88), (265, 130), (250, 164), (228, 176), (206, 166), (187, 130))),
    "hair": ((215, 45), ((160, 72), (200, 32), (240, 20), (286, 55), (297, 92), (272, 118), (262, 80),
                         (190, 64), (178, 95), (166, 108))),
    "wall": ((125, 80), ((100, 20), (148, 20), (144, 108), (112, 195), (96, 120))),
    "tank": ((420, 80), ((405, 6), (430, 6), (434, 60), (432, 165), (413, 160), (409, 70), (399, 40))),
    "helmet": ((350, 480), ((300, 402), (350, 372), (430, 372), (478, 430), (478, 500), (300, 500))),
}  # fmt: skip


class Neighbors(NamedTuple):
    """Mean distance in ab, in Lab units, that one hint moves a thing and the other things."""

    thing: str
    own: float
    others: float


def neighbors(predictor: Predictor) -> list[Neighbors]:
    """Hint each thing of the astronaut with its opposite hue. Raises MissingExtra without scikit-image."""
    sample, masks = _astronaut()
    prepared = predictor.prepare(sample)
    before, truth = rgb_to_lab(prepared.render()), rgb_to_lab(sample.truth)
    found = []
    for thing, (place, _) in _THINGS.items():
        own = masks[thing]
        lightness, *ab = truth[own].mean(axis=0)
        color = turned(float(lightness), np.array(ab, np.float32), math.pi)
        hint = Hint(place[0] / _SIDE, place[1] / _SIDE, color, radius=RADIUS)
        moved = np.hypot(*np.moveaxis((rgb_to_lab(prepared.render([hint])) - before)[..., 1:], -1, 0))
        others = [float(moved[mask].mean()) for name, mask in masks.items() if name != thing]
        found.append(Neighbors(thing, round(float(moved[own].mean()), 4), round(float(np.mean(others)), 4)))
    return found


@cache
def _astronaut() -> tuple[Sample, dict[str, NDArray[np.bool_]]]:
    try:
        from skimage.data import astronaut
    except ModuleNotFoundError:
        raise MissingExtra("measuring a hint's neighbors", "eval") from None
    protocol = PROTOCOLS["photos"]
    truth = protocol.square(astronaut())
    masks = {}
    for thing, (_, outline) in _THINGS.items():
        corners = np.rint(np.array(outline) * (protocol.side / _SIDE)).astype(np.int32)
        masks[thing] = cv2.fillPoly(np.zeros(truth.shape[:2], np.uint8), [corners], 1).astype(bool)
    return Sample("astronaut", 0, "", truth, grey_of(truth), (_SIDE, _SIDE)), masks
