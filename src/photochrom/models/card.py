"""The card of a model: what it is, whose it is, how to feed it and how to read its answer."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from photochrom import documents
from photochrom.errors import ModelError
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from pathlib import Path

_CARD_VERSION = 2
_RESERVED = {"nc", "research", "academic"}  # words in the names of licences that forbid commercial use


@dataclass(frozen=True)
class SizeRule:
    """The size at which a network sees a photo."""

    short: int = 256  # px of the short side
    multiple: int = 32  # both sides are multiples of this
    longest: int = 1024  # px; longer photos are squeezed
    square: bool = False  # squash to short × short instead of keeping the shape


@dataclass(frozen=True)
class Card:
    """What is known of a model beside its graph.

    `head` is "bins" (logits over `bins` at `stride`) or "ab" (chroma itself, in Lab units).
    `temperature` divides the logits before anything is read from them (calibration). `family` names how the
    graph is fed (photochrom.models.network); left empty, it follows from the head.
    """

    name: str
    head: Literal["bins", "ab"]
    supports_hints: bool
    licence: str
    sha256: str = ""
    description: str = ""
    stride: int = 4
    size: SizeRule = field(default_factory=SizeRule)
    bins: tuple[tuple[float, float], ...] = ()
    temperature: float = 1.0
    mirror: bool = True  # average with the answer to the mirror image
    sizes: tuple[int, ...] = ()  # px of the short side: further sizes whose answers are averaged
    family: str = ""
    training: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", self.family or {"bins": "photochrom"}.get(self.head, "ab"))
        object.__setattr__(self, "sizes", tuple(int(short) for short in self.sizes))

    @property
    def noncommercial(self) -> bool:
        """Whether the licence forbids commercial use, as far as its name tells."""
        words = re.split(r"[^a-z]+", self.licence.lower())
        return bool(_RESERVED & set(words)) or "noncommercial" in "".join(words)

    @property
    def terms(self) -> str:
        """The licence, and a mark where it forbids commercial use."""
        return f"{self.licence} (no commercial use)" if self.noncommercial else self.licence

    def dump(self) -> str:
        """The card as JSON text."""
        return json.dumps({"card": _CARD_VERSION, **asdict(self)}, indent=1) + "\n"


def card_path(graph: Path) -> Path:
    """Where the card of an ONNX file lies: beside it, as JSON."""
    return graph.with_suffix(".json")


def read_card(graph: Path) -> Card:
    """The card beside an ONNX file. Raises ModelError where it is missing or makes no sense."""
    path = card_path(graph)
    if not path.exists():
        raise ModelError(
            f"{graph.name} has no card: expected {path.name} beside it (photochrom export writes both)"
        )
    advice = "export the model again"
    document = documents.read_json(path, f"the model card {path}", advice, ModelError)
    if not isinstance(document, dict) or document.pop("card", None) != _CARD_VERSION:
        raise ModelError(f"{path} is not a model card of this version: {advice}")
    card = documents.parse(
        Card, document, f"{path} is not a model card of this version ({advice}): ", ModelError
    )
    if card.head not in ("bins", "ab") or (card.head == "bins") != bool(card.bins):
        raise ModelError(f"{path}: the head must be 'bins' with a list of bins, or 'ab' without")
    return card


def write_card(graph: Path, card: Card) -> Card:
    """Write the card of an ONNX file with the file's own hash, and return it."""
    card = dataclasses.replace(card, sha256=file_sha256(graph))
    card_path(graph).write_text(card.dump(), encoding="utf-8")
    return card
