"""Photo: a photograph's pixels, read lazily in strips, and all that travels with them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from photochrom.color import Pixels, neutralize, white
from photochrom.errors import OptionError
from photochrom.photo.metadata import Metadata
from photochrom.photo.sources import (
    ArraySource,
    PixelSource,
    as_rgb,
    computed,
    rescale,
    source_of_bands,
    source_of_pillow,
)
from photochrom.photo.strips import mapped_in_order, strip_height

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from photochrom.photo.jpeg_original import Original
    from photochrom.upsample import GuidedFilter

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph: sRGB-encoded pixels with the orientation already applied.

    `dtype` is uint8 or uint16, `channels` 1 (grey) or 3 (RGB). Small photos are decoded; large ones
    are decoded strip by strip whenever they are asked for. `bits` is what the file had a sample
    (1 for a bilevel scan); `original` the JPEG file whose luminance data a colored photo can keep. Make
    one with `read` or `Photo.from_array`.
    """

    source: PixelSource = field(repr=False)
    metadata: Metadata = field(default_factory=Metadata, repr=False)
    format: str = "png"
    bits: int = 8
    path: Path | None = None
    warnings: tuple[str, ...] = ()
    original: Original | None = field(default=None, repr=False)
    pages: int = 1  # of the file, thumbnails not counted
    orientation: int = 1  # EXIF's 1..8, in which the file has the pixels

    @property
    def height(self) -> int:
        return self.source.height

    @property
    def width(self) -> int:
        return self.source.width

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB); alpha is not counted."""
        return self.source.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.source.dtype

    @property
    def has_alpha(self) -> bool:
        return self.source.has_alpha

    @property
    def alpha(self) -> Pixels | None:
        """(H, W) of the photo's dtype, all of it in memory; None for an opaque photo."""
        return self.source.alpha_rows(0, self.height) if self.has_alpha else None

    @property
    def extra(self) -> Pixels | None:
        """(H, W, n) of the photo's dtype: channels that are neither color nor transparency; None for most."""
        return self.source.extra_rows(0, self.height) if self.source.extra_channels else None

    @property
    def pixels(self) -> Pixels:
        """(H, W) for a grey photo, (H, W, 3) for RGB, all of it in memory."""
        if isinstance(self.source, ArraySource):
            return self.source.pixels
        shape = (self.height, self.width) if self.channels == 1 else (self.height, self.width, 3)
        pixels = np.empty(shape, self.dtype)
        for top, strip in self.strips():
            pixels[top : top + len(strip)] = strip
        return cast("Pixels", pixels)

    @property
    def rgb(self) -> Pixels:
        """(H, W, 3), all of it in memory; the three channels of a grey photo are equal."""
        return as_rgb(self.pixels)

    def rows(self, top: int, bottom: int) -> Pixels:
        """Pixels of the rows top..bottom: (h, W) or (h, W, 3). Thread-safe; cheapest from top to bottom.

        Raises OptionError for rows that the photo does not have, DamagedPhoto where decoding fails.
        """
        if not 0 <= top < bottom <= self.height:
            raise OptionError(f"rows {top}..{bottom} are not in a photo of {self.height} rows")
        return self.source.rows(top, bottom)

    def strips(
        self, height: int | None = None, *, threads: int | None = None
    ) -> Iterator[tuple[int, Pixels]]:
        """(top, pixels) of strips of `height` rows, in order, computed ahead on a few threads."""
        return self.map_strips(lambda top, strip: strip, height, threads=threads)

    def map_strips(
        self,
        function: Callable[[int, Pixels], T],
        height: int | None = None,
        *,
        threads: int | None = None,
    ) -> Iterator[tuple[int, T]]:
        """(top, function(top, pixels)) of all strips, in order; `function` runs on the threads too."""
        height = height or strip_height(self.width)

        def compute(top: int) -> T:
            return function(top, self.rows(top, min(top + height, self.height)))

        return mapped_in_order(compute, range(0, self.height, height), threads)

    def with_pixels(
        self,
        source: Pixels | Callable[[int, int], Pixels],
        *,
        channels: int = 3,
        dtype: np.dtype[Any] | type | None = None,
        chroma: GuidedFilter | None = None,
    ) -> Photo:
        """This photo with other pixels of the same size: metadata, alpha and path stay.

        `source` is an array (H, W[, 3]), or a thread-safe function (top, bottom) → those rows, which is
        asked strip by strip when the pixels are needed; then `channels` and `dtype` (the photo's own by
        default) say what it returns, and `chroma` may tell a* and b* alone, for a JPEG that keeps its
        luminance data.
        Raises OptionError for an array of another size.
        """
        if not isinstance(source, np.ndarray):
            kind = np.dtype(dtype or self.dtype)
            white(kind)
            return replace(self, source=computed(self.source, source, channels, kind, chroma))
        if source.shape[:2] != (self.height, self.width):
            size = f"{source.shape[1]}×{source.shape[0]}"
            raise OptionError(f"these pixels are {size}, the photo is {self.width}×{self.height}")
        planes = [
            None if plane is None else rescale(plane, source.dtype) for plane in (self.alpha, self.extra)
        ]
        return replace(self, source=ArraySource(source, *planes))

    def inverted(self) -> Photo:
        """The positive of a negative: neutral, its samples' complements to white."""
        grey = self.channels == 1

        def rows(top: int, bottom: int) -> Pixels:
            neutral = neutralize(self.rows(top, bottom))
            return ~(neutral if grey else rescale(neutral, np.dtype(np.uint16)))

        dtype = self.dtype if grey else np.dtype(np.uint16)
        return replace(self.with_pixels(rows, channels=1, dtype=dtype), original=None)

    def watched(self, see: Callable[[int, Pixels], None]) -> Photo:
        """This photo, whose rows a thread-safe `see(top, pixels)` is shown whenever they are asked for."""

        def rows(top: int, bottom: int) -> Pixels:
            pixels = self.source.rows(top, bottom)
            see(top, pixels)
            return pixels

        return replace(self, source=computed(self.source, rows))

    @classmethod
    def from_array(cls, array: Any) -> Photo:
        """A photo of a PIL image, or of a numpy array (H, W), (H, W, 1 or 3), or with alpha (H, W, 2 or 4).

        Arrays are uint8 or uint16, sRGB-encoded. Raises OptionError for anything else.
        """
        if hasattr(array, "getbands"):
            source, bits = source_of_pillow(array)
            return cls(source, bits=bits)
        if not isinstance(array, np.ndarray):
            raise OptionError(
                f"a photo is made of a numpy array or a PIL image, not of {type(array).__name__}"
            )
        white(array.dtype)
        bands = 1 if array.ndim == 2 else array.shape[-1]
        if array.ndim not in (2, 3) or bands not in (1, 2, 3, 4) or 0 in array.shape:
            raise OptionError(
                f"an array of shape {array.shape} is not a picture: it must be (H, W), (H, W, 3) or (H, W, 4)"
            )
        source = source_of_bands(array.reshape(*array.shape[:2], bands), bands in (2, 4))
        return cls(source, bits=8 * array.dtype.itemsize)
