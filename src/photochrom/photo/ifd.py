"""TIFF directories (IFDs), as TIFF files and EXIF blocks are made of: parsed with care, and laid out.

TIFF 6.0 section 2, CIPA DC-008 section 4.6.2. Values are kept as little-endian bytes whatever the
file's byte order, so a field can be copied from any file to any other without being understood.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# type number → (bytes a value, bytes of the numbers that it is made of)
_TYPES = {
    1: (1, 1), 2: (1, 1), 3: (2, 2), 4: (4, 4), 5: (8, 4), 6: (1, 1), 7: (1, 1), 8: (2, 2), 9: (4, 4),
    10: (8, 4), 11: (4, 4), 12: (8, 8), 13: (4, 4), 16: (8, 8), 17: (8, 8), 18: (8, 8), 129: (1, 1),
}  # fmt: skip
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
_POINTERS = (EXIF_IFD, GPS_IFD, INTEROP_IFD)
_MOST_FIELDS = 4096
_MOST_BYTES = 64 << 20  # a field larger than that is not metadata


@dataclass(frozen=True)
class Field:
    """A value of a directory: its type number and its bytes, little-endian."""

    kind: int
    raw: bytes

    @property
    def count(self) -> int:
        return len(self.raw) // _TYPES[self.kind][0]

    def integers(self) -> tuple[int, ...]:
        """The values of an integer field; () for other types."""
        code = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(self.kind)
        return struct.unpack(f"<{self.count}{code}", self.raw) if code else ()

    def rational(self) -> float | None:
        """The first value of a RATIONAL field, None where it is none or has a zero denominator."""
        if self.kind != RATIONAL or len(self.raw) < 8:
            return None
        above, below = struct.unpack_from("<II", self.raw)
        return above / below if below else None


Directory = dict[int, "Field | Directory"]


def shorts(*values: int) -> Field:
    return Field(SHORT, struct.pack(f"<{len(values)}H", *values))


def longs(values: Iterable[int], big: bool = False) -> Field:
    numbers = list(values)
    return Field(LONG8 if big else LONG, struct.pack(f"<{len(numbers)}{'Q' if big else 'I'}", *numbers))


def rational(value: float) -> Field:
    """A RATIONAL with five decimals at least."""
    below = 1 if value == int(value) else 100_000 if value < 40_000 else 1000
    return Field(RATIONAL, struct.pack("<II", min(round(value * below), 0xFFFFFFFF), below))


@dataclass(frozen=True)
class _Layout:
    """Byte order, and the widths that tell BigTIFF from TIFF."""

    order: str
    big: bool

    @property
    def word(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def word_size(self) -> int:
        return 8 if self.big else 4


def parse(data: bytes | memoryview, *, file: bool = False) -> Directory:
    """The first directory of a TIFF file or EXIF block, with its EXIF, GPS and interoperability ones.

    Fields that are damaged are left out. Raises ValueError where there is no directory to speak of.
    """
    try:
        layout, offset = _header(data)
        return _directory(data, layout, offset, depth=0)
    except struct.error as error:
        msg = "cut short"
        raise ValueError(msg) from error


def _header(data: bytes | memoryview) -> tuple[_Layout, int]:
    magic = bytes(data[:4])
    order = {b"II": "<", b"MM": ">"}.get(magic[:2])
    if order is None or magic[2:] not in (b"*\0", b"\0*", b"+\0", b"\0+"):
        msg = "no TIFF header"
        raise ValueError(msg)
    layout = _Layout(order, b"+" in magic[2:])
    (offset,) = struct.unpack_from(layout.word, data, 8 if layout.big else 4)
    return layout, offset


def _directory(data: bytes | memoryview, layout: _Layout, offset: int, depth: int) -> Directory:
    (count,) = struct.unpack_from(layout.order + ("Q" if layout.big else "H"), data, offset)
    start = offset + (8 if layout.big else 2)
    size = 20 if layout.big else 12
    found: Directory = {}
    for at in range(start, start + size * min(count, _MOST_FIELDS), size):
        tag, kind = struct.unpack_from(layout.order + "HH", data, at)
        if tag in _POINTERS and depth < 2:
            (inner,) = struct.unpack_from(layout.word, data, at + (12 if layout.big else 8))
            try:
                found[tag] = _directory(data, layout, inner, depth + 1)
            except struct.error:
                continue
        elif (field := _field(data, layout, at, kind)) is not None:
            found[tag] = field
    return found


def _field(data: bytes | memoryview, layout: _Layout, at: int, kind: int) -> Field | None:
    if kind not in _TYPES:
        return None
    size, unit = _TYPES[kind]
    (count,) = struct.unpack_from(layout.word, data, at + 4)
    length = count * size
    start = at + 4 + layout.word_size
    if length > layout.word_size:
        (start,) = struct.unpack_from(layout.word, data, start)
    if length > _MOST_BYTES or start + length > len(data):
        return None
    raw = bytes(data[start : start + length])
    return Field(kind, raw if layout.order == "<" else _swapped(raw, unit))


def _swapped(raw: bytes, unit: int) -> bytes:
    if unit == 1:
        return raw
    return b"".join(raw[at : at + unit][::-1] for at in range(0, len(raw), unit))


def dump(directory: Mapping[int, Field | Directory]) -> bytes:
    """A little-endian block (header and directories), as EXIF wants it."""
    return b"II*\0\x08\0\0\0" + lay_out(directory, 8)


def lay_out(directory: Mapping[int, Field | Directory], offset: int, big: bool = False) -> bytes:
    """The bytes of a directory that will stand at `offset` of its file, with all that it points at."""
    layout = _Layout("<", big)
    size = 20 if big else 12
    heap_at = offset + (8 if big else 2) + size * len(directory) + layout.word_size
    head = bytearray(struct.pack("<Q" if big else "<H", len(directory)))
    heap = bytearray()
    for tag, value in sorted(directory.items()):
        if isinstance(value, dict):
            where = heap_at + len(heap)
            kind, count, inline = LONG8 if big else LONG, 1, struct.pack(layout.word, where)
            heap += lay_out(value, where, big)
        else:
            kind, count, inline = value.kind, value.count, value.raw
            if len(inline) > layout.word_size:
                inline = struct.pack(layout.word, heap_at + len(heap))
                heap += value.raw
        heap += b"\0" * (len(heap) % 2)
        head += struct.pack("<HH", tag, kind) + struct.pack(layout.word, count)
        head += inline.ljust(layout.word_size, b"\0")
    return bytes(head + bytes(layout.word_size) + heap)
