"""What travels with a photo's pixels: profile, EXIF, XMP, IPTC, resolution, captions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from photochrom.photo import exif, outdated, xmp

if TYPE_CHECKING:
    from collections.abc import Mapping


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

    def of_color(self, icc: bytes | None, *, srgb: bool = False) -> Metadata:
        """The metadata of an RGB picture with this profile: nothing contradicts it."""
        block, packet = self.exif, self.xmp
        return replace(
            self,
            icc=icc,
            exif=exif.with_color_space(block, srgb=srgb) if block else None,
            xmp=outdated.of_color(packet, srgb=srgb) if packet else None,
        )


@dataclass(frozen=True)
class Found:
    """Metadata, the orientation that the pixels are stored in (1..8), and what was odd."""

    metadata: Metadata
    orientation: int
    warnings: tuple[str, ...]


def settled(
    *collected: Mapping[str, Any], orientation: int = 1, odd: tuple[str, ...] = (), upright: bool = False
) -> Found:
    """Metadata of what decoder and container have found; what the latter says counts.

    The keys are those of Metadata. The orientation and the thumbnail are taken out of the EXIF; what does
    not parse is dropped with a warning. `upright`: the decoder has turned the pixels already.
    """
    fields = {key: value for found in collected for key, value in found.items() if value}
    warnings = list(odd)
    if block := fields.pop("exif", None):
        try:
            fields["exif"], turned = exif.settle(block)
            orientation = turned if orientation == 1 else orientation
        except ValueError as error:
            warnings.append(f"its EXIF does not parse ({error}) and was dropped")
    if packet := fields.pop("xmp", None):
        try:
            fields["xmp"], told = outdated.without_parts(xmp.normalized(packet))
            warnings += told
            if orientation != 1:
                fields["xmp"] = outdated.turned(fields["xmp"], 1 if upright else orientation)
        except (ValueError, UnicodeError) as error:
            warnings.append(f"its XMP does not parse ({error}) and was dropped")
    metadata = Metadata(**fields)
    dpi = metadata.dpi or (exif.resolution_of(metadata.exif) if metadata.exif else None)
    if dpi and not all(1 <= value <= 100_000 for value in dpi):  # which no scanner has
        dpi = None
    return Found(replace(metadata, dpi=dpi), 1 if upright else orientation, tuple(warnings))
