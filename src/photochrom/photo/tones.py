"""Tones that are not sRGB's: the curves and primaries that a file states, evaluated exactly.

Color engines evaluate a profile's curve in few bits, which costs a linear one its shadows. A curve of one
variable needs no engine: it is a table with an entry for every value that a sample can have.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.color import linear_to_srgb, quantize
from photochrom.photo.vips import DTYPES, libvips

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_D65 = (0.3127, 0.3290)
_SRGB = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)


def to_srgb(image: Any, curves: Sequence[NDArray[np.float64]], matrix: NDArray[np.float64] | None) -> Any:
    """A libvips image of uchar or ushort, grey or RGB, of other tones and primaries, in sRGB.

    `curves`: linear light 0..1 for samples evenly spaced from 0 to the highest; one for all bands, or
    one a band. `matrix` (3, 3): linear RGB to linear sRGB, None for the same primaries.
    """
    size = 256 if image.format == "uchar" else 65536
    places = np.linspace(0, 1, size)
    tables = [np.interp(places, np.linspace(0, 1, len(curve)), curve) for curve in curves]
    linear = np.stack(tables * (1 if len(tables) == image.bands else image.bands), axis=-1)[None]
    new = libvips().Image.new_from_array
    if matrix is None or image.bands == 1:
        encoded = quantize(linear_to_srgb(np.clip(linear, 0, 1)), DTYPES[image.format])
        return image.maplut(new(np.ascontiguousarray(encoded)))
    light = image.maplut(new(np.ascontiguousarray(linear.astype(np.float32))))
    mixed = light.recomb(new(matrix.tolist())).copy(interpretation="scrgb")
    return mixed.colourspace("srgb" if image.format == "uchar" else "rgb16")


def is_srgb(curve: NDArray[np.float64]) -> bool:
    """Whether a curve is sRGB's within half an 8-bit step."""
    return bool(
        np.abs(linear_to_srgb(np.clip(curve, 0, 1)) - np.linspace(0, 1, len(curve))).max() <= 128 / 65535
    )


def primaries_matrix(white: tuple[float, ...], primaries: tuple[float, ...]) -> NDArray[np.float64] | None:
    """(3, 3) linear RGB of these xy chromaticities → linear sRGB, their whites on each other (scaled XYZ).

    None where they are sRGB's. Raises ValueError where they are not two and six, or span no gamut.
    """
    if len(white) != 2 or len(primaries) != 6:
        raise ValueError("not two and six chromaticities")
    if np.allclose((*white, *primaries), (*_D65, *_SRGB), atol=2e-3):
        return None
    own, srgb = _to_xyz(white, primaries), _to_xyz(_D65, _SRGB)
    adapted = np.diag(srgb.sum(axis=1) / own.sum(axis=1)) @ own
    return np.asarray(np.linalg.solve(srgb, adapted), np.float64)


def _to_xyz(white: tuple[float, float], primaries: tuple[float, ...]) -> NDArray[np.float64]:
    """(3, 3) linear RGB → XYZ whose white has Y = 1."""
    xy = np.array([*zip(primaries[::2], primaries[1::2], strict=True), white])
    sums = xy.sum(axis=1)
    if not ((xy > 0).all() and (sums <= 1.001).all() and sums[3] < 0.999):  # a white has some Z
        raise ValueError("chromaticities out of range")
    xyz = np.stack([xy[:, 0], xy[:, 1], 1 - sums]) / xy[:, 1]
    if abs(np.linalg.det(xyz[:, :3])) < 1e-6:
        raise ValueError("primaries on one line")
    return np.asarray(xyz[:, :3] * np.linalg.solve(xyz[:, :3], xyz[:, 3]), np.float64)


def gamma(exponent: float) -> NDArray[np.float64]:
    """The curve sample ** exponent."""
    return np.linspace(0, 1, 65536) ** exponent


# --- the curve of a grey ICC profile (ICC.1:2022, 8.3.4 and 10.6, 10.18) ---------------------------


def grey_curve(profile: bytes) -> NDArray[np.float64] | None:
    """Linear light for 65,536 samples by a grey profile's curve, black at 0; None where it has none."""
    try:
        with np.errstate(all="ignore"):  # parameters may be anything
            curve = _curve(_tag(profile, b"kTRC"))
    except (struct.error, ValueError):
        return None
    if not np.isfinite(curve).all():
        return None
    if profile[20:24] == b"Lab ":  # then the curve gives L* / 100
        curve = np.where(curve > 0.08, ((curve * 100 + 16) / 116) ** 3, curve * 100 / 903.2963)
    black = min(float(curve[0]), 0.5)
    return np.asarray(np.clip((curve - black) / (1 - black), 0, 1), np.float64)


def _tag(profile: bytes, name: bytes) -> bytes:
    (count,) = struct.unpack_from(">I", profile, 128)
    for at in range(132, 132 + 12 * min(count, 200), 12):
        signature, offset, size = struct.unpack_from(">4sII", profile, at)
        if signature == name:
            return profile[offset : offset + size]
    raise ValueError(f"no {name!r} in the profile")


def _curve(tag: bytes) -> NDArray[np.float64]:
    x = np.linspace(0, 1, 65536)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return x
        values = struct.unpack_from(f">{count}H", tag, 12)
        if count == 1:
            return np.asarray(x ** (values[0] / 256), np.float64)
        return np.interp(x, np.linspace(0, 1, count), np.array(values) / 65535)
    (kind,) = struct.unpack_from(">H", tag, 8)
    if tag[:4] != b"para" or kind not in _PARAMETERS:
        raise ValueError("not a curve")
    numbers = [value / 65536 for value in struct.unpack_from(f">{_PARAMETERS[kind]}i", tag, 12)]
    return _parametric(x, kind, numbers)


_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}


def _parametric(x: NDArray[np.float64], kind: int, numbers: list[float]) -> NDArray[np.float64]:
    g, a, b, c, d, e, f = numbers + [0.0] * (7 - len(numbers))
    if kind == 0:
        return np.asarray(x**g, np.float64)
    if a == 0:
        raise ValueError("not a curve")
    power = np.maximum(a * x + b, 0) ** g
    if kind == 1:
        return np.where(x >= -b / a, power, 0)
    if kind == 2:
        return np.where(x >= -b / a, power + c, c)
    return np.where(x >= d, power + e, c * x + f)
