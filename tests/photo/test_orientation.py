"""EXIF orientation: baked into pixels, told the same by Pillow, in memory and in streams."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from photochrom.photo import decoding as decoding_module
from photochrom.photo import read


def stored(orientation: int, format_name: str) -> tuple[bytes, np.ndarray]:
    array = np.arange(37 * 23 * 3, dtype=np.uint32).reshape(37, 23, 3) * 7 % 251
    image = Image.fromarray(array.astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, format_name, exif=exif, **({"lossless": True} if format_name == "WEBP" else {}))
    return buffer.getvalue(), np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(buffer.getvalue()))))


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_as_pillow_sees_it(orientation: int, format_name: str) -> None:
    data, expected = stored(orientation, format_name)
    photo = read(data)
    np.testing.assert_array_equal(photo.pixels, expected)
    assert b"\x12\x01\x03\x00\x01\x00\x00\x00" + bytes([orientation]) not in (photo.metadata.exif or b"") or (
        orientation == 1
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_streams_are_turned_too(orientation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding_module, "IN_MEMORY", 0)
    data, expected = stored(orientation, "TIFF")
    photo = read(data)
    assert (photo.height, photo.width) == expected.shape[:2]
    np.testing.assert_array_equal(np.concatenate([strip for _, strip in photo.strips(16)]), expected)
    np.testing.assert_array_equal(photo.rows(3, 9), expected[3:9])  # upwards again


@pytest.mark.parametrize("nonsense", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(nonsense: int) -> None:
    data, _ = stored(1, "JPEG")
    broken = data.replace(
        b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x01",
        b"\x01\x12\x00\x03\x00\x00\x00\x01" + nonsense.to_bytes(2, "big"),
    )
    np.testing.assert_array_equal(read(broken).pixels, read(data).pixels)
