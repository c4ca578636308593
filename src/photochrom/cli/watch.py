"""photochrom watch: color what arrives in a folder."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photochrom import __version__
from photochrom.batch.arrivals import Arrivals
from photochrom.batch.ledger import Ledger
from photochrom.batch.runner import IfExists, Run, Settings, workers_for
from photochrom.cli.options import IF_EXISTS, JSON, TIMEOUT, rendering, searching
from photochrom.cli.report import Report

if TYPE_CHECKING:
    from photochrom.batch.options import Options
    from photochrom.batch.plan import Search


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the results, in which trees are kept.",
)
@rendering
@searching
@IF_EXISTS
@TIMEOUT
@click.option(
    "--settle",
    type=click.FloatRange(0),
    default=2.0,
    show_default="2",
    metavar="SECONDS",
    help="Take a file once it has not changed for this long.",
)
@click.option(
    "--until-idle",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="End when nothing has arrived for this long.",
)
@JSON
@click.pass_context
def command(
    context: click.Context,
    folder: Path,
    output: Path,
    options: Options,
    search: Search,
    if_exists: IfExists,
    timeout: float | None,
    settle: float,
    until_idle: float | None,
    as_json: bool,
) -> None:
    """Color what arrives in a folder, until interrupted.

    Photos that are there already are colored first. What is done is kept in OUT's ledger, as by
    'batch', so that a restart goes on where it was.
    """
    settings = Settings(if_exists, workers=1, timeout=timeout)
    arrivals = Arrivals(folder, output, options, settle, until_idle=until_idle, search=search)
    with closing(Ledger.of_folder(output, __version__)) as book:
        run = Run(options, settings, book)
        results = run.results(book.registered(arrivals.jobs()), workers_for(options, settings, 1))
        with closing(results):
            context.exit(Report(None, as_json=as_json, search=search).follow(results))
