"""Grey profiles where luminance data are kept: the curve goes into an RGB profile, and back."""

from __future__ import annotations

import contextlib
import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from photochrom.color import rgb_to_lab
from photochrom.errors import DamagedPhoto
from photochrom.photo import read, write
from photochrom.photo.jpeg_luminance import uncolored
from photochrom.photo.profiles import grey_like_rgb, rgb_like_grey, srgb_profile
from photochrom.photo.writing import luminance_written
from photochrom.upsample import GuidedFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray


def scene() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:120, :160]
    return (128 + 100 * np.sin(columns / 23) * np.cos(rows / 17)).astype(np.uint8)


def jpeg(pixels: NDArray[Any], **options: Any) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "jpeg", **{"quality": 90} | options)
    return target.getvalue()


def colored(data: bytes, a: float, b: float) -> bytes:
    chroma = GuidedFilter(np.zeros((8, 8, 2), np.float32), np.full((8, 8, 2), (a, b), np.float32))
    photo = read(data)
    photo = photo.with_pixels(lambda top, bottom: photo.rows(top, bottom), chroma=chroma)
    target = io.BytesIO()
    assert luminance_written(photo, target, format="jpeg") == "identical"
    write(photo, target, format="jpeg")
    return target.getvalue()


def luma(data: bytes) -> NDArray[Any]:
    with Image.open(io.BytesIO(data)) as image:
        image.draft("L", image.size)
        return np.asarray(image)


def gray_profile(gamma: float, version: int = 2) -> bytes:
    """A grey profile of a gamma, with its tone curve in a tag of its own."""
    curve = (
        b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
        if version == 2
        else b"para" + bytes(4) + struct.pack(">HHi", 0, 0, round(gamma * 65536))
    )
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"gray\0"
    desc = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(81)
    if version == 4:
        coded = "gray".encode("utf-16-be")
        desc = b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(coded), 28) + coded
    tags, places, at = [(b"desc", desc), (b"wtpt", white), (b"kTRC", curve)], b"", 128 + 4 + 36
    body = b""
    for name, data in tags:
        places += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"lcms", version << 24, b"mntr", b"GRAY", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(24) + struct.pack(">4i", 0, 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", 3) + places + body


@pytest.mark.parametrize("gamma", [1.8, 2.2, 1.0])
@pytest.mark.parametrize("version", [2, 4])
def test_a_grey_profile_becomes_an_rgb_profile_of_its_own_curve(gamma: float, version: int) -> None:
    data = jpeg(scene(), icc_profile=gray_profile(gamma, version))
    result = colored(data, 10, 10)
    icc = Image.open(io.BytesIO(result)).info["icc_profile"]
    assert icc != srgb_profile()
    assert ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile.xcolor_space == "RGB "
    assert np.array_equal(luma(result), luma(data))
    before, after = rgb_to_lab(read(data).rgb), rgb_to_lab(read(result).rgb)
    middle = (before[..., 0] > 15) & (before[..., 0] < 90)
    assert np.abs(after - before)[middle][:, 0].mean() < 1
    assert np.abs(after[middle][:, 1:].mean(axis=0) - 10).max() < 2


def test_neutrals_of_the_made_profile_are_the_grey_ones() -> None:
    grey = gray_profile(1.8)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None], 4, axis=0)
    as_grey = read(jpeg(ramp, quality=100, icc_profile=grey)).rgb.astype(int)
    as_rgb = read(jpeg(np.dstack([ramp] * 3), quality=100, icc_profile=rgb_like_grey(grey))).rgb.astype(int)
    assert np.abs(as_grey - as_rgb).max() <= 1


@pytest.mark.parametrize("version", [2, 4])
def test_the_way_back_gives_a_grey_profile_of_the_same_curve(version: int) -> None:
    data = jpeg(scene(), icc_profile=gray_profile(2.2, version))
    back = uncolored(read(colored(data, 10, 10)))
    icc = Image.open(io.BytesIO(back)).info["icc_profile"]
    assert ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile.xcolor_space == "GRAY"
    assert np.array_equal(read(back).pixels, read(data).pixels)


def test_srgb_needs_no_grey_profile_and_a_table_has_no_curve() -> None:
    assert grey_like_rgb(srgb_profile()) is None
    assert rgb_like_grey(srgb_profile()) is None


def test_an_rgb_profile_stays_where_luminance_does() -> None:
    """Codes of Adobe RGB mean what they meant, and the colors are those asked for."""
    pytest.importorskip("jpeglib")
    wide = rgb_like_grey(gray_profile(2.2))
    assert wide is not None
    data = jpeg(np.dstack([scene()] * 3), icc_profile=wide)
    result = colored(data, 20, 10)
    assert Image.open(io.BytesIO(result)).info["icc_profile"] == wide
    assert np.array_equal(luma(result), luma(data))
    lab = rgb_to_lab(read(result).rgb)
    middle = (lab[..., 0] > 30) & (lab[..., 0] < 80)
    assert np.allclose(lab[middle][:, 1:].mean(axis=0), (20, 10), atol=2)


@pytest.mark.parametrize("kind", [5, 7, 65535])
def test_a_curve_of_an_unknown_kind_is_not_a_crash(kind: int) -> None:
    curve = b"para" + bytes(4) + struct.pack(">HH", kind, 0) + bytes(28)
    profile = gray_profile(1.8)
    at = profile.index(b"kTRC") + 4
    profile = profile[:at] + struct.pack(">II", len(profile), len(curve)) + profile[at + 8 :] + curve
    profile = struct.pack(">I", len(profile)) + profile[4:]
    buffer = io.BytesIO()
    Image.fromarray(scene()).save(buffer, "png", icc_profile=profile)
    with contextlib.suppress(DamagedPhoto):
        assert read(buffer.getvalue()).height == len(scene())
