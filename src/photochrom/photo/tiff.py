"""TIFF: strips deflated on several threads, BigTIFF where 4 GB do not suffice, metadata in fields."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from photochrom.photo import ifd
from photochrom.photo.encoding import interleaved
from photochrom.photo.strips import strip_height

if TYPE_CHECKING:
    from photochrom.color import Pixels
    from photochrom.photo.encoding import Options
    from photochrom.photo.metadata import Metadata
    from photochrom.photo.photo import Photo
    from photochrom.photo.safe import Sink

LEVEL = 5
_CLASSIC = 3_900_000_000  # bytes of samples from which offsets need 64 bits
_DEFLATE, _DIFFERENCES = 8, 2
DESCRIPTIVE = frozenset(
    (
        *(0x000B, 0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749),
        *(0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F, ifd.EXIF_IFD, ifd.GPS_IFD),
    )
)  # fields of the first directory that describe the photo, not the layout of the file
XMP, IPTC, PHOTOSHOP, ICC = 700, 33723, 34377, 34675


def write_tiff(photo: Photo, sink: Sink, options: Options) -> None:
    """Encodes a photo as deflated TIFF with 8 or 16 bits, alpha kept (unassociated)."""
    samples = photo.channels + photo.has_alpha
    big = photo.width * photo.height * samples * options.depth // 8 > _CLASSIC
    start = sink.tell()
    sink.write(b"II+\0\x08\0\0\0" + bytes(8) if big else b"II*\0" + bytes(4))
    offsets, sizes = [], []
    for _, packed in photo.map_strips(
        lambda top, strip: _pack(photo, top, strip, options), threads=options.threads
    ):
        offsets.append(sink.tell() - start)
        sizes.append(len(packed))
        sink.write(packed + b"\0" * (len(packed) % 2))
    where = sink.tell() - start
    sink.write(
        ifd.lay_out(_directory(photo, options, ifd.longs(offsets, big), ifd.longs(sizes, big)), where, big)
    )
    end = sink.tell()
    sink.seek(start + (8 if big else 4))
    sink.write(struct.pack("<Q" if big else "<I", where))
    sink.seek(end)


def _pack(photo: Photo, top: int, strip: Pixels, options: Options) -> bytes:
    bands = interleaved(photo, top, strip, options.depth)
    differences = bands.copy()
    differences[:, 1:] -= bands[:, :-1]
    return zlib.compress(differences.astype(differences.dtype.newbyteorder("<"), copy=False).tobytes(), LEVEL)


def _directory(photo: Photo, options: Options, offsets: ifd.Field, sizes: ifd.Field) -> ifd.Directory:
    samples = photo.channels + photo.has_alpha
    fields: ifd.Directory = {
        256: ifd.longs([photo.width]),
        257: ifd.longs([photo.height]),
        258: ifd.shorts(*[options.depth] * samples),
        259: ifd.shorts(_DEFLATE),
        262: ifd.shorts(2 if photo.channels == 3 else 1),
        273: offsets,
        274: ifd.shorts(1),
        277: ifd.shorts(samples),
        278: ifd.longs([min(strip_height(photo.width), photo.height)]),
        279: sizes,
        284: ifd.shorts(1),
        317: ifd.shorts(_DIFFERENCES),
    }
    if photo.has_alpha:
        fields[338] = ifd.shorts(2)
    return fields | _metadata(photo.metadata)


def _metadata(metadata: Metadata) -> ifd.Directory:
    fields: ifd.Directory = {}
    if metadata.exif:
        fields |= {tag: field for tag, field in ifd.parse(metadata.exif).items() if tag in DESCRIPTIVE}
    if metadata.dpi:
        fields |= {282: ifd.rational(metadata.dpi[0]), 283: ifd.rational(metadata.dpi[1]), 296: ifd.shorts(2)}
    if metadata.xmp:
        fields[XMP] = ifd.Field(ifd.BYTE, metadata.xmp)
    if metadata.iptc:
        fields[IPTC] = ifd.Field(ifd.UNDEFINED, metadata.iptc)
    if metadata.icc:
        fields[ICC] = ifd.Field(ifd.UNDEFINED, metadata.icc)
    if metadata.comment and 0x010E not in fields:
        fields[0x010E] = ifd.Field(ifd.ASCII, metadata.comment.encode() + b"\0")
    return fields
