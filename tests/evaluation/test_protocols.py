"""Squares, hints and data sets of each protocol."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from photochrom.color import hex_to_rgb, luminance, rgb_to_lab
from photochrom.errors import DataError, OptionError
from photochrom.evaluation.protocols import (
    PROTOCOLS,
    _place_hint,
    _random_places,
    grey_of,
    parse_counts,
    protocol,
)

PHOTOS = PROTOCOLS["photos"]


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return PHOTOS.square(data.coffee())


def test_center_crop_by_hand() -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[:, 5:25] = 200  # the center square, (30 - 20) // 2 = 5 from the left
    assert (PHOTOS.square(picture) == 200).all()


def test_squashing_keeps_the_whole_picture() -> None:
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, :20] = 255
    squashed = PROTOCOLS["coco-val5k"].square(picture)
    assert squashed.shape == (256, 256, 3)
    assert squashed[:, :100].min() == 255
    assert squashed[:, 156:].max() == 0


def test_squares_are_pillows_bicubic() -> None:
    picture = data.coffee()
    short = min(picture.shape[:2])
    left, top = (picture.shape[1] - short) // 2, (picture.shape[0] - short) // 2
    cropped = Image.fromarray(np.ascontiguousarray(picture[top : top + short, left : left + short]))
    expected = cropped.resize((256, 256), Image.Resampling.BICUBIC)
    assert (PHOTOS.square(picture) == np.asarray(expected)).all()
    assert PROTOCOLS["icolorit"].square(picture).shape == (224, 224, 3)


def test_the_grey_has_the_luminance_of_the_photo(truth: np.ndarray) -> None:
    difference = np.abs(luminance(grey_of(truth)) - rgb_to_lab(truth)[..., 0])
    assert difference.max() < 0.9  # half an 8-bit step near black is 0.14, elsewhere up to 0.25 in L*
    assert difference.mean() < 0.12


def test_the_grey_is_rounded_exactly(truth: np.ndarray) -> None:
    """IEC 61966-2-1 in plain numpy: another rounding of the grey moves PSNR in the fourth digit."""
    encoded = truth / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.2126729, 0.7151522, 0.0721750])
    grey = np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)
    assert (grey_of(truth) == np.rint(255 * grey)).mean() > 0.9999


def test_places_come_from_the_photos_number() -> None:
    rng = random.Random(7)
    expected = [(rng.randint(3, 252), rng.randint(3, 252)) for _ in range(5)]
    places = _random_places(7, PHOTOS)
    assert [next(places) for _ in range(5)] == expected


@given(st.integers(0, 10_000), st.integers(0, 30), st.integers(0, 30))
def test_more_hints_hold_the_fewer_ones(number: int, few: int, more: int) -> None:
    truth = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert PHOTOS.hints(truth, number, few + more)[:few] == PHOTOS.hints(truth, number, few)


def test_a_hint_has_the_mean_color_under_its_patch(truth: np.ndarray) -> None:
    hint = _place_hint(truth, 100, 40, 6)
    mean = truth[37:43, 97:103].reshape(-1, 3).mean(axis=0)
    assert np.abs(hex_to_rgb(hint.color).astype(float) - mean).max() <= 0.5 + 1e-6
    assert (hint.x * 256, hint.y * 256, hint.radius * 256) == (100, 40, 3)


@given(st.integers(0, 10_000))
def test_hints_of_icolorit_are_single_cells(number: int) -> None:
    places = _random_places(number, PROTOCOLS["icolorit"])
    for x, y in (next(places) for _ in range(20)):
        assert x % 2 == y % 2 == 1
        assert min(x, y) >= 1
        assert max(x, y) <= 223


def test_imagenets_first_5000() -> None:
    val5k = PROTOCOLS["imagenet-val5k"]
    assert val5k.accepts("ILSVRC2012_val_00005000.JPEG")
    assert not val5k.accepts("ILSVRC2012_val_00005001.JPEG")
    assert not val5k.accepts("holiday.jpg")
    assert PROTOCOLS["imagenet-val50k"].accepts("ILSVRC2012_val_00050000.JPEG")


def test_an_incomplete_data_set_is_refused() -> None:
    with pytest.raises(DataError, match="needs its 5000 photos, but 4999 of the 5003 files"):
        PROTOCOLS["imagenet-val5k"].check(4999, 5003)
    PROTOCOLS["imagenet-val5k"].check(5000, 50000)
    PHOTOS.check(1, 1)


def test_an_unknown_protocol_names_those_there_are() -> None:
    with pytest.raises(OptionError, match="choose one of photos, imagenet-val5k"):
        protocol("imagenet")


@pytest.mark.parametrize(("text", "counts"), [("0", (0,)), ("10,1", (0, 1, 10)), ("1, 1,0", (0, 1))])
def test_counts(text: str, counts: tuple[int, ...]) -> None:
    assert parse_counts(text) == counts


@pytest.mark.parametrize("text", ["", "a", "-1", "1,,2", "5001", "1.5"])
def test_bad_counts(text: str) -> None:
    with pytest.raises(OptionError, match="--hints takes numbers"):
        parse_counts(text)


def test_every_description_says_size_and_hints() -> None:
    for one in PROTOCOLS.values():
        assert f"{one.side}×{one.side}" in one.description
        assert f"{one.patch}×{one.patch} px" in one.description
