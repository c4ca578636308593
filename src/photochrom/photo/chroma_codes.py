"""Cb and Cr beside a Y' that is kept: a local linear function of it, as a* and b* are of L*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.color import look_up, luminance, neutralize, quantize
from photochrom.photo.profiles import array_to_srgb, to_profile
from photochrom.upsample import GuidedFilter

if TYPE_CHECKING:
    from photochrom.color import Float, Neutral, Pixels

_STEP = 24  # codes of Y' from the mean of a neighborhood to where its colors are looked at
_MIDDLE = (25.0, 80.0)  # L* between which sRGB has room for most colors
_AROUND = 8  # codes, over which tone curves of 8 bits are smooth


class ChromaCodes:
    """Cb and Cr as a local linear function of Y', as a* and b* are of L*.

    Where Y' changes and a* and b* do not, Cb and Cr change as the codes of Y' do with CIELAB's f, the cube
    root of light: by little in sRGB. Over that they are nearly constant, so a line through what they come to
    a little below and above the mean of a neighborhood tells them for all of its tones, to a code or two.
    They are looked at in the middle of the scale, where sRGB has room for colors.
    """

    def __init__(self, colors: GuidedFilter, mean: Pixels, profile: bytes | None):
        self._colors, self._profile = colors, profile
        self._level = luminance(_neutral(profile)).astype(np.float32)  # L* of every code of Y'
        self._gain = _per_f(self._level)
        self._middle = [min(255, int(code)) for code in np.searchsorted(self._level, _MIDDLE)]
        rows, columns = colors.slope.shape[:2]
        here = cv2.blur(cv2.resize(mean, (columns, rows), interpolation=cv2.INTER_LINEAR), (3, 3))
        low, high = cv2.subtract(here, _STEP), cv2.add(here, _STEP)
        below, above = self._relative(low), self._relative(high)
        slope = cv2.divide(cv2.subtract(above, below), _twice(cv2.subtract(high, low)))
        offset = cv2.subtract(below, cv2.multiply(slope, _twice(low)))
        self._local = GuidedFilter(slope, offset)

    def _relative(self, codes: Pixels) -> Float:
        """(h, w, 2) of Y' (h, w) at the working size: Cb - 128 and Cr - 128 over what codes gain with f."""
        middle = cast("Pixels", np.clip(codes, self._middle[0], self._middle[1]))
        level = look_up(codes, self._level)
        ab = cv2.add(cv2.multiply(self._colors.slope, _twice(level)), self._colors.offset)
        lab = cv2.merge([look_up(middle, self._level), *cv2.split(ab)])
        rgb = cast("Float", cv2.cvtColor(lab, cv2.COLOR_Lab2RGB))
        if self._profile is not None:
            rgb = to_profile(quantize(rgb, np.uint16), self._profile).astype(np.float32) / np.float32(65535)
        _, cr, cb = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
        chroma = cv2.subtract(cv2.merge([cb, cr]), (0.5, 0.5, 0, 0))
        return cast("Float", cv2.divide(chroma, _twice(look_up(middle, self._gain)), scale=255))

    def planes(self, top: int, luma: Pixels, height: float) -> tuple[Pixels, Pixels]:
        """Cb and Cr (n, w) uint8 of rows top.. of a plane of `height` rows, from their Y' (n, w)."""
        gain = look_up(luma, self._gain)
        found = self._local.planes(top, luma.astype(np.float32), height)
        cb, cr = (cv2.add(cv2.multiply(plane, gain), 128, dtype=cv2.CV_8U) for plane in found)
        return cast("Pixels", cb), cast("Pixels", cr)


def _neutral(profile: bytes | None) -> Neutral:
    """(256,): the sRGB grey of every code of Y' in a profile."""
    codes = np.arange(256, dtype=np.uint8)
    if profile is None:
        return codes
    rgb = np.repeat(codes[None, :, None], 3, axis=2)
    greys: Neutral = neutralize(array_to_srgb(rgb, profile)[0])[0]
    return greys


def _per_f(level: Float) -> Float:
    """(256,): how many codes Y' gains, around each of them, as f = (L* + 16) / 116 gains 1."""
    codes = np.arange(256)
    low, high = np.maximum(codes - _AROUND, 0), np.minimum(codes + _AROUND, 255)
    return np.asarray((high - low) * 116 / np.maximum(level[high] - level[low], 1), np.float32)


def _twice(plane: Any) -> Float:
    """(h, w, 2) float32 of a plane."""
    return cast("Float", cv2.merge([plane, plane]).astype(np.float32))
