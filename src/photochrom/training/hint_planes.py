"""Hints of a whole batch, drawn and spread on the device that trains.

What `photochrom.raster.rasterize` and `photochrom.raster.spread` make of one photo's hints, made for many
photos at once: it is a third of the work of a sample, and nothing to a GPU. Marks are `Hinted.marks`, filled
up to the same number in every photo with boxes of no size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from photochrom.color import AB_SCALE
from photochrom.raster import FLOOR, REACHES, STRIDE

if TYPE_CHECKING:
    from torch import Tensor


def draw(marks: Tensor, cover: Tensor) -> Tensor:
    """`hints` (B, 3, S, S) of marks (B, n, 7) where `cover` (B, S, S) names the one that covers a pixel."""
    batch, height, width = cover.shape
    values = functional.pad(_values(marks), (0, 0, 1, 0))  # number 0: no hint
    drawn = values.gather(1, cover.long().flatten(1)[..., None].expand(-1, -1, 3))
    return drawn.transpose(1, 2).reshape(batch, 3, height, width)


def spread(marks: Tensor, luminance: Tensor) -> Tensor:
    """`spread` (B, 9, S/4, S/4) of marks (B, n, 7) on the L* that the network is given (B, 1, S, S)."""
    cells = functional.avg_pool2d(luminance, STRIDE)[:, 0]  # (B, h, w)
    batch, height, width = cells.shape
    corners, level = marks[..., :4], marks[..., 4]
    there = (corners[..., 2] > corners[..., 0]).float()
    y, x = ((corners[..., :2] + corners[..., 2:]) / (2 * STRIDE)).unbind(-1)  # (B, n)
    dy = (torch.arange(height, device=cells.device) + 0.5)[:, None] - y[:, None]  # (B, h, n)
    dx = (torch.arange(width, device=cells.device) + 0.5)[:, None] - x[:, None]
    distance = (dy.square()[:, :, None] + dx.square()[:, None]).flatten(1, 2)  # (B, hw, n)
    difference = (cells.reshape(batch, -1, 1) - level[:, None]).square()
    values = _values(marks) * there[..., None]
    channels = []
    for share, tolerance in REACHES:
        fall = distance * (-0.5 / (share * min(height, width)) ** 2)
        kernel = fall.add_(difference, alpha=-0.5 / tolerance**2).exp_()
        sums = kernel @ values  # (B, hw, 3)
        channels.append(sums / (sums[..., 2:] + FLOOR))
    return torch.cat(channels, 2).transpose(1, 2).reshape(batch, -1, height, width)


def _values(marks: Tensor) -> Tensor:
    """a/110, b/110 and 1 of marks (B, n, 7): (B, n, 3)."""
    return torch.cat([marks[..., 5:] / AB_SCALE, torch.ones_like(marks[..., :1])], 2)
