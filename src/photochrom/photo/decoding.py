"""Files decoded by libvips: at once into memory where small, strip by strip where large."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from photochrom.errors import DamagedPhoto, OptionError, UnknownFormat
from photochrom.photo.metadata import settled
from photochrom.photo.photo import Photo
from photochrom.photo.profiles import Normalized, normalize
from photochrom.photo.sources import RowSource, oriented, source_of_bands
from photochrom.photo.vips import DTYPES, damage_reported, libvips, load, to_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from photochrom.color import Pixels
    from photochrom.photo.formats import Format, Limits
    from photochrom.photo.origin import Origin
    from photochrom.photo.sources import ArraySource, PixelSource

IN_MEMORY = 192 << 20  # bytes of decoded pixels up to which a photo is simply held in memory
_KEPT = 6  # strips behind the decoder: more than threads that may ask for them out of order
_MOST_BANDS = 16
_WRONG = "its data are damaged, so parts of it may look wrong"
_SALVAGED = "it is damaged or cut short: what is there was read, the rest is grey or black"


@dataclass
class VipsFile:
    """A page of a file that libvips decodes.

    `strict` and `lenient` are how much libvips is to mind ("warning", "error", "truncated"): a picture that
    does not decode strictly is read leniently, with a warning where the decoder `goes_on` after an error.
    """

    origin: Origin
    format: Format
    loader: str
    page: int = 0
    strict: str = "error"
    lenient: str = "error"
    goes_on: bool = False
    salvage: bool = False  # read what is there of a file that is cut short

    def collected(self, image: Any) -> tuple[dict[str, Any], int, tuple[str, ...]]:
        """What the container says: arguments of Metadata, orientation 1..8, warnings."""
        return {}, 1, ()

    def __post_init__(self) -> None:
        if self.salvage:
            self.lenient, self.goes_on = "none", True

    def place(self) -> dict[str, int]:
        """Where the page is, in the loader's terms."""
        return {"page": self.page} if self.page else {}

    def pages(self, image: Any) -> int:
        """How many pages the file has."""
        return int(image.get("n-pages")) if image.get_typeof("n-pages") else 1

    def interpreted(self, image: Any) -> tuple[Any, Any]:
        """The libvips image with what it does not know of the file applied, and its further channels.

        These, of the same format, are what is neither color nor transparency; None for most.
        """
        return image, None

    def opened(self) -> Any:
        """The libvips image. Raises DamagedPhoto, UnknownFormat, OptionError (no such page)."""
        try:
            image = self._load(self.lenient)
        except DamagedPhoto:
            if self.page == 0:
                raise
            image = load(self.loader, self.origin, self.lenient)
        self.check_page(self.pages(image))
        return image

    def check_bands(self, bands: int) -> None:
        """Raises UnknownFormat for more channels than a photograph has."""
        if bands > _MOST_BANDS:
            raise UnknownFormat(
                f"it has {bands} channels, so it is not a photograph: save it as RGB or grey first"
            )

    def check_page(self, pages: int) -> None:
        """Raises OptionError for a page that is not there."""
        if self.page >= max(pages, 1):
            raise OptionError(f"page {self.page} does not exist: the file has {pages}, counted from 0")

    def photo(self, limits: Limits) -> Photo:
        """The photo, in sRGB and upright, with its metadata."""
        image = self.opened()
        self.check_bands(image.bands)
        streams = self.format.streams and not _in_passes(image)
        limits.check(image.width, image.height, 1.0 if streams else self.format.share)
        own, orientation, odd = self.collected(image)
        found = settled(_known(image), own, orientation=orientation, odd=odd, upright=self.loader == "heif")
        normal = self._normalized(image)
        if _decoded_bytes(normal.image) <= IN_MEMORY:
            whole, odd = self._in_memory(normal)
            pixels: PixelSource = oriented(whole, found.orientation)
        else:
            pixels, odd = self._stream(normal, found.orientation), ()
        self.origin.check_unchanged()
        pages = self.pages(image)
        photo = Photo(
            pixels,
            metadata=found.metadata,
            format=self.format.name,
            bits=_bits(image),
            path=self.origin.path,
            warnings=(*_other_pages(pages, self.page), *found.warnings, *normal.warnings, *odd),
            pages=pages,
            orientation=found.orientation,
        )
        return photo if odd else self.finished(photo, found.orientation)

    def finished(self, photo: Photo, orientation: int) -> Photo:
        """The photo of a file that is not known to be damaged, with what its format alone adds."""
        return photo

    def _load(self, fail_on: str, access: str = "sequential") -> Any:
        return load(self.loader, self.origin, fail_on, access, **self.place())

    def _normalized(self, image: Any) -> Normalized:
        with damage_reported(self.loader):
            return normalize(*self.interpreted(image))

    def _starts_cleanly(self) -> bool:
        """Whether nothing is odd about the header, so that what is odd further down is about the pixels."""
        try:
            image = self._load(self.strict)
            with damage_reported(self.loader):
                libvips().Region.new(image).fetch(0, 0, image.width, 1)
        except DamagedPhoto:
            return False
        return True

    def _stream(self, normal: Normalized, orientation: int) -> RowSource:
        strict = self.strict != self.lenient == "error" and self._starts_cleanly()
        fail_on = self.strict if strict else self.lenient

        def reopen() -> Any:
            self.origin.check_unchanged()
            if orientation == 1:
                return self._normalized(self._load(fail_on)).image
            return _turned(self._normalized(self._load(fail_on, "random")).image, orientation)

        image = normal.image
        height, width = (image.width, image.height) if orientation >= 5 else (image.height, image.width)
        dtype, alpha, extra = DTYPES[image.format], normal.has_alpha, normal.extra
        rows = RowDecoder(height, width, image.bands, dtype, reopen, self.loader, self.origin.check_unchanged)

        channels = image.bands - alpha - extra

        def colors(top: int, bottom: int) -> Pixels:
            return source_of_bands(rows(top, bottom)[..., :channels], False).pixels

        def transparency(top: int, bottom: int) -> Pixels:
            return cast("Pixels", np.ascontiguousarray(rows(top, bottom)[..., channels]))

        def further(top: int, bottom: int) -> Pixels:
            return cast("Pixels", np.ascontiguousarray(rows(top, bottom)[..., -extra:]))

        return RowSource(
            height,
            width,
            channels,
            dtype,
            colors,
            transparency if alpha else None,
            further=further if extra else None,
            extra_channels=extra,
        )

    def _in_memory(self, normal: Normalized) -> tuple[ArraySource, tuple[str, ...]]:
        odd: tuple[str, ...] = ()
        if self.strict != self.lenient:
            try:
                array = to_array(self._normalized(self._load(self.strict)).image, self.loader)
                return source_of_bands(array, normal.has_alpha, normal.extra), ()
            except DamagedPhoto:
                if self.lenient == "error" and self._starts_cleanly():
                    raise
                odd = (_SALVAGED if self.salvage else _WRONG,) if self.goes_on else ()
        array = to_array(normal.image, self.loader)
        return source_of_bands(array, normal.has_alpha, normal.extra), odd


def _known(image: Any) -> dict[str, Any]:
    """Profile, EXIF and XMP as libvips has found them."""
    names = {"icc": "icc-profile-data", "exif": "exif-data", "xmp": "xmp-data"}
    return {key: bytes(image.get(name)) for key, name in names.items() if image.get_typeof(name)}


def _in_passes(image: Any) -> bool:
    """Whether a picture is progressive or interlaced, so that it is decoded in one piece."""
    return any(image.get_typeof(name) and image.get(name) for name in ("jpeg-multiscan", "interlaced"))


def _bits(image: Any) -> int:
    if image.get_typeof("bits-per-sample"):
        return int(image.get("bits-per-sample"))
    return 16 if image.format != "uchar" else 8


def _other_pages(pages: int, page: int) -> tuple[str, ...]:
    return (f"it has {pages} pages: only page {page} is read",) if pages > 1 else ()


def _decoded_bytes(image: Any) -> int:
    return int(image.width * image.height * image.bands * DTYPES[image.format].itemsize)


def _turned(image: Any, orientation: int) -> Any:
    """A libvips image (of random access) turned upright."""
    if orientation in (5, 6, 7, 8):
        image = image.rot90() if orientation in (5, 6) else image.rot270()
    if orientation in (3, 4):
        image = image.rot180()
    return image.fliphor() if orientation in (2, 4, 5, 7) else image


@dataclass(eq=False)
class RowDecoder:
    """(top, bottom) → (h, W, bands) of a file that is decoded from top to bottom, again for every pass.

    The last few strips are kept, so that threads which ask for neighboring strips out of order are
    served; a request above them starts the decoder anew. `finish` is called after the last row.
    """

    height: int
    width: int
    bands: int
    dtype: np.dtype[Any]
    reopen: Callable[[], Any] = field(repr=False)
    loader: str = "tiff"
    finish: Callable[[], None] = field(default=lambda: None, repr=False)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._region: Any = None
        self._next = 0
        self._kept: list[tuple[int, NDArray[Any]]] = []

    def __call__(self, top: int, bottom: int) -> NDArray[Any]:
        with self._lock:
            first = self._kept[0][0] if self._kept else self._next
            if top < first or (self._region is None and self._next < bottom):
                self._restart()
            while self._next < bottom:
                self._advance(max(bottom - top, 16))
            return self._collect(top, bottom)

    def _restart(self) -> None:
        with damage_reported(self.loader):
            self._region = libvips().Region.new(self.reopen())
        self._next = 0
        self._kept = []

    def _advance(self, rows: int) -> None:
        rows = min(rows, self.height - self._next)
        with damage_reported(self.loader):
            data = self._region.fetch(0, self._next, self.width, rows)
        strip = np.frombuffer(data, self.dtype).reshape(rows, self.width, self.bands)
        self._kept.append((self._next, strip))
        self._next += rows
        while len(self._kept) > 1 and self._kept[1][0] <= self._next - _KEPT * rows:
            self._kept.pop(0)
        if self._next == self.height:
            self._region = None  # which closes the file
            self.finish()

    def _collect(self, top: int, bottom: int) -> NDArray[Any]:
        parts = [
            strip[max(top - start, 0) : bottom - start]
            for start, strip in self._kept
            if start < bottom and start + len(strip) > top
        ]
        if not parts:
            raise DamagedPhoto("the file changed while it was read: try again")
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
