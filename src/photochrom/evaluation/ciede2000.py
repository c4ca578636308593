"""CIEDE2000, the colour difference that agrees best with eyes (Sharma, Wu & Dalal 2005).

Checked against the 34 published pairs of that paper and against scikit-image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]

_POW25_7 = 25.0**7


def ciede2000(first: NDArray[Any], second: NDArray[Any]) -> Plane:
    """ΔE2000 (...) between CIELAB colours (..., 3), with kL = kC = kH = 1."""
    l1, a1, b1 = np.moveaxis(np.asarray(first, np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(second, np.float64), -1, 0)
    stretch = 1 + _chroma_gain((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    turn, hue = _hues(a1, b1, a2, b2, c1 * c2)
    delta_hue = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2)

    squared = (lightness - 50) ** 2
    weight_l = 1 + 0.015 * squared / np.sqrt(20 + squared)
    weight_c = 1 + 0.045 * chroma
    weight_h = 1 + 0.015 * chroma * _hue_weight(hue)
    terms_l = (l2 - l1) / weight_l
    terms_c = (c2 - c1) / weight_c
    terms_h = delta_hue / weight_h
    rotation = _rotation(hue, chroma)
    total = terms_l**2 + terms_c**2 + terms_h**2 + rotation * terms_c * terms_h
    return np.asarray(np.sqrt(np.maximum(total, 0)))


def _chroma_gain(chroma: Plane) -> Plane:
    """G of the paper: how far a* is stretched near the neutral axis."""
    power = chroma**7
    return 0.5 * (1 - np.sqrt(power / (power + _POW25_7)))


def _hues(a1: Plane, b1: Plane, a2: Plane, b2: Plane, product: Plane) -> tuple[Plane, Plane]:
    """Signed hue step and mean hue, in radians; a grey takes the other colour's hue."""
    h1, h2 = np.arctan2(b1, a1) % (2 * np.pi), np.arctan2(b2, a2) % (2 * np.pi)
    coloured = product != 0
    step = h2 - h1
    step = np.where(step > np.pi, step - 2 * np.pi, np.where(step < -np.pi, step + 2 * np.pi, step))
    total = h1 + h2
    wrapped = np.abs(h1 - h2) > np.pi
    mean = np.where(wrapped, np.where(total < 2 * np.pi, total + 2 * np.pi, total - 2 * np.pi), total) / 2
    return np.where(coloured, step, 0.0), np.where(coloured, mean, total)


def _hue_weight(hue: Plane) -> Plane:
    """T of the paper."""
    weight: Plane = (
        1
        - 0.17 * np.cos(hue - np.radians(30))
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.radians(6))
        - 0.20 * np.cos(4 * hue - np.radians(63))
    )
    return weight


def _rotation(hue: Plane, chroma: Plane) -> Plane:
    """R_T of the paper: chroma and hue interact in the blues."""
    angle = np.radians(60) * np.exp(-(((np.degrees(hue) - 275) / 25) ** 2))
    power = chroma**7
    return np.asarray(-np.sin(angle) * 2 * np.sqrt(power / (power + _POW25_7)))
