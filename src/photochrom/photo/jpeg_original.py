"""The JPEG that a photo was read from, and its luminance data: taken over, compared, given back.

Where a color JPEG has luminance and chroma in one scan, its coefficients are taken out by jpeglib (the extra
`jpeg`); without that, the decoded Y' is quantized once more with the file's own table on the same grid, which
changes a coefficient here and there: one in a hundred at quality 95, hardly any below 90.
"""

from __future__ import annotations

import io
import struct
import tempfile
import threading
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import cv2
import numpy as np

from photochrom.errors import DamagedPhoto, MissingExtra
from photochrom.photo.exif import with_orientation
from photochrom.photo.jpeg_scans import PROGRESSIVE, Jpeg, bare, parse
from photochrom.photo.outdated import laid_back
from photochrom.photo.profiles import color_space, is_srgb
from photochrom.photo.sources import ArraySource, stored
from photochrom.photo.vips import damage_reported, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Pixels
    from photochrom.photo.metadata import Metadata
    from photochrom.photo.origin import Origin
    from photochrom.photo.sources import PixelSource, Rows

Luminance = Literal["identical", "requantized", "encoded"]
_ZIGZAG = sorted(range(64), key=lambda n: (n // 8 + n % 8, n // 8 if (n // 8 + n % 8) % 2 else n % 8))
_one_at_a_time = threading.Lock()  # jpeglib loads and switches its libraries for the whole process


@dataclass(frozen=True, eq=False)
class Original:
    """A JPEG file, its pixels (upright, in sRGB), the orientation (1..8) they lie in there, its profile."""

    origin: Origin
    source: PixelSource
    orientation: int = 1
    icc: bytes | None = None

    @cached_property
    def data(self) -> bytes:
        """The file's bytes. Raises DamagedPhoto where it is not the one that was read."""
        data = self.origin.data
        self.origin.check_unchanged()
        return data

    @cached_property
    def jpeg(self) -> Jpeg:
        """Its structure. Raises DamagedPhoto."""
        return parse(self.data)

    @cached_property
    def kept(self) -> Luminance:
        """What becomes of its luminance data in a color JPEG: damaged ones are never taken over."""
        if not self.jpeg.has_kept_luminance or not self.is_whole:
            return "encoded"
        return "identical" if self.jpeg.luminance_scans or has_jpeglib() else "requantized"

    @property
    def is_decoded(self) -> bool:
        """Whether all of it has been decoded, without complaint."""
        return isinstance(self.source, ArraySource)

    def as_stored(self, metadata: Metadata) -> Metadata:
        """Metadata of the upright picture, for a file in which the pixels lie as they do here."""
        if self.orientation == 1:
            return metadata
        packet = laid_back(metadata.xmp, self.orientation) if metadata.xmp else None
        return replace(metadata, exif=with_orientation(metadata.exif, self.orientation), xmp=packet)

    @property
    def is_luma(self) -> bool:
        """Whether the pixels are its Y' as they were decoded: grey, and not converted from a profile."""
        converted = self.icc is not None and color_space(self.icc) == "GRAY" and not is_srgb(self.icc, 1)
        return self.source.channels == 1 and self.source.dtype == np.uint8 and not converted

    @cached_property
    def is_whole(self) -> bool:
        """Whether all of it decodes without complaint."""
        if self.is_decoded:
            return True
        try:
            with damage_reported("jpeg"):
                load("jpeg", self.origin, "warning").avg()
        except DamagedPhoto:
            return False
        return True

    @cached_property
    def luminance(self) -> Jpeg:
        """A JPEG with the same luminance, in scans of its own."""
        jpeg = self.jpeg
        if jpeg.luminance_scans:
            return jpeg
        if has_jpeglib():
            grey = _transcoded(coefficients(jpeg), jpeg)
        else:
            table, progressive = jpeg.luminance.table, jpeg.frame == PROGRESSIVE
            grey = encode_plane(self._blocks, table, progressive=progressive, optimize=False)
        return replace(parse(grey), height=jpeg.height, width=jpeg.width)

    @cached_property
    def luma_rows(self) -> Rows:
        """(top, bottom) → those rows of Y' (h, W) uint8, as the samples lie."""
        if self.is_luma and self.orientation == 1:
            return self.source.rows
        if self.is_luma and isinstance(self.source, ArraySource):
            luma = stored(self.source.pixels, self.orientation)
        else:
            luma = self._blocks[: self.jpeg.height, : self.jpeg.width]
        return lambda top, bottom: luma[top:bottom]

    @cached_property
    def _blocks(self) -> NDArray[np.uint8]:
        """Y' to the end of its blocks, decoded once more: they are said to be the picture's size."""
        size = (min(-(-side // 8) * 8, 65_528) for side in (self.jpeg.height, self.jpeg.width))
        at, data = self.jpeg.size_at, self.data
        return decoded_luma(data[:at] + struct.pack(">HH", *size) + data[at + 4 :])


def decoded_luma(data: bytes) -> NDArray[np.uint8]:
    """Y' (H, W) of a JPEG of grey or Y'CbCr, as its samples lie. Raises DamagedPhoto."""
    luma = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    if luma is None:
        raise DamagedPhoto("the JPEG does not decode: get a whole copy")
    return cast("NDArray[np.uint8]", luma)


def encode_plane(plane: Pixels, table: bytes, *, progressive: bool, optimize: bool = True) -> bytes:
    """A grey JPEG of (H, W) with a quantization table as `Component.table` has it.

    `optimize` takes four times as long and saves a tenth of smooth planes, next to nothing of others.
    """
    from PIL import Image

    target = io.BytesIO()
    tables = [quantization(table).tolist()]  # which a quality would scale
    image = Image.fromarray(plane)
    image.save(target, "jpeg", qtables=tables, quality=-1, optimize=optimize, progressive=progressive)
    return target.getvalue()


def quantization(table: bytes) -> NDArray[np.uint16]:
    """The 64 numbers, row by row, of a table in zigzag order."""
    numbers = np.empty(64, np.uint16)
    numbers[_ZIGZAG] = np.frombuffer(table, ">u2" if len(table) == 128 else np.uint8)
    return numbers


# --- coefficients ----------------------------------------------------------------------------------


@cache
def has_jpeglib() -> bool:
    return find_spec("jpeglib") is not None


def coefficients(jpeg: Jpeg) -> NDArray[np.int16]:
    """(⌈H/8⌉, ⌈W/8⌉, 8, 8) of the luminance of a whole JPEG. Raises MissingExtra."""
    try:
        import jpeglib
    except ImportError as error:
        feature = "reading the coefficients of a color JPEG"
        raise MissingExtra(feature, "jpeg") from error
    with _one_at_a_time, tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.jpg")
        path.write_bytes(b"".join(bare(jpeg)))  # it has room for fifty segments of metadata
        try:
            found = cast("NDArray[np.int16]", jpeglib.read_dct(str(path)).Y)
        except OSError as error:
            raise DamagedPhoto("the JPEG's coefficients cannot be read: get a whole copy") from error
    return found[: -(-jpeg.height // 8), : -(-jpeg.width // 8)]  # a scan with chroma is padded to whole MCUs


def _transcoded(found: NDArray[np.int16], jpeg: Jpeg) -> bytes:
    """A grey JPEG of coefficients, with the quantization table of another."""
    import jpeglib

    with _one_at_a_time, tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out.jpg")
        grey = jpeglib.from_dct(Y=found, qt=quantization(jpeg.luminance.table).reshape(1, 8, 8))
        grey.write_dct(str(path), flags=["+OPTIMIZE_CODING"])
        return path.read_bytes()
