"""Pictures that Pillow decodes: GIF, BMP, and what stands behind HEIC and JPEG 2000."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import cv2

from photochrom.errors import DamagedPhoto, TooLarge
from photochrom.photo import iptc
from photochrom.photo.metadata import settled
from photochrom.photo.photo import Photo
from photochrom.photo.profiles import array_to_srgb
from photochrom.photo.sources import ArraySource, oriented, source_of_pillow
from photochrom.photo.vips import damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from photochrom.photo.formats import Format, Limits
    from photochrom.photo.origin import Origin

_one_at_a_time = threading.Lock()
# what Pillow's decoders are known to raise on broken files
_BROKEN = (
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, OverflowError, TypeError),
    *(MemoryError, RuntimeError, struct.error, cv2.error),
)


def read_with_pillow(
    origin: Origin,
    fmt: Format,
    limits: Limits,
    name: str,
    decode: Callable[[Any], tuple[ArraySource, int]] = source_of_pillow,
    container: Callable[[BinaryIO], Mapping[str, Any]] = lambda file: {},
) -> Photo:
    """A photo of a format that Pillow knows by `name`; `container` reads the metadata that Pillow does not.

    Raises DamagedPhoto, TooLarge.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with _quiet(), Image.open(io.BytesIO(origin.data), formats=[name]) as image:
            limits.check(*image.size, fmt.share)
            moves = bool(getattr(image, "is_animated", False))
            source, bits = decode(image)
            known = _known(image)
    except Image.DecompressionBombError as error:
        raise TooLarge(
            f"the picture is too large for its format, {fmt.name.upper()}: convert it to TIFF first"
        ) from error
    except UnidentifiedImageError as error:
        raise DamagedPhoto(damaged("")) from error
    except _BROKEN as error:
        raise DamagedPhoto(damaged(f"{fmt.name}: {error}")) from error
    odd = ("it has several frames: only the first is read",) if moves else ()
    with origin.open() as file:
        found = settled(known, container(file), odd=odd, upright=fmt.name == "heic")
    pixels, lost = source.pixels, tuple[str, ...]()
    if found.metadata.icc:
        pixels, lost = array_to_srgb(pixels, found.metadata.icc)
    return Photo(
        oriented(ArraySource(pixels, source.transparency), found.orientation),
        metadata=found.metadata,
        format=fmt.name,
        bits=bits,
        path=origin.path,
        warnings=(*found.warnings, *lost),
        orientation=found.orientation,
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


def _known(image: Any) -> dict[str, Any]:
    """Profile, EXIF, XMP, IPTC, comment and resolution as Pillow has found them."""
    info = image.info
    dpi = info.get("dpi")
    comment = info.get("comment")
    return {
        "icc": info.get("icc_profile"),
        "exif": info.get("exif"),
        "xmp": _bytes(info.get("xmp") or info.get("XML:com.adobe.xmp")),
        "dpi": (float(dpi[0]), float(dpi[1])) if dpi else None,
        "comment": comment.decode("latin-1").rstrip("\0") if isinstance(comment, bytes) else comment,
        "iptc": iptc.records(info["photoshop"]) if isinstance(info.get("photoshop"), bytes) else None,
    }


def _bytes(value: object) -> bytes | None:
    if isinstance(value, tuple):
        value = value[-1]
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else None
