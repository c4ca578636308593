"""Documents (JSON, TOML) to frozen dataclasses and back, strictly: no key is guessed, no value is bent.

A field's annotation says what it holds, and its metadata what is allowed, under names that pydantic knows
(`description`, `ge`, `gt`, `le`), so that the server's schemas and the command line describe the same
dataclasses. Every error names the key and what is allowed there.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import types
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from photochrom.errors import OptionError, PhotochromError

T = TypeVar("T")
KIND = "kind"  # the key by which a table says which of several dataclasses it fills
_PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "text", dict: "an object"}


def option(default: Any = dataclasses.MISSING, description: str = "", **metadata: Any) -> Any:
    """A dataclass field with its limits.

    `ge`, `gt`, `le`: for a number, or for each number of a tuple (of tuples); `ordered`: a tuple rises;
    `choices`: the values allowed; `kinds`: {tag: dataclass} among which a table chooses by its key `kind`;
    `load` and `dump`: functions from and to the plain value, where the annotation does not say all.
    """
    return dataclasses.field(default=default, metadata={"description": description, **metadata})


def read_json(source: Path | str | bytes, name: str, advice: str, error: type[PhotochromError]) -> Any:
    """The JSON value in a file (a Path) or a text; `advice` ends the errors, "give …"."""
    try:
        return json.loads(source.read_bytes() if isinstance(source, Path) else source)
    except OSError as problem:
        raise error(f"{name} cannot be read ({problem.strerror or problem}): {advice}") from None
    except (ValueError, RecursionError):
        raise error(f"{name} is not valid JSON: {advice}") from None


def parse(cls: type[T], document: Any, where: str = "", error: type[PhotochromError] = OptionError) -> T:
    """The dataclass `cls` filled from a table of parsed JSON or TOML.

    `where` begins every error: the file and the table, as in "recipe beta: samples.".
    Raises `error`; what the dataclass itself refuses keeps its class and gets `where` in front.
    """
    if not isinstance(document, dict):
        raise error(f"{where.rstrip('. :') or 'the document'} must be an object, not {_shown(document)}")
    kinds = _annotations(cast("Any", cls))
    known = {item.name: item for item in dataclasses.fields(cast("Any", cls)) if item.init}
    for key in document:
        if key not in known:
            raise error(_unknown(key, list(known), where))
    values = {}
    for name, item in known.items():
        if name in document:
            values[name] = _value(document[name], kinds[name], item.metadata, f"{where}{name}", error)
        elif item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            raise error(f"{where}{name} is missing")
    try:
        return cls(**values)
    except PhotochromError as problem:
        raise type(problem)(f"{where.rstrip('.')}{':' * (where[-1:] == '.')} {problem}".strip()) from None


def check(value: Any, error: type[PhotochromError] = OptionError) -> None:
    """Raises `error` unless the fields of a dataclass hold what their annotations and limits say."""
    kinds = _annotations(cast("Any", type(value)))
    for item in dataclasses.fields(value):
        if not item.init or item.metadata.get("load"):
            continue
        found = getattr(value, item.name)
        if dataclasses.is_dataclass(found):
            check(found, error)
        else:
            _value(found, kinds[item.name], item.metadata, item.name, error)


@cache
def _annotations(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


def dump(value: Any, *, defaults: bool = True) -> dict[str, Any]:
    """The table that `parse` turns into the dataclass `value`; only what is no default, if asked."""
    table = {}
    for item in dataclasses.fields(value):
        found = getattr(value, item.name)
        if item.init and (defaults or found != _default(item)):
            table[item.name] = _dumped(found, item.metadata)
    return table


def _default(item: dataclasses.Field[Any]) -> Any:
    return item.default if item.default_factory is dataclasses.MISSING else item.default_factory()


def _dumped(value: Any, metadata: Any) -> Any:
    if write := metadata.get("dump"):
        return write(value)
    if dataclasses.is_dataclass(value):
        tags = {kind: tag for tag, kind in metadata.get("kinds", {}).items()}
        tag = {KIND: tags[type(value)]} if type(value) in tags else {}
        return tag | dump(value)
    if isinstance(value, tuple | list):
        return [_dumped(item, {}) for item in value]
    return value


def _value(value: Any, kind: Any, metadata: Any, place: str, error: type[PhotochromError]) -> Any:
    if read := metadata.get("load"):
        return read(value)
    if choices := metadata.get("kinds"):
        tag = value.get(KIND) if isinstance(value, dict) else None
        if tag not in choices:
            raise error(f"{place} must be a table whose {KIND} is one of {_listed(choices)}, not {tag!r}")
        kind, value = choices[tag], {key: item for key, item in value.items() if key != KIND}
    found = _convert(value, kind, place, error)
    if found is not None:
        _within_limits(found, metadata, place, error)
    return found


def _convert(value: Any, kind: Any, place: str, error: type[PhotochromError]) -> Any:
    """A parsed value as an annotation says: a plain type, X | None, Literal, a container, a dataclass."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        one = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _convert(value, one, place, error)
    if dataclasses.is_dataclass(kind):
        return parse(cast("type[Any]", kind), value, f"{place}.", error)
    if origin is Literal:
        _within_limits(value, {"choices": arguments}, place, error)
        return value
    if origin in (tuple, list) and isinstance(value, list | tuple):
        return _sequence(value, origin, arguments, place, error)
    if origin is dict and isinstance(value, dict):
        return {
            str(key): _convert(item, (*arguments, Any)[1], f"{place}.{key}", error)
            for key, item in value.items()
        }
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise error(f"{place} is too large a number: {_shown(value)}") from None
    if kind is Any or (
        isinstance(kind, type) and isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    ):
        return value
    raise error(f"{place} must be {_described(kind)}, not {_shown(value)}")


def _sequence(
    value: Any, origin: type[Any], kinds: tuple[Any, ...], place: str, error: type[PhotochromError]
) -> Any:
    if origin is list or kinds[1:] == (...,):
        kinds = kinds[:1] * len(value)
    if len(value) != len(kinds):
        raise error(f"{place} must be a list of {len(kinds)}, not {_shown(value)}")
    return origin(
        _convert(item, kind, f"{place}[{number}]", error)
        for number, (item, kind) in enumerate(zip(value, kinds, strict=True))
    )


def _within_limits(value: Any, allowed: Any, place: str, error: type[PhotochromError]) -> None:
    """Raises `error` for a value outside a field's limits."""
    if "choices" in allowed and not any(
        value == one and type(value) is type(one) for one in allowed["choices"]
    ):
        raise error(f"{place} must be one of {', '.join(map(str, allowed['choices']))}, not {_shown(value)}")
    if allowed.keys() & {"ge", "gt", "le"} and not _inside(value, allowed):
        raise error(f"{place} must be {_limits(allowed)}, not {_shown(value)}")
    if allowed.get("ordered") and list(value) != sorted(value):
        raise error(f"{place} must be [low, high] with low not above high, not {_shown(value)}")


def _inside(number: Any, allowed: Any) -> bool:
    """Whether a number, or each of a tuple, of tuples even, is within a field's limits."""
    if isinstance(number, tuple):
        return all(_inside(item, allowed) for item in number)
    low, above, high = allowed.get("ge", -math.inf), allowed.get("gt", -math.inf), allowed.get("le", math.inf)
    finite = -math.inf < number < math.inf  # math.isfinite takes no integer beyond a float's range
    return bool(finite and low <= number <= high and (above == -math.inf or above < number))


def _limits(allowed: Any) -> str:
    said = {"ge": "at least {}", "gt": "above {}", "le": "at most {}"}
    return " and ".join(said[key].format(allowed[key]) for key in said if key in allowed)


def _unknown(key: str, known: list[str], where: str) -> str:
    if not known:
        return f"{where}{key} is not known; no key is allowed there"
    close = difflib.get_close_matches(key, known, 1)
    guess = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{where}{key} is not known{guess}; allowed there are {_listed(known)}"


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))


def _described(kind: Any) -> str:
    origin = get_origin(kind) or kind
    return "a list" if origin in (tuple, list) else _PLAIN.get(origin, str(kind))


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 60 else f"{text[:60]}…"
