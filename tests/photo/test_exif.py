"""EXIF blocks: orientation out, thumbnail gone, the rest byte for byte."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.photo import ifd, read
from photochrom.photo.exif import settle

THUMBNAIL = b"\xff\xd8 the old grey picture, small \xff\xd9"


def block(order: str, orientation: int = 6, thumbnail: bytes = THUMBNAIL, tail: bytes = b"") -> bytes:
    """IFD0 (orientation, a maker) → IFD1 (thumbnail), then the thumbnail, then something else."""
    maker = 8 + 2 + 2 * 12 + 4
    second = maker + 6
    picture = second + 2 + 2 * 12 + 4
    return b"".join(
        [
            {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8),
            struct.pack(order + "H", 2),
            struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0),
            struct.pack(order + "HHII", 0x010F, 2, 6, maker),
            struct.pack(order + "I", second) + b"Maker\0",
            struct.pack(order + "H", 2),
            struct.pack(order + "HHII", 0x0201, 4, 1, picture),
            struct.pack(order + "HHII", 0x0202, 4, 1, len(thumbnail)),
            struct.pack(order + "I", 0) + thumbnail + tail,
        ]
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_orientation_and_thumbnail_are_taken_out(order: str, prefix: bytes) -> None:
    settled, orientation = settle(prefix + block(order))
    assert orientation == 6
    assert THUMBNAIL not in settled
    assert len(settled) == len(block(order)) - len(THUMBNAIL)
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + settled)
    assert dict(exif) == {0x0112: 1, 0x010F: "Maker"}
    assert not exif.get_ifd(1)


def test_what_follows_a_thumbnail_stays_where_it_is() -> None:
    before = block("<", tail=b"maker's notes, found by their place")
    settled, _ = settle(before)
    assert THUMBNAIL not in settled
    assert settled.index(b"maker's notes") == before.index(b"maker's notes")


@given(st.integers(0, 65535))
def test_an_orientation_is_one_of_eight(orientation: int) -> None:
    expected = orientation if 1 <= orientation <= 8 else 1
    assert settle(block("<", orientation))[1] == expected


def complaint(data: bytes) -> str | None:
    try:
        settle(data)
    except ValueError as error:
        return str(error)
    return None


@given(st.integers(0, 120))
def test_cut_blocks_are_value_errors_or_settled(length: int) -> None:
    assert complaint(block("<")[:length]) in ("cut short", "no TIFF header", None)
    assert complaint(block("<")[: min(length, 33)]) is not None  # of two whole entries in 34 bytes


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for head in (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"Exif\0\0II*\0"):
        assert complaint(head + data) in ("cut short", "no TIFF header", None)


def test_a_photo_of_a_camera() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A], exif[0x011B], exif[0x0128] = 8, "Maker", 240.0, 240.0, 2
    exif.get_ifd(ifd.EXIF_IFD)[0x9003] = "1931:07:14 12:00:00"
    exif.get_ifd(ifd.GPS_IFD)[1] = "N"
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10)).save(buffer, "JPEG", exif=exif)
    photo = read(buffer.getvalue())
    assert (photo.height, photo.width) == (20, 10)
    assert photo.metadata.dpi == (240.0, 240.0)
    assert photo.metadata.exif is not None
    fields = ifd.parse(photo.metadata.exif)
    assert fields[0x0112] == ifd.shorts(1)
    assert fields[ifd.EXIF_IFD] == {0x9003: ifd.Field(ifd.ASCII, b"1931:07:14 12:00:00\0")}
    assert fields[ifd.GPS_IFD] == {1: ifd.Field(ifd.ASCII, b"N\0")}
