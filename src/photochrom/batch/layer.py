"""The colour alone, for an editor: laid over the untouched original it gives the coloured photo."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from photochrom.color import rgb_to_lab, white
from photochrom.photo import Metadata, Photo, ifd
from photochrom.photo.safe import save
from photochrom.photo.strips import strip_height

if TYPE_CHECKING:
    from pathlib import Path

    from photochrom.color import Pixels
    from photochrom.photo.safe import Sink

_MIDDLE = 32768  # L* 50 in TIFF's 16-bit Lab
_CLASSIC = 3_900_000_000  # bytes of samples from which offsets need 64 bits
_CIELAB, _DEFLATE, _DIFFERENCES = 8, 8, 2


@dataclass(frozen=True)
class Overlay:
    """RGBA pixels that, in normal blending over `original`, give `coloured`.

    Of all colours and opacities that do so, the most transparent: a = max over channels of the share
    of the way to black or white that the channel has to go.
    """

    original: Photo
    coloured: Photo
    has_alpha: bool = True
    channels: int = 3

    @property
    def height(self) -> int:
        return self.coloured.height

    @property
    def width(self) -> int:
        return self.coloured.width

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint16)

    def rows(self, top: int, bottom: int) -> Pixels:
        """(h, W, 3)"""
        under, over = self._both(top, bottom)
        opacity = self._opacity(under, over)[..., None].astype(np.float32) / 65535
        moved = np.divide(over - under, opacity, out=np.zeros_like(over), where=opacity > 0)
        colour: Pixels = np.rint(np.clip(under + moved, 0, 1) * 65535).astype(np.uint16)
        return colour

    def alpha_rows(self, top: int, bottom: int) -> Pixels:
        """(h, W)"""
        return self._opacity(*self._both(top, bottom))

    def _both(self, top: int, bottom: int) -> tuple[Any, Any]:
        under, over = self.original.rows(top, bottom), self.coloured.rows(top, bottom)
        return (
            as_rgb(under).astype(np.float32) / white(under.dtype),
            over.astype(np.float32) / white(over.dtype),
        )

    @staticmethod
    def _opacity(under: Any, over: Any) -> Pixels:
        room = np.where(over > under, 1 - under, under)
        way = np.divide(np.abs(over - under), room, out=np.zeros_like(over), where=room > 0)
        least: Pixels = np.ceil(np.clip(way.max(axis=-1), 0, 1) * 65535).astype(np.uint16)
        return least


def overlay(original: Photo, coloured: Photo) -> Photo:
    """A transparent picture, 16 bits, that makes the original the coloured photo when laid over it."""
    return Photo(Overlay(original, coloured), metadata=Metadata(dpi=coloured.metadata.dpi), bits=16)


def as_rgb(pixels: Pixels) -> Pixels:
    """Grey or RGB rows as RGB rows (h, W, 3)."""
    if pixels.ndim == 3:
        return pixels
    return cast("Pixels", np.repeat(pixels[..., None], 3, axis=2))


def write_ab(coloured: Photo, target: Path, *, overwrite: bool = False) -> None:
    """Write a* and b* as a 16-bit CIELAB TIFF (TIFF 6.0, section 23) with L* 50 everywhere.

    a* and b* are the samples / 256, signed. In an editor that knows Lab, laid over the original with
    the blend mode "Color", it colours it. Raises OutputExists or WriteError.
    """
    save(target, lambda sink: _encode_ab(coloured, sink), lambda part: None, overwrite=overwrite)


def _encode_ab(photo: Photo, sink: Sink) -> None:
    big = photo.width * photo.height * 6 > _CLASSIC
    sink.write(b"II+\0\x08\0\0\0" + bytes(8) if big else b"II*\0" + bytes(4))
    offsets, sizes = [], []
    for _, packed in photo.map_strips(lambda top, strip: _pack_ab(strip), strip_height(photo.width)):
        offsets.append(sink.tell())
        sizes.append(len(packed))
        sink.write(packed + b"\0" * (len(packed) % 2))
    where = sink.tell()
    sink.write(ifd.lay_out(_directory(photo, ifd.longs(offsets, big), ifd.longs(sizes, big)), where, big))
    sink.seek(8 if big else 4)
    sink.write(struct.pack("<Q" if big else "<I", where))


def _pack_ab(strip: Pixels) -> bytes:
    samples = np.empty((*strip.shape[:2], 3), np.int32)
    samples[..., 0] = _MIDDLE
    samples[..., 1:] = np.rint(rgb_to_lab(strip)[..., 1:] * 256)
    words = samples.astype("<u2")  # negative numbers as their two's complement
    words[:, 1:] -= words[:, :-1].copy()
    return zlib.compress(words.tobytes(), 5)


def _directory(photo: Photo, offsets: ifd.Field, sizes: ifd.Field) -> ifd.Directory:
    return {
        256: ifd.longs([photo.width]),
        257: ifd.longs([photo.height]),
        258: ifd.shorts(16, 16, 16),
        259: ifd.shorts(_DEFLATE),
        262: ifd.shorts(_CIELAB),
        273: offsets,
        277: ifd.shorts(3),
        278: ifd.longs([min(strip_height(photo.width), photo.height)]),
        279: sizes,
        284: ifd.shorts(1),
        317: ifd.shorts(_DIFFERENCES),
    }
