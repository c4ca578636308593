"""read: any file, bytes or stream → Photo, or one of our errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from photochrom.errors import OptionError, PhotoError
from photochrom.photo.formats import MAX_PIXELS, MAX_SIDE, PICTURE_SUFFIXES, SNIFF, Limits, sniff
from photochrom.photo.origin import ReadFrom, origin_of

if TYPE_CHECKING:
    from photochrom.photo.formats import Format
    from photochrom.photo.origin import Origin
    from photochrom.photo.photo import Photo


def read(
    source: ReadFrom,
    *,
    max_pixels: int = MAX_PIXELS,
    max_side: int = MAX_SIDE,
    page: int = 0,
    salvage: bool = False,
) -> Photo:
    """Reads a photo from a path, bytes, a binary file object, or "-" (standard input).

    The format is told by the content. Pixels come out sRGB-encoded with 8 or 16 bits as in the file,
    upright, grey or RGB; CMYK, palettes and profiles are converted. `page` counts from 0. `salvage` reads
    what is there of a JPEG, PNG or TIFF that is damaged or cut short. Oddities that lose nothing essential
    are in `Photo.warnings`.

    Raises UnknownFormat, DamagedPhoto, TooLarge (`max_pixels`, `max_side`; pictures that are decoded in
    one piece may have 0.2 to 0.4 of the pixels, see docs/formats.md), MissingExtra (HEIC), OptionError
    (no such page), or PhotoError for a file that cannot be opened.
    """
    if page < 0:
        raise OptionError(f"page {page} does not exist: pages count from 0")
    origin = origin_of(source)
    try:
        fmt = sniff(origin.head(SNIFF))
        photo = _decoded(origin, fmt, page, Limits(max_pixels, max_side), salvage)
        suffix = origin.path.suffix.lower() if origin.path else ""
        if suffix not in PICTURE_SUFFIXES or suffix in fmt.suffixes + fmt.also:
            return photo
        odd = f"its name ends in {suffix}, but it is a {fmt.name.upper()} file and was read as one"
        return replace(photo, warnings=(odd, *photo.warnings))
    except PhotoError as error:
        if origin.path is not None and str(origin.path) not in str(error):
            error.args = (f"{origin.path}: {error}",)
        raise


def _decoded(origin: Origin, fmt: Format, page: int, limits: Limits, salvage: bool) -> Photo:
    if fmt.name == "jpeg":
        from photochrom.photo.jpeg import JpegFile

        return JpegFile(origin, fmt, "jpeg", page, salvage=salvage).photo(limits)
    if fmt.name == "png":
        from photochrom.photo.png import PngFile

        return PngFile(origin, fmt, "png", page, salvage=salvage).photo(limits)
    if fmt.name == "tiff":
        from photochrom.photo.tiff import TiffFile

        return TiffFile(origin, fmt, "tiff", page, salvage=salvage).photo(limits)
    if fmt.name in ("webp", "avif"):
        from photochrom.photo.decoding import VipsFile

        return VipsFile(origin, fmt, "heif" if fmt.name == "avif" else "webp", page).photo(limits)
    if page:
        raise OptionError(f"page {page} does not exist: of {fmt.name.upper()} only page 0 is read")
    if fmt.name == "jpeg2000":
        from photochrom.photo.jpeg2000 import read_jpeg2000

        return read_jpeg2000(origin, fmt, limits)
    if fmt.name == "pnm":
        from photochrom.photo.pnm import read_pnm

        return read_pnm(origin, fmt, limits)
    if fmt.name == "heic":
        from photochrom.photo.webp_heif import read_heic

        return read_heic(origin, fmt, limits)
    from photochrom.photo.pillow import read_with_pillow

    return read_with_pillow(origin, fmt, limits, fmt.name.upper())
