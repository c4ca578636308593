"""Make the probabilities of a trained network mean what they say: python weights/calibrate.py --help.

A network trained with class weights w answers with prior × w; subtracting share · log w from the head's
bias takes that share back. Dividing the head by a temperature tells how sure it may be (Guo et al. 2017, "On
calibration of modern neural networks"). Both were chosen on validation (docs/model-development.md).
`--undo` goes back to the weights as they were trained, to train on from them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from photochrom.color import ab_bins
from photochrom.training.checkpoints import load_weights, save_weights
from photochrom.training.losses import rebalancing
from photochrom.training.photos import color_counts, load_photos

SIDE = 160  # px: as they are trained on, and so in the cache


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, help="safetensors of the default network, as trained")
    parser.add_argument("target", type=Path, help="safetensors to write")
    parser.add_argument("--data", type=Path, required=True, help="the photos it was trained on")
    parser.add_argument("--share", type=float, default=0.6)
    parser.add_argument("--temperature", type=float, default=1.1)
    parser.add_argument("--undo", action="store_true", help="from calibrated weights to weights as trained")
    parser.add_argument("--smoothing", type=float, default=0.5, help="λ of the recipe's [loss]")
    options = parser.parse_args()
    counts = color_counts(load_photos(options.data, SIDE, Path("runs/cache")), ab_bins(), 3000)
    weights, metadata = load_weights(options.weights)
    logs = torch.log(torch.from_numpy(rebalancing(counts / counts.sum(), options.smoothing)))
    rebalanced = options.share * logs
    if options.undo:
        weights["head.weight"] *= options.temperature
        weights["head.bias"] = weights["head.bias"] * options.temperature + rebalanced
    else:
        weights["head.weight"] /= options.temperature
        weights["head.bias"] = (weights["head.bias"] - rebalanced) / options.temperature
    save_weights(options.target, weights, metadata)
    print(options.target)


if __name__ == "__main__":
    main()
