"""Recipes: everything that decides a training run, as frozen dataclasses filled from a TOML file.

Every number that training uses stands in a recipe; none is hidden in the code. The shipped recipes
are `recipes/*.toml`; a run keeps its own as RUN/recipe.toml.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from photochrom import documents
from photochrom.documents import option
from photochrom.errors import RecipeError
from photochrom.training.augment import AffineConfig
from photochrom.training.networks import NETWORK_KINDS, NetworkOptions, name_of
from photochrom.training.networks.photochrom import PhotochromOptions
from photochrom.training.networks.seed import BetaOptions
from photochrom.training.samples import SAMPLE_KINDS, HintedConfig, SampleConfig, WholeConfig

_LENGTHS = ("schedule.photos", "schedule.epochs")  # a recipe says one of them
_LOSSES = ("mse", "l1", "huber", "log_mse", "soft_bins", "perceptual", "class_scores")


@dataclass(frozen=True)
class DataConfig:
    """Which photos are learned from, and how often."""

    side: int = option(192, ge=32, le=4096)  # photos are kept at this short side, px
    validation: float = option(0.05, ge=0, le=0.5)  # share held out; a single photo is never held out
    validation_photos: int = option(32, ge=0, le=10_000)  # at most so many are colored at each sheet
    source_exponent: float = option(0.0, ge=-1, le=0)  # a photo's chance is its folder's count to this power
    prior_photos: int = option(3000, ge=1)  # photos on which the color prior is counted


@dataclass(frozen=True)
class LossConfig:
    """Losses by name and their weights in the sum."""

    terms: dict[str, float] = field(default_factory=lambda: {"mse": 1.0})
    smoothing: float = option(0.5, ge=0.0, le=1.0)  # soft_bins: λ of the rebalancing
    huber_delta: float = option(10.0, ge=0.001)  # huber: where the square becomes a straight line, in ab
    mean_weight: float = option(0.02, ge=0)  # soft_bins: how much the mean color counts


_PRECISIONS = ("device", "float32", "bfloat16")  # "device": bfloat16 on CUDA, else float32


@dataclass(frozen=True)
class OptimizerConfig:
    name: str = option("rmsprop", choices=("rmsprop", "adamw"))
    learning_rate: float = option(1e-3, ge=0, le=10)
    encoder_rate: float = option(2e-4, ge=0, le=10)  # the default network's encoder
    rho: float = option(0.9, ge=0.0, le=1.0)  # rmsprop
    epsilon: float = option(1e-7, ge=0, le=1)
    beta1: float = option(0.9, ge=0.0, le=1.0)  # adamw
    beta2: float = option(0.99, ge=0.0, le=1.0)
    weight_decay: float = option(0.0, ge=0, le=1)
    clip: float = option(0.0, ge=0)  # the gradient's largest norm; 0 for any
    average: float = option(0.0, ge=0.0, le=1.0)  # how slowly the kept weights follow; 0 for at once
    precision: str = option("device", choices=_PRECISIONS)  # of the computing; weights stay float32


@dataclass(frozen=True)
class ScheduleConfig:
    """How long to train; progress is counted in photos seen."""

    photos: int = option(0, ge=0)  # photos in all, or
    epochs: int = option(0, ge=0)  # times through the data
    batch: int = option(1, ge=1, le=4096)  # on each device
    accumulate: int = option(1, ge=1, le=1024)  # batches to a step of the optimizer
    warmup: int = option(0, ge=0)  # steps in which the rate rises
    cooldown: int = option(0, ge=0)  # photos at the end in which the rate falls to zero
    checkpoint: int = option(300, ge=1)  # steps between checkpoints
    log: int = option(100, ge=1)  # steps between lines of the log
    sheets: int = option(8, ge=0)  # before-and-after sheets in a run
    seed: int = option(0, ge=0)


@dataclass(frozen=True)
class Recipe:
    """A whole recipe."""

    network: NetworkOptions = field(default_factory=BetaOptions, metadata={"kinds": NETWORK_KINDS})
    samples: SampleConfig = field(default_factory=AffineConfig, metadata={"kinds": SAMPLE_KINDS})
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)

    @property
    def name(self) -> str:
        """The network's name."""
        return name_of(self.network)


def shipped() -> dict[str, Any]:
    """Shipped recipes by name."""
    folder = resources.files("photochrom.training") / "recipes"
    return {Path(f.name).stem: f for f in folder.iterdir() if f.name.endswith(".toml")}


def load(source: str, changes: tuple[str, ...] = ()) -> Recipe:
    """The shipped recipe of that name, or the recipe in that .toml file, with `KEY=VALUE` changes.

    Raises RecipeError for an unknown recipe and for anything in it that is not allowed.
    """
    known = shipped()
    file = known.get(source, Path(source))
    if source not in known and not (source.endswith(".toml") and Path(source).is_file()):
        raise RecipeError(f"no recipe {source!r}: give one of {', '.join(sorted(known))}, or a .toml file")
    return parse(file.read_bytes(), str(source), changes)


def parse(text: bytes, name: str, changes: tuple[str, ...] = ()) -> Recipe:
    """A recipe from TOML text; `name` names it in errors."""
    try:
        tables = tomllib.loads(text.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{name} is not valid TOML: {error}") from None
    if any(change.partition("=")[0].strip() in _LENGTHS for change in changes):
        own = tables.get("schedule")
        for length in _LENGTHS:  # the recipe's own length gives way
            if isinstance(own, dict):
                own.pop(length.partition(".")[2], None)
    for change in changes:
        _apply(tables, change)
    where = f"recipe {name}: "
    return check(documents.parse(Recipe, tables, where, RecipeError), where)


def _apply(tables: dict[str, Any], change: str) -> None:
    """Put `section.key=value` into the tables; the value is TOML."""
    path, equals, value = change.partition("=")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value  # a word without quotes
    *sections, key = path.strip().split(".")
    if not equals or not sections:
        raise RecipeError(
            f"{change!r} changes nothing: write --set section.key=value, for example schedule.batch=8"
        )
    place: Any = tables
    for section in sections:
        place = place.setdefault(section, {})
        if not isinstance(place, dict):
            raise RecipeError(f"{change!r}: {section} is not a section of a recipe")
    place[key] = parsed


def dump(recipe: Recipe) -> str:
    """TOML text that `parse` turns into the same recipe."""
    return to_toml(documents.dump(recipe)).lstrip()


def to_toml(tables: dict[str, Any], name: str = "") -> str:
    """TOML text of nested tables of booleans, numbers, texts and lists, which tomllib only reads."""
    lines = [f"{key} = {_literal(value)}" for key, value in tables.items() if not isinstance(value, dict)]
    text = (f"[{name}]\n" if name else "") + "".join(line + "\n" for line in lines)
    for key, value in tables.items():
        if isinstance(value, dict):
            text += "\n" + to_toml(value, f"{name}.{key}" if name else key)
    return text


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # else TOML's own escapes
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return repr(value)


def check(recipe: Recipe, where: str) -> Recipe:
    """`recipe`, if its parts fit together."""
    for problem in _problems(recipe):
        raise RecipeError(f"{where}{problem}")
    return recipe


def _problems(recipe: Recipe) -> list[str]:
    hinted, schedule = isinstance(recipe.samples, HintedConfig), recipe.schedule
    bins = isinstance(recipe.network, PhotochromOptions)
    terms = recipe.loss.terms
    found = []
    if hinted != bins:
        need = "hinted" if bins else "whole or affine"
        found.append(f"the network {recipe.name} needs samples of kind {need}")
    if (schedule.photos > 0) == (schedule.epochs > 0):
        found.append("schedule must say either photos or epochs, above 0")
    if unknown := sorted(set(terms) - set(_LOSSES)):
        found.append(f"loss.terms has the unknown loss {unknown[0]!r}; allowed are {', '.join(_LOSSES)}")
    if not terms or min(terms.values()) < 0 or max(terms.values()) == 0:
        found.append("loss.terms needs at least one loss with a weight above 0, and none below")
    if "soft_bins" in terms and not bins:
        found.append(f"the loss soft_bins needs a network with color bins (photochrom), not {recipe.name}")
    if "class_scores" in terms and not bins:
        found.append(f"the loss class_scores needs the default network's encoder, not {recipe.name}")
    if isinstance(recipe.samples, WholeConfig) and schedule.batch > 1:
        found.append("samples of kind whole differ in size, so schedule.batch must be 1")
    if hinted and recipe.samples.size % 32:  # type: ignore[union-attr]
        found.append("samples.size must be a multiple of 32")
    return found
