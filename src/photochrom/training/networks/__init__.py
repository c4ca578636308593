"""Networks by name: what a recipe can ask for and what a checkpoint says it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photochrom.color import ab_bins
from photochrom.training.networks.photochrom import Photochrom, PhotochromOptions
from photochrom.training.networks.seed import (
    Alpha,
    AlphaOptions,
    Beta,
    BetaOptions,
    Fusion,
    FusionOptions,
    SeedNetwork,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NetworkOptions = AlphaOptions | BetaOptions | FusionOptions | PhotochromOptions
Network = Photochrom | SeedNetwork

NETWORK_KINDS: dict[str, type[NetworkOptions]] = {
    "alpha": AlphaOptions,
    "beta": BetaOptions,
    "fusion": FusionOptions,
    "photochrom": PhotochromOptions,
}


def _photochrom(options: PhotochromOptions) -> Photochrom:
    import torch

    from photochrom.training.networks.efficientnet import encoder_weights

    network = Photochrom()
    network.ab_bins.copy_(torch.from_numpy(ab_bins()))
    if options.pretrained:
        network.encoder.load_state_dict(encoder_weights(), strict=False)  # all but the hints' convolution
    return network


_BUILDERS: dict[type[NetworkOptions], Callable[[Any], Network]] = {
    AlphaOptions: Alpha,
    BetaOptions: Beta,
    FusionOptions: Fusion,
    PhotochromOptions: _photochrom,
}


def build(options: NetworkOptions) -> Network:
    """A fresh network; its random weights come from torch's generator."""
    return _BUILDERS[type(options)](options)


def name_of(options: NetworkOptions) -> str:
    """The name under which a recipe asks for this network."""
    return next(name for name, cls in NETWORK_KINDS.items() if cls is type(options))
