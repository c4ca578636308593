"""Readings of a distribution over ab bins: mean colour, suggestions, uncertainty.

Logits are (Q, h, w), bins (Q, 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from photochrom.color import Float


def softmax(logits: Float, temperature: float = 1.0) -> Float:
    """Probabilities (Q, h, w) at a temperature."""
    scaled = logits * np.float32(1 / temperature)
    scaled -= scaled.max(0)
    p: Float = cv2.exp(scaled.reshape(len(scaled), -1)).reshape(scaled.shape)
    p /= p.sum(0)
    return p


def vivid_mean(probability: Float, bins: Float, vividness: float) -> Float:
    """(h, w, 2): the hue of the mean colour, with a chroma between the mean's and the expected one.

    chroma = |E ab|^(1 − v) · (E |ab|)^v. At v = 0 this is the mean of the distribution, safe and pale,
    because doubt about the hue cancels; at v = 1 it is as colourful as the network expects the place to
    be. It brings twice the colourfulness per lost dB of the annealed mean (Zhang, Isola & Efros 2016,
    eq. 5) and has none of its patches (docs/model-development.md).
    """
    weights = np.vstack([bins.T, np.hypot(bins[:, 0], bins[:, 1])])  # (3, Q)
    # OpenCV's product: NumPy's would wake BLAS threads, which then spin for longer than it takes
    sums = cv2.gemm(weights, probability.reshape(len(bins), -1), 1, None, 0)
    a, b, expected = sums.reshape(3, *probability.shape[1:])
    if vividness > 0:
        chroma = np.hypot(a, b)
        lift = (expected / np.maximum(chroma, 1e-3)).clip(1, 8) ** np.float32(vividness)
        a, b = a * lift, b * lift
    return np.stack([a, b], axis=-1)


def deviation(probability: Float, bins: Float) -> Float:
    """(h, w): the standard deviation of ab under the distribution, at least 1."""
    weights = np.vstack([bins.T, (bins * bins).sum(-1)])  # (3, Q)
    a, b, square = cv2.gemm(weights, probability.reshape(len(bins), -1), 1, None, 0)
    spread: Float = np.sqrt(np.maximum(square - a * a - b * b, 1)).reshape(probability.shape[1:])
    return spread


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
