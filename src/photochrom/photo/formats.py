"""Which picture formats there are: how they are told apart, and what each of them can hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.errors import OptionError, UnknownFormat

if TYPE_CHECKING:
    import os

SNIFF = 64  # bytes that are enough to tell every format apart


@dataclass(frozen=True)
class Format:
    """One picture format, as Photochrom reads and writes it."""

    name: str
    suffixes: tuple[str, ...]
    mime: str
    writes: bool = False  # can be written, so a photo of this format stays in it
    sixteen: bool = False  # holds 16 bits a sample
    alpha: bool = False
    streams: bool = False  # decoded from top to bottom, so size is no matter of memory
    share: float = 0.2  # of the pixels allowed, what a picture may have that is decoded in one piece


FORMATS: dict[str, Format] = {
    fmt.name: fmt
    for fmt in (
        Format(
            "jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), "image/jpeg", writes=True, streams=True, share=0.4
        ),
        Format("png", (".png",), "image/png", writes=True, sixteen=True, alpha=True, streams=True),
        Format("tiff", (".tif", ".tiff"), "image/tiff", writes=True, sixteen=True, alpha=True, streams=True),
        Format("webp", (".webp",), "image/webp", writes=True, alpha=True),
        Format("avif", (".avif",), "image/avif", writes=True, alpha=True),
        Format("heic", (".heic", ".heif", ".hif"), "image/heic"),
        Format("jpeg2000", (".jp2", ".j2k", ".jpx", ".jpf", ".j2c"), "image/jp2"),
        Format("bmp", (".bmp", ".dib"), "image/bmp", share=0.4),
        Format("gif", (".gif",), "image/gif"),
    )
}

_MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
)
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_KNOWN_STRANGERS = (
    (b"%PDF", "a PDF document: export its pages as TIFF or PNG first"),
    (b"8BPS", "a Photoshop document: save it as TIFF first"),
    (b"\xff\x0a", "a JPEG XL picture: convert it to PNG or TIFF first"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture: convert it to PNG or TIFF first"),
    (b"<svg", "an SVG drawing, which is not a photograph"),
    (b"FUJIFILM", "a raw camera file: develop it to TIFF first"),
    (b"DDS ", "a DDS texture: convert it to PNG first"),
    (b"\0\0\x01\0", "an icon: convert it to PNG first"),
    (b"\x01\xda", "an SGI picture: convert it to PNG or TIFF first"),
    (b"P5", "a PGM picture: convert it to PNG or TIFF first"),
    (b"P6", "a PPM picture: convert it to PNG or TIFF first"),
    (b"v/1\x01", "an OpenEXR picture: convert it to PNG or TIFF first"),
)


def sniff(head: bytes) -> Format:
    """The format of a photo by its first bytes (SNIFF of them are enough), never by its name.

    Raises UnknownFormat, with advice where the stranger is a known one.
    """
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return FORMATS[name]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FORMATS["webp"]
    if head[4:8] == b"ftyp":
        return _sniff_heif(head)
    raise UnknownFormat(_stranger(head))


def _sniff_heif(head: bytes) -> Format:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return FORMATS["avif"]
    if brands & _HEIC_BRANDS:
        return FORMATS["heic"]
    raise UnknownFormat(
        "this is a video or an unknown relative of HEIC: convert it to JPEG, PNG or TIFF first"
    )


def _stranger(head: bytes) -> str:
    if not head:
        return "the file is empty: nothing can be coloured"
    for magic, what in _KNOWN_STRANGERS:
        if head.startswith(magic):
            return f"this is {what}"
    return f"not a picture in a format that is read ({readable()}): convert it to JPEG, PNG or TIFF first"


def readable() -> str:
    """The names of the formats that are read, for messages."""
    return ", ".join(fmt.name.upper() for fmt in FORMATS.values())


def format_named(name: str) -> Format:
    """The writable format of a name ("jpeg", "jpg", ".tif"). Raises OptionError where there is none."""
    wanted = name.lower().removeprefix(".")
    for fmt in FORMATS.values():
        if wanted == fmt.name or f".{wanted}" in fmt.suffixes:
            if fmt.writes:
                return fmt
            raise OptionError(
                f"{fmt.name.upper()} is read but not written: choose JPEG, PNG, TIFF, WebP or AVIF"
            )
    raise OptionError(
        f"{name!r} is not a picture format that is written: choose JPEG, PNG, TIFF, WebP or AVIF"
    )


def format_of_path(path: str | os.PathLike[str]) -> Format:
    """The writable format that a file name asks for. Raises OptionError where there is none."""
    suffix = Path(path).suffix
    if not suffix:
        raise OptionError(
            f"{Path(path).name!r} has no suffix that names a format: write it as .jpg, .png or .tif"
        )
    return format_named(suffix)


def is_picture_name(path: str | os.PathLike[str]) -> bool:
    """Whether a file name has the suffix of a format that is read."""
    return Path(path).suffix.lower() in PICTURE_SUFFIXES


PICTURE_SUFFIXES = frozenset(suffix for fmt in FORMATS.values() for suffix in fmt.suffixes)
