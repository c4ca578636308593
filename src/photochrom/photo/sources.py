"""Where a photo's pixels come from: an array in memory, or a function that computes rows.

The third kind, a file decoded anew from top to bottom, is in `decoding`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from photochrom.color import Pixels

    Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


class PixelSource(Protocol):
    """Rows of pixels on demand; every method may be called from several threads."""

    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def has_alpha(self) -> bool: ...

    def rows(self, top: int, bottom: int) -> Pixels:
        """(h, W) or (h, W, 3)."""
        ...

    def alpha_rows(self, top: int, bottom: int) -> Pixels:
        """(h, W); only where `has_alpha`."""
        ...


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Pixels in memory: (H, W) or (H, W, 3), and alpha (H, W) or None, of one dtype."""

    pixels: Pixels
    transparency: Pixels | None = None

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


@dataclass(frozen=True, eq=False)
class ComputedSource:
    """Rows computed by a function, with the size and the alpha of another source.

    `halved` computes them for an encoder that halves chroma, of one chroma in every block of 2×2 pixels:
    (top, bottom), top even → R, G, B (h, W) of 8 bits.
    """

    base: PixelSource
    compute: Callable[[int, int], Pixels]
    channels: int
    dtype: np.dtype[Any]
    halved: Callable[[int, int], Planes] | None = None

    @property
    def height(self) -> int:
        return self.base.height

    @property
    def width(self) -> int:
        return self.base.width

    @property
    def has_alpha(self) -> bool:
        return self.base.has_alpha

    def rows(self, top: int, bottom: int) -> Pixels:
        return self.compute(top, bottom)

    def alpha_rows(self, top: int, bottom: int) -> Pixels:
        from photochrom.photo.photo import rescale

        return rescale(self.base.alpha_rows(top, bottom), self.dtype)
