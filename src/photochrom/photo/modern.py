"""WebP and AVIF, which are encoded in one piece by Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import WriteError
from photochrom.photo.photo import rescale
from photochrom.photo.tiff_fields import exif_with_resolution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.photo.encoding import Encoder, Options
    from photochrom.photo.formats import Format
    from photochrom.photo.photo import Photo
    from photochrom.photo.safe import Sink

_MOST = {"webp": 16383, "avif": 65536}


def writer(fmt: Format) -> Encoder:
    """The encoder of WebP or AVIF."""

    def encode(photo: Photo, sink: Sink, options: Options) -> None:
        most = _MOST[fmt.name]
        if max(photo.width, photo.height) > most:
            raise WriteError(f"{fmt.name.upper()} holds at most {most} pixels a side: write TIFF or PNG")
        metadata = photo.metadata
        keep = {"icc_profile": metadata.icc, "exif": exif_with_resolution(metadata), "xmp": metadata.xmp}
        settings: dict[str, Any] = {key: value for key, value in keep.items() if value}
        if fmt.name == "avif":
            settings["subsampling"] = options.subsampling
        _as_pillow(photo).save(sink, fmt.name.upper(), quality=options.quality, **settings)

    return encode


def _as_pillow(photo: Photo) -> Any:
    from PIL import Image

    eight = np.dtype(np.uint8)
    pixels: NDArray[Any] = rescale(photo.rgb, eight)
    alpha = photo.alpha
    if alpha is not None:
        pixels = np.dstack([pixels, rescale(alpha, eight)])
    return Image.fromarray(pixels)
