"""The metadata chunks of a PNG file (PNG 3rd edition, section 11.3)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from photochrom.photo.iptc import from_photoshop, records

if TYPE_CHECKING:
    from collections.abc import Iterator

XMP_KEYWORD = "XML:com.adobe.xmp"
_RAW = "Raw profile type "
_MOST_BYTES = 16 << 20
_MOST_TEXTS = 256
_MOST_CHUNKS = 1_000_000  # a gigabyte of pixels in the usual pieces of 8 kB has 131,072


@dataclass
class Chunks:
    """What a PNG file says about its picture."""

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    texts: list[tuple[str, str]] = field(default_factory=list)


def read_chunks(file: BinaryIO) -> Chunks:
    """The metadata of a PNG file; what does not parse is left out."""
    found = Chunks()
    for name, payload in _chunks(file):
        if name == b"eXIf":
            found.exif = payload
        elif name == b"pHYs" and len(payload) == 9:
            found.dpi = _resolution(payload)
        elif name in (b"tEXt", b"zTXt", b"iTXt"):
            _take_text(found, *_text(name, payload))
    return found


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """(name, payload) of the chunks that are not pixels."""
    file.seek(8)
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if name == b"IEND":
            return
        if name in (b"eXIf", b"pHYs", b"tEXt", b"zTXt", b"iTXt") and length <= _MOST_BYTES:
            yield name, file.read(length)
            file.seek(4, 1)
        else:
            file.seek(length + 4, 1)


def _resolution(payload: bytes) -> tuple[float, float] | None:
    across, down, unit = struct.unpack(">IIB", payload)
    return (across * 0.0254, down * 0.0254) if unit == 1 and across and down else None


def _text(name: bytes, payload: bytes) -> tuple[str, bytes, str]:
    """(keyword, text as bytes, their encoding) of a text chunk."""
    keyword, _, rest = payload.partition(b"\0")
    if name == b"tEXt":
        return keyword.decode("latin-1"), rest, "latin-1"
    if name == b"zTXt":
        return keyword.decode("latin-1"), _inflated(rest[1:]), "latin-1"
    compressed = rest[:1] == b"\1"
    text = rest[2:].split(b"\0", 2)[-1]
    return keyword.decode("latin-1"), _inflated(text) if compressed else text, "utf-8"


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MOST_BYTES)
    except zlib.error:
        return b""


def _take_text(found: Chunks, keyword: str, text: bytes, encoding: str) -> None:
    if keyword == XMP_KEYWORD:
        found.xmp = text
    elif keyword.startswith(_RAW):
        _take_raw(found, keyword.removeprefix(_RAW).strip().lower(), text)
    elif text and len(found.texts) < _MOST_TEXTS:
        found.texts.append((keyword, text.decode(encoding, "replace")))


def _take_raw(found: Chunks, kind: str, text: bytes) -> None:
    """A profile as ImageMagick stores it: a line of its kind, one of its length, hexadecimal digits."""
    try:
        data = bytes.fromhex(text.lstrip(b"\n").split(b"\n", 2)[-1].decode("ascii"))
    except ValueError:
        return
    if kind == "iptc":
        found.iptc = from_photoshop(data) or records(data)
    elif kind in ("exif", "app1") and data.startswith(b"Exif\0\0") and found.exif is None:
        found.exif = data[6:]
    elif kind == "xmp" and found.xmp is None:
        found.xmp = data
