"""XMP packets edited in place; ElementTree reads what comes out."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.photo import Metadata, Photo, read, write, xmp
from photochrom.photo.xmp import NOTE, RDF, Property

if TYPE_CHECKING:
    from pathlib import Path

BASIC = "http://ns.adobe.com/xap/1.0/"
text = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=40)


def packet(description: str, root: str = "") -> bytes:
    return (
        f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{RDF}"{root}>{description}</rdf:RDF></x:xmpmeta>   <?xpacket end="w"?>'
    ).encode()


def attributes(data: bytes) -> dict[str, str]:
    """Every attribute of every description, by ElementTree."""
    found: dict[str, str] = {}
    for element in ElementTree.fromstring(data.decode().lstrip("\ufeff")).iter(f"{{{RDF}}}Description"):
        found |= element.attrib
    return found


@given(text)
def test_a_value_there_and_back(value: str) -> None:
    made = xmp.with_properties(None, [Property(BASIC, "xmp", "Label", value)])
    assert attributes(made)[f"{{{BASIC}}}Label"] == value
    assert xmp.values(made, BASIC, "Label") == [value]
    assert xmp.normalized(made) == made


@given(text, text)
def test_the_last_value_counts(first: str, second: str) -> None:
    made = xmp.with_properties(None, [Property(BASIC, "xmp", "Label", first)])
    again = xmp.with_properties(made, [Property(BASIC, "xmp", "Label", second)])
    assert xmp.values(again, BASIC, "Label") == [second]
    other = xmp.with_properties(again, [Property(BASIC, "xmp", "Nickname", first)])
    assert xmp.values(other, BASIC, "Label") == [second]
    assert xmp.values(other, BASIC, "Nickname") == [first]


@pytest.mark.parametrize(
    "description",
    [
        '<rdf:Description rdf:about="" xmlns:xmp="{ns}" xmp:Label="red"/>',
        "<rdf:Description rdf:about='' xmlns:xmp='{ns}' xmp:Label  =  'red'></rdf:Description>",
        '<rdf:Description xmlns:odd="{ns}" odd:Label="red" odd:Rating="3"/>',
        '<rdf:Description xmlns:xmp="{ns}"><xmp:Label>red</xmp:Label></rdf:Description>',
        '<rdf:Description xmlns:xmp="{ns}"><xmp:Label xml:lang="en">\n red\n</xmp:Label></rdf:Description>',
        '<rdf:Description><Label xmlns="{ns}">red</Label></rdf:Description>',
        '<rdf:Description xmlns:a="{ns}" xmlns:b="{ns}" b:Label="red" a:Rating="&gt;"/>',
    ],
)
def test_every_way_to_state_a_property(description: str) -> None:
    data = packet(description.replace("{ns}", BASIC))
    assert xmp.values(data, BASIC, "Label") == ["red"]
    cut = xmp.without(data, [(BASIC, "Label")])
    assert xmp.values(cut, BASIC, "Label") == []
    assert b"red" not in cut
    assert xmp.values(cut, BASIC, "Rating") == xmp.values(data, BASIC, "Rating")
    assert cut.endswith(b'   <?xpacket end="w"?>')


def test_names_that_only_look_alike_stay() -> None:
    data = packet(
        f'<rdf:Description xmlns:xmp="{BASIC}" xmlns:my="urn:my" my:Label="mine" xmp:Labels="all"'
        f' xmp:Label="red"><my:Label>mine too</my:Label></rdf:Description>'
    )
    cut = xmp.without(data, [(BASIC, "Label")])
    assert cut == data.replace(b' xmp:Label="red"', b"")


def test_an_empty_element() -> None:
    data = packet(
        f'<rdf:Description xmlns:xmp="{BASIC}"><xmp:Label/><xmp:Rating>3</xmp:Rating></rdf:Description>'
    )
    assert xmp.values(data, BASIC, "Label") == [""]
    assert xmp.without(data, [(BASIC, "Label")]) == data.replace(b"<xmp:Label/>", b"")


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"no xml",
        b"<a/>",
        b"<a><b></a>",
        packet("").replace(b"</rdf:RDF>", b""),
        f'<rdf:RDF xmlns:rdf="{RDF}"/>'.encode(),
        b'<!DOCTYPE a [<!ENTITY lol "lol">]>' + packet(""),
        packet("<rdf:Description odd:Label='undeclared'/>"),
    ],
)
def test_broken_packets_are_value_errors(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"not well-formed|no rdf:RDF|declares entities"):
        xmp.normalized(broken)
    with pytest.raises(ValueError, match=r"not well-formed|no rdf:RDF|declares entities"):
        xmp.with_properties(broken, [Property(BASIC, "xmp", "Label", "red")])


def test_entities_are_refused_before_they_grow() -> None:
    nested = "".join(f'<!ENTITY a{n} "&a{n - 1};&a{n - 1};&a{n - 1};&a{n - 1};">' for n in range(1, 30))
    bomb = f'<!DOCTYPE a [<!ENTITY a0 "ha">{nested}]>'.encode() + packet("&a29;")
    with pytest.raises(ValueError, match="declares entities"):
        xmp.normalized(bomb)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for candidate in (data, packet("") + data, packet("x").replace(b"x", data)):
        try:
            found = xmp.normalized(candidate)
        except ValueError:
            continue
        assert xmp.values(found, BASIC, "Label") == []


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_other_encodings_become_utf8(encoding: str) -> None:
    data = packet(f'<rdf:Description xmlns:xmp="{BASIC}" xmp:Label="röd"/>')
    mark = "\ufeff".encode(encoding)
    assert xmp.values(xmp.normalized(mark + data.decode().encode(encoding) + b"\0\0"), BASIC, "Label") == [
        "röd"
    ]


# --- packets longer than a segment ---------------------------------------------------------------


def long_packet() -> bytes:
    words = " ".join(str(number) for number in range(30_000))
    return packet(
        f'<rdf:Description rdf:about="" my:Note="short"/>'
        f'<rdf:Description rdf:about=""><my:Words>{words}</my:Words></rdf:Description>',
        root=f' xmlns:my="urn:my" xmlns:xmp="{BASIC}"',
    )


def test_split_and_joined() -> None:
    data = long_packet()
    main, name, extension = xmp.split(data)
    assert xmp.values(main, NOTE, "HasExtendedXMP") == [name.decode()]
    assert extension == data
    whole = xmp.joined(main, extension)
    assert xmp.values(whole, NOTE, "HasExtendedXMP") == []
    for key in ("Note", "Words"):
        assert xmp.values(whole, "urn:my", key) == xmp.values(data, "urn:my", key) != []


@pytest.mark.parametrize("broken", [b"", b"<a>", b"\0" * 50])
def test_a_broken_extension_leaves_the_main_packet(broken: bytes) -> None:
    main = packet("<rdf:Description/>")
    assert xmp.joined(main, broken) == main
    assert xmp.joined(broken, main) == broken


def test_a_long_packet_in_a_jpeg(tmp_path: Path) -> None:
    photo = Photo.from_array(np.zeros((9, 9, 3), np.uint8))
    path = write(Photo(photo.source, Metadata(xmp=long_packet())), tmp_path / "a.jpg")
    found = read(path).metadata.xmp
    assert found is not None
    assert xmp.values(found, "urn:my", "Words") == xmp.values(long_packet(), "urn:my", "Words")
    if shutil.which("exiftool"):
        said = subprocess.run(["exiftool", "-XMP:Words", "-b", path], capture_output=True, check=True).stdout
        assert said.decode().split() == [str(number) for number in range(30_000)]
