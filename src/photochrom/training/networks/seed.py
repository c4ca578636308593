"""The networks of Emil Wallner's article (2017), rebuilt from its Keras code with the same meaning.

"Colorizing B&W photos with neural networks": alpha memorizes one photo, beta learns from many, and
fusion adds what a pretrained classifier recognizes. As in Keras: "same" padding, which at stride 2
pads right and bottom; Glorot-uniform weights and zero biases; nearest-neighbor upsampling; L* enters
as it comes, 0..100; the last layer is tanh and stands for ab/128.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from photochrom.documents import option
from photochrom.training.networks.efficientnet import CLASSES, Classifier, same_padding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MULTIPLE = 8  # three layers of stride 2
AB_RANGE = 128.0  # what a tanh of 1 stands for

_UP = "up"  # in a list of layers: nearest-neighbor enlargement by 2
Layer = tuple[int, int] | str  # (width, stride) or _UP


@dataclass(frozen=True)
class AlphaOptions:
    """alpha is what the article says."""

    luminance_scale: float = option(1.0, ge=0.001, le=10)  # what L* is multiplied by; 1 leaves 0..100


@dataclass(frozen=True)
class BetaOptions:
    """beta is what the article says."""

    luminance_scale: float = option(1.0, ge=0.001, le=10)


@dataclass(frozen=True)
class FusionOptions:
    """The classifier whose class scores join the features at stride 8."""

    luminance_scale: float = option(1.0, ge=0.001, le=10)
    classifier: str = option("efficientnet-lite0", choices=("efficientnet-lite0",))
    classifier_side: int = option(224, ge=32, le=1024)  # the picture it sees, px
    scores: str = option("logits", choices=("logits", "probabilities"))
    scores_scale: float = option(1.0, ge=0.0001, le=100)  # what the scores are multiplied by


class _SameConv(nn.Conv2d):
    """Keras' Conv2D(width, (k, k), padding="same", strides=stride) and its initial weights."""

    def __init__(self, inputs: int, width: int, kernel: int = 3, stride: int = 1):
        super().__init__(inputs, width, kernel, stride, padding=kernel // 2 if stride == 1 else 0)
        nn.init.xavier_uniform_(self.weight)
        assert self.bias is not None
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            x = same_padding(x, self.kernel_size[0], self.stride[0])
        return super().forward(x)


def stack(inputs: int, layers: Sequence[Layer], last: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """3×3 convolutions, each with ReLU but the last of all, which has `last`."""
    modules: list[nn.Module] = []
    final = max(place for place, layer in enumerate(layers) if layer != _UP)
    for place, layer in enumerate(layers):
        if isinstance(layer, str):
            modules.append(nn.Upsample(scale_factor=2, mode="nearest"))
            continue
        width, stride = layer
        modules += [_SameConv(inputs, width, stride=stride), last() if place == final else nn.ReLU()]
        inputs = width
    return nn.Sequential(*modules)


class SeedNetwork(nn.Module):
    """What the three have in common: luminance in, ab out, any size."""

    options: Any

    def chroma(self, luminance: Tensor) -> Tensor:
        """L* (B, 1, H, W) with sides that are multiples of 8 -> ab/128 (B, 2, H, W)."""
        raise NotImplementedError

    def forward(self, luminance: Tensor) -> Tensor:
        """L* (B, 1, H, W) in 0..100, any size -> ab (B, 2, H, W) in −128..128.

        Sides that are no multiple of 8 are padded by repeating the edge, and cropped back.
        """
        height, width = luminance.shape[2:]
        pad = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        if any(pad):
            luminance = functional.pad(luminance, pad, mode="replicate")
        return self.chroma(luminance)[:, :, :height, :width] * AB_RANGE


class Alpha(SeedNetwork):
    """The article's first network: enough to memorize one photo."""

    def __init__(self, options: AlphaOptions | None = None):
        super().__init__()
        self.options = options or AlphaOptions()
        down: list[Layer] = [(8, 2), (8, 1), (16, 1), (16, 2), (32, 1), (32, 2)]
        self.layers = stack(1, [*down, _UP, (32, 1), _UP, (16, 1), _UP, (2, 1)], nn.Tanh)

    def chroma(self, luminance: Tensor) -> Tensor:
        return self.layers(luminance * self.options.luminance_scale)  # type: ignore[no-any-return]


class Beta(SeedNetwork):
    """The article's second network: wide enough to learn from many photos."""

    def __init__(self, options: BetaOptions | None = None):
        super().__init__()
        self.options = options or BetaOptions()
        down: list[Layer] = [(64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1)]
        up: list[Layer] = [(256, 1), (128, 1), _UP, (64, 1), _UP, (32, 1), (2, 1), _UP]
        self.layers = stack(1, down + up, nn.Tanh)

    def chroma(self, luminance: Tensor) -> Tensor:
        return self.layers(luminance * self.options.luminance_scale)  # type: ignore[no-any-return]


class Fusion(SeedNetwork):
    """The article's full network: the classifier's scores repeated over the grid at stride 8.

    The article's classifier was Inception-ResNet-v2; here it is a parameter, EfficientNet-Lite0 unless
    told otherwise. It is frozen, and its weights are part of the network's state.
    """

    def __init__(self, options: FusionOptions | None = None):
        super().__init__()
        self.options = options or FusionOptions()
        self.classifier = _CLASSIFIERS[self.options.classifier]()
        down: list[Layer] = [(64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 1), (256, 1)]
        self.encoder = stack(1, down)
        self.fusion = nn.Sequential(_SameConv(256 + CLASSES, 256, kernel=1), nn.ReLU())
        up: list[Layer] = [(128, 1), _UP, (64, 1), _UP, (32, 1), (16, 1), (2, 1), _UP]
        self.decoder = stack(256, up, nn.Tanh)

    def class_scores(self, luminance: Tensor) -> Tensor:
        """What the classifier recognizes in L* (B, 1, H, W): (B, 1000).

        It is shown L*/50 − 1 in three equal channels: L* and sRGB's grey agree closely enough.
        """
        side = self.options.classifier_side
        small = functional.interpolate(luminance, size=(side, side), mode="bilinear", align_corners=False)
        scores = self.classifier((small / 50 - 1).expand(-1, 3, -1, -1))
        if self.options.scores == "probabilities":
            scores = scores.softmax(1)
        return scores * self.options.scores_scale  # type: ignore[no-any-return]

    def chroma(self, luminance: Tensor) -> Tensor:
        features = self.encoder(luminance * self.options.luminance_scale)  # (B, 256, H/8, W/8)
        scores = self.class_scores(luminance)[:, :, None, None]
        scores = scores.expand(-1, -1, features.shape[2], features.shape[3])
        fused = self.fusion(torch.cat([features, scores], dim=1))
        return self.decoder(fused)  # type: ignore[no-any-return]


_CLASSIFIERS: dict[str, Callable[[], nn.Module]] = {"efficientnet-lite0": Classifier}
