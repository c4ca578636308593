"""`neighbors`: how far one hint moves other things, on four photographs with outlines made by hand.

scikit-image's astronaut (NASA, public domain), whose colors are known, and three old photographs of the
studio's examples (Getty's Open Content Program, CC0), which have none. neighbors.json has the outlines, in
pixels of the middle square at a side of 512, and for each thing the place of the hint.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

import photochrom
from photochrom.color import rgb_to_lab
from photochrom.errors import MissingExtra
from photochrom.evaluation.hint_metrics import RADIUS, turned
from photochrom.evaluation.photos import Sample, to_bytes
from photochrom.evaluation.protocols import PROTOCOLS, grey_of
from photochrom.hints import Hint
from photochrom.photo import read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.evaluation.predictors import Predictor

_SIDE = 512  # px of the square in which the outlines are drawn
_OUTLINES = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
_EXAMPLES = Path(photochrom.__file__).parent / "server" / "static" / "examples"
_COLORED = "astronaut"


class Neighbors(NamedTuple):
    """Mean distance in ab, in Lab units, that one hint moves a thing and the other things of its photo."""

    photo: str
    thing: str
    own: float
    others: float


def neighbors(predictor: Predictor) -> list[Neighbors]:
    """Hint each thing with the hue opposite to its true color, or where none is known, to its automatic one.

    Raises MissingExtra without scikit-image.
    """
    return [one for photo in _OUTLINES for one in _of_photo(photo, predictor)]


def _of_photo(photo: str, predictor: Predictor) -> list[Neighbors]:
    sample, masks = _photograph(photo)
    prepared = predictor.prepare(sample)
    before = rgb_to_lab(prepared.render())
    known = rgb_to_lab(sample.truth) if photo == _COLORED else before
    found = []
    for thing, own in masks.items():
        x, y = _OUTLINES[photo][thing]["at"]
        lightness, *ab = known[own].mean(axis=0)
        color = turned(float(lightness), np.array(ab, np.float32), math.pi)
        hint = Hint(x / _SIDE, y / _SIDE, color, radius=RADIUS)
        moved = np.hypot(*np.moveaxis((rgb_to_lab(prepared.render([hint])) - before)[..., 1:], -1, 0))
        others = float(np.mean([moved[mask].mean() for name, mask in masks.items() if name != thing]))
        found.append(Neighbors(photo, thing, round(float(moved[own].mean()), 4), round(others, 4)))
    return found


@cache
def _photograph(photo: str) -> tuple[Sample, dict[str, NDArray[np.bool_]]]:
    """A photograph's middle square, and the masks of its things."""
    protocol = PROTOCOLS["photos"]
    truth = protocol.square(
        _astronaut() if photo == _COLORED else to_bytes(read(_EXAMPLES / f"{photo}.jpg").rgb)
    )
    masks = {}
    for thing, drawn in _OUTLINES[photo].items():
        corners = np.rint(np.array(drawn["outline"]) * (protocol.side / _SIDE)).astype(np.int32)
        masks[thing] = cv2.fillPoly(np.zeros(truth.shape[:2], np.uint8), [corners], 1).astype(bool)
    return Sample(photo, 0, "", truth, grey_of(truth), (_SIDE, _SIDE)), masks


def _astronaut() -> NDArray[np.uint8]:
    try:
        from skimage.data import astronaut
    except ModuleNotFoundError:
        raise MissingExtra("measuring a hint's neighbors", "eval") from None
    picture: NDArray[np.uint8] = astronaut()
    return picture
