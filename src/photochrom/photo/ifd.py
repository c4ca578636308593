"""TIFF directories (IFDs), as TIFF files and EXIF blocks are made of: parsed with care, and laid out.

TIFF 6.0 section 2, CIPA DC-008 section 4.6.2. Values are kept as little-endian bytes whatever the
file's byte order, so a field can be copied from any file to any other without being understood.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

# type number → (bytes a value, bytes of the numbers that it is made of)
_TYPES = {
    1: (1, 1), 2: (1, 1), 3: (2, 2), 4: (4, 4), 5: (8, 4), 6: (1, 1), 7: (1, 1), 8: (2, 2), 9: (4, 4),
    10: (8, 4), 11: (4, 4), 12: (8, 8), 13: (4, 4), 16: (8, 8), 17: (8, 8), 18: (8, 8), 129: (1, 1),
}  # fmt: skip
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16
INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
_POINTERS = (EXIF_IFD, GPS_IFD, INTEROP_IFD)
_SUB_IFDS = 330
_MOST_FIELDS = 4096
_MOST_BELOW = 16
_MOST_PAGES = 4096
_MOST_BYTES = 64 << 20  # of all fields of a page together: more is not metadata
_MOST_OF_ALL = 8 * _MOST_BYTES  # of all pages, which may point at the same fields
_LEAST = 64  # bytes that a read counts at least, so that millions of small ones end too


@dataclass(frozen=True)
class Field:
    """A value of a directory: its type number and its bytes, little-endian.

    `again` are the values of further fields with the same tag, which some programs write.
    """

    kind: int
    raw: bytes
    again: tuple[Field, ...] = ()

    @property
    def count(self) -> int:
        return len(self.raw) // _TYPES[self.kind][0]

    def integers(self) -> tuple[int, ...]:
        """The values of an integer field; () for other types."""
        code = INTEGERS.get(self.kind)
        return struct.unpack(f"<{self.count}{code}", self.raw) if code else ()

    def rationals(self) -> tuple[float, ...]:
        """The values of a RATIONAL field; () for other types, and where a denominator is zero."""
        if self.kind != RATIONAL:
            return ()
        numbers = struct.unpack(f"<{2 * self.count}I", self.raw)
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        return tuple(above / below for above, below in pairs) if all(below for _, below in pairs) else ()


Directory = dict[int, "Field | Directory"]


def integers(directory: Directory, tag: int) -> tuple[int, ...]:
    """The values of an integer field; () where it is missing or of another type."""
    value = directory.get(tag)
    return value.integers() if isinstance(value, Field) else ()


def rationals(directory: Directory, tag: int) -> tuple[float, ...]:
    """The values of a RATIONAL field; () where it is missing or of another type."""
    value = directory.get(tag)
    return value.rationals() if isinstance(value, Field) else ()


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
class _Reader:
    """A TIFF structure in a file, with its byte order and width."""

    file: BinaryIO
    order: str = "<"
    big: bool = False
    budget: list[int] = field(default_factory=lambda: [_MOST_BYTES])

    @property
    def word(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def word_size(self) -> int:
        return 8 if self.big else 4

    def take(self, offset: int, size: int) -> bytes:
        """Exactly `size` bytes. Raises ValueError where the file ends before."""
        data = b""
        if offset + size < 1 << 62 and size <= self.budget[0]:
            self.file.seek(offset)
            data = self.file.read(size)
            self.budget[0] -= max(size, _LEAST)
        if len(data) < size:
            raise ValueError("cut short")
        return data

    def number(self, offset: int, code: str) -> int:
        code = self.order + code
        return int(struct.unpack(code, self.take(offset, struct.calcsize(code)))[0])


def parse(data: bytes) -> Directory:
    """The first directory of an EXIF block, with its EXIF, GPS and interoperability ones.

    Fields that are damaged are left out. Raises ValueError where there is no directory to speak of.
    """
    return parse_file(io.BytesIO(data))


def _reader_of(file: BinaryIO) -> _Reader:
    magic = _Reader(file).take(0, 4)
    order = {b"II": "<", b"MM": ">"}.get(magic[:2])
    if order is None or magic[2:] not in (b"*\0", b"\0*", b"+\0", b"\0+"):
        raise ValueError("no TIFF header")
    return _Reader(file, order, b"+" in magic[2:])


def directories(file: BinaryIO) -> Iterator[Directory]:
    """The directories of a TIFF file's pages, in order; they end where one is damaged or comes again.

    Raises ValueError where the first cannot be read.
    """
    start = _reader_of(file)
    offset, seen, left = _first(start), set[int](), _MOST_OF_ALL
    while offset and offset not in seen and len(seen) < _MOST_PAGES:
        most = min(_MOST_BYTES, left)
        reader = replace(start, budget=[most])  # each page has its own
        try:
            found, after = _directory(reader, offset, 0, strict=False), _next(reader, offset)
        except ValueError:
            if not seen:
                raise
            return
        yield found
        left -= most - reader.budget[0]
        seen.add(offset)
        offset = after


def sub_directories(file: BinaryIO, directory: Directory) -> list[Directory]:
    """The directories that one points at with SubIFDs (TIFF technical note 1), {} for a damaged one."""
    offsets, found = integers(directory, _SUB_IFDS)[:_MOST_BELOW], list[Directory]()
    if not offsets:
        return []
    reader = _reader_of(file)
    for offset in offsets:
        try:
            found.append(_directory(reader, offset, 1, strict=False))
        except ValueError:
            found.append({})
    return found


def parse_file(file: BinaryIO, page: int = 0, *, strict: bool = False) -> Directory:
    """As `parse`, of a TIFF or BigTIFF file and one of its pages; strict: a damaged field is an error."""
    reader = _reader_of(file)
    offset = _first(reader)
    for _ in range(page):
        offset = _next(reader, offset)
        if offset == 0:
            raise ValueError("no such page")
    return _directory(reader, offset, 0, strict)


def _first(reader: _Reader) -> int:
    return reader.number(8 if reader.big else 4, reader.word[1])


def _count(reader: _Reader, offset: int) -> tuple[int, int, int]:
    """(number of fields, where they start, bytes each)."""
    count = reader.number(offset, "Q" if reader.big else "H")
    return count, offset + (8 if reader.big else 2), 20 if reader.big else 12


def _next(reader: _Reader, offset: int) -> int:
    count, start, size = _count(reader, offset)
    return reader.number(start + count * size, reader.word[1])


def _directory(reader: _Reader, offset: int, depth: int, strict: bool) -> Directory:
    count, start, size = _count(reader, offset)
    found: Directory = {}
    for at in range(start, start + size * min(count, _MOST_FIELDS), size):
        try:
            tag, kind = reader.number(at, "H"), reader.number(at + 2, "H")
            if tag in _POINTERS and depth < 2:
                inner = reader.number(at + (12 if reader.big else 8), reader.word[1])
                found[tag] = _directory(reader, inner, depth + 1, strict)
            elif kind in _TYPES:
                value, before = _field(reader, at, kind), found.get(tag)
                if isinstance(before, Field):  # the first counts
                    value = replace(before, again=(*before.again, value))
                found[tag] = value
        except ValueError:
            if strict:
                raise  # else the other fields may be whole
    return found


def _field(reader: _Reader, at: int, kind: int) -> Field:
    size, unit = _TYPES[kind]
    length = reader.number(at + 4, reader.word[1]) * size
    start = at + 4 + reader.word_size
    if length > reader.word_size:
        start = reader.number(start, reader.word[1])
    raw = reader.take(start, length)
    return Field(kind, raw if reader.order == "<" else _swapped(raw, unit))


def _swapped(raw: bytes, unit: int) -> bytes:
    """The numbers of a big-endian field, each turned round."""
    turned = bytearray(len(raw))
    for byte in range(unit):
        turned[byte::unit] = raw[unit - 1 - byte :: unit]
    return bytes(turned)


def dump(directory: Mapping[int, Field | Directory]) -> bytes:
    """A little-endian block (header and directories), as EXIF wants it."""
    return b"II*\0\x08\0\0\0" + lay_out(directory, 8)


def lay_out(directory: Mapping[int, Field | Directory], offset: int, big: bool = False) -> bytes:
    """The bytes of a directory that will stand at `offset` of its file, with all that it points at."""
    word, word_size, size = ("<Q", 8, 20) if big else ("<I", 4, 12)
    heap_at = offset + (8 if big else 2) + size * len(directory) + word_size
    head = bytearray(struct.pack("<Q" if big else "<H", len(directory)))
    heap = bytearray()
    for tag, value in sorted(directory.items()):
        if isinstance(value, dict):
            where = heap_at + len(heap)
            kind, count, inline = LONG8 if big else LONG, 1, struct.pack(word, where)
            heap += lay_out(value, where, big)
        else:
            kind, count, inline = value.kind, value.count, value.raw
            if len(inline) > word_size:
                inline = struct.pack(word, heap_at + len(heap))
                heap += value.raw
        heap += b"\0" * (len(heap) % 2)
        head += struct.pack("<HH", tag, kind) + struct.pack(word, count)
        head += inline.ljust(word_size, b"\0")
    return bytes(head + bytes(word_size) + heap)
