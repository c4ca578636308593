"""Take back a share of the rebalancing that a network was trained with: python weights/calibrate.py --help.

A network trained with class weights w answers with prior × w; subtracting share · log w from the head's
bias takes that share back. The share was chosen on validation (docs/model-development.md).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from photochrom.color import ab_bins
from photochrom.training.checkpoints import load_weights, save_weights
from photochrom.training.losses import rebalancing
from photochrom.training.photos import colour_counts, load_photos


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, help="safetensors of the default network, as trained")
    parser.add_argument("target", type=Path, help="safetensors to write")
    parser.add_argument("--data", type=Path, required=True, help="the photos it was trained on")
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--smoothing", type=float, default=0.5, help="λ of the recipe's [loss]")
    options = parser.parse_args()
    counts = colour_counts(load_photos(options.data, 192, Path("runs/cache")), ab_bins(), 2000)
    weights, metadata = load_weights(options.weights)
    logs = torch.log(torch.from_numpy(rebalancing(counts / counts.sum(), options.smoothing)))
    weights["head.bias"] -= options.share * logs
    save_weights(options.target, weights, metadata)
    print(options.target)


if __name__ == "__main__":
    main()
