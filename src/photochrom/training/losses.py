"""Losses by name, and their weighted sum. Errors in ab count in units of 128, as in the article."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from photochrom.color import _FROM_XYZ as FROM_XYZ
from photochrom.color import ab_bins
from photochrom.training.networks.efficientnet import Classifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from photochrom.training.recipe import LossConfig

AB_RANGE = 128.0


class Prediction(NamedTuple):
    """What a network answered: ab (B, 2, h, w); where the colors are bins, their log-probabilities
    (B, Q, h, w) and the encoder's last tap (B, C, H/32, W/32).
    """

    ab: Tensor
    log_p: Tensor | None = None
    coarse: Tensor | None = None


class Truth(NamedTuple):
    """What it should have been: ab (B, 2, h, w), on the luminance (B, 1, H, W) that was given."""

    ab: Tensor
    luminance: Tensor


class _Mse(nn.Module):
    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        return functional.mse_loss(predicted.ab / AB_RANGE, truth.ab / AB_RANGE)


class _L1(nn.Module):
    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        return functional.l1_loss(predicted.ab / AB_RANGE, truth.ab / AB_RANGE)


class Huber(nn.Module):
    """Square below `delta` (in ab), straight above."""

    def __init__(self, delta: float):
        super().__init__()
        self.delta = delta / AB_RANGE

    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        return functional.huber_loss(predicted.ab / AB_RANGE, truth.ab / AB_RANGE, delta=self.delta)


class _LogMse(nn.Module):
    """The mean over photos of ln(MSE + 2²), in ab: what PSNR counts (1 dB is 0.23).

    A mean over pixels hardly notices photos that are nearly grey, or nearly known from their hints; here an
    error counts the more, the smaller a photo's others are.
    """

    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        squares = (predicted.ab.float() - truth.ab).square().sum(1).mean((1, 2))
        return torch.log(squares + 4.0).mean()


class _SoftBins(nn.Module):
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


class _SoftBinCrossEntropy(nn.Module):
    """Rebalanced cross-entropy over soft bins, and a term that draws the mean color to the truth."""

    weights: Tensor

    def __init__(self, prior: NDArray[np.float64], smoothing: float = 0.5, mean_weight: float = 0.02):
        super().__init__()
        self.soft = _SoftBins(ab_bins())
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


# --- what a classifier sees ----------------------------------------------------------------------


def _lab_to_srgb(lab: Tensor) -> Tensor:
    """sRGB (B, 3, H, W), clipped into 0..1, of CIELAB (D65) in torch; differentiable everywhere."""
    fy = (lab[:, 0] + 16) / 116
    f = torch.stack([fy + lab[:, 1] / 500, fy, fy - lab[:, 2] / 200], 1)
    toe = (116 * f - 16) * (27 / 24389)
    relative = torch.where(f > 6 / 29, f.clamp(min=6 / 29) ** 3, toe)
    matrix = torch.from_numpy(FROM_XYZ.astype(np.float32)).to(lab)
    linear = torch.einsum("bchw,rc->brhw", relative, matrix).clamp(0, 1)
    curved = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, linear * 12.92, curved)


def _as_fed(luminance: Tensor, ab: Tensor) -> Tensor:
    """sRGB (B, 3, H, W) scaled as the classifier's published weights take it."""
    return _lab_to_srgb(torch.cat([luminance, ab], 1)) * (255 / 128) - 127 / 128


class _Perceptual(nn.Module):
    """Mean squared distance of unit-length EfficientNet-Lite0 features at strides 4, 8 and 16.

    The article names lost detail as an open problem: a loss on single pixels prefers a blur to a guess that
    is a pixel off. Features forgive the pixel and punish the blur (Johnson, Alahi & Li 2016).
    """

    def __init__(self) -> None:
        super().__init__()
        self.classifier = Classifier()

    def features(self, luminance: Tensor, ab: Tensor) -> list[Tensor]:
        pictures = _as_fed(luminance, ab)
        taps = self.classifier.features(pictures)[:3]
        return [functional.normalize(tap, dim=1) for tap in taps]

    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        luminance = functional.adaptive_avg_pool2d(truth.luminance, (truth.ab.shape[2], truth.ab.shape[3]))
        with torch.no_grad():
            wanted = self.features(luminance, truth.ab)
        found = self.features(luminance, predicted.ab)
        distances = [(a - b).square().sum(1).mean() for a, b in zip(found, wanted, strict=True)]
        return torch.stack(distances).mean()


class _ClassScores(nn.Module):
    """Divergence of the encoder's class scores on grey from the classifier's on color, softened.

    It keeps the encoder from forgetting what ImageNet taught it (Hinton, Vinyals & Dean 2015): its last tap
    goes through the classifier's own head. KL(color ‖ grey) at `TEMPERATURE`, times its square, so that the
    gradient does not depend on it.
    """

    TEMPERATURE = 3.0

    def __init__(self) -> None:
        super().__init__()
        self.classifier = Classifier()

    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        assert predicted.coarse is not None
        luminance = truth.luminance
        ab = functional.interpolate(truth.ab, size=luminance.shape[2:], mode="bilinear", align_corners=False)
        with torch.no_grad(), torch.autocast(ab.device.type, torch.bfloat16):
            pictures = _as_fed(luminance, ab)
            wanted = self.classifier(pictures.to(memory_format=torch.channels_last)).float()
        found = self.classifier.classify(predicted.coarse)
        grey, color = ((scores / self.TEMPERATURE).log_softmax(-1) for scores in (found, wanted))
        return functional.kl_div(grey, color, reduction="batchmean", log_target=True) * self.TEMPERATURE**2


# --- by name -------------------------------------------------------------------------------------


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
    return {
        "mse": _Mse,
        "l1": _L1,
        "huber": lambda: Huber(config.huber_delta),
        "log_mse": _LogMse,
        "soft_bins": lambda: _SoftBinCrossEntropy(prior, config.smoothing, config.mean_weight),
        "perceptual": _Perceptual,
        "class_scores": _ClassScores,
    }
