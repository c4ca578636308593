"""photochrom study: the human test, made, served and judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from photochrom.cli import SOME_FAILED
from photochrom.cli.evaluate import split

if TYPE_CHECKING:
    from photochrom.evaluation.photos import PhotoSet
    from photochrom.evaluation.predictors import Predictor

FOLDER = click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path, file_okay=False))


@click.group()
def command() -> None:
    """Ask people which picture a machine has colored: create a study, serve it, report on it."""


@command.command()
@FOLDER
@click.option("--truth", required=True, type=click.Path(path_type=Path), help="Folder of color photos.")
@click.option("--predictions", multiple=True, metavar="[NAME=]DIR", help="Colored pictures of them.")
@click.option("--model", "models", multiple=True, metavar="[NAME=]M", help="Or a model that colors them now.")
@click.option(
    "--pairs",
    default=40,
    show_default=True,
    type=click.IntRange(1),
    help="Pairs of real and colored for each participant.",
)
@click.option(
    "--practice",
    default=10,
    show_default=True,
    type=click.IntRange(0),
    help="Practice pairs first, with the answers shown.",
)
@click.option(
    "--preference",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Pairs of two models at the end.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the choice of photos, sides and order.")
@click.option("--only", multiple=True, metavar="GLOB", help="Only photos whose path below --truth fits.")
@click.option("--skip-missing", is_flag=True, help="Leave photos without a prediction out.")
@click.pass_context
def create(context: click.Context, /, folder: Path, **options: Any) -> None:
    """Make a study in the folder STUDY."""
    from photochrom.evaluation.photos import PhotoSet
    from photochrom.evaluation.protocols import PROTOCOLS
    from photochrom.evaluation.study import design

    photos = PhotoSet.open(options["truth"], PROTOCOLS["photos"], options["only"])
    study, left_out = design.create(
        folder,
        photos,
        predictors(photos, options["predictions"], options["models"]),
        **{name: options[name] for name in ("pairs", "practice", "preference", "seed", "skip_missing")},
    )
    for sentence in left_out:
        click.echo(f"left out: {sentence}", err=True)
    if study.pairs < design.ENOUGH_PAIRS:
        click.echo(f"warning: a study should have {design.ENOUGH_PAIRS} pairs a participant", err=True)
    click.echo(folder)
    context.exit(SOME_FAILED if left_out else 0)


def predictors(photos: PhotoSet, folders: tuple[str, ...], models: tuple[str, ...]) -> list[Predictor]:
    """What is put beside the truths."""
    from photochrom.colorizer import Colorizer
    from photochrom.evaluation.predictors import FolderPredictor, ModelPredictor

    listed: list[Predictor] = []
    for name, place in map(split, folders):
        listed.append(FolderPredictor.open(name, Path(place), photos))
    for name, model in map(split, models):
        listed.append(ModelPredictor(name, Colorizer(model)))
    return listed


@command.command()
@FOLDER
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for phones."
)
@click.option(
    "--port", default=8001, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--token", envvar="PHOTOCHROM_TOKEN", help="Needed off this computer; made up if not given.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A further host name to answer to.")
@click.option("--no-browser", is_flag=True, help="Do not open the page in a browser.")
def serve(
    folder: Path, host: str, port: int, token: str | None, allow_host: tuple[str, ...], no_browser: bool
) -> None:
    """Show the study as a web page and keep the answers. Ctrl-C ends it; nothing is lost."""
    from photochrom.cli.serve import access_to, address
    from photochrom.evaluation.study.design import Study
    from photochrom.server import running
    from photochrom.server.study import create_study_app

    access = access_to(host, token, allow_host)
    app = create_study_app(Study.open(folder), access)
    listener = running.listen(host, port)
    url = address(host, listener.getsockname()[1], access)
    click.echo(url)
    click.echo("The study is open at the address above; Ctrl-C closes it.", err=True)
    running.serve(app, listener, None if no_browser else url)


@command.command()
@FOLDER
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder; STUDY/report by default."
)
def report(folder: Path, out: Path | None) -> None:
    """Judge the answers so far: fooling rates, preference, every photo."""
    from photochrom.evaluation.study.design import Study
    from photochrom.evaluation.study.report import counted, write_study_report

    out = out or folder / "report"
    verdict = write_study_report(Study.open(folder), out)
    click.echo(
        f"{counted(verdict.participants, 'participant')}, {verdict.complete} complete, "
        f"{counted(verdict.answers, 'answer')}"
    )
    for model, rate in verdict.fooling.items():
        told = (
            f"{100 * rate.mean:.1f} % [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
            if rate.n
            else "no answers yet"
        )
        click.echo(f"fooling rate of {model}: {told}")
    for model, score in verdict.scores.items():
        click.echo(f"preference score of {model}: {score.mean:+.2f} [{score.low:+.2f}, {score.high:+.2f}]")
    click.echo(out / "index.html")
