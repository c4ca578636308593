"""The table of docs/formats.md is what round trips give; exiftool bears witness where it is installed.

To write the table anew: python tests/photo/test_formats_table.py
"""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from photochrom.photo import Metadata, Photo, ifd, output_format, read, write
from photochrom.photo.profiles import srgb_profile
from photochrom.photo.vips import libvips

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
START, END = "<!-- table: python tests/photo/test_formats_table.py -->\n", "<!-- end of table -->\n"
WRITTEN = ("jpeg", "png", "tiff", "webp", "avif")
COLUMNS = ("input", "bits", "output", "pixels", "ICC", "EXIF", "XMP", "IPTC", "DPI", "alpha")

XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="Zürich"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag><rdf:li>family</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


def ascii_field(text: str) -> ifd.Field:
    return ifd.Field(ifd.ASCII, text.encode() + b"\0")


def exif_block() -> bytes:
    degrees = struct.pack("<6I", 47, 1, 22, 1, 30, 1)
    return ifd.dump(
        {
            0x010E: ascii_field("Grandmother at the lake"),
            0x013B: ascii_field("Anna Example"),
            0x8298: ascii_field("CC0"),
            ifd.EXIF_IFD: {0x9003: ascii_field("1931:07:14 12:00:00"), 0x927C: ifd.Field(7, b"maker's own")},
            ifd.GPS_IFD: {1: ascii_field("N"), 2: ifd.Field(ifd.RATIONAL, degrees)},
        }
    )


def iptc_records() -> bytes:
    """Caption (2:120), city (2:90), in UTF-8 (1:90)."""
    values = [(1, 90, b"\x1b%G"), (2, 120, "Großmutter am See".encode()), (2, 90, "Zürich".encode())]
    return b"".join(
        struct.pack(">BBBH", 0x1C, record, number, len(text)) + text for record, number, text in values
    )


def display_p3() -> bytes:
    return bytes(libvips().Operation.call("profile_load", "p3"))


def metadata() -> Metadata:
    return Metadata(icc=display_p3(), exif=exif_block(), xmp=XMP, iptc=iptc_records(), dpi=(600.0, 600.0))


def picture(bits: int, alpha: bool) -> np.ndarray:
    y, x = np.mgrid[:48, :64]
    bands = [x * 4, y * 5, (x + y) * 2, x + y * 3][: 4 if alpha else 3]
    array = np.stack(bands, axis=-1).astype(np.uint8)
    return array if bits == 8 else array.astype(np.uint16) * 257 + x[..., None].astype(np.uint16)


def seed(name: str, bits: int) -> bytes:
    """A file of a format with all the metadata that its other writers put there."""
    alpha = name not in ("jpeg", "bmp", "gif")
    array = picture(bits, alpha)
    buffer = io.BytesIO()
    if name in WRITTEN:
        photo = replace(Photo.from_array(array), metadata=metadata())
        write(photo, buffer, format=name, profile="input")
        return buffer.getvalue()
    image = Image.fromarray(array)
    if name == "heic":
        pillow_heif = pytest.importorskip("pillow_heif")
        pillow_heif.register_heif_opener()
        image.save(
            buffer, "HEIF", exif=b"Exif\0\0" + exif_block(), xmp=XMP, icc_profile=display_p3(), quality=95
        )
    elif name == "jpeg2000":
        image.save(buffer, "JPEG2000")
        uuids = {"be7acfcb97a942e89c71999491e3afac": XMP, "33c7a4d2b81d4723a0baf1a3e097ad38": iptc_records()}
        uuids[b"JpgTiffExif->JP2".hex()] = exif_block()
        for uuid, payload in uuids.items():
            box = bytes.fromhex(uuid) + payload
            buffer.write(struct.pack(">I4s", len(box) + 8, b"uuid") + box)
    elif name == "bmp":
        image.save(buffer, "BMP", dpi=(600, 600))
    else:
        image.convert("P").save(buffer, "GIF")
    return buffer.getvalue()


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    bits: int

    def cells(self) -> tuple[str, ...]:
        data = seed(self.name, self.bits)
        photo = read(data)
        output = output_format(photo).name
        rgb = photo.with_pixels(photo.rgb)
        again, as_input = (self._stored(rgb, output, profile) for profile in ("srgb", "input"))
        return (
            self.name.upper(),
            str(self.bits),
            output.upper(),
            self._pixels(rgb, again),
            self._profile(photo, again, as_input),
            *self._metadata(photo.metadata, again.metadata),
            self._alpha(data, photo, again),
        )

    @staticmethod
    def _stored(photo: Photo, output: str, profile: str) -> Photo:
        buffer = io.BytesIO()
        write(photo, buffer, format=output, profile=profile)
        return read(buffer.getvalue())

    @staticmethod
    def _pixels(photo: Photo, again: Photo) -> str:
        if again.dtype == photo.dtype and np.array_equal(again.pixels, photo.pixels):
            return "exact"
        difference = np.abs(again.pixels.astype(int) - photo.pixels.astype(int)).mean()
        assert again.dtype == photo.dtype
        assert difference < 4
        return "lossy"

    @staticmethod
    def _profile(photo: Photo, again: Photo, as_input: Photo) -> str:
        assert again.metadata.icc == srgb_profile()
        kept = photo.metadata.icc is not None and as_input.metadata.icc == photo.metadata.icc
        return "sRGB or the input's" if kept else "sRGB"

    @staticmethod
    def _metadata(before: Metadata, after: Metadata) -> tuple[str, ...]:
        def word(had: object, same: bool) -> str:
            return "–" if not had else "kept" if same else "LOST"

        exif = bool(before.exif and after.exif) and described(before.exif) == described(after.exif)
        xmp = bool(before.xmp and after.xmp) and properties(before.xmp) == properties(after.xmp)
        dpi = (
            before.dpi
            and after.dpi
            and max(abs(a - b) for a, b in zip(before.dpi, after.dpi, strict=True)) < 0.01
        )
        had_exif = bool(before.exif and described(before.exif))
        return (
            word(had_exif, exif),
            word(before.xmp, xmp),
            word(before.iptc, before.iptc == after.iptc),
            word(before.dpi, bool(dpi)),
        )

    @staticmethod
    def _alpha(data: bytes, photo: Photo, again: Photo) -> str:
        if photo.alpha is None:
            return "–"
        assert again.alpha is not None
        if np.array_equal(photo.alpha, again.alpha):
            return "kept"
        assert np.abs(photo.alpha.astype(int) - again.alpha.astype(int)).max() <= 3
        return "lossy"


def described(block: bytes | None) -> dict[int, Any]:
    """The fields of a block that describe the photo (resolution is in a column of its own)."""
    fields = ifd.parse(block or b"")
    return {tag: value for tag, value in fields.items() if tag not in (274, 282, 283, 296)}


def properties(packet: bytes) -> set[tuple[str, str]]:
    tree = ElementTree.fromstring(packet.decode())
    texts = {(item.tag, item.text.strip()) for item in tree.iter() if item.text and item.text.strip()}
    return texts | {pair for item in tree.iter() for pair in item.attrib.items()}


ROWS = (
    *(Row("jpeg", 8), Row("png", 8), Row("png", 16), Row("tiff", 8), Row("tiff", 16), Row("webp", 8)),
    *(Row("avif", 8), Row("heic", 8), Row("jpeg2000", 8), Row("bmp", 8), Row("gif", 8)),
)


def table() -> str:
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *(row.cells() for row in ROWS)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def test_the_page_holds_the_table_that_round_trips_give() -> None:
    pytest.importorskip("pillow_heif", reason="HEIC needs the extra [heic]")
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    committed, _, _ = rest.partition(END)
    assert committed == table(), "run: python tests/photo/test_formats_table.py"


def test_nothing_is_lost_that_the_output_can_hold() -> None:
    pytest.importorskip("pillow_heif", reason="HEIC needs the extra [heic]")
    assert "LOST" not in table()


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is missing: libimage-exiftool-perl")
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("name", WRITTEN)
def test_exiftool_finds_the_same(tmp_path: Path, name: str, bits: int) -> None:
    photo = replace(Photo.from_array(picture(bits, alpha=False)), metadata=metadata())
    path = write(photo, tmp_path / f"a.{name}")
    command = ["exiftool", "-j", "-a", "-G", "-n", "-charset", "iptc=utf8", path]
    [tags] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert "ExifTool:Warning" not in tags
    assert "ExifTool:Error" not in tags
    expected = {
        "EXIF:ImageDescription": "Grandmother at the lake",
        "EXIF:Artist": "Anna Example",
        "EXIF:DateTimeOriginal": "1931:07:14 12:00:00",
        "EXIF:GPSLatitude": pytest.approx(47.375, abs=1e-3),
        "XMP:City": "Zürich",
        "XMP:Subject": "family",
        "ICC_Profile:ProfileDescription": "sRGB",
    }
    if name in ("jpeg", "png", "tiff"):
        expected |= {"IPTC:Caption-Abstract": "Großmutter am See", "IPTC:City": "Zürich"}
    resolution = {
        "jpeg": {"JFIF:XResolution": 600, "JFIF:ResolutionUnit": 1},
        "png": {"PNG:PixelsPerUnitX": round(600 / 0.0254)},
    }
    expected |= resolution.get(name, {"EXIF:XResolution": 600, "EXIF:ResolutionUnit": 2})
    if name in ("png", "tiff"):
        assert str(bits) in str(tags.get("PNG:BitDepth", tags.get("EXIF:BitsPerSample")))
    found = {key: tags.get(key) for key in expected}
    found["ICC_Profile:ProfileDescription"] = (
        "sRGB" if "sRGB" in str(tags.get("ICC_Profile:ProfileDescription")) else None
    )
    assert found == expected


def test_strip_drops_all_but_the_profile() -> None:
    for name in WRITTEN:
        buffer = io.BytesIO()
        write(
            replace(Photo.from_array(picture(8, alpha=False)), metadata=metadata()),
            buffer,
            format=name,
            strip=True,
        )
        assert read(buffer.getvalue()).metadata == Metadata(icc=srgb_profile())


def rewrite() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + START + table() + END + after, encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory():
        rewrite()
