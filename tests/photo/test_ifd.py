"""TIFF directories: laid out and parsed, with Pillow and tifffile as outside judges."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from photochrom.photo import Metadata, exif, ifd, tiff

numbers = st.integers(0, 0xFFFF)
fields = st.one_of(
    st.lists(numbers, min_size=1, max_size=9).map(lambda values: ifd.shorts(*values)),
    st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=9).map(ifd.longs),
    st.binary(min_size=1, max_size=40).map(lambda raw: ifd.Field(ifd.UNDEFINED, raw)),
    st.binary(max_size=40).map(lambda raw: ifd.Field(ifd.ASCII, raw + b"\0")),
)
own_tags = st.integers(1, 0xFFFF).filter(lambda tag: tag not in (ifd.EXIF_IFD, ifd.GPS_IFD, ifd.INTEROP_IFD))
flat = st.dictionaries(own_tags, fields, max_size=8)


@given(flat, flat, flat)
def test_there_and_back(first: ifd.Directory, exif: ifd.Directory, gps: ifd.Directory) -> None:
    whole: ifd.Directory = first | {ifd.EXIF_IFD: exif | {ifd.INTEROP_IFD: gps}, ifd.GPS_IFD: gps}
    assert ifd.parse(ifd.dump(whole)) == whole


@given(flat)
@settings(max_examples=40)
def test_bigtiff_there_and_back(directory: ifd.Directory) -> None:
    file = b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + ifd.lay_out(directory, 16, big=True)
    assert ifd.parse(file) == directory


def test_pillow_reads_what_is_laid_out() -> None:
    block = ifd.dump(
        {
            0x010F: ifd.Field(ifd.ASCII, b"Maker\0"),
            0x011A: ifd.rational(299.5),
            ifd.EXIF_IFD: {0x9003: ifd.Field(ifd.ASCII, b"1931:07:14 12:00:00\0"), 0xA002: ifd.longs([4000])},
        }
    )
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + block)
    assert exif[0x010F] == "Maker"
    assert float(exif[0x011A]) == 299.5
    assert exif.get_ifd(ifd.EXIF_IFD) == {0x9003: "1931:07:14 12:00:00", 0xA002: 4000}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_files_of_tifffile(order: str, big: bool) -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, byteorder=order, bigtiff=big) as writer:
        for page, size in enumerate([(16, 24), (32, 48)]):
            tags = [(270, "s", 0, f"page {page}", True), (33723, "I", 3, (1, 2, 0x1C0278), True)]
            writer.write(np.zeros(size, np.uint16), resolution=(300, 150), extratags=tags, metadata=None)
    first, second = (ifd.parse_file(buffer, page) for page in (0, 1))
    assert tiff.dimensions(first) == (24, 16)
    assert tiff.dimensions(second) == (48, 32)
    assert second[270] == ifd.Field(ifd.ASCII, b"page 1\0")
    field = first[33723]
    assert isinstance(field, ifd.Field)
    assert field.integers() == (1, 2, 0x1C0278)  # whatever the byte order of the file
    assert tiff.reaches_to(first) <= len(buffer.getvalue())
    with pytest.raises(ValueError, match="no such page"):
        ifd.parse_file(buffer, 2)


@pytest.mark.parametrize(
    "data", [b"", b"II", b"II*\0", b"II*\0\xff\xff\xff\xff", b"XX*\0\x08\0\0\0", b"II-\0\x08\0\0\0"]
)
def test_what_is_no_directory(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut short|no TIFF header"):
        ifd.parse(data)


def test_a_damaged_field_does_not_harm_the_others() -> None:
    block = ifd.dump({0x010E: ifd.Field(ifd.ASCII, b"a long description\0"), 0x0112: ifd.shorts(6)})
    cut = block[:-4]
    assert ifd.parse(cut) == {0x0112: ifd.shorts(6)}
    with pytest.raises(ValueError, match="cut short"):
        ifd.parse_file(io.BytesIO(cut), strict=True)


def test_directories_that_point_at_themselves_end() -> None:
    for pointer in (ifd.EXIF_IFD, ifd.GPS_IFD):
        entry = struct.pack("<HHII", pointer, 4, 1, 8)
        found = ifd.parse(b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4))
        assert list(found) == [pointer]


def test_fields_cannot_ask_for_more_than_a_file_has() -> None:
    entries = b"".join(struct.pack("<HHII", tag, 7, 0xFFFFFFF0, 8) for tag in range(1, 200))
    assert ifd.parse(b"II*\0\x08\0\0\0" + struct.pack("<H", 199) + entries + bytes(4)) == {}
    beyond = struct.pack("<HHQQ", 1, 7, 100, 1 << 63)
    assert ifd.parse(b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 1) + beyond + bytes(8)) == {}


@pytest.mark.parametrize("value", [1.0, 72.0, 299.999, 300.5, 0.5, 96_000.25])
def test_rationals(value: float) -> None:
    field = ifd.rational(value)
    (found,) = field.rationals()
    assert found is not None
    assert found == pytest.approx(value, rel=1e-5)
    assert ifd.Field(ifd.RATIONAL, struct.pack("<II", 1, 0)).rationals() == ()
    assert ifd.shorts(1).rationals() == ()


# --- metadata in fields --------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "expected"), [(2, (300.0, 150.0)), (3, (762.0, 381.0)), (1, None)])
def test_units_of_resolution(unit: int, expected: tuple[float, float] | None) -> None:
    fields: ifd.Directory = {282: ifd.rational(300), 283: ifd.rational(150), 296: ifd.shorts(unit)}
    found = exif.resolution(fields)
    assert found == (pytest.approx(expected) if expected else None)


def test_a_resolution_of_zero_or_half_is_none() -> None:
    assert exif.resolution({282: ifd.rational(300), 296: ifd.shorts(2)}) is None
    assert exif.resolution({282: ifd.rational(0), 283: ifd.rational(0), 296: ifd.shorts(2)}) is None
    assert exif.resolution({}) is None


def test_only_descriptions_travel_in_exif() -> None:
    fields: ifd.Directory = {256: ifd.longs([9]), 273: ifd.longs([8]), 315: ifd.Field(ifd.ASCII, b"Anna\0")}
    found = tiff.metadata(fields)
    assert ifd.parse(found["exif"]) == {315: ifd.Field(ifd.ASCII, b"Anna\0")}
    back = tiff.fields_of(Metadata(exif=ifd.dump(fields), xmp=b"<x/>", comment="hello"))
    assert set(back) == {270, 315, 700}


def test_the_resolution_joins_an_exif_block_that_has_none() -> None:
    artist: ifd.Directory = {315: ifd.Field(ifd.ASCII, b"Anna\0")}
    for known in (None, ifd.dump(artist)):
        block = exif.with_resolution(known, (600.0, 600.0))
        assert block is not None
        assert exif.resolution(ifd.parse(block)) == (600.0, 600.0)
    own = ifd.dump(artist | exif.resolution_fields((300.0, 300.0)))
    assert exif.with_resolution(own, (600.0, 600.0)) == own
    assert exif.with_resolution(None, None) is None


def test_how_far_a_file_must_reach() -> None:
    strips: ifd.Directory = {273: ifd.longs([8, 108]), 279: ifd.longs([100, 50]), 259: ifd.shorts(8)}
    assert tiff.reaches_to(strips) == 158
    assert tiff.reaches_to(strips | {259: ifd.shorts(1)}) == 109  # raw strips are counted by libtiff
    assert tiff.reaches_to({324: ifd.longs([8]), 325: ifd.longs([7])}) == 15
    assert tiff.reaches_to({273: ifd.longs([8, 9]), 279: ifd.longs([1])}) == 0
    assert tiff.reaches_to({}) == 0


def test_pages_that_share_a_large_field_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ifd, "_MOST_BYTES", 1 << 20)
    monkeypatch.setattr(ifd, "_MOST_OF_ALL", 4 << 20)
    size, pages = 1_000_000, 50
    file = bytearray(b"II*\0" + struct.pack("<I", 8 + size) + bytes(size))
    for page in range(1, pages + 1):
        following = 8 + size + 18 * page if page < pages else 0
        file += struct.pack("<HHHIII", 1, 700, ifd.BYTE, size, 8, following)
    found = list(ifd.directories(io.BytesIO(file)))
    assert 1 <= sum(700 in directory for directory in found) <= 4
