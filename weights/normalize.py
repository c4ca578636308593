"""Measure the batch norms' statistics of averaged weights anew: python weights/normalize.py --help.

Means and variances that were averaged with the weights are not those of the mean network's activations
(Izmailov et al. 2018, "Averaging weights leads to wider optima", 3.1): it answers too palely. What it brought
is in docs/model-development.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from calibrate import SIDE
from torch import nn

from photochrom.training import recipe as recipes
from photochrom.training.checkpoints import save_weights
from photochrom.training.export import load_network, metadata_of
from photochrom.training.loader import collate
from photochrom.training.photos import load_photos
from photochrom.training.samples import make_sample
from photochrom.training.tasks import inputs_of

SAMPLES = ("samples.size=192", "samples.crop.smallest=0.8")  # nearly whole photos, as they are colored


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, help="safetensors of the default network")
    parser.add_argument("target", type=Path, help="safetensors to write")
    parser.add_argument("--data", type=Path, required=True, help="the photos it was trained on")
    parser.add_argument("--photos", type=int, default=1440)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    config = recipes.load("photochrom", SAMPLES).samples
    photos = load_photos(options.data, SIDE, Path("runs/cache"))
    network, network_options = load_network(options.weights)
    network = network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # the plain mean of all batches
    numbers = np.linspace(0, len(photos) - 1, options.photos).astype(int)
    with torch.no_grad():
        for batch in np.array_split(numbers, options.photos // 24):
            samples = [make_sample(photos[number], config, np.random.default_rng(number)) for number in batch]
            network(*inputs_of(collate(samples)))
    save_weights(options.target, network.state_dict(), metadata_of(network_options))
    print(options.target)


if __name__ == "__main__":
    main()
