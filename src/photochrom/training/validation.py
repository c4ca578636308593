"""How a network in training colors photos: pictures to look at, and its gain over grey in dB."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn

from photochrom.color import luminance, merge, neutralize, quantize, white
from photochrom.evaluation.metrics import psnr
from photochrom.training.networks.photochrom import Photochrom
from photochrom.training.resizing import resize, square
from photochrom.training.samples import WholeConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from photochrom.training.networks import Network
    from photochrom.training.photos import PhotoSet
    from photochrom.training.samples import SampleConfig

    Picture = NDArray[np.uint8]

MULTIPLE = 32
_FLOOR = 1e-15  # of the MSE, so that a picture that equals its truth has a PSNR
CELL = 192  # px: the height of a picture on a sheet


class _Colored(NamedTuple):
    """A photo without its color, as the network colored it, and as it was; each (H, W, 3) uint8."""

    grey: Picture
    colored: Picture
    true: Picture


def pictures(photos: PhotoSet, numbers: Sequence[int], config: SampleConfig) -> list[Picture]:
    """Photos as the network should see them when nothing is random: center squares, or the whole."""
    chosen = [np.ascontiguousarray(photos[number]) for number in numbers]
    if isinstance(config, WholeConfig):
        return chosen
    return [square(photo, config.size) for photo in chosen]


@torch.no_grad()
def color(network: Network, true: Picture, device: torch.device) -> _Colored:
    """One photo through the network, without hints; L* stays the photo's own."""
    neutral = neutralize(true)
    grey = quantize(neutral / white(neutral.dtype))
    plane = torch.from_numpy(luminance(grey))[None, None].to(device)
    height, width = plane.shape[2:]
    if isinstance(network, Photochrom):
        padding = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        padded = nn.functional.pad(plane, padding, mode="replicate")
        hints = padded.new_zeros(1, 3, *padded.shape[2:])
        spread = padded.new_zeros(1, 9, padded.shape[2] // 4, padded.shape[3] // 4)
        p = network(padded, hints, spread).logits.float().softmax(1)
        coarse = torch.einsum("bqhw,qc->bchw", p, network.ab_bins)
        ab = nn.functional.interpolate(coarse, size=padded.shape[2:], mode="bilinear", align_corners=False)
    else:
        ab = network(plane).float()
    planes = np.ascontiguousarray(ab[0, :, :height, :width].permute(1, 2, 0).cpu().numpy())
    before, after = (np.asarray(rgb, np.uint8) for rgb in (np.dstack([grey] * 3), merge(grey, planes)))
    return _Colored(before, after, true)


def gain(results: Sequence[_Colored]) -> float:
    """Mean PSNR of the colored pictures less that of the grey ones, in dB."""
    return float(np.mean([psnr(r.colored, r.true, _FLOOR) - psnr(r.grey, r.true, _FLOOR) for r in results]))


def sheet(results: Sequence[_Colored]) -> Picture:
    """Rows of before, after and truth, two photos beside each other: one picture (H, W, 3)."""
    rows = [np.concatenate([_cell(picture) for picture in result], axis=1) for result in results]
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 4), (0, width - row.shape[1] + 8), (0, 0)), constant_values=255) for row in rows]
    half = (len(rows) + 1) // 2
    if len(rows) % 2 and len(rows) > 1:
        rows.append(np.full_like(rows[0], 255))
    columns = [np.concatenate(rows[:half]), np.concatenate(rows[half:])] if len(rows) > 1 else rows
    return np.concatenate(columns, axis=1)


def _cell(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    small = resize(picture, CELL, max(1, round(width * CELL / height)))
    return np.pad(small, ((0, 0), (0, 4), (0, 0)), constant_values=255)
