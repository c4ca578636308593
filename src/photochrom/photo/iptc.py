"""IPTC records (IIM 4.2) in the wrappings that containers put around them."""

from __future__ import annotations

import html
import re
import struct
from typing import TYPE_CHECKING

from photochrom.photo import xmp

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESOURCE = b"8BIM"
_IIM = 0x0404
_MARK = 0x1C  # every record starts with it
_MOST_BYTES = 4 << 20  # captions are short


def from_photoshop(resources: bytes) -> bytes | None:
    """The IPTC records among Photoshop's image resources; None where there are none."""
    at = 0
    while resources[at : at + 4] == _RESOURCE and at + 12 <= len(resources):
        (number,) = struct.unpack_from(">H", resources, at + 4)
        name = resources[at + 6] + 1
        start = at + 6 + name + name % 2
        if start + 4 > len(resources):
            return None
        (length,) = struct.unpack_from(">I", resources, start)
        if number == _IIM:
            return records(resources[start + 4 : start + 4 + length])
        at = start + 4 + length + length % 2
    return None


def to_photoshop(iptc: bytes) -> bytes:
    """IPTC records as the only Photoshop image resource."""
    return _RESOURCE + struct.pack(">HHI", _IIM, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)


def records(data: bytes) -> bytes | None:
    """IPTC records as some containers hold them: padded with zeros, or with every four bytes reversed."""
    data = data[:_MOST_BYTES]
    for candidate in (data, _reversed_words(data)):
        end = _end_of_records(candidate)
        if end:
            return candidate[:end]
    return None


def _end_of_records(data: bytes) -> int:
    """Where the last whole record ends; 0 where there is none."""
    at = 0
    while at + 5 <= len(data) and data[at] == _MARK:
        (length,) = struct.unpack_from(">H", data, at + 3)
        size = 5
        if length & 0x8000:  # an extended record: the length of its length comes first
            width = length & 0x7FFF
            size += width
            length = int.from_bytes(data[at + 5 : at + size], "big")
        if at + size + length > len(data):
            break
        at += size + length
    return at


def _reversed_words(data: bytes) -> bytes:
    """TIFF files of the other byte order hold IPTC as 32-bit numbers that libraries have turned round."""
    whole = len(data) // 4 * 4
    return b"".join(data[at : at + 4][::-1] for at in range(0, whole, 4))


# --- IPTC in XMP, for formats that have no place for records (IPTC-IIM to XMP mapping, 2023) --------

_DC = "http://purl.org/dc/elements/1.1/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_NOT_IN_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # XML 1.0, production 2
_PREFIXES = {_DC: "dc", _PHOTOSHOP: "photoshop", _CORE: "Iptc4xmpCore"}
_IN_XMP = {
    5: (_DC, "title", "Alt"),
    25: (_DC, "subject", "Bag"),
    40: (_PHOTOSHOP, "Instructions", ""),
    55: (_PHOTOSHOP, "DateCreated", ""),
    80: (_DC, "creator", "Seq"),
    85: (_PHOTOSHOP, "AuthorsPosition", ""),
    90: (_PHOTOSHOP, "City", ""),
    92: (_CORE, "Location", ""),
    95: (_PHOTOSHOP, "State", ""),
    100: (_CORE, "CountryCode", ""),
    101: (_PHOTOSHOP, "Country", ""),
    103: (_PHOTOSHOP, "TransmissionReference", ""),
    105: (_PHOTOSHOP, "Headline", ""),
    110: (_PHOTOSHOP, "Credit", ""),
    115: (_PHOTOSHOP, "Source", ""),
    116: (_DC, "rights", "Alt"),
    120: (_DC, "description", "Alt"),
    122: (_PHOTOSHOP, "CaptionWriter", ""),
}


def texts(data: bytes) -> dict[int, list[str]]:
    """The texts of the application record (2:xx) by their number, in UTF-8 or else Latin-1."""
    found: dict[int, list[str]] = {}
    for record, number, value in _datasets(data):
        if record == 2:
            try:
                text = value.decode()
            except UnicodeDecodeError:
                text = value.decode("latin-1")
            found.setdefault(number, []).append(text.strip("\0 "))
    return found


def _datasets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 5 <= len(data) and data[at] == _MARK:
        record, number, length = struct.unpack_from(">BBH", data, at + 1)
        at += 5
        if length & 0x8000:
            width = length & 0x7FFF
            length = int.from_bytes(data[at : at + width], "big")
            at += width
        yield record, number, data[at : at + length]
        at += length


def in_xmp(iptc: bytes, packet: bytes | None) -> bytes | None:
    """The packet (a new one for None) that says what the records say where it does not say it itself."""
    stated = []
    for number, values in texts(iptc).items():
        namespace, name, kind = _IN_XMP.get(number, ("", "", ""))
        values = [value for value in values if value]
        if name and values and not (packet and xmp.has(packet, namespace, name)):
            value = _date(values[0]) if name == "DateCreated" else "; ".join(values)
            stated.append(
                _element(f"{_PREFIXES[namespace]}:{name}", kind, values if kind == "Bag" else [value])
            )
    if not stated:
        return packet
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for uri, prefix in _PREFIXES.items())
    return xmp.with_description(packet, declared, "".join(stated))


def _element(name: str, kind: str, values: list[str]) -> str:
    texts = [html.escape(_NOT_IN_XML.sub(" ", value), quote=False) for value in values]
    if not kind:
        return f"<{name}>{texts[0]}</{name}>"
    language = ' xml:lang="x-default"' if kind == "Alt" else ""
    items = "".join(f"<rdf:li{language}>{text}</rdf:li>" for text in texts)
    return f"<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>"


def _date(text: str) -> str:
    """CCYYMMDD → CCYY-MM-DD."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if text.isdecimal() and len(text) == 8 else text
