"""photochrom verify: are a batch's results all there and whole; is a JPEG's luminance the original's?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photochrom.batch.options import Options
from photochrom.cli.batch import read_back
from photochrom.cli.options import JSON, LIMIT, searching
from photochrom.photo.jpeg_luminance import compare_luminance
from photochrom.photo.origin import origin_of

if TYPE_CHECKING:
    from photochrom.batch.plan import Search

_SENTENCES = {
    "identical": "the luminance data are identical",
    "requantized": "the luminance was quantized again with the same table: some coefficients differ",
    "encoded": "the luminance was encoded anew",
}


@click.command()
@click.argument("paths", metavar="[IN...] DST | ORIGINAL COLORED", nargs=-1, required=True)
@click.option(
    "--luminance", is_flag=True, help="Compare the luminance data of two JPEGs, ORIGINAL and COLORED."
)
@searching
@LIMIT
@JSON
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[str, ...],
    luminance: bool,
    search: Search,
    max_pixels: int,
    as_json: bool,
) -> None:
    """Prove that a batch's results are all there and whole.

    DST is where 'photochrom batch' has put them, a folder or an address. Every result is read back: it must
    have the bytes that were written and decode to the last row. Where the photos are given (IN), each must
    have a result and be the one that was colored; a folder's ledger knows its photos without.

    With --luminance: prove that a colored JPEG keeps the luminance data of the original. Scan bytes and
    tables are compared or, where they differ, all coefficients.

    The exit code is 0 if all is well, 3 if some of several results are not, else 1.
    """
    if not luminance:
        context.exit(read_back(paths, Options(), search, as_json=as_json))
    if len(paths) != 2:
        raise click.UsageError("--luminance compares two JPEGs: give ORIGINAL and COLORED")
    original, colored = (Path(path) for path in paths)
    found = compare_luminance(origin_of(original).data, origin_of(colored).data, max_pixels)
    click.echo(json.dumps({"luminance": found}) if as_json else f"{colored}: {_SENTENCES[found]}")
    context.exit(0 if found == "identical" else 1)
