"""EXIF blocks: the orientation taken out, the thumbnail dropped, all else left byte for byte."""

from __future__ import annotations

import struct

from photochrom.photo import ifd

ORIENTATION = 0x0112
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_COLOR_SPACE, _PIXELS_ACROSS, _PIXELS_DOWN = 0xA001, 0xA002, 0xA003
_PREFIX = b"Exif\0\0"
_ACROSS, _DOWN, _UNIT = 282, 283, 296


def settle(block: bytes) -> tuple[bytes, int]:
    """A TIFF-structured block with orientation 1 and no thumbnail, and the orientation that it had (1..8).

    The block may have an "Exif" prefix, which goes. Raises ValueError where it does not parse.
    """
    data = bytearray(block.removeprefix(_PREFIX))
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[:4]))
    if order is None:
        raise ValueError("no TIFF header")
    try:
        (first,) = struct.unpack_from(order + "I", data, 4)
        orientation = _take_orientation(data, order, first)
        if orientation >= 5:
            _swap_dimensions(data, order, first)
        _drop_thumbnail(data, order, first)
    except struct.error as error:
        raise ValueError("cut short") from error
    return bytes(data), orientation


def _take_orientation(data: bytearray, order: str, first: int) -> int:
    """The orientation, a SHORT by the standard; some programs write BYTE or LONG."""
    orientation = 1
    for tag, at in _entries(data, order, first):
        if tag == ORIENTATION:
            form = _form(data, order, at)
            (orientation,) = struct.unpack_from(form, data, at + 8)
            struct.pack_into(form, data, at + 8, 1)
    return orientation if 1 <= orientation <= 8 else 1


def _form(data: bytearray, order: str, at: int) -> str:
    """How the integer of the entry at `at` is packed; as SHORT where its type is none."""
    (kind,) = struct.unpack_from(order + "H", data, at + 2)
    form = order + ifd.INTEGERS.get(kind, "H")
    return form if struct.calcsize(form) <= 4 else order + "H"


def with_orientation(block: bytes | None, orientation: int) -> bytes | None:
    """A settled block that says how its picture's pixels lie; a new one where there is none."""
    if orientation == 1:
        return block
    if block is None:
        return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)
    data = bytearray(block)
    order = "<" if data[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", data, 4)
    at = dict(_entries(data, order, first)).get(ORIENTATION)
    if at is None:
        return with_orientation(_with_room(data, order, first), orientation)
    struct.pack_into(_form(data, order, at), data, at + 8, orientation)
    if orientation >= 5:
        _swap_dimensions(data, order, first)
    return bytes(data)


def _with_room(data: bytearray, order: str, first: int) -> bytes:
    """The block with an orientation of 1: its directory, one entry longer, follows the rest."""
    places = _entries(data, order, first)
    entries = [(tag, bytes(data[at : at + 12])) for tag, at in places]
    entries.append((ORIENTATION, struct.pack(order + "HHIHH", ORIENTATION, 3, 1, 1, 0)))
    end = first + 2 + 12 * len(places)
    data += bytes(len(data) % 2)
    struct.pack_into(order + "I", data, 4, len(data))
    data += struct.pack(order + "H", len(entries)) + b"".join(entry for _, entry in sorted(entries))
    return bytes(data + data[end : end + 4])


def _swap_dimensions(data: bytearray, order: str, first: int) -> None:
    """Exchanges the width and height that the EXIF directory states, where both are of one type."""
    places = dict(_inner_entries(data, order, first, ifd.EXIF_IFD))
    across, down = places.get(_PIXELS_ACROSS, 0), places.get(_PIXELS_DOWN, 0)
    if across and down:
        data[across + 2 : across + 12], data[down + 2 : down + 12] = (
            data[down + 2 : down + 12],
            data[across + 2 : across + 12],
        )


def _inner_entries(data: bytearray, order: str, first: int, pointer: int) -> list[tuple[int, int]]:
    """The entries of the directory that one of the first directory's fields points at; [] for none."""
    for tag, at in _entries(data, order, first):
        if tag == pointer:
            try:
                return _entries(data, order, struct.unpack_from(order + "I", data, at + 8)[0])
            except struct.error:
                break
    return []


def with_color_space(block: bytes, *, srgb: bool) -> bytes:
    """The block saying that the picture is sRGB, or else that its profile tells; only where it says anything.

    ColorSpace and the interoperability index (R98 is sRGB, R03 Adobe RGB), DCF 2.0 and CIPA DC-008 4.6.6.
    """
    data = bytearray(block)
    order = "<" if data[:2] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(order + "I", data, 4)
        for tag, at in _inner_entries(data, order, first, ifd.EXIF_IFD):
            kind, count = struct.unpack_from(order + "HI", data, at + 2)
            if tag == _COLOR_SPACE and (kind, count) == (ifd.SHORT, 1):
                struct.pack_into(order + "H", data, at + 8, 1 if srgb else 65535)
            elif tag == ifd.INTEROP_IFD:
                _set_index(data, order, struct.unpack_from(order + "I", data, at + 8)[0], srgb)
    except struct.error:
        return block
    return bytes(data)


def _set_index(data: bytearray, order: str, directory: int, srgb: bool) -> None:
    for tag, at in _entries(data, order, directory):
        if tag == 1 and bytes(data[at + 8 : at + 12]) in (b"R98\0", b"R03\0"):
            data[at + 8 : at + 12] = b"R98\0" if srgb else bytes(4)


def _entries(data: bytearray, order: str, offset: int) -> list[tuple[int, int]]:
    """(tag, position) of the entries of a directory."""
    (count,) = struct.unpack_from(order + "H", data, offset)
    positions = range(offset + 2, offset + 2 + 12 * count, 12)
    return [(struct.unpack_from(order + "H10x", data, at)[0], at) for at in positions]


def _drop_thumbnail(data: bytearray, order: str, first: int) -> None:
    """Unlinks the second directory; its picture is cut off, or blanked where data follows it."""
    link = first + 2 + 12 * len(_entries(data, order, first))
    if link + 4 > len(data):  # written without a link to a next directory
        return
    (second,) = struct.unpack_from(order + "I", data, link)
    struct.pack_into(order + "I", data, link, 0)
    if not 8 <= second < len(data):
        return
    try:
        place = {
            tag: struct.unpack_from(order + "I", data, at + 8)[0] for tag, at in _entries(data, order, second)
        }
    except struct.error:
        return
    start, length = place.get(_THUMBNAIL_OFFSET, 0), place.get(_THUMBNAIL_LENGTH, 0)
    if 8 <= start < len(data):
        end = min(start + length, len(data))
        data[start:end] = b"" if end == len(data) else bytes(end - start)


# --- the resolution, in EXIF as in TIFF ------------------------------------------------------------


def resolution(fields: ifd.Directory) -> tuple[float, float] | None:
    """Dots an inch (across, down), None where the unit is neither inch nor centimeter."""
    units = ifd.integers(fields, _UNIT)
    scale = {2: 1.0, 3: 2.54}.get(units[0] if units else 2, 0.0)
    across, down = (ifd.rationals(fields, tag)[:1] for tag in (_ACROSS, _DOWN))
    return (across[0] * scale, down[0] * scale) if scale and any(across) and any(down) else None


def resolution_of(block: bytes) -> tuple[float, float] | None:
    """The resolution that an EXIF block states, if it does."""
    try:
        return resolution(ifd.parse(block))
    except ValueError:
        return None


def resolution_fields(dpi: tuple[float, float]) -> ifd.Directory:
    """The three fields of a resolution in dots an inch."""
    return {_ACROSS: ifd.rational(dpi[0]), _DOWN: ifd.rational(dpi[1]), _UNIT: ifd.shorts(2)}


def with_resolution(block: bytes | None, dpi: tuple[float, float] | None) -> bytes | None:
    """A block, or none, with the resolution too, for a format that has no other place for it."""
    if dpi is None:
        return block
    fields = ifd.parse(block) if block else {}
    if block and resolution(fields) is not None:
        return block
    return ifd.dump(fields | resolution_fields(dpi))
