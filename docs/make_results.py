"""Make the results page: python docs/make_results.py PHOTOS, run by `make results DATA=PHOTOS`.

Measures the embedded model and the baselines on validation photos, writes docs/results.json, the
page docs/results.md with its curves, and puts the figures into README and model card. Pictures on
the page come from examples/ alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import results_page  # the folder of a script is where Python looks first
from stamped_figures import stamp

from photochrom.errors import DataError, OptionError, PhotochromError
from photochrom.evaluation.evaluator import Evaluation, evaluate
from photochrom.evaluation.photos import PhotoSet
from photochrom.evaluation.predictors import Grey, MeanColor, ModelPredictor, Predictor
from photochrom.evaluation.protocols import PROTOCOLS, parse_counts
from photochrom.evaluation.report import to_json, write_report
from photochrom.evaluation.spreading import Spreading
from photochrom.evaluation.summary import figure, metrics_of, summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
GROUPS = {"imagen": "imagen"}  # name: how the sources' names begin; half the photos resemble ImageNet
STAMPED = ("README.md", "docs/model-card.md")
WHERE = (
    "give a folder of color photos in one subfolder a source that no model here was trained on, for example "
    "COCO val2017 (cocodataset.org)"
)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        make(options)
    except PhotochromError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def parser() -> argparse.ArgumentParser:
    """Its options."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("data", type=Path, nargs="?", help=f"validation photos: {WHERE}")
    made.add_argument("--root", type=Path, default=ROOT, help="the checkout whose docs/ are written")
    made.add_argument("--hints", default="0,1,10,100", help="numbers of hints")
    made.add_argument("--size-photos", type=int, default=4, help="photos for size_stability")
    made.add_argument(
        "--baseline", action="append", default=[], metavar="NAME=RUN", help="a trained RUN beside it"
    )
    made.add_argument("--report", type=Path, help="also write the whole report into this folder")
    made.add_argument("--pages-only", action="store_true", help="write the pages anew from docs/results.json")
    return made


def make(options: argparse.Namespace) -> None:
    """Measure (unless told not to), then write pages."""
    docs = options.root / "docs"
    stored = docs / "results.json"
    if options.pages_only:
        results = read_results(stored)
    else:
        if options.data is None or not options.data.is_dir():
            raise DataError(f"validation photos are missing: {WHERE}")
        photos = PhotoSet.open(options.data, PROTOCOLS["photos"])
        results = measure(photos, options, earlier=read_results(stored) if stored.exists() else {})
        stored.write_text(to_json(results), encoding="utf-8")
    results_page.write(results, options.root)
    for name in STAMPED:
        page = options.root / name
        if page.exists():
            page.write_text(stamp(page.read_text(encoding="utf-8"), results), encoding="utf-8")
    print(docs / "results.md")


def read_results(path: Path) -> dict[str, Any]:
    """docs/results.json. Raises DataError."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DataError(f"{path} cannot be read: run make results") from None
    assert isinstance(results, dict)
    return results


def measure(photos: PhotoSet, options: argparse.Namespace, earlier: dict[str, Any]) -> dict[str, Any]:
    """docs/results.json of the embedded model; trained baselines not given again are kept from earlier."""
    from photochrom.colorizer import Colorizer

    embedded = Colorizer(threads=1)
    runs = named_runs(options.baseline)
    trained = {name: Colorizer(run, threads=1) for name, run in runs.items()}
    predictors: list[Predictor] = [
        ModelPredictor("photochrom", embedded),
        *(ModelPredictor(name, colorizer) for name, colorizer in trained.items()),
        Grey(),
        MeanColor(),
        Spreading(),
    ]
    result = evaluate(
        photos,
        predictors,
        hint_counts=parse_counts(options.hints),
        hint_photos=len(photos.keys),
        robust_photos=len(photos.keys),
        size_photos=options.size_photos,
    )
    if options.report:
        write_report(result, options.report)
    results = summarize(result)
    del results["paired"], results["stability"]
    results["groups"] = groups(result)
    results["diagrams"] = diagrams(result)
    results["model"] = {"name": embedded.model.name, "sha256": embedded.model.sha256}
    results["budgets"] = {name: budget(colorizer.model.training) for name, colorizer in trained.items()}
    return keep_baselines(results, earlier)


def named_runs(texts: Sequence[str]) -> dict[str, str]:
    """{NAME: RUN} of "NAME=RUN"s. Raises OptionError."""
    pairs = [text.partition("=") for text in texts]
    for name, _, run in pairs:
        if not name or not run:
            raise OptionError(f"--baseline takes NAME=RUN, for example beta=runs/beta, not {name!r}")
    return {name: run for name, _, run in pairs}


def groups(result: Evaluation) -> dict[str, Any]:
    """Figures of the photos whose source begins with a group's name."""
    made: dict[str, Any] = {}
    for name, beginning in GROUPS.items():
        rows = np.array([result.photos.source(key).startswith(beginning) for key in result.keys])
        if not rows.any():
            continue
        made[name] = {"n": int(rows.sum())}
        for model in result.rows:
            made[name][model] = {
                metric.name: {key: round(value, 6) for key, value in interval._asdict().items()}
                for metric in metrics_of(result.plan.hint_counts)
                if (interval := figure(result, model, metric.name, rows)) is not None
            }
    return made


def diagrams(result: Evaluation) -> dict[str, Any]:
    """The sums that the page's diagrams are drawn from, so that it can be drawn again without photos."""

    def total(name: str) -> list[float]:
        return [
            round(float(value), 4) for value in np.nansum(result.column("photochrom", name), axis=0).ravel()
        ]

    return {name: total(name) for name in ("confidence", "entropy", "histogram", "true_histogram")}


def budget(training: dict[str, Any]) -> str:
    """What a run was trained on, in words, from its card."""
    seen, photos = training.get("photos_seen"), training.get("photos")
    return f"{seen:,} photos seen, {photos:,} different" if seen and photos else "no budget stated"


def keep_baselines(results: dict[str, Any], earlier: dict[str, Any]) -> dict[str, Any]:
    """Take over figures of trained baselines measured earlier on the same photos."""
    same = all(earlier.get(key) == results[key] for key in ("protocol", "n"))
    for name, told in earlier.get("budgets", {}).items() if same else ():
        if name in results["models"]:
            continue
        results["budgets"][name] = told
        results["models"][name] = earlier["models"][name]
        for group, figures in results["groups"].items():
            if name in earlier["groups"].get(group, {}):
                figures[name] = earlier["groups"][group][name]
    return results


if __name__ == "__main__":
    sys.exit(main())
