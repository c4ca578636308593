"""Large scans: decoded again for every pass, never held whole."""

from __future__ import annotations

import gc
import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from photochrom.errors import DamagedPhoto, OptionError
from photochrom.photo import Photo, read, write
from photochrom.photo import decoding as decoding_module
from photochrom.photo.decoding import RowDecoder
from photochrom.photo.sources import RowSource


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


@pytest.fixture
def streaming(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every photo is treated as a large one."""
    monkeypatch.setattr(decoding_module, "IN_MEMORY", 0)


def tiled(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, tile=(64, 64), compression="zlib", photometric="rgb")
    return buffer.getvalue()


def stored(array: np.ndarray, name: str) -> bytes:
    buffer = io.BytesIO()
    write(Photo.from_array(array), buffer, format=name)
    return buffer.getvalue()


ARRAY = noise(700, 90, 3)
FILES = {
    "png": stored(ARRAY, "png"),
    "tiff": stored(ARRAY, "tiff"),
    "tiled": tiled(ARRAY),
    "png 16": stored(noise(700, 90, 3, dtype=np.uint16), "png"),
    "grey": stored(noise(700, 90), "png"),
    "jpeg": stored(ARRAY, "jpeg"),
    "alpha": stored(noise(700, 90, 4), "tiff"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_stream_gives_what_memory_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = read(FILES[name])
    monkeypatch.setattr(decoding_module, "IN_MEMORY", 0)
    photo = read(FILES[name])
    assert isinstance(photo.source, RowSource)
    assert (photo.height, photo.width, photo.dtype, photo.channels) == (
        held.height,
        held.width,
        held.dtype,
        held.channels,
    )
    for _ in range(2):  # a second pass decodes anew
        np.testing.assert_array_equal(photo.pixels, held.pixels)
    if held.has_alpha:
        np.testing.assert_array_equal(photo.alpha, held.alpha)


@pytest.mark.usefixtures("streaming")
def test_rows_in_any_order() -> None:
    photo = read(FILES["png"])
    for top, bottom in [(0, 10), (650, 700), (3, 300), (299, 301), (0, 700), (40, 41)]:
        np.testing.assert_array_equal(photo.rows(top, bottom), ARRAY[top:bottom])


@pytest.mark.usefixtures("streaming")
def test_rows_from_many_threads() -> None:
    photo = read(FILES["tiff"])
    tops = list(range(0, 700, 16)) * 3
    with ThreadPoolExecutor(8) as pool:
        for top, rows in zip(
            tops, pool.map(lambda top: photo.rows(top, min(top + 16, 700)), tops), strict=True
        ):
            np.testing.assert_array_equal(rows, ARRAY[top : top + 16])


@pytest.mark.usefixtures("streaming")
def test_a_pass_decodes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = read(FILES["alpha"])
    source = photo.source
    assert isinstance(source, RowSource)
    restarts = []
    original = RowDecoder._restart
    monkeypatch.setattr(RowDecoder, "_restart", lambda self: (restarts.append(1), original(self)))
    buffer = io.BytesIO()
    write(
        photo.with_pixels(lambda top, bottom: photo.rows(top, bottom)), buffer, format="png"
    )  # color and alpha
    assert len(restarts) == 1
    np.testing.assert_array_equal(read(buffer.getvalue()).alpha, noise(700, 90, 4)[..., 3])


@pytest.mark.usefixtures("streaming")
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_a_pass_that_is_over_closes_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(FILES["png"])
    photo = read(path)
    for _ in range(2):
        np.testing.assert_array_equal(photo.pixels, ARRAY)
        gc.collect()
        held = {entry.resolve() for entry in list(Path("/proc/self/fd").iterdir())}
        assert path.resolve() not in held


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("name", ["png", "tiff", "tiled", "jpeg"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_stream_that_is_cut_short_is_an_error(name: str, share: float) -> None:
    data = FILES[name]
    with pytest.raises(DamagedPhoto):
        list(read(data[: int(len(data) * share)]).strips())


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("name", ["png", "tiff", "tiled"])
def test_a_stream_that_is_damaged_is_an_error(name: str) -> None:
    data = bytearray(FILES[name])
    data[len(data) // 2 : len(data) // 2 + 32] = bytes(32)
    with pytest.raises(DamagedPhoto):
        list(read(bytes(data)).strips())


@pytest.mark.parametrize("name", ["png", "tiff", "tiled"])
def test_damage_in_memory_is_an_error(name: str) -> None:
    data = bytearray(FILES[name])
    data[len(data) // 2 : len(data) // 2 + 32] = bytes(32)
    with pytest.raises(DamagedPhoto, match="damaged or cut short"):
        read(bytes(data))


def test_odd_headers_are_no_damage() -> None:
    """Unknown tags and uncounted extra samples make libtiff warn: the pixels are whole all the same."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, ARRAY, photometric="rgb", extratags=[(50_999, "I", 1, 7, True)])
    np.testing.assert_array_equal(read(buffer.getvalue()).pixels, ARRAY)
    _, data = cv2.imencode(".tiff", noise(50, 60, 4))  # OpenCV does not say what its fourth channel is
    photo = read(data.tobytes())
    assert photo.warnings == ()
    np.testing.assert_array_equal(photo.pixels[..., ::-1], noise(50, 60, 4)[..., :3])


def test_pages() -> None:
    pages = [Image.new("L", (20, 10 + number), number * 20) for number in range(3)]
    buffer = io.BytesIO()
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    first = read(buffer.getvalue())
    assert first.warnings == ("it has 3 pages: only page 0 is read",)
    assert first.height == 10
    third = read(buffer.getvalue(), page=2)
    assert third.height == 12
    assert third.pixels.max() == 40
    for page in (3, 99):
        with pytest.raises(OptionError, match="the file has 3, counted from 0"):
            read(buffer.getvalue(), page=page)
    with pytest.raises(OptionError, match="count from 0"):
        read(buffer.getvalue(), page=-1)
    with pytest.raises(OptionError, match="the file has 1"):
        read(FILES["png"], page=1)
    for name in ("GIF", "BMP"):
        buffer = io.BytesIO()
        pages[0].save(buffer, name)
        with pytest.raises(OptionError, match=f"of {name} only page 0 is read"):
            read(buffer.getvalue(), page=1)


def test_frames_of_an_animation() -> None:
    frames = [Image.new("RGB", (20, 10), (number * 20, 0, 0)) for number in range(3)]
    for name, said in [
        ("WEBP", "it has 3 pages: only page 1 is read"),
        ("GIF", "several frames: only the first"),
    ]:
        buffer = io.BytesIO()
        frames[0].save(
            buffer,
            name,
            save_all=True,
            append_images=frames[1:],
            **({"lossless": True} if name == "WEBP" else {}),
        )
        photo = read(buffer.getvalue(), page=1 if name == "WEBP" else 0)
        assert said in photo.warnings[0]
        assert photo.pixels[0, 0, 0] == (20 if name == "WEBP" else 0)


# --- memory --------------------------------------------------------------------------------------

CHILD = """
import json, sys
import numpy as np
from photochrom.photo import Photo, read, write
from photochrom.photo.sources import RowSource
from photochrom.photo import decoding

decoding.IN_MEMORY = 0  # small scans go the way of the large ones
side, folder = int(sys.argv[1]), sys.argv[2]
grain = np.arange(side, dtype=np.uint16)  # quick to pack
def scan(top, bottom):
    slope = np.arange(top, bottom, dtype=np.uint16)[:, None, None] * np.uint16(3)
    return grain[None, :, None] + slope + np.zeros(3, np.uint16)
write(Photo(RowSource(side, side, 3, np.dtype(np.uint16), scan)), folder + "/scan.tif")

photo = read(folder + "/scan.tif", max_pixels=10**10, max_side=10**6)
total = sum(int(pixels[::64, ::64].sum()) for _, pixels in photo.strips())  # as the network's small copy
def color(top, bottom):
    rows = photo.rows(top, bottom)
    return np.stack([rows[..., 0], rows[..., 1] // 2, rows[..., 2]], axis=-1)
write(photo.with_pixels(color), folder + "/colored.tif")
again = read(folder + "/colored.tif", max_pixels=10**10, max_side=10**6)
same = np.array_equal(again.rows(side - 5, side), color(side - 5, side))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([int(peak.split()[1]) / 1024, same]))
"""


def peak_megabytes(side: int, folder: Path) -> float:
    command = [sys.executable, "-c", CHILD, str(side), str(folder)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert child.returncode == 0, child.stderr
    peak, same = json.loads(child.stdout)
    assert same
    return float(peak)


linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


@linux
def test_memory_does_not_hold_the_scan(tmp_path: Path) -> None:
    """16-bit RGB, read three times, colored and written: four times the pixels, 72 MB, cost little."""
    small, large = tmp_path / "small", tmp_path / "large"
    small.mkdir()
    large.mkdir()
    assert peak_megabytes(4000, large) < peak_megabytes(2000, small) + 45


@linux
@pytest.mark.slow
def test_a_hundred_megapixels(tmp_path: Path) -> None:
    assert peak_megabytes(10_000, tmp_path) < 400
