"""WebP, AVIF and HEIC: what libvips and Pillow do not do for them.

WebP is RIFF, AVIF and HEIC are ISO base media files (ISO/IEC 14496-12); Pillow writes the first two in one
piece, pillow-heif reads the last.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from photochrom.errors import MissingExtra, WriteError
from photochrom.photo.exif import with_resolution
from photochrom.photo.iptc import in_xmp
from photochrom.photo.pillow import read_with_pillow
from photochrom.photo.sources import rescale

if TYPE_CHECKING:
    from photochrom.photo.atomic import Sink
    from photochrom.photo.encoding import Options
    from photochrom.photo.formats import Format, Limits
    from photochrom.photo.origin import Origin
    from photochrom.photo.photo import Photo

_MOST = {"webp": 16383, "avif": 65536}


def read_heic(origin: Origin, fmt: Format, limits: Limits) -> Photo:
    """A HEIC picture. Raises MissingExtra where pillow-heif is not there."""
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtra("reading HEIC", "heic") from error
    pillow_heif.register_heif_opener()
    return read_with_pillow(origin, fmt, limits, "HEIF")


def write_webp(photo: Photo, sink: Sink, options: Options) -> None:
    """Encodes a photo as WebP with 8 bits, alpha kept."""
    _write(photo, sink, options, "webp")


def write_avif(photo: Photo, sink: Sink, options: Options) -> None:
    """Encodes a photo as AVIF with 8 bits, alpha kept."""
    _write(photo, sink, options, "avif", subsampling=options.subsampling)


def _write(photo: Photo, sink: Sink, options: Options, name: str, **settings: Any) -> None:
    from PIL import Image

    most = _MOST[name]
    if max(photo.width, photo.height) > most:
        raise WriteError(f"{name.upper()} holds at most {most} pixels a side: write TIFF or PNG")
    metadata = photo.metadata
    packet = in_xmp(metadata.iptc, metadata.xmp) if metadata.iptc else metadata.xmp
    keep = {"icc_profile": metadata.icc, "exif": with_resolution(metadata.exif, metadata.dpi), "xmp": packet}
    settings |= {key: value for key, value in keep.items() if value}
    eight = np.dtype(np.uint8)
    pixels, alpha = rescale(photo.rgb, eight), photo.alpha
    bands = pixels if alpha is None else np.dstack([pixels, rescale(alpha, eight)])
    Image.fromarray(bands).save(sink, name.upper(), quality=options.quality, **settings)


def webp_is_whole(file: BinaryIO, size: int) -> bool:
    """Whether a WebP file has the length that it states."""
    file.seek(4)
    (length,) = struct.unpack("<I", file.read(4))
    return bool(length + 8 == size)


def avif_is_whole(file: BinaryIO, size: int) -> bool:
    """Whether the boxes of a file end where it ends."""
    at = 0
    while at < size:
        file.seek(at)
        (length,) = struct.unpack(">I", file.read(4))
        at += length if length >= 8 else size + 1
    return at == size > 0
