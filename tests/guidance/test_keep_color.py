"""Faded color photographs: the cast comes off, what is left is stretched and followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.color import quantize, rgb_to_lab
from photochrom.errors import GuidanceError
from photochrom.guidance import remaining_hints
from photochrom.guidance.keep_color import _WEIGHT, MOST, _restored
from photochrom.look import Look

if TYPE_CHECKING:
    from photochrom.colorizer import Colorizer


def faded(rgb: np.ndarray) -> np.ndarray:
    """Cyan dye mostly gone, a yellow stain: what many prints of the 1970s look like now."""
    density = -np.log10(np.clip(rgb / 255.0, 0.004, 1))
    return quantize(10 ** -(density * (0.35, 0.7, 0.55) + (0.01, 0.05, 0.12)))


def error(ab: np.ndarray, truth: np.ndarray) -> float:
    return float(np.hypot(*(ab - truth).reshape(-1, 2).T).mean())


def test_a_faded_copy_comes_nearer_to_its_truth(colorizer: Colorizer, truth: np.ndarray, lab) -> None:
    print_ = faded(truth)
    plate = colorizer.prepare(print_)
    revived = plate.color(Look(keep_color=True)).preview(side=256)
    true = lab.ab(truth)
    assert error(lab.ab(revived), true) < 0.9 * error(lab.ab(print_), true)
    assert error(lab.ab(revived), true) < error(lab.ab(plate.preview(side=256)), true)


def test_the_luminance_is_the_faded_photos_own(colorizer: Colorizer, truth: np.ndarray) -> None:
    print_ = faded(truth)
    plate = colorizer.prepare(print_)
    revived = plate.color(Look(keep_color=True)).photo().pixels
    assert np.abs(rgb_to_lab(revived)[..., 0] - rgb_to_lab(print_)[..., 0]).max() < 0.4


def test_hints_are_weak_and_all_over(colorizer: Colorizer, truth: np.ndarray) -> None:
    hints = remaining_hints(colorizer.prepare(faded(truth)))
    assert 200 < len(hints) <= MOST * 1.1
    assert {hint.weight for hint in hints} == {_WEIGHT}
    assert len({(hint.x > 0.5, hint.y > 0.5) for hint in hints}) == 4


@pytest.mark.parametrize("tint", [(1, 1, 1), (1, 0.9, 0.7)])
def test_a_grey_or_evenly_toned_photo_has_none_left(
    colorizer: Colorizer, truth: np.ndarray, lab, tint: tuple[float, ...]
) -> None:
    grey = lab.grey(truth)[..., None] / 255.0
    with pytest.raises(GuidanceError, match="no color of its own left"):
        remaining_hints(colorizer.prepare(quantize(grey * tint)))


@settings(max_examples=15)
@given(a=st.floats(-20, 20), b=st.floats(-20, 20), fade=st.floats(0.3, 1.0))
def test_a_cast_and_a_fade_are_undone_when_the_yardstick_is_true(a: float, b: float, fade: float) -> None:
    rng = np.random.default_rng(1)
    level = rng.uniform(10, 90, (40, 40)).astype(np.float32)
    true = rng.normal(0, 15, (40, 40, 2)).astype(np.float32)
    lab = np.concatenate([level[..., None], fade * true + (a, b)], -1).astype(np.float32)
    found = _restored(lab, true)
    assert error(found, true) < 3


def test_a_cast_that_changes_with_luminance_comes_off(truth: np.ndarray) -> None:
    lab = rgb_to_lab(truth)
    cast = np.stack([0.2 * lab[..., 0] - 5, 12 - 0.1 * lab[..., 0]], -1)
    stained = lab.copy()
    stained[..., 1:] += cast
    assert (
        error(_restored(stained, lab[..., 1:]), lab[..., 1:]) < 0.35 * np.hypot(*cast.reshape(-1, 2).T).mean()
    )
