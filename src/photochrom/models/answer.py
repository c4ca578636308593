"""What a network answers to a photo and its hints, and what can be read from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.errors import UnsupportedReading
from photochrom.models import readings
from photochrom.raster import cell_means

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochrom.color import Float
    from photochrom.models.card import Card
    from photochrom.raster import Points

DEFAULT_VIVIDNESS = 0.25  # chosen on validation (docs/model-development.md)
_FEWEST_CHROMA = 0.6  # of an ab model's chroma, at vividness 0


@dataclass(frozen=True, eq=False)
class Answer:
    """What every model answers: colors. Its arrays are not to be changed."""

    card: Card
    output: Float  # (n, h', w'), at the model's own resolution: ab, or logits over the card's bins
    seen: Float  # (h, w) L* 0..100: what the network saw, at the working size
    points: Points  # the hints, as points on the cells
    recognize: Callable[[], tuple[Float, Float]] = field(repr=False)  # the features and details
    unaveraged: Float | None = None  # the output of the one pass at the working size, where others joined it
    unhinted: Answer | None = None  # the answer without hints; None where this is it

    @property
    def automatic(self) -> Answer:
        """The answer to the photo without hints."""
        return self.unhinted or self

    @cached_property
    def cells(self) -> Float:
        """(h/4, w/4): the L* that the network saw, averaged over cells."""
        return self.automatic.cells if self.unhinted else cell_means(self.seen)

    @property
    def features(self) -> Float:
        """(C, h/16, w/16) float32: what the network recognizes in the photo without hints."""
        return self._recognized[0]

    @property
    def details(self) -> Float:
        """(D, h/4, w/4) float32: the finer features from which the colors are read."""
        return self._recognized[1]

    @cached_property
    def _recognized(self) -> tuple[Float, Float]:
        return self.unhinted._recognized if self.unhinted else self.recognize()

    @cached_property
    def unit_features(self) -> Float:
        """(h/4, w/4, C + D): their products are the mean cosines of features and of details."""
        if self.unhinted:
            return self.unhinted.unit_features
        return unit_features(*self._recognized, self.cells.shape)

    # --- colors --------------------------------------------------------------------------------

    def ab(self, vividness: float = DEFAULT_VIVIDNESS) -> Float:
        """(h', w', 2) float32: the colors at a vividness of 0..1.

        A model without a distribution is taken at its word at the default vividness; others scale its chroma.
        """
        least = np.float32(_FEWEST_CHROMA)
        scale = least + (1 - least) * np.float32(vividness / DEFAULT_VIVIDNESS)
        return np.ascontiguousarray(self.output.transpose(1, 2, 0)) * scale

    def deviation(self) -> Float:
        """(h/4, w/4): the standard deviation of ab that the network expects in each cell, at least 1."""
        return np.ones(self.cells.shape, np.float32)

    # --- readings of a distribution --------------------------------------------------------------

    @property
    def bins(self) -> Float:
        """(Q, 2): the ab colors that the distribution is over. Raises UnsupportedReading without one."""
        raise self._unsupported()

    @property
    def logits(self) -> Float:
        """(Q, h/4, w/4) float32: log-probabilities, up to a constant. Raises UnsupportedReading."""
        raise self._unsupported()

    @property
    def distribution(self) -> tuple[Float, Float]:
        """Probabilities (Q, h/4, w/4), of sum 1 over Q, and the ab bins (Q, 2). Raises UnsupportedReading."""
        return readings.softmax(self.logits), self.bins

    def uncertainty(self) -> Float:
        """(h/4, w/4) in 0..1: the entropy over its largest possible value. Raises UnsupportedReading."""
        return readings.uncertainty(self.logits)

    def _unsupported(self) -> UnsupportedReading:
        return UnsupportedReading(
            f"the model {self.card.name} gives colors but no distribution over them: use a model with one, "
            "such as the default model"
        )


class DistributionAnswer(Answer):
    """A distribution over ab bins, read as colors, suggestions and uncertainty."""

    @cached_property
    def bins(self) -> Float:
        return np.array(self.card.bins, np.float32)

    @property
    def logits(self) -> Float:
        return self.output

    @cached_property
    def _moments(self) -> readings.Moments:
        return readings.moments(self.output, self.bins, self.cells)

    def ab(self, vividness: float = DEFAULT_VIVIDNESS) -> Float:
        plain = self.unhinted
        return self._moments.vivid(
            vividness, plain._moments if isinstance(plain, DistributionAnswer) else None
        )

    def deviation(self) -> Float:
        return self._moments.deviation()


def unit_features(features: Float, details: Float, shape: tuple[int, ...]) -> Float:
    """(h, w, C + D) on cells of `shape`: their products are the mean cosines of features and of details."""
    both = [_enlarged(_unit(plane), shape) for plane in (features, details)]
    return np.asarray(np.concatenate(both, axis=-1) * np.float32(np.sqrt(0.5)))


def _unit(plane: Float) -> Float:
    """Features (C, h, w), centered over the photo, of length at most 1."""
    centered = plane - plane.mean((1, 2), keepdims=True)
    unit: Float = centered / (np.sqrt((centered * centered).sum(0)) + np.float32(1e-6))
    return unit


def _enlarged(plane: Float, shape: tuple[int, ...]) -> Float:
    """(C, …, …) as (h, w, C)."""
    fine = cv2.resize(
        np.ascontiguousarray(plane.transpose(1, 2, 0)), shape[1::-1], interpolation=cv2.INTER_LINEAR
    )
    return np.asarray(fine.reshape(*shape, len(plane)), np.float32)
