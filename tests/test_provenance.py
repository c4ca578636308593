"""The mark in metadata, and the sidecar."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.errors import OptionError, PhotoError
from photochrom.photo import Metadata, Photo, read, write, xmp
from photochrom.provenance import (
    IPTC_EXT,
    OWN,
    SOURCE_TYPE,
    XMP_BASIC,
    Sidecar,
    file_sha256,
    is_marked,
    mark,
    unmark,
)

if TYPE_CHECKING:
    from pathlib import Path

RICH = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Some Scanner 3.1">
 <!-- a comment that must stay -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:basic="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:own="urn:an:archive" xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    basic:Rating="4" own:shelf='A "17" &amp; B'>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">Großmutter, 1931</rdf:li></rdf:Alt></dc:description>
   <ext:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm</ext:DigitalSourceType>
   <basic:CreatorTool>Some Scanner 3.1</basic:CreatorTool>
   <ext:LocationShown>
    <rdf:Bag><rdf:li rdf:parseType="Resource"><ext:City>Genf</ext:City></rdf:li></rdf:Bag>
   </ext:LocationShown>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
      \n<?xpacket end="w"?>""".encode()


def triples(packet: bytes) -> set[tuple[str, str]]:
    """(name, text) of every property of a packet, by another XML parser."""
    tree = ElementTree.fromstring(packet.decode().lstrip("\ufeff"))
    found = set()
    for element in tree.iter():
        if element.text and element.text.strip():
            found.add((element.tag, element.text.strip()))
        found |= set(element.attrib.items())
    return found


def test_a_new_packet_holds_the_mark() -> None:
    metadata = mark(Metadata(), "photochrom", "1.2.3")
    assert metadata.xmp is not None
    assert xmp.values(metadata.xmp, IPTC_EXT, "DigitalSourceType") == [SOURCE_TYPE]
    assert xmp.values(metadata.xmp, IPTC_EXT, "AISystemUsed") == ["Photochrom, model photochrom"]
    assert xmp.values(metadata.xmp, IPTC_EXT, "AISystemVersionUsed") == ["1.2.3"]
    assert xmp.values(metadata.xmp, XMP_BASIC, "CreatorTool") == ["Photochrom 1.2.3"]
    assert is_marked(metadata)
    assert not is_marked(Metadata())


def test_an_existing_packet_loses_nothing() -> None:
    marked = mark(Metadata(xmp=RICH, exif=b"x", iptc=b"y"), "photochrom", "1.2.3")
    assert marked.xmp is not None
    assert (marked.exif, marked.iptc) == (b"x", b"y")
    before, after = triples(RICH), triples(marked.xmp)
    source = (
        f"{{{IPTC_EXT}}}DigitalSourceType",
        "http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm",
    )
    assert before - after == {source}
    assert xmp.values(marked.xmp, OWN, "OriginalSourceType") == [source[1]]
    assert xmp.values(marked.xmp, IPTC_EXT, "DigitalSourceType") == [SOURCE_TYPE]
    assert xmp.values(marked.xmp, XMP_BASIC, "CreatorTool") == ["Some Scanner 3.1"]
    for kept in (
        b"<!-- a comment that must stay -->",
        b"""own:shelf='A "17" &amp; B'""",
        b"      \n<?xpacket end",
    ):
        assert kept in marked.xmp


def test_marking_twice_is_marking_once() -> None:
    once = mark(Metadata(xmp=RICH), "photochrom", "1.2.3")
    twice = mark(once, "photochrom", "1.2.3")
    assert once.xmp is not None
    assert twice.xmp is not None
    assert triples(once.xmp) == triples(twice.xmp)
    again = mark(twice, "another", "2.0")
    assert again.xmp is not None
    assert xmp.values(again.xmp, IPTC_EXT, "AISystemUsed") == ["Photochrom, model another"]


@pytest.mark.parametrize(
    "broken", [b"", b"<a", b"no xml", b"<a/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"]
)
def test_a_packet_that_does_not_parse_gives_way(broken: bytes) -> None:
    assert is_marked(mark(Metadata(xmp=broken), "photochrom", "1"))
    assert not is_marked(Metadata(xmp=broken))


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_any_model_name_survives(name: str) -> None:
    marked = mark(Metadata(xmp=RICH), name, "1")
    assert marked.xmp is not None
    [found] = xmp.values(marked.xmp, IPTC_EXT, "AISystemUsed")
    assert found == f"Photochrom, model {name}"


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "avif"])
def test_the_mark_is_in_the_file(tmp_path: Path, suffix: str) -> None:
    photo = Photo(Photo.from_array(np.zeros((9, 12, 3), np.uint8)).source, mark(Metadata(xmp=RICH), "m", "1"))
    path = write(photo, tmp_path / f"a.{suffix}")
    assert is_marked(read(path).metadata)
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed: apt-get install libimage-exiftool-perl")
    said = subprocess.run(["exiftool", "-j", "-n", "-XMP:all", path], capture_output=True, check=True).stdout
    [tags] = json.loads(said)
    assert tags["DigitalSourceType"] == SOURCE_TYPE
    assert tags["Description"] == "Großmutter, 1931"
    assert tags["Rating"] == 4
    assert tags["LocationShownCity"] == "Genf"


# --- the sidecar ---------------------------------------------------------------------------------

HASH = "0123456789abcdef" * 4


def sidecar(**changes: Any) -> Sidecar:
    arguments = {
        "input": "in/Großmutter.tif",
        "input_sha256": HASH,
        "output": "out/Großmutter.colorized.tif",
        "model": "photochrom",
        "model_sha256": HASH,
        "photochrom": "0.1.0",
        "options": {"vividness": 0.5, "strip": False},
        "hints": {"version": 1, "hints": []},
    }
    return Sidecar(**(arguments | changes))


def test_a_sidecar_there_and_back(tmp_path: Path) -> None:
    written = sidecar()
    path = tmp_path / "a.json"
    path.write_text(written.dump(), encoding="utf-8")
    assert Sidecar.load(path) == written
    assert Sidecar.load(written.dump()) == written
    assert sidecar(hints=None) == Sidecar.load(sidecar(hints=None).dump())
    assert written.time.endswith("+00:00")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 2"),
        ({"version": None}, "version None"),
        ({"input_sha256": "xyz"}, "input_sha256"),
        ({"model_sha256": 7}, "model_sha256"),
        ({"hints": "red"}, "hints"),
        ({"options": []}, "options"),
        ({"surprise": 1}, "surprise is not known"),
    ],
)
def test_a_bad_sidecar_is_an_error_that_names_it(change: dict[str, Any], message: str) -> None:
    data = json.loads(sidecar().dump()) | change
    with pytest.raises(OptionError, match=message):
        Sidecar.load(json.dumps(data))


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "[" * 100_000, '{"version": 1}', "\udcff"])
def test_no_sidecar_at_all(text: str) -> None:
    with pytest.raises(OptionError):
        Sidecar.load(text.encode("utf-8", "surrogateescape"))


def test_a_missing_sidecar(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"nothing\.json cannot be read"):
        Sidecar.load(tmp_path / "nothing.json")


def test_the_input_is_recognised_by_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"picture")
    sidecar(input_sha256=file_sha256(path)).check_input(path)
    with pytest.raises(OptionError, match="is not the file that was colored"):
        sidecar().check_input(path)
    with pytest.raises(PhotoError, match="cannot be read"):
        sidecar().check_input(tmp_path / "gone.tif")


@pytest.mark.parametrize("packet", [None, RICH], ids=["none", "rich"])
def test_taking_the_colors_away_takes_the_mark_away(packet: bytes | None) -> None:
    before = Metadata(xmp=packet)
    after = unmark(mark(before, "photochrom", "1.0"))
    assert not is_marked(after)
    if packet is None:
        assert after == before
        return
    assert after.xmp is not None
    for namespace, name in (
        (IPTC_EXT, "DigitalSourceType"),
        (XMP_BASIC, "CreatorTool"),
        (XMP_BASIC, "Rating"),
    ):
        assert xmp.values(after.xmp, namespace, name) == xmp.values(packet, namespace, name)
    for namespace, name in ((IPTC_EXT, "AISystemUsed"), (OWN, "OriginalSourceType")):
        assert xmp.values(after.xmp, namespace, name) == []


def test_what_is_not_marked_stays() -> None:
    assert unmark(Metadata(xmp=RICH)) == Metadata(xmp=RICH)
    assert unmark(Metadata()) == Metadata()
