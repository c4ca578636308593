"""Photos: their pixels, profiles and metadata, read and written.

    photo = read("scan.tif")            # Photo: sRGB pixels, upright, 8 or 16 bits
    photo.rows(0, 64)                   # (64, W) grey or (64, W, 3) RGB; strips() for all, in order
    colored = photo.with_pixels(rows)  # an array, or a function (top, bottom) → (h, W, 3)
    write(colored, "scan.colorized.tif")

`output_format` and `output_suffix` say in which format a colored photo is stored by default.
"""

from __future__ import annotations

from photochrom.photo.atomic import remove_stale
from photochrom.photo.colored import ColorCheck, is_colored
from photochrom.photo.file_options import FileOptions, ReadOptions
from photochrom.photo.formats import FORMATS, MAX_PIXELS, MAX_SIDE, PICTURE_SUFFIXES, Format, is_picture_name
from photochrom.photo.kinds import Kind, kind_of
from photochrom.photo.metadata import Metadata
from photochrom.photo.photo import Photo
from photochrom.photo.reading import read
from photochrom.photo.writing import luminance_written, output_format, output_suffix, write

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "MAX_SIDE",
    "PICTURE_SUFFIXES",
    "ColorCheck",
    "FileOptions",
    "Format",
    "Kind",
    "Metadata",
    "Photo",
    "ReadOptions",
    "is_colored",
    "is_picture_name",
    "kind_of",
    "luminance_written",
    "output_format",
    "output_suffix",
    "read",
    "remove_stale",
    "write",
]
