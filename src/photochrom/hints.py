"""Hints, and the hints file: the color that a person, a reference or a palette gives a place."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photochrom import documents
from photochrom.color import hex_to_rgb, rgb_to_lab
from photochrom.documents import option
from photochrom.errors import HintError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable


MAX_HINTS = 5000


@dataclass(frozen=True)
class Hint:
    """A color for a disc or a stroke; coordinates are fractions of width and height, origin top left.

    Raises HintError for anything out of range.
    """

    x: float = option(description="Fraction of the width, from the left", ge=0, le=1)
    y: float = option(description="Fraction of the height, from the top", ge=0, le=1)
    color: str = option(
        description="Only its a* and b* count; the photo keeps its luminance",
        pattern="^#[0-9a-fA-F]{6}$",
        examples=["#6a8fbf"],
    )
    radius: float = option(0.01, "Of the disc, a fraction of the longer side", gt=0, le=0.5)
    weight: float = option(1.0, "Scales what the hint does", ge=0, le=1)
    path: tuple[tuple[float, float], ...] = option((), "Further points of a stroke", ge=0, le=1)
    within: tuple[tuple[float, float], ...] = option(
        (), "A closed path of at least three points outside which the hint changes nothing", ge=0, le=1
    )
    time: float | None = option(None, "Seconds from the start of a video; a photo ignores it", ge=0)
    alike: bool = option(False, "For everything of this kind (all skin, all foliage), wherever it is")
    reach: float = option(1.0, "How far it spreads: 0.5 half as far as usual, 2 twice", ge=0.1, le=10)
    ab: tuple[float, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("path", "within"):
            with suppress(TypeError):  # what is no list of pairs is named below
                object.__setattr__(self, name, tuple(map(tuple, getattr(self, name))))
        documents.check(self, HintError)
        if 0 < len(self.within) < 3:
            raise HintError(f"within must be a closed path of at least 3 points, not {len(self.within)}")
        try:
            lab = rgb_to_lab(hex_to_rgb(self.color)[None])[0]
        except OptionError as error:
            raise HintError(str(error)) from None
        object.__setattr__(self, "ab", (float(lab[1]), float(lab[2])))


# --- the hints file ----------------------------------------------------------------------------


def load_hints(source: Path | str | bytes | dict[str, Any]) -> list[Hint]:
    """The hints of a JSON file (path), of its bytes, or of its parsed form.

    Raises HintError naming the file and the hint at fault.
    """
    name = str(source) if isinstance(source, Path | str) else "the hints"
    if isinstance(source, Path | str | bytes):
        place = Path(source) if isinstance(source, str) else source
        advice = "save hints from the studio, or see docs/hints.md for the form"
        source = documents.read_json(place, name, advice, HintError)
    items = source.get("hints") if isinstance(source, dict) and source.get("version") == 1 else None
    if not isinstance(items, list):
        raise HintError(f'{name} must hold {{"version": 1, "hints": [...]}}')
    if len(items) > MAX_HINTS:
        raise HintError(f"{name} holds {len(items)} hints; at most {MAX_HINTS} are taken")
    return [
        documents.parse(Hint, item, f"{name}, hint {number}: ", HintError)
        for number, item in enumerate(items, 1)
    ]


def dump_hints(hints: Iterable[Hint]) -> dict[str, Any]:
    """The JSON form that `load_hints` takes; optional keys at their defaults are left out."""
    return {"version": 1, "hints": [documents.dump(hint, defaults=False) for hint in hints]}
