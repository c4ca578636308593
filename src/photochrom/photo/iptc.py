"""IPTC records (IIM 4.2) in the wrappings that containers put around them."""

from __future__ import annotations

import struct

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
