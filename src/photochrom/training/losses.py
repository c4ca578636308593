"""Losses by name, and their weighted sum. Errors in ab count in units of 128, as in the article."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from photochrom.color import ab_bins

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from photochrom.training.recipe import LossConfig

AB_RANGE = 128.0


class Prediction(NamedTuple):
    """What a network answered: ab (B, 2, h, w); where the colours are bins, their log-probabilities
    (B, Q, h, w) and the encoder's last tap (B, C, H/32, W/32).
    """

    ab: Tensor
    log_p: Tensor | None = None
    coarse: Tensor | None = None


class Truth(NamedTuple):
    """What it should have been: ab (B, 2, h, w), on the luminance (B, 1, H, W) that was given."""

    ab: Tensor
    luminance: Tensor


class Mse(nn.Module):
    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        return functional.mse_loss(predicted.ab / AB_RANGE, truth.ab / AB_RANGE)


class L1(nn.Module):
    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        return functional.l1_loss(predicted.ab / AB_RANGE, truth.ab / AB_RANGE)


class Huber(nn.Module):
    """Square below `delta` (in ab), straight above."""

    def __init__(self, delta: float):
        super().__init__()
        self.delta = delta / AB_RANGE

    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        return functional.huber_loss(predicted.ab / AB_RANGE, truth.ab / AB_RANGE, delta=self.delta)


class LogMse(nn.Module):
    """The mean over photos of ln(MSE + 2²), in ab: what PSNR counts (1 dB is 0.23).

    A mean over pixels hardly notices photos that are nearly grey, or nearly known from their hints; here an
    error counts the more, the smaller a photo's others are.
    """

    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        squares = (predicted.ab.float() - truth.ab).square().sum(1).mean((1, 2))
        return torch.log(squares + 4.0).mean()


class SoftBins(nn.Module):
    """ab values spread bilinearly over the four surrounding bins, so that the mean stays exact.

    Corners outside the gamut go to the nearest bin inside it.
    """

    table: Tensor

    def __init__(self, bins: NDArray[np.float32], step: float = 10.0):
        super().__init__()
        side = np.arange(-120, 131, step)
        grid = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1)  # (S, S, 2)
        nearest = ((grid[:, :, None] - bins) ** 2).sum(-1).argmin(-1)
        self.step, self.side = step, len(side)
        self.register_buffer("table", torch.from_numpy(nearest.reshape(-1)), persistent=False)

    def forward(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """ab (B, 2, h, w) -> bin numbers and weights, both (B, 4, h, w)."""
        position = ((ab + 120) / self.step).clamp(0, self.side - 1.001)
        low = position.floor()
        high_share = position - low
        cell = low.long()
        index, weight = [], []
        for i in (0, 1):
            for j in (0, 1):
                index.append(self.table[(cell[:, 0] + i) * self.side + cell[:, 1] + j])
                wa = high_share[:, 0] if i else 1 - high_share[:, 0]
                wb = high_share[:, 1] if j else 1 - high_share[:, 1]
                weight.append(wa * wb)
        return torch.stack(index, 1), torch.stack(weight, 1)


def rebalancing(prior: NDArray[np.float64], smoothing: float) -> NDArray[np.float32]:
    """Weights 1 / ((1−λ)·prior + λ/Q), of mean 1 under the prior (Zhang, Isola & Efros 2016, eq. 4)."""
    weights = 1 / ((1 - smoothing) * prior + smoothing / len(prior))
    return np.asarray(weights / (weights * prior).sum(), np.float32)


class SoftBinCrossEntropy(nn.Module):
    """Rebalanced cross-entropy over soft bins, and a term that draws the mean colour to the truth."""

    weights: Tensor

    def __init__(self, prior: NDArray[np.float64], smoothing: float = 0.5, mean_weight: float = 0.02):
        super().__init__()
        self.soft = SoftBins(ab_bins())
        self.mean_weight = mean_weight
        self.register_buffer("weights", torch.from_numpy(rebalancing(prior, smoothing)), persistent=False)

    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        assert predicted.log_p is not None
        index, share = self.soft(truth.ab)
        weight = (self.weights[index] * share).sum(1)
        picked = predicted.log_p.permute(0, 2, 3, 1).gather(-1, index.permute(0, 2, 3, 1))
        loss = -(picked * share.permute(0, 2, 3, 1)).sum(-1) * weight
        mean = functional.smooth_l1_loss(predicted.ab, truth.ab, beta=2.0, reduction="none").sum(1)
        return torch.mean(loss + self.mean_weight * mean)


class WeightedSum(nn.Module):
    """The recipe's losses, each times its weight."""

    def __init__(self, config: LossConfig, prior: NDArray[np.float64]):
        super().__init__()
        self.weights = {name: weight for name, weight in config.terms.items() if weight}
        makers = _makers(config, prior)
        self.terms = nn.ModuleDict({name: makers[name]() for name in self.weights})

    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        """A scalar; float32 whatever the network computed in."""
        parts = [weight * self.terms[name](predicted, truth) for name, weight in self.weights.items()]
        return torch.stack(parts).sum()


def _makers(config: LossConfig, prior: NDArray[np.float64]) -> dict[str, Callable[[], nn.Module]]:
    from photochrom.training.perceptual import ClassScores, Perceptual

    return {
        "mse": Mse,
        "l1": L1,
        "huber": lambda: Huber(config.huber_delta),
        "log_mse": LogMse,
        "soft_bins": lambda: SoftBinCrossEntropy(prior, config.smoothing, config.mean_weight),
        "perceptual": Perceptual,
        "class_scores": ClassScores,
    }
