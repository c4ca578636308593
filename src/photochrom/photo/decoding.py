"""Files decoded by libvips: at once into memory where small, strip by strip where large."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from photochrom.errors import DamagedPhoto
from photochrom.photo.sources import ArraySource
from photochrom.photo.vips import damage_reported, libvips

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from photochrom.color import Pixels
    from photochrom.photo.origin import Origin

IN_MEMORY = 192 << 20  # bytes of decoded pixels up to which a photo is simply held in memory
_LARGE_FILE = 32 << 20
_KEPT = 6  # strips behind the decoder: more than threads that may ask for them out of order
DTYPES: dict[str, np.dtype[Any]] = {"uchar": np.dtype(np.uint8), "ushort": np.dtype(np.uint16)}


def load(loader: str, origin: Origin, page: int, fail_on: str, access: str = "sequential") -> Any:
    """A libvips image of one page, decoded on demand from top to bottom.

    `fail_on` is "truncated", "error" or "warning"; access "random" decodes it whole, into a scratch file
    if it is large. Raises DamagedPhoto where the header cannot be read.
    """
    vips = libvips()
    options: dict[str, Any] = {"access": access, "fail_on": fail_on}
    if loader in ("tiff", "heif", "webp"):
        options["page"] = page
    if loader == "tiff":  # libtiff's cap on memory, 50 MB, is too small for one long compressed strip
        options["unlimited"] = origin.size > _LARGE_FILE
    with damage_reported(loader):
        if origin.path is not None:
            return vips.Operation.call(f"{loader}load", str(origin.path), **options)
        return vips.Operation.call(f"{loader}load_buffer", origin.data, **options)


def starts(loader: str, origin: Origin, page: int, fail_on: str) -> bool:
    """Whether the header and the first row can be read at this strictness."""
    try:
        image = load(loader, origin, page, fail_on)
        with damage_reported(loader):
            libvips().Region.new(image).fetch(0, 0, image.width, 1)
    except DamagedPhoto:
        return False
    return True


def decoded_bytes(image: Any) -> int:
    """Bytes that the decoded pixels take."""
    return int(image.width * image.height * image.bands * DTYPES[image.format].itemsize)


def to_array(image: Any, loader: str) -> NDArray[Any]:
    """(H, W, bands) of a libvips image. Raises DamagedPhoto."""
    with damage_reported(loader):
        data = image.write_to_memory()
    shape = (image.height, image.width, image.bands)
    array: NDArray[Any] = np.frombuffer(data, DTYPES[image.format]).reshape(shape)
    return array


def split_alpha(array: NDArray[Any], has_alpha: bool) -> ArraySource:
    """A source of (H, W, bands) pixels whose last band may be alpha."""
    colours = array.shape[2] - has_alpha
    alpha = np.ascontiguousarray(array[..., -1]) if has_alpha else None
    pixels = array[..., 0] if colours == 1 else array[..., :colours]
    return ArraySource(cast("Pixels", np.ascontiguousarray(pixels)), alpha)


@dataclass(eq=False)
class StreamSource:
    """Rows of a file that is decoded from top to bottom, again for every pass.

    The last few strips are kept, so that threads which ask for neighbouring strips out of order are
    served; a request above them starts the decoder anew.
    """

    height: int
    width: int
    dtype: np.dtype[Any]
    bands: int
    has_alpha: bool
    reopen: Callable[[], Any] = field(repr=False)
    loader: str = "tiff"
    finish: Callable[[], None] = field(default=lambda: None, repr=False)  # called after the last row

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._region: Any = None
        self._next = 0
        self._kept: list[tuple[int, NDArray[Any]]] = []

    @property
    def channels(self) -> int:
        return self.bands - self.has_alpha

    def rows(self, top: int, bottom: int) -> Pixels:
        rows = self._all_bands(top, bottom)
        colour = rows[..., 0] if self.channels == 1 else rows[..., : self.channels]
        return cast("Pixels", np.ascontiguousarray(colour))

    def alpha_rows(self, top: int, bottom: int) -> Pixels:
        return cast("Pixels", np.ascontiguousarray(self._all_bands(top, bottom)[..., -1]))

    def _all_bands(self, top: int, bottom: int) -> NDArray[Any]:
        with self._lock:
            if top < self._first_kept() or (self._region is None and self._next < bottom):
                self._restart()
            while self._next < bottom:
                self._advance(max(bottom - top, 16))
            return self._collect(top, bottom)

    def _first_kept(self) -> int:
        return self._kept[0][0] if self._kept else self._next

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
        self._forget(self._next - _KEPT * rows)
        if self._next == self.height:
            self._region = None  # which closes the file
            self.finish()

    def _forget(self, above: int) -> None:
        while len(self._kept) > 1 and self._kept[1][0] <= above:
            self._kept.pop(0)

    def _collect(self, top: int, bottom: int) -> NDArray[Any]:
        parts = [
            strip[max(top - start, 0) : bottom - start]
            for start, strip in self._kept
            if start < bottom and start + len(strip) > top
        ]
        if not parts:
            raise DamagedPhoto("the file changed while it was read: try again")
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
