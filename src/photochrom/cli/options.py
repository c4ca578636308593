"""The fields of `batch.options.Options` as click options, and the options that several verbs share."""

from __future__ import annotations

import functools
import os
import types
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

import click
from click.core import ParameterSource

from photochrom.batch.options import Options
from photochrom.batch.plan import Search
from photochrom.photo import MAX_PIXELS

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field

F = TypeVar("F", bound="Callable[..., Any]")


def _set_provider(_: click.Context, __: click.Parameter, value: str | None) -> None:
    if value:
        os.environ["PHOTOCHROM_PROVIDER"] = value  # worker processes inherit it


PROVIDER = click.option(
    "--provider",
    metavar="cpu|cuda|directml|coreml|openvino",
    expose_value=False,
    callback=_set_provider,
    help="What runs the network; cuda,cpu falls back to the CPU.",
)


def rendering(verb: F) -> F:
    """Give a verb all of Options' fields as flags; it is called with them as one `options: Options`."""

    @functools.wraps(verb)
    def called(**values: Any) -> Any:
        source = click.get_current_context().get_parameter_source
        given = {name: values.pop(name) for name in ("look", *(item.name for item in fields(Options)))}
        said = {name: value for name, value in given.items() if source(name) != ParameterSource.DEFAULT}
        return verb(options=Options.from_flags(said), **values)

    command: Any = click.option(
        "--look",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="F.photochrom.json",
        help="Hints, vividness and palette of a project that the studio saved; other options win.",
    )(called)
    kinds = get_type_hints(Options)
    for item in reversed(fields(Options)):
        command = _click_option(item, kinds[item.name])(command)
    return cast("F", PROVIDER(command))


def _click_option(item: Field[Any], kind: Any) -> Callable[[F], F]:
    flag, about = f"--{item.name.replace('_', '-')}", item.metadata
    extra: dict[str, Any] = {}
    if kind is bool:
        flag += f"/--no-{flag[2:]}" if item.default else ""
        extra = {"is_flag": True, "default": item.default}
    elif "bare" in about:
        extra = {"is_flag": False, "flag_value": about["bare"]}
    if item.default not in (None, (), False, True):
        extra |= {"default": item.default, "show_default": True}
    return click.option(
        flag,
        item.name,
        help=about["description"],
        metavar=about.get("metavar"),
        type=_click_type(kind, about),
        **extra,
    )


def _click_type(kind: Any, about: Any) -> Any:
    if isinstance(kind, types.UnionType) or (len(get_args(kind)) == 2 and type(None) in get_args(kind)):
        kind = next(one for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is Literal:
        return click.Choice(get_args(kind))
    if "load" in about:
        return str
    if kind is float:
        return _Share(about.get("ge"), about.get("le"))
    return click.IntRange(about.get("ge"), about.get("le")) if kind is int else kind


class _Share(click.FloatRange):
    """A number from 0 to 1; 35 is answered with what was probably meant."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        number = click.FLOAT.convert(value, parameter, context)
        if 1 < number <= 100:
            self.fail(f"{value} is above 1: it goes from 0 to 1, so for {value} % say {number / 100:g}.")
        return super().convert(value, parameter, context)


def searching(verb: F) -> F:
    """Give a verb the flags of a Search; it is called with them as one `search: Search`."""

    @functools.wraps(verb)
    def called(exclude: tuple[str, ...], follow_links: bool, **values: Any) -> Any:
        return verb(search=Search(exclude, follow_links), **values)

    exclude = click.option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="Leave out files and folders with such a name or path; may be repeated.",
    )
    links = click.option("--follow-links", is_flag=True, help="Enter links to folders.")
    return cast("F", exclude(links(called)))


LIMIT = click.option(
    "--max-pixels",
    type=click.IntRange(1),
    default=MAX_PIXELS,
    show_default=True,
    metavar="N",
    help="Refuse photos with more pixels.",
)
IF_EXISTS = click.option(
    "--if-exists",
    type=click.Choice(("error", "skip", "overwrite")),
    default="error",
    show_default=True,
    help="What to do where an output exists already; the photo itself is never replaced.",
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
    help="Give up on a photo after this long.",
)
