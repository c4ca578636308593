"""The whole run: figures against plain numpy and scikit-image, nothing left out silently, twice the same."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from photochrom.errors import DataError, OptionError
from photochrom.evaluation.evaluator import Evaluation, evaluate
from photochrom.evaluation.gallery import _ranked
from photochrom.evaluation.measure import spaced
from photochrom.evaluation.photos import PhotoSet, Sample
from photochrom.evaluation.predictors import FolderPredictor, Grey, MeanColor, Prepared, Still
from photochrom.evaluation.protocols import PROTOCOLS
from photochrom.evaluation.report import to_json, write_report
from photochrom.evaluation.spreading import Spreading
from photochrom.evaluation.summary import _rebalancing_weights, figure, metrics_of, statistic, summarize

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = (0, 1, 10)
SETTINGS: dict = {
    "hint_counts": COUNTS,
    "size_photos": 1,
    "sides": (256, 512, 1024),
    "robust_photos": 3,
    "features": False,
}


@dataclass(frozen=True)
class Faded:
    """The truth with its chroma scaled."""

    strength: float
    name: str
    supports_hints: bool = False
    is_model: bool = True

    def prepare(self, sample: Sample) -> Prepared:
        from photochrom.color import merge, rgb_to_lab

        ab = np.ascontiguousarray(rgb_to_lab(sample.truth)[..., 1:] * np.float32(self.strength))
        return Still(np.asarray(merge(sample.grey, ab), np.uint8))


MODELS = (Faded(0.7, "good"), Faded(0.3, "pale"), Grey(), MeanColor(), Spreading())


@pytest.fixture(scope="module")
def result(photos: PhotoSet) -> Evaluation:
    return evaluate(photos, MODELS, **SETTINGS)


@pytest.fixture(scope="module")
def summary(result: Evaluation) -> dict:
    return summarize(result)


def test_figures_agree_with_independent_computations(
    result: Evaluation, summary: dict, photos: PhotoSet
) -> None:
    """Plain numpy and scikit-image on the same arrays, to four digits."""
    psnr, ssim, difference, color = [], [], [], []
    for number in range(12):
        sample = photos.load(number)
        assert isinstance(sample, Sample)
        picture, truth = MODELS[1].prepare(sample).render(), sample.truth
        psnr.append(peak_signal_noise_ratio(truth, picture))
        options = {
            "channel_axis": 2,
            "gaussian_weights": True,
            "use_sample_covariance": False,
            "data_range": 255,
        }
        ssim.append(structural_similarity(truth, picture, **options))
        difference.append(deltaE_ciede2000(rgb2lab(truth), rgb2lab(picture)).mean())
        rg = picture[..., 0] - picture[..., 1].astype(float)
        yb = (picture[..., 0] + picture[..., 1].astype(float)) / 2 - picture[..., 2]
        color.append(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))
    mine = summary["models"]["pale"]
    for name, values in (("psnr", psnr), ("ssim", ssim), ("cf_hs", color)):
        assert mine[name]["mean"] == pytest.approx(np.mean(values), rel=1e-6)
    assert mine["de2000"]["mean"] == pytest.approx(np.mean(difference), rel=5e-4)


def test_better_models_have_better_figures(summary: dict) -> None:
    good, pale, grey = (summary["models"][name] for name in ("good", "pale", "grey"))
    for name in ("psnr", "gain", "auc", "auc_rebalanced", "ssim"):
        assert good[name]["mean"] > pale[name]["mean"] > grey[name]["mean"]
    for name in ("de2000", "delta_cf_mean", "delta_cf_image"):
        assert good[name]["mean"] < pale[name]["mean"] < grey[name]["mean"]
    assert grey["gain"]["mean"] == 0
    assert grey["cf_ratio"]["mean"] == 0
    assert good["cf_ratio"]["mean"] == pytest.approx(0.7, abs=0.06)


def test_two_runs_give_identical_numbers_whatever_the_workers(result: Evaluation, photos: PhotoSet) -> None:
    again = evaluate(photos, MODELS, **SETTINGS, workers=3)
    assert to_json(summarize(again)) == to_json(summarize(result))


def test_the_order_of_models_and_photos_changes_no_figure(result: Evaluation, photos: PhotoSet) -> None:
    turned = evaluate(
        photos, MODELS[::-1], hint_counts=COUNTS, size_photos=0, robust_photos=3, features=False
    )
    for model in result.rows:
        for name in ("psnr", "auc_rebalanced", "de2000"):
            assert figure(turned, model, name) == figure(result, model, name)


def test_rebalancing_weighs_rare_colors_by_the_inverse_of_their_smoothed_share(result: Evaluation) -> None:
    from photochrom.color import ab_bins

    counts = result.column("good", "auc_counts").sum(axis=0)
    bins = ab_bins().astype(float)
    smoothed = np.zeros(len(bins))
    for i, one in enumerate(bins):
        kernel = np.exp(-((bins - one) ** 2).sum(axis=1) / (2 * 5.0**2))
        smoothed[i] = (kernel / kernel.sum()) @ (counts / counts.sum())
    kept = smoothed > 0
    np.testing.assert_allclose(_rebalancing_weights(counts)[kept], 1 / smoothed[kept], rtol=1e-9)


def test_gains_are_of_the_same_photos(result: Evaluation) -> None:
    gain, _ = statistic(result, "good", "gain")
    expected = [row["psnr"] - row["grey_psnr"] for row in result.rows["good"]]
    np.testing.assert_allclose(gain, expected)


def test_paired_differences_are_the_difference_of_means(summary: dict) -> None:
    paired = summary["paired"]["pale − good"]["psnr"]
    means = [summary["models"][name]["psnr"]["mean"] for name in ("pale", "good")]
    assert paired["mean"] == pytest.approx(means[0] - means[1], abs=1e-5)
    assert paired["high"] < 0
    assert "auc_rebalanced" not in summary["paired"]["pale − good"]


def test_only_predictors_with_hints_have_hint_figures(summary: dict) -> None:
    assert {"psnr_hints_1", "gain_hints_10", "hint_obeyed", "hint_reach"} <= set(
        summary["models"]["spreading"]
    )
    assert not any("hint" in name for name in summary["models"]["good"])
    means = [
        summary["models"]["spreading"][name]["mean"] for name in ("gain", "gain_hints_1", "gain_hints_10")
    ]
    assert means == sorted(means)


def test_models_alone_are_tried_on_old_film_and_other_sizes(summary: dict) -> None:
    assert summary["models"]["good"]["robust_gain_blur"]["n"] == 3
    assert "robust_gain_blur" not in summary["models"]["mean color"]
    assert len(summary["stability"]["good"]) == 1
    assert summary["stability"]["good"][0]["enlarged"] == [256, 512, 1024]


def test_sources_hold_all_photos(summary: dict) -> None:
    assert {name: source["n"] for name, source in summary["sources"].items()} == {"one": 6, "two": 6}
    means = [source["models"]["good"]["psnr"]["mean"] for source in summary["sources"].values()]
    assert np.mean(means) == pytest.approx(summary["models"]["good"]["psnr"]["mean"], abs=1e-5)


def test_the_report_has_the_promised_form(summary: dict) -> None:
    assert summary["protocol"] == "photos"
    assert summary["n"] == 12
    names = {metric.name for metric in metrics_of(COUNTS)}
    for figures in summary["models"].values():
        assert set(figures) <= names
        for entry in figures.values():
            assert {"mean", "low", "high"} <= set(entry)
            if entry["mean"] is not None:
                assert entry["low"] <= entry["mean"] <= entry["high"]


def test_what_is_not_available_has_a_reason_and_no_number(summary: dict) -> None:
    entry = summary["models"]["good"]["fd_effnet"]
    assert entry["mean"] is None
    assert entry["not_available"] == "switched off"


# --- bad input ----------------------------------------------------------------------------------


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder, tmp_path / "copy")
    return tmp_path / "copy"


def quick(photos: PhotoSet, *predictors: object, **options: object) -> Evaluation:
    settings = {"hint_counts": (0,), "size_photos": 0, "features": False, **options}
    return evaluate(photos, predictors, **settings)  # type: ignore[arg-type]


def test_bad_photos_are_named_and_change_no_other_figure(copy: Path, photos: PhotoSet) -> None:
    (copy / "one/photo03.png").write_bytes(b"\xff\xd8\xff broken")
    Image.new("RGB", (64, 64), (90, 90, 90)).save(copy / "two/photo02.png")
    result = quick(PhotoSet.open(copy, PROTOCOLS["photos"]), Grey())
    summary = summarize(result)
    assert summary["n"] == 10
    assert [(one["photo"], one["failed"]) for one in summary["excluded"]] == [
        ("one/photo03", True),
        ("two/photo02", False),
    ]
    whole = quick(photos, Grey())
    kept = [
        row["psnr"] for key, row in zip(whole.keys, whole.rows["grey"], strict=True) if key in result.keys
    ]
    assert [row["psnr"] for row in result.rows["grey"]] == kept


def test_a_name_that_is_no_utf8_is_measured_and_reported(copy: Path, tmp_path: Path) -> None:
    odd = os.fsdecode(b"one/\xff \xe4.png")
    (copy / "one/photo03.png").rename(copy / odd)
    result = quick(PhotoSet.open(copy, PROTOCOLS["photos"]), Grey())
    assert len(result.keys) == 12
    write_report(result, tmp_path / "report")
    lines = (tmp_path / "report/photos.csv").read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("one/\\udcff \\udce4,") for line in lines) == 1
    assert "udcff" in (tmp_path / "report/index.html").read_text(encoding="utf-8")


def test_identical_pictures_are_counted_and_not_averaged(photos: PhotoSet, tmp_path: Path) -> None:
    for number in range(12):
        sample = photos.load(number)
        assert isinstance(sample, Sample)
        path = tmp_path / f"{sample.key}.png"
        path.parent.mkdir(exist_ok=True)
        picture = sample.truth if number < 5 else np.repeat(sample.grey[..., None], 3, axis=2)
        Image.fromarray(picture).save(path)
    summary = summarize(quick(photos, FolderPredictor.open("theirs", tmp_path, photos), Grey()))
    assert summary["identical"] == {"theirs": 5, "grey": 0}
    assert summary["models"]["theirs"]["psnr"]["n"] == 7
    assert summary["models"]["theirs"]["gain"]["mean"] == 0


def test_incomplete_predictions_are_an_error_or_left_out_for_all(photos: PhotoSet, tmp_path: Path) -> None:
    for key in photos.keys[2:]:
        path = tmp_path / f"{key}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (256, 256), (80, 90, 70)).save(path)
    theirs = FolderPredictor.open("theirs", tmp_path, photos)
    with pytest.raises(DataError, match=r"cannot stand for 2 of 12 photos .*no prediction of that name"):
        quick(photos, theirs, Grey())
    result = quick(photos, theirs, Grey(), skip_missing=True)
    assert len(result.rows["grey"]) == len(result.rows["theirs"]) == 10
    assert [one.reason for one in result.failed] == ["theirs: no prediction of that name"] * 2


def test_nothing_to_measure_is_an_error(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (90, 90, 90)).save(tmp_path / "grey.png")
    with pytest.raises(
        DataError, match="none of the 1 photos can be measured; the first, grey: the truth has no"
    ):
        quick(PhotoSet.open(tmp_path, PROTOCOLS["photos"]), Grey())


def test_names_must_differ(photos: PhotoSet) -> None:
    with pytest.raises(OptionError, match="a name of its own"):
        quick(photos, Grey(), Grey())
    with pytest.raises(OptionError, match="at least one model"):
        quick(photos)


@pytest.mark.parametrize(("n", "count"), [(400, 100), (5, 100), (7, 0), (1, 1), (10, 3)])
def test_subsets_are_evenly_spaced(n: int, count: int) -> None:
    chosen = spaced(n, count)
    assert len(chosen) == min(n, count)
    assert chosen == sorted(set(chosen))
    if len(chosen) > 2:
        assert max(np.diff(chosen)) - min(np.diff(chosen)) <= 1


# --- the written report ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(result: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(result, folder)
    return folder


def test_json_csv_and_memory_agree(report: Path, summary: dict) -> None:
    assert json.loads((report / "report.json").read_text()) == summary
    rows = list(csv.DictReader((report / "metrics.csv").read_text().splitlines()))
    psnr = next(row for row in rows if row["model"] == "good" and row["metric"] == "psnr")
    assert float(psnr["mean"]) == summary["models"]["good"]["psnr"]["mean"]


def test_every_photo_has_its_line(report: Path, summary: dict) -> None:
    rows = list(csv.DictReader((report / "photos.csv").read_text().splitlines()))
    mine = [row for row in rows if row["model"] == "good"]
    assert len(mine) == 12
    mean = np.mean([float(row["psnr"]) for row in mine])
    assert mean == pytest.approx(summary["models"]["good"]["psnr"]["mean"], abs=1e-3)


def test_the_page_needs_nothing_else(report: Path) -> None:
    page = (report / "index.html").read_text()
    text = re.sub(r"xmlns(:\w+)?=\"[^\"]*\"", "", page)
    assert "http://" not in text
    assert "https://" not in text
    assert "<script" not in text
    assert "<link" not in text
    for word in ("PSNR", "siggraph17 (published)", "By source", "Best", "Median", "Worst", "not available"):
        assert word in page
    assert page.count("data:image/jpeg;base64,") == 12  # four of best, median and worst


def test_best_median_and_worst_are_such(result: Evaluation) -> None:
    chosen = _ranked(result, "good")
    gain = result.column("good", "psnr") - result.column("good", "grey_psnr")
    assert {len(rows) for rows in chosen.values()} == {4}
    assert not set(chosen["best"]) & set(chosen["worst"])
    assert gain[chosen["best"]].min() >= gain[chosen["median"]].max()
    assert gain[chosen["median"]].min() >= gain[chosen["worst"]].max()
