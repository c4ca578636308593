"""Formats told by content and by name."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.errors import MissingExtra, OptionError, PhotoError, UnknownFormat
from photochrom.photo import FORMATS, PICTURE_SUFFIXES, Photo, is_picture_name, read, write
from photochrom.photo.formats import SNIFF, format_named, format_of_path, sniff

IMAGE = Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *[
            ("JPEG", "jpeg"),
            ("PNG", "png"),
            ("TIFF", "tiff"),
            ("WEBP", "webp"),
            ("AVIF", "avif"),
            ("MPO", "jpeg"),
        ],
        *[
            ("JPEG2000", "jpeg2000"),
            ("BMP", "bmp"),
            ("DIB", None),
            ("GIF", "gif"),
            ("PPM", "pnm"),
            ("ICO", None),
        ],
        *[("PDF", None), ("TGA", None), ("SGI", None), ("PCX", None), ("DDS", None), ("EPS", None)],
    ],
)
def test_what_pillow_writes(name: str, expected: str | None) -> None:
    buffer = io.BytesIO()
    IMAGE.save(buffer, name)
    if expected is None:
        with pytest.raises(UnknownFormat):
            sniff(buffer.getvalue()[:SNIFF])
    else:
        assert sniff(buffer.getvalue()[:SNIFF]).name == expected


def test_heif_relatives() -> None:
    def head(major: bytes, *compatible: bytes) -> bytes:
        brands = major + bytes(4) + b"".join(compatible)
        return (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + b"rest of the file"

    assert sniff(head(b"avif", b"mif1")).name == "avif"
    assert sniff(head(b"mif1", b"miaf", b"avif")).name == "avif"
    assert sniff(head(b"heic", b"mif1")).name == "heic"
    assert sniff(head(b"mif1", b"heic")).name == "heic"
    for stranger in (head(b"isom", b"mp42"), head(b"qt  ")):
        with pytest.raises(UnknownFormat, match="a video or an unknown relative"):
            sniff(stranger)


@given(st.binary(max_size=SNIFF))
def test_any_head(head: bytes) -> None:
    try:
        assert sniff(head) in FORMATS.values()
    except UnknownFormat as error:
        said = str(error)
    else:
        return
    assert said.startswith(("this is", "not a picture", "the file is empty"))


def test_names() -> None:
    for fmt in FORMATS.values():
        for suffix in fmt.suffixes:
            assert suffix in PICTURE_SUFFIXES
            assert is_picture_name(f"a/b{suffix.upper()}")
            if fmt.writes:
                assert format_of_path(f"a/b{suffix.upper()}") is fmt
                assert format_named(suffix) is format_named(fmt.name) is format_named(suffix[1:]) is fmt
            else:
                with pytest.raises(OptionError, match="read but not written"):
                    format_of_path(f"a/b{suffix}")
    for name in ("a.txt", "a", ".jpg", "a.jpg.part"):
        assert not is_picture_name(name)


def test_suffixes_belong_to_one_format() -> None:
    every = [suffix for fmt in FORMATS.values() for suffix in fmt.suffixes]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("wrong", ["holiday.png", "holiday", "holiday.gif", "holiday.txt"])
def test_the_name_does_not_count(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / wrong
    IMAGE.save(path, "JPEG")
    assert read(path).format == "jpeg"


def test_heic_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingExtra, match=r"pip install 'photochrom\[heic\]'"):
        read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


# --- where photos come from ----------------------------------------------------------------------


def jpeg() -> bytes:
    buffer = io.BytesIO()
    IMAGE.save(buffer, "JPEG")
    return buffer.getvalue()


def test_every_kind_of_source(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg())
    with path.open("rb") as file:
        sources = [path, str(path), jpeg(), bytearray(jpeg()), memoryview(jpeg()), io.BytesIO(jpeg()), file]
        photos = [read(source) for source in sources]
    for photo in photos:
        np.testing.assert_array_equal(photo.pixels, photos[0].pixels)
    assert [photo.path for photo in photos] == [path, path, None, None, None, None, None]


def test_standard_input_and_output() -> None:
    code = "from photochrom.photo import read, write; write(read('-'), '-', format='png')"
    child = subprocess.run(
        [sys.executable, "-c", code], input=jpeg(), capture_output=True, check=True, timeout=60
    )
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(child.stdout))), read(jpeg()).pixels)
    assert child.stderr == b""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_named_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(jpeg(),))
    writer.start()
    photo = read(pipe)
    writer.join()
    assert photo.format == "jpeg"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    for path in (loop, tmp_path / ("a" * 300), Path("/proc/self/mem")):
        with pytest.raises(PhotoError):
            read(path)


def test_libvips_is_told_to_trust_nothing() -> None:
    code = """
import sys
import pyvips
from photochrom.photo import read
svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'></svg>"
assert pyvips.Image.new_from_buffer(svg, "").width == 9
read(sys.stdin.buffer.read())
try:
    pyvips.Image.new_from_buffer(svg, "")
except pyvips.Error:
    print("blocked")
"""
    child = subprocess.run(
        [sys.executable, "-c", code], input=jpeg(), capture_output=True, check=True, timeout=60
    )
    assert child.stdout.decode().strip() == "blocked"


def test_libvips_is_loaded_when_it_is_needed() -> None:
    code = "import photochrom.photo, sys; assert 'pyvips' not in sys.modules; assert 'PIL' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_what_is_written_is_what_was_asked_for(tmp_path: Path) -> None:
    photo = Photo.from_array(IMAGE)
    for fmt in FORMATS.values():
        if fmt.writes:
            path = write(photo, tmp_path / f"a{fmt.suffixes[0]}")
            assert sniff(path.read_bytes()[:SNIFF]) is fmt
            other = write(photo, tmp_path / f"{fmt.name}.picture", format=fmt.name)
            assert sniff(other.read_bytes()[:SNIFF]) is fmt
            with Image.open(path) as image:
                assert image.get_format_mimetype() == fmt.mime
