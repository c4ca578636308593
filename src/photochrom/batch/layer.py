"""The color alone, for an editor: laid over the untouched original it gives the colored photo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from photochrom.color import rgb_to_lab, white
from photochrom.photo import Metadata, Photo, write
from photochrom.photo.atomic import save
from photochrom.photo.sources import RowSource, as_rgb
from photochrom.photo.tiff import write_lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Pixels

_MIDDLE = 32768  # L* 50 in TIFF's 16-bit Lab


def overlay(original: Photo, colored: Photo) -> Photo:
    """RGBA pixels, 16 bits, that in normal blending over `original` give `colored`.

    Of all colors and opacities that do so, the most transparent: a = max over channels of the share
    of the way to black or white that the channel has to go.
    """

    def both(top: int, bottom: int) -> tuple[Any, Any]:
        under, over = as_rgb(original.rows(top, bottom)), colored.rows(top, bottom)
        return under.astype(np.float32) / white(under.dtype), over.astype(np.float32) / white(over.dtype)

    def rows(top: int, bottom: int) -> Pixels:
        under, over = both(top, bottom)
        opacity = _opacity(under, over)[..., None].astype(np.float32) / 65535
        moved = np.divide(over - under, opacity, out=np.zeros_like(over), where=opacity > 0)
        color: Pixels = np.rint(np.clip(under + moved, 0, 1) * 65535).astype(np.uint16)
        return color

    def alpha(top: int, bottom: int) -> Pixels:
        return _opacity(*both(top, bottom))

    source = RowSource(colored.height, colored.width, 3, np.dtype(np.uint16), rows, alpha)
    return Photo(source, metadata=Metadata(dpi=colored.metadata.dpi), bits=16)


def _opacity(under: Any, over: Any) -> Pixels:
    room = np.where(over > under, 1 - under, under)
    way = np.divide(np.abs(over - under), room, out=np.zeros_like(over), where=room > 0)
    least: Pixels = np.ceil(np.clip(way.max(axis=-1), 0, 1) * 65535).astype(np.uint16)
    return least


def write_layer(
    kind: Literal["tiff", "png"],
    original: Photo,
    colored: Photo,
    target: Path | BinaryIO,
    *,
    overwrite: bool = False,
) -> None:
    """Write the color alone, to a path or a stream. Raises OutputExists, WriteError."""
    if kind == "png":
        write(overlay(original, colored), target, format="png", overwrite=overwrite)
    else:
        write_ab(colored, target, overwrite=overwrite)


def write_ab(colored: Photo, target: Path | BinaryIO, *, overwrite: bool = False) -> None:
    """Write a* and b* as a 16-bit CIELAB TIFF (TIFF 6.0, section 23) with L* 50 everywhere.

    a* and b* are the samples / 256, signed. In an editor that knows Lab, laid over the original with
    the blend mode "Color", it colors it. Raises OutputExists or WriteError.
    """
    if isinstance(target, Path):
        save(target, lambda sink: write_lab(colored, sink, _ab), overwrite=overwrite)
    else:
        write_lab(colored, target, _ab)


def _ab(strip: Pixels) -> NDArray[np.uint16]:
    samples = np.empty((*strip.shape[:2], 3), np.int32)
    samples[..., 0] = _MIDDLE
    samples[..., 1:] = np.rint(rgb_to_lab(strip)[..., 1:] * 256)
    return samples.astype(np.uint16)  # negative numbers as their two's complement
