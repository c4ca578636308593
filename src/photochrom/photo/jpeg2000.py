"""JPEG 2000: decoding, and what a file holds beside pixels.

ISO/IEC 15444-1 annexes A and I; ISO 16684-1 for XMP.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np

from photochrom.errors import DamagedPhoto
from photochrom.photo.iptc import records
from photochrom.photo.pillow import read_with_pillow
from photochrom.photo.sources import source_of_bands, source_of_pillow
from photochrom.photo.vips import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photochrom.photo.formats import Format, Limits
    from photochrom.photo.origin import Origin
    from photochrom.photo.photo import Photo
    from photochrom.photo.sources import ArraySource

_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"
_IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_CONTAINERS = (b"jp2h", b"res ")
_CODESTREAM = b"\xff\x4f\xff\x51"  # the markers SOC and SIZ
_MOST_BYTES = 16 << 20
_MOST_BOXES = 1000


def read_jpeg2000(origin: Origin, fmt: Format, limits: Limits) -> Photo:
    """A JPEG 2000 picture: with 8 bits by Pillow, with more, which Pillow would cut to 8, by OpenCV."""

    def decode(image: Any) -> tuple[ArraySource, int]:
        if not _has_tile(origin.data):  # of which decoders make grey, in silence
            raise DamagedPhoto(damaged("jpeg2000: none of its tiles is there"))
        depth = bits_a_sample(origin.data)
        source, bits = (_deep(origin.data, depth), depth) if depth > 8 else source_of_pillow(image)
        return (replace(source, transparency=None) if boxes.last_is_no_alpha else source), bits

    def container(file: BinaryIO) -> dict[str, Any]:
        return {key: value for key, value in vars(boxes).items() if key != "channels"}

    with origin.open() as file:
        boxes = read_boxes(file)
    photo = read_with_pillow(origin, fmt, limits, "JPEG2000", decode, container)
    if not boxes.last_is_no_alpha:
        return photo
    odd = "it has a further channel that is not transparency, which is left out"
    return replace(photo, warnings=(*photo.warnings, odd))


def _deep(data: bytes, depth: int) -> ArraySource:
    """The samples of more than 8 bits, spread over 16."""
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None or array.dtype != np.uint16:
        raise DamagedPhoto(damaged(f"jpeg2000: {depth} bits a sample do not decode"))
    bands = array.reshape(*array.shape[:2], -1)
    if depth < 16:
        values = np.minimum(np.arange(65536), (1 << depth) - 1)
        bands = np.take(np.rint(values * (65535 / ((1 << depth) - 1))).astype(np.uint16), bands)
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(bands.shape[2], list(range(bands.shape[2])))
    return source_of_bands(bands[..., order], bands.shape[2] in (2, 4))


# --- metadata --------------------------------------------------------------------------------------


@dataclass
class Boxes:
    """What a JPEG 2000 file says about its picture."""

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    channels: tuple[int, ...] = ()  # their types, by the channel definitions: 0 color, 1 and 2 opacity

    @property
    def last_is_no_alpha(self) -> bool:
        """Whether the last channel is said to be neither color nor opacity (annex I.5.3.6)."""
        return bool(self.channels) and self.channels[-1] not in (0, 1, 2)


def read_boxes(file: BinaryIO) -> Boxes:
    """The metadata of a JPEG 2000 file; a bare codestream has none."""
    found = Boxes()
    file.seek(0, 2)
    size = file.tell()
    for name, payload in _boxes(file, 0, size, _MOST_BOXES):
        if name == b"uuid":
            _take_uuid(found, payload[:16], payload[16:])
        elif name in (b"resc", b"resd") and len(payload) >= 10:
            found.dpi = _resolution(payload) or found.dpi
        elif name == b"cdef":
            triples = [struct.unpack_from(">3H", payload, at) for at in range(2, len(payload) - 5, 6)]
            found.channels = tuple(kind for _, kind, _ in sorted(triples))
        elif name == b"colr" and payload[:1] == b"\2":
            found.icc = payload[3:]
    return found


def _boxes(file: BinaryIO, start: int, end: int, budget: int) -> Iterator[tuple[bytes, bytes]]:
    while start + 8 <= end and budget > 0:
        budget -= 1
        file.seek(start)
        length, name = struct.unpack(">I4s", file.read(8))
        body = start + 8
        if length == 1:
            length, body = int.from_bytes(file.read(8), "big"), start + 16
        stop = end if length == 0 else start + length
        if stop < body or stop > end:
            return
        if name in _CONTAINERS:
            yield from _boxes(file, body, stop, budget)
        elif name in (b"uuid", b"resc", b"resd", b"colr", b"cdef") and stop - body <= _MOST_BYTES:
            yield name, file.read(stop - body)
        start = stop


def _take_uuid(found: Boxes, uuid: bytes, payload: bytes) -> None:
    if uuid == _XMP:
        found.xmp = payload
    elif uuid == _EXIF:
        found.exif = payload.removeprefix(b"Exif\0\0")
    elif uuid == _IPTC:
        found.iptc = records(payload)


def _resolution(payload: bytes) -> tuple[float, float] | None:
    """Samples a meter as fractions with a power of ten, vertical before horizontal."""
    above_down, below_down, above_across, below_across, ten_down, ten_across = struct.unpack_from(
        ">4H2b", payload
    )
    if not below_down or not below_across or not above_down or not above_across:
        return None
    return (
        above_across / below_across * 10.0**ten_across * 0.0254,
        above_down / below_down * 10.0**ten_down * 0.0254,
    )


def bits_a_sample(data: bytes) -> int:
    """The depth of the first component by the SIZ marker (annex A.5.1); 8 where there is none."""
    at = data.find(_CODESTREAM)
    depth = data[at + 42 : at + 43] if at >= 0 else b""
    return (depth[0] & 0x7F) + 1 if depth else 8


def _has_tile(data: bytes) -> bool:
    """Whether the codestream has any of the picture: a tile-part, which begins with SOT (annex A.4.2)."""
    return data.find(b"\xff\x90\0\x0a", max(0, data.find(_CODESTREAM))) >= 0
