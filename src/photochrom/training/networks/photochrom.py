"""The default network: luminance and sparse color hints in, a distribution over colors out.

A U-Net on an EfficientNet-Lite0 encoder (Tan & Le 2019; the Lite variant has ReLU6 and no
squeeze-and-excitation). Hints enter three times: raw at the stem, raw and pooled in every
decoder block, and already spread along the photo's edges in every decoder block; the last is
what makes a network this small obey them (docs/model-development.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from photochrom.documents import option
from photochrom.training.networks.efficientnet import (
    STAGES,
    TAPPED,
    ConvNorm,
    DepthwiseConv,
    inverted_residuals,
)

_DECODER_EPS = 1e-5


@dataclass(frozen=True)
class _NetworkConfig:
    """Sizes of the default network; a checkpoint loads only into the config it was made with."""

    bins: int = 244  # in-gamut ab bins on a grid of 10 (photochrom.color.ab_bins)
    stem: int = 32
    widths: tuple[int, int, int, int] = (192, 128, 96, 64)  # decoder at strides 32, 16, 8, 4
    hint_width: int = 32
    context_width: int = 256
    attention_blocks: int = 2  # at stride 16: what lets one hint speak for a whole scene
    attention_heads: int = 4


@dataclass(frozen=True)
class PhotochromOptions:
    """How a recipe starts the default network."""

    pretrained: bool = True  # the encoder from EfficientNet-Lite0's ImageNet weights
    frozen_through: int = option(8, choices=(0, 4, 8, 16, 32))  # the encoder is frozen through this stride


class _Output(NamedTuple):
    """What the network returns."""

    logits: Tensor  # (B, Q, H/4, W/4)
    features: Tensor  # (B, 128, H/16, W/16)
    details: Tensor  # (B, 64, H/4, W/4)
    coarse: Tensor  # (B, 320, H/32, W/32), the encoder's last tap; for training alone


class Encoder(nn.Module):
    """EfficientNet-Lite0 on one luminance channel, with the hints added to its stem."""

    def __init__(self, stem: int):
        super().__init__()
        self.stem = ConvNorm(1, stem, kernel=3, stride=2)
        self.hint = nn.Conv2d(3, stem, 3, 2, padding=1, bias=False)
        nn.init.zeros_(self.hint.weight)
        self.blocks, self.taps = inverted_residuals(stem)

    def forward(self, luminance: Tensor, hints: Tensor) -> list[Tensor]:
        """Taps at strides 4, 8, 16, 32."""
        x = self.stem.convolve(luminance / 50 - 1)
        x = x + self.hint(hints)
        x = functional.relu6(self.stem.norm(x))  # (B, 32, H/2, W/2)
        taps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.taps:
                taps.append(x)
        return taps


def _injection(inputs: int, hidden: int, width: int) -> nn.Sequential:
    """Two 1x1 convolutions whose last starts at zero, so that it adds nothing until it has learned."""
    last = nn.Conv2d(hidden, width, 1)
    nn.init.zeros_(last.weight)
    assert last.bias is not None
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Conv2d(inputs, hidden, 1), nn.ReLU(), last)


class _DecoderBlock(nn.Module):
    """Merge coarser features with the encoder's tap, add the spread hints, mix."""

    def __init__(self, inputs: int, width: int, hint_width: int):
        super().__init__()
        self.reduce = ConvNorm(inputs, width, eps=_DECODER_EPS)
        self.hint = _injection(3, hint_width, width)
        self.spread = _injection(9, hint_width, width)
        self.mix = nn.Sequential(
            DepthwiseConv(width, 5, padding=2),
            nn.BatchNorm2d(width, eps=_DECODER_EPS),
            nn.Conv2d(width, 2 * width, 1),
            nn.ReLU(),
            nn.Conv2d(2 * width, width, 1, bias=False),
            nn.BatchNorm2d(width, eps=_DECODER_EPS),
        )

    def forward(self, x: Tensor, hints: Tensor, spread: Tensor, context: Tensor | None) -> Tensor:
        x = functional.relu(self.reduce(x)) + self.hint(hints) + self.spread(spread)
        x = functional.relu(x + self.mix(x))
        return x if context is None else x + context


class _Attention(nn.Module):
    """Pre-norm transformer block over all places of a feature map; no positions."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        for projection in (self.out, self.mlp[2]):
            nn.init.zeros_(projection.weight)  # type: ignore[arg-type]
            nn.init.zeros_(projection.bias)  # type: ignore[arg-type]

    def attend(self, x: Tensor) -> Tensor:
        batch, places, width = x.shape
        qkv = self.qkv(x).reshape(batch, places, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, places, width/heads)
        y = functional.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(batch, places, width))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        batch, width, height, breadth = x.shape
        tokens = x.flatten(2).transpose(1, 2)  # (B, H*W, C)
        tokens = tokens + self.attend(self.norm1(tokens))
        tokens = tokens + self.mlp(self.norm2(tokens))
        return tokens.transpose(1, 2).reshape(batch, width, height, breadth)  # type: ignore[no-any-return]


def _pool_hints(hints: Tensor, stride: int) -> Tensor:
    """Mean ab under the mask, and 1 where a cell holds any hint: (B, 3, H/stride, W/stride)."""
    pooled = functional.avg_pool2d(hints, stride)
    mask = pooled[:, 2:]
    ab = pooled[:, :2] / mask.clamp(min=1e-6)
    return torch.cat([ab, (mask > 0).to(ab.dtype)], dim=1)


class Photochrom(nn.Module):
    """The whole network; `forward` takes what `photochrom.hints.rasterize` makes."""

    ab_bins: Tensor

    def __init__(self, config: _NetworkConfig | None = None):
        super().__init__()
        self.config = config = config or _NetworkConfig()
        self.register_buffer("ab_bins", torch.zeros(config.bins, 2))
        self.encoder = Encoder(config.stem)
        tap_widths = [STAGES[number].width for number in reversed(TAPPED)]  # strides 32 … 4
        inputs = [tap_widths[0]] + [
            above + tap for above, tap in zip(config.widths, tap_widths[1:], strict=False)
        ]
        self.decoder = nn.ModuleDict(
            {
                f"s{stride}": _DecoderBlock(number, width, config.hint_width)
                for stride, number, width in zip((32, 16, 8, 4), inputs, config.widths, strict=True)
            }
        )
        self.context = nn.Sequential(
            nn.Linear(tap_widths[0], config.context_width),
            nn.ReLU(),
            nn.Linear(config.context_width, config.widths[0]),
        )
        self.attention = nn.ModuleList(
            _Attention(config.widths[1], config.attention_heads) for _ in range(config.attention_blocks)
        )
        self.head = nn.Conv2d(config.widths[-1], config.bins, 1)

    def forward(self, luminance: Tensor, hints: Tensor, spread: Tensor) -> _Output:
        """Logits over the ab bins at stride 4, and the features behind them at strides 16 and 4.

        luminance: (B, 1, H, W), L* in 0..100; hints: (B, 3, H, W), a/110, b/110 and a 0/1 mask;
        spread: (B, 9, H/4, W/4). H and W are multiples of 32.
        """
        s4, s8, s16, s32 = self.encoder(luminance, hints)
        context = self.context(s32.mean((2, 3)))[:, :, None, None]
        x = self.block(32, s32, hints, spread, context)
        x = self.block(16, join(x, s16), hints, spread)
        for attention in self.attention:
            x = attention(x)
        features = x
        x = self.block(8, join(x, s8), hints, spread)
        x = self.block(4, join(x, s4), hints, spread)
        return _Output(self.head(x), features, x, s32)

    def block(
        self, stride: int, x: Tensor, hints: Tensor, spread: Tensor, context: Tensor | None = None
    ) -> Tensor:
        pooled = spread if stride == 4 else functional.avg_pool2d(spread, stride // 4)
        return self.decoder[f"s{stride}"](x, _pool_hints(hints, stride), pooled, context)  # type: ignore[no-any-return]


def join(coarse: Tensor, tap: Tensor) -> Tensor:
    """The coarser features, bilinearly enlarged to the tap's size, beside the tap."""
    coarse = functional.interpolate(coarse, size=tap.shape[2:], mode="bilinear", align_corners=False)
    return torch.cat([coarse, tap], dim=1)
