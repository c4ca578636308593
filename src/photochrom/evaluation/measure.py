"""All figures of one photo under one predictor: a flat row of numbers and small arrays.

Rows hold what averages need and no pictures, so a run over 50,000 photos fits in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from photochrom.color import ab_bins, rgb_to_lab
from photochrom.evaluation import calibration, degradations, hint_metrics, metrics
from photochrom.evaluation.predictors import PreparedPlate
from photochrom.evaluation.skin import CLOSE_FACE, find_face, skin, skin_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.evaluation.metrics import RGB
    from photochrom.evaluation.photos import Sample
    from photochrom.evaluation.predictors import Predictor, Prepared
    from photochrom.evaluation.protocols import Protocol

Row = dict[str, Any]
# Whose skin is measured: nobody's, that of faces found in the squares, or every square is a close face
Faces = Literal["none", "find", "close"]
VIVIDNESS = (0.0, 0.25, 0.5, 0.75, 1.0)  # steps of the curve of gain against colorfulness
_FeatureExtractor = Callable[["RGB"], "NDArray[np.float32]"]
Distance = Callable[["RGB", "RGB"], float]


@dataclass(frozen=True)
class Networks:
    """What looks at pictures with a network, by the name of the column it fills."""

    extractors: dict[str, _FeatureExtractor] = field(default_factory=dict)
    distances: dict[str, Distance] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What is measured, on how many photos (evenly spaced over the sorted list)."""

    hint_counts: tuple[int, ...] = (0, 1, 10, 100)
    hint_photos: int = 100  # counterfactual hints: obeyed, leak, reach
    robust_photos: int = 100  # degraded copies
    size_photos: int = 4  # size stability, on the largest photos
    features: bool = True  # those of EfficientNet-Lite0, for fd_effnet and c2st_effnet
    faces: Faces = "none"


@dataclass(frozen=True)
class Truth:
    """A sample with what every predictor is compared with, worked out once."""

    sample: Sample
    networks: Networks = field(default_factory=Networks)

    @cached_property
    def lab(self) -> NDArray[np.float32]:
        return rgb_to_lab(self.sample.truth)

    @cached_property
    def bin_of_pixel(self) -> NDArray[np.int64]:
        return _true_bins(self.lab[..., 1:])

    @cached_property
    def row(self) -> Row:
        """Figures of the truth and of its grey."""
        truth = self.sample.truth
        return {
            "true_cf_hs": metrics.colorfulness(truth),
            "true_cf_abs": metrics.colorfulness_absolute(truth),
            "true_dark_plum": metrics.dark_plum(self.lab),
            "grey_psnr": metrics.psnr(self.sample.plain, truth),
            "true_histogram": np.bincount(self.bin_of_pixel.ravel(), minlength=len(ab_bins())),
        } | {f"true_{name}": extract(truth) for name, extract in self.networks.extractors.items()}

    def face(self, faces: Faces) -> NDArray[np.bool_] | None:
        """(H, W) bool: the skin of the photo's face; None where there is none."""
        if faces == "none":
            return None
        ellipse = CLOSE_FACE if faces == "close" else find_face(self.sample.truth)
        return None if ellipse is None else skin_mask(self.lab[..., 0], ellipse)


def _true_bins(ab: NDArray[np.float32]) -> NDArray[np.int64]:
    """Index into `ab_bins()` of every ab (..., 2), by way of the grid of 10 that the bins lie on."""
    steps = np.clip(np.rint(ab / 10).astype(int) + 12, 0, 24)
    return np.asarray(_bin_of_cell()[steps[..., 0], steps[..., 1]])


@cache
def _bin_of_cell() -> NDArray[np.int64]:
    """(25, 25): the nearest bin of every point of the grid -120…120."""
    side = np.arange(-120, 121, 10)
    return calibration.nearest_bin(np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1), ab_bins())


def measure(
    truth: Truth, predictor: Predictor, protocol: Protocol, plan: Plan, chosen: frozenset[str]
) -> Row:
    """The row of one photo; `chosen` names the costly parts ("hints", "robust") this photo is in."""
    sample = truth.sample
    prepared = predictor.prepare(sample)
    picture = prepared.render()
    row = {**truth.row, **automatic(picture, truth, protocol)}
    if predictor.supports_hints:
        row |= _with_hints(prepared, sample, protocol, plan.hint_counts)
        if "hints" in chosen:
            row |= counterfactual(prepared, picture, truth)
    if isinstance(prepared, PreparedPlate):
        row |= _vividness_curve(prepared, sample)
    if (mask := truth.face(plan.faces)) is not None:
        row |= _skin_figures(predictor, picture, truth, mask)
    if predictor.is_model and "robust" in chosen:
        row |= degraded(predictor, picture, sample)
    return row | calibrated(prepared, picture, sample.truth)


def automatic(picture: RGB, truth: Truth, protocol: Protocol) -> Row:
    """Figures of the picture without hints."""
    sample = truth.sample
    lab = rgb_to_lab(picture)
    scores = metrics.auc_scores(metrics.ab_error(lab, truth.lab))
    binned = metrics.binned_auc(scores, truth.bin_of_pixel, len(ab_bins()))
    luma = metrics.luma_error(picture, sample.grey)
    return {
        "psnr": metrics.psnr(picture, sample.truth, protocol.psnr_floor),
        "cf_hs": metrics.colorfulness(picture),
        "cf_abs": metrics.colorfulness_absolute(picture),
        "auc": float(scores.mean()),
        "auc_scores": binned.scores,
        "auc_counts": binned.counts,
        "de2000": float(metrics.ciede2000(lab, truth.lab).mean()),
        "ssim": metrics.ssim(picture, sample.truth),
        "dark_plum": metrics.dark_plum(lab),
        "luma_max": luma.highest,
        "luma_mean": luma.mean,
        "luma_steps": luma.steps,
        "histogram": np.bincount(_true_bins(lab[..., 1:]).ravel(), minlength=len(ab_bins())),
    } | _by_networks(picture, truth)


def _by_networks(picture: RGB, truth: Truth) -> Row:
    """Features of the picture, and its distances from the truth."""
    extractors, distances = truth.networks.extractors, truth.networks.distances
    row: Row = {name: extract(picture) for name, extract in extractors.items()}
    return row | {name: distance(picture, truth.sample.truth) for name, distance in distances.items()}


def _with_hints(prepared: Prepared, sample: Sample, protocol: Protocol, counts: tuple[int, ...]) -> Row:
    """PSNR with each number of hints."""
    hints = protocol.hints(sample.truth, sample.number, max(counts))
    row: Row = {}
    for count in counts:
        if count:
            picture = prepared.render(hints[:count])
            row[f"psnr_hints_{count}"] = metrics.psnr(picture, sample.truth, protocol.psnr_floor)
    return row


def counterfactual(prepared: Prepared, picture: RGB, truth: Truth) -> Row:
    """Obedience, leak and reach; nothing where no place of the photo qualifies."""
    asked = hint_metrics.counterfactual(truth.sample)
    if asked is None:
        return {}
    after = rgb_to_lab(prepared.render([asked.hint]))
    figures = hint_metrics.compare(truth.lab, rgb_to_lab(picture), after, asked)
    return {f"hint_{name}": value for name, value in figures._asdict().items()}


def _vividness_curve(prepared: PreparedPlate, sample: Sample) -> Row:
    """PSNR and colorfulness at each step of vividness."""
    pictures = [prepared.render(vividness=vividness) for vividness in VIVIDNESS]
    return {
        "vivid_psnr": np.array([metrics.psnr(picture, sample.truth) for picture in pictures]),
        "vivid_cf": np.array([metrics.colorfulness(picture) for picture in pictures]),
    }


def _skin_figures(predictor: Predictor, picture: RGB, truth: Truth, mask: NDArray[np.bool_]) -> Row:
    """Evenness and median chroma of the face, from the clean photo and from copies with old film's tones."""
    pictures = {"": picture, "true_": truth.sample.truth}
    if predictor.is_model:
        for name in degradations.OLD_TONES:
            pictures[f"{name}_"] = degradations.colored_copy(truth.sample, predictor, name)
    row: Row = {}
    for name, shown in pictures.items():
        found = skin(rgb_to_lab(shown)[..., 1:], mask)
        row |= {f"{name}skin_evenness": found.evenness, f"{name}skin_chroma": found.median}
    return row


def degraded(predictor: Predictor, picture: RGB, sample: Sample) -> Row:
    """Gain of the colors predicted from each degraded copy, and from the clean photo likewise."""
    row = {
        f"robust_{name}": degradations.robust_gain(sample, predictor, name)
        for name in degradations.DEGRADATIONS
    }
    return row | {"robust_clean": degradations.color_gain(sample, rgb_to_lab(picture)[..., 1:])}


def calibrated(prepared: Prepared, picture: RGB, truth: RGB) -> Row:
    """Sums for the reliability diagram and for entropy against error."""
    distribution = prepared.distribution()
    if distribution is None:
        return {}
    return {
        "confidence": calibration.confidence_sums(distribution, truth),
        "entropy": calibration.entropy_sums(distribution, picture, truth),
    }


def spaced(n: int, count: int) -> list[int]:
    """`count` of n numbers at even distances (all of them if there are fewer)."""
    if count <= 0:
        return []
    return sorted({int(place) for place in np.linspace(0, n - 1, min(n, count)).round()})
