"""Pixels there and back, with Pillow and OpenCV as outside witnesses."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from photochrom.photo import Photo, read, write

if TYPE_CHECKING:
    from pathlib import Path


def noise(height: int, width: int, bands: int, dtype: type, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (height, width) if bands == 1 else (height, width, bands)
    return rng.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


@given(
    height=st.integers(1, 70),
    width=st.integers(1, 90),
    bands=st.sampled_from([1, 2, 3, 4]),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    suffix=st.sampled_from(["png", "tiff"]),
)
@settings(max_examples=60, deadline=None)
def test_lossless_formats_give_back_every_sample(
    height: int, width: int, bands: int, dtype: type, suffix: str
) -> None:
    array = noise(height, width, bands, dtype)
    buffer = io.BytesIO()
    write(Photo.from_array(array), buffer, format=suffix)
    again = read(buffer.getvalue())
    assert again.dtype == dtype
    color = array if bands in (1, 3) else array[..., 0] if bands == 2 else array[..., :3]
    np.testing.assert_array_equal(again.pixels, color)
    if bands in (2, 4):
        np.testing.assert_array_equal(again.alpha, array[..., -1])
    else:
        assert again.alpha is None


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_opencv_reads_the_same_pixels(tmp_path: Path, suffix: str, dtype: type) -> None:
    array = noise(700, 1100, 3, dtype)  # several strips
    path = write(Photo.from_array(array), tmp_path / f"photo.{suffix}")
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1], array)


@pytest.mark.parametrize("size", [(1, 1), (17, 33), (3000, 7), (5, 20_000), (520, 1040)])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
@pytest.mark.parametrize("bands", [1, 3])
def test_jpeg_decodes_to_the_pixels_of_one_coded_in_one_go(
    size: tuple[int, int], subsampling: str, bands: int
) -> None:
    array = noise(*size, bands, np.uint8)
    ours, pillows = io.BytesIO(), io.BytesIO()
    write(Photo.from_array(array), ours, format="jpeg", quality=93, subsampling=subsampling)
    Image.fromarray(array).save(pillows, "JPEG", quality=93, subsampling=subsampling)
    np.testing.assert_array_equal(np.asarray(Image.open(ours)), np.asarray(Image.open(pillows)))


def test_lazy_pixels_are_asked_for_strip_by_strip(tmp_path: Path) -> None:
    grey = noise(600, 1200, 1, np.uint8)
    photo = Photo.from_array(grey)
    heights = []

    def color(top: int, bottom: int) -> np.ndarray:
        heights.append(bottom - top)
        rows = photo.rows(top, bottom)
        return np.stack([rows, 255 - rows, rows // 2], axis=-1)

    path = write(photo.with_pixels(color), tmp_path / "lazy.png")
    expected = np.stack([grey, 255 - grey, grey // 2], axis=-1)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), expected)
    assert sum(heights) == 600
    assert max(heights) < 600


def test_the_input_and_existing_files_are_never_replaced(tmp_path: Path) -> None:
    from photochrom.errors import OutputExists, WriteError

    path = write(Photo.from_array(noise(20, 30, 3, np.uint8)), tmp_path / "a.png")
    before = path.read_bytes()
    photo = read(path)
    with pytest.raises(WriteError, match="never replaced"):
        write(photo, path)
    with pytest.raises(WriteError, match="never replaced"):
        write(photo, path, overwrite=True)
    with pytest.raises(OutputExists):
        write(Photo.from_array(photo.pixels), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]
