"""Which picture formats there are: how they are told apart, what each can hold, how large it may be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.errors import DamagedPhoto, OptionError, TooLarge, UnknownFormat
from photochrom.photo.unread import unread_kind

if TYPE_CHECKING:
    import os

MAX_PIXELS = 250_000_000
MAX_SIDE = 60_000
SNIFF = 64  # bytes that are enough to tell every format apart


@dataclass(frozen=True)
class Format:
    """One picture format, as Photochrom reads and writes it."""

    name: str
    suffixes: tuple[str, ...]  # the first is the usual one
    mime: str
    writes: bool = False  # can be written, so a photo of this format stays in it
    sixteen: bool = False  # holds 16 bits a sample
    alpha: bool = False
    streams: bool = False  # decoded from top to bottom, so size is no matter of memory
    also: tuple[str, ...] = ()  # suffixes of relatives, which are read but not written
    share: float = 0.2  # of the pixels allowed, what a picture may have that is decoded in one piece


FORMATS: dict[str, Format] = {
    fmt.name: fmt
    for fmt in (
        Format(
            "jpeg",
            (".jpg", ".jpeg", ".jpe", ".jfif"),
            "image/jpeg",
            writes=True,
            streams=True,
            also=(".mpo",),
            share=0.4,
        ),
        Format("png", (".png",), "image/png", writes=True, sixteen=True, alpha=True, streams=True),
        Format("tiff", (".tif", ".tiff"), "image/tiff", writes=True, sixteen=True, alpha=True, streams=True),
        Format("webp", (".webp",), "image/webp", writes=True, alpha=True),
        Format("avif", (".avif",), "image/avif", writes=True, alpha=True),
        Format("heic", (".heic", ".heif", ".hif"), "image/heic"),
        Format("jpeg2000", (".jp2", ".j2k", ".jpx", ".jpf", ".j2c"), "image/jp2"),
        Format("bmp", (".bmp", ".dib"), "image/bmp", share=0.4),
        Format("gif", (".gif",), "image/gif"),
        Format("pnm", (".pgm", ".ppm", ".pnm", ".pbm", ".pam"), "image/x-portable-anymap", share=0.4),
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
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
)
_PNM = (b"1", b"2", b"3", b"4", b"5", b"6", b"7")
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # sizes; two letters alone begin many a text
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}


def sniff(head: bytes) -> Format:
    """The format of a photo by its first bytes (SNIFF of them are enough), never by its name.

    Raises UnknownFormat, with advice where the stranger is a known one.
    """
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return FORMATS[name]
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return FORMATS["bmp"]
    if head[:1] == b"P" and head[1:2] in _PNM and head[2:3].isspace():
        return FORMATS["pnm"]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FORMATS["webp"]
    if head[4:8] == b"ftyp":
        return _sniff_heif(head)
    raise UnknownFormat(_unread(head))


def _sniff_heif(head: bytes) -> Format:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return FORMATS["avif"]
    if brands & _HEIC_BRANDS:
        return FORMATS["heic"]
    raise UnknownFormat(_unread(head))


def _unread(head: bytes) -> str:
    if not head:
        return "the file is empty: nothing can be colored"
    if kind := unread_kind(head):
        return kind.reason
    if head[4:8] == b"ftyp":
        return "this is a video or an unknown relative of HEIC: convert it to JPEG, PNG or TIFF first"
    names = ", ".join(fmt.name.upper() for fmt in FORMATS.values())
    return f"not a picture in a format that is read ({names}): convert it to JPEG, PNG or TIFF first"


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


PICTURE_SUFFIXES = frozenset(suffix for fmt in FORMATS.values() for suffix in fmt.suffixes + fmt.also)


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
