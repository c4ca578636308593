"""The classical baseline: hints spread over the plain grey photo by a joint-bilateral kernel, no network.

After Levin, Lischinski & Weiss (2004): neighbors of equal luminance share a color. The reach
follows the number of hints, since many hints must not blur each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.color import luminance, luminance_table, merge
from photochrom.evaluation.photos import to_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from photochrom.evaluation.metrics import RGB
    from photochrom.evaluation.photos import Sample
    from photochrom.evaluation.predictors import Distribution, Prepared
    from photochrom.hints import Hint

_FEW = (96 / 256, 15.0)  # (share of the short side, L*): chosen on 10 hints
_MANY = (24 / 256, 8.0)  # chosen on 100 hints
_MANY_FROM = 32
_FLOOR = 0.05  # evidence below this weight fades to grey


def spread(
    grey: NDArray[np.uint8], hints: Sequence[Hint], reach: float, tolerance: float
) -> NDArray[np.float32]:
    """ab (H, W, 2): the hints' colors weighted by nearness and likeness of L*.

    reach: σ of the distance as a share of the short side; tolerance: σ of L*.
    """
    height, width = grey.shape
    sigma = reach * min(height, width)
    lightness = luminance(grey)
    total = np.zeros((height, width, 3), np.float32)
    for hint in hints:
        x, y, r = hint.x * width, hint.y * height, max(1, round(hint.radius * max(height, width)))
        top, left = max(0, round(y) - r), max(0, round(x) - r)
        own = float(lightness[top : round(y) + r, left : round(x) + r].mean())
        alike = np.exp(-((luminance_table(256) - own) ** 2) / (2 * tolerance**2)).astype(np.float32)
        near = np.outer(_bell(height, y, sigma), _bell(width, x, sigma))
        weight = near * cv2.LUT(grey, alike) * hint.weight
        total += weight[..., None] * np.array([*hint.ab, 1], np.float32)
    return np.asarray(total[..., :2] / (total[..., 2:] + _FLOOR))


def _bell(length: int, center: float, sigma: float) -> NDArray[np.float32]:
    distance = np.arange(length) + 0.5 - center
    return np.asarray(np.exp(-(distance**2) / (2 * sigma**2)), np.float32)


@dataclass(frozen=True)
class Spreading:
    """A network that does not clearly beat this one has not understood its hints."""

    name: str = "spreading"
    supports_hints: bool = True
    is_model: bool = False

    def prepare(self, sample: Sample) -> Prepared:
        return _SpreadGrey(sample.grey)


@dataclass(frozen=True)
class _SpreadGrey:
    """A grey square that takes its hints' colors."""

    grey: NDArray[np.uint8]

    def render(self, hints: Sequence[Hint] = ()) -> RGB:
        ab = spread(self.grey, hints, *(_FEW if len(hints) < _MANY_FROM else _MANY))
        return to_bytes(merge(self.grey, ab))

    def distribution(self) -> Distribution | None:
        return None
