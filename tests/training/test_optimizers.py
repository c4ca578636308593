"""Rates, groups, and RMSprop as Keras writes it."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from photochrom.training import recipe as recipes
from photochrom.training.networks import build
from photochrom.training.networks.seed import Alpha
from photochrom.training.optimizers import freeze, groups, make_optimizer, rate_factor, set_rate
from photochrom.training.recipe import ScheduleConfig

CONFIG = recipes.load("alpha").optimizer


def test_rmsprop_is_keras() -> None:
    network = Alpha()
    optimizer = make_optimizer(network, CONFIG)
    weight = network.layers[0].weight
    before, mean = weight.detach().numpy().copy(), np.zeros(weight.shape, np.float32)
    for step in range(4):
        gradient = np.full(weight.shape, 0.1 * (step + 1), np.float32)
        optimizer.zero_grad()
        weight.grad = torch.from_numpy(gradient)
        optimizer.step()
        mean = 0.9 * mean + 0.1 * gradient**2
        before -= 1e-3 * gradient / (np.sqrt(mean) + 1e-7)
    np.testing.assert_allclose(weight.detach().numpy(), before, rtol=1e-4, atol=1e-6)


def test_rate_rises_stays_and_falls() -> None:
    schedule = ScheduleConfig(photos=1000, warmup=10, cooldown=400, batch=5)
    factors = [rate_factor(seen, 1000, 5, schedule) for seen in range(0, 1001, 5)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:121] == [1.0] * 112
    assert factors[160] == pytest.approx(0.5)
    assert factors[-1] == pytest.approx(0)
    assert all(a >= b for a, b in pairwise(factors[121:]))


@given(st.integers(0, 2000), st.integers(0, 50), st.integers(0, 1000))
def test_rate_is_a_share(seen: int, warmup: int, cooldown: int) -> None:
    schedule = ScheduleConfig(photos=1000, warmup=warmup, cooldown=cooldown)
    assert 0 <= rate_factor(seen, 1000, 4, schedule) <= 1


def test_without_warmup_and_cooldown_the_rate_stays() -> None:
    assert rate_factor(10**9, 10, 1, ScheduleConfig(photos=10)) == 1


def test_rate_reaches_every_group() -> None:
    recipe = recipes.load("photochrom", ("network.pretrained=false",))
    optimizer = make_optimizer(build(recipe.network), recipe.optimizer)
    set_rate(optimizer, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [1e-4, 3e-4]
    assert isinstance(optimizer, torch.optim.AdamW)


@pytest.mark.parametrize("stride", [0, 4, 8, 16, 32])
def test_frozen_encoder_gets_no_gradient(stride: int) -> None:
    recipe = recipes.load("photochrom", ("network.pretrained=false", f"network.frozen_through={stride}"))
    network = build(recipe.network)
    frozen = freeze(network, recipe)
    output = network(torch.rand(2, 1, 32, 32) * 100, torch.zeros(2, 3, 32, 32), torch.zeros(2, 9, 8, 8))
    output.logits.square().mean().backward()
    cut = [0] if not stride else [network.encoder.taps[int(math.log2(stride)) - 2] + 1]
    for number, block in enumerate(network.encoder.blocks):
        has = [p.grad is not None for p in block.parameters()]
        assert all(has) if number >= cut[0] else not any(has)
    assert bool(frozen) == bool(stride)
    trained = {id(p) for group in groups(network, recipe.optimizer) for p in group["params"]}
    assert trained == {id(p) for p in network.parameters() if p.requires_grad}
