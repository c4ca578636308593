"""PNG: metadata in chunks (PNG 3rd edition, section 11.3), and writing.

Strips are filtered and deflated on several threads. Each is deflated apart and ends at a byte boundary (a
full flush), so the parts may simply follow each other; the checksum of the whole is kept along (RFC 1950,
PNG sections 5 and 9).
"""

from __future__ import annotations

import struct
import sys
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from photochrom.color import srgb_to_linear
from photochrom.photo import tones
from photochrom.photo.decoding import VipsFile
from photochrom.photo.encoding import interleaved, packer_of_differences
from photochrom.photo.iptc import from_photoshop, records, to_photoshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from photochrom.color import Pixels
    from photochrom.photo.atomic import Sink
    from photochrom.photo.encoding import Options
    from photochrom.photo.metadata import Metadata
    from photochrom.photo.photo import Photo

_XMP_KEYWORD = "XML:com.adobe.xmp"
_RAW = "Raw profile type "
_MOST_BYTES = 16 << 20
_MOST_TEXTS = 256
_MOST_CHUNKS = 1_000_000  # a gigabyte of pixels in the usual pieces of 8 kB has 131,072
_TONES = (b"cICP", b"sRGB", b"gAMA", b"cHRM")
_READ = (b"eXIf", b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"iCCP", *_TONES)
_NEAR = 0.05  # of gamma 2.2, as which sRGB is stated: libpng does not convert what is nearer
_CICP_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}  # transfer characteristics of ITU-T H.273 that are not like sRGB
_CICP_PRIMARIES = {
    1: (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}  # white, red, green, blue
_SUB, _UP = 1, 2
_TYPES = {(1, False): 0, (3, False): 2, (1, True): 4, (3, True): 6}


# --- reading ---------------------------------------------------------------------------------------


@dataclass
class PngFile(VipsFile):
    """A PNG file."""

    @cached_property
    def _chunks(self) -> Chunks:
        with self.origin.open() as file:
            return read_chunks(file)

    def collected(self, image: Any) -> tuple[dict[str, Any], int, tuple[str, ...]]:
        found = vars(self._chunks) | {"texts": tuple(self._chunks.texts)}
        odd = found.pop("tones").warnings
        if found.pop("has_profile") and not image.get_typeof("icc-profile-data"):
            odd += ("its color profile is damaged or cut short and was ignored",)
        return found, 1, odd

    def interpreted(self, image: Any) -> tuple[Any, Any]:
        stated = self._chunks.tones
        if image.get_typeof("icc-profile-data") or stated.is_srgb or image.format not in ("uchar", "ushort"):
            return image, None
        alpha = image.hasalpha()
        bands = image.bands - alpha
        colors = tones.to_srgb(image[:bands], [stated.curve], stated.matrix)
        return colors.bandjoin(image[bands]) if alpha else colors, None


@dataclass
class Tones:
    """What a PNG says of its tones (section 11.3.2): cICP before sRGB before gAMA and cHRM."""

    cicp: tuple[int, ...] = ()
    srgb: bool = False
    gamma: float = 0.0  # 1 / the exponent of decoding
    chromaticities: tuple[float, ...] = ()

    @property
    def curve(self) -> NDArray[np.float64]:
        if self.cicp:
            exponent = _CICP_GAMMAS.get(self.cicp[1])
        else:
            near = not self.gamma or abs(self.gamma / 0.45455 - 1) < _NEAR
            exponent = None if near else 1 / self.gamma
        return tones.gamma(exponent) if exponent else srgb_to_linear(np.linspace(0, 1, 65536))

    @property
    def matrix(self) -> NDArray[np.float64] | None:
        found = _CICP_PRIMARIES.get(self.cicp[0], ()) if self.cicp else self.chromaticities
        try:
            return tones.primaries_matrix(found[:2], found[2:])
        except ValueError:
            return None

    @property
    def is_srgb(self) -> bool:
        if self.srgb and not self.cicp:
            return True
        return self.matrix is None and tones.is_srgb(self.curve)

    @property
    def warnings(self) -> tuple[str, ...]:
        if self.cicp and self.cicp[1] in (16, 18):
            return ("its tones are HDR (PQ or HLG), which are read as sRGB: export it as SDR first",)
        return ()


@dataclass
class Chunks:
    """What a PNG file says about its picture."""

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    texts: list[tuple[str, str]] = field(default_factory=list)
    tones: Tones = field(default_factory=Tones)
    has_profile: bool = False


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
        elif name == b"iCCP":
            found.has_profile = True
        elif name in _TONES:
            _take_tones(found.tones, name, payload)
    return found


def _take_tones(found: Tones, name: bytes, payload: bytes) -> None:
    found.srgb = found.srgb or name == b"sRGB"
    if name == b"cICP" and len(payload) == 4:
        found.cicp = tuple(payload)
    elif name == b"gAMA" and len(payload) == 4:
        found.gamma = int.from_bytes(payload, "big") / 100_000
    elif name == b"cHRM" and len(payload) == 32:
        found.chromaticities = tuple(value / 100_000 for value in struct.unpack(">8I", payload))


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
        if name in _READ and length <= _MOST_BYTES:
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
    if keyword == _XMP_KEYWORD:
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


# --- writing ---------------------------------------------------------------------------------------


def write_png(photo: Photo, sink: Sink, options: Options) -> None:
    """Encodes a photo as PNG with 8 or 16 bits, alpha kept."""
    color = _TYPES[photo.channels, photo.has_alpha]
    sink.write(b"\x89PNG\r\n\x1a\n")
    sink.write(
        chunk(b"IHDR", struct.pack(">IIBBBBB", photo.width, photo.height, options.depth, color, 0, 0, 0))
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
    """(h, 1 + bytes a row): each row as difference to its left or upper neighbor, whichever is smaller."""
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
        parts.append(chunk(b"iTXt", _XMP_KEYWORD.encode() + b"\0\0\0\0\0" + metadata.xmp))
    if metadata.iptc:
        parts.append(_raw_profile(metadata.iptc))
    parts += [_text_chunk(keyword, text) for keyword, text in metadata.texts]
    if metadata.comment:
        parts.append(_text_chunk("Comment", metadata.comment))
    return b"".join(parts)


def _text_chunk(keyword: str, text: str) -> bytes:
    return chunk(b"iTXt", keyword.encode("latin-1", "replace")[:79] + b"\0\0\0\0\0" + text.encode())


def _raw_profile(iptc: bytes) -> bytes:
    """IPTC as ImageMagick stores it in PNG (a text chunk of hexadecimal), which exiftool reads too."""
    resource = to_photoshop(iptc)
    digits = resource.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = f"\niptc\n{len(resource):8d}\n{lines}\n"
    return chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(text.encode()))


def written_size(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """(width, height) of a file that was just written; None where its end is missing."""
    file.seek(16)
    width, height = struct.unpack(">II", file.read(8))
    file.seek(size - 12)
    return (width, height) if file.read(12) == b"\0\0\0\0IEND\xaeB`\x82" else None
