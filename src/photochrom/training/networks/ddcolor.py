"""DDColor, laid out as its published checkpoints are.

Kang et al. 2023, "DDColor: Towards Photo-Realistic Image Colorization via Dual Decoders": a ConvNeXt encoder
(Liu et al. 2022), a U-Net of pixel shuffles, and a hundred queries that look at the U-Net's three scales.
It takes the grey photo as sRGB and gives ab in Lab units; sides must be multiples of 32.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUERIES, _LAYERS, _SCALES, _HEADS, _WIDTH = 100, 9, 3, 8, 256
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


class DDColor(nn.Module):
    """`depths` and `widths` are the encoder's, from the finest stage to the coarsest."""

    multiple = 32
    takes_hints = False

    def __init__(self, depths: Sequence[int], widths: Sequence[int], features: int = 512):
        super().__init__()
        self.encoder = nn.ModuleDict({"arch": _ConvNeXt(depths, widths)})
        self.decoder = _Decoder(widths, features)
        self.refine_net = nn.Sequential(nn.Sequential(_SpectralConv(_QUERIES + 3, 2, 1)))
        self.mean = nn.Buffer(torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.std = nn.Buffer(torch.tensor(_STD).view(1, 3, 1, 1))

    def forward(self, luminance: Tensor) -> Tensor:
        """L* (B, 1, H, W) -> ab (B, 2, H, W)."""
        picture = (_grey(luminance) - self.mean) / self.std
        queried = self.decoder(self.encoder["arch"](picture))
        return self.refine_net(torch.cat([queried, picture], 1))  # type: ignore[no-any-return]


def _grey(luminance: Tensor) -> Tensor:
    """sRGB (B, 1, H, W) in 0..1 of L*."""
    f = (luminance + 16) / 116
    y = torch.where(f > 6 / 29, f**3, (116 * f - 16) * (27 / 24389))
    return torch.where(y <= 0.0031308, y * 12.92, 1.055 * y.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)


# --- the encoder -------------------------------------------------------------------------------


class _ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of (B, C, H, W)."""

    def __init__(self, width: int):
        super().__init__(width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _ConvNeXtBlock(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(functional.gelu(self.pwconv1(y)))
        return torch.add(x, y.permute(0, 3, 1, 2))


class _ConvNeXt(nn.Module):
    def __init__(self, depths: Sequence[int], widths: Sequence[int]):
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, widths[0], 4, 4), _ChannelNorm(widths[0]))
        down = [nn.Sequential(_ChannelNorm(a), nn.Conv2d(a, b, 2, 2)) for a, b in pairwise(widths)]
        self.downsample_layers = nn.ModuleList([stem, *down])
        self.stages = nn.ModuleList(
            nn.Sequential(*(_ConvNeXtBlock(width) for _ in range(depth)))
            for depth, width in zip(depths, widths, strict=True)
        )
        self.norm0, self.norm1, self.norm2, self.norm3 = map(_ChannelNorm, widths)
        self.norm = nn.LayerNorm(widths[-1], eps=1e-6)  # of the classifier it was: stands in the checkpoints

    def forward(self, x: Tensor) -> list[Tensor]:
        """Normed features at strides 4, 8, 16 and 32; what goes on is not normed."""
        found = []
        norms = (self.norm0, self.norm1, self.norm2, self.norm3)
        for down, stage, norm in zip(self.downsample_layers, self.stages, norms, strict=True):
            x = stage(down(x))
            found.append(norm(x))
        return found


# --- the U-Net ---------------------------------------------------------------------------------


class _SpectralConv(nn.Module):
    """A convolution whose weight is divided by its largest singular value, from the vectors kept with it."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = True):
        super().__init__()
        self.weight_orig = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel) / (inputs * kernel**2))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.weight_u = nn.Buffer(functional.normalize(torch.randn(outputs), dim=0))
        self.weight_v = nn.Buffer(functional.normalize(torch.randn(inputs * kernel**2), dim=0))

    def forward(self, x: Tensor) -> Tensor:
        value = torch.dot(self.weight_u, self.weight_orig.flatten(1) @ self.weight_v)
        return functional.conv2d(
            x, self.weight_orig / value, self.bias, padding=self.weight_orig.shape[-1] // 2
        )


class _Shuffle(nn.Module):
    """Enlargement by pixel shuffle, blurred against its checkerboard."""

    def __init__(self, inputs: int, outputs: int, scale: int, *, norm: bool):
        super().__init__()
        layers: list[nn.Module] = [_SpectralConv(inputs, outputs * scale**2, 1, bias=not norm)]
        self.conv = nn.Sequential(*layers, *([nn.BatchNorm2d(outputs * scale**2)] if norm else []))
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        large = functional.pixel_shuffle(functional.relu(self.conv(x)), self.scale)
        return functional.avg_pool2d(functional.pad(large, (1, 0, 1, 0), mode="replicate"), 2, 1)


class _UpBlock(nn.Module):
    def __init__(self, inputs: int, skipped: int, outputs: int):
        super().__init__()
        self.shuf = _Shuffle(inputs, outputs, 2, norm=True)
        self.bn = nn.BatchNorm2d(skipped)
        convolution = _SpectralConv(outputs + skipped, outputs, 3, bias=False)
        self.conv = nn.Sequential(convolution, nn.ReLU(), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        both = torch.cat([self.shuf(x), self.bn(skip)], 1)
        return self.conv(functional.relu(both))  # type: ignore[no-any-return]


class _Decoder(nn.Module):
    def __init__(self, widths: Sequence[int], features: int):
        super().__init__()
        outputs = (features, features, features // 2)
        inputs = (widths[3], *outputs[:2])
        self.layers = nn.ModuleList(map(_UpBlock, inputs, widths[2::-1], outputs))
        self.last_shuf = _Shuffle(features // 2, _WIDTH, 4, norm=False)
        self.color_decoder = _Queries(outputs)

    def forward(self, encoded: Sequence[Tensor]) -> Tensor:
        x, scales = encoded[3], []
        for layer, skip in zip(self.layers, encoded[2::-1], strict=True):
            x = layer(x, skip)
            scales.append(x)
        return self.color_decoder(scales, self.last_shuf(x))  # type: ignore[no-any-return]


# --- the color queries -------------------------------------------------------------------------


class _Attention(nn.Module):
    """Multi-head attention with the names of torch's own, which ONNX export unrolls less well."""

    def __init__(self) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.randn(3 * _WIDTH, _WIDTH) / math.sqrt(_WIDTH))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * _WIDTH))
        self.out_proj = nn.Linear(_WIDTH, _WIDTH)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """(B, n, C) each -> (B, n, C)."""
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (
            functional.linear(x, weight, bias).reshape(*x.shape[:2], _HEADS, -1).transpose(1, 2)
            for x, weight, bias in zip((query, key, value), weights, biases, strict=True)
        )
        found = functional.scaled_dot_product_attention(q, k, v)
        return self.out_proj(found.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class _CrossLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.multihead_attn = _Attention()
        self.norm = nn.LayerNorm(_WIDTH)

    def forward(self, x: Tensor, embedding: Tensor, memory: Tensor, place: Tensor) -> Tensor:
        return self.norm(x + self.multihead_attn(x + embedding, memory + place, memory))  # type: ignore[no-any-return]


class _SelfLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.self_attn = _Attention()
        self.norm = nn.LayerNorm(_WIDTH)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        return self.norm(x + self.self_attn(x + embedding, x + embedding, x))  # type: ignore[no-any-return]


class _FeedForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(_WIDTH, 2048), nn.Linear(2048, _WIDTH)
        self.norm = nn.LayerNorm(_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.linear2(functional.relu(self.linear1(x))))  # type: ignore[no-any-return]


class _Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(_WIDTH, _WIDTH) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:2]:
            x = functional.relu(layer(x))
        return self.layers[2](x)  # type: ignore[no-any-return]


class _Queries(nn.Module):
    """Each query attends to the scales in turn and becomes a filter over the finest features."""

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        self.query_feat, self.query_embed = nn.Embedding(_QUERIES, _WIDTH), nn.Embedding(_QUERIES, _WIDTH)
        self.level_embed = nn.Embedding(_SCALES, _WIDTH)
        self.input_proj = nn.ModuleList(nn.Conv2d(width, _WIDTH, 1) for width in widths)
        self.transformer_cross_attention_layers = nn.ModuleList(_CrossLayer() for _ in range(_LAYERS))
        self.transformer_self_attention_layers = nn.ModuleList(_SelfLayer() for _ in range(_LAYERS))
        self.transformer_ffn_layers = nn.ModuleList(_FeedForward() for _ in range(_LAYERS))
        self.decoder_norm = nn.LayerNorm(_WIDTH)
        self.color_embed = _Perceptron()

    def forward(self, scales: Sequence[Tensor], finest: Tensor) -> Tensor:
        """(B, C, h, w) of each scale and (B, 256, H, W) -> (B, 100, H, W)."""
        places = [_places(scale).flatten(2).transpose(1, 2) for scale in scales]  # (1, h·w, 256)
        memories = [
            project(scale).flatten(2).transpose(1, 2) + level
            for project, scale, level in zip(self.input_proj, scales, self.level_embed.weight, strict=True)
        ]
        embedding = self.query_embed.weight[None]
        x = self.query_feat.weight[None].expand(len(finest), -1, -1)
        for number in range(_LAYERS):
            level = number % _SCALES
            x = self.transformer_cross_attention_layers[number](x, embedding, memories[level], places[level])
            x = self.transformer_self_attention_layers[number](x, embedding)
            x = self.transformer_ffn_layers[number](x)
        x = self.decoder_norm(x)
        return torch.einsum("bqc,bchw->bqhw", self.color_embed(x), finest)


def _places(x: Tensor) -> Tensor:
    """(1, 256, h, w): sines of where each place of (B, C, h, w) lies, first of y, then of x."""
    height, width = x.shape[2:]
    half = _WIDTH // 2
    period = 10000 ** (2 * torch.div(torch.arange(half, device=x.device), 2, rounding_mode="floor") / half)
    found = []
    for size in (height, width):
        at = torch.arange(1, size + 1, device=x.device, dtype=torch.float32)
        angle = (at / (size + 1e-6) * (2 * math.pi))[:, None] / period
        found.append(torch.stack([angle[:, 0::2].sin(), angle[:, 1::2].cos()], 2).flatten(1).T)  # (128, size)
    y, x_ = found
    return torch.cat([y[:, :, None].expand(-1, -1, width), x_[:, None].expand(-1, height, -1)])[None]
