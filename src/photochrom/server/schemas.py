"""What the API takes and gives, as OpenAPI describes it; hints have the form of the hints file."""

from __future__ import annotations

import functools
import inspect
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_type_hints

from fastapi import Form
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from photochrom import documents
from photochrom.errors import HintError
from photochrom.hints import MAX_HINTS, Hint
from photochrom.look import Look
from photochrom.photo import FileOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field as DataclassField

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#6a8fbf"])]


class _Strict(BaseModel):
    """A request's part: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid")


def _hint(value: Any) -> Hint:
    """A hint as the hints file has it."""
    try:
        return documents.parse(Hint, value, "", HintError)
    except HintError as error:
        raise PydanticCustomError("hint", "{fault}", {"fault": str(error)}) from None


class Colors(_Strict):
    """All that decides on the colors: hints, palette, the photo's own color, vividness."""

    hints: list[Annotated[Hint, BeforeValidator(_hint)]] = Field(default=[], max_length=MAX_HINTS)
    palette: list[Color] = Field(default=[], max_length=500, description="Keep to these colors")
    keep_color: bool = Field(default=False, strict=True, description="Start from the photo's own faded color")
    vividness: Fraction | None = Field(
        default=None, description="0 (mean, pale) to 1 (mode, vivid); null: the default"
    )

    model: str | None = Field(
        default=None, max_length=200, description="One of /v1/models; null: what the server was started with"
    )

    def look(self, most: int) -> Look:
        """Hints and guidance together. Raises HintError for more than `most` hints, GuidanceError."""
        if len(self.hints) > most:
            raise HintError(f"{len(self.hints)} hints were sent; at most {most} are taken")
        return Look(
            tuple(self.hints), self.vividness, palette=tuple(self.palette), keep_color=self.keep_color
        )


class Region(_Strict):
    """A part of the photo, in fractions of its width and height."""

    left: Fraction
    top: Fraction
    right: Fraction
    bottom: Fraction


_FULL_NAMES = {"jpg": "jpeg", "tif": "tiff"}


def _with_full_name(value: Any) -> Any:
    """A format's name, or a document with one, spelled as FileOptions has it."""
    if isinstance(value, dict) and "format" in value:
        return {**value, "format": _with_full_name(value["format"])}
    return _FULL_NAMES.get(value, value) if isinstance(value, str) else value


def as_form_fields(route: Callable[..., Any]) -> Callable[..., Any]:
    """A route that has, for a parameter that is a dataclass of options, a form field for each of its own."""
    signature = inspect.signature(route, eval_str=True)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if is_dataclass(parameter.annotation)
    }
    added = [
        _form_parameter(item, get_type_hints(group)[item.name])
        for group in groups.values()
        for item in fields(group)
    ]

    @functools.wraps(route)
    async def called(**values: Any) -> Any:
        for name, group in groups.items():
            given = {item.name: values.pop(item.name) for item in fields(group)}
            values[name] = group(**given)
        return await route(**values)

    kept = [parameter for name, parameter in signature.parameters.items() if name not in groups]
    called.__signature__ = signature.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
    return called


def _form_parameter(item: DataclassField[Any], kind: Any) -> inspect.Parameter:
    about = item.metadata
    form = Form(description=about["description"], ge=about.get("ge"), le=about.get("le"))
    lenient = BeforeValidator(lambda text: int(text) if text in ("8", "16") else _with_full_name(text))
    annotation = Annotated[kind, lenient, form] if type(None) in get_args(kind) else Annotated[kind, form]
    return inspect.Parameter(
        item.name, inspect.Parameter.KEYWORD_ONLY, default=item.default, annotation=annotation
    )


class RenderRequest(Colors):
    """A preview (with `side`) or the whole file (without)."""

    side: int | None = Field(
        default=None, ge=16, le=4096, strict=True, description="Longer side of a JPEG preview"
    )
    region: Region | None = Field(
        default=None, description="Only this part, `side` pixels long; needs `side`"
    )
    file: Annotated[FileOptions, BeforeValidator(_with_full_name)] = FileOptions()


class SuggestRequest(Colors):
    x: Fraction
    y: Fraction
    k: int = Field(default=5, ge=0, le=20, strict=True, description="0: only the color it has now")


class DifferenceRequest(Colors):
    index: int = Field(ge=0, lt=MAX_HINTS, strict=True, description="The hint left out for comparison")


class PhotoInfo(BaseModel):
    """A kept photo."""

    id: str
    sha256: str = Field(description="Of the uploaded file: the same photo has the same one")
    width: int
    height: int
    format: str = Field(description="Of the uploaded file")
    bits: int
    colored: bool = Field(description="Whether it came with colors, which are dropped")
    warnings: list[str]
    download_format: str = Field(description="The format that a download has by default")
    expires_in: float = Field(description="Seconds after its last use")
    vividness: float = Field(description="The default")


class SuggestionModel(BaseModel):
    color: str
    probability: float


class Suggestions(BaseModel):
    """What the network believes about a place."""

    current: str = Field(description="The color that the place has now: a hint with it is a pin")
    suggestions: list[SuggestionModel]


class Place(BaseModel):
    x: float
    y: float
    uncertainty: float


class Uncertainty(BaseModel):
    """Where the network is guessing: 0 (sure) to 1."""

    width: int
    height: int
    values: list[list[float]]
    places: list[Place] = Field(description="The most uncertain places, where a hint helps most")


class ProposalsRequest(Colors):
    k: int = Field(default=4, ge=1, le=12, strict=True)
    seed: int = Field(default=0, ge=0, le=2**31, strict=True)


class HintsFile(BaseModel):
    """The form of the hints file, which `photochrom colorize --hints` takes."""

    version: int
    hints: list[dict[str, Any]]


class Proposals(BaseModel):
    proposals: list[HintsFile]


class ModelInfo(BaseModel):
    name: str
    licence: str
    sha256: str
    head: str
    supports_hints: bool
    distribution: bool = Field(description="Whether it can suggest, tell where it is unsure, and have ideas")
    noncommercial: bool = Field(description="Whether its licence forbids commercial use")
    loaded: bool = Field(description="Whether it is what the server was started with")


class LimitsInfo(BaseModel):
    body: int
    pixels: int
    hints: int
    seconds: float


class Models(BaseModel):
    models: list[ModelInfo]
    limits: LimitsInfo
    version: str


class Health(BaseModel):
    status: Literal["ok"] = "ok"
