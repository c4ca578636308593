"""A reference laid over the photo: exact where it is the same scene, refused where it is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.color import rgb_to_lab
from photochrom.guidance.alignment import MOST, align
from photochrom.guidance.matching import Similarity


@pytest.fixture(scope="module")
def scene(truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """L* and ab of the portrait."""
    lab = rgb_to_lab(truth)
    return np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])


@settings(max_examples=8)
@given(dx=st.floats(-8, 8), dy=st.floats(-8, 8))
def test_a_guess_a_few_pixels_off_is_refined(scene, dx: float, dy: float) -> None:
    level, ab = scene
    found = align(level, level, ab, Similarity(1 + 0j, complex(dx, dy), False, 20))
    assert found is not None
    assert 40 < len(found.places) <= MOST
    true = cv2.blur(ab, (3, 3))[found.places[:, 0], found.places[:, 1]]
    assert np.median(np.hypot(*(found.ab - true).T)) < 2
    assert (found.confidence > 0.5).all()


def test_a_mirrored_scaled_part_is_laid_where_it_belongs(scene) -> None:
    level, ab = scene
    part = np.ascontiguousarray(level[40:240, 20:220][:, ::-1])
    part_ab = np.ascontiguousarray(ab[40:240, 20:220][:, ::-1])
    part, part_ab = (
        cv2.resize(plane, (256, 256), interpolation=cv2.INTER_LINEAR) for plane in (part, part_ab)
    )
    scale = 256 / 200
    guess = Similarity(scale * 1.02, complex(220 * scale + 3, -40 * scale - 4), True, 20)
    found = align(level, part, part_ab, guess)
    assert found is not None
    rows, columns = found.places.T
    assert rows.min() >= 36
    assert columns.max() <= 224
    true = cv2.blur(ab, (3, 3))[rows, columns]
    assert np.median(np.hypot(*(found.ab - true).T)) < 4


def test_brighter_and_flatter_is_still_the_same_scene(scene) -> None:
    level, ab = scene
    found = align(level, level * 0.7 + 20, ab, Similarity(1 + 0j, 0j, False, 20))
    assert found is not None
    assert len(found.places) > 40


@pytest.mark.parametrize("seed", range(4))
def test_another_scene_is_refused(scene, seed: int) -> None:
    level, ab = scene
    noise = np.random.default_rng(seed).normal(50, 40, level.shape).astype(np.float32)
    other = cv2.GaussianBlur(noise, (0, 0), 4)
    assert align(level, other, ab, Similarity(1 + 0j, 0j, False, 20)) is None


def test_its_own_upside_down_is_refused(scene) -> None:
    level, ab = scene
    flipped = np.ascontiguousarray(level[::-1])
    assert align(level, flipped, ab, Similarity(1 + 0j, 0j, False, 20)) is None


def test_a_flat_photo_has_nothing_to_go_by(scene) -> None:
    level, ab = scene
    assert align(np.full_like(level, 50), level, ab, Similarity(1 + 0j, 0j, False, 20)) is None
