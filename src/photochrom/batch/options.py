"""What can be asked of a colored picture, in one place.

The fields carry what every user of them needs: limits and help, from which `cli.options` makes click options
for colorize, batch and watch; how a value that is no plain one is written to JSON; and whether it can change
the result and so belongs to the ledger's key. A new way to ask for something is one more field here and one
line where `coloring` obeys it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any, Literal

from photochrom import documents
from photochrom.documents import option
from photochrom.hints import load_hints
from photochrom.look import Look
from photochrom.photo import MAX_PIXELS, MAX_SIDE, FileOptions, ReadOptions


@dataclass(frozen=True)
class Extras:
    """What is wanted beside the colored picture. Raises OptionError for values that make no sense."""

    side_by_side: bool = option(False, "Put the original and the colored photo beside each other.")
    sidecar: bool = option(False, "Write x.colorized.json, from which 'redo' makes the picture again.")
    layer: Literal["tiff", "png"] | None = option(
        None,
        "Also write the color alone: a*, b* as 16-bit TIFF, or a transparent PNG to lay over.",
        bare="tiff",
    )

    def __post_init__(self) -> None:
        documents.check(self)


@dataclass(frozen=True)
class Options(Extras, ReadOptions, FileOptions, Look):
    """What is asked of every picture of a run; the defaults are the command line's."""

    keep_dates: bool = option(False, "Give the results the photo's date of change.", in_key=False)
    pages: Literal["all"] | None = option(None, "Color all pages of a file, into a TIFF with as many.")
    max_pixels: int = option(MAX_PIXELS, "Refuse photos with more pixels.", ge=1, metavar="N", in_key=False)
    max_side: int = option(
        MAX_SIDE, "Refuse photos with more pixels a side.", ge=1, metavar="N", in_key=False
    )

    @classmethod
    def from_flags(cls, values: dict[str, Any]) -> Options:
        """Options of command-line values by field name, and `look`, a file with a look that these displace.

        Raises OptionError (HintError for hints) for a value that makes no sense.
        """
        given = {name: value for name, value in values.items() if value is not None}
        if "hints" in given:
            given["hints"] = tuple(load_hints(given["hints"]))
        if look := given.pop("look", None):
            given = {**vars(Look.load(look)), **given}
        return cls(**given)

    def __post_init__(self) -> None:
        Look.__post_init__(self)

    @property
    def look(self) -> Look:
        """What decides on the colors."""
        return Look(**{item.name: getattr(self, item.name) for item in fields(Look)})

    @classmethod
    def from_json(cls, document: Any) -> Options:
        """What `to_json` wrote, in this version or an earlier one. Raises OptionError."""
        if isinstance(document, dict) and document.get("depth") in ("8", "16"):  # as version 0.1.0 wrote it
            document = {**document, "depth": int(document["depth"])}
        return super().from_json(document)

    def fingerprint(self) -> str:
        """sha256 of everything here that can change what is written."""
        kept = {item.name for item in fields(self) if item.metadata.get("in_key", True)}
        document = {name: value for name, value in self.to_json().items() if name in kept}
        if self.depth:
            document["depth"] = str(self.depth)  # as in the ledgers of version 0.1.0
        return digest(document)


def digest(document: Any) -> str:
    """sha256 of a JSON document, the same for equal documents."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
