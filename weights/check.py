"""Write what weights/photochrom.safetensors answers to fixed inputs: python weights/check.py

A test compares the network's code with that file; write it anew whenever the weights change.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from photochrom.training.export import load_network
from photochrom.training.onnx_graph import random_inputs

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "weights" / "photochrom.safetensors"
CHECK = ROOT / "tests" / "training" / "check.npz"


def main() -> None:
    network, _ = load_network(WEIGHTS)
    inputs = random_inputs(np.random.default_rng(0), 32, 64, hinted=True)
    plain = inputs | {name: np.zeros_like(inputs[name]) for name in ("hints", "spread")}
    with torch.no_grad():
        hinted, unhinted = (
            network(*(torch.from_numpy(value) for value in given.values())).logits.numpy()
            for given in (inputs, plain)
        )
    np.savez_compressed(CHECK, **inputs, logits=hinted, logits_without_hints=unhinted)
    print(CHECK)


if __name__ == "__main__":
    main()
