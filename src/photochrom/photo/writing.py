"""write: a Photo → a file, all or nothing."""

from __future__ import annotations

import os
import struct
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from photochrom.errors import OptionError, PhotoError, WriteError
from photochrom.photo.atomic import save
from photochrom.photo.encoding import Options
from photochrom.photo.file_options import FileOptions
from photochrom.photo.formats import FORMATS, Format, format_named, format_of_path
from photochrom.photo.metadata import Metadata
from photochrom.photo.profiles import color_space, srgb_profile, to_profile
from photochrom.photo.strips import OneByOne

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from photochrom.photo.atomic import Sink
    from photochrom.photo.encoding import Encoder
    from photochrom.photo.jpeg_original import Luminance
    from photochrom.photo.photo import Photo


def write(
    photo: Photo,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    format: str | None = FileOptions.format,
    quality: int = FileOptions.quality,
    subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = FileOptions.subsampling,
    depth: Literal[8, 16] | None = FileOptions.depth,
    overwrite: bool = False,
    strip: bool = FileOptions.strip,
    verify: bool = False,
    profile: Literal["srgb", "input"] = FileOptions.profile,
    luminance: Literal["keep", "lightness"] = FileOptions.luminance,
    threads: int | None = None,
    pages: Sequence[Photo] = (),
) -> Path:
    """Writes a photo to a path, "-" (standard output) or a binary file object.

    `format` is told by the path's suffix, or is the one of `output_format`. `depth` (8 or 16) is the
    photo's own where the format holds it. `strip` leaves all metadata but the profile out; `verify`
    decodes what was written before it gets its name. `profile` tags the output sRGB, or stores it in the
    RGB profile of the input (sRGB where that had none). `luminance` "keep" writes a colored photo that was
    read from a JPEG into a JPEG with the very luminance data of that (`luminance_written` says whether it can
    be); `quality` and `subsampling` are then chroma's alone, and the profile is the one in which the data
    mean what they meant. "lightness" encodes anew, and CIE L* is the input's. `pages` are the further pages
    of a TIFF, all of the first one's depth. Returns the path; Path("-") for streams.

    Raises OutputExists where the path is there and `overwrite` is false, WriteError where the target is
    the photo's own file or cannot be written, OptionError for options that make no sense; then nothing
    is left behind.
    """
    fmt = _format(photo, target, format)
    if pages and fmt.name != "tiff":
        raise OptionError(f"{fmt.name.upper()} holds one picture: write TIFF for several pages")
    options = Options(
        quality=quality,
        subsampling=subsampling,
        depth=_depth(photo, fmt, depth),
        profile=profile,
        strip=strip,
        luminance=luminance,
        threads=threads,
    )
    size, encode = _encoding(photo, pages, target, fmt, options)
    if not isinstance(target, (str, os.PathLike)) or target == "-":
        _write_to_stream(sys.stdout.buffer if target == "-" else cast("BinaryIO", target), encode)
        return Path("-")
    path = Path(target)
    _refuse_input(photo, path)
    save(path, encode, lambda part: _check(part, photo, size, fmt, verify), overwrite=overwrite)
    return path


def luminance_written(
    photo: Photo,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    format: str | None = None,
    luminance: Literal["keep", "lightness"] = "keep",
) -> Luminance:
    """What `write` makes of the luminance data of the JPEG that a photo was read from.

    "identical": not one of its coefficients changes. "requantized": its samples are quantized once more with
    the same table, since nothing that transcodes is installed. "encoded": it is encoded anew, for there is no
    such JPEG, its data cannot be kept (RGB, CMYK, 12 bits, arithmetic codes), or it was asked for.
    """
    return _luminance(photo, _format(photo, target, format), luminance)


def _luminance(photo: Photo, fmt: Format, asked: str) -> Luminance:
    if asked == "lightness" or photo.original is None or fmt.name != "jpeg":
        return "encoded"
    from photochrom.photo.jpeg_chroma import luminance_kept

    return luminance_kept(photo)


def output_format(photo: Photo) -> Format:
    """The format in which a colored photo is stored by default: its own where that can hold color.

    PNG for GIF, BMP, bilevel scans and formats that are only read.
    """
    own = FORMATS[photo.format]
    return own if own.writes and photo.bits > 1 else FORMATS["png"]


def output_suffix(photo: Photo) -> str:
    """The suffix of the default output, with its dot: the input's own spelling where the format stays."""
    fmt = output_format(photo)
    own = photo.path.suffix if photo.path else ""
    return own if own.lower() in fmt.suffixes else fmt.suffixes[0]


def _format(photo: Photo, target: object, name: str | None) -> Format:
    if name is not None:
        return format_named(name)
    if isinstance(target, (str, os.PathLike)) and target != "-":
        return format_of_path(target)
    return output_format(photo)


def _depth(photo: Photo, fmt: Format, asked: Literal[8, 16] | None) -> Literal[8, 16]:
    if asked is None:
        return 16 if fmt.sixteen and photo.dtype.itemsize == 2 else 8
    if asked == 16 and not fmt.sixteen:
        raise OptionError(f"{fmt.name.upper()} holds 8 bits only: write PNG or TIFF for 16")
    return asked


def _encoding(
    photo: Photo, pages: Sequence[Photo], target: object, fmt: Format, options: Options
) -> tuple[tuple[int, int], Callable[[Sink], None]]:
    """(width, height) of the picture as the file will say it, and what encodes it into an open file."""
    if _luminance(photo, fmt, options.luminance) != "encoded":
        from photochrom.photo.jpeg_chroma import write_with_chroma

        assert photo.original is not None
        kept = replace(photo, metadata=Metadata()) if options.strip else photo
        size = photo.original.jpeg.width, photo.original.jpeg.height  # as the data lie
        return size, lambda sink: write_with_chroma(kept, sink, options)

    def dressed_page(number: int) -> Photo:
        page = pages[number]
        if isinstance(target, (str, os.PathLike)) and target != "-":
            _refuse_input(page, Path(target))
        return _dressed(page, strip=options.strip, profile=options.profile)

    dressed = _dressed(photo, strip=options.strip, profile=options.profile)
    encode = _encoder_of_pages(OneByOne(len(pages), dressed_page)) if pages else _encoder(fmt)
    return (photo.width, photo.height), lambda sink: encode(dressed, sink, options)


def _dressed(photo: Photo, *, strip: bool, profile: str) -> Photo:
    """The photo with the metadata, the profile and so the pixels that are to be stored."""
    kept = Metadata() if strip else photo.metadata
    own = photo.metadata.icc
    if photo.channels == 1:  # an RGB profile has no place in a grey picture
        return replace(photo, metadata=replace(kept, icc=None))
    if profile == "input" and own is not None and color_space(own) == "RGB":
        converted = photo.with_pixels(lambda top, bottom: to_profile(photo.rows(top, bottom), own))
        return replace(converted, metadata=kept.of_color(own))
    return replace(photo, metadata=kept.of_color(srgb_profile(), srgb=True))


def _encoder(fmt: Format) -> Encoder:
    if fmt.name == "jpeg":
        from photochrom.photo.jpeg import write_jpeg

        return write_jpeg
    if fmt.name == "png":
        from photochrom.photo.png import write_png

        return write_png
    if fmt.name == "tiff":
        from photochrom.photo.tiff import write_tiff

        return write_tiff
    from photochrom.photo.webp_heif import write_avif, write_webp

    return write_webp if fmt.name == "webp" else write_avif


def _encoder_of_pages(rest: Sequence[Photo]) -> Encoder:
    from photochrom.photo.tiff import write_pages

    def encode(photo: Photo, sink: Sink, options: Options) -> None:
        pages = OneByOne(1 + len(rest), lambda number: rest[number - 1] if number else photo)
        write_pages(pages, sink, options)

    return encode


def _refuse_input(photo: Photo, target: Path) -> None:
    """Raises WriteError where the target is the photo's own file, through links as well."""
    if photo.path is not None and target.exists() and photo.path.exists() and target.samefile(photo.path):
        raise WriteError(f"{target} is the photo itself, which is never replaced: choose another name")


def _write_to_stream(stream: BinaryIO, encode: Callable[[Sink], None]) -> None:
    """Encodes into a scratch file first, so that a failure sends nothing."""
    with tempfile.SpooledTemporaryFile(64 << 20) as scratch:
        encode(cast("Sink", scratch))
        scratch.seek(0)
        while data := scratch.read(1 << 20):
            stream.write(data)


def _check(part: Path, photo: Photo, size: tuple[int, int], fmt: Format, verify: bool) -> None:
    """Raises WriteError unless the file has that format and (stored) size, and decodes if asked."""
    from photochrom.photo.reading import read

    with part.open("rb") as file:
        wrong = fault(file, fmt, *size)
    if wrong:
        raise WriteError(f"what was written is damaged ({wrong}): the disk may be failing")
    try:
        if verify:
            again = read(part, max_pixels=photo.width * photo.height * 10, max_side=1 << 31)
            if (again.height, again.width) != (photo.height, photo.width):
                raise WriteError("what was written has another size: the disk may be failing")
            for _ in again.strips():
                pass
    except PhotoError as error:
        raise WriteError(f"what was written does not decode ({error}): the disk may be failing") from error


def fault(file: BinaryIO, fmt: Format, width: int, height: int) -> str | None:
    """What is wrong with the structure of a picture file of this size; None where nothing is.

    Header, size and end are looked at, without decoding.
    """
    size = file.seek(0, 2)
    try:
        found = _written_size(file, fmt, size)
    except (struct.error, ValueError, KeyError, IndexError):
        return "its structure is broken"
    if found is None:
        return "its end is missing"
    if found not in ((width, height), ()):
        return f"its header says {found[0]}×{found[1]}"
    return None


def _written_size(file: BinaryIO, fmt: Format, size: int) -> tuple[int, ...] | None:
    """(width, height), or () where they are not looked for; None where the file's end is missing."""
    from photochrom.photo import jpeg, png, tiff, webp_heif

    if fmt.name in ("webp", "avif"):
        whole = webp_heif.webp_is_whole if fmt.name == "webp" else webp_heif.avif_is_whole
        return () if whole(file, size) else None
    sizes = {"jpeg": jpeg.written_size, "png": png.written_size, "tiff": tiff.written_size}
    return sizes[fmt.name](file, size)
