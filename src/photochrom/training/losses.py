"""Losses by name. Targets are true ab; predictions are logits over ab bins or ab itself."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class SoftBins(nn.Module):
    """ab values spread bilinearly over the four surrounding bins, so that the mean stays exact.

    Corners outside the gamut go to the nearest bin inside it.
    """

    table: Tensor
    origin: Tensor

    def __init__(self, bins: np.ndarray, step: float = 10.0):
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


def rebalancing(prior: np.ndarray, smoothing: float) -> np.ndarray:
    """Weights 1 / ((1−λ)·prior + λ/Q), of mean 1 under the prior (Zhang, Isola & Efros 2016, eq. 4)."""
    weights = 1 / ((1 - smoothing) * prior + smoothing / len(prior))
    return (weights / (weights * prior).sum()).astype(np.float32)


class SoftBinCrossEntropy(nn.Module):
    """Rebalanced cross-entropy over soft bins, and a term that draws the mean colour to the truth."""

    bins: Tensor
    weights: Tensor

    def __init__(self, bins: np.ndarray, prior: np.ndarray, smoothing: float = 0.5, mean_weight: float = 0.02):
        super().__init__()
        self.soft = SoftBins(bins)
        self.mean_weight = mean_weight
        self.register_buffer("bins", torch.from_numpy(bins.T.copy()), persistent=False)
        self.register_buffer("weights", torch.from_numpy(rebalancing(prior, smoothing)), persistent=False)

    def forward(self, logits: Tensor, ab: Tensor, emphasis: Tensor | None = None) -> Tensor:
        """logits (B, Q, h, w), ab (B, 2, h, w), emphasis (B, h, w) or None -> scalar."""
        index, share = self.soft(ab)
        log_p = logits.log_softmax(1)
        weight = (self.weights[index] * share).sum(1)
        loss = -(log_p.gather(1, index) * share).sum(1) * weight
        mean = torch.einsum("bqhw,cq->bchw", log_p.exp(), self.bins)
        loss = loss + self.mean_weight * functional.smooth_l1_loss(mean, ab, beta=2.0, reduction="none").sum(1)
        return (loss if emphasis is None else loss * emphasis).mean()
