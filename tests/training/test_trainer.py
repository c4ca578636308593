"""A step, its parts, and what a checkpoint brings back."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from photochrom.color import ab_bins
from photochrom.errors import CheckpointError
from photochrom.training import recipe as recipes
from photochrom.training.losses import WeightedSum
from photochrom.training.trainer import Trainer

if TYPE_CHECKING:
    from photochrom.training.loader import Batch
    from photochrom.training.recipe import Recipe

CPU = torch.device("cpu")
UNIFORM = np.full(len(ab_bins()), 1 / len(ab_bins()))


def trainer(recipe: Recipe, total: int = 100) -> Trainer:
    made = Trainer(recipe, WeightedSum(recipe.loss, UNIFORM), total, CPU)
    made.train_mode()
    return made


def batch(seed: int, count: int = 2) -> Batch:
    random = torch.Generator().manual_seed(seed)
    return [
        torch.rand(count, 1, 32, 32, generator=random) * 100,
        torch.randn(count, 2, 32, 32, generator=random) * 15,
    ]


def with_(recipe: Recipe, *changes: str) -> Recipe:
    return recipes.parse(recipes.dump(recipe).encode(), "test", changes)


def same(a: Trainer, b: Trainer) -> bool:
    ours, theirs = a.state(), b.state()
    return all(torch.equal(ours[k][n], theirs[k][n]) for k in ("network", "average") for n in ours[k])


def test_training_lowers_the_loss(squeezed: Recipe) -> None:
    made = trainer(squeezed)
    losses = [float(made.step([batch(0)])[0]) for _ in range(30)]
    assert losses[-1] < 0.9 * losses[0]
    assert made.seen == 60


def test_bfloat16_learns_as_float32_does(squeezed: Recipe) -> None:
    full, half = trainer(squeezed), trainer(with_(squeezed, "optimizer.precision=bfloat16"))
    for _ in range(30):
        expected, loss = (float(made.step([batch(0)])[0]) for made in (full, half))
    assert loss == pytest.approx(expected, rel=0.1)
    assert not same(full, half)
    assert {value.dtype for value in half.average.values() if value.is_floating_point()} == {torch.float32}


def test_accumulated_batches_are_one_large_batch(squeezed: Recipe) -> None:
    recipe = with_(squeezed, "schedule.accumulate=2")
    parts, whole = trainer(recipe), trainer(with_(squeezed, "schedule.batch=4"))
    first, second = batch(1), batch(2)
    both = [torch.cat(pair) for pair in zip(first, second, strict=True)]
    loss, norm = parts.step([first, second])
    expected, expected_norm = whole.step([both])
    assert parts.seen == whole.seen == 4
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(norm, expected_norm, rtol=1e-4, atol=1e-8)


def test_averaged_weights_follow_slowly(squeezed: Recipe) -> None:
    recipe = with_(squeezed, "optimizer.average=0.9")
    made = trainer(recipe)
    expected = {name: value.clone() for name, value in made.average.items()}
    for step in range(1, 6):
        made.step([batch(step)])
        keep = min(0.9, (1 + step) / (10 + step))
        for name, value in made.network.state_dict().items():
            expected[name] = keep * expected[name] + (1 - keep) * value
    for name, value in expected.items():
        torch.testing.assert_close(made.average[name], value)
    assert not torch.equal(made.average["layers.0.weight"], made.network.state_dict()["layers.0.weight"])


def test_without_averaging_the_weights_are_the_networks(squeezed: Recipe) -> None:
    made = trainer(squeezed)
    made.step([batch(0)])
    assert torch.equal(
        made.averaged().state_dict()["layers.0.weight"], made.network.state_dict()["layers.0.weight"]
    )


def test_looking_at_the_average_draws_no_random_numbers(squeezed: Recipe) -> None:
    made = trainer(squeezed)
    before = torch.get_rng_state()
    made.averaged()
    assert torch.equal(before, torch.get_rng_state())


def test_gradients_are_clipped(squeezed: Recipe) -> None:
    made = trainer(with_(squeezed, "optimizer.clip=0.001"))
    _, norm = made.step([batch(0)])
    left = torch.stack([p.grad.norm() for p in made.network.parameters()]).norm()
    assert float(norm) > 0.001
    assert float(left) == pytest.approx(0.001, rel=1e-2)


def test_a_restored_trainer_goes_on_bit_for_bit(squeezed: Recipe) -> None:
    recipe = with_(squeezed, "optimizer.average=0.9", "schedule.cooldown=50")
    whole, first = trainer(recipe), trainer(recipe)
    for number in range(6):
        whole.step([batch(number)])
    for number in range(3):
        first.step([batch(number)])
    kept = copy.deepcopy(first.state())
    second = trainer(recipe)
    second.restore(kept, "checkpoint")
    for number in range(3, 6):
        second.step([batch(number)])
    assert second.seen == whole.seen
    assert same(second, whole)


def test_a_checkpoint_of_another_network_is_refused(squeezed: Recipe) -> None:
    other = recipes.load("beta", ("schedule.batch=2",))
    kept = trainer(other).state()
    with pytest.raises(CheckpointError, match="is a checkpoint of beta, not of alpha"):
        trainer(squeezed).restore(kept, "checkpoint")
    del kept["kind"]  # as from a first version, which did not say
    with pytest.raises(CheckpointError, match="does not fit this recipe"):
        trainer(squeezed).restore(kept, "checkpoint")


def test_an_optimizers_state_must_fit(squeezed: Recipe) -> None:
    kept = trainer(squeezed).state()
    kept["optimizer"] = {"state": {}, "param_groups": []}
    with pytest.raises(CheckpointError, match="does not fit"):
        trainer(squeezed).restore(kept, "checkpoint")


def test_weights_that_are_no_numbers_are_noticed(squeezed: Recipe) -> None:
    made = trainer(squeezed)
    assert made.healthy()
    with torch.no_grad():
        next(made.network.parameters())[0] = float("nan")
    assert not made.healthy()


def test_the_default_network_keeps_what_is_frozen() -> None:
    recipe = recipes.load("photochrom", ("network.pretrained=false", "schedule.batch=2", "samples.size=32"))
    made = trainer(recipe)
    before = copy.deepcopy(made.network.state_dict())
    inputs = [
        torch.rand(2, 1, 64, 64) * 100,
        torch.zeros(2, 0, 7),
        torch.zeros(2, 64, 64, dtype=torch.int16),
        torch.randn(2, 2, 16, 16) * 20,
    ]
    for _ in range(2):
        made.step([inputs])
    after = made.network.state_dict()
    assert torch.equal(before["encoder.stem.conv.weight"], after["encoder.stem.conv.weight"])
    assert torch.equal(before["encoder.stem.norm.running_mean"], after["encoder.stem.norm.running_mean"])
    assert not torch.equal(
        before["encoder.blocks.15.project.conv.weight"], after["encoder.blocks.15.project.conv.weight"]
    )
    assert not torch.equal(before["head.weight"], after["head.weight"])
    assert torch.equal(after["ab_bins"], torch.from_numpy(ab_bins()))


def test_the_order_of_samples_is_the_recipes(squeezed: Recipe) -> None:
    seeded = replace(squeezed, schedule=replace(squeezed.schedule, seed=5))
    assert not same(trainer(squeezed), trainer(seeded))
    assert same(trainer(squeezed), trainer(squeezed))
