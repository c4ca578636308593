"""What every encoder takes: the photo's strips at their final depth, and the options."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from photochrom.photo.file_options import FileOptions
from photochrom.photo.sources import rescale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Pixels
    from photochrom.photo.atomic import Sink
    from photochrom.photo.photo import Photo


@dataclass(frozen=True)
class Options(FileOptions):
    """How a photo is stored, its depth settled, and by how many threads it is encoded."""

    depth: Literal[8, 16] = 8
    threads: int | None = None


class Encoder(Protocol):
    """Writes a photo, whose metadata are those to be stored, into a file."""

    def __call__(self, photo: Photo, sink: Sink, options: Options) -> None: ...


def interleaved(photo: Photo, top: int, strip: Pixels, depth: int, *, extra: bool = False) -> NDArray[Any]:
    """(h, W, C) of a strip at a depth of 8 or 16 bits: colors, alpha, further channels if asked."""
    planes, rows = [strip], (top, top + len(strip))
    if photo.has_alpha:
        planes.append(photo.source.alpha_rows(*rows))
    if extra and photo.source.extra_channels:
        planes.append(photo.source.extra_rows(*rows))
    dtype = np.dtype(np.uint8 if depth == 8 else np.uint16)
    bands = [rescale(plane, dtype).reshape(*strip.shape[:2], -1) for plane in planes]
    return bands[0] if len(bands) == 1 else np.concatenate(bands, axis=2)


def packer_of_differences(window: int) -> Any:
    """A deflate compressor for differences of neighboring samples; window as in zlib (negative: raw).

    Photographs repeat no strings, so zlib's search for them takes four times as long for the same size
    (benchmarks/photo_io.py); runs and Huffman codes are what pays.
    """
    return zlib.compressobj(1, zlib.DEFLATED, window, 9, zlib.Z_RLE)
