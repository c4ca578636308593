"""photochrom models: which models there are, and other people's made usable."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from photochrom.cli.options import JSON
from photochrom.errors import PhotochromError
from photochrom.models import DEFAULT, Card, cards, catalogue, find

_NAME = click.option("--name", default="", help="The name to give it. [default: from the file's name]")


class _Models(click.Group):
    """A group that lists without a command, and shows what is no command's name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_Models, invoke_without_command=True)
@JSON
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List the models that --model takes, or add other people's.

    Imported models lie in the folder PHOTOCHROM_MODELS names, by default one for the user's data.
    """
    if context.invoked_subcommand is None:
        _list(as_json)


@command.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List the models that come with photochrom and the imported ones."""
    _list(as_json)


@command.command()
@click.argument("models", metavar="NAME|RUN|FILE.onnx...", nargs=-1, required=True)
@JSON
def show(models: tuple[str, ...], as_json: bool) -> None:
    """Describe the models named."""
    _tell(models, as_json)


@command.command("import")
@click.argument("file", type=Path)
@_NAME
@click.option("--card", type=Path, metavar="F.toml", help="How an ONNX graph of no known family is fed.")
@JSON
def import_(file: Path, name: str, card: Path | None, as_json: bool) -> None:
    """Make a .pth, .pt, .bin, .safetensors or .onnx FILE usable as a model.

    Known are siggraph17, eccv16 and DDColor, as checkpoints or ONNX graphs. The file is converted once, which
    takes a minute or more and the extra [train]; using the model does not.
    """
    from photochrom.training.importing import import_model

    _tell((import_model(file, name, card).name,), as_json)


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Delete an imported model."""
    from photochrom.models.store import remove as remove_model

    click.echo(remove_model(name))


@command.command()
@click.argument("published", metavar="NAME")
@_NAME
@JSON
def pull(published: str, name: str, as_json: bool) -> None:
    """Download published weights, check them, and import them.

    NAME is one of the catalogue's (photochrom models pull list). A transfer that was cut goes on where it
    stopped. PHOTOCHROM_OFFLINE=1 forbids it.
    """
    from photochrom.models.published import PUBLISHED, download

    if published == "list":
        for known, source in PUBLISHED.items():
            click.echo(f"{known:18}{source.licence:14}{source.address}")
        return
    from photochrom.training.importing import free_name, import_model

    if published in PUBLISHED:
        free_name(name or published)  # before a gigabyte is fetched in vain
    file = download(published)
    try:
        card = import_model(file, name or published)
    except PhotochromError as error:
        raise type(error)(f"{error} (the download is kept: {file})") from None
    file.unlink()
    _tell((card.name,), as_json)


def _list(as_json: bool) -> None:
    """Describe all models; one that cannot be read is named when the others are listed."""
    readable = cards()
    _tell(tuple(readable), as_json)
    for name in catalogue().keys() - readable:
        find(name)  # raises what is wrong


def _tell(models: tuple[str, ...], as_json: bool) -> None:
    for name in models:
        path, card = find(name)
        click.echo(json.dumps(_document(path, card)) if as_json else _description(path, card))


def _document(path: Path, card: Card) -> dict[str, Any]:
    """What --json prints of a model: its card without the list of bins, and where it lies."""
    document = asdict(card)
    document["bins"] = len(card.bins)
    return {**document, "file": str(path), "bytes": path.stat().st_size, "default": card.name == DEFAULT}


def _description(path: Path, card: Card) -> str:
    head = f"{len(card.bins)} color bins" if card.head == "bins" else "one color a place"
    size = f"{card.size.short} px, {'square' if card.size.square else 'the short side'}"
    lines = [
        f"{card.name}{' (default)' if card.name == DEFAULT else ''}",
        f"  family   {card.family}",
        f"  licence  {card.terms}",
        f"  head     {card.head}: {head}",
        f"  hints    {'yes' if card.supports_hints else 'carried from its colors (kriging)'}",
        f"  sees     {size}",
        f"  sha256   {card.sha256}",
        f"  file     {path} ({path.stat().st_size / 1e6:.1f} MB)",
    ]
    return "\n".join([*lines, f"  {card.description}"] if card.description else lines)
