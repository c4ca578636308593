"""Whether luminance data are identical is told by scan bytes or coefficients, and grey comes back whole."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from photochrom.errors import DamagedPhoto, MissingExtra, TooLarge, UnknownFormat
from photochrom.photo import Photo, read, write
from photochrom.photo.jpeg_luminance import compare_luminance, uncolored
from photochrom.photo.jpeg_scans import parse
from photochrom.upsample import GuidedFilter

Pixels = NDArray[np.uint8]


def scene(height: int = 60, width: int = 90) -> Pixels:
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:height, :width]
    values = 128 + 80 * np.sin(columns / 9) * np.cos(rows / 7) + rng.normal(0, 6, (height, width))
    return np.clip(values, 0, 255).astype(np.uint8)


def jpeg(pixels: Pixels, **options: Any) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "jpeg", **{"quality": 90} | options)
    return target.getvalue()


def colored(data: bytes, **options: Any) -> bytes:
    photo = read(data)
    chroma = GuidedFilter(np.zeros((8, 8, 2), np.float32), np.full((8, 8, 2), (15, 25), np.float32))
    rows = np.dstack([photo.pixels if photo.channels == 1 else photo.pixels[..., 1]] * 3)
    target = io.BytesIO()
    write(
        photo.with_pixels(lambda top, bottom: rows[top:bottom], chroma=chroma),
        target,
        format="jpeg",
        **options,
    )
    return target.getvalue()


def sepia() -> Pixels:
    return np.clip(scene()[..., None] + np.array([15, 0, -20]), 0, 255).astype(np.uint8)


@pytest.fixture
def no_jpeglib(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("jpeg_original", "jpeg_luminance"):
        monkeypatch.setattr(f"photochrom.photo.{module}.has_jpeglib", lambda: False)


def test_kept_data_are_identical_without_any_extra(no_jpeglib: None) -> None:
    data = jpeg(scene())
    assert compare_luminance(data, colored(data)) == "identical"
    assert compare_luminance(data, data) == "identical"


def test_one_changed_coefficient_is_seen(no_jpeglib: None) -> None:
    data = jpeg(scene())
    changed = scene()
    changed[8:16, 8:16] = changed[8:16, 8:16] // 2 + 60
    assert compare_luminance(data, colored(jpeg(changed))) != "identical"


def test_encoding_anew_is_seen() -> None:
    data = jpeg(scene(), quality=80)
    assert compare_luminance(data, colored(data, luminance="lightness")) == "encoded"


def test_the_same_table_does_not_make_it_requantized() -> None:
    """A picture encoded anew at the same quality has the same table, but other samples."""
    data = jpeg(scene(), quality=95)
    assert compare_luminance(data, jpeg(255 - scene(), quality=95)) == "encoded"


@pytest.mark.parametrize("options", [{"subsampling": 0}, {"subsampling": 2}, {"progressive": True}], ids=str)
def test_quantising_again_is_seen(no_jpeglib: None, options: dict[str, Any]) -> None:
    data = jpeg(sepia(), quality=97, **options)
    assert compare_luminance(data, colored(data)) == "requantized"


@pytest.mark.parametrize("options", [{"subsampling": 0}, {"subsampling": 2}, {"progressive": True}], ids=str)
def test_coefficients_are_compared_where_scans_differ(options: dict[str, Any]) -> None:
    pytest.importorskip("jpeglib")
    data = jpeg(sepia(), quality=97, **options)
    assert compare_luminance(data, colored(data)) == "identical"
    optimized = jpeg(scene(), optimize=True)
    assert compare_luminance(jpeg(scene()), optimized) == "identical"


def test_what_only_coefficients_can_tell_asks_for_the_extra(no_jpeglib: None) -> None:
    with pytest.raises(MissingExtra, match=r"photochrom\[jpeg\]"):
        compare_luminance(jpeg(scene()), jpeg(scene(), optimize=True))
    with pytest.raises(MissingExtra, match=r"photochrom\[jpeg\]"):
        uncolored(read(jpeg(sepia())))


def test_other_sizes_and_rgb_are_not_the_same_luminance() -> None:
    data = jpeg(scene())
    assert compare_luminance(data, jpeg(scene(60, 91))) == "encoded"
    assert compare_luminance(data, jpeg(sepia(), keep_rgb=True)) == "encoded"


def test_other_files_are_refused() -> None:
    png = io.BytesIO()
    Image.fromarray(scene()).save(png, "png")
    with pytest.raises(UnknownFormat, match="JPEG"):
        compare_luminance(jpeg(scene()), png.getvalue())
    with pytest.raises(DamagedPhoto):
        compare_luminance(jpeg(scene()), jpeg(scene())[:-100])
    with pytest.raises(UnknownFormat, match="JPEG"):
        uncolored(read(png.getvalue()))
    with pytest.raises(UnknownFormat, match="RGB"):
        uncolored(read(jpeg(sepia(), keep_rgb=True)))
    with pytest.raises(UnknownFormat, match="JPEG"):
        uncolored(Photo.from_array(scene()))


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}], ids=str)
def test_there_and_back_gives_the_scans_and_the_metadata(options: dict[str, Any]) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "A street", 6
    data = jpeg(scene(), exif=exif, comment=b"box 7", dpi=(600, 600), **options)
    back = uncolored(read(colored(data)))
    with Image.open(io.BytesIO(back)) as image:
        assert image.mode == "L"
        assert (image.getexif()[0x010E], image.getexif()[0x0112]) == ("A street", 6)
        assert image.info["dpi"] == (600, 600)
        assert image.info["comment"] == b"box 7"
        assert "icc_profile" not in image.info
    scans = [
        [(scan.tables, scan.band, bytes(scan.data)) for scan in parse(file).luminance_scans or ()]
        for file in (data, back)
    ]
    assert scans[0] == scans[1]
    assert parse(back).luminance.table == parse(data).luminance.table


def test_sizes_beyond_the_limits_are_refused(no_jpeglib: None) -> None:
    def claimed(seed: int) -> bytes:
        noise = np.random.default_rng(seed).integers(0, 255, (16, 16), np.uint8)
        data = bytearray(jpeg(noise))
        struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, 50_000, 50_000)
        return bytes(data)

    with pytest.raises(TooLarge):
        compare_luminance(claimed(1), claimed(2))
