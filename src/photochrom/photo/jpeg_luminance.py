"""The proof that a colored JPEG keeps another's luminance data, and the way back to grey."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from photochrom.errors import MissingExtra, UnknownFormat
from photochrom.photo.formats import MAX_PIXELS, SNIFF, Limits, sniff
from photochrom.photo.jpeg_original import coefficients, decoded_luma, has_jpeglib
from photochrom.photo.jpeg_scans import Jpeg, grey, parse
from photochrom.photo.profiles import color_space, grey_like_rgb
from photochrom.photo.segments import metadata_segments

if TYPE_CHECKING:
    from photochrom.photo.jpeg_original import Luminance
    from photochrom.photo.photo import Photo

_CLOSE = 0.01  # of the pixels may differ by more than a level where samples were only quantized again


def compare_luminance(original: bytes, colored: bytes, max_pixels: int = MAX_PIXELS) -> Luminance:
    """What a colored JPEG has of another JPEG's luminance data.

    "identical": the scans' bytes and tables, or every coefficient. "requantized": the same quantization table
    and samples that are nowhere but in a few pixels more than a level away. "encoded": anything else.

    Raises UnknownFormat for what is not a JPEG, DamagedPhoto for one that breaks off, TooLarge, MissingExtra
    where only coefficients could tell and nothing that reads them is installed.
    """
    one, other = _parsed(original, max_pixels), _parsed(colored, max_pixels)
    same_size = (one.height, one.width) == (other.height, other.width)
    if not (same_size and one.has_kept_luminance and other.has_kept_luminance):
        return "encoded"
    if one.luminance.table != other.luminance.table:
        return "encoded"
    if _scans(one) == _scans(other) is not None:
        return "identical"
    if has_jpeglib() and np.array_equal(coefficients(one), coefficients(other)):
        return "identical"
    difference = np.abs(decoded_luma(original).astype(np.int16) - decoded_luma(colored))
    if not difference.any() and not has_jpeglib():
        feature = "telling whether these luminance data are identical"
        raise MissingExtra(feature, "jpeg")
    return "requantized" if np.mean(difference > 1) <= _CLOSE else "encoded"


def _parsed(data: bytes, max_pixels: int) -> Jpeg:
    if sniff(data[:SNIFF]).name != "jpeg":
        raise UnknownFormat("luminance data are compared between JPEG files: give two of them")
    jpeg = parse(data)
    Limits(max_pixels).check(jpeg.width, jpeg.height)
    return jpeg


def _scans(jpeg: Jpeg) -> list[tuple[bytes, bytes, int, bytes]] | None:
    """All that decoding the luminance depends on, but for its quantization table."""
    if jpeg.luminance_scans is None:
        return None
    return [
        (scan.tables, scan.band, scan.components[0][1], bytes(scan.data)) for scan in jpeg.luminance_scans
    ]


def uncolored(photo: Photo) -> bytes:
    """A grey JPEG of the luminance data of a photo that was read from a JPEG, with the photo's metadata.

    Scans and tables are the file's, byte for byte, where it has luminance in scans of its own, as those that
    Photochrom writes; else they hold the same coefficients. An RGB profile becomes one of its grey axis.
    Raises UnknownFormat for other photos, MissingExtra where nothing that reads coefficients is installed.
    """
    original = photo.original
    if original is None or not original.is_whole or not original.jpeg.has_kept_luminance:
        raise UnknownFormat(
            "luminance data are taken out of whole JPEG files with luminance and chroma (not RGB, CMYK, 12 "
            "bits or arithmetic codes): give such a file"
        )
    if original.kept == "requantized":
        feature = "taking luminance out of scans that hold chroma too"
        raise MissingExtra(feature, "jpeg")
    icc = photo.metadata.icc
    if icc is not None and color_space(icc) == "RGB":
        icc = grey_like_rgb(icc)
    segments = metadata_segments(original.as_stored(replace(photo.metadata, icc=icc)))
    return b"".join(grey(original.luminance, segments))
