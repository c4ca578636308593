"""Recipes are strict: what is wrong is named, with what would be right."""

from __future__ import annotations

import dataclasses
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.errors import RecipeError
from photochrom.training import recipe as recipes
from photochrom.training.augment import AffineConfig
from photochrom.training.samples import HintedConfig, WholeConfig

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = ("alpha", "beta", "fusion", "photochrom")


def test_shipped_recipes() -> None:
    assert sorted(recipes.shipped()) == sorted(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipe_survives_dump_and_parse(name: str) -> None:
    recipe = recipes.load(name)
    assert recipe.name == name
    assert recipes.parse(recipes.dump(recipe).encode(), "again") == recipe


def test_alpha_is_the_articles() -> None:
    recipe = recipes.load("alpha")
    assert isinstance(recipe.samples, WholeConfig)
    assert (recipe.schedule.epochs, recipe.schedule.batch) == (3000, 1)
    optimizer = recipe.optimizer
    assert (optimizer.name, optimizer.learning_rate, optimizer.rho) == ("rmsprop", 1e-3, 0.9)
    assert optimizer.epsilon == 1e-7
    assert recipe.loss.terms == {"mse": 1.0}
    assert recipe.network.luminance_scale == 1.0


@pytest.mark.parametrize("name", ["beta", "fusion"])
def test_many_photo_recipes_are_the_articles(name: str) -> None:
    recipe = recipes.load(name)
    assert recipe.samples == AffineConfig(size=256, shear=0.2, zoom=0.2, rotation=20.0, flip=True)
    assert recipe.data.validation == 0.05


def test_default_recipe_has_hints_and_rebalanced_bins() -> None:
    recipe = recipes.load("photochrom")
    assert isinstance(recipe.samples, HintedConfig)
    assert set(recipe.loss.terms) == {"soft_bins"}
    assert recipe.network.frozen_through == 8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("schedule.bach=3", ["schedule.bach", "'batch'", "warmup"]),
        ("schedule.batch=many", ["schedule.batch", "whole number", "'many'"]),
        ("schedule.batch=true", ["schedule.batch", "whole number"]),
        ("schedule.batch=1.5", ["schedule.batch", "whole number"]),
        ("schedule.batch=0", ["schedule.batch", "at least 1", "4096"]),
        ("optimizer.rho=2", ["optimizer.rho", "at least 0", "at most 1"]),
        ("optimizer.rho=nan", ["optimizer.rho", "nan"]),
        ("optimizer.name=sgd", ["optimizer.name", "rmsprop", "adamw"]),
        ("samples.flip=1", ["samples.flip", "true or false"]),
        ("samples.zoom=[0.1]", ["samples.zoom", "a number"]),
        ("samples.kind=warped", ["samples", "affine", "hinted", "whole"]),
        ("network.kind=gamma", ["network", "alpha", "beta", "fusion", "photochrom", "'gamma'"]),
        ("network.width=3", ["network.width", "luminance_scale"]),
        ("loss.terms={mze=1}", ["mze", "mse", "huber", "perceptual"]),
        ("loss.terms={mse=0}", ["loss.terms", "above 0"]),
        ("loss.terms={mse=-1}", ["loss.terms", "below"]),
        ("loss.terms={soft_bins=1}", ["soft_bins", "photochrom", "beta"]),
        ("schedule.epochs=0", ["either photos or epochs"]),
        ("network.kind=photochrom", ["network."]),
        ("frobnicate.x=1", ["frobnicate", "optimizer", "schedule"]),
        ("schedule=1", ["section.key=value"]),
        ("schedule.batch.deep=1", ["batch"]),
        ("nonsense", ["section.key=value"]),
    ],
)
def test_mistakes_are_named_with_what_is_allowed(change: str, said: list[str]) -> None:
    with pytest.raises(RecipeError) as caught:
        recipes.load("beta", (change,))
    for word in said:
        assert word in str(caught.value)


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = '[network]\nkind = "beta"\n[samples]\nkind = "affine"\nsize = 64\n[schedule]\nepochs = 2\n'
    path.write_text(text)
    recipe = recipes.load(str(path))
    assert (recipe.samples.size, recipe.schedule.epochs, recipe.optimizer.rho) == (64, 2, 0.9)


def test_samples_must_fit_the_network() -> None:
    text = b'[network]\nkind = "photochrom"\n[samples]\nkind = "affine"\n[schedule]\nepochs = 1\n'
    with pytest.raises(RecipeError, match="photochrom needs samples of kind hinted"):
        recipes.parse(text, "mine")


def test_whole_photos_come_one_by_one() -> None:
    with pytest.raises(RecipeError, match=r"schedule\.batch must be 1"):
        recipes.load("alpha", ("schedule.batch=2",))


def test_size_of_hinted_samples() -> None:
    with pytest.raises(RecipeError, match="multiple of 32"):
        recipes.load("photochrom", ("samples.size=130",))


@given(
    batch=st.integers(1, 4096),
    rate=st.floats(0, 10, allow_nan=False),
    terms=st.dictionaries(st.sampled_from(["mse", "l1", "huber"]), st.floats(0.001, 1e6), min_size=1),
    flip=st.booleans(),
)
def test_any_allowed_recipe_survives_dump_and_parse(
    batch: int, rate: float, terms: dict[str, float], flip: bool
) -> None:
    base = recipes.load("beta")
    recipe = dataclasses.replace(
        base,
        schedule=dataclasses.replace(base.schedule, batch=batch),
        optimizer=dataclasses.replace(base.optimizer, learning_rate=rate),
        loss=dataclasses.replace(base.loss, terms=terms),
        samples=dataclasses.replace(base.samples, flip=flip),
    )
    assert recipes.parse(recipes.dump(recipe).encode(), "again") == recipe


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SECTIONS = st.sampled_from(["network", "samples", "data", "loss", "optimizer", "schedule", "other"])


@given(tables=st.dictionaries(SECTIONS, VALUES, max_size=4))
def test_any_table_is_a_recipe_or_a_recipe_error(tables: dict[str, object]) -> None:
    from photochrom import documents

    try:
        recipe = documents.parse(recipes.Recipe, tables, "recipe x: ", RecipeError)
    except RecipeError as error:
        said = str(error)
    else:
        said = "recipe x"
        assert isinstance(recipe, recipes.Recipe)
    assert said.startswith("recipe x")


@given(st.text(max_size=30))
def test_texts_survive_toml(text: str) -> None:
    assert tomllib.loads(recipes.to_toml({"value": text}))["value"] == text


@pytest.mark.parametrize("name", recipes.shipped())
def test_a_length_that_is_set_displaces_the_recipes_own(name: str) -> None:
    schedule = recipes.load(name, ("schedule.photos=12",)).schedule
    assert (schedule.photos, schedule.epochs) == (12, 0)
    schedule = recipes.load(name, ("schedule.epochs=3",)).schedule
    assert (schedule.photos, schedule.epochs) == (0, 3)
    with pytest.raises(RecipeError, match="either photos or epochs"):
        recipes.load(name, ("schedule.epochs=3", "schedule.photos=12"))
