"""A file's metadata, gathered from its container."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from photochrom.photo.exif import Settled, settle
from photochrom.photo.metadata import Metadata

if TYPE_CHECKING:
    from photochrom.photo.formats import Format
    from photochrom.photo.origin import Origin


@dataclass(frozen=True)
class Found:
    """Metadata, the orientation that the pixels are stored in (1..8), and what was odd."""

    metadata: Metadata = field(default_factory=Metadata)
    orientation: int = 1
    warnings: tuple[str, ...] = ()


def read_metadata(image: Any, fmt: Format, origin: Origin) -> Found:
    """The metadata of a libvips image."""
    warnings: list[str] = []
    exif = Settled(b"")
    if (block := _blob(image, "exif-data")) is not None:
        try:
            exif = settle(block)
        except ValueError as error:
            warnings.append(f"its EXIF does not parse ({error}) and was dropped")
    orientation = exif.orientation
    if fmt.name == "tiff" and image.get_typeof("orientation"):
        orientation = int(image.get("orientation"))
    metadata = Metadata(
        icc=_blob(image, "icc-profile-data"),
        exif=exif.block or None,
        xmp=_blob(image, "xmp-data"),
        iptc=_blob(image, "iptc-data"),
        dpi=_dpi(image),
    )
    return Found(metadata, orientation if fmt.name not in ("avif",) else 1, tuple(warnings))


def _blob(image: Any, name: str) -> bytes | None:
    return bytes(image.get(name)) if image.get_typeof(name) else None


def _dpi(image: Any) -> tuple[float, float] | None:
    if not image.get_typeof("resolution-unit"):
        return None
    return image.xres * 25.4, image.yres * 25.4
