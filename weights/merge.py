"""The mean of two networks' weights, one trained on from the other: python weights/merge.py --help.

The mean keeps what each does better (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"); what
it brought here is in docs/model-development.md. A little of the encoder as ImageNet left it (`--imagenet`)
brings back what it knew of things that are rare here.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.training.checkpoints import load_weights, save_weights
from photochrom.training.networks.efficientnet import encoder_weights

if TYPE_CHECKING:
    from torch import Tensor


def mean(first: Tensor, second: Tensor, share: float) -> Tensor:
    """`share` of the second; integers are the second's."""
    if not second.is_floating_point():
        return second
    return first.lerp(second, share)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path, help="safetensors")
    parser.add_argument("second", type=Path, help="safetensors of the same network")
    parser.add_argument("target", type=Path, help="safetensors to write")
    parser.add_argument("--share", type=float, default=0.5, help="of the second")
    parser.add_argument("--imagenet", type=float, default=0.0, help="of ImageNet's encoder")
    options = parser.parse_args()
    (first, _), (second, metadata) = load_weights(options.first), load_weights(options.second)
    if first.keys() != second.keys():
        parser.error("these are weights of two different networks")
    merged = {name: mean(first[name], value, options.share) for name, value in second.items()}
    for part, value in encoder_weights().items():
        name = f"encoder.{part}"
        if name in merged and value.is_floating_point():
            merged[name] += options.imagenet * (value - first[name])  # the first gives way
    save_weights(options.target, merged, metadata)
    print(options.target)


if __name__ == "__main__":
    main()
