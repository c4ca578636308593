"""JPEG: read by libvips; strips encoded on several threads and joined by restart markers.

A restart marker resets the entropy coder, so strips that are whole rows of blocks can be coded apart;
the file decodes to the very pixels of one coded in one go (ITU-T T.81, E.1.4 and B.2.4.4).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import cv2
import numpy as np

from photochrom.errors import DamagedPhoto, UnknownFormat, WriteError
from photochrom.photo import tiff_codecs
from photochrom.photo.decoding import VipsFile
from photochrom.photo.jpeg_original import Original
from photochrom.photo.origin import Origin
from photochrom.photo.segments import FRAMES, metadata_segments, read_segments, segment, segments
from photochrom.photo.sources import rescale
from photochrom.photo.strips import mapped_in_order, strip_height

if TYPE_CHECKING:
    from photochrom.color import Pixels
    from photochrom.photo.atomic import Sink
    from photochrom.photo.encoding import Options
    from photochrom.photo.formats import Limits
    from photochrom.photo.photo import Photo

MOST = 65_500  # libjpeg's limit on a side
SAMPLING = {"4:2:0": (2, 2), "4:2:2": (2, 1), "4:4:4": (1, 1)}
_CV_SAMPLING = {
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}
Strip = tuple[bytes, memoryview, int]  # segments before the scan's data, the scan's data, rows
_SOF0, _DHT, _SOI, _EOI, _SOS, _DQT, _DRI = 0xC0, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD
_END = bytes((0xFF, _EOI))
_HIERARCHICAL = (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE)  # differential frames; DHP, which precedes them
_FRAMES = FRAMES | {0xDE}


@dataclass
class JpegFile(VipsFile):
    """A JPEG file. Lost bytes are but a warning to libvips, so it is read strictly first."""

    strict: str = "warning"
    lenient: str = "truncated"
    goes_on: bool = True

    def photo(self, limits: Limits) -> Photo:
        """As that of any file. One that lacks only its end marker is read, with a warning."""
        if self.bits > 8:
            limits.check(*self.size, self.format.share)
        if (whole := self._with_end()) is None:
            return super().photo(limits)
        photo = replace(self, origin=whole, lenient="none" if self.salvage else "warning").photo(limits)
        odd = (*photo.warnings, "its end marker is missing: what is there was read")
        return replace(photo, path=self.origin.path, warnings=odd)

    def opened(self) -> Any:
        if self.bits > 8 and not tiff_codecs.are_there():
            raise UnknownFormat(
                f"this is a JPEG with {self.bits} bits a sample: save it as TIFF with 16 bits, "
                "or read it as it is with the extra [tiff], pip install 'photochrom[tiff]'"
            )
        marker, _, height, _ = self._frame
        if marker in _HIERARCHICAL:
            raise UnknownFormat("this is a hierarchical JPEG, in several frames: save it anew as a usual one")
        if marker and not height:
            raise UnknownFormat(
                "this JPEG states its height behind its data only (DNL): "
                "save it anew from a program that opens it"
            )
        return super().opened()

    @cached_property
    def _frame(self) -> tuple[int, int, int, int]:
        """(marker, bits a sample, height, width), 0 where there is no frame."""
        with self.origin.open() as file:
            for marker, payload in segments(file):
                if marker in _FRAMES and len(payload) >= 5:
                    return marker, *struct.unpack_from(">BHH", payload)
        return 0, 0, 0, 0

    @property
    def bits(self) -> int:
        """Bits a sample."""
        return self._frame[1]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self._frame[3], self._frame[2]

    def _load(self, fail_on: str, access: str = "sequential") -> Any:
        if self.bits > 8:
            return tiff_codecs.image_of_jpeg(self.origin.data, self.bits)
        return super()._load(fail_on, access)

    def _with_end(self) -> Origin | None:
        """The file with an end marker where it has none; None where it has."""
        with self.origin.open() as file:
            file.seek(max(self.origin.size - 2, 0))
            if file.read(2) == _END:
                return None
        data = self.origin.data
        if data.rfind(_END) > data.rfind(b"\xff\xda"):  # before what follows the picture
            return None
        return Origin(content=data.rstrip(b"\xff") + _END)

    def collected(self, image: Any) -> tuple[dict[str, Any], int, tuple[str, ...]]:
        with self.origin.open() as file:
            return vars(read_segments(file)), 1, ()

    def finished(self, photo: Photo, orientation: int) -> Photo:
        return _with_original(photo, self.origin, orientation)


def _with_original(photo: Photo, origin: Origin, orientation: int) -> Photo:
    """A photo as it was read from a JPEG, with that; and a warning where there is more in the file."""
    original = Original(origin, photo.source, orientation, photo.metadata.icc)
    if not original.is_decoded:  # a large one, whose bytes are not held
        return replace(photo, original=original)
    try:
        behind = original.data[original.jpeg.length :].strip(b"\0\r\n ")
    except DamagedPhoto:
        return photo
    more = "more follows the end of its picture (another picture, a film, junk): only the first is read"
    warnings = (*photo.warnings, more) if behind else photo.warnings
    return replace(photo, original=original, warnings=warnings)


# --- writing -------------------------------------------------------------------------------------


def write_jpeg(photo: Photo, sink: Sink, options: Options) -> None:
    """Encodes a photo as baseline JPEG with 8 bits; transparent parts are laid on white."""
    if max(photo.width, photo.height) > MOST:
        size = f"{photo.width}×{photo.height}"
        raise WriteError(f"JPEG holds at most {MOST} pixels a side, the photo is {size}: write TIFF or PNG")
    height = min(2 * strip_height(photo.width), 16 * -(-photo.height // 32))  # two strips at least

    def encode(top: int) -> Strip:
        return _encode(photo, top, min(top + height, photo.height), options)

    encoded = mapped_in_order(encode, range(0, photo.height, height), options.threads)
    for number, (top, (tables, scan, rows)) in enumerate(encoded):
        if top == 0:
            sink.write(_header(photo, tables, _interval(photo, rows, options)))
        else:
            sink.write(bytes((0xFF, 0xD0 + (number - 1) % 8)))
        sink.write(scan)
    sink.write(_END)


def _encode(photo: Photo, top: int, bottom: int, options: Options) -> Strip:
    pixels = _in_opencv_order(_opaque(photo, top, photo.rows(top, bottom)))
    choice = [cv2.IMWRITE_JPEG_QUALITY, options.quality]
    choice += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _CV_SAMPLING[options.subsampling]]
    _, data = cv2.imencode(".jpg", pixels, choice)
    whole = memoryview(data.tobytes())
    tables, scan = _split(whole)
    return tables, whole[scan:-2], bottom - top


def _opaque(photo: Photo, top: int, strip: Pixels) -> Pixels:
    """A strip with 8 bits, transparent parts on white."""
    pixels = rescale(strip, np.dtype(np.uint8))
    if not photo.has_alpha:
        return pixels
    alpha = rescale(photo.source.alpha_rows(top, top + len(strip)), np.dtype(np.uint8))
    return _on_white(pixels, alpha)


def _in_opencv_order(pixels: Pixels) -> Pixels:
    return pixels if pixels.ndim == 2 else cast("Pixels", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))


def _on_white(pixels: Pixels, alpha: Pixels) -> Pixels:
    weight = (alpha if pixels.ndim == 2 else alpha[..., None]).astype(np.uint16)
    return ((pixels * weight + 255 * (255 - weight) + 127) // 255).astype(np.uint8)


def _split(data: memoryview) -> tuple[bytes, int]:
    """The DQT, SOF, DHT and SOS segments, and where the entropy-coded data starts."""
    kept = bytearray()
    at = 2
    while True:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in (_SOF0, _DHT, _DQT, _SOS):
            kept += data[at : at + 2 + length]
        at += 2 + length
        if marker == _SOS:
            return bytes(kept), at


def _interval(photo: Photo, rows: int, options: Options) -> int:
    """Blocks (MCUs) between restart markers: those of one strip."""
    across, down = SAMPLING[options.subsampling] if photo.channels == 3 else (1, 1)
    return -(-photo.width // (8 * across)) * -(-rows // (8 * down))


def _header(photo: Photo, tables: bytes, interval: int) -> bytes:
    patched = bytearray(tables)
    at = _find(patched, _SOF0)
    struct.pack_into(">HH", patched, at + 5, photo.height, photo.width)
    sos = _find(patched, _SOS)
    restart = segment(_DRI, struct.pack(">H", interval))
    return (
        bytes((0xFF, _SOI))
        + metadata_segments(photo.metadata)
        + bytes(patched[:sos])
        + restart
        + bytes(patched[sos:])
    )


def _find(tables: bytearray, marker: int) -> int:
    at = 0
    while tables[at + 1] != marker:
        at += 2 + int.from_bytes(tables[at + 2 : at + 4], "big")
    return at


def written_size(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """(width, height) of a file that was just written; None where its end is missing."""
    file.seek(size - 2)
    if file.read(2) != _END:
        return None
    file.seek(2)
    while True:
        marker, length = struct.unpack(">HH", file.read(4))
        if marker & 0xFF in FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)
