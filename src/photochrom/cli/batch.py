"""photochrom batch: thousands of photos, with a ledger."""

from __future__ import annotations

import sys
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photochrom import __version__
from photochrom.batch import ledger, naming, plan
from photochrom.batch import transfer as transfers
from photochrom.batch import verify as verification
from photochrom.batch.coloring import failure
from photochrom.batch.runner import IfExists, Run, Settings, workers_for
from photochrom.batch.store import Folder, is_address, open_store
from photochrom.cli.options import IF_EXISTS, JSON, TIMEOUT, WORKERS, rendering, searching
from photochrom.cli.report import Report, report_findings
from photochrom.errors import OptionError, WriteError
from photochrom.photo.strips import processors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from photochrom.batch.options import Options
    from photochrom.batch.plan import Search
    from photochrom.batch.verify import Finding

_STDIN = "-"


@click.command()
@click.argument("paths", metavar="IN... OUT", nargs=-1, required=True)
@rendering
@searching
@IF_EXISTS
@WORKERS
@TIMEOUT
@click.option("--retry-failed", is_flag=True, help="Take up only those that failed before.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--verify",
    is_flag=True,
    help="The same as 'photochrom verify IN... OUT'; color nothing.",
)
@click.option(
    "--engine",
    type=click.Choice(("local", "ray")),
    default="local",
    show_default=True,
    help="Color on this machine, or on a Ray cluster.",
)
@click.option("--ray-address", metavar="A", help="The Ray cluster; one on this machine if none is given.")
@click.option(
    "--cpus",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="Processors of each Ray actor, or a share of one.  [default: 1]",
)
@click.option(
    "--gpus",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="N",
    help="A GPU (1) or a share of one (0.25) for each Ray actor, on which the network runs.",
)
@JSON
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[str, ...],
    options: Options,
    search: Search,
    if_exists: IfExists,
    workers: int | None,
    timeout: float | None,
    retry_failed: bool,
    dry_run: bool,
    verify: bool,
    engine: str,
    ray_address: str | None,
    cpus: float | None,
    gpus: float | None,
    as_json: bool,
) -> None:
    """Color many photographs into a folder, and lose none.

    IN is a folder, a photo, a quoted glob, a list of photos in a .txt file (one a line), or '-' for
    such a list on standard input. What is done is written in OUT/.photochrom/ledger.sqlite: run the
    same command again to go on after any interruption; what is done stays, the rest is colored.

    IN and OUT may also be addresses in object storage (s3://, gs://, az://); then what is done is written
    in small files beside the results.
    """
    settings = Settings(if_exists, workers, timeout)
    if engine != "ray" and (ray_address or cpus or gpus):
        raise OptionError("--ray-address, --cpus and --gpus are for Ray: add --engine ray")
    if verify:
        context.exit(read_back(paths, options, search, as_json=as_json))
    if engine == "ray" or any(is_address(path) for path in paths):
        transfer = _transfer(paths, options, settings, search)
        if dry_run:
            results = transfer.preview()
        elif engine == "ray":
            actors = transfer.cluster(ray_address, cpus=cpus or 1.0, gpus=gpus or 0.0)
            results = transfer.results(actors, only_failed=retry_failed)
        else:
            results = transfer.results(transfer.local_workers(), only_failed=retry_failed)
        with closing(results):
            context.exit(Report(None, as_json=as_json, table=True, search=search).follow(results))
    out = Path(paths[-1])
    if out.exists() and not out.is_dir():
        raise OptionError(f"{out} is a file: the last argument is the folder for the results")
    if len(paths) < 2:
        raise OptionError("give the photos and then the folder for the results: photochrom batch IN OUT")
    jobs = _plan(paths[:-1], out, options, search)
    if retry_failed:
        jobs = _failed_before(jobs, out)
    if dry_run:
        context.exit(_dry_run(jobs, out, options, settings, search, as_json))
    context.exit(_run(jobs, out, options, settings, search, as_json))


def _transfer(
    paths: Sequence[str], options: Options, settings: Settings, search: Search
) -> transfers.Transfer:
    stores = [open_store(path) for path in paths]
    if len(stores) != 2:
        raise OptionError("give where the photos are and where the results go: photochrom batch SRC DST")
    source, target = stores
    if isinstance(source, Folder) and not Path(source.address).is_dir():
        raise OptionError(f"{paths[0]} is not a folder: a store or a cluster needs a folder of photos")
    return transfers.Transfer(options, settings, source, target, search)


def _plan(inputs: Sequence[str], out: Path, options: Options, search: Search) -> list[plan.Job]:
    if list(inputs) == [_STDIN]:
        where = "the list on standard input"
        sources = plan.unique(plan.listed(sys.stdin.buffer.read(), where), where)
    else:
        sources = plan.find(inputs, lists=True, skip=out, search=search)
    return plan.make(sources, out, options)


def _failed_before(jobs: Sequence[plan.Job], out: Path) -> list[plan.Job]:
    failed = {row.output for row in ledger.read_rows(ledger.place(out)) if row.status == "failed"}
    return [job for job in jobs if ledger.relative_name(job.output, out) in failed]


def _run(
    jobs: Sequence[plan.Job], out: Path, options: Options, settings: Settings, search: Search, as_json: bool
) -> int:
    report = Report(len(jobs), as_json=as_json, table=True, search=search)
    run = Run(options, settings)
    try:
        book = ledger.Ledger.of_folder(out, __version__)
        run = Run(options, settings, book)
        book.register(jobs)
    except WriteError as error:
        return report.follow(failure(job, str(error)) for job in jobs)
    with closing(book), closing(run.results(jobs, workers_for(options, settings, len(jobs)))) as results:
        return report.follow(results)


def _dry_run(
    jobs: Sequence[plan.Job], out: Path, options: Options, settings: Settings, search: Search, as_json: bool
) -> int:
    place = ledger.place(out)
    rows = {row.output: row for row in ledger.read_rows(place)} if place.exists() else {}
    run = Run(options, settings)
    report = Report(len(jobs), as_json=as_json, table=True, search=search)
    return report.follow(run.preview(job, rows, out) for job in jobs)


def read_back(paths: Sequence[str], options: Options, search: Search, *, as_json: bool) -> int:
    """Read the results in the last of the paths back, and see that every photo in the others has one.

    Whatever says there what was done: a local run's ledger, or the records of runs between stores, or both.
    """
    *inputs, last = paths
    target = open_store(last)
    if isinstance(target, Folder) and Path(target.address).is_file():
        raise OptionError(f"{last} is a file: give the place of the results (two JPEGs: verify --luminance)")
    book = ledger.place(Path(target.address)) if isinstance(target, Folder) else None
    findings: list[Iterable[Finding]] = []
    if book and book.exists():
        out = Path(last if not is_address(last) else target.address)
        jobs = _plan(inputs, out, options, search) if inputs else []
        findings.append(verification.verify(out, ledger.read_rows(book), jobs, threads=processors()))
    if not findings or any(target.list(f"{naming.FOLDER}/records")):
        proof = verification.verify_store(target)
        findings.append(_transfer(paths, options, Settings(), search).verify() if inputs else proof)
    return report_findings(chain(*findings), search, as_json=as_json)
