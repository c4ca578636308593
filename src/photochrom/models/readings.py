"""Readings of a distribution over ab bins: mean color, suggestions, uncertainty.

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
_PALE = 18.0  # chosen on validation: at vividness 1, photos are on average as colorful as the truth
_LIGHT = 40.0  # L*: in what is darker, the mean color needs less lifting to be as colorful as the truth


def softmax(logits: Float, temperature: float = 1.0) -> Float:
    """Probabilities (Q, h, w) at a temperature."""
    scaled = logits * np.float32(1 / temperature)
    scaled -= scaled.max(0)
    p: Float = cv2.exp(scaled.reshape(len(scaled), -1)).reshape(scaled.shape)
    p /= p.sum(0)
    return p


@dataclass(frozen=True)
class Moments:
    """What is expected of ab in each cell, and the cell's L*."""

    mean: Float  # (h, w, 2): E ab
    chroma: Float  # (h, w): E |ab|
    square: Float  # (h, w): E |ab|²
    luminance: Float  # (h, w) 0..100

    def vivid(self, vividness: float, unhinted: Moments | None = None) -> Float:
        """(h, w, 2): the mean color with more chroma, at the same hue, the more so the surer that is.

        chroma = |E ab| · (1 + v · s · w), at most E |ab| plus 1 + v standard deviations of |ab|, where s is
        the photo's `paleness`, w = c⁴ · min(1, L* / 40), and c = |E ab| / E |ab| tells how sure the hue is.
        At v = 0 this is the mean of the distribution, safe and pale, because doubt about the hue cancels.
        Lifting what is in doubt instead, as the annealed mean does (Zhang, Isola & Efros 2016, eq. 5), makes
        dark cloth plum; in the dark the mean is colorful enough. The bound keeps a face that is sure in a
        doubtful photo from glowing. Trials: docs/model-development.md.

        unhinted: the moments of the same photo without hints, whose paleness is the most that counts, so that
        hints do not lift what they do not reach.
        """
        if vividness == 0:
            return self.mean
        chroma = np.sqrt(self._mean_square)
        strength = np.float32(vividness * min(self.paleness(), (unhinted or self).paleness()))
        spread = np.sqrt(np.maximum(self.square - self.chroma * self.chroma, 0))
        most = (self.chroma + np.float32(1 + vividness) * spread) / np.maximum(chroma, 1e-3)
        lift = np.minimum(1 + strength * self._room, np.maximum(most, 1))
        vivid: Float = self.mean * lift[..., None]
        return vivid

    def paleness(self) -> float:
        """How much chroma full vividness gives back to a photo: σ² / (18 ρ), without unit.

        σ² is the mean variance of ab, ρ the root mean square of w |E ab|, at least 0.5. Chroma x added to a
        photo whose colors are off by σ anyway costs 10 log₁₀(1 + x² / σ²) dB, so that among photos the same
        cost buys an x that grows with σ².
        """
        sure = self._room * np.sqrt(self._mean_square)
        variance = float((self.square - self._mean_square).mean())
        return variance / (_PALE * max(float(np.sqrt((sure * sure).mean())), 0.5))

    @cached_property
    def _room(self) -> Float:
        """(h, w) 0..1: w, full where all likely colors have one hue and the place is not dark."""
        square = self._mean_square / np.maximum(self.chroma * self.chroma, 1e-6)
        return np.asarray(square * square * np.minimum(self.luminance / np.float32(_LIGHT), 1))

    def deviation(self) -> Float:
        """(h, w): the standard deviation of ab, at least 1."""
        spread: Float = np.sqrt(np.maximum(self.square - self._mean_square, 1))
        return spread

    @cached_property
    def _mean_square(self) -> Float:
        a, b = self.mean[..., 0], self.mean[..., 1]
        return np.asarray(a * a + b * b)


def moments(logits: Float, bins: Float, luminance: Float) -> Moments:
    """The moments of the distribution softmax(logits) of a photo whose cells have the L* (h, w)."""
    square = (bins * bins).sum(-1)
    weights = np.vstack([bins.T, np.sqrt(square), square, np.ones_like(square)])  # (5, Q)
    flat = logits.reshape(len(logits), -1)
    sums = np.empty((5, flat.shape[1]), np.float32)
    peak = flat.max(0)
    for start in range(0, flat.shape[1], _CELLS):
        part = flat[:, start : start + _CELLS]
        sums[:, start : start + _CELLS] = weights @ cv2.exp(part - peak[start : start + _CELLS])
    expected = (sums[:4] / sums[4]).reshape(4, *logits.shape[1:])
    mean = np.ascontiguousarray(expected[:2].transpose(1, 2, 0))
    return Moments(mean, expected[2], expected[3], luminance)


def uncertainty(logits: Float) -> Float:
    """(h, w) in 0..1: entropy over log Q."""
    p = softmax(logits)
    share: Float = np.clip(entropy(p) / np.log(len(p)), 0, 1).astype(np.float32)
    return share


def entropy(probability: Float) -> Float:
    """(h, w), in nats."""
    return np.asarray(-(probability * cv2.log(np.maximum(probability, 1e-12))).sum(0), np.float32)


def modes(probability: Float, bins: Float, k: int, apart: float = 20.0) -> list[tuple[Float, float]]:
    """The k likeliest distinct colors of one place: [(ab (2,), share)], likeliest first.

    The likeliest bin is taken, those within `apart` in ab of it are passed over, and so on; then every
    bin's probability goes to the nearest color taken, within the same distance. A color is the mean
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
