"""How large a photo may be, checked before a pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from photochrom.errors import DamagedPhoto, TooLarge

MAX_PIXELS = 250_000_000
MAX_SIDE = 60_000
WHOLE_FRAME = 0.4


@dataclass(frozen=True)
class Limits:
    """The most pixels, and the most pixels a side."""

    pixels: int = MAX_PIXELS
    side: int = MAX_SIDE

    def check(self, width: int, height: int, *, streams: bool = False) -> None:
        """Raises TooLarge beyond the limits, DamagedPhoto for a size that cannot be.

        A picture that cannot be decoded in strips may have WHOLE_FRAME of the pixels.
        """
        if width < 1 or height < 1:
            msg = f"the picture claims to be {width}×{height} pixels: it is damaged"
            raise DamagedPhoto(msg)
        if max(width, height) > self.side:
            msg = f"the picture is {width}×{height}, over {self.side} a side: raise the limit or cut it"
            raise TooLarge(msg)
        most = self.pixels * (1 if streams else WHOLE_FRAME)
        if width * height > most:
            size = f"{width * height / 1e6:.0f} megapixels, over {most / 1e6:.0f}"
            advice = "raise --max-pixels" if streams else "convert it to plain TIFF, or raise --max-pixels"
            msg = f"the picture has {size}: {advice}"
            raise TooLarge(msg)
