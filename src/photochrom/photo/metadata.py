"""What travels with a photo's pixels: profile, EXIF, XMP, IPTC, resolution, captions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metadata:
    """The metadata of a photo, in the form that every container shares.

    `exif` is a TIFF-structured block without a prefix, its orientation already 1 and its thumbnail
    gone; `xmp` a packet of RDF/XML; `iptc` the IIM records (each starts with byte 0x1C); `icc` the
    profile that the input carried (the pixels of a Photo are sRGB whatever it says); `dpi` the
    resolution (across, down) in dots an inch; `comment` the comment of a JPEG; `texts` the keyword
    and text pairs of a PNG.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    comment: str | None = None
    texts: tuple[tuple[str, str], ...] = ()
