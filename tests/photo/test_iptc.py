"""IPTC records in their wrappings."""

from __future__ import annotations

import io
import struct

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, IptcImagePlugin

from photochrom.photo import Metadata, Photo, write
from photochrom.photo.iptc import from_photoshop, records, to_photoshop


def record(number: int, text: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text


texts = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=60)), min_size=1, max_size=6).map(
    lambda pairs: b"".join(record(number, text) for number, text in pairs)
)


@given(texts)
def test_photoshop_there_and_back(iptc: bytes) -> None:
    assert from_photoshop(to_photoshop(iptc)) == iptc


@given(texts, st.integers(0, 7))
def test_padding_is_dropped(iptc: bytes, zeros: int) -> None:
    assert records(iptc + bytes(zeros)) == iptc


@given(texts)
def test_words_turned_round_are_turned_back(iptc: bytes) -> None:
    padded = iptc + bytes(-len(iptc) % 4)
    turned = b"".join(padded[at : at + 4][::-1] for at in range(0, len(padded), 4))
    assert records(turned) == iptc or turned[0] == 0x1C  # two readings where the fourth byte is a mark too


def test_an_extended_record() -> None:
    text = bytes(40_000)
    extended = struct.pack(">BBBHI", 0x1C, 2, 120, 0x8004, len(text)) + text
    assert records(extended + b"\0\0") == extended


def test_a_record_that_is_cut_is_left_out() -> None:
    whole = record(120, b"caption")
    assert records(whole + record(90, b"city")[:-1]) == whole
    assert records(b"") is None
    assert records(b"no records at all") is None


def test_other_resources_are_passed_over() -> None:
    name = b"8BIM\x04\x25\x05named\0\0\0\x10" + bytes(16)  # a padded name, then a digest of 16 bytes
    empty = b"8BIM\x03\xed\0\0\0\0\0\x03abc\0"
    iptc = record(120, b"caption")
    for order in ([name, empty], [empty, name]):
        assert from_photoshop(b"".join(order) + to_photoshop(iptc)) == iptc
    assert from_photoshop(name + empty) is None


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    from_photoshop(b"8BIM" + data)
    from_photoshop(b"8BIM\x04\x04" + data)
    found = records(b"\x1c" + data)
    assert found is None or (b"\x1c" + data).startswith(found) or found[0] == 0x1C


def test_pillow_finds_the_records_in_every_container() -> None:
    photo = Photo.from_array(Image.new("RGB", (8, 8)))
    marked = Photo(photo.source, Metadata(iptc=record(120, b"a caption") + record(90, b"Paris")))
    for name in ("jpeg", "tiff"):
        buffer = io.BytesIO()
        write(marked, buffer, format=name)
        with Image.open(io.BytesIO(buffer.getvalue())) as image:
            assert IptcImagePlugin.getiptcinfo(image) == {(2, 120): b"a caption", (2, 90): b"Paris"}
