"""Old film, other sizes, and the classical baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from skimage import data

from photochrom.color import luminance, rgb_to_lab
from photochrom.evaluation.degradations import DEGRADATIONS, color_gain, robust_gain
from photochrom.evaluation.metrics import psnr
from photochrom.evaluation.photos import Sample
from photochrom.evaluation.predictors import Grey, MeanColor, Prepared, Still
from photochrom.evaluation.protocols import PROTOCOLS, grey_of
from photochrom.evaluation.spreading import _FEW, _MANY, Spreading, spread
from photochrom.evaluation.stability import SIDES, resize_short_side, size_stability
from photochrom.hints import Hint

if TYPE_CHECKING:
    from pathlib import Path

TRUTH = PROTOCOLS["photos"].square(data.astronaut())
SAMPLE = Sample("astronaut", 3, "", TRUTH, grey_of(TRUTH), (512, 512))


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_degradations_are_grey_repeatable_and_real(name: str) -> None:
    one, other = (DEGRADATIONS[name](TRUTH, np.random.default_rng(3)) for _ in range(2))
    assert one.dtype == np.uint8
    assert one.shape == (256, 256)
    assert (one == other).all()
    assert 1 < np.abs(one.astype(int) - SAMPLE.grey).mean() < 60


def test_orthochromatic_film_is_blind_to_red() -> None:
    red, blue = np.full((8, 8, 3), (200, 30, 30), np.uint8), np.full((8, 8, 3), (30, 30, 200), np.uint8)
    film = DEGRADATIONS["orthochromatic"]
    rng = np.random.default_rng(0)
    assert film(red, rng)[0, 0] < grey_of(red)[0, 0] - 20
    assert film(blue, rng)[0, 0] > grey_of(blue)[0, 0] + 60


def test_grain_differs_between_photos_and_has_no_bias() -> None:
    flat = np.full((256, 256, 3), 128, np.uint8)
    one, other = (DEGRADATIONS["grain"](flat, np.random.default_rng(n)) for n in (1, 2))
    assert (one != other).mean() > 0.5
    assert abs(one.mean() - 128) < 0.3
    assert 5 < one.std() < 14


def test_a_fading_keeps_the_order_of_tones() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    faded = DEGRADATIONS["fading"](ramp, np.random.default_rng(0))[0].astype(int)
    assert (faded[0], faded[-1]) == (70, 200)
    assert (np.diff(faded) >= 0).all()


def test_gain_of_grey_is_zero_and_of_the_truth_large() -> None:
    assert color_gain(SAMPLE, np.zeros((256, 256, 2), np.float32)) == pytest.approx(0, abs=0.03)
    assert color_gain(SAMPLE, np.ascontiguousarray(rgb_to_lab(TRUTH)[..., 1:])) > 15


def test_an_oracle_of_colors_loses_nothing_to_degradation() -> None:
    clean = color_gain(SAMPLE, rgb_to_lab(MeanColor().prepare(SAMPLE).render())[..., 1:])
    for name in DEGRADATIONS:
        assert robust_gain(SAMPLE, MeanColor(), name) == pytest.approx(clean, abs=0.15)


@dataclass(frozen=True)
class Nervous:
    """Colors by brightness, so that a changed tone changes its colors."""

    name: str = "nervous"
    supports_hints: bool = False
    is_model: bool = True

    def prepare(self, sample: Sample) -> Prepared:
        from photochrom.color import merge

        ab = np.stack([sample.grey - 128.0, np.full(sample.grey.shape, 10.0)], axis=-1).astype(np.float32) / 2
        return Still(np.asarray(merge(sample.grey, ab), np.uint8))


def test_what_depends_on_tone_suffers_from_fading_alone() -> None:
    clean = color_gain(SAMPLE, rgb_to_lab(Nervous().prepare(SAMPLE).render())[..., 1:])
    assert abs(robust_gain(SAMPLE, Nervous(), "fading") - clean) > 0.3
    assert robust_gain(SAMPLE, Nervous(), "jpeg30") == pytest.approx(clean, abs=0.2)


# --- sizes --------------------------------------------------------------------------------------


def test_grey_is_stable_at_every_size(tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "coffee.png")
    result = size_stability(tmp_path / "coffee.png", Grey(), sides=(256, 512, 1024))
    assert result.original == 400
    assert result.enlarged == (512, 1024)
    assert result.difference[1024] == 0
    assert result.mean < 1.2  # resampling alone
    assert max(SIDES) == 4096


@dataclass(frozen=True)
class Fickle:
    """Red up to 600 px, blue above."""

    name: str = "fickle"
    supports_hints: bool = False
    is_model: bool = True

    def prepare(self, sample: Sample) -> Prepared:
        picture = np.zeros((*sample.grey.shape, 3), np.uint8)
        picture[..., 0 if min(sample.grey.shape) < 600 else 2] = 200
        return Still(picture)


def test_a_change_of_color_with_size_shows(tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "coffee.png")
    result = size_stability(tmp_path / "coffee.png", Fickle(), sides=(256, 512, 1024))
    assert result.difference[512] > 30
    assert result.mean == pytest.approx((result.difference[256] + result.difference[512]) / 2)


@pytest.mark.parametrize("side", [100, 400, 900])
def test_resizing_by_the_short_side_keeps_the_aspect(side: int) -> None:
    resized = resize_short_side(data.coffee(), side)  # 400 × 600
    assert min(resized.shape[:2]) == side
    assert resized.shape[1] / resized.shape[0] == pytest.approx(1.5, abs=0.02)


# --- spreading ----------------------------------------------------------------------------------


def test_spreading_by_the_formula() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (40, 50), dtype=np.uint8)
    hints = [Hint(0.3, 0.4, "#a04030", radius=0.06), Hint(0.8, 0.7, "#3050a0", radius=0.06)]
    reach, tolerance = 0.3, 15.0
    lightness = luminance(grey)
    rows, columns = np.mgrid[:40, :50] + 0.5
    sums = np.zeros((40, 50, 3))
    for hint in hints:
        x, y, r = hint.x * 50, hint.y * 40, 3
        own = lightness[round(y) - r : round(y) + r, round(x) - r : round(x) + r].mean()
        near = ((columns - x) ** 2 + (rows - y) ** 2) / (2 * (reach * 40) ** 2)
        weight = np.exp(-near - (lightness - own) ** 2 / (2 * tolerance**2))
        sums += weight[..., None] * np.array([*hint.ab, 1])
    expected = sums[..., :2] / (sums[..., 2:] + 0.05)
    np.testing.assert_allclose(spread(grey, hints, reach, tolerance), expected, atol=1e-3)


def test_more_hints_help_the_baseline() -> None:
    prepared = Spreading().prepare(SAMPLE)
    hints = PROTOCOLS["photos"].hints(TRUTH, 3, 100)
    figures = [psnr(prepared.render(hints[:n]), TRUTH) for n in (0, 1, 10, 100)]
    assert figures == sorted(figures)
    assert figures[0] == pytest.approx(psnr(Grey().prepare(SAMPLE).render(), TRUTH), abs=0.05)
    assert figures[3] - figures[0] > 4
    assert _FEW != _MANY
