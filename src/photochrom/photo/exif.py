"""EXIF blocks: the orientation taken out, the thumbnail dropped, all else left byte for byte."""

from __future__ import annotations

import struct
from dataclasses import dataclass

ORIENTATION = 0x0112
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_PREFIX = b"Exif\0\0"


@dataclass(frozen=True)
class Settled:
    """An EXIF block with orientation 1 and no thumbnail, and the orientation it had (1..8)."""

    block: bytes
    orientation: int = 1


def settle(block: bytes) -> Settled:
    """Takes orientation and thumbnail out of a TIFF-structured block (with or without "Exif" prefix).

    Raises ValueError where the block does not parse.
    """
    data = bytearray(block.removeprefix(_PREFIX))
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[:4]))
    if order is None:
        raise ValueError("no TIFF header")
    try:
        return _settle(data, order)
    except struct.error as error:
        raise ValueError("cut short") from error


def _settle(data: bytearray, order: str) -> Settled:
    (first,) = struct.unpack_from(order + "I", data, 4)
    orientation = 1
    for tag, at in _entries(data, order, first):
        if tag == ORIENTATION:
            (orientation,) = struct.unpack_from(order + "H", data, at + 8)
            struct.pack_into(order + "H", data, at + 8, 1)
    _drop_thumbnail(data, order, first)
    return Settled(bytes(data), orientation if 1 <= orientation <= 8 else 1)


def _entries(data: bytearray, order: str, offset: int) -> list[tuple[int, int]]:
    """(tag, position) of the entries of a directory."""
    (count,) = struct.unpack_from(order + "H", data, offset)
    positions = range(offset + 2, offset + 2 + 12 * count, 12)
    return [(struct.unpack_from(order + "H", data, at)[0], at) for at in positions]


def _drop_thumbnail(data: bytearray, order: str, first: int) -> None:
    """Unlinks the second directory; its picture is cut off, or blanked where data follows it."""
    link = first + 2 + 12 * len(_entries(data, order, first))
    (second,) = struct.unpack_from(order + "I", data, link)
    struct.pack_into(order + "I", data, link, 0)
    if not 8 <= second < len(data):
        return
    try:
        place = {
            tag: struct.unpack_from(order + "I", data, at + 8)[0] for tag, at in _entries(data, order, second)
        }
    except struct.error:
        return
    start, length = place.get(_THUMBNAIL_OFFSET, 0), place.get(_THUMBNAIL_LENGTH, 0)
    if 8 <= start < len(data):
        end = min(start + length, len(data))
        data[start:end] = b"" if end == len(data) else bytes(end - start)
