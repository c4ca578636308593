"""photochrom export: trained weights as a model that needs no torch."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("source", metavar="RUN|FILE.safetensors", type=Path)
@click.argument("target", metavar="MODEL.onnx", type=Path)
def command(source: Path, target: Path) -> None:
    """Write trained weights as MODEL.onnx, with its card beside it.

    The graph is compared with torch at several sizes before it gets its name. Weights are stored as
    fp16 and computed with in fp32.
    """
    from photochrom.errors import OptionError, OutputExists
    from photochrom.training.export import export_file

    if target.suffix != ".onnx":
        raise OptionError(f"{target} must end in .onnx")
    if target.exists():
        raise OutputExists(f"{target} exists already: remove it, or choose another name")
    export_file(source, target)
    click.echo(target)
