"""Captions that exiftool has written into files of other programs come through reading and writing."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from photochrom.photo import read, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="exiftool is missing: apt-get install libimage-exiftool-perl"
)

WRITTEN = {
    "EXIF:ImageDescription": "Grandmother at the lake",
    "EXIF:Artist": "Anna Example",
    "EXIF:Copyright": "CC0",
    "EXIF:Make": "Scanner Works",
    "EXIF:Software": "ScanPro 3",
    "EXIF:DateTimeOriginal": "1931:07:14 12:00:00",
    "EXIF:UserComment": "from the blue album",
    "EXIF:ExposureTime": "1/125",
    "EXIF:GPSLatitude": "47.3769",
    "EXIF:GPSLatitudeRef": "N",
    "EXIF:GPSLongitude": "8.5417",
    "EXIF:GPSLongitudeRef": "E",
    "XMP-dc:Title": "Am See",
    "XMP-dc:Creator": "Anna Beispiel",
    "XMP-dc:Description": "Großmutter und 湖",
    "XMP-photoshop:City": "Zürich",
    "XMP-xmp:Rating": "4",
    "XMP-iptcExt:PersonInImage": "Ida",
    "XMP-crs:Exposure2012": "0.5",
}
IPTC = {
    "IPTC:CodedCharacterSet": "UTF8",
    "IPTC:Caption-Abstract": "Großmutter am See",
    "IPTC:Keywords": "family",
    "IPTC:City": "Zürich",
    "IPTC:By-line": "Anna Example",
    "IPTC:DateCreated": "1931:07:14",
}
# of the file's own layout, or ours to change
_OWN = (
    "ExifIFD:ExifImage",
    "IFD0:Orientation",
    "IFD0:YCbCr",
    "IFD0:ExifOffset",
    "XMP-x:XMPToolkit",
    "ExifIFD:ColorSpace",
)


def seed(folder: Path, kind: str) -> Path:
    array = np.arange(48 * 64 * 3, dtype=np.uint32).reshape(48, 64, 3).astype(np.uint8)
    path = folder / f"seed.{kind.split()[0]}"
    if kind.startswith("tif "):
        order = ">" if kind.endswith("big-endian") else "<"
        deep = array.astype(np.uint16) * 257
        tifffile.imwrite(path, deep, photometric="rgb", byteorder=order, metadata=None)
    else:
        Image.fromarray(array).save(path)
    tags = WRITTEN | (IPTC if path.suffix in (".jpg", ".tif", ".png") else {})
    if path.suffix == ".webp":
        tags = WRITTEN
    command = [
        "exiftool",
        "-q",
        "-q",
        "-m",
        "-overwrite_original",
        *[f"-{tag}={value}" for tag, value in tags.items()],
    ]
    subprocess.run([*command, path], check=True, capture_output=True)
    return path


def tags_of(path: Path) -> dict[str, Any]:
    command = [
        "exiftool",
        "-j",
        "-a",
        "-G1",
        "-n",
        "-charset",
        "iptc=utf8",
        "-EXIF:all",
        "-XMP:all",
        "-IPTC:all",
        path,
    ]
    [tags] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {key: value for key, value in tags.items() if ":" in key and not key.startswith(_OWN)}


LAYOUT = frozenset(
    f"IFD0:{name}"
    for name in (
        *("ImageWidth", "ImageHeight", "BitsPerSample", "Compression", "PhotometricInterpretation"),
        *(
            "StripOffsets",
            "SamplesPerPixel",
            "RowsPerStrip",
            "StripByteCounts",
            "PlanarConfiguration",
            "Predictor",
        ),
        *("XResolution", "YResolution", "ResolutionUnit", "SampleFormat", "ICC_Profile"),
    )
)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif little-endian", "tif big-endian"])
def test_every_tag_comes_through(tmp_path: Path, kind: str) -> None:
    before = seed(tmp_path, kind)
    photo = read(before)
    assert photo.warnings == ()
    colored = photo.with_pixels(photo.rgb[..., ::-1].copy())
    after = write(colored, tmp_path / f"after{before.suffix}")
    expected = {key: value for key, value in tags_of(before).items() if key not in LAYOUT}
    found = {key: value for key, value in tags_of(after).items() if key not in LAYOUT}
    assert len(expected) >= (len(WRITTEN) if kind == "webp" else len(WRITTEN) + len(IPTC) - 1)
    assert found == expected


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "avif"])
@pytest.mark.parametrize("kind", ["jpg", "tif big-endian"])
def test_captions_change_containers(tmp_path: Path, kind: str, suffix: str) -> None:
    photo = read(seed(tmp_path, kind))
    found = tags_of(write(photo.with_pixels(photo.rgb), tmp_path / f"after.{suffix}"))
    assert found["IFD0:ImageDescription"] == "Grandmother at the lake"
    assert found["ExifIFD:UserComment"] == "from the blue album"
    assert found["ExifIFD:ExposureTime"] == pytest.approx(1 / 125)
    assert found["GPS:GPSLatitude"] == pytest.approx(47.3769, abs=1e-4)
    assert found["XMP-dc:Description"] == "Großmutter und 湖"
    assert found["XMP-iptcExt:PersonInImage"] == "Ida"
    if suffix in ("jpg", "png", "tif"):
        assert found["IPTC:Caption-Abstract"] == "Großmutter am See"
        assert found["IPTC:Keywords"] == "family"


@pytest.mark.parametrize("kind", ["jpg", "png", "tif little-endian"])
def test_exiftool_finds_no_fault_in_the_output(tmp_path: Path, kind: str) -> None:
    photo = read(seed(tmp_path, kind))
    path = write(photo.with_pixels(photo.rgb), tmp_path / f"after.{kind.split()[0]}")
    said = subprocess.run(
        ["exiftool", "-validate", "-warning", "-error", "-a", path],
        check=True,
        capture_output=True,
        text=True,
    )
    # its validation wants baseline TIFF, which knows no deflate, and a full set of camera tags
    harmless = ("Validate", "minor", "Missing required", "tag 0x0103 Compression")
    assert [line for line in said.stdout.splitlines() if not any(word in line for word in harmless)] == []
