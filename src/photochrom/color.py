"""Color science: sRGB and CIELAB (D65), the ab bins, and the merge of luminance with color.

Shapes are (..., 3) for colors and any shape for single planes. "Neutral" means the grey plane
that carries a photo's luminance: uint8 or uint16, sRGB-encoded, so that R = G = B = neutral has the
photo's CIE L*. Formulas: IEC 61966-2-1 (sRGB), CIE 15:2018 (CIELAB). The white point is the sum of
the sRGB primaries' columns, so every grey has a* = b* = 0 exactly.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from photochrom.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

Float = NDArray[np.float32]
Neutral = NDArray[np.uint8] | NDArray[np.uint16]
Pixels = NDArray[np.uint8] | NDArray[np.uint16]

AB_SCALE = 110.0  # what a* and b* are divided by before the network sees them

_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)  # IEC 61966-2-1 primaries, D65
_TO_XYZ = _RGB_TO_XYZ / _RGB_TO_XYZ.sum(axis=1, keepdims=True)  # relative to white: rows sum to 1
_FROM_XYZ = np.linalg.inv(_TO_XYZ)
LUMINANCE_WEIGHTS = _TO_XYZ[1]

_EPSILON = 216 / 24389  # CIE 15:2018: where the cube root meets the straight line
_KAPPA = 24389 / 27


# --- transfer functions ------------------------------------------------------------------------


def srgb_to_linear(encoded: NDArray[Any]) -> NDArray[Any]:
    """Decode sRGB values in 0..1 to linear light in 0..1 (IEC 61966-2-1)."""
    return np.where(
        encoded <= 0.04045, encoded / 12.92, ((np.maximum(encoded, 0.04045) + 0.055) / 1.055) ** 2.4
    )


def linear_to_srgb(linear: NDArray[Any]) -> NDArray[Any]:
    """Encode linear light in 0..1 as sRGB in 0..1 (IEC 61966-2-1)."""
    return np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    )


def _f(relative: NDArray[Any]) -> NDArray[Any]:
    """CIELAB's cube root with its straight toe, of tristimulus values relative to white."""
    return np.where(relative > _EPSILON, np.cbrt(relative), (_KAPPA * relative + 16) / 116)


def _f_inverse(f: NDArray[Any]) -> NDArray[Any]:
    cubed: NDArray[Any] = f * f * f
    if np.size(f) and np.min(f) < 6 / 29:
        cubed = np.where(f > 6 / 29, cubed, (116 * f - 16) / _KAPPA)
    return cubed


def white(dtype: np.dtype[Any]) -> int:
    """The value of white: 255 or 65535. Raises OptionError for any other sample type."""
    if dtype not in (np.uint8, np.uint16):
        raise OptionError(f"pixels must be uint8 or uint16, not {dtype}: convert them first")
    return int(np.iinfo(dtype).max)


@cache
def _linear_table(size: int) -> Float:
    """Linear light of every 8-bit (size 256) or 16-bit (size 65536) sRGB value."""
    return srgb_to_linear(np.arange(size) / (size - 1)).astype(np.float32)


@cache
def luminance_table(size: int) -> Float:
    """CIE L* in 0..100 of every 8-bit (size 256) or 16-bit (size 65536) grey value."""
    return (116 * _f(srgb_to_linear(np.arange(size) / (size - 1))) - 16).astype(np.float32)


def look_up(pixels: Pixels, table: Float) -> Float:
    """table[pixels], vectorised; OpenCV takes rows of any number of channels."""
    return cast("Float", cv2.LUT(np.atleast_2d(pixels), table).reshape(pixels.shape))


def to_linear(pixels: Pixels) -> Float:
    """Linear light in 0..1 of uint8 or uint16 sRGB pixels, any shape."""
    return look_up(pixels, _linear_table(white(pixels.dtype) + 1))


def luminance(neutral: Neutral) -> Float:
    """CIE L* in 0..100 of a neutral plane, by table."""
    return look_up(neutral, luminance_table(white(neutral.dtype) + 1))


# --- sRGB <-> CIELAB ---------------------------------------------------------------------------


def linear_to_lab(linear: NDArray[Any]) -> NDArray[Any]:
    """CIELAB (L* 0..100, a*, b*) of linear sRGB (..., 3); greys give a* = b* = 0 exactly."""
    green = linear[..., 1]
    red, blue = linear[..., 0] - green, linear[..., 2] - green
    f = [_f(green + row[0] * red + row[2] * blue) for row in _TO_XYZ.astype(linear.dtype)]
    return np.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])], axis=-1)


def _lab_to_linear(lab: NDArray[Any]) -> NDArray[Any]:
    """Linear sRGB (..., 3) of CIELAB colors; out of gamut it leaves 0..1."""
    fy = (lab[..., 0] + 16) / 116
    xyz = [_f_inverse(f) for f in (fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200)]
    x, z = xyz[0] - xyz[1], xyz[2] - xyz[1]
    return np.stack([xyz[1] + row[0] * x + row[2] * z for row in _FROM_XYZ.astype(lab.dtype)], axis=-1)


def rgb_to_lab(rgb: NDArray[Any]) -> Float:
    """CIELAB of sRGB colors (..., 3): uint8, uint16, or floats in 0..1."""
    linear = to_linear(rgb) if rgb.dtype.kind == "u" else srgb_to_linear(rgb)
    return linear_to_lab(linear).astype(np.float32)


def lab_to_rgb(lab: NDArray[Any]) -> Float:
    """sRGB in 0..1 of CIELAB colors (..., 3), each channel clipped into the gamut."""
    return linear_to_srgb(np.clip(_lab_to_linear(lab), 0, 1)).astype(np.float32)


def chroma_of(ab: NDArray[Any]) -> Float:
    """C*, the distance from grey, of ab (..., 2)."""
    return np.asarray(np.hypot(ab[..., 0], ab[..., 1]))


def hue_of(ab: NDArray[Any]) -> Float:
    """The hue angle in degrees, −180..180, of ab (..., 2)."""
    return np.asarray(np.degrees(np.arctan2(ab[..., 1], ab[..., 0])), np.float32)


def quantize(rgb: NDArray[Any], dtype: np.dtype[Any] | type = np.uint8) -> Pixels:
    """Floats in 0..1 rounded to uint8 or uint16."""
    dtype = np.dtype(dtype)
    return cast("Pixels", np.rint(np.clip(rgb, 0, 1) * white(dtype)).astype(dtype))


def hex_to_rgb(color: str) -> NDArray[np.uint8]:
    """(3,) uint8 of "#rrggbb" (or "#rgb"). Raises OptionError for anything else."""
    if not isinstance(color, str) or not re.fullmatch("#?([0-9a-fA-F]{3}){1,2}", color):
        raise OptionError(f'{color!r} is not a color: write it as "#rrggbb", for example "#6a8fbf"')
    digits = color.removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    return np.frombuffer(bytes.fromhex(digits), np.uint8)


def rgb_to_hex(rgb: NDArray[Any]) -> str:
    """ "#rrggbb" of a uint8 triple, or of floats in 0..1."""
    return "#" + (rgb if rgb.dtype == np.uint8 else quantize(rgb)).tobytes().hex()


# --- neutral luminance -------------------------------------------------------------------------


def is_grey(rgb: Pixels) -> bool:
    """Whether R = G = B at every pixel of (H, W, 3)."""
    return bool((rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all())


def neutralize(pixels: Pixels) -> Neutral:
    """The neutral plane (H, W) of a grey (H, W) or RGB (H, W, 3) picture.

    Greys, and RGB whose three channels are equal, keep their values and depth. Other RGB gives the
    16-bit grey of equal CIE Y, so that L* is kept to far less than an 8-bit step.
    """
    white(pixels.dtype)
    if pixels.ndim == 2:
        return pixels
    if is_grey(pixels):
        return cast("Neutral", np.ascontiguousarray(pixels[..., 0]))
    y = cv2.transform(to_linear(pixels), LUMINANCE_WEIGHTS[None].astype(np.float32))
    return encode(y.reshape(pixels.shape[:2]), np.dtype(np.uint16))


# --- encoding and merging ----------------------------------------------------------------------


@cache
def _encode_table(dtype: np.dtype[Any]) -> Pixels:
    """sRGB values of linear light in 65536 steps (8 bits), of its square root in 2^20 (16 bits)."""
    if dtype == np.uint8:
        return quantize(linear_to_srgb(np.arange(1 << 16) / 65535), dtype)
    return quantize(linear_to_srgb((np.arange(1 << 20) / ((1 << 20) - 1)) ** 2), dtype)


def encode(linear: Float, dtype: np.dtype[Any]) -> Pixels:
    """sRGB of linear light (clipped into 0..1), any shape, rounded to uint8 or uint16."""
    dtype = np.dtype(dtype)
    table = _encode_table(dtype)
    if dtype == np.uint8:
        plane = np.atleast_2d(linear)
        index = cv2.addWeighted(plane, 65535.0, plane, 0.0, 0.0, dtype=cv2.CV_16U)  # rounds and saturates
        return cast("Pixels", cv2.LUT(index, table).reshape(linear.shape))
    root = np.sqrt(np.maximum(linear, 0))
    root *= len(table) - 1
    np.rint(np.minimum(root, len(table) - 1, out=root), out=root)
    return table[root.astype(np.int32)]


def fit_gamut(lab: NDArray[Any], slack: float = 1e-6) -> NDArray[Any]:
    """Scale a* and b* of colors (N, 3) toward grey until they fit sRGB; L* and hue stay.

    slack: how far, in encoded 0..1, a channel may leave the cube (`in_gamut`).
    """
    fy = (lab[:, 0] + 16) / 116
    start = np.ones_like(fy)
    share = _fitting_share(fy, _f_inverse(fy), lab[:, 1], lab[:, 2], start, slack, tolerance=1e-9, used=0.999)
    return np.column_stack([lab[:, 0], lab[:, 1] * share, lab[:, 2] * share])


def _fitting_share(
    fy: NDArray[Any],
    y: NDArray[Any],
    a: NDArray[Any],
    b: NDArray[Any],
    share: NDArray[Any],
    slack: float,
    tolerance: float,
    used: float,
) -> NDArray[Any]:
    """The largest share (N,) of each color's chroma that fits sRGB, starting from a guess.

    Along a ray of constant hue and L* the channels run nearly straight from y, which is inside: the
    chord to the channel that is worst off says where it leaves the cube, and once more from there. That
    channel ends between `used` and 1 + `tolerance` of its way to the bound.
    """
    least, most = _bounds(slack)
    step_x, step_z = a * (1 / 500), b * (-1 / 200)
    per_least, per_most = 1 / (least - y), 1 / (most - y)
    rows = _FROM_XYZ.astype(y.dtype)
    fitting, beyond = np.zeros_like(y), np.ones_like(y)
    for number in range(_ROUNDS):
        x, z = _f_inverse(fy + share * step_x) - y, _f_inverse(fy + share * step_z) - y
        runs = [row[0] * x + row[2] * z for row in rows]
        lowest, highest = np.minimum.reduce(runs), np.maximum.reduce(runs)
        worst = np.maximum(np.maximum(lowest * per_least, highest * per_most), 1e-6)
        fits = worst <= 1 + tolerance
        settled = fits & ((worst > used) | (share >= 1))
        fitting = np.where(fits, np.maximum(fitting, share), fitting)
        if settled.all():
            break
        beyond = np.where(fits, beyond, np.minimum(beyond, share))
        chord = share / worst
        between = (chord > fitting) & (chord < beyond) & (number % 3 < 2)  # every third time, bisect
        share = np.where(settled, share, np.where(between, chord, (fitting + beyond) / 2))
    return fitting


def in_gamut(lab: NDArray[Any], slack: float = 1e-6) -> NDArray[np.bool_]:
    """Which colors (..., 3) sRGB can show, every channel within `slack` of its encoded range 0..1."""
    linear = _lab_to_linear(lab)
    low, high = _bounds(slack)
    return np.asarray((linear >= low).all(-1) & (linear <= high).all(-1))


def _bounds(slack: float) -> tuple[float, float]:
    """Linear light at which the encoded value lies `slack` below 0 and above 1."""
    return -slack / 12.92, 1 + slack * 2.4 / 1.055


@cache
def _fy_table(size: int) -> Float:
    return ((luminance_table(size) + 16) / 116).astype(np.float32)


# Steps by which a channel may be clipped: at the yellow cusp the gamut is so steep that without it the
# rounding of L* alone would cost most of the chroma.
_SLACK = 0.25
_ROUNDS = 40  # of chords; photos need two or three
# Pixels merged at a time. On one thread 60,000 are best, since their planes stay in the cache (12.4 ns each;
# 13.0 with 120,000, 14.8 with 240,000). On two threads more are better, since each of forty calls passes the
# interpreter's lock on (12 megapixels: 0.36, 0.31 and 0.29 s).
_CHUNK = 120_000


def merge(neutral: Neutral, ab: Float, dtype: np.dtype[Any] | type | None = None) -> Pixels:
    """Color a neutral plane: (H, W) uint8/uint16 and ab (H, W, 2) float32 -> RGB (H, W, 3).

    CIE L* of the result is the neutral's within half a step of the result's depth at every pixel;
    where L*, a*, b* falls out of sRGB, chroma shrinks toward grey at constant hue. Red and blue are
    rounded first and green takes what luminance is left, so rounding never adds up across channels.
    `dtype` is the result's depth, the neutral's by default.
    """
    out: Pixels = np.empty((*neutral.shape, 3), np.dtype(dtype or neutral.dtype))
    for part in row_slices(*neutral.shape):
        merge_into(out[part], neutral[part], *cv2.split(ab[part]))
    return out


def row_slices(height: int, width: int) -> Iterator[slice]:
    """Slices of rows, about _CHUNK pixels each."""
    rows = max(1, _CHUNK // max(1, width))
    return (slice(top, min(height, top + rows)) for top in range(0, height, rows))


def merge_into(out: Pixels, neutral: Neutral, a: Float, b: Float) -> None:
    """`merge` of some rows: a* and b* are planes (h, W) float32, `out` is (h, W, 3) and filled."""
    neutral = cast("Neutral", np.ascontiguousarray(neutral))
    if neutral.size <= 4:  # OpenCV would take these for scalars
        wide: Any = [np.pad(plane, ((0, 0), (0, 8)), mode="edge") for plane in (neutral, a, b)]
        padded: Pixels = np.empty((*wide[0].shape, 3), out.dtype)
        merge_into(padded, *wide)
        out[...] = padded[:, : out.shape[1]]
        return
    fy = look_up(neutral, _fy_table(white(neutral.dtype) + 1))
    y = to_linear(neutral)
    x = cv2.subtract(_cube(cv2.scaleAdd(a, 1 / 500, fy)), y)
    z = cv2.subtract(_cube(cv2.scaleAdd(b, -1 / 200, fy)), y)
    channels = (cv2.scaleAdd(z, float(row[2]), cv2.scaleAdd(x, float(row[0]), y)) for row in _FROM_XYZ)
    red, green, blue = channels  # a row sums to 1, so that y + row[0]·x + row[2]·z is its channel
    slack = _SLACK / white(out.dtype)
    low, high = _bounds(slack)
    if any(channel.min() < low or channel.max() > high for channel in (red, green, blue)):
        lowest = cv2.min(cv2.min(red, green), blue)
        highest = cv2.max(cv2.max(red, green), blue)
        outside = _sparse((lowest < low) | (highest > high))
        planes = (np.take(plane, outside) for plane in (fy, y, a, b, lowest, highest))
        fitted = _fitted(*planes, slack=slack)
        np.put(red, outside, fitted[0])
        np.put(blue, outside, fitted[1])
    red_code, blue_code = encode(red, out.dtype), encode(blue, out.dtype)
    weights = [float(weight) for weight in LUMINANCE_WEIGHTS]
    rest = cv2.scaleAdd(to_linear(red_code), -weights[0], y)
    rest = cv2.scaleAdd(to_linear(blue_code), -weights[2], rest)
    cv2.merge([red_code, encode(cv2.multiply(rest, 1 / weights[1]), out.dtype), blue_code], out)


def _sparse(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`np.flatnonzero` of a mask with few entries, looking at eight at a time."""
    flat = np.ascontiguousarray(mask).reshape(-1)
    whole = flat.size // 8 * 8
    words = np.flatnonzero(flat[:whole].view(np.uint64))
    row, column = np.nonzero(flat[:whole].reshape(-1, 8)[words])
    return np.concatenate([words[row] * 8 + column, whole + np.flatnonzero(flat[whole:])])


def _fitted(
    fy: Float, y: Float, a: Float, b: Float, lowest: Float, highest: Float, *, slack: float
) -> tuple[Float, Float]:
    """Linear red and blue of colors out of gamut (N,), after their chroma has given way."""
    low, high = _bounds(slack)
    start = 1 / np.maximum((lowest - y) / (low - y), (highest - y) / (high - y))
    share = _fitting_share(fy, y, a, b, start, slack, tolerance=slack / 20, used=0.96)
    x, z = _f_inverse(fy + share * a * (1 / 500)) - y, _f_inverse(fy - share * b * (1 / 200)) - y
    red, _, blue = (y + row[0] * x + row[2] * z for row in _FROM_XYZ.astype(np.float32))
    return red, blue


def _cube(f: Float) -> Float:
    """CIELAB's inverse; the straight toe is filled in only where there is one."""
    cubed: Float = cv2.pow(f, 3)
    if f.min() < 6 / 29:
        toe = cv2.compare(f, 6 / 29, cv2.CMP_LT)
        cv2.copyTo(cv2.addWeighted(f, 116 / _KAPPA, f, 0, -16 / _KAPPA), toe, cubed)
    return cubed


# --- the ab bins -------------------------------------------------------------------------------


@cache
def ab_bins(step: int = 10, tolerance: float = 3.36) -> Float:
    """The (Q, 2) ab values that the default network chooses among: 244 at the default step.

    The points of a grid of `step` whose distance to the ab of the nearest sRGB color is at most
    `tolerance` (after Zhang, Isola & Efros 2016, "Colorful Image Colorization", who counted 313 in a
    wider gamut).
    """
    side = np.arange(-120, 121, step)
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    surface = _gamut_surface(129)[:, 1:]
    near = np.array([np.hypot(*(surface - point).T).min() for point in grid]) <= tolerance
    lightness = np.arange(0.5, 100, 0.5)[:, None]
    inside = in_gamut(np.stack(np.broadcast_arrays(lightness, *grid.T), axis=-1)).any(axis=0)
    return grid[near | inside].astype(np.float32)


def _gamut_surface(side: int) -> NDArray[np.float64]:
    """(N, 3) CIELAB of points on the six faces of the sRGB cube."""
    steps = np.linspace(0, 1, side)
    u, v = (plane.ravel() for plane in np.meshgrid(steps, steps))
    faces = [
        np.insert(np.column_stack([u, v]), channel, value, axis=1)
        for channel in range(3)
        for value in (0.0, 1.0)
    ]
    return linear_to_lab(srgb_to_linear(np.concatenate(faces)))
