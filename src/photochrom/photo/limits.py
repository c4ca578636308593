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

    def check(self, width: int, height: int, share: float = 1.0) -> None:
        """Raises TooLarge beyond the limits, DamagedPhoto for a size that cannot be.

        `share` is what a picture may have of the pixels: below 1 where it is decoded in one piece.
        """
        if width < 1 or height < 1:
            raise DamagedPhoto(f"the picture claims to be {width}×{height} pixels: it is damaged")
        if max(width, height) > self.side:
            raise TooLarge(
                f"the picture is {width}×{height}, over {self.side} a side: raise the limit or cut it"
            )
        most = self.pixels * share
        if width * height > most:
            size = f"{width * height / 1e6:.0f} megapixels, over {most / 1e6:.0f}"
            advice = "raise --max-pixels" if share == 1 else "convert it to plain TIFF, or raise --max-pixels"
            raise TooLarge(f"the picture has {size}: {advice}")
