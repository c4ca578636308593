"""EXIF orientation applied to pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from photochrom.photo.sources import ArraySource, PixelSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Pixels


def upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(H, W[, C]) as stored → as seen, by EXIF orientation 1..8 (CIPA DC-008, tag 0x0112)."""
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def turned(image: Any, orientation: int) -> Any:
    """A libvips image (of random access) turned upright."""
    if orientation in (5, 6, 7, 8):
        image = image.rot90() if orientation in (5, 6) else image.rot270()
    if orientation in (3, 4):
        image = image.rot180()
    return image.fliphor() if orientation in (2, 4, 5, 7) else image


def oriented(source: PixelSource, orientation: int) -> PixelSource:
    """The source turned upright."""
    if orientation == 1:
        return source
    pixels = upright(source.rows(0, source.height), orientation)
    alpha = upright(source.alpha_rows(0, source.height), orientation) if source.has_alpha else None
    return ArraySource(cast("Pixels", pixels), cast("Pixels", alpha) if alpha is not None else None)
