"""photochrom models: which models there are."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from photochrom.cli.options import JSON
from photochrom.models import DEFAULT, Card, catalogue, find

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("models", metavar="[NAME|RUN|FILE.onnx]...", nargs=-1)
@JSON
def command(models: tuple[str, ...], as_json: bool) -> None:
    """List the models that come with photochrom, or describe those named."""
    for name in models or tuple(catalogue()):
        path, card = find(name)
        click.echo(json.dumps(as_document(path, card)) if as_json else describe(path, card))


def as_document(path: Path, card: Card) -> dict[str, object]:
    """What --json prints of a model: its card without the list of bins, and where it lies."""
    document = asdict(card)
    document["bins"] = len(card.bins)
    return {**document, "file": str(path), "bytes": path.stat().st_size, "default": card.name == DEFAULT}


def describe(path: Path, card: Card) -> str:
    """What a person wants to know of a model."""
    head = f"{len(card.bins)} colour bins" if card.head == "bins" else "one colour a place"
    lines = [
        f"{card.name}{' (default)' if card.name == DEFAULT else ''}",
        f"  licence  {card.licence}",
        f"  head     {card.head}: {head}",
        f"  hints    {'yes' if card.supports_hints else 'no'}",
        f"  sees     {card.size.short} px, the short side",
        f"  sha256   {card.sha256}",
        f"  file     {path} ({path.stat().st_size / 1e6:.1f} MB)",
    ]
    return "\n".join([*lines, f"  {card.description}"] if card.description else lines)
