"""photochrom export: trained weights as a model that needs no torch."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("source", metavar="RUN|FILE.safetensors|MODEL")
@click.argument("target", metavar="OUT.onnx", type=Path)
@click.option("--whole", is_flag=True, help="One graph for other programs: picture in, colored picture out.")
def command(source: str, target: Path, whole: bool) -> None:
    """Write trained weights as a model, OUT.onnx, with its card beside it.

    The graph is compared with torch at several sizes before it gets its name. Weights are stored as
    fp16 and computed with in fp32.

    With --whole: write automatic coloring by a MODEL (as --model takes it) as one graph that needs no
    Photochrom, from `image`, uint8 (1, H, W, 3), to `colored`, the same.
    """
    from photochrom.errors import OptionError, OutputExists

    if target.suffix != ".onnx":
        raise OptionError(f"{target} must end in .onnx")
    if target.exists():
        raise OutputExists(f"{target} exists already: remove it, or choose another name")
    if whole:
        from photochrom.training.whole import export_whole

        export_whole(source, target)
    else:
        from photochrom.training.export import export_file

        export_file(Path(source), target)
    click.echo(target)
