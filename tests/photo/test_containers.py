"""The metadata of JPEG, PNG and JPEG 2000 files, made by Pillow or by hand."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from photochrom.errors import DamagedPhoto
from photochrom.photo import Metadata, Photo, read, write
from photochrom.photo.jpeg import _split
from photochrom.photo.jpeg2000 import bits_a_sample, read_boxes
from photochrom.photo.png import adler_combine, chunk, read_chunks
from photochrom.photo.segments import MOST, metadata_segments, read_segments, segment, segments
from photochrom.photo.writing import fault

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = Image.fromarray(np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3))


def saved(name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    IMAGE.save(buffer, name, **options)
    return buffer.getvalue()


def with_metadata(metadata: Metadata, name: str) -> bytes:
    buffer = io.BytesIO()
    write(Photo(Photo.from_array(IMAGE).source, metadata), buffer, format=name)
    return buffer.getvalue()


# --- JPEG ----------------------------------------------------------------------------------------


def test_a_jpeg_of_pillow() -> None:
    exif = Image.Exif()
    exif[0x010E] = "caption"
    found = read_segments(
        io.BytesIO(saved("JPEG", exif=exif, comment=b"gr\xc3\xbc\xc3\x9fe", dpi=(300, 150)))
    )
    assert found.comment == "grüße"
    assert found.dpi == (300, 150)
    assert found.exif is not None
    assert b"caption" in found.exif
    assert (found.xmp, found.iptc) == (None, None)


def test_a_comment_in_latin1_and_fill_bytes() -> None:
    data = b"\xff\xd8" + segment(0xFE, b"gr\xfc\xdfe\0") + b"\xff\xff\xff" + segment(0xE5, b"x") + b"\xff\xda"
    found = list(segments(io.BytesIO(data)))
    assert found == [(0xFE, b"gr\xfc\xdfe\0"), (0xE5, b"x")]
    assert read_segments(io.BytesIO(data)).comment == "grüße"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\1",
        b"\xff\xd8junk",
        b"\xff\xd8\xff\xe1\xff\xffshort",
    ],
)
def test_broken_segments_end_the_search(data: bytes) -> None:
    assert read_segments(io.BytesIO(data)).exif is None


@given(st.binary(max_size=100))
def test_any_bytes_in_segments(data: bytes) -> None:
    for head in (
        b"",
        b"\xff\xe1\0\x40Exif\0\0",
        b"\xff\xe0\0\x10JFIF\0",
        b"\xff\xed\0\x40Photoshop 3.0\0008BIM",
    ):
        read_segments(io.BytesIO(b"\xff\xd8" + head + data))


@pytest.mark.parametrize(
    ("dpi", "expected"),
    [
        ((300.0, 300.0), (300, 300)),
        ((118.11, 118.11), (118, 118)),
        ((299.72, 299.72), (299.72, 299.72)),
        (None, None),
    ],
)
def test_jfif_counts_in_inches_or_centimetres(dpi: tuple[float, float] | None, expected: object) -> None:
    found = read_segments(io.BytesIO(with_metadata(Metadata(dpi=dpi), "jpeg"))).dpi
    assert found == (pytest.approx(expected) if expected else None)


def test_a_resolution_beyond_all_scanners_is_left_out() -> None:
    assert read_segments(io.BytesIO(with_metadata(Metadata(dpi=(1e9, 1e9)), "jpeg"))).dpi is None
    assert read(with_metadata(Metadata(dpi=(0.01, 0.01)), "tiff")).metadata.dpi is None


def test_what_is_longer_than_a_segment(tmp_path: Path) -> None:
    record = b"".join(struct.pack(">BBBH", 0x1C, 2, 25, 30_000) + bytes([65 + n]) * 30_000 for n in range(5))
    profile = Photo.from_array(IMAGE)
    long = Metadata(iptc=record, exif=b"II*\0\x08\0\0\0" + bytes(70_000), icc=bytes(range(256)) * 1000)
    data = metadata_segments(long)
    assert b"Exif" not in data  # no segment holds it
    assert data.count(b"Photoshop 3.0\0") == 3
    assert data.count(b"ICC_PROFILE\0") == 4
    path = write(Photo(profile.source, Metadata(iptc=record)), tmp_path / "a.jpg")
    assert read(path).metadata.iptc == record
    if shutil.which("exiftool"):
        command = ["exiftool", "-IPTC:Keywords", "-b", "-sep", "|", path]
        said = subprocess.run(command, capture_output=True, check=True).stdout.decode().strip().split("|")
        assert said == [chr(65 + n) * 30_000 for n in range(5)]
    for _, payload in segments(io.BytesIO(path.read_bytes())):
        assert len(payload) <= MOST


def test_the_scan_starts_after_its_header() -> None:
    data = saved("JPEG", quality=90)
    tables, start = _split(memoryview(data))
    assert tables.startswith(b"\xff\xdb")
    assert data[start - 3 : start] == b"\0\x3f\0"  # the end of a baseline scan's header
    assert data[-2:] == b"\xff\xd9"


# --- PNG -----------------------------------------------------------------------------------------


def test_a_png_of_pillow() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Jörg")
    info.add_text("Title", "compressed", zip=True)
    info.add_itxt("Description", "日本の港", zip=True)
    found = read_chunks(io.BytesIO(saved("PNG", pnginfo=info, dpi=(300, 300))))
    assert found.texts == [("Author", "Jörg"), ("Title", "compressed"), ("Description", "日本の港")]
    assert found.dpi == (pytest.approx(300, abs=0.01), pytest.approx(300, abs=0.01))


def test_texts_there_and_back() -> None:
    texts = (("Author", "Jörg"), ("Description", "日本の港"), ("Comment", "two\nlines"))
    data = with_metadata(Metadata(texts=texts), "png")
    assert read(data).metadata.texts == texts
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["Description"] == "日本の港"
    comment = read(with_metadata(Metadata(comment="from a JPEG"), "png")).metadata
    assert comment.texts == (("Comment", "from a JPEG"),)


def png(*chunks: bytes) -> io.BytesIO:
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b""))


def raw(kind: str, data: bytes) -> bytes:
    lines = f"\n{kind}\n{len(data):8d}\n{data.hex()}\n".encode()
    return chunk(b"zTXt", f"Raw profile type {kind}".encode() + b"\0\0" + zlib.compress(lines))


def test_profiles_as_imagemagick_writes_them() -> None:
    iptc = struct.pack(">BBBH", 0x1C, 2, 120, 7) + b"caption"
    found = read_chunks(png(raw("iptc", iptc), raw("exif", b"Exif\0\0II*\0"), raw("xmp", b"<x/>")))
    assert (found.iptc, found.exif, found.xmp) == (iptc, b"II*\0", b"<x/>")
    broken = chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n 3\nxyz\n"))
    assert read_chunks(png(broken)).iptc is None


@pytest.mark.parametrize(
    "payload", [struct.pack(">IIB", 300, 300, 0), struct.pack(">IIB", 0, 0, 1), b"short"]
)
def test_resolutions_without_a_unit_are_none(payload: bytes) -> None:
    assert read_chunks(png(chunk(b"pHYs", payload))).dpi is None


@given(st.binary(max_size=100))
def test_any_bytes_in_chunks(data: bytes) -> None:
    read_chunks(io.BytesIO(b"\x89PNG\r\n\x1a\n" + data))
    for name in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"pHYs"):
        read_chunks(png(chunk(name, data), chunk(name, b"Raw profile type iptc\0" + data)))


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_checksums_are_put_together_as_zlib_does(first: bytes, second: bytes) -> None:
    whole = zlib.adler32(first + second)
    assert adler_combine(zlib.adler32(first), zlib.adler32(second), len(second)) == whole


def test_checksums_of_long_parts() -> None:
    first, second = b"\xff" * 300_001, bytes(range(256)) * 5000
    assert adler_combine(zlib.adler32(first), zlib.adler32(second), len(second)) == zlib.adler32(
        first + second
    )


# --- JPEG 2000 -----------------------------------------------------------------------------------


def box(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload) + 8, name) + payload


def test_boxes_of_a_jpeg_2000() -> None:
    resolution = struct.pack(">4H2b", 11811, 1, 59055, 5, 0, 0)
    header = box(b"jp2h", box(b"res ", box(b"resc", resolution)) + box(b"colr", b"\2\0\0profile"))
    uuid = box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<x/>")
    exif = box(b"uuid", b"JpgTiffExif->JP2" + b"II*\0")
    long = struct.pack(">I4sQ", 1, b"xtra", 20) + b"1234"
    last = struct.pack(">I4s", 0, b"jp2c") + b"codestream"
    found = read_boxes(io.BytesIO(header + long + uuid + exif + last))
    assert (found.xmp, found.exif, found.icc) == (b"<x/>", b"II*\0", b"profile")
    assert found.dpi == (pytest.approx(300, abs=0.01), pytest.approx(300, abs=0.01))


@given(st.binary(max_size=80))
def test_any_bytes_in_boxes(data: bytes) -> None:
    read_boxes(io.BytesIO(data))
    read_boxes(io.BytesIO(struct.pack(">I4s", len(data) + 8, b"jp2h") + data))
    assert 1 <= bits_a_sample(data) <= 128


def test_depth_of_a_codestream() -> None:
    assert bits_a_sample(saved("JPEG2000")) == 8
    assert bits_a_sample(b"") == 8


# --- structure -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["jpeg", "png", "tiff", "webp", "avif"])
def test_faults_of_structure(name: str) -> None:
    from photochrom.photo import FORMATS

    data = with_metadata(Metadata(), name)
    fmt = FORMATS[name]
    assert fault(io.BytesIO(data), fmt, 10, 12) is None
    for cut in (1, 3, 20, len(data) // 2, len(data) - 1):
        assert fault(io.BytesIO(data[:-cut]), fmt, 10, 12) is not None, cut
    assert fault(io.BytesIO(b""), fmt, 10, 12) is not None
    if name in ("jpeg", "png", "tiff"):
        assert fault(io.BytesIO(data), fmt, 10, 13) == "its header says 10×12"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_jpeg2000_without_a_tile_is_no_picture(dtype: type) -> None:
    """The decoders make a grey one of a file that ends before its first tile, and say nothing."""
    _, encoded = cv2.imencode(".jp2", np.full((40, 50), 77, dtype))
    data = encoded.tobytes()
    assert read(data).warnings == ()
    with pytest.raises(DamagedPhoto, match="none of its tiles"):
        read(data[: data.index(b"\xff\x90\0\x0a")])
    for cut in (20, 2, 1):
        with pytest.raises(DamagedPhoto):
            read(data[:-cut])


@pytest.mark.parametrize(("kind", "alpha"), [(1, True), (2, True), (65535, False)])
def test_a_channel_of_jpeg_2000_that_is_not_opacity(kind: int, alpha: bool) -> None:
    array = np.random.default_rng(0).integers(0, 255, (40, 50, 4), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG2000", irreversible=False)
    data = bytearray(buffer.getvalue())
    at = data.index(b"cdef") + 4
    assert struct.unpack_from(">H3H3H3H3H", data, at) == (4, 0, 0, 1, 1, 0, 2, 2, 0, 3, 3, 1, 0)
    struct.pack_into(">H", data, at + 2 + 3 * 6 + 2, kind)
    photo = read(bytes(data))
    assert photo.has_alpha == alpha
    np.testing.assert_array_equal(photo.pixels, array[..., :3])
    assert any("further channel" in warning for warning in photo.warnings) == (not alpha)
