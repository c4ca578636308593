"""Netpbm pictures, against Pillow's and OpenCV's writers."""

from __future__ import annotations

import contextlib
import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.errors import DamagedPhoto, PhotochromError, TooLarge
from photochrom.photo import kind_of, output_format, read


def scene(*bands: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (21, 37, *bands), dtype, endpoint=True)


@pytest.mark.parametrize(("dtype", "binary"), [(np.uint8, 1), (np.uint8, 0), (np.uint16, 1)])  # OpenCV's
@pytest.mark.parametrize("bands", [(), (3,)])
def test_pictures_that_opencv_writes(dtype: type, bands: tuple[int, ...], binary: int) -> None:
    array = scene(*bands, dtype=dtype)
    suffix = ".ppm" if bands else ".pgm"
    kind = cv2.IMWRITE_PXM_BINARY
    _, data = cv2.imencode(suffix, array[..., ::-1] if bands else array, [kind, binary])
    photo = read(data.tobytes())
    np.testing.assert_array_equal(photo.pixels, array)
    assert (photo.format, photo.bits, output_format(photo).name) == ("pnm", 8 * array.itemsize, "png")


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_pictures_that_pillow_writes(mode: str) -> None:
    image = Image.fromarray(scene()).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PPM")
    assert kind_of(buffer.getvalue()) == ("PNM", None)
    photo = read(buffer.getvalue())
    np.testing.assert_array_equal(photo.rgb, np.asarray(image.convert("RGB")))
    assert photo.bits == (1 if mode == "1" else 8)


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pam_with_and_without_alpha(bands: int, dtype: type) -> None:
    array = scene(bands, dtype=dtype)
    head = f"P7\n# by hand\nWIDTH 37\nHEIGHT 21\nDEPTH {bands}\nMAXVAL {np.iinfo(dtype).max}\n"
    head += "TUPLTYPE X Y\nENDHDR\n"
    photo = read(head.encode() + array.astype(array.dtype.newbyteorder(">")).tobytes())
    assert photo.has_alpha == (bands in (2, 4))
    np.testing.assert_array_equal(photo.pixels, array[..., 0] if bands < 3 else array[..., :3])
    if photo.has_alpha:
        np.testing.assert_array_equal(photo.alpha, array[..., -1])


@pytest.mark.parametrize("highest", [1, 15, 100, 1023, 4095])
def test_other_highest_values_are_spread(highest: int) -> None:
    values = np.arange(highest + 1)
    samples = values.astype(np.uint8 if highest < 256 else ">u2").tobytes()
    photo = read(f"P5 # a comment\n{highest + 1} 1\n# another\n{highest}\n".encode() + samples)
    white = 255 if highest < 256 else 65535
    assert np.abs(photo.pixels[0] - values * white / highest).max() <= 0.5
    assert photo.bits == highest.bit_length()


def test_plain_bitmaps_with_comments_and_no_spaces() -> None:
    photo = read(b"P1\n# feep\n4 2\n0110 # half\n1 0 0 1\n")
    np.testing.assert_array_equal(photo.pixels, np.array([[255, 0, 0, 255], [0, 255, 255, 0]]))


@pytest.mark.parametrize(
    "data",
    [
        b"P5\n", b"P5\n4 4\n", b"P5\n4 4\n255\nabc", b"P5\n4 4\n0\n" + bytes(16), b"P6\n0 4\n255\n",
        b"P5\n4 4\n70000\n" + bytes(64), b"P2\n4 4\n255\n1 2 3", b"P7\nWIDTH 4\nENDHDR\n",
        b"P7\nWIDTH 4\n", b"P4\n40 40\nab",
        b"P7\nWIDTH 4\nHEIGHT 4\nDEPTH 9\nMAXVAL 255\nENDHDR\n" + bytes(200),
    ],
)  # fmt: skip
def test_broken_pictures(data: bytes) -> None:
    with pytest.raises(DamagedPhoto):
        read(data)


def test_large_claims_are_refused_before_anything_is_read() -> None:
    with pytest.raises(TooLarge):
        read(b"P5\n50000 50000\n255\n")


@given(st.sampled_from([b"P1 ", b"P2\n", b"P3\t", b"P4 ", b"P5\n", b"P6 ", b"P7\n"]), st.binary(max_size=80))
def test_any_bytes(head: bytes, tail: bytes) -> None:
    with contextlib.suppress(PhotochromError):
        assert read(head + tail, max_pixels=10_000).height >= 1


@pytest.mark.parametrize("digits", [10, 23, 5000])
def test_a_plain_sample_of_many_digits_is_refused(digits: int) -> None:
    with pytest.raises(DamagedPhoto, match="out of range"):
        read(b"P2 2 2 255 1 2 3 " + b"9" * digits)
