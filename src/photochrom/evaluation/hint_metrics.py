"""Does a hint color its object, all of it, and nothing else? One counterfactual hint a photo.

The place's true hue is turned far away, so that only obedience, never a good guess, can score.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from photochrom.color import lab_to_rgb, luminance, rgb_to_hex, rgb_to_lab
from photochrom.evaluation.metrics import ciede2000
from photochrom.hints import Hint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.evaluation.photos import Sample

RADIUS = 3 / 256
_LIGHTNESS = (25.0, 85.0)  # outside, hardly any other color fits into sRGB
_LEAST_CHROMA = 15.0
_TURN = (60.0, 180.0)  # degrees, either way
OTHER_THINGS = 25.0  # ab distance of pixels that are surely not the hinted object
LEAST_OTHERS = 500
SAME_AB, SAME_L, SAME_PLACE = 6.0, 20.0, 0.15  # the hinted object: alike and within this share of the side
LEAST_SAME, LEAST_CHANGE = 50, 8.0
_TRIES = 200


@dataclass(frozen=True)
class Counterfactual:
    """A hint that contradicts the photo."""

    x: int  # px of the truth
    y: int
    true_ab: NDArray[np.float32]  # (2,), mean of 5×5 px
    lightness: float  # L* at the place, mean of 5×5 px of the grey
    hint: Hint

    @property
    def asked_ab(self) -> NDArray[np.float32]:
        """ab of the hint's color, (2,)."""
        return np.asarray(self.hint.ab, np.float32)


class _HintFigures(NamedTuple):
    """`hint_obeyed`, `hint_leak`, `hint_reach` of one photo; NaN where the photo does not qualify."""

    obeyed: float
    leak: float
    reach: float


def counterfactual(sample: Sample) -> Counterfactual | None:
    """The seeded hint of a photo (by its number); None when no place of 200 has a usable L*."""
    rng = random.Random(f"counterfactual {sample.number}")  # noqa: S311 reproducible, not secret
    lab = rgb_to_lab(sample.truth)
    height, width = sample.grey.shape
    for _ in range(_TRIES):
        x, y = rng.randint(3, width - 4), rng.randint(3, height - 4)
        turn = np.radians(rng.uniform(*_TURN)) * rng.choice((-1, 1))
        patch = np.s_[y - 2 : y + 3, x - 2 : x + 3]
        lightness = float(luminance(sample.grey[patch]).mean())
        if _LIGHTNESS[0] <= lightness <= _LIGHTNESS[1]:
            true_ab = lab[patch][..., 1:].mean(axis=(0, 1))
            color = turned(lightness, true_ab, float(turn))
            hint = Hint((x + 0.5) / width, (y + 0.5) / height, color, radius=RADIUS)
            return Counterfactual(x, y, true_ab, lightness, hint)
    return None


def turned(lightness: float, ab: NDArray[np.float32], turn: float) -> str:
    """ "#rrggbb" of a color with its hue turned (radians) and chroma of at least 15, clipped into sRGB."""
    chroma = max(float(np.hypot(*ab)), _LEAST_CHROMA)
    hue = float(np.arctan2(ab[1], ab[0])) + turn
    return rgb_to_hex(lab_to_rgb(np.array([lightness, chroma * np.cos(hue), chroma * np.sin(hue)])))


def compare(
    lab: NDArray[np.float32], before: NDArray[np.float32], after: NDArray[np.float32], asked: Counterfactual
) -> _HintFigures:
    """The three figures, of the truth's CIELAB (H, W, 3) and the pictures' without and with the hint."""
    return _HintFigures(
        obeyed(after, asked), leak(lab, before, after, asked), reach(lab, before, after, asked)
    )


def obeyed(after: NDArray[np.float32], asked: Counterfactual) -> float:
    """Mean ΔE2000 of the 3×3 px at the place from the asked ab at the L* they were given."""
    given = after[asked.y - 1 : asked.y + 2, asked.x - 1 : asked.x + 2]
    wanted = given.copy()
    wanted[..., 1:] = asked.asked_ab
    return float(ciede2000(given, wanted).mean())


def leak(
    lab: NDArray[np.float32], before: NDArray[np.float32], after: NDArray[np.float32], asked: Counterfactual
) -> float:
    """Mean ΔE2000 that the hint makes on other things: true ab more than 25 from the hinted one's."""
    others = _distance(lab, asked.true_ab) > OTHER_THINGS
    if others.sum() < LEAST_OTHERS:
        return float("nan")
    return float(ciede2000(before[others], after[others]).mean())


def reach(
    lab: NDArray[np.float32], before: NDArray[np.float32], after: NDArray[np.float32], asked: Counterfactual
) -> float:
    """Mean share, 0..1, of the asked change of ab that happened on the rest of the same thing."""
    height, width = lab.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    near = np.hypot(rows - asked.y, columns - asked.x) <= SAME_PLACE * max(height, width)
    alike = (_distance(lab, asked.true_ab) <= SAME_AB) & (np.abs(lab[..., 0] - asked.lightness) <= SAME_L)
    wanted = asked.asked_ab - before[..., 1:]
    length = np.hypot(wanted[..., 0], wanted[..., 1])
    same = near & alike & (length > LEAST_CHANGE)
    if same.sum() < LEAST_SAME:
        return float("nan")
    happened = after[same][:, 1:] - before[same][:, 1:]
    share = (happened * wanted[same]).sum(axis=1) / length[same] ** 2
    return float(np.clip(share, 0, 1).mean())


def _distance(lab: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.hypot(lab[..., 1] - ab[0], lab[..., 2] - ab[1]))
