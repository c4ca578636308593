"""Losses that ask a classifier: what it sees in the coloured picture, and what the encoder still knows.

The perceptual loss is how far apart the classifier finds the coloured picture and the true one.

The article names lost detail as an open problem: a loss on single pixels prefers a blur to a guess
that is a pixel off. Features of a classifier forgive the pixel and punish the blur (Johnson, Alahi &
Li 2016, "Perceptual losses for real-time style transfer").

Class scores keep the encoder from forgetting what ImageNet taught it: seeing grey, it should still give
the scores that the classifier gives to the colour photo (Hinton, Vinyals & Dean 2015, "Distilling the
knowledge in a neural network").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from photochrom.color import _FROM_XYZ as FROM_XYZ
from photochrom.training.networks.efficientnet import Classifier

if TYPE_CHECKING:
    from photochrom.training.losses import Prediction, Truth


def lab_to_srgb(lab: Tensor) -> Tensor:
    """sRGB (B, 3, H, W), clipped into 0..1, of CIELAB (D65) in torch; differentiable everywhere."""
    fy = (lab[:, 0] + 16) / 116
    f = torch.stack([fy + lab[:, 1] / 500, fy, fy - lab[:, 2] / 200], 1)
    toe = (116 * f - 16) * (27 / 24389)
    relative = torch.where(f > 6 / 29, f.clamp(min=6 / 29) ** 3, toe)
    matrix = torch.from_numpy(FROM_XYZ.astype(np.float32)).to(lab)
    linear = torch.einsum("bchw,rc->brhw", relative, matrix).clamp(0, 1)
    curved = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, linear * 12.92, curved)


class Perceptual(nn.Module):
    """Mean squared distance of unit-length EfficientNet-Lite0 features at strides 4, 8 and 16."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = Classifier()

    def features(self, luminance: Tensor, ab: Tensor) -> list[Tensor]:
        pictures = lab_to_srgb(torch.cat([luminance, ab], 1)) * (255 / 128) - 127 / 128
        taps = self.classifier.features(pictures)[:3]
        return [functional.normalize(tap, dim=1) for tap in taps]

    def forward(self, predicted: Prediction, truth: Truth) -> Tensor:
        luminance = functional.adaptive_avg_pool2d(truth.luminance, (truth.ab.shape[2], truth.ab.shape[3]))
        with torch.no_grad():
            wanted = self.features(luminance, truth.ab)
        found = self.features(luminance, predicted.ab)
        distances = [(a - b).square().sum(1).mean() for a, b in zip(found, wanted, strict=True)]
        return torch.stack(distances).mean()


class ClassScores(nn.Module):
    """Divergence of the encoder's class scores on grey from the classifier's on colour, softened.

    The encoder's last tap goes through the classifier's own head. KL(colour ‖ grey) at `TEMPERATURE`,
    times its square, so that the gradient does not depend on it.
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
            pictures = lab_to_srgb(torch.cat([luminance, ab], 1)) * (255 / 128) - 127 / 128
            wanted = self.classifier(pictures.to(memory_format=torch.channels_last)).float()
        found = self.classifier.classify(predicted.coarse)
        grey, color = ((scores / self.TEMPERATURE).log_softmax(-1) for scores in (found, wanted))
        return functional.kl_div(grey, color, reduction="batchmean", log_target=True) * self.TEMPERATURE**2
