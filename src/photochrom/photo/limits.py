"""How large a photo may be, checked before a pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from photochrom.errors import DamagedPhoto, TooLarge

MAX_PIXELS = 250_000_000
MAX_SIDE = 60_000


@dataclass(frozen=True)
class Limits:
    """The most pixels, and the most pixels a side."""

    pixels: int = MAX_PIXELS
    side: int = MAX_SIDE

    def check(self, width: int, height: int) -> None:
        """Raises TooLarge beyond the limits, DamagedPhoto for a size that cannot be."""
        if width < 1 or height < 1:
            msg = f"the picture claims to be {width}×{height} pixels: it is damaged"
            raise DamagedPhoto(msg)
        if max(width, height) > self.side:
            msg = f"the picture is {width}×{height}, over {self.side} a side: raise the limit or cut it"
            raise TooLarge(msg)
        if width * height > self.pixels:
            millions, most = width * height / 1e6, self.pixels / 1e6
            msg = f"the picture has {millions:.0f} megapixels, over {most:.0f}: raise --max-pixels to read it"
            raise TooLarge(msg)
