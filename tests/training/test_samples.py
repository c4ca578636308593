"""Samples and what is done to photos on the way, for both kinds of network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.color import in_gamut, rgb_to_lab
from photochrom.training.augment import AffineConfig, CropConfig, FilmConfig, affine, border, crop, film
from photochrom.training.resizing import resize, shrink, square
from photochrom.training.samples import (
    HintConfig,
    HintedConfig,
    WholeConfig,
    _find_object,
    _random_boxes,
    _recolor,
    make_sample,
    marks,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Picture = Callable[..., np.ndarray]

SEEDS = st.integers(0, 100_000)
NO_FILM = FilmConfig(0, 0, 0, 0, 0, 0, 0, 0)
STILL = AffineConfig(size=32, shear=0, zoom=0, rotation=0, flip=False)
NO_HINTS = HintConfig(none=1.0, recolored=0.0)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_whole_photos_stay_as_they_are(picture: Picture) -> None:
    sample = make_sample(picture(0, 37, 51), WholeConfig(), rng())
    lab = rgb_to_lab(picture(0, 37, 51))
    np.testing.assert_array_equal(sample.luminance[0], lab[..., 0])
    np.testing.assert_array_equal(sample.ab, lab[..., 1:].transpose(2, 0, 1))


def test_an_affine_map_without_chances_only_squeezes(picture: Picture) -> None:
    photo = picture(1, 64, 32)
    warped = affine(photo, STILL, rng())
    assert warped.shape == (32, 32, 3)
    squeezed = resize(photo, 32, 32)
    assert np.abs(warped.astype(int) - squeezed).mean() < 3  # interpolated, not averaged


@pytest.mark.parametrize("turns", [0, 1])
def test_flip(picture: Picture, turns: int) -> None:
    photo = picture(2, 32, 32)
    config = AffineConfig(size=32, shear=0, zoom=0, rotation=0, flip=True)
    flipped = [affine(photo, config, rng(seed)) for seed in range(20)]
    same = [np.abs(f.astype(int) - photo).mean() < 2 for f in flipped]
    mirrored = [np.abs(f.astype(int) - photo[:, ::-1]).mean() < 2 for f in flipped]
    assert all(a or b for a, b in zip(same, mirrored, strict=True))
    assert 4 < sum((same, mirrored)[turns]) < 16


def test_rotation_and_zoom_turn_about_the_center() -> None:
    photo = np.zeros((65, 65, 3), np.uint8)
    photo[30:35, 30:35] = 255
    config = AffineConfig(size=65, shear=0.2, zoom=0.2, rotation=20)
    for seed in range(10):
        warped = affine(photo, config, rng(seed))[..., 0].astype(float)
        y, x = np.mgrid[:65, :65]
        assert abs((warped * y).sum() / warped.sum() - 32) < 0.5
        assert abs((warped * x).sum() / warped.sum() - 32) < 0.5


def test_shear_is_in_degrees() -> None:
    photo = np.zeros((101, 101, 3), np.uint8)
    photo[:, 50] = 255
    leans = []
    for seed in range(20):
        warped = affine(photo, AffineConfig(size=101, shear=30, zoom=0, rotation=0, flip=False), rng(seed))
        top, bottom = int(warped[10, :, 0].argmax()), int(warped[90, :, 0].argmax())
        leans.append(abs(np.degrees(np.arctan2(top - bottom, 80))))
    assert max(leans) <= 31
    assert max(leans) > 15


@settings(max_examples=30)
@given(SEEDS)
def test_hinted_samples_have_the_networks_shapes(seed: int) -> None:
    photo = rng(seed).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    sample = make_sample(photo, HintedConfig(size=64), rng(seed))
    assert sample.marks.shape[1:] == (7,)
    shapes = [part.shape for part in (sample.luminance, sample.cover, sample.ab)]
    assert shapes == [(1, 64, 64), (64, 64), (2, 16, 16)]
    floats = (sample.luminance, sample.marks, sample.ab)
    assert all(part.dtype == np.float32 and np.isfinite(part).all() for part in floats)
    assert 0 <= sample.luminance.min() <= sample.luminance.max() <= 100
    assert 0 <= sample.cover.min() <= sample.cover.max() <= len(sample.marks)


@settings(max_examples=20)
@given(SEEDS)
def test_samples_depend_on_their_generator_alone(seed: int) -> None:
    photo = rng(1).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    first = make_sample(photo, HintedConfig(size=64), rng(seed))
    again = make_sample(photo, HintedConfig(size=64), rng(seed))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_hints_and_film_the_sample_is_the_photo(picture: Picture) -> None:
    config = HintedConfig(32, CropConfig(smallest=1, stretch=0, flip=False), NO_FILM, NO_HINTS)
    sample = make_sample(picture(3, 32, 32), config, rng())
    lab = rgb_to_lab(picture(3, 32, 32))
    np.testing.assert_allclose(sample.luminance[0], lab[..., 0], atol=1e-4)
    means = lab[..., 1:].reshape(8, 4, 8, 4, 2).mean((1, 3)).transpose(2, 0, 1)
    np.testing.assert_allclose(sample.ab, means, atol=1e-3)
    assert sample.marks.shape == (0, 7)


def test_hints_say_the_color_under_them(picture: Picture) -> None:
    lab = rgb_to_lab(picture(4, 32, 32))
    boxes = np.array([(4, 8, 7, 10), (20, 20, 26, 26)])
    rows = marks(np.ascontiguousarray(lab[..., 0]), lab[..., 1:], boxes)
    np.testing.assert_array_equal(rows[:, :4], boxes)
    np.testing.assert_allclose(rows[0, 4:], lab[4:7, 8:10].mean((0, 1)), rtol=1e-4)
    np.testing.assert_allclose(rows[1, 4:], lab[20:26, 20:26].mean((0, 1)), rtol=1e-4)
    assert marks(lab[..., 0], lab[..., 1:], boxes[:0]).shape == (0, 7)


def test_numbers_of_hints_follow_the_config() -> None:
    counts = np.array([len(_random_boxes(128, HintConfig(), rng(seed))) for seed in range(3000)])
    assert (counts == 0).mean() == pytest.approx(0.32, abs=0.03)
    assert (counts >= 20).mean() == pytest.approx(0.18 + 0.4 * 0.875**19, abs=0.03)
    assert counts.max() < 160
    boxes = _random_boxes(128, HintConfig(none=0, one=0, geometric=0), rng())
    assert len(_random_boxes(128, HintConfig(none=0, one=0, geometric=0, many=(20, 20)), rng())) == 20
    assert all(0 <= t < b <= 128 and 0 <= left < r <= 128 and b - t <= 6 for t, left, b, r in boxes)


# --- recolored objects ------------------------------------------------------------------------


def scene() -> np.ndarray:
    """A red disc on a green ground."""
    y, x = np.mgrid[:64, :64]
    rgb = np.full((64, 64, 3), (60, 140, 60), np.uint8)
    rgb[(y - 32) ** 2 + (x - 32) ** 2 < 200] = (190, 60, 50)
    return rgb


def test_only_the_object_changes_and_a_hint_lies_on_it() -> None:
    lab = rgb_to_lab(scene())
    changed = 0
    for seed in range(30):
        ab, boxes = _recolor(lab, HintConfig(second_object=0, area=(0.01, 0.5)), rng(seed))
        mask = np.abs(ab - lab[..., 1:]).max(-1) > 1e-6
        if len(boxes) == 0:
            assert not mask.any()
            continue
        (top, left, bottom, right) = boxes[0]
        assert mask[top:bottom, left:right].all()
        assert mask.mean() <= 0.5
        changed += 1
    assert changed >= 8


def test_an_object_is_of_one_color() -> None:
    lab = rgb_to_lab(scene())
    for seed in range(20):
        mask = _find_object(lab, HintConfig(area=(0.01, 0.5)), rng(seed))
        if mask is not None:  # the disc, not the ground around it
            assert lab[mask][:, 1].mean() > 30


@settings(max_examples=30)
@given(SEEDS)
def test_recolored_colors_can_be_shown_on_average(seed: int) -> None:
    lab = rgb_to_lab(scene())
    ab, boxes = _recolor(lab, HintConfig(second_object=0, area=(0.01, 0.5)), rng(seed))
    for top, left, bottom, right in boxes:
        mean = np.array([lab[top:bottom, left:right, 0].mean(), *ab[top:bottom, left:right].mean((0, 1))])
        shrunk = mean * np.array([1, 0.6, 0.6])  # shrunk in steps, down to 0.3 of the turned color
        assert in_gamut(shrunk, 0.05)


# --- old film ----------------------------------------------------------------------------------


@settings(max_examples=30)
@given(SEEDS)
def test_film_stays_luminance(seed: int) -> None:
    rgb = rng(seed).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    clean = np.ascontiguousarray(rgb_to_lab(rgb)[..., 0])
    before = clean.copy()
    plane = film(rgb, clean, FilmConfig(1, 1, 1, 1, 1, 1, 1, 1), rng(seed))
    assert plane.shape == clean.shape
    assert plane.dtype == np.float32
    assert 0 <= plane.min() <= plane.max() <= 100
    np.testing.assert_array_equal(clean, before)


@pytest.mark.parametrize("fault", ["spectrum", "tone", "blur", "grain", "jpeg", "vignette", "scratches"])
def test_every_fault_shows(fault: str, picture: Picture) -> None:
    rgb = picture(5, 64, 64)
    clean = np.ascontiguousarray(rgb_to_lab(rgb)[..., 0])
    config = FilmConfig(**{**dict.fromkeys(NO_FILM.__dict__, 0.0), fault: 1.0})
    damaged = [np.abs(film(rgb, clean, config, rng(seed)) - clean).mean() for seed in range(5)]
    assert max(damaged) > 0.1


def test_perfect_film_changes_nothing(picture: Picture) -> None:
    clean = np.ascontiguousarray(rgb_to_lab(picture(5))[..., 0])
    np.testing.assert_allclose(film(picture(5), clean, NO_FILM, rng()), clean)


def test_orthochromatic_film_is_blind_to_red() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    clean = np.ascontiguousarray(rgb_to_lab(red)[..., 0])
    config = FilmConfig(**{**dict.fromkeys(NO_FILM.__dict__, 0.0), "spectrum": 1.0})
    darkest = min(float(film(red, clean, config, rng(seed)).mean()) for seed in range(20))
    assert darkest < 0.6 * float(clean.mean())


def test_a_border_is_neutral_and_leaves_the_photo(picture: Picture) -> None:
    photo = picture(6)
    framed = border(photo, rng(0))
    assert (framed[0] == framed[0, 0]).all()
    assert (framed[20:28, 28:36] == photo[20:28, 28:36]).all()


# --- crops and sizes ---------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.integers(33, 90), st.integers(33, 90), SEEDS)
def test_crops_have_their_size(height: int, width: int, seed: int) -> None:
    photo = rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert crop(photo, 32, CropConfig(), rng(seed)).shape == (32, 32, 3)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 60))
def test_shrinking_keeps_the_shape(height: int, width: int, side: int) -> None:
    small = shrink(np.zeros((height, width, 3), np.uint8), side)
    assert min(small.shape[:2]) == min(side, height, width)
    assert abs(small.shape[0] * width - small.shape[1] * height) <= max(height, width)


def test_square_is_the_center() -> None:
    photo = np.zeros((10, 30, 3), np.uint8)
    photo[:, 10:20] = 200
    assert (square(photo, 10) == 200).all()
