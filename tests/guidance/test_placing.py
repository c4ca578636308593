"""Colors at places, as hints that sRGB can show."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom.guidance.placing import placed, placed_in_cells


def test_hints_are_at_their_places_and_in_gamut(plate):
    light = np.argwhere(np.abs(plate.luminance - 60) < 2)[:2]
    y, x = light.T + 0.5
    hint, beyond = placed(plate, y, x, np.array([(20, -30), (200, 200)]), np.array([0.25, 0.75]))
    assert hint.ab == pytest.approx((20, -30), abs=1)
    assert np.hypot(*beyond.ab) < 150
    assert (hint.y * 256, hint.x * 256) == pytest.approx((y[0], x[0]))
    assert (hint.weight, beyond.weight) == (0.25, 0.75)


def test_cells_have_their_middle(plate):
    (hint,) = placed_in_cells(plate, np.array([[3, 5]]), np.array([[5, 5]]), 0.5)
    assert (hint.y * 256, hint.x * 256) == pytest.approx((14, 22))
    assert placed_in_cells(plate, np.zeros((0, 2), int), np.zeros((0, 2)), 0.5) == []
