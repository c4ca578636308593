"""photochrom verify: is a coloured JPEG's luminance the original's?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from photochrom.cli.options import JSON
from photochrom.photo.jpeg_luminance import compare_luminance
from photochrom.photo.origin import origin_of

_SENTENCES = {
    "identical": "the luminance data are identical",
    "requantized": "the luminance was quantised again with the same table: some coefficients differ",
    "encoded": "the luminance was encoded anew",
}


@click.command()
@click.argument("original", metavar="ORIGINAL", type=click.Path(path_type=Path))
@click.argument("colored", metavar="COLOURED", type=click.Path(path_type=Path))
@click.option("--luminance", is_flag=True, required=True, help="Compare luminance data.")
@JSON
@click.pass_context
def command(context: click.Context, original: Path, colored: Path, luminance: bool, as_json: bool) -> None:
    """Prove that a coloured JPEG keeps the luminance data of the original.

    Scan bytes and tables are compared or, where they differ, all coefficients. The exit code is 0 if the
    data are identical, else 1.
    """
    found = compare_luminance(origin_of(original).data, origin_of(colored).data)
    click.echo(json.dumps({"luminance": found}) if as_json else f"{colored}: {_SENTENCES[found]}")
    context.exit(0 if found == "identical" else 1)
