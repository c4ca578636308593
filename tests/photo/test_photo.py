"""Photo: made of arrays and PIL images, asked for rows and strips, given other pixels."""

from __future__ import annotations

import threading
import time
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from photochrom.color import linear_to_srgb, srgb_to_linear
from photochrom.errors import OptionError
from photochrom.photo import Metadata, Photo
from photochrom.photo.encoding import Options, interleaved
from photochrom.photo.sources import rescale
from photochrom.photo.strips import mapped_in_order, strip_height, thread_count


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


# --- making one ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("bands", "channels", "alpha"), [(0, 1, False), (1, 1, False), (2, 1, True), (3, 3, False), (4, 3, True)]
)
def test_arrays(dtype: type, bands: int, channels: int, alpha: bool) -> None:
    array = noise(5, 7, *([bands] if bands else []), dtype=dtype)
    photo = Photo.from_array(array)
    assert (photo.height, photo.width, photo.channels, photo.has_alpha) == (5, 7, channels, alpha)
    assert photo.dtype == dtype
    assert photo.bits == 8 * np.dtype(dtype).itemsize
    color = array.reshape(5, 7, -1)[..., :channels]
    np.testing.assert_array_equal(photo.pixels.reshape(5, 7, -1), color)
    np.testing.assert_array_equal(photo.rgb, np.broadcast_to(color, (5, 7, 3)))
    if alpha:
        np.testing.assert_array_equal(photo.alpha, array[..., -1])
    else:
        assert photo.alpha is None


@pytest.mark.parametrize(
    "mode",
    ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16"],
)
def test_pil_images(mode: str) -> None:
    image = (
        Image.new("L", (7, 5), 200).convert(mode)
        if mode not in ("PA", "RGBa", "LAB", "I;16")
        else Image.new(mode, (7, 5))
    )
    photo = Photo.from_array(image)
    assert (photo.height, photo.width) == (5, 7)
    assert photo.channels == (1 if mode in ("1", "L", "LA", "I", "F", "I;16") else 3)
    assert photo.has_alpha == (mode in ("LA", "PA", "RGBA", "RGBa"))
    assert photo.bits == {"1": 1, "I;16": 16}.get(mode, 8)


def test_a_pil_image_with_a_transparent_color() -> None:
    image = Image.new("RGB", (4, 4), (9, 9, 9))
    image.info["transparency"] = (9, 9, 9)
    alpha = Photo.from_array(image).alpha
    assert alpha is not None
    assert alpha.max() == 0


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (noise(4, 4).astype(np.float32), "uint8 or uint16"),
        (noise(4, 4).astype(np.int64), "uint8 or uint16"),
        (noise(4), "not a picture"),
        (noise(4, 4, 5), "not a picture"),
        (noise(0, 4), "not a picture"),
        (noise(4, 4, 3, 1), "not a picture"),
        ([[1, 2]], "not of list"),
        ("photo.jpg", "not of str"),
    ],
)
def test_what_no_photo_is_made_of(array: object, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        Photo.from_array(array)


def test_a_photo_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Photo.from_array(noise(2, 2)).format = "gif"  # type: ignore[misc]


# --- rows and strips -----------------------------------------------------------------------------


@given(height=st.integers(1, 80), strip=st.integers(1, 90), threads=st.integers(1, 5))
def test_strips_are_the_picture_in_order(height: int, strip: int, threads: int) -> None:
    photo = Photo.from_array(noise(height, 9, 3))
    strips = list(photo.strips(strip, threads=threads))
    assert [top for top, _ in strips] == list(range(0, height, strip))
    np.testing.assert_array_equal(np.concatenate([pixels for _, pixels in strips]), photo.pixels)


@pytest.mark.parametrize(("top", "bottom"), [(-1, 2), (2, 2), (3, 2), (0, 6), (5, 6)])
def test_rows_that_are_not_there(top: int, bottom: int) -> None:
    with pytest.raises(OptionError, match="are not in a photo of 5 rows"):
        Photo.from_array(noise(5, 7)).rows(top, bottom)


@given(st.integers(1, 200_000))
def test_strip_heights(width: int) -> None:
    height = strip_height(width)
    assert height % 16 == 0
    assert height >= 16
    assert height == 16 or height * width <= 1 << 19


def test_results_come_in_order_though_computed_out_of_it() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.05 if number == 0 else 0)
        return number * number

    assert list(mapped_in_order(slow_first, range(20), 4)) == [(number, number**2) for number in range(20)]
    assert list(mapped_in_order(slow_first, range(1), 4)) == [(0, 0)]


def test_only_a_few_results_wait() -> None:
    computed: list[int] = []
    results = mapped_in_order(lambda number: computed.append(number), range(100), 2)
    next(results)
    time.sleep(0.05)
    assert len(computed) <= 6
    results.close()
    assert len(computed) <= 6


def test_several_threads_compute() -> None:
    meeting = threading.Barrier(2, timeout=20)
    assert len(list(mapped_in_order(lambda _: meeting.wait(), range(4), 2))) == 4


def test_an_error_comes_through_and_ends_the_work() -> None:
    def fail(number: int) -> int:
        if number == 3:
            msg = "three"
            raise KeyError(msg)
        return number

    taken: list[int] = []
    with pytest.raises(KeyError, match="three"):
        taken.extend(number for number, _ in mapped_in_order(fail, range(50), 2))
    assert taken == [0, 1, 2]
    assert threading.active_count() < 10


def test_thread_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert thread_count(3) == 3
    assert thread_count(0) == 1
    assert 1 <= thread_count() <= 4
    for told in ("1", "0"):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert thread_count() == 1
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    most = thread_count()
    for told in ("64", "", "2,1"):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert thread_count() == most


# --- other pixels --------------------------------------------------------------------------------


def test_an_array_in_place_of_the_pixels() -> None:
    array = noise(6, 8, 4)
    metadata = Metadata(comment="kept")
    photo = Photo(Photo.from_array(array).source, metadata)
    colored = photo.with_pixels(noise(6, 8, 3, dtype=np.uint16))
    assert colored.dtype == np.uint16
    assert colored.metadata is metadata
    np.testing.assert_array_equal(colored.alpha, array[..., 3].astype(np.uint16) * 257)
    with pytest.raises(OptionError, match=r"8×5.*8×6"):
        photo.with_pixels(noise(5, 8, 3))


def test_a_function_in_place_of_the_pixels() -> None:
    array = noise(40, 8, 2)
    photo = Photo.from_array(array)
    asked: list[tuple[int, int]] = []

    def rows(top: int, bottom: int) -> np.ndarray:
        asked.append((top, bottom))
        return np.repeat(photo.rows(top, bottom)[..., None].astype(np.uint16), 3, axis=2)

    colored = photo.with_pixels(rows, dtype=np.uint16)
    assert asked == []
    assert (colored.height, colored.width, colored.channels) == (40, 8, 3)
    np.testing.assert_array_equal(colored.rows(3, 5)[..., 1], array[3:5, :, 0])
    assert asked == [(3, 5)]
    np.testing.assert_array_equal(colored.alpha, array[..., 1].astype(np.uint16) * 257)
    with pytest.raises(OptionError, match="uint8 or uint16"):
        photo.with_pixels(rows, dtype=np.float32)


# --- depth ---------------------------------------------------------------------------------------


@given(arrays.arrays(np.uint8, (3, 4)))
def test_eight_bits_come_back_from_sixteen(array: np.ndarray) -> None:
    deep = rescale(array, np.dtype(np.uint16))
    assert deep.dtype == np.uint16
    np.testing.assert_array_equal(deep, np.rint(array / 255 * 65535))
    np.testing.assert_array_equal(rescale(deep, np.dtype(np.uint8)), array)
    assert rescale(array, np.dtype(np.uint8)) is array


@given(arrays.arrays(np.uint16, (3, 4)))
def test_sixteen_bits_are_rounded_to_the_nearest(array: np.ndarray) -> None:
    shallow = rescale(array, np.dtype(np.uint8))
    assert np.abs(shallow / 255 - array / 65535).max() <= 0.5 / 255 + 1e-9


def test_interleaving() -> None:
    array = noise(6, 8, 4)
    photo = Photo.from_array(array)
    np.testing.assert_array_equal(interleaved(photo, 2, photo.rows(2, 5), 8), array[2:5])
    deep = interleaved(photo, 0, photo.rows(0, 6), 16)
    np.testing.assert_array_equal(deep, array.astype(np.uint16) * 257)
    grey = Photo.from_array(array[..., 0])
    assert interleaved(grey, 0, grey.pixels, 8).shape == (6, 8, 1)


@pytest.mark.parametrize(
    "options", [{"quality": 101}, {"quality": 0}, {"subsampling": "4:1:1"}, {"depth": 12}]
)
def test_options_that_make_no_sense(options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        Options(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_negative_and_its_positive(dtype: type) -> None:
    grey = noise(30, 40).astype(dtype) * dtype(257 if dtype == np.uint16 else 1)
    positive = Photo.from_array(grey).inverted()
    assert (positive.channels, positive.dtype) == (1, dtype)
    np.testing.assert_array_equal(positive.pixels, np.iinfo(dtype).max - grey)
    np.testing.assert_array_equal(positive.inverted().pixels, grey)


def test_the_positive_of_a_negative_in_color_is_neutral() -> None:
    rgb = noise(30, 40, 3)
    positive = Photo.from_array(rgb).inverted()
    assert (positive.channels, positive.dtype) == (1, np.uint16)
    y = srgb_to_linear(rgb / 255) @ [0.2126, 0.7152, 0.0722]  # IEC 61966-2-1
    assert np.abs(positive.pixels / 65535 - (1 - linear_to_srgb(y))).max() < 3e-4
    strips = np.concatenate([positive.rows(top, top + 10) for top in (0, 10, 20)])
    np.testing.assert_array_equal(strips, positive.pixels)
