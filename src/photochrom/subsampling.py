"""Colour for JPEG with halved chroma (4:2:0): of one chroma in every block of 2×2 pixels.

Such a file has one Cb and one Cr for four pixels. An encoder that is given a colour for each averages them,
which changes luminance: at edges by many steps. Here the block's Cb and Cr are computed once, of the four
pixels' mean; then every pixel gets the Y' with which it decodes to its own luminance.

Y', Cb and Cr are those of JFIF (ITU-T T.871): R = Y' + 1.402 (Cr − 128), and so on, clipped to 0..255. The
pixels come back as RGB: since what Cb and Cr add to a channel is rounded to whole codes, as decoders do,
an encoder finds the same Y' in them again, and Cb and Cr to within a code.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.color import (
    LUMINANCE_WEIGHTS,
    lab_to_linear,
    linear_table,
    look_up,
    luminance_table,
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
_MISS = 0.004  # of a step of Y': blocks whose curve may be wrong by more are looked at pixel by pixel
_RISE = 1.1  # of Y' a code of the neutral plane, in vivid colours
_TOE = 16  # codes: to 10 sRGB is straight, and the curve is too rough near it
_OFFSET = 0.055 * 255  # codes: above the toe, light is a power of the code and this
_ROUNDS = 3  # of the chord method
_SHARES = (1, 0.85, 0.5, 0)  # of a block's chroma that is left from one trial to the next, at most


def merge_halved(neutral: Neutral, small: Neutral, a: Float, b: Float) -> Planes:
    """Colour a neutral plane (h, W) uint8/uint16: `halved` of it and its a*, b* → R, G, B (h, W) uint8.

    CIE L* of every pixel is the neutral's within half a step of 8 bits. Where a block's colour does not fit
    sRGB at the L* of each of its pixels, its chroma shrinks toward grey until it does.
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
    blocks = _Blocks(neutral, small, rgb)
    blocks.confine(luma, cr, cb)
    curve = _Curve(small, luma, cr, cb)
    red, green, blue = curve.at(neutral)
    if len(hard := np.concatenate([blocks.bent(curve.slope), blocks.edge(cr, cb)])):
        _mend(neutral, hard, (cr, cb), (red, green, blue))
    return red[:height, :width], green[:height, :width], blue[:height, :width]


class _Blocks:
    """2×2 pixels each: where their colour may leave the gamut, and where they differ too much for a curve."""

    def __init__(self, neutral: Neutral, small: Neutral, rgb: Pixels):
        """Of the neutral plane (2h, 2w), its mean in every block (h, w) and that mean's colour (h, w, 3)."""
        self._small, self._level = small, _eight(small)
        self._low, self._high = _ranges(neutral)
        self._least, self._most = _extremes(rgb)
        self._spread = cv2.subtract(self._most, self._least)
        below = _eight(cv2.subtract(small, self._low), _RISE)
        above = _eight(cv2.subtract(self._high, small), _RISE)
        self._reach = cv2.max(below, above)
        dark = cv2.compare(cv2.subtract(self._least, self._reach), _TOE, cv2.CMP_LT)
        bright = cv2.compare(cv2.add(self._most, above), 255, cv2.CMP_GE)
        coloured = cv2.compare(self._spread, 0, cv2.CMP_GT)
        self._outer = cv2.bitwise_and(cv2.bitwise_or(dark, bright), coloured)
        self._edge = sparse(self._outer > 0)

    def confine(self, luma: Pixels, cr: Pixels, cb: Pixels) -> None:
        """Shrink Cr and Cb toward grey where the lowest or highest pixel would leave the gamut with them.

        Y' of a pixel is taken to run straight from its own value, for grey, to what it is in full colour.
        """
        planes = self._small, self._low, self._high, self._least, self._most, luma
        middle, low, high, least, most, own = (self._at_edge(plane) for plane in planes)
        up, down = most + _RISE * (high - middle), least - _RISE * (middle - low)
        share = np.minimum(_room(low, down, high, up), 1)
        np.put(luma, self._edge, np.rint(middle + share * (own - middle)))
        for plane in (cr, cb):
            np.put(plane, self._edge, np.trunc((self._at_edge(plane) - 128) * share) + 128)

    def _at_edge(self, plane: Neutral) -> Float:
        """In steps of 8 bits."""
        scale = np.float32(255 / white(plane.dtype))
        return cast("Float", np.take(plane, self._edge).astype(np.float32) * scale)

    def edge(self, cr: Pixels, cb: Pixels) -> NDArray[np.int64]:
        """Numbers of the blocks at the gamut's edge, or in sRGB's toe, that have any chroma."""
        coloured = (np.take(cr, self._edge) != 128) | (np.take(cb, self._edge) != 128)
        return cast("NDArray[np.int64]", self._edge[coloured])

    def bent(self, slope: Float) -> NDArray[np.int64]:
        """Numbers of the others whose pixels may differ too much for the curve, of this slope at the mean."""
        bend = cv2.add(cv2.LUT(self._spread, _logarithms(1.5)), cv2.LUT(self._reach, _logarithms(1)))
        suspects = sparse(cv2.compare(bend, cv2.LUT(self._level, _most_bend()), cv2.CMP_GT) > self._outer)
        planes = self._spread, self._reach, self._level, slope
        spread, reach, level, rise = (np.take(plane, suspects).astype(np.float32) for plane in planes)
        miss = 0.5 * spread * (rise - 1) * (reach / (level + _OFFSET)) ** 2
        # a step of Y' is less than one of the neutral by the slope, which, far from the toe, is to spare
        spare = 0.4 * (rise - 1) * (level / (level + reach)) ** 2 * (level > 4 * _TOE)
        return cast("NDArray[np.int64]", suspects[miss > np.maximum(spare, _MISS)])


class _Curve:
    """Y' of a pixel as a curve of its neutral value n, for every block's Cb and Cr.

    Were light the square of a code, channels that vary around Y' by v would give it with Y'² + v = n². What
    it is, a power of 2.4 of the code and an offset, runs on very nearly such a curve through the block's mean
    with the slope that it has there: Y' = √((n + offset)² − v) + start.
    """

    def __init__(self, small: Neutral, luma: Pixels, cr: Pixels, cb: Pixels):
        """(h, w) each: the blocks' means, and the Y', Cr and Cb that were found for them."""
        size = white(small.dtype) + 1
        self._offsets = _offsets(cr, cb)
        decoded = cv2.merge([cv2.add(luma, offset, dtype=cv2.CV_8U) for offset in self._offsets])
        light = cv2.transform(to_linear(decoded), _WEIGHTS)
        steepness = cv2.transform(look_up(decoded, _steepness(256)), _WEIGHTS)
        # one step of Newton's method takes back what the rounding of Cb and Cr changed
        change = cv2.divide(cv2.subtract(to_linear(small), light), steepness)
        slope = cv2.divide(look_up(small, _steepness(size)), steepness)
        bent = cv2.multiply(change, look_up(small, _curvature(size)))
        self.slope: Float = cv2.subtract(slope, cv2.multiply(bent, slope))
        middle = cv2.add(luma, cv2.subtract(change, cv2.multiply(bent, change, scale=0.5)), dtype=cv2.CV_32F)
        root = cv2.divide(look_up(small, _codes(size)), self.slope)
        self._start = cv2.subtract(middle, root)
        self._variance = cv2.subtract(look_up(small, _squares(size)), cv2.multiply(root, root))

    def at(self, neutral: Neutral) -> Planes:
        """R, G and B (h, W) uint8 of every pixel."""
        luma = np.empty(neutral.shape, np.uint8)
        variance, start = _doubled(self._variance), _doubled(self._start)
        table = _squares(white(neutral.dtype) + 1)
        for first in (0, 1):
            square = cv2.subtract(look_up(neutral[first::2], table), variance)
            cv2.add(cv2.sqrt(square, square), start, luma[first::2], dtype=cv2.CV_8U)
        return cast("Planes", tuple(_shifted(luma, offset) for offset in self._offsets))


def _room(low: Float, down: Float, high: Float, up: Float) -> Float:
    """How much of the way from grey levels to the lowest and highest channel lies in 0..255 (1: all)."""
    return cast("Float", np.minimum(low / np.maximum(low - down, 1), (255 - high) / np.maximum(up - high, 1)))


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
    """Every 8-bit (size 256) or 16-bit (size 65536) value in steps of 8 bits, and the offset."""
    return (np.linspace(0, 255, size) + _OFFSET).astype(np.float32)


@cache
def _squares(size: int) -> Float:
    return _codes(size) ** 2


@cache
def _logarithms(power: float) -> NDArray[np.uint8]:
    """Of every 8-bit value to a power, rounded up; the unit is 1/18."""
    return np.ceil(18 * power * np.log(np.maximum(np.arange(256), 1))).astype(np.uint8)


@cache
def _most_bend() -> NDArray[np.uint8]:
    """The logarithm of how large spread of channels to 1.5 × distance from the mean may be for each mean.

    Of colours at random, the curve misses by at most 0.05 spread³ distance² / mean⁴ in 999 of 1000, and of
    those by 0.5 spread (slope − 1) distance² / mean².
    """
    most = np.sqrt(_MISS / 0.05) * (np.arange(256) + _OFFSET) ** 2
    return cast("NDArray[np.uint8]", np.floor(18 * np.log(most)).astype(np.uint8))


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
    return np.where(codes / 255 <= 0.04045, 0, 1.4 / (codes + _OFFSET)).astype(np.float32)


# --- blocks that no curve fits -------------------------------------------------------------------


def _mend(neutral: Neutral, blocks: NDArray[np.int64], chroma: tuple[Pixels, Pixels], rgb: Planes) -> None:
    """Give some blocks other pixels where luminance is not kept or a channel may be clipped."""
    width = neutral.shape[1] // 2
    places = (blocks + blocks // width * width)[:, None] + np.array([0, width])
    levels = np.take(_pairs(neutral), places).view(neutral.dtype)
    codes = np.stack([np.take(_pairs(plane), places).view(np.uint8) for plane in rgb])
    wrong = ~_all_four(_keeps(levels, codes) & (codes.min(0) > 0) & (codes.max(0) < 255))
    if wrong.any():
        wanted = np.stack([np.take(plane, blocks[wrong]) for plane in chroma]).astype(np.float32) - 128
        _solve(levels[wrong], wanted, places[wrong], rgb)


def _pairs(plane: Pixels) -> NDArray[Any]:
    """Two pixels beside each other as one number, row after row: blocks are two of them."""
    pairs: NDArray[Any] = plane.view(f"u{2 * plane.itemsize}").reshape(-1)
    return pairs


def _solve(levels: Neutral, chroma: Float, places: NDArray[np.int64], rgb: Planes) -> None:
    """Fill in blocks pixel by pixel, with less chroma where no Y' would keep luminance inside the gamut.

    Neutral levels (n, 4), Cr − 128 and Cb − 128 (2, n), and which pairs of R, G and B they are (n, 2).
    """
    codes = _straight(levels, _added(chroma))
    for most in _SHARES:
        share = _share_inside(levels, codes)
        chroma = np.trunc(chroma * np.minimum(share, np.float32(most)))
        codes = _fit(levels, _added(chroma))
        inside = _bytes(codes)
        for plane, code in zip(rgb, inside, strict=True):
            _pairs(plane)[places] = code.view(np.uint16)
        wrong = ~_all_four(_keeps(levels, inside) & (codes.min(0) >= 0) & (codes.max(0) <= 255))
        if not wrong.any():
            break
        levels, places, chroma, codes = levels[wrong], places[wrong], chroma[:, wrong], codes[:, wrong]


def _added(chroma: Float) -> Float:
    """What Cr − 128 and Cb − 128 (2, n) add to the channels (3, n, 1), in whole codes."""
    cr, cb = (_bytes(plane[None] + 128) for plane in chroma)
    return np.stack([offset.reshape(-1, 1) for offset in _offsets(cr, cb)])


def _straight(levels: Neutral, added: Float) -> Float:
    """Codes (3, n, 4) whose weighed mean is the level (n, 4)."""
    red, green, blue = (np.float32(weight) * offset for weight, offset in zip(*_WEIGHTS, added, strict=True))
    return cast("Float", _eight(levels) - (red + green + blue) + added)


def _fit(levels: Neutral, added: Float) -> Float:
    """The codes (3, n, 4), some beyond 0..255, of neutral levels (n, 4) and what chroma adds (3, n, 1)."""
    light = to_linear(levels)
    codes = np.rint(_straight(levels, added))
    steepness = _weighed(_bytes(codes), _steepness(256))
    for _ in range(_ROUNDS):
        codes += np.rint((light - _weighed(_bytes(codes), linear_table(256))) / steepness)
    return codes


def _bytes(codes: Float) -> NDArray[np.uint8]:
    """Whole codes of any shape, clipped into 0..255."""
    clipped = cv2.add(codes.reshape(1, -1), 0, dtype=cv2.CV_8U)
    return cast("NDArray[np.uint8]", clipped.reshape(codes.shape))


def _weighed(codes: NDArray[np.uint8], table: Float) -> Float:
    """The luminance (n, 4), or what else the table has of a code, of codes (3, n, 4)."""
    # sums, not a product of matrices: BLAS would start threads of its own for it
    red, green, blue = (look_up(code, table * weight) for code, weight in zip(codes, *_WEIGHTS, strict=True))
    return cast("Float", cv2.add(cv2.add(red, green), blue))


def _keeps(levels: Neutral, codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Of which pixels (n, 4) L* is within half a step of its level's."""
    light = _weighed(codes, linear_table(256))
    least, most = (look_up(levels, table) for table in _half_a_step(white(levels.dtype) + 1))
    return (light >= least) & (light <= most)


def _all_four(pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`all` of the last axis of (n, 4), a hundred times as fast."""
    return cast("NDArray[np.bool_]", pixels.view(np.uint32)[:, 0] == 0x01010101)


@cache
def _half_a_step(size: int) -> tuple[Float, Float]:
    """Linear light half an 8-bit step of L* below and above every 8-bit or 16-bit value."""
    level = luminance_table(size).astype(np.float64)
    step = (size - 1) // 255
    up = np.append(level[step:], [np.inf] * step) - level
    down = level - np.append([-np.inf] * step, level[:-step])
    half = np.minimum(up, down) / 2
    least, most = (lab_to_linear(np.outer(at, [1, 0, 0]))[:, 0] for at in (level - half, level + half))
    return least.astype(np.float32), most.astype(np.float32)


def _share_inside(levels: Neutral, codes: Float) -> Float:
    """How much of the chroma of codes (3, n, 4) of neutral levels (n, 4) fits, by straight lines (n,)."""
    level = _eight(levels).astype(np.float32)
    return cast("Float", np.minimum(_room(level, codes.min(0), level, codes.max(0)).min(1), 1))
