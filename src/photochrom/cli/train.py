"""photochrom train: a recipe and photos in, a run's folder with a usable model out."""

from __future__ import annotations

from pathlib import Path

import click

SET = "Change a value of the recipe, for example schedule.batch=8; may be repeated."


@click.command()
@click.argument("recipe", metavar="RECIPE")
@click.option(
    "--data",
    required=True,
    help="A photo, a folder of photos or of *.tar shards, or the address of one (s3://, gs://, az://).",
)
@click.option("--out", required=True, type=Path, metavar="RUN", help="The folder that the run leaves.")
@click.option("--resume", is_flag=True, help="Go on where the run in RUN stopped.")
@click.option("--init", type=Path, metavar="RUN|FILE", help="Weights to start from: a run or .safetensors.")
@click.option("--device", type=click.Choice(["cpu", "cuda", "mps"]), default="cpu", show_default=True)
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help=SET)
@click.option(
    "--threads",
    type=click.IntRange(0),
    default=0,
    help="Threads of torch on the CPU; 0 leaves the choice to torch.",
)
@click.option(
    "--workers",
    type=click.IntRange(0),
    default=None,
    help="Processes that make samples; with a GPU 4 by default.",
)
@click.option(
    "--cache",
    type=Path,
    metavar="DIR",
    help="Where fetched and decoded photos are kept. [default: RUN/cache]",
)
def command(
    recipe: str,
    data: str,
    out: Path,
    resume: bool,
    init: Path | None,
    device: str,
    changes: tuple[str, ...],
    threads: int,
    workers: int | None,
    cache: Path | None,
) -> None:
    """Train a network on photographs.

    RECIPE is a shipped recipe (alpha, beta, fusion, photochrom) or a .toml file. The run's folder is
    printed at the end; use it with: photochrom colorize --model RUN PHOTO
    """
    from photochrom.errors import OptionError
    from photochrom.photo.strips import keep_freed_memory
    from photochrom.training import recipe as recipes
    from photochrom.training.run import RunOptions, train

    if resume and init is not None:
        raise OptionError(
            "--resume goes on from the run's own weights: leave --init out, or give another --out"
        )
    chosen = recipes.load(recipe, changes)
    if workers is None:
        workers = 4 if device == "cuda" else 0
    if device == "cpu":
        keep_freed_memory()
    options = RunOptions(device, workers, threads, cache, init, resume)
    if train(chosen, data, out, options):
        click.echo(out)
