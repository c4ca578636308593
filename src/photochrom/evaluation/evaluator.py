"""Put predictors through a protocol: photos in, rows of figures out, nothing left out silently.

photos = PhotoSet.open("val", protocol("photos"))
result = evaluate(photos, [ModelPredictor("ours", Colorizer())], hint_counts=(0, 1, 10, 100))
summarize(result)["models"]["ours"]["psnr"]     # see `summary`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import DataError, MissingExtra, OptionError
from photochrom.evaluation.measure import Faces, Networks, Plan, Row, Truth, measure, spaced
from photochrom.evaluation.neighbors import Neighbors, neighbors
from photochrom.evaluation.photos import Exclusion, PhotoSet, Sample
from photochrom.evaluation.predictors import FolderPredictor, Predictor
from photochrom.evaluation.protocols import PROTOCOLS, check_counts
from photochrom.evaluation.stability import SIDES, Stability, size_stability

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Progress = Callable[[int, int], None]  # photos done, photos in all


@dataclass(frozen=True)
class Evaluation:
    """What a run found. Columns of all models stand on the same photos, in the order of `keys`."""

    photos: PhotoSet
    plan: Plan
    keys: tuple[str, ...]
    numbers: tuple[int, ...]
    exclusions: tuple[Exclusion, ...]
    rows: dict[str, list[Row]] = field(repr=False)  # model: one row a photo
    predictors: dict[str, Predictor] = field(repr=False)
    stability: dict[str, list[Stability]] = field(default_factory=dict)
    neighbors: dict[str, list[Neighbors]] = field(default_factory=dict)  # of models that take hints
    unavailable: dict[str, str] = field(default_factory=dict)  # metric: why there is no figure

    @property
    def failed(self) -> tuple[Exclusion, ...]:
        """Photos left out because of a fault, rather than for having no color."""
        return tuple(exclusion for exclusion in self.exclusions if exclusion.failed)

    def column(self, model: str, name: str) -> NDArray[np.float64]:
        """(n,) or (n, ...) of one figure; NaN where a photo has none, and for infinite PSNR."""
        rows = self.rows[model]
        shape = next((np.shape(row[name]) for row in rows if name in row), ())
        missing = np.full(shape, np.nan)
        values = np.array([row.get(name, missing) for row in rows], np.float64)
        return np.where(np.isinf(values), np.nan, values)

    def identical(self, model: str) -> int:
        """Pictures that equal their truth, whose PSNR is infinite and in no average."""
        return sum(bool(np.isinf(row["psnr"])) for row in self.rows[model])


def evaluate(
    photos: PhotoSet | Path | str,
    predictors: Predictor | Sequence[Predictor],
    *,
    hint_counts: Sequence[int] = Plan.hint_counts,
    hint_photos: int = Plan.hint_photos,
    robust_photos: int = Plan.robust_photos,
    size_photos: int = Plan.size_photos,
    sides: Sequence[int] = SIDES,
    features: bool = Plan.features,
    faces: Faces = Plan.faces,
    fid_weights: Path | None = None,
    lpips_weights: Path | None = None,
    skip_missing: bool = False,
    workers: int = 2,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure every predictor on every photo.

    photos: a PhotoSet, or a folder for the protocol `photos`. Photos are handled `workers` at a time;
    the figures do not depend on that. Raises DataError when nothing can be measured, or when a folder
    of predictions lacks pictures and `skip_missing` is not set.
    """
    photos = photos if isinstance(photos, PhotoSet) else PhotoSet.open(photos, PROTOCOLS["photos"])
    listed = list(predictors) if isinstance(predictors, Sequence) else [predictors]
    models = _by_name(listed)
    plan = Plan(check_counts(hint_counts), hint_photos, robust_photos, size_photos, features, faces)
    skipped = check_folders(photos, listed, skip_missing)
    networks, unavailable = _networks(features, fid_weights, lpips_weights)
    one = partial(_measured, photos, models, plan, networks, skipped, _chosen(len(photos.keys), plan))
    results = list(_work(one, len(photos.keys), workers, progress))
    measured = [result for result in results if not isinstance(result, Exclusion)]
    samples = [sample for sample, _ in measured]
    exclusions = tuple(result for result in results if isinstance(result, Exclusion))
    _check_any(samples, exclusions)
    return Evaluation(
        photos,
        plan,
        keys=tuple(sample.key for sample in samples),
        numbers=tuple(sample.number for sample in samples),
        exclusions=exclusions,
        rows={name: [rows[name] for _, rows in measured] for name in models},
        predictors=models,
        stability=_stability(photos, samples, listed, size_photos, sides),
        neighbors={
            model.name: neighbors(model) for model in listed if model.is_model and model.supports_hints
        },
        unavailable=unavailable,
    )


def _measured(
    photos: PhotoSet,
    models: dict[str, Predictor],
    plan: Plan,
    networks: Networks,
    skipped: dict[str, str],
    chosen: Sequence[frozenset[str]],
    number: int,
) -> tuple[Sample, dict[str, Row]] | Exclusion:
    """Photo `number`, without its pixels, and its row under each model; or why it is left out."""
    if (key := photos.keys[number]) in skipped:
        return Exclusion(key, skipped[key], failed=True)
    sample = photos.load(number)
    if isinstance(sample, Exclusion):
        return sample
    truth = Truth(sample, networks)
    nothing = np.empty((0, 0), np.uint8)
    return replace(sample, truth=nothing, grey=nothing), {
        name: measure(truth, predictor, photos.protocol, plan, chosen[number])
        for name, predictor in models.items()
    }


def _check_any(samples: Sequence[Sample], exclusions: Sequence[Exclusion]) -> None:
    if not samples:
        first = exclusions[0]
        raise DataError(
            f"none of the {len(exclusions)} photos can be measured; the first, {first.key}: {first.reason}"
        )


def _by_name(predictors: Sequence[Predictor]) -> dict[str, Predictor]:
    models = {predictor.name: predictor for predictor in predictors}
    if len(models) != len(predictors) or not models:
        raise OptionError("give at least one model, and every model a name of its own (NAME=…)")
    return models


def check_folders(photos: PhotoSet, predictors: Sequence[Predictor], skip: bool) -> dict[str, str]:
    """{key: reason} of photos to leave out for every model; an error unless that was asked for."""
    reasons: dict[str, str] = {}
    for predictor in predictors:
        if not isinstance(predictor, FolderPredictor):
            continue
        problems = predictor.problems(photos)
        if problems and not skip:
            shown = "; ".join(f"{key}: {reason}" for key, reason in list(problems.items())[:5])
            more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
            raise DataError(
                f"{predictor.folder} cannot stand for {len(problems)} of {len(photos.keys)} photos "
                f"({shown}{more}): complete it, or use --skip-missing to leave them out for every model"
            )
        reasons |= {key: f"{predictor.name}: {reason}" for key, reason in problems.items()}
    return reasons


def _networks(
    features: bool, fid_weights: Path | None, lpips_weights: Path | None
) -> tuple[Networks, dict[str, str]]:
    """The networks that can be had, and the reason for each metric that cannot."""
    networks = Networks()
    reasons = {
        "fd_effnet": "" if features else "switched off",
        "fid_inception_tf2015": "" if fid_weights else "no weights given (--fid-weights)",
        "lpips_vgg": "" if lpips_weights else "no weights given (--lpips-weights)",
    }
    for metric in [metric for metric, reason in reasons.items() if not reason]:
        try:
            from photochrom.evaluation import features as available

            if metric == "fd_effnet":
                networks.extractors["features"] = available.EfficientNetFeatures()
            elif fid_weights and metric == "fid_inception_tf2015":
                networks.extractors["inception"] = available.InceptionFeatures(fid_weights)
            elif lpips_weights:
                networks.distances["lpips_vgg"] = available.LpipsVgg(lpips_weights)
        except (MissingExtra, DataError) as error:
            reasons[metric] = str(error)
    reasons["c2st_effnet"] = reasons["fd_effnet"]
    return networks, {metric: reason for metric, reason in reasons.items() if reason}


def _chosen(n: int, plan: Plan) -> list[frozenset[str]]:
    """Which costly parts each photo is in: evenly spaced, so that every source has its share."""
    parts = {"hints": plan.hint_photos, "robust": plan.robust_photos}
    members = {part: set(spaced(n, count)) for part, count in parts.items()}
    return [frozenset(part for part in parts if number in members[part]) for number in range(n)]


def _work(one: Callable[[int], Any], n: int, workers: int, progress: Progress | None) -> Iterator[Any]:
    """`one(number)` for every number, in order, `workers` at a time."""
    with ThreadPoolExecutor(max(1, workers)) as pool:
        for done, result in enumerate(pool.map(one, range(n)), 1):
            if progress:
                progress(done, n)
            yield result


def _stability(
    photos: PhotoSet,
    samples: list[Sample],
    predictors: Sequence[Predictor],
    count: int,
    sides: Sequence[int],
) -> dict[str, list[Stability]]:
    """Size stability of the models (not of baselines or folders) on the largest photos."""
    largest = sorted(samples, key=lambda sample: (-min(sample.size), sample.key))[:count]
    models = [predictor for predictor in predictors if predictor.is_model]
    return {
        model.name: [size_stability(photos.paths[sample.key], model, sides) for sample in largest]
        for model in models
    }
