"""PNG: strips filtered and deflated on several threads, joined into one stream, metadata in chunks.

Each strip is deflated apart and ends at a byte boundary (a full flush), so the parts may simply follow
each other; the checksum of the whole is kept along (RFC 1950, PNG 3rd edition sections 5 and 9).
"""

from __future__ import annotations

import struct
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.photo.chunks import XMP_KEYWORD
from photochrom.photo.encoding import interleaved, packer_of_differences
from photochrom.photo.iptc import to_photoshop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Pixels
    from photochrom.photo.encoding import Options
    from photochrom.photo.metadata import Metadata
    from photochrom.photo.photo import Photo
    from photochrom.photo.safe import Sink

_SUB, _UP = 1, 2
_TYPES = {(1, False): 0, (3, False): 2, (1, True): 4, (3, True): 6}


def write_png(photo: Photo, sink: Sink, options: Options) -> None:
    """Encodes a photo as PNG with 8 or 16 bits, alpha kept."""
    colour = _TYPES[photo.channels, photo.has_alpha]
    sink.write(b"\x89PNG\r\n\x1a\n")
    sink.write(
        chunk(b"IHDR", struct.pack(">IIBBBBB", photo.width, photo.height, options.depth, colour, 0, 0, 0))
    )
    sink.write(_metadata(photo.metadata))
    parts = photo.map_strips(lambda top, strip: _deflate(photo, top, strip, options), threads=options.threads)
    adler = 1
    for top, (packed, checksum, length) in parts:
        adler = adler_combine(adler, checksum, length)
        sink.write(chunk(b"IDAT", (b"\x78\x9c" if top == 0 else b"") + packed))
    sink.write(chunk(b"IDAT", b"\x03\0" + struct.pack(">I", adler)))
    sink.write(chunk(b"IEND", b""))


def chunk(name: bytes, payload: bytes) -> bytes:
    """A PNG chunk with its length and CRC."""
    return (
        struct.pack(">I", len(payload))
        + name
        + payload
        + struct.pack(">I", zlib.crc32(payload, zlib.crc32(name)))
    )


def _deflate(photo: Photo, top: int, strip: Pixels, options: Options) -> tuple[bytes, int, int]:
    """(raw deflate data ending in a full flush, adler32 of what it holds, its length)."""
    bands = interleaved(photo, top, strip, options.depth)
    stored = bands.byteswap() if options.depth == 16 and sys.byteorder == "little" else bands
    filtered = _filter(stored).tobytes()
    packer = packer_of_differences(-15)
    packed = packer.compress(filtered) + packer.flush(zlib.Z_FULL_FLUSH)
    return packed, zlib.adler32(filtered), len(filtered)


def _filter(bands: NDArray[Any]) -> NDArray[np.uint8]:
    """(h, 1 + bytes a row): each row as difference to its left or upper neighbour, whichever is smaller."""
    height = bands.shape[0]
    rows = np.ascontiguousarray(bands).view(np.uint8).reshape(height, -1)
    step = bands.shape[2] * bands.dtype.itemsize
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    sub, out = rows.copy(), filtered[:, 1:]
    sub[:, step:] -= rows[:, :-step]
    up = rows.copy()
    up[1:] -= rows[:-1]
    choose_up = _cost(up) < _cost(sub)
    choose_up[0] = False  # the row above belongs to another strip
    filtered[:, 0] = np.where(choose_up, _UP, _SUB)
    out[:] = sub
    out[choose_up] = up[choose_up]
    return filtered


def _cost(difference: NDArray[np.uint8]) -> Any:
    """Sum of absolute differences a row, the heuristic of the PNG specification, section 12.7."""
    return np.abs(difference.view(np.int8)[:, ::3].astype(np.int16)).sum(axis=1, dtype=np.int64)


def adler_combine(first: int, second: int, length: int) -> int:
    """adler32 of two byte strings put together, of their checksums and the second's length (as zlib's)."""
    base = 65521
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + length * ((first & 0xFFFF) - 1)
    return (low % base) | (high % base) << 16


def _metadata(metadata: Metadata) -> bytes:
    parts = []
    if metadata.icc:
        parts.append(chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.dpi:
        across, down = (max(1, min(round(dpi / 0.0254), 0x7FFFFFFF)) for dpi in metadata.dpi)
        parts.append(chunk(b"pHYs", struct.pack(">IIB", across, down, 1)))
    if metadata.exif:
        parts.append(chunk(b"eXIf", metadata.exif))
    if metadata.xmp:
        parts.append(chunk(b"iTXt", XMP_KEYWORD.encode() + b"\0\0\0\0\0" + metadata.xmp))
    if metadata.iptc:
        parts.append(_raw_profile(metadata.iptc))
    parts += [_text(keyword, text) for keyword, text in metadata.texts]
    if metadata.comment:
        parts.append(_text("Comment", metadata.comment))
    return b"".join(parts)


def _text(keyword: str, text: str) -> bytes:
    return chunk(b"iTXt", keyword.encode("latin-1", "replace")[:79] + b"\0\0\0\0\0" + text.encode())


def _raw_profile(iptc: bytes) -> bytes:
    """IPTC as ImageMagick stores it in PNG (a text chunk of hexadecimal), which exiftool reads too."""
    resource = to_photoshop(iptc)
    digits = resource.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = f"\niptc\n{len(resource):8d}\n{lines}\n"
    return chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(text.encode()))
