"""Hints on the finished colors: each has its own color at its place, and nothing beyond its border."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.color import fit_gamut
from photochrom.raster import stroke_points
from photochrom.upsample import GuidedFilter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from photochrom.color import Float
    from photochrom.hints import Hint

_SLACK = 1.5  # ab: a pin nearer than this to what its place has is met (eight bits are off by up to 0.9)
_FEATHER = 1  # px of the working size over which a border is blurred, to either side


def paint(colors: GuidedFilter, hints: Sequence[Hint], luminance: Float) -> GuidedFilter:
    """Each hint's color where it was placed: there ab no longer depends on the luminance.

    It fades over about a radius, and stops at edges of L*.
    """
    if not hints:
        return colors
    slope, offset = colors.slope.copy(), colors.offset.copy()
    for hint in hints:
        for _, part, share in _discs(hint, luminance):
            slope[part] *= (1 - share)[..., None]
            offset[part] += share[..., None] * (np.array(hint.ab, np.float32) - offset[part])
    return GuidedFilter(slope, offset)


def shift(colors: GuidedFilter, pins: Sequence[Hint], luminance: Float) -> GuidedFilter:
    """The colors around each pin moved by what its place still lacks of the pin's, if that is much."""
    if not pins:
        return colors
    offset = colors.offset.copy()
    for hint in pins:
        for at, part, share in _discs(hint, luminance):
            now = np.array([[luminance[at], *(colors.slope[at] * luminance[at] + offset[at])]], np.float64)
            lacking = (hint.ab - fit_gamut(now)[0, 1:]).astype(np.float32)
            away = float(np.hypot(*lacking))
            offset[part] += share[..., None] * lacking * np.float32(max(0.0, 1 - _SLACK / max(away, 1e-6)))
    return GuidedFilter(colors.slope, offset)


def blend_within(
    outside: GuidedFilter, inside: GuidedFilter, border: Sequence[tuple[float, float]]
) -> GuidedFilter:
    """One set of colors inside a closed path (x, y in fractions), another outside."""
    height, width = outside.slope.shape[:2]
    corners = np.rint((np.array(border) * (width, height) - 0.5) * 16).astype(np.int32)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_8, 4)
    side = 2 * _FEATHER + 1
    share = (cv2.blur(mask, (side, side)) / np.float32(255))[..., None]
    return GuidedFilter(
        outside.slope + share * (inside.slope - outside.slope),
        outside.offset + share * (inside.offset - outside.offset),
    )


def _discs(hint: Hint, luminance: Float) -> Iterator[tuple[tuple[int, int], tuple[slice, slice], Float]]:
    """For each point of a hint: its pixel, a window around it, and how far each pixel of that belongs."""
    height, width = luminance.shape
    radius = max(1.5, hint.radius * max(height, width))
    for x, y in stroke_points(hint, height, width):
        part = _window(x * width, y * height, 2 * radius, height, width)
        share = _share(x * width, y * height, radius, part, luminance) * np.float32(hint.weight)
        yield (min(height - 1, int(y * height)), min(width - 1, int(x * width))), part, share


def _window(x: float, y: float, reach: float, height: int, width: int) -> tuple[slice, slice]:
    rows = slice(max(0, int(y - reach)), min(height, int(y + reach) + 2))
    return rows, slice(max(0, int(x - reach)), min(width, int(x + reach) + 2))


def _share(x: float, y: float, radius: float, part: tuple[slice, slice], luminance: Float) -> Float:
    """1 on the disc, falling to 0 at twice its radius; less where L* differs from the disc's center."""
    rows = np.arange(part[0].start, part[0].stop, dtype=np.float32)[:, None] + 0.5 - y
    columns = np.arange(part[1].start, part[1].stop, dtype=np.float32)[None] + 0.5 - x
    distance = cv2.sqrt(rows * rows + columns * columns)
    disc = np.clip(2 - distance / np.float32(radius), 0, 1)
    level = luminance[min(luminance.shape[0] - 1, int(y)), min(luminance.shape[1] - 1, int(x))]
    alike = np.exp(-((luminance[part] - level) ** 2) / np.float32(2 * 12.0**2))
    share: Float = np.where(distance <= min(radius, 1.5), disc, disc * alike).astype(np.float32)
    return share
