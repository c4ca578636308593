"""The fields of `batch.options.Options` as click options, and the options that several verbs share."""

from __future__ import annotations

import functools
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from photochrom.batch.options import Flag, Options, Range, flag

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field

F = TypeVar("F", bound="Callable[..., Any]")


def rendering(verb: F) -> F:
    """Give a verb all of Options' flags; it is called with them as one `options: Options`."""

    @functools.wraps(verb)
    def called(**values: Any) -> Any:
        given = {item.name: values.pop(item.name) for item in fields(Options)}
        return verb(options=Options.from_flags(given), **values)

    command: Any = called
    for item in reversed(fields(Options)):
        command = _click_option(item)(command)
    return cast("F", command)


def _click_option(item: Field[Any]) -> Callable[[F], F]:
    declared = flag(item)
    extra: dict[str, Any] = {}
    if declared.kind is bool:
        extra = {"is_flag": True, "default": item.default}
        if len(declared.names[0].split("/")) == 1:
            extra["default"] = False
    elif declared.bare is not None:
        extra = {"is_flag": False, "flag_value": declared.bare}
    if item.default not in (None, (), False, True):
        extra |= {"default": item.default, "show_default": True}
    return click.option(
        *declared.names,
        item.name,
        help=declared.help,
        metavar=declared.metavar,
        type=_click_type(declared),
        **extra,
    )


def _click_type(declared: Flag) -> Any:
    kind = declared.kind
    if isinstance(kind, Range):
        whole = isinstance(kind.low, int)
        return (click.IntRange if whole else click.FloatRange)(cast("Any", kind.low), cast("Any", kind.high))
    if isinstance(kind, tuple):
        return click.Choice(kind)
    if kind is Path:
        return click.Path(path_type=Path, dir_okay=False)
    return kind


IF_EXISTS = click.option(
    "--if-exists",
    type=click.Choice(("error", "skip", "overwrite")),
    default="error",
    show_default=True,
    help="What to do about an output that is there already; the photo itself is never replaced.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a file on standard output.")
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Photos at a time; as many as processors by default.",
)
TIMEOUT = click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=900.0,
    show_default="900",
    metavar="SECONDS",
    help="Give a photo up after so long.",
)
