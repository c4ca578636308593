"""Flicker: nothing for colors that move with the film, the change itself for colors that do not."""

import cv2
import numpy as np
import pytest

from photochrom.errors import OptionError
from photochrom.evaluation.flicker import _motion, flicker

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def scene():
    """A textured L* plane and smooth ab, larger than the frames cut from them."""
    texture = cv2.GaussianBlur(RNG.normal(50, 60, (160, 200)), (0, 0), 2.5).clip(0, 100)
    ab = cv2.GaussianBlur(RNG.normal(0, 300, (160, 200, 2)), (0, 0), 12)
    return texture.astype(np.float32), ab.astype(np.float32)


def pan(plane, step, frames=5):
    return [plane[20 : 20 + 96, 20 + step * t : 20 + step * t + 128] for t in range(frames)]


@pytest.mark.parametrize("step", [0, 1, 3])
def test_colors_that_move_with_the_picture_do_not_flicker(scene, step):
    texture, ab = scene
    assert flicker(pan(ab, step), pan(texture, step)) < 0.1


def test_colors_left_behind_by_the_picture_flicker(scene):
    texture, ab = scene
    assert flicker(pan(ab, 0), pan(texture, 3)) > 5 * flicker(pan(ab, 3), pan(texture, 3))


def test_a_change_of_color_is_measured_in_lab_units(scene):
    texture, ab = scene
    frames = [frame + np.float32([3, 4]) * (t % 2) for t, frame in enumerate(pan(ab, 0))]
    assert flicker(frames, pan(texture, 0)) == pytest.approx(5, abs=1e-3)


def test_flow_finds_the_motion_and_what_comes_into_view_is_left_out(scene):
    texture, _ = scene
    before, after = pan(texture, 4, 2)
    back, steady = _motion(before, after)
    assert np.median(back[steady], axis=0) == pytest.approx([4, 0], abs=0.1)
    assert steady[:, :-8].mean() > 0.9
    assert not steady[:, -4:].any()


def test_places_that_both_flows_do_not_agree_on_are_left_out(scene):
    texture, _ = scene
    other = RNG.permutation(texture.ravel()).reshape(texture.shape)
    assert _motion(texture, other)[1].mean() < 0.2


def test_one_frame_has_no_flicker_and_shapes_must_agree(scene):
    texture, ab = scene
    assert np.isnan(flicker([ab], [texture]))
    with pytest.raises(OptionError, match="one shape"):
        flicker([ab, ab[:50]], [texture, texture[:50]])
    with pytest.raises(ValueError, match="shorter"):
        flicker([ab, ab], [texture])
