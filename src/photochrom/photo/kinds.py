"""kind_of: is this file a picture, of which kind, and would it be read?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from photochrom.errors import PhotoError, UnknownFormat
from photochrom.photo.formats import PICTURE_SUFFIXES, SNIFF, sniff
from photochrom.photo.origin import origin_of
from photochrom.photo.tiff import TiffFile
from photochrom.photo.unread import RAW, unread_kind

if TYPE_CHECKING:
    import os


class Kind(NamedTuple):
    """What a file is ("JPEG", "raw camera file"), and why it is not read, None where it is."""

    name: str
    refused: str | None = None


def kind_of(source: str | os.PathLike[str] | bytes) -> Kind | None:
    """The kind of a picture, by its first bytes and else by its name; None for what is not a picture.

    Nothing is decoded: a file that is taken may still turn out to be damaged. A file that cannot be
    opened is refused with that reason, if its name is a picture's.
    """
    suffix = "" if isinstance(source, bytes) else Path(source).suffix.lower()
    try:
        origin = origin_of(source)
        head = origin.head(SNIFF)
        fmt = sniff(head)
        if fmt.name == "tiff" and suffix in RAW.suffixes:
            return Kind(RAW.name, RAW.reason)
        if fmt.name == "tiff" and (why := TiffFile(origin, fmt, "tiff").refusal):
            return Kind(RAW.name if why == RAW.reason else "TIFF", why)
        return Kind(fmt.name.upper())
    except UnknownFormat as error:
        unread = unread_kind(head, suffix)
        if unread:
            return Kind(unread.name, unread.reason)
        return Kind(suffix.removeprefix(".").upper(), str(error)) if suffix in PICTURE_SUFFIXES else None
    except PhotoError as error:
        named = unread_kind(b"", suffix) or suffix in PICTURE_SUFFIXES
        return Kind(suffix.removeprefix(".").upper(), str(error)) if named else None
