"""Two networks of R. Zhang, laid out as their published checkpoints are: eccv16 and siggraph17.

eccv16: Zhang, Isola & Efros 2016, "Colorful Image Colorization". siggraph17: Zhang, Zhu, Isola et al. 2017,
"Real-Time User-Guided Image Colorization with Learned Deep Priors"; takes hints. Both take L* 0..100 and give
ab in Lab units; sides must be multiples of 8.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from photochrom.color import AB_SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence

_BINS = 313  # of ab, in eccv16
_CLASSES = 529  # of ab, which siggraph17 learned beside colors and answers no more


def _normalized(luminance: Tensor) -> Tensor:
    return (luminance - 50) / 100


def _block(widths: Sequence[int], *, last_stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """3×3 convolutions from each width to the next, each with ReLU, then a batch norm."""
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(pairwise(widths), 2):
        stride = last_stride if number == len(widths) else 1
        layers += [nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation), nn.ReLU()]
    return nn.Sequential(*layers, nn.BatchNorm2d(widths[-1]))


class Eccv16(nn.Module):
    """A distribution over 313 colors at stride 4, read as its mean."""

    multiple = 8
    takes_hints = False

    def __init__(self) -> None:
        super().__init__()
        self.model1 = _block((1, 64, 64), last_stride=2)
        self.model2 = _block((64, 128, 128), last_stride=2)
        self.model3 = _block((128, 256, 256, 256), last_stride=2)
        self.model4 = _block((256, 512, 512, 512))
        self.model5 = _block((512, 512, 512, 512), dilation=2)
        self.model6 = _block((512, 512, 512, 512), dilation=2)
        self.model7 = _block((512, 512, 512, 512))
        self.model8 = nn.Sequential(
            nn.ConvTranspose2d(512, 256, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, _BINS, 1),
        )
        self.model_out = nn.Conv2d(_BINS, 2, 1, bias=False)

    def forward(self, luminance: Tensor) -> Tensor:
        """L* (B, 1, H, W) -> ab (B, 2, H, W)."""
        x = _normalized(luminance)
        for block in (self.model1, self.model2, self.model3, self.model4, self.model5, self.model6):
            x = block(x)
        colors = self.model_out(self.model8(self.model7(x)).softmax(1))  # (B, 2, H/4, W/4)
        return functional.interpolate(colors, scale_factor=4.0, mode="bilinear") * AB_SCALE


class Siggraph17(nn.Module):
    """A U-Net of colors that takes hints as further channels: ab/110 and where there is one."""

    multiple = 8
    takes_hints = True

    def __init__(self) -> None:
        super().__init__()
        self.model1 = _block((4, 64, 64))
        self.model2 = _block((64, 128, 128))
        self.model3 = _block((128, 256, 256, 256))
        self.model4 = _block((256, 512, 512, 512))
        self.model5 = _block((512, 512, 512, 512), dilation=2)
        self.model6 = _block((512, 512, 512, 512), dilation=2)
        self.model7 = _block((512, 512, 512, 512))
        self.model8up, self.model3short8 = _up(512, 256), _short(256, 256)
        self.model8 = nn.Sequential(nn.ReLU(), *_block((256, 256, 256)))
        self.model9up, self.model2short9 = _up(256, 128), _short(128, 128)
        self.model9 = nn.Sequential(nn.ReLU(), *_block((128, 128)))
        self.model10up, self.model1short10 = _up(128, 128), _short(64, 128)
        self.model10 = nn.Sequential(nn.ReLU(), nn.Conv2d(128, 128, 3, padding=1), nn.LeakyReLU(0.2))
        self.model_class = nn.Sequential(nn.Conv2d(256, _CLASSES, 1))
        self.model_out = nn.Sequential(nn.Conv2d(128, 2, 1), nn.Tanh())

    def forward(self, luminance: Tensor, hints: Tensor) -> Tensor:
        """L* (B, 1, H, W) and hints (B, 3, H, W) as a/110, b/110, mask -> ab (B, 2, H, W)."""
        one = self.model1(torch.cat([_normalized(luminance), hints], 1))
        two = self.model2(one[:, :, ::2, ::2])
        three = self.model3(two[:, :, ::2, ::2])
        x = self.model4(three[:, :, ::2, ::2])
        for block in (self.model5, self.model6, self.model7):
            x = block(x)
        x = self.model8(self.model8up(x) + self.model3short8(three))
        x = self.model9(self.model9up(x) + self.model2short9(two))
        x = self.model10(self.model10up(x) + self.model1short10(one))
        return self.model_out(x) * AB_SCALE  # type: ignore[no-any-return]


def _up(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1))


def _short(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1))
