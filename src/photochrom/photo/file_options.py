"""How a photo is read and a colored one written: said once for the command line, the server and sidecars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from photochrom.documents import check, option

_FormatName = Literal["jpeg", "png", "tiff", "webp", "avif"]


@dataclass(frozen=True)
class FileOptions:
    """Options of a written file. Raises OptionError for values that make no sense."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}  # as a part of a REST body

    format: _FormatName | None = option(None, "The photo's own where it can hold color, else PNG.")
    quality: int = option(
        95,
        "Quality of JPEG (of its chroma, where luminance is kept), WebP and AVIF.",
        ge=1,
        le=100,
        strict=True,
        metavar="1..100",
    )
    subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = option("4:2:0", "Chroma resolution of JPEG and AVIF.")
    depth: Literal[8, 16] | None = option(
        None, "Bits a channel; the photo's own where the format can hold them."
    )
    profile: Literal["srgb", "input"] = option(
        "srgb", "Store the colors in sRGB, or in the photo's own RGB profile."
    )
    luminance: Literal["keep", "lightness"] = option(
        "keep", "JPEG to JPEG: keep the luminance data bit for bit, or encode anew and keep CIE L*."
    )
    strip: bool = option(False, "Leave out EXIF, XMP, IPTC, captions and DPI.", strict=True)
    mark: bool = option(True, "State in the metadata that a model made the colors.", strict=True)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class ReadOptions:
    """Options of reading a photo. Raises OptionError for values that make no sense."""

    page: int = option(0, "Which page of a file with several; 0 is the first.", ge=0, metavar="N")
    invert: bool = option(False, "The photo is a negative: color its positive.")
    salvage: bool = option(False, "Color what is there of a damaged or cut photo instead of refusing it.")

    def __post_init__(self) -> None:
        check(self)
