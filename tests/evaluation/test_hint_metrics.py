"""Obedience, leak and reach, of pictures whose right answer is plain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000

from photochrom.color import hex_to_rgb, in_gamut, luminance, rgb_to_lab
from photochrom.evaluation.hint_metrics import (
    RADIUS,
    Counterfactual,
    compare,
    counterfactual,
    leak,
    obeyed,
    reach,
    turned,
)
from photochrom.evaluation.photos import Sample
from photochrom.evaluation.protocols import grey_of
from photochrom.hints import Hint


@pytest.fixture(scope="module")
def scene() -> tuple[Sample, Counterfactual]:
    """Left half one red, right half one blue; the hint asks the red for green."""
    truth = np.empty((256, 256, 3), np.uint8)
    truth[:, :128], truth[:, 128:] = (170, 80, 70), (70, 90, 170)
    sample = Sample("scene", 0, "", truth, grey_of(truth), (256, 256))
    lab = rgb_to_lab(truth)
    hint = Hint(60.5 / 256, 100.5 / 256, turned(float(lab[100, 60, 0]), lab[100, 60, 1:], 2.0), radius=RADIUS)
    return sample, Counterfactual(60, 100, lab[100, 60, 1:], float(lab[100, 60, 0]), hint)


def painted(lab: np.ndarray, where: np.ndarray, ab: np.ndarray) -> np.ndarray:
    after = lab.copy()
    after[where, 1:] = ab
    return after


def test_perfect_obedience(scene: tuple[Sample, Counterfactual]) -> None:
    sample, asked = scene
    lab = rgb_to_lab(sample.truth)
    left = np.zeros((256, 256), bool)
    left[:, :128] = True
    figures = compare(lab, lab, painted(lab, left, asked.asked_ab), asked)
    assert figures.obeyed == pytest.approx(0, abs=1e-4)
    assert figures.leak == 0
    assert figures.reach == pytest.approx(1)


def test_a_hint_without_effect(scene: tuple[Sample, Counterfactual]) -> None:
    sample, asked = scene
    lab = rgb_to_lab(sample.truth)
    figures = compare(lab, lab, lab, asked)
    wanted = np.array([lab[100, 60, 0], *asked.asked_ab])
    assert figures.obeyed == pytest.approx(float(deltaE_ciede2000(lab[100, 60], wanted)), abs=1e-3)
    assert figures.leak == 0
    assert figures.reach == 0


def test_a_hint_that_floods_everything_leaks(scene: tuple[Sample, Counterfactual]) -> None:
    sample, asked = scene
    lab = rgb_to_lab(sample.truth)
    after = painted(lab, np.ones((256, 256), bool), asked.asked_ab)
    figures = compare(lab, lab, after, asked)
    expected = float(deltaE_ciede2000(lab[0, 200], np.array([lab[0, 200, 0], *asked.asked_ab])))
    assert figures.leak == pytest.approx(expected, abs=1e-3)
    assert figures.reach == pytest.approx(1)


@given(st.floats(0, 1))
def test_reach_is_the_share_of_the_way(share: float) -> None:
    lab = np.tile(np.array([50.0, 40, 0], np.float32), (64, 64, 1))
    hint = Hint(0.5, 0.5, turned(50, lab[0, 0, 1:], 2.0), radius=RADIUS)
    asked = Counterfactual(32, 32, lab[0, 0, 1:], 50.0, hint)
    after = lab.copy()
    after[..., 1:] += share * (asked.asked_ab - lab[..., 1:])
    assert reach(lab, lab, after, asked) == pytest.approx(share, abs=1e-5)


def test_too_small_things_have_no_figure() -> None:
    lab = np.tile(np.array([50.0, 40, 0], np.float32), (64, 64, 1))
    hint = Hint(0.5, 0.5, "#00ff00", radius=RADIUS)
    asked = Counterfactual(32, 32, lab[0, 0, 1:].copy(), 50.0, hint)
    assert np.isnan(leak(lab, lab, lab, asked))  # nothing else in the picture
    lab[..., 2] = 30  # the place is alone in its color
    assert np.isnan(reach(lab, lab, lab, asked))


def test_obedience_looks_at_3_by_3_pixels(scene: tuple[Sample, Counterfactual]) -> None:
    sample, asked = scene
    lab = rgb_to_lab(sample.truth)
    around = np.zeros((256, 256), bool)
    around[99:102, 59:62] = True
    assert obeyed(painted(lab, around, asked.asked_ab), asked) == pytest.approx(0, abs=1e-4)


@given(st.integers(0, 2000))
def test_the_seeded_hint_contradicts_the_photo(number: int) -> None:
    rng = np.random.default_rng(number)
    truth = np.kron(rng.integers(0, 256, (16, 16, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    sample = Sample("any", number, "", truth, grey_of(truth), (256, 256))
    asked = counterfactual(sample)
    assert asked is not None
    again = counterfactual(sample)
    assert again is not None
    assert again.hint == asked.hint
    patch = np.s_[asked.y - 2 : asked.y + 3, asked.x - 2 : asked.x + 3]
    assert 25 <= luminance(sample.grey[patch]).mean() <= 85
    np.testing.assert_allclose(asked.true_ab, rgb_to_lab(truth)[patch][..., 1:].mean(axis=(0, 1)), atol=1e-3)


@given(st.floats(30, 80), st.floats(2, 60), st.floats(-60, 60), st.floats(np.pi / 3, np.pi))
def test_a_turned_color_keeps_to_the_asked_hue_where_srgb_has_it(
    lightness: float, a: float, b: float, turn: float
) -> None:
    ab = np.array([a, b], np.float32)
    chroma, hue = max(15.0, float(np.hypot(a, b))), np.arctan2(b, a) + turn
    wanted = np.array([lightness, chroma * np.cos(hue), chroma * np.sin(hue)])
    made = rgb_to_lab(hex_to_rgb(turned(lightness, ab, turn))[None])[0]
    if in_gamut(wanted, -0.01):
        np.testing.assert_allclose(made, wanted, atol=1.2)
    assert np.hypot(*made[1:]) > 3


def test_a_photo_without_a_usable_place_has_no_hint() -> None:
    truth = np.full((256, 256, 3), (255, 254, 200), np.uint8)
    assert counterfactual(Sample("white", 0, "", truth, grey_of(truth), (256, 256))) is None
