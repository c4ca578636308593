"""kind_of: every picture-like file has a name, and what is not read a reason."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.errors import PhotochromError, UnknownFormat
from photochrom.photo import kind_of, read
from photochrom.photo.formats import FORMATS, sniff

FIELD = Path(__file__).parent / "field"


@pytest.mark.parametrize("path", sorted(FIELD.iterdir()), ids=lambda path: path.name)
def test_files_from_the_field_are_taken_or_refused_with_the_readers_own_words(path: Path) -> None:
    kind = kind_of(path)
    assert kind is not None
    assert kind == kind_of(path.read_bytes()) or path.suffix == ".dng"
    if kind.refused:
        with pytest.raises(UnknownFormat) as refusal:
            read(path)
        assert kind.refused in str(refusal.value)


@pytest.mark.parametrize("name", ["cfa.dng", "linearraw.dng", "thumb-and-raw.dng"])
@pytest.mark.parametrize("suffix", [".dng", ".tif"])
def test_raw_files_are_refused_whatever_their_name(name: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"raw{suffix}"
    path.write_bytes((FIELD / name).read_bytes())
    kind = kind_of(path)
    assert kind is not None
    assert kind.name == "raw camera file"
    with pytest.raises(UnknownFormat, match="develop it to a TIFF with 16 bits"):
        read(path)


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.pdf", b"%PDF-1.7", "PDF document"),
        ("a", b"8BPS\0\1", "Photoshop document"),
        ("a.psd", b"8BPS\0\1", "Photoshop document"),
        ("a.jxl", b"\xff\x0a\0\0", "JPEG XL picture"),
        ("a.jpg", b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL picture"),
        ("a.nef", b"MM\0*\0\0\0\x08\0\0", "raw camera file"),
        ("a.cr2", b"II*\0\x10\0\0\0CR\2\0", "raw camera file"),
        ("a.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "raw camera file"),
        ("a.raf", b"FUJIFILMCCD-RAW 0201", "raw camera file"),
        ("a.tga", b"\0\0\2\0", "Targa picture"),
    ],
)
def test_known_kinds_that_are_not_read(name: str, head: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(head)
    found = kind_of(path)
    assert found is not None
    assert found.name == kind
    assert found.refused
    assert "first" in found.refused


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP"])
def test_pictures_are_taken_by_content(fmt: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10)).save(buffer, fmt)
    path = tmp_path / "no-suffix"
    path.write_bytes(buffer.getvalue())
    assert kind_of(path) == kind_of(buffer.getvalue()) == (fmt, None)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"BMW and other cars"),
        ("b.txt", b"P5: the fifth page"),
        ("c.json", b"{}"),
        ("Thumbs.db", b"\xd0"),
    ],
)
def test_what_is_not_a_picture_has_no_kind(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert kind_of(tmp_path / name) is None


def test_pictures_that_are_empty_missing_or_text(tmp_path: Path) -> None:
    for name, data in (("empty.jpg", b""), ("text.png", b"hello")):
        (tmp_path / name).write_bytes(data)
    said = [kind_of(tmp_path / name) for name in ("empty.jpg", "text.png", "missing.tif", "missing.txt")]
    assert [kind and kind.name for kind in said] == ["JPG", "PNG", "TIF", None]
    reasons = [str(kind.refused) for kind in said if kind]
    assert "is empty" in reasons[0]
    assert "not a picture" in reasons[1]
    assert "does not exist" in reasons[2]


@given(st.binary(max_size=120))
def test_any_bytes(data: bytes) -> None:
    kind = kind_of(data)
    try:
        name = sniff(data).name
    except PhotochromError:
        assert kind is None or kind.refused
    else:
        assert kind is not None
        assert name in FORMATS
