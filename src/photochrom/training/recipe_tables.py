"""TOML tables to frozen dataclasses and back, strictly: no key is guessed, no value is bent.

Every error is a RecipeError that names the file, the key and what is allowed there.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import types
import typing
from typing import Any

from photochrom.errors import RecipeError

KIND = "kind"  # the key by which a table says which of several dataclasses it fills


def parse(cls: type[Any], table: Any, where: str, kinds: dict[str, dict[str, type[Any]]]) -> Any:
    """Fill the dataclass `cls` from a TOML table.

    `kinds` maps the name of a field whose class the table chooses itself (by its key `kind`) to the
    choices. `where` begins every error: the file and the table, as in "recipe beta: samples.".
    """
    if not isinstance(table, dict):
        raise RecipeError(f"{where.rstrip('. ')} must be a table, not {table!r}")
    hints = typing.get_type_hints(cls)
    known = {f.name: f for f in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise RecipeError(_unknown_key(key, list(known), where))
        place = f"{where}{key}"
        if key in kinds:
            values[key] = _chosen(value, kinds[key], place, kinds)
        elif dataclasses.is_dataclass(hints[key]):
            values[key] = parse(typing.cast("type[Any]", hints[key]), value, f"{place}.", kinds)
        else:
            values[key] = _checked(convert(value, hints[key], place), known[key].metadata, place)
    return cls(**values)


def _chosen(
    table: Any, choices: dict[str, type[Any]], place: str, kinds: dict[str, dict[str, type[Any]]]
) -> Any:
    kind = table.get(KIND) if isinstance(table, dict) else None
    if kind not in choices:
        raise RecipeError(f"{place} must be a table whose {KIND} is one of {_listed(choices)}, not {kind!r}")
    rest = {key: value for key, value in table.items() if key != KIND}
    return parse(choices[kind], rest, f"{place}.", kinds)


def _unknown_key(key: str, known: list[str], where: str) -> str:
    if not known:
        return f"{where}{key} is not known; no key is allowed there"
    close = difflib.get_close_matches(key, known, 1)
    guess = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{where}{key} is not known{guess}; allowed there are {_listed(known)}"


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))


def convert(value: Any, kind: Any, place: str) -> Any:
    """A TOML value as the type `kind`: bool, int, float, str, tuple[...] or dict[str, float]."""
    origin = typing.get_origin(kind)
    if origin is tuple:
        return _tuple(value, typing.get_args(kind), place)
    if origin is dict and isinstance(value, dict):
        return {str(key): convert(item, float, f"{place}.{key}") for key, item in value.items()}
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(kind, type) and isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise RecipeError(f"{place} must be {_described(kind)}, not {value!r}")


def _tuple(value: Any, kinds: tuple[Any, ...], place: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or len(value) != len(kinds):
        raise RecipeError(f"{place} must be a list of {len(kinds)} numbers, not {value!r}")
    return tuple(convert(item, kind, place) for item, kind in zip(value, kinds, strict=True))


def _described(kind: Any) -> str:
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}
    if isinstance(kind, types.GenericAlias):
        return "a table of numbers"
    return names.get(kind, str(kind))


def _checked(value: Any, allowed: Any, place: str) -> Any:
    """`value`, if the field's metadata allows it."""
    if "allowed" in allowed and value not in allowed["allowed"]:
        raise RecipeError(f"{place} must be one of {', '.join(map(str, allowed['allowed']))}, not {value!r}")
    numbers = value if isinstance(value, tuple) else (value,)
    if "low" in allowed and not all(
        math.isfinite(n) and allowed["low"] <= n <= allowed["high"] for n in numbers
    ):
        high = "" if allowed["high"] in (float("inf"), 10**12) else f" and at most {allowed['high']}"
        raise RecipeError(f"{place} must be at least {allowed['low']}{high}, not {_plain(value)}")
    if allowed.get("ordered") and value[0] > value[1]:
        raise RecipeError(f"{place} must be [low, high] with low not above high, not {_plain(value)}")
    return value


def _plain(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple) else repr(value)


# --- and back ----------------------------------------------------------------------------------


def table(value: Any, kinds: dict[str, dict[str, type[Any]]]) -> dict[str, Any]:
    """The TOML table that `parse` turns into the dataclass `value`."""
    out: dict[str, Any] = {}
    for f in dataclasses.fields(value):
        item = getattr(value, f.name)
        if dataclasses.is_dataclass(item):
            names = {cls: name for name, cls in kinds.get(f.name, {}).items()}
            tag = {KIND: names[type(item)]} if type(item) in names else {}
            out[f.name] = tag | table(item, kinds)
        else:
            out[f.name] = list(item) if isinstance(item, tuple) else item
    return out


def dump(tables: dict[str, Any], name: str = "") -> str:
    """TOML text of nested tables of booleans, numbers, texts and lists."""
    lines = [f"{key} = {_literal(value)}" for key, value in tables.items() if not _is_table(value)]
    text = (f"[{name}]\n" if name else "") + "".join(line + "\n" for line in lines)
    for key, value in tables.items():
        if _is_table(value):
            text += "\n" + dump(value, f"{name}.{key}" if name else key)
    return text


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # else TOML's own escapes
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return repr(value)
