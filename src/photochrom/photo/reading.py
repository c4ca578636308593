"""read: any file, bytes or stream → Photo, or one of our errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photochrom.errors import DamagedPhoto, OptionError, PhotoError, UnknownFormat
from photochrom.photo.colour_spaces import Normalized, normalize
from photochrom.photo.decoding import (
    DTYPES,
    IN_MEMORY,
    StreamSource,
    decoded_bytes,
    load,
    split_alpha,
    starts,
    to_array,
)
from photochrom.photo.formats import SNIFF, Format, sniff
from photochrom.photo.limits import MAX_PIXELS, MAX_SIDE, Limits
from photochrom.photo.orientation import oriented, turned
from photochrom.photo.origin import Origin, ReadFrom, origin_of
from photochrom.photo.photo import Photo
from photochrom.photo.reading_metadata import check_whole_tiff, known_to_vips, read_metadata, unread_tiff
from photochrom.photo.vips import damage_reported

if TYPE_CHECKING:
    from photochrom.photo.sources import PixelSource

_LOADERS = {"jpeg": "jpeg", "png": "png", "tiff": "tiff", "webp": "webp", "avif": "heif"}
# how strict libvips is, strictest first, where that is not "error" at once: a broken tile of a TIFF and lost
# bytes of a JPEG are but warnings to it, and "truncated" lets PNGs with wrong checksums through
_STRICTNESS = {"jpeg": ("warning", "truncated"), "tiff": ("warning", "error")}
_MOST_BANDS = 16
_GO_ON = (2, 3, 4, 6, 7)  # fax and JPEG within TIFF: their decoders go on after an error


def read(source: ReadFrom, *, max_pixels: int = MAX_PIXELS, max_side: int = MAX_SIDE, page: int = 0) -> Photo:
    """Reads a photo from a path, bytes, a binary file object, or "-" (standard input).

    The format is told by the content. Pixels come out sRGB-encoded with 8 or 16 bits as in the file,
    upright, grey or RGB; CMYK, palettes and profiles are converted. `page` counts from 0. Oddities
    that lose nothing essential are in `Photo.warnings`.

    Raises UnknownFormat, DamagedPhoto, TooLarge (`max_pixels`, `max_side`; pictures that are decoded in
    one piece may have 0.2 to 0.4 of the pixels, see docs/formats.md), MissingExtra (HEIC), OptionError
    (no such page), or PhotoError for a file that cannot be opened.
    """
    if page < 0:
        raise OptionError(f"page {page} does not exist: pages count from 0")
    origin = origin_of(source)
    try:
        fmt = sniff(origin.head(SNIFF))
        limits = Limits(max_pixels, max_side)
        if fmt.name in _LOADERS:
            return _Reading(origin, fmt, page).photo(limits)
        if page:
            raise OptionError(f"page {page} does not exist: of {fmt.name.upper()} only page 0 is read")
        from photochrom.photo.pillow import read_with_pillow

        return read_with_pillow(origin, fmt, limits)
    except PhotoError as error:
        if origin.path is not None and str(origin.path) not in str(error):
            error.args = (f"{origin.path}: {error}",)
        raise


class _Reading:
    """One file of a format that libvips decodes."""

    def __init__(self, origin: Origin, fmt: Format, page: int):
        self.origin, self.format, self.page = origin, fmt, page
        self.strict, self.lenient = _STRICTNESS.get(fmt.name, ("error", "error"))
        self.loader = _LOADERS[fmt.name]
        self.goes_on = fmt.name == "jpeg"  # after an error, with a part lost

    def photo(self, limits: Limits) -> Photo:
        image = self._open()
        if image.bands > _MOST_BANDS:
            raise UnknownFormat(
                f"it has {image.bands} channels, so it is no photograph: save it as RGB or grey first"
            )
        streams = self.format.streams and not _in_passes(image)
        limits.check(image.width, image.height, 1.0 if streams else self.format.share)
        if self.format.name == "tiff":
            image = self._look_into_tiff(image)
        found = read_metadata(self.format.name, self.origin, self.page, known_to_vips(image))
        normal = self._normalized(image)
        small = decoded_bytes(normal.image) <= IN_MEMORY
        if small:
            pixels, odd = self._in_memory(normal)
            pixels = oriented(pixels, found.orientation)
        else:
            pixels, odd = self._stream(normal, found.orientation), ()
        self.origin.check_unchanged()
        return Photo(
            pixels,
            metadata=found.metadata,
            format=self.format.name,
            bits=_bits(image),
            path=self.origin.path,
            warnings=(*_other_pages(image, self.page), *found.warnings, *normal.warnings, *odd),
        )

    def _open(self) -> Any:
        try:
            image = self._load(self.lenient)
        except DamagedPhoto:
            self._refuse_unread_tiff()
            if self.page == 0:
                raise
            image = load(self.loader, self.origin, 0, self.lenient)
        if self.page and self.page >= _pages(image):
            raise OptionError(
                f"page {self.page} does not exist: the file has {_pages(image)}, counted from 0"
            )
        return image

    def _load(self, fail_on: str, access: str = "sequential") -> Any:
        return load(self.loader, self.origin, self.page, fail_on, access)

    def _normalized(self, image: Any) -> Normalized:
        with damage_reported(self.loader):
            return normalize(image)

    def _look_into_tiff(self, image: Any) -> Any:
        self._refuse_unread_tiff()
        compression, tiled = check_whole_tiff(self.origin, self.page)
        self.goes_on = tiled or compression in _GO_ON
        if compression not in _GO_ON:
            return image
        self.lenient = "truncated"
        return self._open()

    def _refuse_unread_tiff(self) -> None:
        if self.format.name == "tiff" and (why := unread_tiff(self.origin, self.page)):
            raise UnknownFormat(why)

    def _starts_cleanly(self) -> bool:
        """Whether nothing is odd about the header, so that what is odd further down is about the pixels."""
        return starts(self.loader, self.origin, self.page, self.strict)

    def _stream(self, normal: Normalized, orientation: int) -> PixelSource:
        strict = self.format.name == "tiff" and self.lenient == "error" and self._starts_cleanly()
        fail_on = self.strict if strict else self.lenient

        def reopen() -> Any:
            self.origin.check_unchanged()
            if orientation == 1:
                return self._normalized(self._load(fail_on)).image
            return turned(self._normalized(self._load(fail_on, "random")).image, orientation)

        image = normal.image
        height, width = (image.width, image.height) if orientation >= 5 else (image.height, image.width)
        return StreamSource(
            height,
            width,
            DTYPES[image.format],
            image.bands,
            normal.has_alpha,
            reopen,
            self.loader,
            finish=self.origin.check_unchanged,
        )

    def _in_memory(self, normal: Normalized) -> tuple[PixelSource, tuple[str, ...]]:
        odd: tuple[str, ...] = ()
        if self.strict != self.lenient:
            try:
                array = to_array(self._normalized(self._load(self.strict)).image, self.loader)
                return split_alpha(array, normal.has_alpha), ()
            except DamagedPhoto:
                if self.lenient == "error" and self._starts_cleanly():
                    raise
                odd = ("its data are damaged, so parts of it may look wrong",) if self.goes_on else ()
        return split_alpha(to_array(normal.image, self.loader), normal.has_alpha), odd


def _in_passes(image: Any) -> bool:
    """Whether a picture is progressive or interlaced, so that it is decoded in one piece."""
    return any(image.get_typeof(name) and image.get(name) for name in ("jpeg-multiscan", "interlaced"))


def _bits(image: Any) -> int:
    if image.get_typeof("bits-per-sample"):
        return int(image.get("bits-per-sample"))
    return 16 if image.format != "uchar" else 8


def _pages(image: Any) -> int:
    return int(image.get("n-pages")) if image.get_typeof("n-pages") else 1


def _other_pages(image: Any, page: int) -> tuple[str, ...]:
    pages = _pages(image)
    return (f"it has {pages} pages: only page {page} is read",) if pages > 1 else ()
