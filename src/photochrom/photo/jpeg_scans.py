"""The scans of a JPEG file: luminance taken out, chroma put beside it, not one coefficient coded again.

A JPEG may hold each component in scans of its own (ITU-T T.81, A.2.2). A scan of one component has its blocks
row by row, ⌈width/8⌉ a row, whatever the frame's sampling factors; so the entropy-coded data of a grey JPEG
are, unchanged, the luminance scans of a color JPEG, and small grey JPEGs are its chroma scans.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from photochrom.errors import DamagedPhoto
from photochrom.photo.segments import FRAMES, segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2  # frames of Huffman-coded DCT: the only ones spliced
_DHT, _EOI, _SOS, _DQT, _DRI = 0xC4, 0xD9, 0xDA, 0xDB, 0xDD
_MOST_SEGMENTS = 10_000  # beyond any photo's; millions of empty ones would take minutes
_STANDALONE = (0x01, *range(0xD0, 0xD8))  # markers without a length
_RESTARTS, _NO_RESTARTS = bytes((0xFF, _DRI)), segment(_DRI, b"\0\0")


@dataclass(frozen=True)
class Component:
    """A component of a frame: its name in scan headers, sampling factors, and quantization table.

    `table` is as in a DQT segment: 64 numbers in zigzag order, of one byte or, where there are 128 bytes,
    of two. It is the one in force at the component's first scan, and empty where the file has none.
    """

    name: int
    across: int
    down: int
    table: bytes = b""


@dataclass(frozen=True)
class Scan:
    """A scan: the DHT and DRI segments since the one before, what its header says, the coded data."""

    tables: bytes
    components: tuple[tuple[int, int], ...]  # (name, numbers of its DC and AC tables in a byte)
    band: bytes  # Ss, Se, Ah and Al: which coefficients, and which of their bits
    data: memoryview


@dataclass(frozen=True)
class Jpeg:
    """What a JPEG file is made of: `size_at` is where it states height and width, `length` where it ends."""

    frame: int  # the SOF marker's second byte
    precision: int
    height: int
    width: int
    components: tuple[Component, ...]
    scans: tuple[Scan, ...]
    jfif: bool
    adobe: int | None  # the transform of an Adobe APP14 segment
    size_at: int
    length: int

    @property
    def luminance(self) -> Component:
        return self.components[0]

    @property
    def has_kept_luminance(self) -> bool:
        """Whether another file can have its luminance: grey or Y'CbCr, 8 bits, Huffman-coded DCT."""
        coded = self.frame in (BASELINE, EXTENDED, PROGRESSIVE) and self.precision == 8
        return coded and self.has_luminance and bool(self.luminance.table)

    @property
    def has_luminance(self) -> bool:
        """Whether its first component is luminance at full resolution, the others, if any, Cb and Cr.

        Components are told as libjpeg does: by JFIF's segment, Adobe's, or their names.
        """
        full = all(
            part.across <= self.luminance.across and part.down <= self.luminance.down
            for part in self.components
        )
        if len(self.components) != 3 or not full:
            return len(self.components) == 1
        rgb = bytes(part.name for part in self.components) == b"RGB"
        return self.jfif or (not rgb if self.adobe is None else self.adobe == 1)

    @cached_property
    def luminance_scans(self) -> tuple[Scan, ...] | None:
        """The scans of the first component, or None where one of them holds others too.

        Each with all tables since the one before: those sent for chroma may be used again.
        """
        found, tables = [], b""
        for scan in self.scans:
            tables += scan.tables
            if any(name == self.luminance.name for name, _ in scan.components):
                found.append(replace(scan, tables=tables))
                tables = b""
        return tuple(found) if all(len(scan.components) == 1 for scan in found) else None


def parse(data: bytes) -> Jpeg:
    """The structure of a JPEG file; what stands behind its first picture is not looked at.

    Raises DamagedPhoto where it breaks off or makes no sense.
    """
    try:
        return _Parser(data).jpeg()
    except (IndexError, struct.error, KeyError, ValueError) as error:
        raise DamagedPhoto("the JPEG's structure is broken: get a whole copy") from error


class _Parser:
    def __init__(self, data: bytes):
        self._data, self._markers = data, _markers(data)
        self._frames: list[tuple[int, bytes, int]] = []
        self._quantization: dict[int, bytes] = {}
        self._latched: dict[int, bytes] = {}
        self._scans: list[Scan] = []
        self._pending = bytearray()
        self._jfif, self._adobe = False, cast("int | None", None)

    def jpeg(self) -> Jpeg:
        at = 2
        for _ in range(_MOST_SEGMENTS):
            _, at = self._next_marker(at)
            marker = self._data[at - 1]
            if marker == _EOI:
                return self._finished(at)
            if marker in _STANDALONE:
                continue
            (length,) = struct.unpack_from(">H", self._data, at)
            payload = self._data[at + 2 : at + length]
            at = self._take(marker, payload, at + length)
        raise ValueError("no end")

    def _take(self, marker: int, payload: bytes, at: int) -> int:
        if marker == _SOS:
            return self._scan(payload, at)
        if marker in FRAMES:
            self._frames.append((marker, payload, at - len(payload) + 1))
        elif marker == _DQT:
            self._quantization |= dict(_quantization_tables(payload))
        elif marker in (_DHT, _DRI):
            self._pending += segment(marker, payload)
        elif marker == 0xE0 and payload.startswith(b"JFIF\0"):
            self._jfif = True
        elif marker == 0xEE and payload.startswith(b"Adobe") and len(payload) >= 12:
            self._adobe = payload[11]
        return at

    def _scan(self, payload: bytes, at: int) -> int:
        count = payload[0]
        parts = tuple((payload[1 + 2 * n], payload[2 + 2 * n]) for n in range(count))
        tables = {part[0]: part[2] for part in _parts(self._frames[0][1])}
        for name, _ in parts:
            self._latched.setdefault(name, self._quantization.get(tables[name], b""))
        end, _ = self._next_marker(at)
        data = memoryview(self._data)[at:end]
        self._scans.append(Scan(bytes(self._pending), parts, payload[1 + 2 * count :][:3], data))
        self._pending.clear()
        return end

    def _next_marker(self, at: int) -> tuple[int, int]:
        """From where to where the next marker reaches, fill bytes before it included. Raises ValueError."""
        number = np.searchsorted(self._markers, at)
        if number == len(self._markers):
            raise ValueError("no end")
        start = end = int(self._markers[number])
        while start > at and self._data[start - 1] == 0xFF:
            start -= 1
        return start, end + 2

    def _finished(self, length: int) -> Jpeg:
        (marker, payload, at), *more = self._frames
        precision, height, width = struct.unpack_from(">BHH", payload)
        components = tuple(
            Component(name, factors >> 4, factors & 15, self._latched.get(name, b""))
            for name, factors, _ in _parts(payload)
        )
        frame = 0 if more else marker  # hierarchical: several frames
        known = (frame, precision, height, width, components, tuple(self._scans))
        return Jpeg(*known, self._jfif, self._adobe, at, length)


def _markers(data: bytes) -> NDArray[np.int64]:
    """Where markers stand if all bytes were entropy-coded: stuffed bytes and restarts belong to these."""
    codes = np.frombuffer(data, np.uint8)
    found = np.flatnonzero(codes[:-1] == 0xFF)
    second = codes[found + 1]
    kept: NDArray[np.int64] = found[((second < 0xD0) | (second > 0xD7)) & (second != 0xFF) & (second != 0)]
    return kept


def _parts(frame: bytes) -> Iterator[tuple[int, int, int]]:
    """(name, sampling factors in a byte, number of the quantization table) of a frame's components."""
    return struct.iter_unpack("BBB", frame[6 : 6 + 3 * frame[5]])


def _quantization_tables(payload: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(payload):
        size = 128 if payload[at] >> 4 else 64
        yield payload[at] & 15, payload[at + 1 : at + 1 + size]
        at += 1 + size


def spliced(
    luminance: Jpeg, cb: Jpeg, cr: Jpeg, sampling: tuple[int, int], metadata: bytes
) -> Iterator[bytes | memoryview]:
    """A color JPEG, in pieces: the luminance of one file and two grey files' as Cb and Cr.

    `sampling` is how many luminance samples across and down share one of chroma: Cb and Cr measure
    ⌈width/across⌉ × ⌈height/down⌉ and are progressive where the luminance is. `metadata` are the segments
    that follow the start, JFIF's first.
    """
    across, down = sampling
    second = 1 if cb.luminance.table == cr.luminance.table else 2
    yield b"\xff\xd8" + metadata
    for number, part in {0: luminance, 1: cb, second: cr}.items():
        yield _quantization(number, part.luminance.table)
    yield _frame(luminance, (1, across << 4 | down, 0), (2, 0x11, 1), (3, 0x11, second))
    yield from _renamed(luminance, 1)
    if any(_RESTARTS in scan.tables for scan in luminance.scans):
        yield _NO_RESTARTS
    yield from _renamed(cb, 2)
    yield from _renamed(cr, 3)
    yield b"\xff\xd9"


def grey(luminance: Jpeg, metadata: bytes) -> Iterator[bytes | memoryview]:
    """A grey JPEG, in pieces, of the luminance scans of a file that has them apart from chroma's."""
    yield b"\xff\xd8" + metadata + _quantization(0, luminance.luminance.table)
    yield _frame(luminance, (1, 0x11, 0))
    yield from _renamed(luminance, 1)
    yield b"\xff\xd9"


def bare(jpeg: Jpeg) -> Iterator[bytes | memoryview]:
    """The picture alone, in pieces: without metadata and whatever follows its end."""
    yield b"\xff\xd8"
    for number, part in enumerate(jpeg.components):
        yield _quantization(number, part.table)
    parts = ((part.name, part.across << 4 | part.down, n) for n, part in enumerate(jpeg.components))
    yield _frame(jpeg, *parts)
    for scan in jpeg.scans:
        names = b"".join(map(bytes, scan.components))
        yield scan.tables + segment(_SOS, bytes((len(scan.components),)) + names + scan.band)
        yield scan.data
    yield b"\xff\xd9"


def _quantization(number: int, table: bytes) -> bytes:
    return segment(_DQT, bytes((number | (len(table) == 128) << 4,)) + table)


def _frame(luminance: Jpeg, *parts: tuple[int, int, int]) -> bytes:
    head = struct.pack(">BHHB", 8, luminance.height, luminance.width, len(parts))
    return segment(luminance.frame, head + b"".join(bytes(part) for part in parts))


def _renamed(part: Jpeg, name: int) -> Iterator[bytes | memoryview]:
    """The first component's scans under another name."""
    for scan in part.luminance_scans or ():
        ((_, tables),) = scan.components
        yield scan.tables + segment(_SOS, bytes((1, name, tables)) + scan.band)
        yield scan.data
