"""TIFF and JPEG files that libvips does not read, by tifffile and imagecodecs (the extra `tiff`)."""

from __future__ import annotations

import struct
import zlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import DamagedPhoto, UnknownFormat
from photochrom.photo.vips import damaged, libvips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.photo.origin import Origin

_WHITE_IS_ZERO, _SEPARATED, _CIELAB = 0, 5, 8
_BROKEN = (
    *(ValueError, RuntimeError, OSError, KeyError, IndexError, TypeError, AttributeError, MemoryError),
    *(struct.error, zlib.error),
)


def are_there() -> bool:
    """Whether the extra is installed."""
    return all(find_spec(name) for name in ("tifffile", "imagecodecs"))


def image_of(origin: Origin, number: int, below: int | None) -> Any:
    """The libvips image of a page, or of a SubIFD below it: samples as libvips would have read them.

    Raises DamagedPhoto, and UnknownFormat where these libraries do not read it either.
    """
    import tifffile

    try:
        with origin.open() as file, tifffile.TiffFile(file) as tiff:
            page: Any = tiff.pages[number]
            page = page.aspage() if below is None else page.aspage().pages[below]
            array = page.asarray(maxworkers=1)
            kind, bits = int(page.photometric), page.bitspersample
            bands = array if page.planarconfig == 1 or array.ndim < 3 else np.moveaxis(array, 0, -1)
            profile = page.iccprofile
    except NotImplementedError as error:
        raise UnknownFormat(f"this kind of TIFF is not read ({error}): save it as RGB or grey") from error
    except _BROKEN as error:
        raise DamagedPhoto(damaged(f"tiff: {error}")) from error
    if bands.ndim not in (2, 3):
        raise UnknownFormat("this TIFF holds a volume: save one layer of it as RGB or grey first")
    return _vips_image(bands.reshape(*bands.shape[:2], -1), kind, bits, profile)


def image_of_jpeg(data: bytes, bits: int) -> Any:
    """The libvips image of a JPEG of more than 8 bits. Raises DamagedPhoto."""
    import imagecodecs

    try:
        array = imagecodecs.jpeg8_decode(data)
    except _BROKEN as error:
        raise DamagedPhoto(damaged(f"jpeg: {error}")) from error
    bands = array.reshape(*array.shape[:2], -1)
    return _vips_image(bands, 2 if bands.shape[2] == 3 else 1, bits, None)


def _vips_image(bands: NDArray[Any], kind: int, bits: int, profile: bytes | None) -> Any:
    """A libvips image of (H, W, bands) samples of so many bits; `kind` as in TIFF (262)."""
    bands = _whole_range(bands, bits)
    if kind == _WHITE_IS_ZERO and bands.dtype.kind == "u":
        bands = np.iinfo(bands.dtype).max - bands
    space = "multiband"
    if kind == _CIELAB and bands.dtype == np.uint8:
        lightness = bands[..., :1].astype(np.float32) * (100 / 255)
        bands = np.concatenate([lightness, bands[..., 1:].view(np.int8).astype(np.float32)], axis=2)
        space = "lab"
    elif bands.dtype.kind == "u":
        deep = bands.dtype != np.uint8
        space = ("grey16" if deep else "b-w") if bands.shape[2] < 3 else ("rgb16" if deep else "srgb")
        space = "cmyk" if kind == _SEPARATED else space
    vips = libvips()
    image = vips.Image.new_from_array(np.ascontiguousarray(bands)).copy(interpretation=space)
    if profile:
        image.set_type(vips.GValue.blob_type, "icc-profile-data", profile)
    image.set_type(vips.GValue.gint_type, "bits-per-sample", bits)
    return image


def _whole_range(bands: NDArray[Any], bits: int) -> NDArray[Any]:
    """Samples of an odd number of bits spread over 8 or 16; floats of any width as those of 32 bits."""
    if bands.dtype.kind == "f":
        return bands.astype(np.float32)
    if bands.dtype.kind != "u" or bits == 8 * bands.dtype.itemsize:
        return bands
    highest = np.iinfo(bands.dtype).max
    return np.rint(bands * (highest / ((1 << bits) - 1))).astype(bands.dtype)
