"""Rows of one photo: what is in them, for whom, and the model behind the public API."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from skimage import data

from photochrom.color import ab_bins, merge, rgb_to_lab
from photochrom.errors import UnsupportedReading
from photochrom.evaluation import metrics
from photochrom.evaluation.measure import Networks, Plan, Truth, measure
from photochrom.evaluation.photos import Sample
from photochrom.evaluation.predictors import Grey, ModelPredictor, Prepared, Still
from photochrom.evaluation.protocols import PROTOCOLS, grey_of
from photochrom.evaluation.spreading import Spreading

PHOTOS = PROTOCOLS["photos"]
NOTHING: frozenset[str] = frozenset()


# --- a Colorizer's stand-in -----------------------------------------------------------------------


@dataclass
class Card:
    supports_hints: bool = True


@dataclass
class Picture:
    rgb: np.ndarray


@dataclass
class Plate:
    grey: np.ndarray
    head: str

    def render(self, hints: Any = (), vividness: float | None = None) -> Picture:
        """Warm all over, the warmer the more hints; vividness scales it."""
        strength = (10 + 5 * len(hints)) * (1.0 if vividness is None else vividness)
        ab = np.full((*self.grey.shape, 2), strength, np.float32)
        return Picture(merge(self.grey, ab))

    def answer(self) -> Plate:
        return self

    @property
    def distribution(self) -> tuple[np.ndarray, np.ndarray]:
        if self.head == "ab":
            raise UnsupportedReading("an ab head has no distribution")
        bins = ab_bins()
        probabilities = np.zeros((len(bins), 64, 64), np.float32)
        probabilities[int(np.flatnonzero((bins == (10, 10)).all(axis=1))[0])] = 1
        return probabilities, bins


class Colorizer:
    def __init__(self, head: str = "bins", hints: bool = True):
        self.head, self.model = head, Card(hints)

    def prepare(self, photo: np.ndarray) -> Plate:
        assert photo.ndim == 2, "a model must be given the grey, never the truth"
        return Plate(photo, self.head)


def predictor(**options: Any) -> ModelPredictor:
    vividness = options.pop("vividness", None)
    return ModelPredictor("model", Colorizer(**options), vividness)  # type: ignore[arg-type]


def row_of(
    sample: Sample, model: Any, plan: Plan | None = None, parts: frozenset[str] = NOTHING
) -> dict[str, Any]:
    return measure(Truth(sample), model, PHOTOS, plan or Plan(), parts)


def test_a_model_is_measured_through_the_public_api(sample: Sample) -> None:
    row = row_of(sample, predictor())
    expected = merge(sample.grey, np.full((256, 256, 2), 10, np.float32))
    assert row["psnr"] == pytest.approx(metrics.psnr(expected, sample.truth))
    assert row["cf_hs"] == pytest.approx(metrics.colorfulness(expected))
    assert {"psnr_hints_1", "psnr_hints_10", "psnr_hints_100"} <= set(row)
    assert row["luma_steps"] <= 0.5


def test_vividness_is_passed_on(sample: Sample) -> None:
    assert row_of(sample, predictor(vividness=0.0))["cf_hs"] < row_of(sample, predictor())["cf_hs"]


def test_a_model_that_takes_no_hints_is_measured_with_them_all_the_same(sample: Sample) -> None:
    """They are carried from its colors."""
    row = row_of(sample, predictor(hints=False), parts=frozenset({"hints"}))
    assert row["psnr_hints_10"] > row["psnr"]


def test_an_ab_head_has_no_calibration_and_everything_else(sample: Sample) -> None:
    row = row_of(sample, predictor(head="ab"))
    assert "confidence" not in row
    assert "psnr_hints_10" in row
    sums = row_of(sample, predictor())["confidence"]
    assert sums[:, 0].sum() == 64 * 64
    assert sums[-1, 0] == 64 * 64  # all of them quite sure


def test_costly_parts_are_measured_where_chosen(sample: Sample) -> None:
    plain = row_of(sample, predictor())
    assert not any(name.startswith(("hint_", "robust_")) for name in plain)
    full = row_of(sample, predictor(), parts=frozenset({"hints", "robust"}))
    assert {"hint_obeyed", "hint_leak", "hint_reach", "robust_clean", "robust_blur", "robust_jpeg30"} <= set(
        full
    )
    for name, value in plain.items():
        assert np.array_equal(full[name], value), name


def test_a_uniform_hint_leaks_and_is_obeyed_by_no_one(sample: Sample) -> None:
    """The stand-in warms everything with any hint, whatever its color."""
    row = row_of(sample, predictor(), parts=frozenset({"hints"}))
    assert row["hint_obeyed"] > 5
    assert row["hint_leak"] > 2


def test_baselines_are_not_tried_on_old_film(sample: Sample) -> None:
    row = row_of(sample, Spreading(), parts=frozenset({"hints", "robust"}))
    assert "robust_clean" not in row
    assert row["hint_obeyed"] < 5


def test_histograms_count_every_pixel(sample: Sample) -> None:
    row = row_of(sample, predictor())
    assert row["histogram"].sum() == row["true_histogram"].sum() == 256 * 256
    assert (row["auc_counts"] == row["true_histogram"]).all()
    assert row["auc_scores"].sum() / 256**2 == pytest.approx(row["auc"])


def test_the_greys_own_figures(sample: Sample) -> None:
    row = row_of(sample, Grey())
    assert row["psnr"] == row["grey_psnr"]
    error = np.hypot(*np.moveaxis(rgb_to_lab(sample.truth)[..., 1:], -1, 0)).astype(float)
    assert row["auc"] == pytest.approx(metrics.auc_scores(error).mean(), abs=1e-6)


def test_icolorits_floor_bounds_psnr(sample: Sample) -> None:
    @dataclass(frozen=True)
    class Perfect:
        name: str = "perfect"
        supports_hints: bool = False
        is_model: bool = False

        def prepare(self, sample: Sample) -> Prepared:
            return Still(sample.truth)

    assert measure(Truth(sample), Perfect(), PROTOCOLS["icolorit"], Plan(), NOTHING)["psnr"] == pytest.approx(
        50
    )
    assert np.isinf(row_of(sample, Perfect())["psnr"])


def test_networks_fill_the_columns_they_are_named_for(sample: Sample) -> None:
    networks = Networks(
        extractors={"features": lambda picture: picture.reshape(-1, 3).mean(axis=0)},
        distances={"lpips_vgg": lambda picture, truth: float(np.abs(picture.astype(int) - truth).mean())},
    )
    row = measure(Truth(sample, networks), Grey(), PHOTOS, Plan(), NOTHING)
    np.testing.assert_allclose(row["true_features"], sample.truth.reshape(-1, 3).mean(axis=0))
    assert row["features"][0] == row["features"][1]
    assert row["lpips_vgg"] > 0


def test_the_number_of_a_photo_seeds_its_hints(sample: Sample) -> None:
    one, other = row_of(sample, Spreading()), row_of(replace(sample, number=sample.number + 1), Spreading())
    assert one["psnr_hints_10"] != other["psnr_hints_10"]
    assert one["psnr"] == other["psnr"]


# --- the embedded model -----------------------------------------------------------------------------


def test_the_embedded_model_keeps_its_promises(sample: Sample) -> None:
    from photochrom.colorizer import Colorizer as Real

    model = ModelPredictor("photochrom", Real(threads=1))
    row = row_of(sample, model, Plan(hint_counts=(0, 10)), frozenset({"hints"}))
    assert row["luma_steps"] <= 0.5
    assert row["hint_obeyed"] <= 5
    assert row["psnr_hints_10"] > row["grey_psnr"]
    assert row["confidence"][:, 0].sum() == row["entropy"][:, 0].sum()


def test_gain_and_colorfulness_are_measured_at_each_vividness(sample: Sample) -> None:
    row = row_of(sample, predictor())
    grey = np.repeat(sample.grey[..., None], 3, axis=2)
    assert row["vivid_psnr"][0] == pytest.approx(metrics.psnr(grey, sample.truth))
    assert row["vivid_psnr"][-1] == pytest.approx(row["psnr"])  # the stand-in's default is a vividness of 1
    assert (np.diff(row["vivid_cf"]) > 0).all()
    assert "vivid_psnr" not in row_of(sample, Spreading())


def test_skin_is_measured_on_faces_alone() -> None:
    person, cup = (
        Sample("", 0, "", square, grey_of(square), (256, 256))
        for square in map(PHOTOS.square, (data.astronaut(), data.coffee()))
    )
    assert "skin_evenness" in row_of(person, predictor(), Plan(faces="find"))
    assert "skin_evenness" not in row_of(cup, predictor(), Plan(faces="find"))
    assert "skin_evenness" not in row_of(person, predictor())
    row = row_of(cup, predictor(), Plan(faces="close"))
    assert row["skin_evenness"] == pytest.approx(1, abs=0.1)  # the stand-in gives one chroma everywhere
    assert row["skin_chroma"] == pytest.approx(np.hypot(10, 10), abs=1)
    assert 0 < row["true_skin_evenness"] < 1
    assert {"orthochromatic_skin_evenness", "fading_skin_evenness"} <= set(row)
