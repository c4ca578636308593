"""TIFF: which files are read, their metadata, and writing.

Written are strips deflated on several threads, BigTIFF where 4 GB do not suffice, metadata in fields.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

from photochrom.errors import DamagedPhoto, UnknownFormat
from photochrom.photo import exif, ifd, tiff_codecs, tiff_samples
from photochrom.photo.decoding import VipsFile
from photochrom.photo.encoding import interleaved, packer_of_differences
from photochrom.photo.iptc import from_photoshop, records
from photochrom.photo.strips import strip_height
from photochrom.photo.unread import RAW
from photochrom.photo.vips import damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.color import Pixels
    from photochrom.photo.atomic import Sink
    from photochrom.photo.encoding import Options
    from photochrom.photo.formats import Limits
    from photochrom.photo.metadata import Metadata
    from photochrom.photo.photo import Photo

_XMP, _IPTC, _PHOTOSHOP, _ICC, _DESCRIPTION, _USER_COMMENT = 700, 33723, 34377, 34675, 270, 0x9286
_TILE_WIDTH = 322
_DESCRIPTIVE = frozenset(
    (
        *(0x000B, 0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749),
        *(0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F, ifd.EXIF_IFD, ifd.GPS_IFD),
    )
)  # fields of the first directory that describe the photo, not the layout of the file
_DESCRIBED = _DESCRIPTIVE | {_XMP, _IPTC, _PHOTOSHOP, exif.ORIENTATION}
_GO_ON = (2, 3, 4, 6, 7)  # fax and JPEG: their decoders go on after an error
_CLASSIC = 3_900_000_000  # bytes of samples from which offsets need 64 bits
_DEFLATE, _DIFFERENCES = 8, 2
_DNG_VERSION = 50706
_SENSOR = (32803, 34892)  # color filter array, linear raw (DNG 1.7, PhotometricInterpretation)


# --- reading ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """A full-size picture of a TIFF: which page, or which of the SubIFDs below that; and its fields."""

    number: int
    below: int | None
    fields: ifd.Directory


def survey(file: BinaryIO) -> tuple[list[Page], bool]:
    """The full-size pictures of a TIFF, and whether one of them is a camera's raw data.

    Thumbnails and masks (NewSubfileType, TIFF 6.0) count only where there is nothing else; a full-size
    picture may stand below a thumbnail. Raises ValueError for a file without a directory.
    """
    every, full, raw = list[Page](), list[Page](), False
    described: ifd.Directory = {}  # by a thumbnail in front, as cameras do
    for number, fields in enumerate(ifd.directories(file)):
        inner = ifd.sub_directories(file, fields)
        raw = raw or any(_is_sensor(found) for found in (fields, *inner))
        every.append(Page(number, None, described | fields))
        if not _is_reduced(fields):
            full.append(every[-1])
            continue
        mine = {tag: fields[tag] for tag in _DESCRIBED & fields.keys()}
        full += [Page(number, n, mine | found) for n, found in enumerate(inner) if not _is_reduced(found)]
        described = described or mine
    return full or every, raw


def _is_sensor(fields: ifd.Directory) -> bool:
    return _DNG_VERSION in fields or (ifd.integers(fields, tiff_samples.KIND) or (0,))[0] in _SENSOR


def _is_reduced(fields: ifd.Directory) -> bool:
    """Whether it is a reduced copy (1), a transparency mask (4) or broken; 255 is the older tag."""
    return not fields or bool((ifd.integers(fields, 254) or (0,))[0] & 5) or ifd.integers(fields, 255) == (2,)


@dataclass
class TiffFile(VipsFile):
    """A page of a TIFF. A broken tile is but a warning to libvips, so it is read strictly first."""

    strict: str = "warning"

    @cached_property
    def _survey(self) -> tuple[list[Page], bool]:
        with self.origin.open() as file:
            try:
                return survey(file)
            except ValueError:
                return [], False  # libtiff will say what is wrong

    @property
    def _pages(self) -> list[Page]:
        return self._survey[0]

    @property
    def refusal(self) -> str | None:
        """Why the page is of a kind that is not read, with advice; None where it is, or is broken."""
        if self._survey[1]:
            return RAW.reason
        if kind := tiff_samples.unreadable(self._fields):
            return f"this is a TIFF with {kind}, which is not read: save it as RGB or grey with 16 bits"
        kind = tiff_samples.unread(self._fields)
        if kind is None or tiff_codecs.are_there():
            return None
        return (
            f"this is a TIFF with {kind}: save it as RGB or grey with 16 bits and no or LZW compression, "
            "or read it as it is with the extra [tiff], pip install 'photochrom[tiff]'"
        )

    @property
    def _fields(self) -> ifd.Directory:
        return self._pages[self.page].fields if self.page < len(self._pages) else {}

    def place(self) -> dict[str, int]:
        if self.page >= len(self._pages):
            return {}
        page = self._pages[self.page]
        return {"page": page.number} if page.below is None else {"page": page.number, "subifd": page.below}

    def pages(self, image: Any) -> int:
        return len(self._pages) or 1

    def opened(self) -> Any:
        if self.refusal:
            raise UnknownFormat(self.refusal)
        self.check_page(len(self._pages))
        image = super().opened()
        needed, kind = reaches_to(self._fields), tiff_samples.compression(self._fields)
        if needed > self.origin.size and not self.salvage:
            missing = needed - self.origin.size
            raise DamagedPhoto(damaged(f"tiff: at least {missing} bytes are missing at its end"))
        self.goes_on = self.salvage or kind in _GO_ON or _TILE_WIDTH in self._fields
        if kind in _GO_ON and not self.salvage:
            self.lenient = "truncated"
            return super().opened()
        return image

    @cached_property
    def _image(self) -> Any:
        """The page by other libraries, where libvips does not read its kind."""
        page = self._pages[self.page]
        return tiff_codecs.image_of(self.origin, page.number, page.below)

    def _load(self, fail_on: str, access: str = "sequential") -> Any:
        return self._image if tiff_samples.unread(self._fields) else super()._load(fail_on, access)

    def photo(self, limits: Limits) -> Photo:
        """As that of any file. What other libraries read, they decode in one piece."""
        if tiff_samples.unread(self._fields):
            for across, down in ((256, 257), (_TILE_WIDTH, _TILE_WIDTH + 1)):
                size = [ifd.integers(self._fields, tag)[:1] for tag in (across, down)]
                if all(size):
                    limits.check(size[0][0], size[1][0], self.format.share)
            self.check_bands((ifd.integers(self._fields, tiff_samples.SAMPLES) or (1,))[0])
        return super().photo(limits)

    def interpreted(self, image: Any) -> tuple[Any, Any]:
        return tiff_samples.interpreted(image, self._fields)

    def collected(self, image: Any) -> tuple[dict[str, Any], int, tuple[str, ...]]:
        odd = tiff_samples.told(self._fields)
        with self.origin.open() as file:
            try:
                ifd.parse_file(file, self.place().get("page", 0), strict=True)
            except ValueError:
                odd += ("its metadata are damaged or cut short, and what is broken was dropped",)
        return metadata(self._fields), orientation(self._fields), odd


def is_bilevel(path: Path) -> bool:
    """Whether a TIFF's first page has one bit a sample; damage is left for the reader to report."""
    try:
        with path.open("rb") as file:
            return tiff_samples.bits(ifd.parse_file(file)) == 1
    except (OSError, ValueError):
        return False


def reaches_to(fields: ifd.Directory) -> int:
    """The file size that the strips or tiles need at least; 0 where the fields do not say."""
    for offsets, sizes in ((324, 325), (273, 279)):
        starts, lengths = ifd.integers(fields, offsets), ifd.integers(fields, sizes)
        if starts and len(starts) == len(lengths):
            loose = offsets == 273 and tiff_samples.compression(fields) == 1  # then libtiff counts for itself
            places = zip(starts, lengths, strict=True)
            return max((start + (1 if loose else size) for start, size in places if start), default=0)
    return 0


def dimensions(fields: ifd.Directory) -> tuple[int, int]:
    """(width, height). Raises IndexError where they are missing."""
    return ifd.integers(fields, 256)[0], ifd.integers(fields, 257)[0]


def metadata(fields: ifd.Directory) -> dict[str, Any]:
    """The arguments of Metadata that a file's directory gives."""
    described = {tag: value for tag, value in fields.items() if tag in _DESCRIPTIVE}
    own, photoshop = _raw(fields, _IPTC), _raw(fields, _PHOTOSHOP)
    return {
        "exif": ifd.dump(described) if described else None,
        "xmp": _raw(fields, _XMP),
        "iptc": (records(own) if own else None) or (from_photoshop(photoshop) if photoshop else None),
        "icc": _raw(fields, _ICC),
        "dpi": exif.resolution(fields),
        "comment": "\n".join(_repeated(described)) or None,
    }


def _repeated(fields: ifd.Directory) -> list[str]:
    """The texts of tags that stand there before: the first counts, and nothing is lost."""
    more = [value for field in fields.values() if isinstance(field, ifd.Field) for value in field.again]
    return [value.raw.rstrip(b"\0").decode("utf-8", "replace") for value in more if value.kind == ifd.ASCII]


def _raw(fields: ifd.Directory, tag: int) -> bytes | None:
    value = fields.get(tag)
    return value.raw if isinstance(value, ifd.Field) else None


def orientation(fields: ifd.Directory) -> int:
    """1..8; 1 where there is none that makes sense."""
    numbers = ifd.integers(fields, exif.ORIENTATION)
    return numbers[0] if numbers and 1 <= numbers[0] <= 8 else 1


# --- writing ---------------------------------------------------------------------------------------


def write_tiff(photo: Photo, sink: Sink, options: Options) -> None:
    """Encodes a photo as deflated TIFF with 8 or 16 bits, alpha kept (unassociated), further channels too."""
    write_pages([photo], sink, options)


def write_pages(photos: Sequence[Photo], sink: Sink, options: Options) -> None:
    """Encodes photos as the pages of a TIFF, one after another, each as `write_tiff` does.

    They are asked for one by one, and once more from the first where 32 bits turn out not to reach.
    """
    start = sink.tell()
    if not _fitted(photos, sink, options, big=False):
        sink.seek(start)
        sink.truncate()
        _fitted(photos, sink, options, big=True)


def _fitted(photos: Iterable[Photo], sink: Sink, options: Options, *, big: bool) -> bool:
    """Write pages; whether their offsets fit, as 64 bits always do."""
    start, link = _begin(sink, big), 8 if big else 4
    for photo in photos:
        bands = photo.channels + photo.has_alpha + photo.source.extra_channels
        end = sink.tell() - start + photo.height * photo.width * bands * options.depth // 8
        if end > _CLASSIC and not big:
            return False
        link = _write_page(photo, sink, options, start, link, big)
    return True


def _write_page(photo: Photo, sink: Sink, options: Options, start: int, link: int, big: bool) -> int:
    further = photo.source.extra_channels
    samples = photo.channels + photo.has_alpha + further
    packed = photo.map_strips(
        lambda top, strip: _packed(interleaved(photo, top, strip, options.depth, extra=True)),
        threads=options.threads,
    )
    fields: ifd.Directory = {tiff_samples.KIND: ifd.shorts(2 if photo.channels == 3 else 1)}
    if photo.has_alpha or further:
        fields[tiff_samples.EXTRA] = ifd.shorts(*[2] * photo.has_alpha, *[0] * further)
    strips = (data for _, data in packed)
    fields |= fields_of(photo.metadata)
    shape = (photo.height, photo.width, samples)
    return _write_strips(sink, strips, shape, options.depth, fields, start, link, big)


def write_lab(photo: Photo, sink: Sink, samples: Callable[[Pixels], NDArray[Any]]) -> None:
    """Encodes what `samples` makes of RGB rows as 16-bit CIELAB (TIFF 6.0, section 23).

    `samples` gives (h, W, 3) uint16: L* × 655.35, a* and b* × 256 as two's complements.
    """
    strips = (data for _, data in photo.map_strips(lambda top, strip: _packed(samples(strip))))
    big = photo.height * photo.width * 6 > _CLASSIC
    fields: ifd.Directory = {tiff_samples.KIND: ifd.shorts(8)}
    shape = (photo.height, photo.width, 3)
    _write_strips(sink, strips, shape, 16, fields, _begin(sink, big), 8 if big else 4, big)


def _begin(sink: Sink, big: bool) -> int:
    """Writes the header, whose link to the first page is set later; where the file starts."""
    start = sink.tell()
    sink.write(b"II+\0\x08\0\0\0" + bytes(8) if big else b"II*\0" + bytes(4))
    return start


def _write_strips(
    sink: Sink,
    strips: Iterable[bytes],
    shape: tuple[int, int, int],
    depth: int,
    fields: ifd.Directory,
    start: int,
    link: int,
    big: bool,
) -> int:
    """Writes a page: packed strips, then a directory of its layout and these fields, linked to from `link`.

    Returns where its own link to a next page is; both count from `start`.
    """
    height, width, samples = shape
    offsets, sizes = [], []
    for packed in strips:
        offsets.append(sink.tell() - start)
        sizes.append(len(packed))
        sink.write(packed + b"\0" * (len(packed) % 2))
    where = sink.tell() - start
    layout: ifd.Directory = {
        256: ifd.longs([width]),
        257: ifd.longs([height]),
        tiff_samples.BITS: ifd.shorts(*[depth] * samples),
        tiff_samples.COMPRESSION: ifd.shorts(_DEFLATE),
        273: ifd.longs(offsets, big),
        exif.ORIENTATION: ifd.shorts(1),
        277: ifd.shorts(samples),
        278: ifd.longs([min(strip_height(width), height)]),
        279: ifd.longs(sizes, big),
        284: ifd.shorts(1),
        317: ifd.shorts(_DIFFERENCES),
    }
    directory = layout | fields
    sink.write(ifd.lay_out(directory, where, big))
    end = sink.tell()
    sink.seek(start + link)
    sink.write(struct.pack("<Q" if big else "<I", where))
    sink.seek(end)
    return where + (8 + 20 * len(directory) if big else 2 + 12 * len(directory))


def _packed(bands: NDArray[Any]) -> bytes:
    """(h, W, C) deflated as differences of neighbors (predictor 2), little-endian."""
    differences = bands.copy()
    differences[:, 1:] -= bands[:, :-1]
    packer = packer_of_differences(15)
    stored = differences.astype(differences.dtype.newbyteorder("<"), copy=False)
    return bytes(packer.compress(stored.tobytes()) + packer.flush())


def fields_of(metadata: Metadata) -> ifd.Directory:
    """The fields of a TIFF file that hold a photo's metadata."""
    fields: ifd.Directory = {}
    if metadata.exif:
        fields |= {tag: field for tag, field in ifd.parse(metadata.exif).items() if tag in _DESCRIPTIVE}
    if metadata.dpi:
        fields |= exif.resolution_fields(metadata.dpi)
    if metadata.xmp:
        fields[_XMP] = ifd.Field(ifd.BYTE, metadata.xmp)
    if metadata.iptc:
        # numbers of 32 bits, as libtiff has it; that they are text, and padded, every reader knows
        fields[_IPTC] = ifd.Field(ifd.LONG, metadata.iptc + bytes(-len(metadata.iptc) % 4))
    if metadata.icc:
        fields[_ICC] = ifd.Field(ifd.UNDEFINED, metadata.icc)
    if metadata.comment:
        _take_comment(fields, metadata.comment)
    return fields


def _take_comment(fields: ifd.Directory, comment: str) -> None:
    """Stores a comment as the description, or, where that is taken, as EXIF's UserComment."""
    inner = fields.get(ifd.EXIF_IFD)
    own = inner if isinstance(inner, dict) else {}
    if _DESCRIPTION not in fields:
        fields[_DESCRIPTION] = ifd.Field(ifd.ASCII, comment.encode() + b"\0")
    elif _USER_COMMENT not in own:
        text = ifd.Field(ifd.UNDEFINED, b"UNICODE\0" + comment.encode("utf-16-le"))
        fields[ifd.EXIF_IFD] = {**own, _USER_COMMENT: text}


def written_size(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """(width, height) of a file that was just written; None where its end is missing."""
    fields = ifd.parse_file(file, strict=True)
    return None if reaches_to(fields) > size else dimensions(fields)
