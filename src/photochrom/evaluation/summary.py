"""From rows to figures: which metrics there are, and a run's averages, intervals and comparisons.

The result of `summarize` is what `report.json` holds; two runs give the same, to the last digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.color import ab_bins
from photochrom.evaluation.calibration import expected_calibration_error
from photochrom.evaluation.degradations import DEGRADATIONS, OLD_TONES
from photochrom.evaluation.measure import VIVIDNESS
from photochrom.evaluation.statistics import (
    Combine,
    Interval,
    at_colorfulness,
    bootstrap,
    first_column,
    gap,
    ratio,
)
from photochrom.evaluation.two_sample import frechet_interval, two_sample_hits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from photochrom.evaluation.evaluator import Evaluation

_PRIOR_SIGMA = 5.0  # of the Gaussian that smooths the prior over ab (Zhang et al. 2016)


@dataclass(frozen=True)
class Metric:
    """One line of the table."""

    name: str
    title: str
    unit: str = ""
    better: str = ""  # "higher", "lower", "1", "truth" or nothing
    digits: int = 2


def metrics_of(hint_counts: Iterable[int]) -> list[Metric]:
    """Every metric in the table's order."""
    counted = [count for count in hint_counts if count]
    return [
        Metric("psnr", "PSNR", "dB", "higher"),
        Metric("gain", "gain over grey", "dB", "higher"),
        *(Metric(f"psnr_hints_{n}", f"PSNR, {_hints(n)}", "dB", "higher") for n in counted),
        *(Metric(f"gain_hints_{n}", f"gain over grey, {_hints(n)}", "dB", "higher") for n in counted),
        Metric("cf_hs", "colorfulness (Hasler–Süsstrunk)", "", "truth"),
        Metric("cf_ratio", "colorfulness ÷ truth", "", "1"),
        Metric("gain_at_cf_75", "gain at 0.75 of the truth's colorfulness", "dB", "higher"),
        Metric("gain_at_cf_100", "gain at the truth's colorfulness", "dB", "higher"),
        Metric("cf_abs", "colorfulness, absolute variant", "", "truth"),
        Metric("delta_cf_mean", "|Δ mean colorfulness|", "", "lower"),
        Metric("delta_cf_image", "mean |Δ colorfulness|", "", "lower"),
        Metric("dark_plum", "dark and plum", "%", "truth"),
        Metric("auc", "AuC", "%", "higher"),
        Metric("auc_rebalanced", "AuC, rebalanced", "%", "higher"),
        Metric("de2000", "ΔE2000", "", "lower"),
        Metric("ssim", "SSIM", "", "higher", 4),
        Metric("fd_effnet", "Fréchet distance, EfficientNet-Lite0 (not FID)", "", "lower", 1),
        Metric("c2st_effnet", "classifier's accuracy, EfficientNet-Lite0", "%", "50 %", 1),
        Metric("hint_obeyed", "hint obeyed, ΔE2000", "", "lower"),
        Metric("hint_leak", "hint leak, ΔE2000", "", "lower"),
        Metric("hint_reach", "hint reach", "", "higher"),
        Metric("skin_evenness", "evenness of skin ÷ truth", "", "1"),
        *(Metric(f"skin_evenness_{name}", f"evenness of skin, {name} copy", "", "1") for name in OLD_TONES),
        Metric("skin_chroma", "chroma of skin ÷ truth", "", "1"),
        Metric("robust_clean", "gain, colors on clean L*", "dB", "higher"),
        *(Metric(f"robust_gain_{name}", f"gain from {name} copy", "dB", "higher") for name in DEGRADATIONS),
        *(Metric(f"robust_loss_{name}", f"gain lost to {name}", "dB", "lower") for name in DEGRADATIONS),
        Metric("size_stability", "size stability, ΔE2000", "", "lower"),
        Metric("ece", "expected calibration error", "", "lower", 3),
        Metric("luma_max", "L* error, greatest", "", "lower"),
        Metric("luma_mean", "L* error, mean", "", "lower", 3),
        Metric("luma_steps", "L* error, greatest, in 8-bit steps", "", "lower"),
        Metric("fid_inception_tf2015", "FID (Inception, TF 2015)", "", "lower"),
        Metric("lpips_vgg", "LPIPS (VGG)", "", "lower", 4),
    ]


def _hints(count: int) -> str:
    return f"{count} hint" if count == 1 else f"{count} hints"


# --- one figure ----------------------------------------------------------------------------------


def statistic(result: Evaluation, model: str, name: str) -> tuple[NDArray[np.float64], Combine]:
    """The columns (n, k) of a metric, and what to make of their means."""

    def column(name: str) -> NDArray[np.float64]:
        return result.column(model, name)

    if name.startswith("gain_at_cf_"):
        gains = column("vivid_psnr") - column("grey_psnr")[:, None]
        columns = np.column_stack([column("true_cf_hs"), gains, column("vivid_cf")])
        return columns, at_colorfulness(int(name.removeprefix("gain_at_cf_")) / 100)
    if name.startswith("gain"):
        return column(name.replace("gain", "psnr", 1)) - column("grey_psnr"), first_column
    if name.startswith("skin_"):
        measure = "skin_chroma" if name == "skin_chroma" else "skin_evenness"
        return np.stack([column(_source_of(name)), column(f"true_{measure}")], axis=-1), ratio
    if name.startswith("robust_gain_"):
        return column(name.replace("robust_gain_", "robust_")), first_column
    if name.startswith("robust_loss_"):
        return column("robust_clean") - column(name.replace("robust_loss_", "robust_")), first_column
    if name == "cf_ratio":
        return np.stack([column("cf_hs"), column("true_cf_hs")], axis=-1), ratio
    if name == "delta_cf_mean":
        return np.stack([column("cf_hs"), column("true_cf_hs")], axis=-1), gap
    if name == "delta_cf_image":
        return np.abs(column("cf_hs") - column("true_cf_hs")), first_column
    if name == "auc":
        return 100 * column("auc"), first_column
    if name == "auc_rebalanced":
        weights = _rebalancing_weights(column("auc_counts").sum(axis=0))
        parts = [100 * column("auc_scores") @ weights, column("auc_counts") @ weights]
        return np.stack(parts, axis=-1), ratio
    if name == "ece":
        return column("confidence").reshape(len(result.keys), -1), expected_calibration_error
    return column(name), first_column


def _rebalancing_weights(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / smoothed prior of each ab bin (Q,), the prior being that of the evaluated truths.

    Smoothed by a Gaussian of σ = 5 over ab; bins that no pixel is near weigh nothing.
    """
    bins = ab_bins().astype(np.float64)
    squared = ((bins[:, None] - bins[None]) ** 2).sum(axis=-1)
    kernel = np.exp(-squared / (2 * _PRIOR_SIGMA**2))
    smoothed = (kernel / kernel.sum(axis=1, keepdims=True)) @ (counts / counts.sum())
    return np.asarray(np.divide(1.0, smoothed, out=np.zeros_like(smoothed), where=smoothed > 0))


def figure(
    result: Evaluation, model: str, name: str, rows: NDArray[np.bool_] | None = None
) -> Interval | None:
    """A metric's interval over all photos, or over some; None where the model has no such figure."""
    if name == "size_stability":
        values = [one.mean for one in result.stability.get(model, [])]
        return bootstrap(np.array(values)) if values and rows is None else None
    if name in _OF_FEATURES:
        return _of_features(result, model, name) if rows is None else None
    if not _has(result, model, name):
        return None
    columns, combine = statistic(result, model, name)
    interval = bootstrap(columns if rows is None else columns[rows], combine)
    return interval if interval.n and not math.isnan(interval.mean) else None


def _has(result: Evaluation, model: str, name: str) -> bool:
    return any(_source_of(name) in row for row in result.rows[model])


def _source_of(name: str) -> str:
    """The column that a metric cannot be made without."""
    if name.startswith("gain_at_cf_"):
        return "vivid_psnr"
    if name.startswith("gain"):
        return name.replace("gain", "psnr", 1)
    if name.startswith("skin_evenness_"):
        return f"{name.removeprefix('skin_evenness_')}_skin_evenness"
    name = name.replace("robust_gain_", "robust_").replace("robust_loss_", "robust_")
    return _SOURCES.get(name, name)


_SOURCES = {
    "ece": "confidence",
    "cf_ratio": "cf_hs",
    "delta_cf_mean": "cf_hs",
    "delta_cf_image": "cf_hs",
    "auc_rebalanced": "auc_scores",
}
_OF_FEATURES = {"fd_effnet": "features", "c2st_effnet": "features", "fid_inception_tf2015": "inception"}
_LEAST_PHOTOS = 10  # for figures of whole sets


def _of_features(result: Evaluation, model: str, name: str) -> Interval | None:
    column = _OF_FEATURES[name]
    if column not in result.rows[model][0] or len(result.keys) < _LEAST_PHOTOS:
        return None
    real, colored = result.column(model, f"true_{column}"), result.column(model, column)
    if name != "c2st_effnet":
        return frechet_interval(real, colored)
    return bootstrap(100 * two_sample_hits(real, colored))


# --- the whole report ----------------------------------------------------------------------------


def summarize(result: Evaluation) -> dict[str, Any]:
    """report.json: see docs/evaluation.md for its keys."""
    listed = metrics_of(result.plan.hint_counts)
    models = list(result.rows)
    return {
        "protocol": result.photos.protocol.name,
        "n": len(result.keys),
        "description": result.photos.protocol.description,
        "hint_counts": list(result.plan.hint_counts),
        "excluded": [
            {"photo": left.key, "reason": left.reason, "failed": left.failed} for left in result.exclusions
        ],
        "identical": {model: result.identical(model) for model in models},
        "models": {model: _figures(result, model, listed) for model in models},
        "truth": {
            name: _entry(bootstrap(result.column(models[0], f"true_{name}")))
            for name in ("cf_hs", "cf_abs", "dark_plum")
        },
        "paired": {
            f"{other} − {models[0]}": _paired(result, other, models[0], listed) for other in models[1:]
        },
        "sources": _sources(result),
        "curves": {model: _curve(result, model) for model in models if _has(result, model, "gain_at_cf_75")},
        "neighbors": {model: [one._asdict() for one in found] for model, found in result.neighbors.items()},
        "stability": {
            model: [
                {
                    "photo": one.photo,
                    "short_side": one.original,
                    "enlarged": list(one.enlarged),
                    "difference": {str(side): round(value, 6) for side, value in one.difference.items()},
                }
                for one in photos
            ]
            for model, photos in result.stability.items()
        },
    }


def _curve(result: Evaluation, model: str) -> list[dict[str, float]]:
    """Means at each step of vividness, from pale to vivid."""
    psnr, cf = (np.nanmean(result.column(model, name), axis=0) for name in ("vivid_psnr", "vivid_cf"))
    grey, truth = (float(np.nanmean(result.column(model, name))) for name in ("grey_psnr", "true_cf_hs"))
    return [
        {
            "vividness": vividness,
            "psnr": round(float(psnr[step]), 6),
            "gain": round(float(psnr[step]) - grey, 6),
            "cf_hs": round(float(cf[step]), 6),
            "cf_ratio": round(float(cf[step]) / truth, 6),
        }
        for step, vividness in enumerate(VIVIDNESS)
    ]


def _figures(result: Evaluation, model: str, listed: list[Metric]) -> dict[str, Any]:
    figures = {}
    for metric in listed:
        interval = figure(result, model, metric.name)
        if interval is not None:
            figures[metric.name] = _entry(interval)
        elif metric.name in result.unavailable:
            figures[metric.name] = {
                "mean": None,
                "low": None,
                "high": None,
                "not_available": result.unavailable[metric.name],
            }
    return figures


def _entry(interval: Interval) -> dict[str, Any]:
    return {
        "mean": _round(interval.mean),
        "low": _round(interval.low),
        "high": _round(interval.high),
        "n": interval.n,
    }


def _round(value: float) -> float | None:
    """Six decimals: more than any figure is worth, fewer than differ between machines."""
    return None if math.isnan(value) else round(value, 6)


def _paired(result: Evaluation, model: str, base: str, listed: list[Metric]) -> dict[str, Any]:
    """Differences on the same photos, of the metrics that are plain averages."""
    differences = {}
    for metric in listed:
        if not (_has(result, model, metric.name) and _has(result, base, metric.name)):
            continue
        ours, combine = statistic(result, model, metric.name)
        theirs, _ = statistic(result, base, metric.name)
        if combine is first_column:
            interval = bootstrap(ours - theirs)
            if interval.n:
                differences[metric.name] = _entry(interval)
    return differences


_BY_SOURCE = ("psnr", "gain", "gain_hints_1", "gain_hints_10", "gain_hints_100", "cf_ratio", "de2000", "auc")


def _sources(result: Evaluation) -> dict[str, Any]:
    """Figures by the folder that a photo lies in."""
    names = np.array([result.photos.source(key) for key in result.keys])
    table: dict[str, Any] = {}
    for source in sorted(set(names.tolist())):
        rows = names == source
        table[source or "."] = {
            "n": int(rows.sum()),
            "models": {
                model: {
                    name: _entry(interval)
                    for name in _BY_SOURCE
                    if (interval := figure(result, model, name, rows)) is not None
                }
                for model in result.rows
            },
        }
    return table
