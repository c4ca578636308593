"""photochrom redo: make a picture again from its sidecar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from photochrom.batch import plan
from photochrom.batch.options import Options
from photochrom.batch.runner import IfExists, Run, Settings, workers_for
from photochrom.cli.options import IF_EXISTS, JSON, PROVIDER
from photochrom.cli.report import Report
from photochrom.errors import ModelError, PhotoError
from photochrom.models import find
from photochrom.provenance import Sidecar, path_at, readable_sha256


@click.command()
@click.argument("sidecar", metavar="SIDECAR.json", type=click.Path(path_type=Path))
@click.option(
    "--input", "photo", type=click.Path(path_type=Path), metavar="IN", help="Where the photo is now."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="OUT", help="Another place for the picture."
)
@click.option("--model", metavar="NAME|RUN|FILE.onnx", help="Where the model is now.")
@IF_EXISTS
@PROVIDER
@JSON
@click.pass_context
def command(
    context: click.Context,
    sidecar: Path,
    photo: Path | None,
    output: Path | None,
    model: str | None,
    if_exists: IfExists,
    as_json: bool,
) -> None:
    """Make a picture again, with the same pixels, from the sidecar written with --sidecar.

    The photo and the model must be the very ones: their sha256 are compared first.
    """
    told = Sidecar.load(sidecar)
    options = options_of(told, sidecar, model)
    photo = photo or _find_photo(told, sidecar)
    told.check_input(photo)
    if output:
        options = replace(options, format=None)  # its name says the format
    jobs = plan.to_file(
        plan.Source(photo, photo),
        output or path_at(sidecar.parent, told.output),
        options,
    )
    settings = Settings(if_exists=if_exists, isolate=False)
    results = Run(options, settings).results(jobs, workers_for(options, settings, 1))
    context.exit(Report(1, as_json=as_json).follow(results))


def options_of(told: Sidecar, sidecar: Path, model: str | None = None) -> Options:
    """The options of a sidecar; a sidecar is not written again. Raises ModelError for another model."""
    # a sidecar that does not mention luminance was written before it could be kept
    document = {"luminance": "lightness", **told.options, "model": model or told.model}
    if told.hints:
        document["hints"] = told.hints
    if isinstance(reference := document.get("reference"), dict):
        document["reference"] = {
            **reference,
            "path": str(path_at(sidecar.parent, str(reference.get("path")))),
        }
    options = Options.from_json(document)
    card = find(options.model)[1]
    if card.sha256 != told.model_sha256:
        raise ModelError(
            f"the picture was made by a model with sha256 {told.model_sha256[:12]}…, "
            f"{options.model} has {card.sha256[:12]}…: say where that model is with --model"
        )
    return replace(options, sidecar=False)


def _find_photo(told: Sidecar, sidecar: Path) -> Path:
    """The photo where the sidecar says it is, or one of its name and bytes beside the sidecar."""
    recorded = path_at(sidecar.parent, told.input)
    places = [place for place in (recorded, sidecar.parent / recorded.name) if place.is_file()]
    for place in places:
        if readable_sha256(place) == told.input_sha256:
            return place
    if recorded in places:
        return recorded  # to be refused for its bytes
    raise PhotoError(f"{recorded} is not there, nor beside the sidecar: say where it is with --input")
