"""What the encoders write, read by others: tifffile, Pillow, OpenCV."""

from __future__ import annotations

import inspect
import io
import weakref
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, JpegImagePlugin

from photochrom.errors import OptionError, WriteError
from photochrom.photo import FileOptions, Photo, read, write
from photochrom.photo import tiff as tiff_module
from photochrom.photo.strips import OneByOne, strip_height


def scene(height: int, width: int, bands: int = 3) -> np.ndarray:
    """Smooth shapes with a photograph's grain."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(size=(height // 32 + 2, width // 32 + 2, bands)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, bands)
    grain = rng.normal(size=(height, width, 1))
    return np.clip(smooth * 40 + grain * 4 + 128, 0, 255).astype(np.uint8)


def encoded(array: np.ndarray, name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    write(Photo.from_array(array), buffer, format=name, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["jpeg", "png", "tiff"])
def test_threads_change_no_byte(name: str) -> None:
    array = scene(900, 1300)
    assert encoded(array, name, threads=1) == encoded(array, name, threads=4)


# --- JPEG ----------------------------------------------------------------------------------------


def test_restart_markers_part_the_strips() -> None:
    data = encoded(scene(4000, 3000), "jpeg")
    scan = data[data.index(b"\xff\xda") :]
    markers = [
        scan[at + 1] - 0xD0
        for at in range(len(scan) - 1)
        if scan[at] == 0xFF and 0xD0 <= scan[at + 1] <= 0xD7
    ]
    height = 2 * strip_height(3000)
    strips = -(-4000 // height)
    assert strips > 8
    assert markers == [number % 8 for number in range(strips - 1)]
    interval = data.index(b"\xff\xdd\0\4")
    assert int.from_bytes(data[interval + 4 : interval + 6], "big") == -(-3000 // 16) * (height // 16)


def test_opencv_and_pillow_decode_the_same() -> None:
    data = encoded(scene(1500, 2000), "jpeg")
    theirs = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (2000, 1500)
        np.testing.assert_allclose(np.asarray(image).astype(int), theirs, atol=2)


@pytest.mark.parametrize("bands", [2, 4])
def test_transparent_parts_are_laid_on_white(bands: int) -> None:
    array = np.full((32, 32, bands), 100, np.uint8)
    array[:16, :, -1], array[16:, :, -1] = 0, 255
    with Image.open(io.BytesIO(encoded(array, "jpeg", quality=100))) as image:
        pixels = np.asarray(image)
    assert pixels[:16].min() >= 254
    np.testing.assert_allclose(pixels[16:].astype(int), 100, atol=1)


def test_grey_jpegs_have_one_component() -> None:
    with Image.open(io.BytesIO(encoded(scene(40, 50, 1), "jpeg"))) as image:
        assert image.mode == "L"


def test_sixteen_bits_are_rounded_for_jpeg() -> None:
    deep = np.repeat(np.arange(0, 65536, 257 * 8, dtype=np.uint16)[:, None], 8, axis=1).repeat(8, axis=0)
    rounded = encoded(np.uint8(np.rint(deep / 257)), "jpeg")
    assert encoded(deep + np.uint16(100) * (deep < 65000), "jpeg") == rounded  # 100 is less than half a step


def test_quality_and_subsampling_are_heeded() -> None:
    array = scene(400, 600)
    sizes = [len(encoded(array, "jpeg", quality=quality)) for quality in (30, 75, 95, 100)]
    assert sizes == sorted(sizes)
    assert sizes[0] * 3 < sizes[-1]
    sizes = [len(encoded(array, "jpeg", subsampling=sampling)) for sampling in ("4:2:0", "4:2:2", "4:4:4")]
    assert sizes == sorted(sizes)
    for sampling, expected in [("4:2:0", 2), ("4:2:2", 1), ("4:4:4", 0)]:
        with Image.open(io.BytesIO(encoded(array, "jpeg", subsampling=sampling))) as image:
            assert JpegImagePlugin.get_sampling(image) == expected


# --- PNG -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_pngs_of_photographs_are_as_small_as_pillows(bands: int) -> None:
    array = scene(600, 900, bands).squeeze()
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    assert len(encoded(array, "png")) < 1.1 * len(buffer.getvalue())


@pytest.mark.parametrize("kind", ["flat", "columns", "rows", "noise"])
def test_every_filter_comes_back(kind: str) -> None:
    y, x = np.mgrid[:100, :120]
    array = {"flat": y * 0 + 7, "columns": x * 2, "rows": y * 2, "noise": scene(100, 120, 1)[..., 0]}[kind]
    array = array.astype(np.uint8)
    data = encoded(array, "png")
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), array)
    if kind != "noise":
        assert len(data) < 1500


# --- TIFF ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("big", [False, True])
def test_tifffile_reads_every_kind(
    bands: int, dtype: type, big: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiff_module, "_CLASSIC", 0 if big else 1 << 40)
    array = scene(500, 1100, bands).astype(dtype) * (257 if dtype == np.uint16 else 1)
    array = array.astype(dtype).squeeze()
    data = encoded(array, "tiff")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        assert file.is_bigtiff == big
        assert page.photometric.name == ("RGB" if bands >= 3 else "MINISBLACK")
        assert [kind.name for kind in page.extrasamples] == (["UNASSALPHA"] if bands in (2, 4) else [])
        assert page.rowsperstrip == min(strip_height(1100), 500)
        assert page.predictor.name == "HORIZONTAL"
    if not (bands == 2 and dtype == np.uint16):  # a kind that Pillow does not know
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (1100, 500)
    again = read(data)
    assert again.dtype == dtype
    np.testing.assert_array_equal(
        again.pixels, array if bands in (1, 3) else array[..., : bands - 1].squeeze()
    )


# --- WebP and AVIF -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["webp", "avif"])
def test_modern_formats(name: str) -> None:
    array = scene(120, 160, 4)
    sizes = [len(encoded(array[..., :3], name, quality=quality)) for quality in (30, 70, 95)]
    assert sizes == sorted(sizes)
    photo = read(encoded(array, name))
    assert np.abs(photo.pixels.astype(int) - array[..., :3]).mean() < 6
    assert photo.alpha is not None
    assert np.abs(photo.alpha.astype(int) - array[..., 3]).mean() < 2
    deep = read(encoded(array.astype(np.uint16) * 257, name))
    assert deep.dtype == np.uint8
    np.testing.assert_array_equal(deep.pixels, photo.pixels)


def test_write_takes_what_file_options_declare() -> None:
    """`write` has keywords of its own, for editors to know: they cannot drift from FileOptions."""
    declared = {item.name: item.default for item in fields(FileOptions) if item.name != "mark"}
    keywords = inspect.signature(write).parameters
    assert {name: keywords[name].default for name in declared} == declared
    others = keywords.keys() - declared.keys()
    assert others == {"photo", "target", "overwrite", "verify", "threads", "pages"}
    for name, bad in {"quality": 0, "subsampling": "4:1:1", "depth": 12, "profile": "own"}.items():
        with pytest.raises(OptionError, match=name):
            write(Photo.from_array(np.zeros((2, 2), np.uint8)), io.BytesIO(), **{name: bad})


# --- several pages -------------------------------------------------------------------------------


@pytest.mark.parametrize("big", [False, True])
def test_several_pages_of_different_kinds(big: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_module, "_CLASSIC", 0 if big else 1 << 40)
    arrays = [scene(50, 70, 3), scene(20, 30, 1)[..., 0], scene(90, 20, 4)]
    first, *rest = (Photo.from_array(array) for array in arrays)
    buffer = io.BytesIO()
    write(first, buffer, format="tiff", pages=rest)
    with tifffile.TiffFile(io.BytesIO(buffer.getvalue())) as file:
        assert file.is_bigtiff == big
        assert len(file.pages) == 3
        for page, array in zip(file.pages, arrays, strict=True):
            np.testing.assert_array_equal(page.asarray(), array)
    for number, array in enumerate(arrays):
        photo = read(buffer.getvalue(), page=number)
        assert photo.pages == 3
        np.testing.assert_array_equal(photo.pixels, array if array.ndim == 2 else array[..., :3])


def test_all_pages_of_a_scan_come_back(tmp_path: Path) -> None:
    scan = Path(__file__).parent / "field" / "multipage.tif"
    first, *rest = (read(scan, page=page) for page in range(read(scan).pages))
    write(first, tmp_path / "all.tif", pages=rest, verify=True)
    for page in range(3):
        np.testing.assert_array_equal(
            read(tmp_path / "all.tif", page=page).pixels, read(scan, page=page).pixels
        )
    with pytest.raises(OptionError, match="write TIFF for several pages"):
        write(first, tmp_path / "all.png", pages=rest)
    with pytest.raises(WriteError, match="the photo itself"):
        write(first, scan, pages=rest, overwrite=True)


def test_pages_are_in_memory_one_at_a_time(tmp_path: Path) -> None:
    living: set[int] = set()
    most = 0

    def page(number: int) -> Photo:
        nonlocal most
        photo = Photo.from_array(scene(20, 30, 3))
        living.add(number)
        weakref.finalize(photo.source, living.discard, number)
        most = max(most, len(living))
        return photo

    write(Photo.from_array(scene(20, 30, 3)), tmp_path / "a.tif", pages=OneByOne(12, page))
    assert read(tmp_path / "a.tif").pages == 13
    assert most <= 2  # one that is written, and one that is made
