"""Color a photo with a neural network, in a hundred lines.

The first network of Emil Wallner's "Colorizing B&W photos with neural networks" (2017): it is shown
the luminance of one photo again and again until it knows which colors belong on it.

    python examples/hundred_lines.py examples/astronaut.jpg

writes img_result.png, the luminance with the colors the network has learned, and img_gray_scale.png.
Needs torch, and photochrom for the color science. Everything larger that Photochrom does begins here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from photochrom.color import luminance, merge, neutralize, quantize, rgb_to_lab, white

AB_RANGE = 128  # the network answers with tanh, in -1..1; a* and b* lie in -128..127


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A 3x3 convolution that keeps the size, or halves it at stride 2 (padded right and bottom)."""
    layer = nn.Conv2d(inputs, outputs, 3, stride, padding=0)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    border = (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1)
    return nn.Sequential(nn.ZeroPad2d(border), layer)


def network() -> nn.Sequential:
    """Luminance (1, 1, H, W) in, a* and b* over 128 out (1, 2, H, W); H and W are multiples of 8."""
    widths = [(1, 8, 2), (8, 8, 1), (8, 16, 1), (16, 16, 2), (16, 32, 1), (32, 32, 2)]
    layers: list[nn.Module] = []
    for inputs, outputs, stride in widths:  # down: what is in the picture?
        layers += [conv(inputs, outputs, stride), nn.ReLU()]
    for inputs, outputs in [(32, 32), (32, 16)]:  # up: where does its color go?
        layers += [nn.Upsample(scale_factor=2), conv(inputs, outputs), nn.ReLU()]
    layers += [nn.Upsample(scale_factor=2), conv(16, 2), nn.Tanh()]
    return nn.Sequential(*layers)


def load(path: Path, side: int) -> np.ndarray:
    """The photo as (H, W, 3) uint8, its short side `side`, both sides multiples of 8."""
    image = Image.open(path).convert("RGB")
    scale = side / min(image.size)
    width, height = (max(8, round(n * scale / 8) * 8) for n in image.size)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def train(light: torch.Tensor, color: torch.Tensor, epochs: int) -> nn.Module:
    """Learn to answer `light` (1, 1, H, W) with `color` (1, 2, H, W)."""
    model = network()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
    for epoch in range(1, epochs + 1):
        loss = functional.mse_loss(model(light), color)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"epoch {epoch}/{epochs}  loss {loss.item():.6f}", flush=True)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description="Teach a small network the colors of one photo.")
    parser.add_argument("photo", type=Path)
    parser.add_argument("--epochs", type=int, default=3000)
    parser.add_argument("--side", type=int, default=400, help="the short side to work at, px")
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args()
    torch.manual_seed(0)

    rgb = load(options.photo, options.side)
    lab = torch.from_numpy(rgb_to_lab(rgb)).permute(2, 0, 1)[None]  # (1, 3, H, W)
    light, color = lab[:, :1], lab[:, 1:] / AB_RANGE
    model = train(light, color, options.epochs)

    neutral = neutralize(rgb)
    grey = quantize(neutral / white(neutral.dtype))  # 8 bits: from here on, all that is known of the photo
    with torch.no_grad():
        answer = model(torch.from_numpy(luminance(grey))[None, None])
    print(f"evaluation: loss {functional.mse_loss(answer, color).item():.6f}")
    ab = (answer[0].permute(1, 2, 0) * AB_RANGE).contiguous().numpy()
    options.out.mkdir(parents=True, exist_ok=True)
    Image.fromarray(merge(grey, ab)).save(options.out / "img_result.png")
    Image.fromarray(grey).save(options.out / "img_gray_scale.png")


if __name__ == "__main__":
    main()
