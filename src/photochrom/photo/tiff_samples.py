"""What a TIFF's samples mean, where libvips does not know or does not say (TIFF 6.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.photo import ifd, tones
from photochrom.photo.vips import libvips

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS, COMPRESSION, KIND, SAMPLES, EXTRA, SAMPLE_FORMAT = 258, 259, 262, 277, 338, 339
_TILE_WIDTH = 322
_TRANSFER, _WHITE_POINT, _PRIMARIES = 301, 318, 319
_COEFFICIENTS, _REFERENCE = 529, 532
_COLORS = {0: 1, 1: 1, 2: 3, 5: 4, 6: 3, 8: 3, 9: 3, 10: 3}  # channels by PhotometricInterpretation
_YCBCR, _ICCLAB = 6, 9
_JPEG = (6, 7)
_SIGNED = {"char": ("uchar", 1 << 7), "short": ("ushort", 1 << 15), "int": ("uint", 1 << 31)}


def compression(fields: ifd.Directory) -> int:
    """1 where nothing is said, which means none."""
    return (ifd.integers(fields, COMPRESSION) or (1,))[0]


def bits(fields: ifd.Directory) -> int:
    """Bits of the first sample."""
    return (ifd.integers(fields, BITS) or (1,))[0]


def _kind(fields: ifd.Directory) -> int:
    return (ifd.integers(fields, KIND) or (1,))[0]


def unreadable(fields: ifd.Directory) -> str | None:
    """What kind of samples or compression no reader here knows, if it is one of those."""
    if compression(fields) in (34676, 34677):
        return "SGI LogLuv compression"
    form = (ifd.integers(fields, SAMPLE_FORMAT) or (1,))[0]
    if form in (5, 6) or (bits(fields) > 32 and form != 3):
        return f"samples of {bits(fields)} bits"
    return None


def unread(fields: ifd.Directory) -> str | None:
    """What kind of samples or compression libvips' TIFF reader does not know, if it is one of those."""
    if _kind(fields) == 8 and bits(fields) == 8:
        return "8-bit CIELAB samples"
    if bits(fields) not in (1, 2, 4, 8, 16, 32):
        return f"samples of {bits(fields)} bits"
    separate = ifd.integers(fields, 284) == (2,) and ifd.integers(fields, SAMPLES) > (1,)
    if separate and (_TILE_WIDTH in fields or _kind(fields) in (0, 1)):  # the latter libvips reads wrongly
        return "channels in separate planes"
    names = {
        6: "old-style JPEG",
        33003: "JPEG 2000",
        33005: "JPEG 2000",
        34712: "JPEG 2000",
        34887: "LERC",
        34925: "LZMA",
        34933: "PNG",
        34934: "JPEG XR",
        50000: "ZSTD",
        50001: "WebP",
        50002: "JPEG XL",
        52546: "JPEG XL",
    }
    return f"{names[kind]} compression" if (kind := compression(fields)) in names else None


def told(fields: ifd.Directory) -> tuple[str, ...]:
    """What a person should know of the samples."""
    count = len(_split(fields, (ifd.integers(fields, SAMPLES) or (1,))[0])[2])
    if not count:
        return ()
    channels = "a further channel" if count == 1 else f"{count} further channels"
    return (
        f"it has {channels} (such as a saved selection or a scanner's infrared): TIFF keeps them, "
        "other formats have no place for them",
    )


def interpreted(image: Any, fields: ifd.Directory) -> tuple[Any, Any]:
    """A freshly loaded libvips image as what the fields say it is; and its further channels, or None."""
    if image.format in _SIGNED:  # the least value of a signed sample is black
        unsigned, middle = _SIGNED[image.format]
        image = (image + middle).cast(unsigned)
    kind = _kind(fields)
    if kind == _YCBCR and compression(fields) not in _JPEG:
        image = image[:3] if image.bands == 4 else _rgb_of_ycbcr(image, fields)
    if kind == _ICCLAB and image.format in ("uchar", "ushort"):
        image = _lab_of_icclab(image)
    image, further = _without_further(image, fields)
    return _with_tones(image, fields), further


def _split(fields: ifd.Directory, bands: int) -> tuple[int, int | None, tuple[int, ...]]:
    """(number of colors, band of the alpha, bands that are neither).

    Only associated (1) and unassociated (2) alpha is alpha. Where no one says what they are, the first
    band beyond the colors is taken for it, as every reader does.
    """
    colors = _COLORS.get(_kind(fields), bands)
    kinds = ifd.integers(fields, EXTRA) or (2,) * min(1, bands - colors) + (0,) * (bands - colors - 1)
    if ifd.integers(fields, EXTRA):
        colors = bands - len(kinds)
    if colors < 1 or bands <= colors:
        return bands, None, ()
    alpha = next((colors + n for n, kind in enumerate(kinds) if kind in (1, 2)), None)
    return colors, alpha, tuple(band for band in range(colors, bands) if band != alpha)


def _without_further(image: Any, fields: ifd.Directory) -> tuple[Any, Any]:
    """The colors and the alpha; and the bands that are neither. (libvips divides associated alpha out.)"""
    if (image.bands,) != ifd.integers(fields, SAMPLES):  # libvips has made something else of them
        return image, None
    colors, alpha, further = _split(fields, image.bands)
    if colors == image.bands:
        return image, None
    picture = image[:colors]
    if colors == 1:
        picture = picture.copy(interpretation="grey16" if image.format == "ushort" else "b-w")
    if alpha is not None:
        picture = picture.bandjoin(image[alpha])
    rest = [image[band] for band in further]
    return picture, rest[0].bandjoin(rest[1:]) if rest else None


def _rgb_of_ycbcr(image: Any, fields: ifd.Directory) -> Any:
    """RGB by YCbCrCoefficients and ReferenceBlackWhite (section 21)."""
    highest = 255.0 if image.format == "uchar" else 65535.0
    coefficients = ifd.rationals(fields, _COEFFICIENTS)
    red, green, blue = coefficients if len(coefficients) == 3 else (0.299, 0.587, 0.114)
    middle = (highest + 1) / 2
    reference = ifd.rationals(fields, _REFERENCE)
    if len(reference) != 6:
        reference = (0, highest, middle, highest, middle, highest)
    low, high = reference[::2], reference[1::2]
    if not green or any(a == b for a, b in zip(low, high, strict=True)):
        return image
    ranges = (highest, middle - 1, middle - 1)
    scales = [width / (b - a) for width, a, b in zip(ranges, low, high, strict=True)]
    planes = image.linear(scales, [-a * scale for a, scale in zip(low, scales, strict=True)])
    matrix = [
        [1, 0, 2 - 2 * red],
        [1, -(2 - 2 * blue) * blue / green, -(2 - 2 * red) * red / green],
        [1, 2 - 2 * blue, 0],
    ]
    rgb = planes.recomb(libvips().Image.new_from_array(matrix)).rint().cast(image.format)
    return rgb.copy(interpretation="srgb" if image.format == "uchar" else "rgb16")


def _lab_of_icclab(image: Any) -> Any:
    """CIELAB of ICC's encoding, in which a* and b* are offset by half the range (0xFF00 is L* 100)."""
    if image.format == "uchar":
        scales, offsets = [100 / 255, 1, 1], [0, -128, -128]
    else:
        scales, offsets = [100 / 65280, 1 / 256, 1 / 256], [0, -128, -128]
    colors = image[:3].linear(scales, offsets).copy(interpretation="lab")
    return colors if image.bands == 3 else colors.bandjoin(image[3:])


def _with_tones(image: Any, fields: ifd.Directory) -> Any:
    """sRGB of samples with a TransferFunction (section 20), where no profile says more."""
    table = np.array(ifd.integers(fields, _TRANSFER), np.float64) / 65535
    size = 1 << bits(fields)
    alpha = image.hasalpha()
    bands = image.bands - alpha
    stated = (
        _kind(fields) in (1, 2) and len(table) in (size, 3 * size) and image.format in ("uchar", "ushort")
    )
    if not stated or image.get_typeof("icc-profile-data") or bands not in (1, 3):
        return image
    curves = list(table.reshape(-1, size))[: 1 if bands == 1 else 3]
    matrix = _matrix(fields)
    if matrix is None and all(tones.is_srgb(curve) for curve in curves):
        return image
    colors = tones.to_srgb(image[:bands], curves, matrix)
    return colors.bandjoin(image[bands]) if alpha else colors


def _matrix(fields: ifd.Directory) -> NDArray[np.float64] | None:
    white, primaries = ifd.rationals(fields, _WHITE_POINT), ifd.rationals(fields, _PRIMARIES)
    try:
        return tones.primaries_matrix(white, primaries)
    except ValueError:
        return None
