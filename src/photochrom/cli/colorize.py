"""photochrom colorize: files and folders."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photochrom.batch import plan
from photochrom.batch.coloring import Coloring, Result
from photochrom.batch.runner import Run, Settings, workers_for
from photochrom.cli.options import IF_EXISTS, JSON, rendering, searching
from photochrom.cli.report import Report, RowsBar
from photochrom.errors import OptionError, PhotoError, WriteError
from photochrom.photo import is_picture_name
from photochrom.photo.unread import unread_kind

if TYPE_CHECKING:
    from photochrom.batch.options import Options
    from photochrom.batch.plan import Search
    from photochrom.batch.runner import IfExists

PIPE = "-"


@click.command()
@click.argument("inputs", metavar="IN...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="A file name for one photo, else a folder, in which trees are kept; '-' is standard output.",
)
@rendering
@searching
@IF_EXISTS
@JSON
@click.pass_context
def command(
    context: click.Context,
    inputs: tuple[str, ...],
    output: str | None,
    options: Options,
    search: Search,
    if_exists: IfExists,
    as_json: bool,
) -> None:
    """Color photographs.

    IN is a photo, a folder (everything below it), a quoted glob, or '-' for standard input. Without -o
    each result lies beside its photo as {stem}.colorized.{ext}. The paths of the results are printed.
    """
    if PIPE in inputs or output == PIPE:
        context.exit(_pipe(inputs, output, options, if_exists, as_json))
    jobs = _plan(inputs, Path(output) if output else None, options, search)
    settings = Settings(if_exists=if_exists, isolate=len(jobs) > 1)
    with closing(RowsBar()) as bar:
        workers = workers_for(options, settings, len(jobs), passed=bar)
        with closing(Run(options, settings).results(jobs, workers)) as results:
            context.exit(Report(len(jobs), as_json=as_json, search=search).follow(results))


def _plan(inputs: tuple[str, ...], out: Path | None, options: Options, search: Search) -> list[plan.Job]:
    sources = plan.find(inputs, skip=out, search=search)
    one_file = len(inputs) == 1 and not Path(inputs[0]).is_dir() and len(sources) == 1
    if out and one_file and not out.is_dir() and (is_picture_name(out) or unread_kind(b"", out.suffix)):
        return plan.to_file(sources[0], out, options)
    if out and out.exists() and not out.is_dir():
        raise OptionError(f"{out} is a file: several photos need a folder")
    return plan.make(sources, out, options)


def _pipe(
    inputs: tuple[str, ...], output: str | None, options: Options, if_exists: str, as_json: bool
) -> int:
    """One photo through standard input, standard output or both."""
    if len(inputs) > 1:
        raise OptionError("'-' takes one photo: give it alone")
    if options.sidecar or options.layer or options.proposals or options.pages:
        raise OptionError(
            "a sidecar, a layer, proposals or all pages need files: color a file into a file, without '-'"
        )
    target = output or PIPE
    if target == PIPE and as_json:
        raise OptionError("--json and the picture cannot both go to standard output: give -o FILE")
    coloring, report = Coloring(options), Report(1, as_json=as_json)
    try:
        report.add(coloring.pipe(inputs[0], target, overwrite=if_exists == "overwrite"))
    except (PhotoError, WriteError) as error:
        if not as_json:
            raise
        report.add(Result(inputs[0], "failed", error=str(error)))
    return report.exit_code
