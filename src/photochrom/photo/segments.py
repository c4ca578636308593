"""The metadata segments of a JPEG file, read and written.

ITU-T T.81 B.1.1.4, JFIF 1.02, Adobe XMP part 3 section 1.1.3, ICC.1:2022 annex B.4.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from photochrom.photo import xmp
from photochrom.photo.iptc import from_photoshop, to_photoshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photochrom.photo.metadata import Metadata

EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
PHOTOSHOP = b"Photoshop 3.0\0"
PROFILE = b"ICC_PROFILE\0"
MOST = 65_533  # bytes a segment holds
_MOST_BYTES = 64 << 20
_COST = 1 << 8  # what a segment counts beside its bytes, so that millions of empty ones end the search
_START_OF_SCAN, _END, _COMMENT = 0xDA, 0xD9, 0xFE
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


@dataclass
class Segments:
    """What a JPEG file says about its picture."""

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    comment: str | None = None


def read_segments(file: BinaryIO) -> Segments:
    """The metadata of a JPEG file; what does not parse is left out."""
    found = Segments()
    photoshop, more_xmp = bytearray(), []
    for marker, payload in segments(file):
        if marker == 0xE0 and payload.startswith(b"JFIF\0") and found.dpi is None:
            found.dpi = _density(payload)
        elif marker == 0xE1 and payload.startswith(EXIF) and found.exif is None:
            found.exif = payload[len(EXIF) :]
        elif marker == 0xE1 and payload.startswith(XMP):
            found.xmp = payload[len(XMP) :]
        elif marker == 0xE1 and payload.startswith(_MORE_XMP):
            more_xmp.append(payload[len(_MORE_XMP) :])
        elif marker == 0xED and payload.startswith(PHOTOSHOP):
            photoshop += payload[len(PHOTOSHOP) :]
        elif marker == _COMMENT and found.comment is None:
            found.comment = _text(payload)
    found.iptc = from_photoshop(bytes(photoshop))
    found.xmp = _whole_xmp(found.xmp, more_xmp)
    return found


def segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(marker, payload) of the segments before the picture data."""
    file.seek(2)
    total = 0
    while total < _MOST_BYTES:
        head = file.read(2)
        while len(head) == 2 and head[1] == 0xFF:  # fill bytes
            head = head[1:] + file.read(1)
        if len(head) < 2 or head[0] != 0xFF or head[1] in (_START_OF_SCAN, _END):
            return
        length = int.from_bytes(file.read(2), "big")
        if length < 2:
            return
        payload = file.read(length - 2)
        total += len(payload) + _COST
        yield head[1], payload


def _text(payload: bytes) -> str | None:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.decode("latin-1")
    return text.rstrip("\0") or None


def _density(payload: bytes) -> tuple[float, float] | None:
    if len(payload) < 12:
        return None
    unit, across, down = struct.unpack_from(">BHH", payload, 7)
    scale = {1: 1.0, 2: 2.54}.get(unit, 0.0)
    return (across * scale, down * scale) if scale and across and down else None


def _whole_xmp(main: bytes | None, more: list[bytes]) -> bytes | None:
    """The extended packet where the main one names it and all its parts are there, else the main one.

    The extension carries what did not fit; the two are joined by keeping both RDF descriptions.
    """
    if main is None or not more:
        return main
    name = more[0][:32]
    if name not in main:
        return main
    parts = sorted((int.from_bytes(part[36:40], "big"), part[40:]) for part in more if part[:32] == name)
    whole = b"".join(part for _, part in parts)
    (size,) = struct.unpack_from(">I", more[0], 32) if len(more[0]) >= 40 else (-1,)
    if len(whole) != size:
        return main
    return xmp.joined(main, whole)


# --- writing -------------------------------------------------------------------------------------


def segment(marker: int, payload: bytes) -> bytes:
    """A segment of at most MOST bytes."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def metadata_segments(metadata: Metadata) -> bytes:
    """What stands between the start of a JPEG file and its tables: JFIF, EXIF, XMP, IPTC, ICC, comment.

    An EXIF block that no segment can hold (over 64 kB) is left out.
    """
    parts = [_jfif(metadata.dpi)]
    if metadata.exif and len(EXIF + metadata.exif) <= MOST:
        parts.append(segment(0xE1, EXIF + metadata.exif))
    if metadata.xmp:
        parts += _xmp_segments(metadata.xmp)
    if metadata.iptc:
        resources = to_photoshop(metadata.iptc)
        parts += [segment(0xED, PHOTOSHOP + piece) for piece in _pieces(resources, len(PHOTOSHOP))]
    if metadata.icc:
        pieces = _pieces(metadata.icc, len(PROFILE) + 2)
        for number, piece in enumerate(pieces, 1):
            parts.append(segment(0xE2, PROFILE + bytes((number, len(pieces))) + piece))
    if metadata.comment:
        parts.append(segment(_COMMENT, metadata.comment.encode()[:MOST]))
    return b"".join(parts)


def _pieces(data: bytes, prefix: int) -> list[bytes]:
    size = MOST - prefix
    return [data[at : at + size] for at in range(0, len(data), size)]


def _jfif(dpi: tuple[float, float] | None) -> bytes:
    """JFIF 1.02 holds whole dots an inch or a centimeter: whichever is nearer."""
    best: tuple[float, int, int, int] = (1e9, 0, 1, 1)
    for unit, scale in ((1, 1.0), (2, 2.54)) if dpi else ():
        across, down = (round(value / scale) for value in dpi or ())
        if across in range(1, 65536) and down in range(1, 65536):
            error = sum(abs(a * scale - b) for a, b in zip((across, down), dpi or (), strict=True))
            best = min(best, (error, unit, across, down))
    return segment(0xE0, b"JFIF\0\1\2" + struct.pack(">BHHBB", *best[1:], 0, 0))


def _xmp_segments(packet: bytes) -> list[bytes]:
    if len(XMP + packet) <= MOST:
        return [segment(0xE1, XMP + packet)]
    main, name, rest = xmp.split(packet)
    head = _MORE_XMP + name + struct.pack(">I", len(rest))
    parts = [segment(0xE1, XMP + main)]
    size = MOST - len(head) - 4
    for at in range(0, len(rest), size):
        parts.append(segment(0xE1, head + struct.pack(">I", at) + rest[at : at + size]))
    return parts
