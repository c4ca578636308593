"""Is a file that was just written whole? Header, size and end, without decoding it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from photochrom.photo import ifd, tiff_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochrom.photo.formats import Format

_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def fault(file: BinaryIO, fmt: Format, width: int, height: int) -> str | None:
    """What is wrong with the structure of a picture file of this size; None where nothing is."""
    file.seek(0, 2)
    size = file.tell()
    try:
        found = _SIZES[fmt.name](file, size)
    except (struct.error, ValueError, KeyError, IndexError):
        return "its structure is broken"
    if found is None:
        return "its end is missing"
    if found not in ((width, height), ()):
        return f"its header says {found[0]}×{found[1]}"
    return None


def _jpeg(file: BinaryIO, size: int) -> tuple[int, ...] | None:
    file.seek(size - 2)
    if file.read(2) != b"\xff\xd9":
        return None
    file.seek(2)
    while True:
        marker, length = struct.unpack(">HH", file.read(4))
        if marker & 0xFF in _FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)


def _png(file: BinaryIO, size: int) -> tuple[int, ...] | None:
    file.seek(16)
    dimensions = struct.unpack(">II", file.read(8))
    file.seek(size - 12)
    return dimensions if file.read(12) == b"\0\0\0\0IEND\xaeB`\x82" else None


def _tiff(file: BinaryIO, size: int) -> tuple[int, ...] | None:
    fields = ifd.parse_file(file, strict=True)
    if tiff_fields.reaches_to(fields) > size:
        return None
    return tiff_fields.dimensions(fields)


def _webp(file: BinaryIO, size: int) -> tuple[int, ...] | None:
    file.seek(4)
    (length,) = struct.unpack("<I", file.read(4))
    return () if length + 8 == size else None


def _avif(file: BinaryIO, size: int) -> tuple[int, ...] | None:
    at = 0
    while at < size:
        file.seek(at)
        (length,) = struct.unpack(">I", file.read(4))
        at += length if length >= 8 else size + 1
    return () if at == size > 0 else None


_SIZES: dict[str, Callable[[BinaryIO, int], tuple[int, ...] | None]] = {
    "jpeg": _jpeg,
    "png": _png,
    "tiff": _tiff,
    "webp": _webp,
    "avif": _avif,
}
