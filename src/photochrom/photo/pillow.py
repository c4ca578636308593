"""Formats that Pillow decodes (GIF, BMP, JPEG 2000, HEIC), and photos of PIL images."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from photochrom.errors import DamagedPhoto, MissingExtra, TooLarge
from photochrom.photo.boxes import bits_a_sample, has_tile
from photochrom.photo.colour_spaces import array_to_srgb
from photochrom.photo.decoding import split_alpha
from photochrom.photo.metadata import Metadata
from photochrom.photo.orientation import oriented
from photochrom.photo.photo import Photo
from photochrom.photo.reading_metadata import known_to_pillow, read_metadata
from photochrom.photo.sources import ArraySource
from photochrom.photo.vips import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photochrom.photo.formats import Format
    from photochrom.photo.limits import Limits
    from photochrom.photo.origin import Origin
    from photochrom.photo.sources import PixelSource

_one_at_a_time = threading.Lock()
_PILLOW = {"gif": "GIF", "bmp": "BMP", "jpeg2000": "JPEG2000", "heic": "HEIF"}
# what Pillow's decoders are known to raise on broken files
_BROKEN = (
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, OverflowError, TypeError),
    *(MemoryError, RuntimeError, struct.error, cv2.error),
)


def read_with_pillow(origin: Origin, fmt: Format, limits: Limits) -> Photo:
    """A photo of a format that only Pillow reads. Raises DamagedPhoto, TooLarge, MissingExtra."""
    from PIL import Image, UnidentifiedImageError

    if fmt.name == "heic":
        _register_heic()
    try:
        with _quiet(), Image.open(io.BytesIO(origin.data), formats=[_PILLOW[fmt.name]]) as image:
            limits.check(*image.size, fmt.share)
            waves = fmt.name == "jpeg2000"
            if waves and not has_tile(origin.data):  # of which decoders make grey, in silence
                raise DamagedPhoto(damaged("jpeg2000: none of its tiles is there"))
            if waves and (depth := bits_a_sample(origin.data)) > 8:
                return _deep_jpeg2000(origin, depth)
            moves = bool(getattr(image, "is_animated", False))
            image.load()
            photo = from_pillow(image)
            known = known_to_pillow(image)
    except Image.DecompressionBombError as error:
        raise TooLarge(
            f"the picture is too large for its format, {fmt.name.upper()}: convert it to TIFF first"
        ) from error
    except UnidentifiedImageError as error:
        raise DamagedPhoto(damaged("")) from error
    except _BROKEN as error:
        raise DamagedPhoto(damaged(f"{fmt.name}: {error}")) from error
    moving = ("it has several frames: only the first is read",) if moves else ()
    return _finished(photo, origin, fmt.name, known, moving)


def _finished(photo: Photo, origin: Origin, name: str, known: dict[str, Any], odd: tuple[str, ...]) -> Photo:
    """A decoded photo with its metadata, in sRGB and upright."""
    found = read_metadata(name, origin, known=known)
    source: PixelSource = photo.source
    if found.metadata.icc and isinstance(source, ArraySource):
        pixels, warnings = array_to_srgb(source.pixels, found.metadata.icc)
        source, odd = ArraySource(pixels, source.transparency), (*odd, *warnings)
    return Photo(
        oriented(source, found.orientation),
        metadata=found.metadata,
        format=name,
        bits=photo.bits,
        path=origin.path,
        warnings=(*odd, *found.warnings),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow's and OpenCV's own words about broken files are not for the user: ours say what to do."""
    with _one_at_a_time, warnings.catch_warnings():  # which swaps the filters of all threads
        warnings.simplefilter("ignore")
        log = cv2.utils.logging
        level = log.getLogLevel()
        log.setLogLevel(log.LOG_LEVEL_SILENT)
        try:
            yield
        finally:
            log.setLogLevel(level)


def _deep_jpeg2000(origin: Origin, depth: int) -> Photo:
    """A JPEG 2000 picture of more than 8 bits, which Pillow would cut to 8."""
    array = cv2.imdecode(np.frombuffer(origin.data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None or array.dtype != np.uint16:
        raise DamagedPhoto(damaged(f"jpeg2000: {depth} bits a sample do not decode"))
    bands = array.reshape(*array.shape[:2], -1)
    if depth < 16:
        values = np.minimum(np.arange(65536), (1 << depth) - 1)
        bands = np.take(np.rint(values * (65535 / ((1 << depth) - 1))).astype(np.uint16), bands)
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(bands.shape[2], list(range(bands.shape[2])))
    decoded = Photo(split_alpha(bands[..., order], bands.shape[2] in (2, 4)), bits=depth)
    return _finished(decoded, origin, "jpeg2000", {}, ())


def _register_heic() -> None:
    try:
        import pillow_heif
    except ImportError as error:
        feature = "reading HEIC"
        raise MissingExtra(feature, "heic") from error
    pillow_heif.register_heif_opener()


def from_pillow(image: Any) -> Photo:
    """A photo of a PIL image of any mode; 16-bit greys keep their depth."""
    if image.mode.startswith("I;16"):
        return Photo(split_alpha(np.asarray(image, np.uint16)[..., None], False), bits=16)
    bits = 1 if image.mode == "1" else 8
    mode = _target_mode(image)
    array = np.asarray(image.convert(mode))
    array = array[..., None] if array.ndim == 2 else array
    return Photo(split_alpha(array, mode in ("LA", "RGBA")), Metadata(), bits=bits)


def _target_mode(image: Any) -> str:
    transparent = "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    grey = image.mode in ("1", "L", "LA", "La", "I", "F")
    return {(True, True): "LA", (True, False): "L", (False, True): "RGBA", (False, False): "RGB"}[
        grey, transparent
    ]
