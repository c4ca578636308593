"""IPTC records in their wrappings."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, IptcImagePlugin

from photochrom.photo import Metadata, Photo, read, write, xmp
from photochrom.photo.iptc import from_photoshop, in_xmp, records, texts, to_photoshop
from photochrom.provenance import is_marked, mark


def record(number: int, text: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text


some_texts = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=60)), min_size=1, max_size=6).map(
    lambda pairs: b"".join(record(number, text) for number, text in pairs)
)


@given(some_texts)
def test_photoshop_there_and_back(iptc: bytes) -> None:
    assert from_photoshop(to_photoshop(iptc)) == iptc


@given(some_texts, st.integers(0, 7))
def test_padding_is_dropped(iptc: bytes, zeros: int) -> None:
    assert records(iptc + bytes(zeros)) == iptc


@given(some_texts)
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


# --- in XMP, for WebP and AVIF -------------------------------------------------------------------

DC, PHOTOSHOP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"


def dataset(number: int, text: str, coding: str = "utf-8") -> bytes:
    value = text.encode(coding)
    return b"\x1c\x02" + struct.pack(">BH", number, len(value)) + value


RECORDS = b"".join(
    (
        *(dataset(120, "Der Hafen, 1931 <& Ähre>"), dataset(25, "harbour"), dataset(25, "ships")),
        *(dataset(80, "A. Nother"), dataset(90, "Bergen"), dataset(55, "19310714"), dataset(116, "© 1931")),
    )
)


@pytest.mark.parametrize("name", ["webp", "avif"])
def test_records_become_xmp_where_there_is_no_place_for_them(name: str) -> None:
    photo = Photo.from_array(np.zeros((8, 8, 3), np.uint8))
    buffer = io.BytesIO()
    write(replace(photo, metadata=Metadata(iptc=RECORDS)), buffer, format=name)
    packet = read(buffer.getvalue()).metadata.xmp
    assert packet is not None
    assert xmp.values(packet, DC, "description") == ["Der Hafen, 1931 <& Ähre>"]
    assert xmp.values(packet, PHOTOSHOP, "City") == ["Bergen"]
    assert xmp.values(packet, PHOTOSHOP, "DateCreated") == ["1931-07-14"]
    assert packet.count(b"<rdf:li>harbour</rdf:li><rdf:li>ships</rdf:li>") == 1
    assert "© 1931".encode() in packet


def test_what_xmp_says_itself_stays() -> None:
    own = xmp.with_properties(None, [xmp.Property(PHOTOSHOP, "photoshop", "City", "Oslo")])
    packet = in_xmp(RECORDS, own)
    assert packet is not None
    assert xmp.values(packet, PHOTOSHOP, "City") == ["Oslo"]
    assert xmp.values(packet, DC, "creator") == ["A. Nother"]
    assert in_xmp(RECORDS, packet) == packet
    assert in_xmp(b"", None) is None


def test_records_in_latin_1() -> None:
    assert texts(dataset(120, "Ähre", "latin-1") + dataset(120, "zweite")) == {120: ["Ähre", "zweite"]}


@given(st.binary(max_size=60))
def test_any_records_make_a_packet_that_parses(data: bytes) -> None:
    packet = in_xmp(records(b"\x1c\x02" + data) or b"", None)
    assert packet is None or xmp.normalized(packet)


def test_control_characters_do_not_break_the_packet() -> None:
    caption = b"At the mill\x01\x0bin 1931"
    marked = mark(Metadata(), "photochrom", "1.0")
    packet = in_xmp(record(120, caption), marked.xmp) or b""
    assert xmp.values(packet, "http://purl.org/dc/elements/1.1/", "description") == ["At the mill  in 1931"]
    assert is_marked(Metadata(xmp=packet))
