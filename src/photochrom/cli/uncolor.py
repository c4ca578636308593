"""photochrom uncolor: the grey JPEG that a colored one was made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from photochrom.cli.options import LIMIT
from photochrom.errors import OptionError
from photochrom.photo import read
from photochrom.photo.atomic import save_bytes
from photochrom.photo.formats import format_of_path
from photochrom.photo.jpeg_luminance import uncolored
from photochrom.provenance import unmark


@click.command()
@click.argument("colored", metavar="COLORED.jpg", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="GREY.jpg",
    help="The file to write; one that is there already is not replaced.",
)
@LIMIT
def command(colored: Path, output: Path, max_pixels: int) -> None:
    """Give back the grey JPEG that a colored one was made from.

    Nothing is encoded: its luminance data are those of COLORED, byte for byte, and so the original's where
    that was kept. Metadata stay, but for the mark that a model made the colors.
    """
    if format_of_path(output).name != "jpeg":
        raise OptionError(f"the result is a JPEG: write it to a .jpg file, not to {output}")
    photo = read(colored, max_pixels=max_pixels)
    data = uncolored(replace(photo, metadata=unmark(photo.metadata)))
    save_bytes(output, data)
    click.echo(output)
