"""TIFF: strips deflated on several threads, BigTIFF where 4 GB do not suffice, metadata in fields."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from photochrom.photo import ifd
from photochrom.photo.encoding import interleaved, packer_of_differences
from photochrom.photo.strips import strip_height
from photochrom.photo.tiff_fields import fields_of

if TYPE_CHECKING:
    from photochrom.color import Pixels
    from photochrom.photo.encoding import Options
    from photochrom.photo.photo import Photo
    from photochrom.photo.safe import Sink

_CLASSIC = 3_900_000_000  # bytes of samples from which offsets need 64 bits
_DEFLATE, _DIFFERENCES = 8, 2


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
    packer = packer_of_differences(15)
    stored = differences.astype(differences.dtype.newbyteorder("<"), copy=False)
    return bytes(packer.compress(stored.tobytes()) + packer.flush())


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
    return fields | fields_of(photo.metadata)
