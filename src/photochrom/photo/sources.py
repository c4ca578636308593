"""Where a photo's pixels come from: an array in memory, or functions that compute rows when asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from photochrom.color import Pixels
    from photochrom.upsample import GuidedFilter

    Rows = Callable[[int, int], Pixels]  # (top, bottom) → these rows


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Pixels in memory: (H, W) or (H, W, 3), alpha (H, W) or None, further channels (H, W, n) or None.

    All are of one dtype. Further channels are what is neither color nor transparency: a saved selection, a
    scanner's infrared.
    """

    pixels: Pixels
    transparency: Pixels | None = None
    extra: Pixels | None = None

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def channels(self) -> int:
        return 1 if self.pixels.ndim == 2 else 3

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.pixels.dtype

    @property
    def has_alpha(self) -> bool:
        return self.transparency is not None

    def rows(self, top: int, bottom: int) -> Pixels:
        return self.pixels[top:bottom]

    def alpha_rows(self, top: int, bottom: int) -> Pixels:
        assert self.transparency is not None
        return self.transparency[top:bottom]

    @property
    def extra_channels(self) -> int:
        return 0 if self.extra is None else int(self.extra.shape[2])

    def extra_rows(self, top: int, bottom: int) -> Pixels:
        assert self.extra is not None
        return self.extra[top:bottom]


@dataclass(frozen=True, eq=False)
class RowSource:
    """Rows that thread-safe functions compute: `rows` (h, W) or (h, W, 3), `alpha` (h, W) where there is any,
    `further` (h, W, extra_channels) likewise.

    `chroma` tells a* and b* by L* at any size, for an encoder that stores luminance as it is.
    """

    height: int
    width: int
    channels: int
    dtype: np.dtype[Any]
    rows: Rows
    alpha: Rows | None = None
    chroma: GuidedFilter | None = None
    further: Rows | None = None
    extra_channels: int = 0

    @property
    def has_alpha(self) -> bool:
        return self.alpha is not None

    def alpha_rows(self, top: int, bottom: int) -> Pixels:
        assert self.alpha is not None
        return rescale(self.alpha(top, bottom), self.dtype)

    def extra_rows(self, top: int, bottom: int) -> Pixels:
        assert self.further is not None
        return rescale(self.further(top, bottom), self.dtype)


PixelSource = ArraySource | RowSource


def computed(
    base: PixelSource,
    rows: Rows,
    channels: int | None = None,
    dtype: np.dtype[Any] | None = None,
    chroma: GuidedFilter | None = None,
) -> RowSource:
    """Computed rows with the size, the alpha and the further channels of another source."""
    return RowSource(
        base.height,
        base.width,
        channels or base.channels,
        dtype or base.dtype,
        rows,
        base.alpha_rows if base.has_alpha else None,
        chroma,
        base.extra_rows if base.extra_channels else None,
        base.extra_channels,
    )


def source_of_bands(array: NDArray[Any], has_alpha: bool, extra: int = 0) -> ArraySource:
    """A source of (H, W, bands) pixels: grey or RGB, then perhaps alpha, then `extra` further channels."""
    colors = array.shape[2] - has_alpha - extra
    pixels = array[..., 0] if colors == 1 else array[..., :colors]
    return ArraySource(
        cast("Pixels", np.ascontiguousarray(pixels)),
        np.ascontiguousarray(array[..., colors]) if has_alpha else None,
        np.ascontiguousarray(array[..., -extra:]) if extra else None,
    )


def source_of_pillow(image: Any) -> tuple[ArraySource, int]:
    """A source of a PIL image of any mode, and its bits a sample; 16-bit greys keep their depth."""
    if image.mode.startswith("I;16"):
        return source_of_bands(np.asarray(image, np.uint16)[..., None], False), 16
    transparent = "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    grey = image.mode in ("1", "L", "LA", "La", "I", "F")
    array = np.asarray(image.convert(("L" if grey else "RGB") + ("A" if transparent else "")))
    bits = 1 if image.mode == "1" else 8
    return source_of_bands(array.reshape(*array.shape[:2], -1), transparent), bits


def rescale(pixels: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Pixels at another depth: 8 → 16 bits exactly (× 257), 16 → 8 rounded to the nearest."""
    if pixels.dtype == dtype:
        return pixels
    if dtype == np.uint16:
        return pixels.astype(np.uint16) * np.uint16(257)
    return cast("Pixels", cv2.convertScaleAbs(pixels, alpha=1 / 257).reshape(pixels.shape))


def as_rgb(pixels: Pixels) -> Pixels:
    """Grey (h, W) or RGB pixels as RGB (h, W, 3)."""
    return pixels if pixels.ndim == 3 else cast("Pixels", np.repeat(pixels[..., None], 3, axis=2))


# --- orientation -----------------------------------------------------------------------------------


def upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(H, W[, C]) as stored → as seen, by EXIF orientation 1..8 (CIPA DC-008, tag 0x0112)."""
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def stored(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(H, W[, C]) as seen → as stored: the reverse of `upright`."""
    return upright(array, {6: 8, 8: 6}.get(orientation, orientation))


def oriented(source: ArraySource, orientation: int) -> ArraySource:
    """The source turned upright."""
    if orientation == 1:
        return source
    planes = (source.pixels, source.transparency, source.extra)
    pixels, alpha, extra = (None if plane is None else upright(plane, orientation) for plane in planes)
    return ArraySource(cast("Pixels", pixels), alpha, extra)
