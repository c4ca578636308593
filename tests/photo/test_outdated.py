"""Metadata that describe the picture before it was turned, taken apart or colored."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.photo import ifd, read, write, xmp
from photochrom.photo.outdated import Turn, of_color, turned, without_parts
from photochrom.photo.sources import upright
from photochrom.upsample import GuidedFilter

FIELD = Path(__file__).parent / "field"
TIFF, EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
AREA, DIMENSIONS = "http://ns.adobe.com/xmp/sType/Area#", "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
CRS = "http://ns.adobe.com/camera-raw-settings/1.0/"
MICROSOFT = "http://ns.microsoft.com/photo/1.2/t/Region#"
CAMERA = "http://ns.google.com/photos/1.0/camera/"
GAIN_MAP = "http://ns.adobe.com/hdr-gain-map/1.0/"
CONTAINER = "http://ns.google.com/photos/1.0/container/"


def packet(inner: str = "", attributes: str = "") -> bytes:
    names = {
        "tiff": TIFF,
        "exif": EXIF,
        "stArea": AREA,
        "stDim": DIMENSIONS,
        "crs": CRS,
        "MPReg": MICROSOFT,
        "GCamera": CAMERA,
        "hdrgm": GAIN_MAP,
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "dc": "http://purl.org/dc/elements/1.1/",
    }
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in names.items())
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{xmp.RDF}">'
        f'<rdf:Description rdf:about="" {declared} {attributes}>{inner}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def numbers(data: bytes, namespace: str, *names: str) -> list[float]:
    return [float(value) for name in names for value in xmp.values(data, namespace, name)]


@given(st.integers(1, 8), st.integers(0, 11), st.integers(0, 6))
def test_places_turn_as_pixels_do(orientation: int, column: int, row: int) -> None:
    pixels = np.zeros((7, 12), np.uint8)
    pixels[row, column] = 1
    (seen_row,), (seen_column,) = np.nonzero(upright(pixels, orientation))
    turn = Turn(orientation)
    width, height = turn.size(12, 7)
    assert turn.point((column + 0.5) / 12, (row + 0.5) / 7) == pytest.approx(
        ((seen_column + 0.5) / width, (seen_row + 0.5) / height)
    )


def test_the_orientation_in_xmp_is_1_once_the_pixels_are_turned() -> None:
    photo = read(FIELD / "xmp-orientation.jpg")
    with Image.open(FIELD / "xmp-orientation.jpg") as image:
        assert (photo.width, photo.height) == image.size[::-1]
    assert photo.metadata.xmp is not None
    assert xmp.values(photo.metadata.xmp, TIFF, "Orientation") == ["1"]


def test_face_regions_turn_with_the_picture() -> None:
    data = read(FIELD / "xmp-face-region.jpg").metadata.xmp
    assert data is not None
    # stored at x 0.25, y 0.3, 0.1 wide and 0.2 high; seen turned clockwise by 90 degrees
    assert numbers(data, AREA, "x", "y", "w", "h") == pytest.approx([0.7, 0.25, 0.2, 0.1])
    assert numbers(data, DIMENSIONS, "w", "h") == [120, 160]
    assert b">Anna<" in data


@pytest.mark.parametrize("orientation", range(2, 9))
def test_regions_as_attributes_crops_and_microsofts_rectangles(orientation: int) -> None:
    area = '<stArea:a stArea:x="0.25" stArea:y="0.3" stArea:w="0.1" stArea:h="0.2" stArea:unit="normalized"/>'
    before = packet(
        f"{area}{area}<MPReg:Rectangle>0.2, 0.2, 0.1, 0.2</MPReg:Rectangle><dc:title>0.25</dc:title>",
        'crs:CropTop="0.2" crs:CropLeft="0.2" crs:CropBottom="0.4" crs:CropRight="0.3" crs:CropAngle="1.5" '
        'exif:PixelXDimension="160" exif:PixelYDimension="120"',
    )
    after = turned(before, orientation)
    x, y = Turn(orientation).point(0.25, 0.3)
    w, h = (0.2, 0.1) if orientation >= 5 else (0.1, 0.2)
    for name, value in zip("xywh", (x, y, w, h), strict=True):
        assert numbers(after, AREA, name) == pytest.approx([value, value])
    box = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
    assert [float(v) for v in xmp.values(after, MICROSOFT, "Rectangle")[0].split(",")] == pytest.approx(
        [box[0], box[1], w, h]
    )
    assert numbers(after, CRS, "CropLeft", "CropTop", "CropRight", "CropBottom") != []
    crop = Turn(orientation).box(0.2, 0.2, 0.3, 0.4)
    assert numbers(after, CRS, "CropLeft", "CropTop", "CropRight", "CropBottom") == pytest.approx(crop)
    assert numbers(after, CRS, "CropAngle") == [-1.5 if orientation in (2, 4, 5, 7) else 1.5]
    sizes = [120, 160] if orientation >= 5 else [160, 120]
    assert numbers(after, EXIF, "PixelXDimension", "PixelYDimension") == sizes
    assert xmp.values(after, "http://purl.org/dc/elements/1.1/", "title") == ["0.25"]


def test_what_is_no_number_or_not_whole_stays() -> None:
    odd = packet("<stArea:x>left</stArea:x><stArea:y>0.5</stArea:y><stDim:w>3</stDim:w>")
    assert turned(odd, 6) == odd


@given(st.integers(1, 8))
def test_turning_there_and_back(orientation: int) -> None:
    back = {6: 8, 8: 6}.get(orientation, orientation)
    before = packet(
        "<stArea:x>0.25</stArea:x><stArea:y>0.375</stArea:y><stArea:w>0.5</stArea:w><stArea:h>1</stArea:h>"
    )
    assert turned(turned(before, orientation), back) == before


def test_the_dimensions_in_exif_turn_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(ifd.EXIF_IFD).update({0xA002: 160, 0xA003: 120})
    buffer = io.BytesIO()
    Image.new("RGB", (160, 120)).save(buffer, "JPEG", exif=exif)
    photo = read(buffer.getvalue())
    assert photo.metadata.exif is not None
    inner = ifd.parse(photo.metadata.exif)[ifd.EXIF_IFD]
    assert isinstance(inner, dict)
    assert [ifd.integers(inner, tag) for tag in (0xA002, 0xA003)] == [(120,), (160,)]


# --- parts that are left out ---------------------------------------------------------------------


def test_claims_to_a_video_and_a_gain_map_go_with_them() -> None:
    photo = read(FIELD / "motion-photo-gain-map.MP.jpg")
    assert "its short video and its HDR gain map are left out" in photo.warnings
    assert photo.metadata.xmp is not None
    for namespace, name in (
        *((CAMERA, name) for name in ("MotionPhoto", "MotionPhotoVersion", "MicroVideo", "MicroVideoOffset")),
        *((GAIN_MAP, "Version"), (CONTAINER, "Directory")),
    ):
        assert xmp.values(photo.metadata.xmp, namespace, name) == []
    buffer = io.BytesIO()
    write(photo, buffer, format="jpeg")
    assert b"MotionPhoto" not in buffer.getvalue()
    assert b"ftyp" not in buffer.getvalue()


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        (
            'GCamera:MotionPhoto="1" GCamera:MotionPhotoPresentationTimestampUs="0"',
            "its short video is left out",
        ),
        ('GCamera:MicroVideo="1" GCamera:MicroVideoOffset="99"', "its short video is left out"),
        ('hdrgm:Version="1.0" hdrgm:GainMapMax="2.3"', "its HDR gain map is left out"),
        ('tiff:Orientation="1"', None),
    ],
)
def test_each_claim_alone(attributes: str, told: str | None) -> None:
    after, said = without_parts(packet("<dc:title>x</dc:title>", attributes))
    assert said == ((told,) if told else ())
    assert (after == packet("<dc:title>x</dc:title>", attributes)) == (told is None)
    assert not any(xmp.values(after, GAIN_MAP, "GainMapMax"))
    assert xmp.values(after, "http://purl.org/dc/elements/1.1/", "title") == ["x"]


# --- color ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("srgb", [True, False])
def test_what_contradicts_a_color_picture(srgb: bool) -> None:
    before = packet(
        "<xmp:Thumbnails><rdf:Alt><rdf:li>old</rdf:li></rdf:Alt></xmp:Thumbnails>",
        'crs:ConvertToGrayscale="True" photoshop:ColorMode="1" photoshop:ICCProfile="Dot Gain 20%" '
        'exif:ColorSpace="65535" tiff:Make="Epson"',
    )
    after = of_color(before, srgb=srgb)
    assert xmp.values(after, EXIF, "ColorSpace") == ["1" if srgb else "65535"]
    assert xmp.values(after, "http://ns.adobe.com/photoshop/1.0/", "ColorMode") == ["3"]
    assert b"ConvertToGrayscale" not in after
    assert b"Dot Gain" not in after
    assert b"Thumbnails" not in after
    assert xmp.values(after, TIFF, "Make") == ["Epson"]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("profile", ["srgb", "input"])
def test_the_color_space_in_exif_is_that_of_the_profile(order: str, profile: str) -> None:
    inner = struct.pack(order + "H", 2) + struct.pack(order + "HHIHH", 0xA001, 3, 1, 65535, 0)
    inner += struct.pack(order + "HHII", 0xA005, 4, 1, 56) + bytes(4)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 1)
    block = head + struct.pack(order + "HHII", 0x8769, 4, 1, 26) + bytes(4) + inner
    block += struct.pack(order + "HHHI", 1, 1, 2, 4) + b"R03\0" + bytes(4)
    from photochrom.photo.vips import libvips

    p3 = bytes(libvips().Operation.call("profile_load", "p3"))
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), (200, 30, 30)).save(buffer, "JPEG", exif=b"Exif\0\0" + block, icc_profile=p3)
    photo = read(buffer.getvalue())
    target = io.BytesIO()
    write(photo.with_pixels(photo.rgb), target, format="jpeg", profile=profile)
    exif = read(target.getvalue()).metadata.exif
    assert exif is not None
    fields = ifd.parse(exif)[ifd.EXIF_IFD]
    assert isinstance(fields, dict)
    assert ifd.integers(fields, 0xA001) == (1 if profile == "srgb" else 65535,)
    assert fields[ifd.INTEROP_IFD] == {1: ifd.Field(ifd.ASCII, b"R98\0" if profile == "srgb" else bytes(4))}


@pytest.mark.parametrize("name", ["xmp-orientation", "xmp-face-region", "exif-orientation-long-be"])
def test_where_the_data_stay_as_they_lay_the_metadata_do_too(name: str) -> None:
    """A JPEG that keeps its luminance data keeps its orientation, and so what is said of places."""
    photo = read(FIELD / f"{name}.jpg")
    colored = photo.with_pixels(
        lambda top, bottom: photo.rgb[top:bottom],
        chroma=GuidedFilter(*np.zeros((2, 8, 8, 2), np.float32)),
    )
    buffer = io.BytesIO()
    write(colored, buffer, format="jpeg")
    with Image.open(io.BytesIO(buffer.getvalue())) as image, Image.open(FIELD / f"{name}.jpg") as before:
        assert image.size == before.size
        assert image.getexif()[0x0112] == before.getexif()[0x0112] == 6
    again = read(buffer.getvalue())
    assert (again.width, again.height) == (photo.width, photo.height)
    if photo.metadata.xmp:
        assert b">6<" in buffer.getvalue() or b"stArea" in buffer.getvalue()
        assert again.metadata.xmp == photo.metadata.xmp
