"""Optimizers by name, the learning rate over a run, and which parameters are trained at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from photochrom.training.networks.photochrom import Photochrom, PhotochromOptions

if TYPE_CHECKING:
    from photochrom.training.networks import Network
    from photochrom.training.recipe import OptimizerConfig, Recipe, ScheduleConfig


def freeze(network: Network, recipe: Recipe) -> list[nn.Module]:
    """Stop gradients into the encoder's first strides; returns the modules to keep in evaluation mode."""
    if not isinstance(recipe.network, PhotochromOptions) or not recipe.network.frozen_through:
        return []
    assert isinstance(network, Photochrom)
    last = network.encoder.taps[int(math.log2(recipe.network.frozen_through)) - 2]
    frozen: list[nn.Module] = [network.encoder.stem, *network.encoder.blocks[: last + 1]]
    for module in frozen:
        module.requires_grad_(False)
    return frozen


def groups(network: Network, config: OptimizerConfig) -> list[dict[str, Any]]:
    """Parameter groups with their base rates: the default network's encoder, and the rest."""
    encoder = list(network.encoder.parameters()) if isinstance(network, Photochrom) else []
    ours = {id(parameter) for parameter in encoder}
    rest = [p for p in network.parameters() if id(p) not in ours and p.requires_grad]
    found = [(encoder, config.encoder_rate), (rest, config.learning_rate)]
    kept = [([p for p in parameters if p.requires_grad], rate) for parameters, rate in found]
    return [{"params": parameters, "lr": rate, "base": rate} for parameters, rate in kept if parameters]


def make_optimizer(network: Network, config: OptimizerConfig) -> torch.optim.Optimizer:
    """The recipe's optimizer. RMSprop is Keras': rho is torch's alpha, and epsilon stands beside the root."""
    parameters = groups(network, config)
    if config.name == "rmsprop":
        return torch.optim.RMSprop(
            parameters, alpha=config.rho, eps=config.epsilon, weight_decay=config.weight_decay
        )
    on_gpu = next(network.parameters()).is_cuda
    return torch.optim.AdamW(
        parameters,
        betas=(config.beta1, config.beta2),
        eps=config.epsilon,
        weight_decay=config.weight_decay,
        fused=on_gpu or None,  # one pass over the weights instead of dozens
    )


def rate_factor(seen: int, total: int, photos_a_step: int, schedule: ScheduleConfig) -> float:
    """What the base rates are multiplied by: warm-up, level, then a cosine to zero over the cooldown."""
    warm = min(1.0, (seen / photos_a_step + 1) / schedule.warmup) if schedule.warmup else 1.0
    if not schedule.cooldown:
        return warm
    left = (total - seen) / schedule.cooldown
    return warm * (1.0 if left >= 1 else 0.5 * (1 - math.cos(math.pi * max(0.0, left))))


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Put every group at its base rate times `factor`."""
    for group in optimizer.param_groups:
        group["lr"] = group["base"] * factor
