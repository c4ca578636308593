"""Skin: the mask keeps skin's tones, evenness falls for half-grey faces, faces are found in a real photo."""

import numpy as np
import pytest
import skimage.data

from photochrom.evaluation.skin import CLOSE_FACE, find_face, skin, skin_mask


def face(gray_share):
    """ab (200, 160, 2): chroma 25 above, grey (chroma 2) in the lowest rows of the ellipse."""
    ab = np.full((200, 160, 2), [15, 20], np.float32)
    top = 0.55 - 0.42
    ab[int(200 * (top + 0.84 * (1 - gray_share))) :] = [1.2, 1.6]
    return ab


def test_a_face_of_one_color_is_even_and_a_half_gray_one_is_not():
    mask = skin_mask(np.random.default_rng(0).uniform(0, 100, (200, 160)).astype(np.float32))
    whole, patchy = skin(face(0), mask), skin(face(0.4), mask)
    assert whole.evenness == pytest.approx(1)
    assert whole.median == patchy.median == pytest.approx(25)
    assert patchy.evenness == pytest.approx(2 / 25)
    assert skin(0 * face(0), mask).evenness == 0


def test_the_mask_is_the_ellipse_without_the_darkest_and_lightest_tones():
    lightness = np.random.default_rng(1).uniform(0, 100, (200, 160)).astype(np.float32)
    mask = skin_mask(lightness)
    rows, columns = np.nonzero(mask)
    area = np.pi * CLOSE_FACE[2] * CLOSE_FACE[3]
    assert mask.mean() == pytest.approx(0.6 * area, rel=0.01)
    assert lightness[mask].min() == pytest.approx(30, abs=2)
    assert lightness[mask].max() == pytest.approx(90, abs=2)
    assert columns.min() >= 160 * 0.17 - 1
    assert columns.max() <= 160 * 0.83
    assert rows.min() >= 200 * 0.13 - 1
    assert rows.max() <= 200 * 0.97


def test_a_real_face_is_found_and_a_place_without_one_is_not():
    x, y, across, down = find_face(skimage.data.astronaut())
    assert (x, y) == pytest.approx((0.435, 0.23), abs=0.03)  # eyes at (0.40…0.46, 0.22)
    assert 0.08 < across < 0.2
    assert across == down  # in a square photo
    assert find_face(np.ascontiguousarray(skimage.data.astronaut()[300:, :200])) is None
