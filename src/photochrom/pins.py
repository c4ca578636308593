"""Pins: hints with the color that their place has already. They only take back what others moved.

A pin is not shown to the network, to which every hint is news of the whole scene. Where other hints have
changed the thing that is pinned, it goes back toward the automatic colors, as far as the pin asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photochrom.color import fit_gamut
from photochrom.kriging import belonging, sample
from photochrom.raster import stroke_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.color import Float
    from photochrom.hints import Hint
    from photochrom.kriging import Scene
    from photochrom.raster import Points

_SAME = (1.5, 3.0)  # ab: a color nearer than the first is the place's own (eight bits are off by up to 0.9)
_LEAD = 0.8  # a hint that changes its place by less than this share of an earlier one's may be its follower
_SIDE = 0.5  # cosine: and if it changes it to the same side,
_LITTLE = 8.0  # ab: or by less than this
_MANY = (6.0, 12.0)  # hints that ask for a change: up to the first, pins are pins; from the second, hints
_MOVED = (1.0, 4.0)  # ab: what others moved a pin's place by; below, they hardly did; above, they did


def pinned_shares(hints: Sequence[Hint], ab: Float, luminance: Float) -> Float:
    """(n,) 0..1: how far each hint has the colors, ab (h, w, 2), that its place has at its L* (h, w)."""
    low, high = _SAME
    return ((high - distances(hints, ab, luminance)) / (high - low)).clip(0, 1).astype(np.float32)


def distances(hints: Sequence[Hint], ab: Float, luminance: Float) -> Float:
    """(n,): how far in ab each hint is from the colors of its place, at the farthest of its points."""
    height, width = luminance.shape
    lines = [stroke_points(hint, height, width) for hint in hints]
    places = np.array([place for line in lines for place in line]) * (width, height)
    columns, rows = np.minimum(places.astype(int), (width - 1, height - 1)).T
    there = np.column_stack([luminance[rows, columns], ab[rows, columns]]).astype(np.float64)
    counts = [len(line) for line in lines]
    asked = np.repeat(np.array([hint.ab for hint in hints]), counts, axis=0)
    away = np.hypot(*(fit_gamut(there)[:, 1:] - asked).T)
    return np.asarray(np.maximum.reduceat(away, np.cumsum([0, *counts[:-1]])), np.float32)


def fade(shares: Float) -> Float:
    """The shares (n,) of pins where more and more hints ask for a change: then each tells of the whole."""
    asking = float((1 - shares).sum())
    few, many = _MANY
    return shares * np.float32(np.clip((many - asking) / (many - few), 0, 1))


def may_follow(hint: Hint, earlier: Sequence[Hint], automatic: Float) -> bool:
    """Whether a hint may have the color that earlier ones brought to its place: a lesser change.

    automatic (h, w, 2): the colors without hints.
    """
    change = _change(hint, automatic)
    length = float(np.hypot(*change))
    for other in (_change(one, automatic) for one in earlier):
        most = float(np.hypot(*other))
        if length < _LEAD * most and (length < _LITTLE or float(change @ other) > _SIDE * length * most):
            return True
    return False


def _change(hint: Hint, automatic: Float) -> Float:
    height, width = automatic.shape[:2]
    at = automatic[min(height - 1, int(hint.y * height)), min(width - 1, int(hint.x * width))]
    return np.asarray(np.array(hint.ab, np.float32) - at)


def take_back(colors: Float, scene: Scene, pins: Points, hints: Points) -> Float:
    """The colors (h, w, 2) that hints made, nearer to the automatic ones on the things that are pinned.

    Each cell stays on the way from its color to the automatic one: a pin only takes back.
    """
    way = scene.automatic - colors
    at, there = sample(colors, pins.places), sample(way, pins.places)
    moved = np.hypot(there[:, 0], there[:, 1])
    asked = ((pins.ab - at) * there).sum(-1) / np.maximum(moved * moved, np.float32(1e-3))
    wanted = asked.clip(0, 1) * ((moved - _MOVED[0]) / (_MOVED[1] - _MOVED[0])).clip(0, 1) * pins.weights
    mine, theirs = belonging(scene, pins, wanted), belonging(scene, hints, hints.weights)
    back = mine * mine / np.maximum(mine * mine + theirs * theirs * (1 - mine), np.float32(1e-6)) * mine
    return colors + back[..., None] * way
