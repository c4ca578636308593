"""Several models at once: the weighted mean of their colors.

Unlike models err differently, so that their mean is nearer to the truth than each alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.levels import stretch_contrast
from photochrom.models.answer import DEFAULT_VIVIDNESS, Answer
from photochrom.models.network import Network
from photochrom.raster import rasterize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.color import Float
    from photochrom.hints import Hint
    from photochrom.models.card import Card


@dataclass(frozen=True, eq=False)
class _AverageAnswer(Answer):
    """What several models answer, and the mean of their colors."""

    parts: tuple[tuple[float, Answer], ...] = ()  # shares, of sum 1, and answers

    def ab(self, vividness: float = DEFAULT_VIVIDNESS) -> Float:
        return _mean(self.parts, vividness, self.seen.shape)


class AverageNetwork(Network):
    """Models that are asked one after the other; the largest working size is the size of the answer."""

    def __init__(self, members: Sequence[tuple[float, Network]], card: Card):
        super().__init__(members[0][1].session)
        total = sum(weight for weight, _ in members)
        self.members = [(weight / total, network) for weight, network in members]
        self.card = card

    def working_size(self, height: int, width: int) -> tuple[int, int]:
        return max(
            (network.working_size(height, width) for _, network in self.members),
            key=lambda size: size[0] * size[1],
        )

    def further_sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        return []

    def answer(
        self,
        luminance: Float,
        hints: Sequence[Hint] = (),
        *,
        unhinted: Answer | None = None,
        further: Sequence[Float] = (),
    ) -> Answer:
        plain = unhinted or (self.answer(luminance) if hints else None)
        known: list[Answer | None] = [None] * len(self.members)
        if isinstance(plain, _AverageAnswer):
            known = [part for _, part in plain.parts]
        parts = tuple(
            (share, network.answer(_fitted(luminance, network), hints, unhinted=before))
            for (share, network), before in zip(self.members, known, strict=True)
        )
        seen = stretch_contrast(luminance)
        output = _mean(parts, DEFAULT_VIVIDNESS, seen.shape).transpose(2, 0, 1)
        points = rasterize(hints, seen).points
        return _AverageAnswer(
            self.card, output, seen, points, lambda: self.recognize(seen), unhinted=plain, parts=parts
        )


def _mean(parts: Sequence[tuple[float, Answer]], vividness: float, shape: tuple[int, ...]) -> Float:
    """(h, w, 2): the weighted mean of the answers' colors."""
    total: Float = np.zeros((*shape, 2), np.float32)
    for share, answer in parts:
        total += np.float32(share) * cv2.resize(answer.ab(vividness), shape[1::-1])
    return total


def _fitted(luminance: Float, network: Network) -> Float:
    """L* (h, w) at a member's working size."""
    size = network.working_size(*luminance.shape)
    if luminance.shape == size:
        return luminance
    smaller = size[0] < luminance.shape[0]
    resized = cv2.resize(luminance, size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)
