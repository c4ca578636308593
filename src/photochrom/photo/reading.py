"""read: any file, bytes or stream → Photo, or one of our errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photochrom.errors import OptionError, PhotoError
from photochrom.photo.colour_spaces import normalize
from photochrom.photo.decoding import load, source_of
from photochrom.photo.formats import SNIFF, Format, sniff
from photochrom.photo.limits import MAX_PIXELS, MAX_SIDE, Limits
from photochrom.photo.orientation import oriented
from photochrom.photo.origin import Origin, ReadFrom, origin_of
from photochrom.photo.photo import Photo
from photochrom.photo.reading_metadata import known_to_vips, read_metadata

if TYPE_CHECKING:
    from photochrom.photo.sources import PixelSource

_WHOLE_FRAME = 0.4  # of max_pixels: what formats may have that are decoded in one piece
_VIPS = {"jpeg": "jpeg", "png": "png", "tiff": "tiff", "webp": "webp", "avif": "heif"}


def read(source: ReadFrom, *, max_pixels: int = MAX_PIXELS, max_side: int = MAX_SIDE, page: int = 0) -> Photo:
    """Reads a photo from a path, bytes, a binary file object, or "-" (standard input).

    The format is told by the content. Pixels come out sRGB-encoded with 8 or 16 bits as in the file,
    upright, grey or RGB; CMYK, palettes and profiles are converted. `page` counts from 0. Oddities
    that lose nothing essential are in `Photo.warnings`.

    Raises UnknownFormat, DamagedPhoto, TooLarge (`max_pixels`, `max_side`; formats that cannot be
    decoded in strips may have 0.4 of the pixels), MissingExtra (HEIC), OptionError (no such page), or
    PhotoError for a file that cannot be opened.
    """
    if page < 0:
        msg = f"page {page} does not exist: pages count from 0"
        raise OptionError(msg)
    origin = origin_of(source)
    try:
        fmt = sniff(origin.head(SNIFF))
        limits = Limits(max_pixels if fmt.streams else int(max_pixels * _WHOLE_FRAME), max_side)
        if fmt.name in _VIPS:
            return _read_with_vips(origin, fmt, limits, page)
        from photochrom.photo.pillow import read_with_pillow

        return read_with_pillow(origin, fmt, limits)
    except PhotoError as error:
        if origin.path is not None and str(origin.path) not in str(error):
            error.args = (f"{origin.path}: {error}",)
        raise


def _read_with_vips(origin: Origin, fmt: Format, limits: Limits, page: int) -> Photo:
    loader = _VIPS[fmt.name]
    image = load(loader, origin, 0 if fmt.name == "webp" else page)
    limits.check(image.width, image.height)
    found = read_metadata(fmt.name, origin, page, known_to_vips(image))
    normal = normalize(image)

    def reopen() -> Any:
        origin.check_unchanged()
        return normalize(load(loader, origin, page)).image

    pixels: PixelSource = source_of(normal.image, normal.has_alpha, reopen)
    origin.check_unchanged()
    return Photo(
        oriented(pixels, found.orientation),
        metadata=found.metadata,
        format=fmt.name,
        bits=_bits(image),
        path=origin.path,
        warnings=(*_pages(image, page), *found.warnings, *normal.warnings),
    )


def _bits(image: Any) -> int:
    if image.get_typeof("bits-per-sample"):
        return int(image.get("bits-per-sample"))
    return 16 if image.format != "uchar" else 8


def _pages(image: Any, page: int) -> tuple[str, ...]:
    pages = int(image.get("n-pages")) if image.get_typeof("n-pages") else 1
    return (f"it has {pages} pages: only page {page} is read",) if pages > 1 else ()
