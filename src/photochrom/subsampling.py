"""Colour for JPEG with halved chroma (4:2:0): of one chroma in every block of 2×2 pixels.

Such a file has one Cb and one Cr for four pixels. An encoder that is given a colour for each averages them,
which changes luminance: at edges by many steps. Here the block's Cb and Cr are computed once, of the four
pixels' mean; then every pixel gets the Y' with which it decodes to its own luminance.

Y', Cb and Cr are those of JFIF (ITU-T T.871): R = Y' + 1.402 (Cr − 128), and so on, clipped to 0..255. The
pixels come back as RGB: since what Cb and Cr add to a channel is rounded to whole codes, as decoders do,
an encoder finds the same Y' in them again, and Cb and Cr to within a code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.color import (
    LUMINANCE_WEIGHTS,
    linear_table,
    look_up,
    merge_into,
    sparse,
    to_linear,
    white,
)
from photochrom.upsample import even_sided, halved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Float, Neutral, Pixels
    from photochrom.photo.sources import Planes

_WEIGHTS = LUMINANCE_WEIGHTS[None].astype(np.float32)
# R, G and B of Cr − 128 and Cb − 128
_FROM_CHROMA = np.array([[1.402, 0], [-0.714136, -0.344136], [0, 1.772]], np.float32)
_BEND = 0.04  # of a step of Y': blocks where the straight line may be wrong by more are solved pixel by pixel
_CLIPPED = 0.25  # codes by which a channel may be clipped
_RISE = 1.1  # of Y' a code of the neutral plane, in vivid colours
_ROUNDS = 3
_TOE = 11  # codes: below, sRGB's toe is straight, and no slope tells how the line bends on the way there


def merge_halved(neutral: Neutral, small: Neutral, a: Float, b: Float) -> Planes:
    """Colour a neutral plane (h, W) uint8/uint16: `halved` of it and its a*, b* → R, G, B (h, W) uint8.

    CIE L* of the pixels that decode with their block's Cb and Cr is the neutral's, within half a step of
    8 bits but for one pixel in 200 to 2000, of which most stay within 0.55 (benchmarks/subsampling.py). Where
    a block's colour does not fit sRGB at the L* of each of its pixels, its chroma shrinks toward grey.
    """
    height, width = neutral.shape
    if small.size <= 4:  # OpenCV would take these for scalars
        wide = cast("Neutral", np.pad(even_sided(neutral), ((0, 0), (0, 16)), mode="edge"))
        a, b = (np.pad(plane, ((0, 0), (0, 8)), mode="edge") for plane in (a, b))
        red, green, blue = merge_halved(wide, halved(wide), a, b)
        return red[:height, :width], green[:height, :width], blue[:height, :width]
    neutral = even_sided(neutral)
    rgb: Pixels = np.empty((*small.shape, 3), np.uint8)
    merge_into(rgb, small, a, b)
    luma, cr, cb = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
    blocks = _Blocks(small, *_ranges(neutral), *_extremes(rgb))
    blocks.confine(luma, cr, cb)
    line = _Line(small, luma, cr, cb)
    red, green, blue = line.at(neutral)
    if len(bent := blocks.bent(line.slope)):
        _solve(neutral, bent, line.offsets, (red, green, blue))
    return red[:height, :width], green[:height, :width], blue[:height, :width]


@dataclass
class _Blocks:
    """2×2 pixels each: their mean, lowest and highest, and the channels of the colour of their mean."""

    small: Neutral  # (h, w), as are all
    low: Neutral
    high: Neutral
    least: Pixels
    most: Pixels

    def confine(self, luma: Pixels, cr: Pixels, cb: Pixels) -> None:
        """Shrink Cr and Cb toward grey where the lowest or highest pixel would leave the gamut with them.

        Y' of a pixel is taken to run straight from its own value, for grey, to what it is in full colour.
        """
        below, above = self._reaches
        dark = self.least < _eight(below, _RISE)
        bright = cv2.bitwise_not(self.most) < _eight(above, _RISE)
        suspects = sparse(dark | bright)
        if len(suspects) == 0:
            return

        def at(plane: Neutral) -> Float:
            return np.take(_eight(plane), suspects).astype(np.float32)

        middle, low, high = at(self.small), at(self.low), at(self.high)
        least, most = at(self.least), at(self.most)
        up, down = most + _RISE * (high - middle), least - _RISE * (middle - low)
        share = np.minimum(
            (255 + _CLIPPED - high) / np.maximum(up - high, 1e-3),
            (low + _CLIPPED) / np.maximum(low - down, 1e-3),
        )
        share = np.minimum(share, 1)
        np.put(luma, suspects, np.rint(middle + share * (at(luma) - middle)))
        for plane in (cr, cb):
            np.put(plane, suspects, np.trunc((at(plane) - 128) * share) + 128)

    @cached_property
    def _reaches(self) -> tuple[Neutral, Neutral]:
        below, above = cv2.subtract(self.small, self.low), cv2.subtract(self.high, self.small)
        return cast("Neutral", below), cast("Neutral", above)

    def bent(self, slope: Float) -> NDArray[np.int64]:
        """Numbers of the blocks whose pixels differ too much for a straight line of this slope."""
        reach = cv2.max(*(_eight(plane) for plane in self._reaches))
        bend = cv2.multiply(cv2.subtract(self.most, self.least), reach, dtype=cv2.CV_32F)
        suspects = sparse(bend > look_up(_eight(self.small), _most_bend()))
        reach, small = np.take(reach, suspects).astype(np.float32), np.take(_eight(self.small), suspects)
        rise = np.take(slope, suspects) - 1
        toe = np.take(self.least, suspects) < _TOE + reach
        hard = (rise * reach * reach > _BEND * small) | toe
        return cast("NDArray[np.int64]", suspects[hard])


class _Line:
    """Y' of a pixel as a straight line of its neutral value, for every block's Cb and Cr."""

    def __init__(self, small: Neutral, luma: Pixels, cr: Pixels, cb: Pixels):
        """(h, w) each: the blocks' means, and the Y', Cr and Cb that were found for them."""
        size = white(small.dtype) + 1
        self.offsets = _offsets(cr, cb)
        decoded = cv2.merge([cv2.add(luma, offset, dtype=cv2.CV_8U) for offset in self.offsets])
        light = cv2.transform(to_linear(decoded), _WEIGHTS)
        steepness = cv2.transform(look_up(decoded, _steepness(256)), _WEIGHTS)
        # one step of Newton's method takes back what the rounding of Cb and Cr changed
        change = cv2.divide(cv2.subtract(to_linear(small), light), steepness)
        slope = cv2.divide(look_up(small, _steepness(size)), steepness)
        bent = cv2.multiply(cv2.multiply(change, look_up(small, _curvature(size))), slope)
        self.slope: Float = cv2.subtract(slope, bent)
        level = cv2.multiply(self.slope, look_up(small, _codes(size)))
        self.start: Float = cv2.subtract(cv2.add(luma, change, dtype=cv2.CV_32F), level)

    def at(self, neutral: Neutral) -> Planes:
        """R, G and B (h, W) uint8 of every pixel."""
        luma = np.empty(neutral.shape, np.uint8)
        slope, start = _doubled(self.slope), _doubled(self.start)
        per_code = 255 / white(neutral.dtype)
        for first in (0, 1):
            rise = cv2.multiply(neutral[first::2], slope, scale=per_code, dtype=cv2.CV_32F)
            cv2.add(rise, start, luma[first::2], dtype=cv2.CV_8U)
        return cast("Planes", tuple(_shifted(luma, offset) for offset in self.offsets))


def _shifted(luma: NDArray[np.uint8], offset: Float) -> NDArray[np.uint8]:
    """Y' (h, W) plus the blocks' offsets, clipped; in bytes, which are ten times as fast as floats."""
    size = cv2.convertScaleAbs(offset)
    rising = cv2.bitwise_and(size, cv2.compare(offset, 0, cv2.CMP_GT))
    up, down = _doubled(rising), _doubled(cv2.subtract(size, rising))
    channel = np.empty_like(luma)
    for first in (0, 1):
        rows = channel[first::2]
        cv2.subtract(cv2.add(luma[first::2], up, rows), down, rows)
    return channel


def _offsets(cr: Pixels, cb: Pixels) -> tuple[Float, Float, Float]:
    """What Cr and Cb (h, w) add to R, G and B, in whole codes."""
    green = cv2.add(look_up(cr, _share(1, 0)), look_up(cb, _share(1, 1)))
    return look_up(cr, _share(0, 0)), np.rint(green), look_up(cb, _share(2, 1))


@cache
def _share(channel: int, chroma: int) -> Float:
    """What each value of Cr (0) or Cb (1) adds to a channel; to red and blue, in whole codes."""
    offsets: Float = (np.arange(256) - 128) * _FROM_CHROMA[channel, chroma]
    return (offsets if channel == 1 else np.rint(offsets)).astype(np.float32)


def _extremes(rgb: Pixels) -> tuple[Pixels, Pixels]:
    """The lowest and the highest channel of colours (h, w, 3)."""
    red, green, blue = cv2.split(rgb)
    lowest, highest = cv2.min(cv2.min(red, green), blue), cv2.max(cv2.max(red, green), blue)
    return cast("Pixels", lowest), cast("Pixels", highest)


def _ranges(neutral: Neutral) -> tuple[Neutral, Neutral]:
    """The lowest and the highest of 2×2 pixels of a plane with even sides."""
    height, width = neutral.shape
    ends = []
    for choose in (cv2.min, cv2.max):
        tall = choose(neutral[::2], neutral[1::2])
        ends.append(choose(*cv2.split(tall.reshape(height // 2, width // 2, 2))))
    return cast("Neutral", ends[0]), cast("Neutral", ends[1])


def _doubled(plane: Any) -> NDArray[Any]:
    """Every column twice."""
    doubled: NDArray[Any] = cv2.merge([plane, plane]).reshape(len(plane), -1)
    return doubled


def _eight(plane: Any, times: float = 1) -> NDArray[np.uint8]:
    """A plane in steps of 8 bits, rounded, some times over."""
    if plane.dtype == np.uint8 and times == 1:
        return cast("NDArray[np.uint8]", plane)
    return cast("NDArray[np.uint8]", cv2.convertScaleAbs(plane, alpha=times * 255 / white(plane.dtype)))


@cache
def _codes(size: int) -> Float:
    """Every 8-bit (size 256) or 16-bit (size 65536) value in steps of 8 bits."""
    return np.linspace(0, 255, size).astype(np.float32)


@cache
def _most_bend() -> Float:
    """How large spread of channels × distance from the mean may be for each 8-bit mean.

    Where light is a power p of the code, the line's slope is 1 + (p − 1) v / 2c², v the variance of the
    channels (at most spread² / 4), and at a distance r it is wrong by (p − 1) v r² / 2c³.
    """
    most: Float = np.sqrt(_BEND / 0.175 * (np.arange(256) + 4.0) ** 3).astype(np.float32)
    return most


@cache
def _steepness(size: int) -> Float:
    """d (linear light) / d (8-bit code) of every 8-bit (size 256) or 16-bit (size 65536) sRGB value."""
    encoded = np.linspace(0, 1, size)
    slope = np.where(encoded <= 0.04045, 1 / 12.92, 2.4 / 1.055 * ((encoded + 0.055) / 1.055) ** 1.4)
    return (slope / 255).astype(np.float32)


@cache
def _curvature(size: int) -> Float:
    """Its relative change a code: the logarithmic derivative of `_steepness`."""
    codes = np.linspace(0, 255, size)
    return np.where(codes / 255 <= 0.04045, 0, 1.4 / (codes + 0.055 * 255)).astype(np.float32)


# --- blocks that no line fits --------------------------------------------------------------------


def _solve(
    neutral: Neutral, blocks: NDArray[np.int64], offsets: tuple[Float, Float, Float], rgb: Planes
) -> None:
    """Fill in some blocks pixel by pixel: their Y' by Newton's method with one slope."""
    rows, columns = np.divmod(blocks, offsets[0].shape[1])
    shape = (neutral.shape[0] // 2, 2, neutral.shape[1] // 2, 2)
    levels = neutral.reshape(shape)[rows, :, columns].reshape(-1, 4)
    added = np.stack([offset[rows, columns] for offset in offsets])[..., None].repeat(4, axis=2)
    light, luma = to_linear(levels), _eight(levels).astype(np.float32)
    per_light = 1 / _weighed(luma, added, _steepness(65536))
    for _ in range(_ROUNDS):
        luma = np.clip(luma + (light - _weighed(luma, added, linear_table(65536))) * per_light, 0, 255)
    for plane, offset in zip(rgb, np.clip(np.rint(luma) + added, 0, 255), strict=True):
        plane.reshape(shape)[rows, :, columns] = offset.astype(np.uint8).reshape(-1, 2, 2)


def _weighed(luma: Float, offsets: Float, table: Float) -> Float:
    """The luminance (n, 4), or what else the table has of a code, of Y' (n, 4) and offsets (3, n, 4)."""
    parts = [
        look_up(cv2.addWeighted(luma, 257, offset, 257, 0, dtype=cv2.CV_16U), table) * np.float32(weight)
        for offset, weight in zip(offsets, LUMINANCE_WEIGHTS, strict=True)
    ]
    total: Float = parts[0] + parts[1] + parts[2]
    return total
