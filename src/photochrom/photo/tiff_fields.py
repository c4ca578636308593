"""The metadata among a TIFF directory's fields, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photochrom.photo import ifd
from photochrom.photo.iptc import from_photoshop, records

if TYPE_CHECKING:
    from photochrom.photo.metadata import Metadata

XMP, IPTC, PHOTOSHOP, ICC = 700, 33723, 34377, 34675
_DESCRIPTION, _ORIENTATION, _ACROSS, _DOWN, _UNIT = 270, 274, 282, 283, 296
DESCRIPTIVE = frozenset(
    (
        *(0x000B, 0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749),
        *(0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F, ifd.EXIF_IFD, ifd.GPS_IFD),
    )
)  # fields of the first directory that describe the photo, not the layout of the file


def reaches_to(fields: ifd.Directory) -> int:
    """The file size that the strips or tiles need at least; 0 where the fields do not say."""
    for offsets, sizes in ((324, 325), (273, 279)):
        starts, lengths = _numbers(fields, offsets), _numbers(fields, sizes)
        if starts and len(starts) == len(lengths):
            loose = offsets == 273 and compression(fields) == 1  # then libtiff counts for itself
            return max(
                (
                    start + (1 if loose else size)
                    for start, size in zip(starts, lengths, strict=True)
                    if start
                ),
                default=0,
            )
    return 0


def dimensions(fields: ifd.Directory) -> tuple[int, int]:
    """(width, height). Raises IndexError where they are missing."""
    return _numbers(fields, 256)[0], _numbers(fields, 257)[0]


def compression(fields: ifd.Directory) -> int:
    """1 where nothing is said, which means none."""
    return (_numbers(fields, 259) or (1,))[0]


def unread_kind(fields: ifd.Directory) -> str | None:
    """What kind of samples or compression libvips' TIFF reader does not know, if it is one of those."""
    bits = (_numbers(fields, 258) or (1,))[0]
    if _numbers(fields, 262) == (8,) and bits == 8:
        return "8-bit CIELAB samples"
    if bits == 64 or _numbers(fields, 339)[:1] in ((5,), (6,)):
        return f"samples of {bits} bits"
    name = {34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50000: "ZSTD", 50001: "WebP"}
    return f"{name[kind]} compression" if (kind := compression(fields)) in name else None


def is_tiled(fields: ifd.Directory) -> bool:
    return 322 in fields


def _numbers(fields: ifd.Directory, tag: int) -> tuple[int, ...]:
    value = fields.get(tag)
    return value.integers() if isinstance(value, ifd.Field) else ()


def metadata(fields: ifd.Directory) -> dict[str, Any]:
    """The arguments of Metadata that a file's first directory gives."""
    described = {tag: value for tag, value in fields.items() if tag in DESCRIPTIVE}
    return {
        "exif": ifd.dump(described) if described else None,
        "xmp": _raw(fields, XMP),
        "iptc": _iptc(fields),
        "icc": _raw(fields, ICC),
        "dpi": resolution(fields),
    }


def _raw(fields: ifd.Directory, tag: int) -> bytes | None:
    value = fields.get(tag)
    return value.raw if isinstance(value, ifd.Field) else None


def _iptc(fields: ifd.Directory) -> bytes | None:
    own, photoshop = _raw(fields, IPTC), _raw(fields, PHOTOSHOP)
    return (records(own) if own else None) or (from_photoshop(photoshop) if photoshop else None)


def orientation(fields: ifd.Directory) -> int:
    """1..8; 1 where there is none that makes sense."""
    numbers = _numbers(fields, _ORIENTATION)
    return numbers[0] if numbers and 1 <= numbers[0] <= 8 else 1


def resolution(fields: ifd.Directory) -> tuple[float, float] | None:
    """Dots an inch (across, down), None where the unit is neither inch nor centimetre."""
    numbers = _numbers(fields, _UNIT)
    scale = {2: 1.0, 3: 2.54}.get(numbers[0] if numbers else 2, 0.0)
    across, down = fields.get(_ACROSS), fields.get(_DOWN)
    if not scale or not isinstance(across, ifd.Field) or not isinstance(down, ifd.Field):
        return None
    values = across.rational(), down.rational()
    return (values[0] * scale, values[1] * scale) if values[0] and values[1] else None


def resolution_fields(dpi: tuple[float, float]) -> ifd.Directory:
    """The three fields of a resolution in dots an inch."""
    return {_ACROSS: ifd.rational(dpi[0]), _DOWN: ifd.rational(dpi[1]), _UNIT: ifd.shorts(2)}


def fields_of(metadata: Metadata) -> ifd.Directory:
    """The fields of a TIFF file that hold a photo's metadata."""
    fields: ifd.Directory = {}
    if metadata.exif:
        fields |= {tag: field for tag, field in ifd.parse(metadata.exif).items() if tag in DESCRIPTIVE}
    if metadata.dpi:
        fields |= resolution_fields(metadata.dpi)
    if metadata.xmp:
        fields[XMP] = ifd.Field(ifd.BYTE, metadata.xmp)
    if metadata.iptc:
        # numbers of 32 bits, as libtiff has it; that they are text, and padded, every reader knows
        fields[IPTC] = ifd.Field(ifd.LONG, metadata.iptc + bytes(-len(metadata.iptc) % 4))
    if metadata.icc:
        fields[ICC] = ifd.Field(ifd.UNDEFINED, metadata.icc)
    if metadata.comment and _DESCRIPTION not in fields:
        fields[_DESCRIPTION] = ifd.Field(ifd.ASCII, metadata.comment.encode() + b"\0")
    return fields


def exif_with_resolution(metadata: Metadata) -> bytes | None:
    """The EXIF for a format that has no other place for the resolution."""
    if metadata.dpi is None:
        return metadata.exif
    if metadata.exif is None:
        return ifd.dump(resolution_fields(metadata.dpi))
    fields = ifd.parse(metadata.exif)
    if resolution(fields) is not None:
        return metadata.exif
    return ifd.dump(fields | resolution_fields(metadata.dpi))
