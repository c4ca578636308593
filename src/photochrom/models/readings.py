"""Readings of a distribution over ab bins: mean colour, suggestions, uncertainty.

Logits are (Q, h, w), bins (Q, 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from photochrom.color import Float

# Cells read at a time: they stay in the cache, and a product so small wakes no BLAS threads, which would spin
# for longer than it takes.
_CELLS = 208
# Chosen on validation: the paleness at which full vividness doubles a photo's chroma, and the most it does.
_PALE, _MOST = 60.0, 2.5


def softmax(logits: Float, temperature: float = 1.0) -> Float:
    """Probabilities (Q, h, w) at a temperature."""
    scaled = logits * np.float32(1 / temperature)
    scaled -= scaled.max(0)
    p: Float = cv2.exp(scaled.reshape(len(scaled), -1)).reshape(scaled.shape)
    p /= p.sum(0)
    return p


@dataclass(frozen=True)
class Moments:
    """What is expected of ab in each cell."""

    mean: Float  # (h, w, 2): E ab
    chroma: Float  # (h, w): E |ab|
    square: Float  # (h, w): E |ab|²

    def vivid(self, vividness: float) -> Float:
        """(h, w, 2): the hue of the mean colour, with a chroma between the mean's and the expected one.

        chroma = |E ab|^(1 − v/2) · (E |ab|)^(v/2) · (1 + v · paleness / 60), the last factor at most 2.5.
        At v = 0 this is the mean of the distribution, safe and pale, because doubt about the hue cancels. The
        first part gives back what doubt took from a place; it brings twice the colourfulness per lost dB of
        the annealed mean (Zhang, Isola & Efros 2016, eq. 5) and has none of its patches. The last factor
        gives back what doubt took from the photo as a whole, and lifts no grey thing more than others.
        Trials are in docs/model-development.md.
        """
        if vividness == 0:
            return self.mean
        chroma = np.sqrt(self._mean_square)
        lift = (self.chroma / np.maximum(chroma, 1e-3)).clip(1, 8) ** np.float32(vividness / 2)
        lift *= np.float32(min(_MOST, 1 + vividness * self.paleness() / _PALE))
        vivid: Float = self.mean * lift[..., None]
        return vivid

    def paleness(self) -> float:
        """How much doubt there is about a photo for the colour that it was given: σ² / ρ, in units of ab.

        σ² is the variance of ab, ρ the root mean square chroma of the mean, at least 1. Chroma x added to
        a photo whose colours are off by σ anyway costs 10 log₁₀(1 + x² / σ²) dB, so that among photos the
        same cost buys an x that grows with σ².
        """
        square = self._mean_square
        return float((self.square - square).mean() / max(float(np.sqrt(square.mean())), 1.0))

    def deviation(self) -> Float:
        """(h, w): the standard deviation of ab, at least 1."""
        spread: Float = np.sqrt(np.maximum(self.square - self._mean_square, 1))
        return spread

    @cached_property
    def _mean_square(self) -> Float:
        a, b = self.mean[..., 0], self.mean[..., 1]
        return np.asarray(a * a + b * b)


def moments(logits: Float, bins: Float) -> Moments:
    """The moments of the distribution softmax(logits)."""
    square = (bins * bins).sum(-1)
    weights = np.vstack([bins.T, np.sqrt(square), square, np.ones_like(square)])  # (5, Q)
    flat = logits.reshape(len(logits), -1)
    sums = np.empty((5, flat.shape[1]), np.float32)
    peak = flat.max(0)
    for start in range(0, flat.shape[1], _CELLS):
        part = flat[:, start : start + _CELLS]
        sums[:, start : start + _CELLS] = weights @ cv2.exp(part - peak[start : start + _CELLS])
    expected = (sums[:4] / sums[4]).reshape(4, *logits.shape[1:])
    return Moments(np.ascontiguousarray(expected[:2].transpose(1, 2, 0)), expected[2], expected[3])


def uncertainty(logits: Float) -> Float:
    """(h, w) in 0..1: entropy over log Q."""
    p = softmax(logits)
    share: Float = np.clip(entropy(p) / np.log(len(p)), 0, 1).astype(np.float32)
    return share


def entropy(probability: Float) -> Float:
    """(h, w), in nats."""
    return np.asarray(-(probability * cv2.log(np.maximum(probability, 1e-12))).sum(0), np.float32)


def modes(probability: Float, bins: Float, k: int, apart: float = 20.0) -> list[tuple[Float, float]]:
    """The k likeliest distinct colours of one place: [(ab (2,), share)], likeliest first.

    The likeliest bin is taken, those within `apart` in ab of it are passed over, and so on; then every
    bin's probability goes to the nearest colour taken, within the same distance. A colour is the mean
    of the bins that it stands for.
    """
    left = probability.copy()
    picks: list[int] = []
    while len(picks) < k and left.max() > 1e-6:
        picks.append(int(left.argmax()))
        left[((bins - bins[picks[-1]]) ** 2).sum(-1) < apart * apart] = 0
    distance = ((bins[:, None] - bins[None, picks]) ** 2).sum(-1)
    owner = np.where(distance.min(1) < apart * apart, distance.argmin(1), -1)
    shares = [float(probability[owner == number].sum()) for number in range(len(picks))]
    found = [
        ((probability[owner == number] @ bins[owner == number] / share).astype(np.float32), share)
        for number, share in enumerate(shares)
    ]
    return sorted(found, key=lambda mode: -mode[1])
