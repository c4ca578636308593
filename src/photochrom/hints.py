"""Hints, and the hints file: the colour that a person, a reference or a palette gives a place."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photochrom import documents
from photochrom.color import hex_to_rgb, rgb_to_lab
from photochrom.errors import HintError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable


MAX_HINTS = 5000


@dataclass(frozen=True)
class Hint:
    """A colour for a disc or a stroke.

    x, y: fractions of width and height, origin top left; color: "#rrggbb", of which only a* and b*
    count; radius: of the disc, a fraction of the longer side, in (0, 0.5]; weight: 0..1, scales what the
    hint does; path: further points (x, y) of a stroke; within: a closed path of at least three points outside
    which the hint changes nothing; time: seconds from the start of a video (a photo ignores it); alike: it is
    for everything of this kind (all skin, all foliage), wherever that is in the photo.
    Raises HintError for anything out of range.
    """

    x: float
    y: float
    color: str
    radius: float = 0.01
    weight: float = 1.0
    path: tuple[tuple[float, float], ...] = ()
    within: tuple[tuple[float, float], ...] = ()
    time: float | None = None
    alike: bool = False
    ab: tuple[float, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            lab = rgb_to_lab(hex_to_rgb(self.color)[None])[0]
        except OptionError as error:
            raise HintError(str(error)) from None
        _fraction("x", self.x)
        _fraction("y", self.y)
        _fraction("weight", self.weight)
        if not 0 < _number("radius", self.radius) <= 0.5:
            raise HintError(f"radius must be above 0 and at most 0.5 of the longer side, not {self.radius!r}")
        object.__setattr__(self, "path", _places("path", self.path))
        object.__setattr__(self, "within", _places("within", self.within))
        if 0 < len(self.within) < 3:
            raise HintError(f"within must be a closed path of at least 3 points, not {len(self.within)}")
        if not isinstance(self.alike, bool):
            raise HintError(f"alike must be true or false, not {self.alike!r}")
        if self.time is not None and _number("time", self.time) < 0:
            raise HintError(f"time must be seconds from the start of a video, not {self.time!r}")
        object.__setattr__(self, "ab", (float(lab[1]), float(lab[2])))


def _number(name: str, value: Any) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not abs(value) <= sys.float_info.max:  # an integer of JSON may be beyond that
        raise HintError(f"{name} must be a number, not {value!r}")
    return float(value)


def _fraction(name: str, value: Any) -> float:
    if not 0 <= _number(name, value) <= 1:
        raise HintError(f"{name} must lie in 0..1 (a fraction of the photo), not {value!r}")
    return float(value)


def _places(name: str, path: Any) -> tuple[tuple[float, float], ...]:
    try:
        return tuple((_fraction(name, x), _fraction(name, y)) for x, y in path)
    except (TypeError, ValueError):
        raise HintError(f"{name} must be a list of [x, y] pairs, not {path!r}") from None


# --- the hints file ----------------------------------------------------------------------------

_KEYS = {item.name: item.default for item in fields(Hint) if item.init}


def load_hints(source: Path | str | bytes | dict[str, Any]) -> list[Hint]:
    """The hints of a JSON file (path), of its bytes, or of its parsed form.

    Raises HintError naming the file and the hint at fault.
    """
    name = str(source) if isinstance(source, Path | str) else "the hints"
    if isinstance(source, Path | str | bytes):
        place = Path(source) if isinstance(source, str) else source
        advice = "save hints from the studio, or see docs/hints.md for the form"
        source = documents.read_json(place, name, advice, HintError)
    return _parse(source, name)


def _parse(data: Any, name: str) -> list[Hint]:
    if not isinstance(data, dict) or data.get("version") != 1 or not isinstance(data.get("hints"), list):
        raise HintError(f'{name} must hold {{"version": 1, "hints": [...]}}')
    if len(data["hints"]) > MAX_HINTS:
        raise HintError(f"{name} holds {len(data['hints'])} hints; at most {MAX_HINTS} are taken")
    return [_parse_hint(item, f"{name}, hint {number}") for number, item in enumerate(data["hints"], 1)]


def _parse_hint(item: Any, where: str) -> Hint:
    if not isinstance(item, dict):
        raise HintError(f"{where} must be an object with x, y and color")
    if unknown := sorted(set(item) - set(_KEYS)):
        raise HintError(f"{where} has the unknown key {unknown[0]!r}; allowed are {', '.join(sorted(_KEYS))}")
    if missing := sorted({"x", "y", "color"} - set(item)):
        raise HintError(f"{where} lacks {missing[0]!r}")
    try:
        return Hint(**item)
    except HintError as error:
        raise HintError(f"{where}: {error}") from None


def dump_hints(hints: Iterable[Hint]) -> dict[str, Any]:
    """The JSON form that `load_hints` takes; optional keys at their defaults are left out."""
    return {"version": 1, "hints": [documents.dump(hint, defaults=False) for hint in hints]}
