"""TIFF: which files are read, their metadata, and writing.

Written are strips deflated on several threads, BigTIFF where 4 GB do not suffice, metadata in fields.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from photochrom.errors import DamagedPhoto, UnknownFormat
from photochrom.photo import exif, ifd
from photochrom.photo.decoding import VipsFile
from photochrom.photo.encoding import interleaved, packer_of_differences
from photochrom.photo.iptc import from_photoshop, records
from photochrom.photo.strips import strip_height
from photochrom.photo.unread import RAW
from photochrom.photo.vips import damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.color import Pixels
    from photochrom.photo.atomic import Sink
    from photochrom.photo.encoding import Options
    from photochrom.photo.metadata import Metadata
    from photochrom.photo.origin import Origin
    from photochrom.photo.photo import Photo

_XMP, _IPTC, _PHOTOSHOP, _ICC, _DESCRIPTION = 700, 33723, 34377, 34675, 270
_BITS, _COMPRESSION, _KIND, _SAMPLE_FORMAT, _TILE_WIDTH = 258, 259, 262, 339, 322
DESCRIPTIVE = frozenset(
    (
        *(0x000B, 0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749),
        *(0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F, ifd.EXIF_IFD, ifd.GPS_IFD),
    )
)  # fields of the first directory that describe the photo, not the layout of the file
_GO_ON = (2, 3, 4, 6, 7)  # fax and JPEG: their decoders go on after an error
_CLASSIC = 3_900_000_000  # bytes of samples from which offsets need 64 bits
_DEFLATE, _DIFFERENCES = 8, 2
_DNG_VERSION = 50706
_SENSOR = (32803, 34892)  # color filter array, linear raw (DNG 1.7, PhotometricInterpretation)


# --- reading ---------------------------------------------------------------------------------------


@dataclass
class TiffFile(VipsFile):
    """A page of a TIFF. A broken tile is but a warning to libvips, so it is read strictly first."""

    strict: str = "warning"

    def opened(self) -> Any:
        if why := refusal(self.origin, self.page):
            raise UnknownFormat(why)
        fields = self._fields()
        image = super().opened()
        needed, kind = reaches_to(fields), compression(fields) if fields else 0
        if needed > self.origin.size:
            missing = needed - self.origin.size
            raise DamagedPhoto(damaged(f"tiff: at least {missing} bytes are missing at its end"))
        self.goes_on = kind in _GO_ON or _TILE_WIDTH in fields
        if kind in _GO_ON:
            self.lenient = "truncated"
            return super().opened()
        return image

    def collected(self) -> tuple[dict[str, Any], int, tuple[str, ...]]:
        odd: tuple[str, ...] = ()
        try:
            fields = self._fields(strict=True)
        except ValueError:
            odd = ("its metadata are damaged or cut short, and what is broken was dropped",)
            fields = self._fields()
        return metadata(fields), orientation(fields), odd

    def _fields(self, *, strict: bool = False) -> ifd.Directory:
        """The page's directory, {} where there is none to speak of (libtiff will say what is wrong).

        Raises ValueError if strict and a field is damaged.
        """
        with self.origin.open() as file:
            try:
                return ifd.parse_file(file, self.page, strict=strict)
            except ValueError:
                if strict:
                    raise
                return {}


def refusal(origin: Origin, page: int = 0) -> str | None:
    """Why a page is of a kind that is not read, with advice; None where it is, or is too broken to tell."""
    with origin.open() as file:
        try:
            fields = ifd.parse_file(file, page)
            if _is_raw(file, fields):
                return RAW.reason
        except ValueError:
            return None
    kind = unread_kind(fields)
    advice = "which is not read: save it as RGB or grey with 16 bits"
    return f"this is a TIFF with {kind}, {advice}" if kind else None


def _is_raw(file: BinaryIO, fields: ifd.Directory) -> bool:
    """Whether a page, or a picture below it, is of a camera's sensor, or the file a DNG."""
    below = ifd.sub_directories(file, fields)
    kinds = {kind for found in (fields, *below) for kind in ifd.integers(found, _KIND)}
    return _DNG_VERSION in fields or not kinds.isdisjoint(_SENSOR)


def is_bilevel(path: Path) -> bool:
    """Whether a TIFF's first page has one bit a sample; damage is left for the reader to report."""
    try:
        with path.open("rb") as file:
            return bits(ifd.parse_file(file)) == 1
    except (OSError, ValueError):
        return False


def reaches_to(fields: ifd.Directory) -> int:
    """The file size that the strips or tiles need at least; 0 where the fields do not say."""
    for offsets, sizes in ((324, 325), (273, 279)):
        starts, lengths = ifd.integers(fields, offsets), ifd.integers(fields, sizes)
        if starts and len(starts) == len(lengths):
            loose = offsets == 273 and compression(fields) == 1  # then libtiff counts for itself
            places = zip(starts, lengths, strict=True)
            return max((start + (1 if loose else size) for start, size in places if start), default=0)
    return 0


def dimensions(fields: ifd.Directory) -> tuple[int, int]:
    """(width, height). Raises IndexError where they are missing."""
    return ifd.integers(fields, 256)[0], ifd.integers(fields, 257)[0]


def compression(fields: ifd.Directory) -> int:
    """1 where nothing is said, which means none."""
    return (ifd.integers(fields, _COMPRESSION) or (1,))[0]


def bits(fields: ifd.Directory) -> int:
    """Bits of the first sample."""
    return (ifd.integers(fields, _BITS) or (1,))[0]


def unread_kind(fields: ifd.Directory) -> str | None:
    """What kind of samples or compression libvips' TIFF reader does not know, if it is one of those."""
    if ifd.integers(fields, _KIND) == (8,) and bits(fields) == 8:
        return "8-bit CIELAB samples"
    if bits(fields) == 64 or ifd.integers(fields, _SAMPLE_FORMAT)[:1] in ((5,), (6,)):
        return f"samples of {bits(fields)} bits"
    name = {34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50000: "ZSTD", 50001: "WebP"}
    return f"{name[kind]} compression" if (kind := compression(fields)) in name else None


def metadata(fields: ifd.Directory) -> dict[str, Any]:
    """The arguments of Metadata that a file's directory gives."""
    described = {tag: value for tag, value in fields.items() if tag in DESCRIPTIVE}
    own, photoshop = _raw(fields, _IPTC), _raw(fields, _PHOTOSHOP)
    return {
        "exif": ifd.dump(described) if described else None,
        "xmp": _raw(fields, _XMP),
        "iptc": (records(own) if own else None) or (from_photoshop(photoshop) if photoshop else None),
        "icc": _raw(fields, _ICC),
        "dpi": exif.resolution(fields),
    }


def _raw(fields: ifd.Directory, tag: int) -> bytes | None:
    value = fields.get(tag)
    return value.raw if isinstance(value, ifd.Field) else None


def orientation(fields: ifd.Directory) -> int:
    """1..8; 1 where there is none that makes sense."""
    numbers = ifd.integers(fields, exif.ORIENTATION)
    return numbers[0] if numbers and 1 <= numbers[0] <= 8 else 1


# --- writing ---------------------------------------------------------------------------------------


def write_tiff(photo: Photo, sink: Sink, options: Options) -> None:
    """Encodes a photo as deflated TIFF with 8 or 16 bits, alpha kept (unassociated)."""
    samples = photo.channels + photo.has_alpha
    packed = photo.map_strips(
        lambda top, strip: _packed(interleaved(photo, top, strip, options.depth)), threads=options.threads
    )
    fields: ifd.Directory = {_KIND: ifd.shorts(2 if photo.channels == 3 else 1)}
    if photo.has_alpha:
        fields[338] = ifd.shorts(2)
    strips = (data for _, data in packed)
    fields |= fields_of(photo.metadata)
    write_strips(sink, strips, (photo.height, photo.width, samples), options.depth, fields)


def write_lab(photo: Photo, sink: Sink, samples: Callable[[Pixels], NDArray[Any]]) -> None:
    """Encodes what `samples` makes of RGB rows as 16-bit CIELAB (TIFF 6.0, section 23).

    `samples` gives (h, W, 3) uint16: L* × 655.35, a* and b* × 256 as two's complements.
    """
    strips = (data for _, data in photo.map_strips(lambda top, strip: _packed(samples(strip))))
    write_strips(sink, strips, (photo.height, photo.width, 3), 16, {_KIND: ifd.shorts(8)})


def write_strips(
    sink: Sink, strips: Iterable[bytes], shape: tuple[int, int, int], depth: int, fields: ifd.Directory
) -> None:
    """Writes a TIFF of one page: packed strips, then a directory of its layout and these fields."""
    height, width, samples = shape
    big = height * width * samples * depth // 8 > _CLASSIC
    start = sink.tell()
    sink.write(b"II+\0\x08\0\0\0" + bytes(8) if big else b"II*\0" + bytes(4))
    offsets, sizes = [], []
    for packed in strips:
        offsets.append(sink.tell() - start)
        sizes.append(len(packed))
        sink.write(packed + b"\0" * (len(packed) % 2))
    where = sink.tell() - start
    layout: ifd.Directory = {
        256: ifd.longs([width]),
        257: ifd.longs([height]),
        _BITS: ifd.shorts(*[depth] * samples),
        _COMPRESSION: ifd.shorts(_DEFLATE),
        273: ifd.longs(offsets, big),
        exif.ORIENTATION: ifd.shorts(1),
        277: ifd.shorts(samples),
        278: ifd.longs([min(strip_height(width), height)]),
        279: ifd.longs(sizes, big),
        284: ifd.shorts(1),
        317: ifd.shorts(_DIFFERENCES),
    }
    sink.write(ifd.lay_out(layout | fields, where, big))
    end = sink.tell()
    sink.seek(start + (8 if big else 4))
    sink.write(struct.pack("<Q" if big else "<I", where))
    sink.seek(end)


def _packed(bands: NDArray[Any]) -> bytes:
    """(h, W, C) deflated as differences of neighbours (predictor 2), little-endian."""
    differences = bands.copy()
    differences[:, 1:] -= bands[:, :-1]
    packer = packer_of_differences(15)
    stored = differences.astype(differences.dtype.newbyteorder("<"), copy=False)
    return bytes(packer.compress(stored.tobytes()) + packer.flush())


def fields_of(metadata: Metadata) -> ifd.Directory:
    """The fields of a TIFF file that hold a photo's metadata."""
    fields: ifd.Directory = {}
    if metadata.exif:
        fields |= {tag: field for tag, field in ifd.parse(metadata.exif).items() if tag in DESCRIPTIVE}
    if metadata.dpi:
        fields |= exif.resolution_fields(metadata.dpi)
    if metadata.xmp:
        fields[_XMP] = ifd.Field(ifd.BYTE, metadata.xmp)
    if metadata.iptc:
        # numbers of 32 bits, as libtiff has it; that they are text, and padded, every reader knows
        fields[_IPTC] = ifd.Field(ifd.LONG, metadata.iptc + bytes(-len(metadata.iptc) % 4))
    if metadata.icc:
        fields[_ICC] = ifd.Field(ifd.UNDEFINED, metadata.icc)
    if metadata.comment and _DESCRIPTION not in fields:
        fields[_DESCRIPTION] = ifd.Field(ifd.ASCII, metadata.comment.encode() + b"\0")
    return fields


def written_size(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """(width, height) of a file that was just written; None where its end is missing."""
    fields = ifd.parse_file(file, strict=True)
    return None if reaches_to(fields) > size else dimensions(fields)
