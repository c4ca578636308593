"""A file's metadata, gathered from its container; what does not parse becomes a warning."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from photochrom.errors import DamagedPhoto
from photochrom.photo import ifd, iptc, tiff_fields, xmp
from photochrom.photo.boxes import read_boxes
from photochrom.photo.chunks import read_chunks
from photochrom.photo.exif import settle
from photochrom.photo.metadata import Metadata
from photochrom.photo.segments import read_segments
from photochrom.photo.vips import damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from photochrom.photo.origin import Origin


@dataclass(frozen=True)
class Found:
    """Metadata, the orientation that the pixels are stored in (1..8), and what was odd."""

    metadata: Metadata = field(default_factory=Metadata)
    orientation: int = 1
    warnings: tuple[str, ...] = ()


def read_metadata(name: str, origin: Origin, page: int = 0, known: Mapping[str, Any] | None = None) -> Found:
    """The metadata of a file of format `name`; `known` is what its decoder has found already.

    The keys of `known` are those of Metadata. Nothing here raises for a broken block: it is dropped with
    a warning.
    """
    collected = {key: value for key, value in (known or {}).items() if value}
    orientation, odd = 1, list[str]()
    with origin.open() as file:
        if name in _CONTAINERS:
            own = _CONTAINERS[name](file)
            collected |= {key: value for key, value in own.items() if value}
        elif name == "tiff":
            own, orientation, odd = _tiff(file, page)
            collected |= {key: value for key, value in own.items() if value}
    found = _settled(collected, orientation, upright=name in ("avif", "heic"))
    return replace(found, warnings=(*odd, *found.warnings))


def _settled(collected: dict[str, Any], orientation: int, *, upright: bool) -> Found:
    """Takes the orientation and the thumbnail out of the EXIF, and drops what is broken."""
    warnings = []
    if block := collected.pop("exif", None):
        try:
            exif = settle(block)
            collected["exif"] = exif.block
            orientation = exif.orientation if orientation == 1 else orientation
        except ValueError as error:
            warnings.append(f"its EXIF does not parse ({error}) and was dropped")
    if packet := collected.pop("xmp", None):
        try:
            collected["xmp"] = xmp.normalized(packet)
        except (ValueError, UnicodeError) as error:
            warnings.append(f"its XMP does not parse ({error}) and was dropped")
    metadata = Metadata(**collected)
    if metadata.dpi is None and metadata.exif:
        metadata = replace(metadata, dpi=_dpi_of_exif(metadata.exif))
    return Found(_sane(metadata), 1 if upright else orientation, tuple(warnings))


def _sane(metadata: Metadata) -> Metadata:
    """Without a resolution that no scanner has."""
    if metadata.dpi is None or all(1 <= value <= 100_000 for value in metadata.dpi):
        return metadata
    return replace(metadata, dpi=None)


def _dpi_of_exif(block: bytes) -> tuple[float, float] | None:
    try:
        return tiff_fields.resolution(ifd.parse(block))
    except ValueError:
        return None


def _jpeg(file: BinaryIO) -> dict[str, Any]:
    return vars(read_segments(file))


def _png(file: BinaryIO) -> dict[str, Any]:
    chunks = read_chunks(file)
    return vars(chunks) | {"texts": tuple(chunks.texts)}


def _jpeg2000(file: BinaryIO) -> dict[str, Any]:
    return vars(read_boxes(file))


_CONTAINERS: dict[str, Callable[[BinaryIO], dict[str, Any]]] = {
    "jpeg": _jpeg,
    "png": _png,
    "jpeg2000": _jpeg2000,
}


def _tiff(file: BinaryIO, page: int) -> tuple[dict[str, Any], int, list[str]]:
    """(arguments of Metadata, orientation, warnings)."""
    warnings = []
    try:
        fields = ifd.parse_file(file, page, strict=True)
    except ValueError:
        warnings = ["its metadata are damaged or cut short, and what is broken was dropped"]
        try:
            fields = ifd.parse_file(file, page)
        except ValueError:
            fields = {}
    return tiff_fields.metadata(fields), tiff_fields.orientation(fields), warnings


def check_whole_tiff(origin: Origin, page: int) -> tuple[int, bool]:
    """The compression of a TIFF, and whether it is tiled.

    Raises DamagedPhoto where strips or tiles lie behind the end of the file.
    """
    with origin.open() as file:
        try:
            fields = ifd.parse_file(file, page)
        except ValueError:
            return 0, False  # libtiff will say what is wrong
    needed = tiff_fields.reaches_to(fields)
    if needed > origin.size:
        missing = needed - origin.size
        raise DamagedPhoto(damaged(f"tiff: at least {missing} bytes are missing at its end"))
    return tiff_fields.compression(fields), tiff_fields.is_tiled(fields)


def unread_tiff(origin: Origin, page: int) -> str | None:
    """Why a TIFF that does not open is not to blame for it; None where it is."""
    with origin.open() as file:
        try:
            fields = ifd.parse_file(file, page)
        except ValueError:
            return None
    kind = tiff_fields.unread_kind(fields)
    return (
        f"this is a TIFF with {kind}, which is not read: save it as RGB or grey with 16 bits"
        if kind
        else None
    )


def known_to_vips(image: Any) -> dict[str, Any]:
    """Profile, EXIF, XMP and IPTC as libvips has found them."""
    names = {"icc": "icc-profile-data", "exif": "exif-data", "xmp": "xmp-data"}
    blobs = {key: bytes(image.get(name)) for key, name in names.items() if image.get_typeof(name)}
    return {key: value for key, value in blobs.items() if value}


def known_to_pillow(image: Any) -> dict[str, Any]:
    """Profile, EXIF, XMP, comment and resolution as Pillow has found them."""
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
