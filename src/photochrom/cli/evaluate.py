"""photochrom evaluate: put models, folders of pictures and baselines through a protocol."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from photochrom.cli import SOME_FAILED
from photochrom.cli.options import PROVIDER
from photochrom.errors import OptionError

if TYPE_CHECKING:
    from photochrom.evaluation.evaluator import Progress
    from photochrom.evaluation.photos import PhotoSet
    from photochrom.evaluation.predictors import Predictor

_PROTOCOL_NAMES = (
    "photos",
    "imagenet-val5k",
    "imagenet-val50k",
    "coco-val5k",
    "ctest10k",
    "icolorit",
    "video",
)
_BASELINE_NAMES = ("grey", "mean", "spreading")


@click.command()
@PROVIDER
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="Folder of color photos, the truth."
)
@click.option(
    "--protocol", "protocol_name", type=click.Choice(_PROTOCOL_NAMES), default="photos", show_default=True
)
@click.option(
    "--only", multiple=True, metavar="GLOB", help="Only photos whose path below --data fits; repeatable."
)
@click.option(
    "--model", "models", multiple=True, metavar="[NAME=]M", help="Model name, RUN folder or .onnx file."
)
@click.option("--predictions", multiple=True, metavar="[NAME=]DIR", help="A folder of finished pictures.")
@click.option(
    "--baseline",
    "baselines",
    multiple=True,
    type=click.Choice((*_BASELINE_NAMES, "none")),
    help="Baselines beside the models; all three by default.",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the report."
)
@click.option("--hints", default="0,1,10,100", show_default=True, help="Numbers of hints.")
@click.option(
    "--hint-photos",
    default=100,
    show_default=True,
    type=click.IntRange(0),
    help="Photos for hint_obeyed, hint_leak and hint_reach.",
)
@click.option(
    "--robust-photos", default=100, show_default=True, type=click.IntRange(0), help="Photos for robust_gain."
)
@click.option(
    "--size-photos", default=4, show_default=True, type=click.IntRange(0), help="Photos for size_stability."
)
@click.option(
    "--vividness", type=click.FloatRange(0, 1), help="Vividness of the models; their own default if left out."
)
@click.option("--no-features", is_flag=True, help="Leave out fd_effnet and c2st_effnet, and torch.")
@click.option(
    "--faces",
    type=click.Choice(("none", "find", "close")),
    default="none",
    show_default=True,
    help="Measure skin: of faces found, or every photo is a close face.",
)
@click.option(
    "--fid-weights", type=click.Path(path_type=Path), help="Inception weights for torchmetrics' FID."
)
@click.option(
    "--lpips-weights", type=click.Path(path_type=Path), help="VGG-16 weights for torchmetrics' LPIPS."
)
@click.option(
    "--frames",
    default=240,
    show_default=True,
    type=click.IntRange(2),
    help="Frames of each film, for --protocol video.",
)
@click.option("--skip-missing", is_flag=True, help="Leave photos without a prediction out, for every model.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Photos at a time.")
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Measure models on color photos and write a report.

    The report folder gets index.html (everything, with pictures), report.json, metrics.csv and
    photos.csv. Photos that cannot be used are named on stderr and in the report; exit code 3 then.
    """
    if options["protocol_name"] == "video":
        context.exit(evaluate_films(options))
    from photochrom.evaluation.evaluator import evaluate
    from photochrom.evaluation.photos import PhotoSet
    from photochrom.evaluation.protocols import parse_counts, protocol
    from photochrom.evaluation.report import write_report
    from photochrom.evaluation.tables import metric_table

    counts = parse_counts(options["hints"])
    photos = PhotoSet.open(options["data"], protocol(options["protocol_name"]), options["only"])
    result = evaluate(
        photos,
        predictors(photos, options),
        hint_counts=counts,
        hint_photos=options["hint_photos"],
        robust_photos=options["robust_photos"],
        size_photos=options["size_photos"],
        features=not options["no_features"],
        faces=options["faces"],
        fid_weights=options["fid_weights"],
        lpips_weights=options["lpips_weights"],
        skip_missing=options["skip_missing"],
        workers=options["workers"],
        progress=progress(),
    )
    for left in result.exclusions:
        click.echo(f"left out: {left.key}: {left.reason}", err=True)
    summary = write_report(result, options["out"])
    corner = f"{summary['protocol']}, {summary['n']} photos"
    click.echo(metric_table(summary["models"], summary["hint_counts"], corner).text())
    click.echo(options["out"] / "index.html")
    context.exit(SOME_FAILED if result.failed else 0)


def evaluate_films(options: dict[str, Any]) -> int:
    """Measure films with one model; the exit code."""
    from photochrom.colorizer import Colorizer
    from photochrom.evaluation import film
    from photochrom.evaluation.report import write_films

    models = options["models"] or ("photochrom",)
    if len(models) > 1 or options["predictions"]:
        raise OptionError("--protocol video measures one --model: run it once for each")
    colorizer = Colorizer(split(models[0])[1])
    found, left_out = film.evaluate_films(options["data"], colorizer, options["frames"])
    for left in left_out:
        click.echo(f"left out: {left.key}: {left.reason}", err=True)
    click.echo(write_films(found, options["out"]).text())
    click.echo(options["out"] / "index.html")
    return SOME_FAILED if left_out else 0


def predictors(photos: PhotoSet, options: dict[str, Any]) -> list[Predictor]:
    """Models first, then folders of pictures, then baselines; the default model if nothing is named."""
    from photochrom.colorizer import Colorizer
    from photochrom.evaluation.predictors import FolderPredictor, Grey, MeanColor, ModelPredictor
    from photochrom.evaluation.spreading import Spreading

    listed: list[Predictor] = []
    named = options["models"] or (() if options["predictions"] else ("photochrom",))
    for text in named:
        name, model = split(text)
        listed.append(ModelPredictor(name, Colorizer(model, threads=1), options["vividness"]))
    for text in options["predictions"]:
        name, folder = split(text)
        listed.append(FolderPredictor.open(name, Path(folder), photos))
    chosen = options["baselines"] or _BASELINE_NAMES
    if "none" in chosen and len(chosen) > 1:
        raise OptionError("--baseline none stands alone: leave it out to choose others")
    made: dict[str, Predictor] = {"grey": Grey(), "mean": MeanColor(), "spreading": Spreading()}
    return listed + [made[name] for name in dict.fromkeys(chosen) if name != "none"]


def split(text: str) -> tuple[str, str]:
    """ "NAME=PATH" → (NAME, PATH); a path alone is called by its last part."""
    name, equals, value = text.partition("=")
    return (name, value) if equals and name and "/" not in name else (Path(text).stem, text)


def progress() -> Progress | None:
    """A bar on stderr, on a terminal only."""
    if not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    bar = tqdm(unit="photo", leave=False)

    def update(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    return update
