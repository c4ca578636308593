"""From trained weights to the model that people use: an ONNX graph and its card."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch

from photochrom import documents
from photochrom.errors import CheckpointError, ModelError, RecipeError
from photochrom.models.card import Card, SizeRule, card_path, write_card
from photochrom.training.checkpoints import fill, halved, load_weights
from photochrom.training.networks import NETWORK_KINDS, NetworkOptions, build, name_of
from photochrom.training.networks.photochrom import Photochrom, PhotochromOptions
from photochrom.training.onnx_graph import parity, write_graph
from photochrom.training.recipe import to_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from photochrom.training.networks import Network

PARITY = 0.5  # the largest accepted |Δab| between torch and the exported graph

_DESCRIPTIONS = {
    "alpha": "The article's first network: it memorizes one photo",
    "beta": "The article's second network, 3×3 convolutions trained on many photos",
    "fusion": "The article's full network: features joined with a classifier's class scores",
    "photochrom": "EfficientNet-Lite0 U-Net, 3.8 M parameters, hints spread along edges (docs/model-card.md)",
}
SIZES = {
    "alpha": SizeRule(short=400, multiple=8),
    "beta": SizeRule(short=256, multiple=8),
    "fusion": SizeRule(short=256, multiple=8),
    "photochrom": SizeRule(),
}


def export(network: Network, target: Path, card: Card) -> Card:
    """Write `target` (.onnx) and its card; raises ModelError where the graph and torch disagree."""
    network = network.cpu().eval()
    stored = {key: halved(key, value).to(value) for key, value in network.state_dict().items()}
    network.load_state_dict(stored)  # so that parity compares like with like
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        partial = Path(folder) / target.name
        for half in (True, False):  # networks that react too sharply to rounded weights keep theirs whole
            write_graph(network, partial, half=half)
            written = write_card(partial, _with_bins(card, network))
            difference = parity(network, partial)
            if difference <= PARITY:
                break
        if not difference <= PARITY:
            raise ModelError(
                f"the exported graph differs from torch by {difference:.2f} in ab: more than {PARITY}"
            )
        partial.replace(target)
        card_path(partial).replace(card_path(target))
    return written


def _with_bins(card: Card, network: Network) -> Card:
    if not isinstance(network, Photochrom):
        return card
    bins = tuple((float(a), float(b)) for a, b in network.ab_bins.tolist())
    return dataclasses.replace(card, bins=bins)


def make_card(name: str, kind: str, training: Mapping[str, Any], short: int = 0) -> Card:
    """The card of a network of this kind before its bins and hash are filled in.

    short: the short side at which it sees photos, px; 0 for what is usual for its kind.
    """
    hinted = kind == "photochrom"
    return Card(
        name=name,
        head="bins" if hinted else "ab",
        supports_hints=hinted,
        licence="Apache-2.0",
        description=_DESCRIPTIONS[kind],
        stride=4 if hinted else 1,
        size=dataclasses.replace(SIZES[kind], short=short or SIZES[kind].short),
        mirror=hinted,
        training=dict(training),
    )


def metadata_of(options: NetworkOptions) -> dict[str, str]:
    """What a safetensors file says about its network, so that it can be built again."""
    table = documents.dump(options)
    return {"architecture": name_of(options), "network": to_toml(table)}


def options_of(weights: Mapping[str, Tensor], metadata: Mapping[str, str], source: str) -> NetworkOptions:
    """The network that weights belong to: by name, or where no name is given by the weights' own names."""
    name = metadata.get("architecture") or recognize(weights)
    if name not in NETWORK_KINDS:
        raise CheckpointError(
            f"{source} holds no network of photochrom's: its names fit none of {', '.join(NETWORK_KINDS)}"
        )
    table = tomllib.loads(metadata.get("network", ""))
    options: NetworkOptions = documents.parse(NETWORK_KINDS[name], table, f"{source}: network.", RecipeError)
    if isinstance(options, PhotochromOptions):
        options = dataclasses.replace(options, pretrained=False)
    return options


def recognize(weights: Mapping[str, Tensor]) -> str:
    """The kind of network whose weights have these names and shapes; empty where none has."""
    if "encoder.stem.conv.weight" in weights:
        return "photochrom"
    if "fusion.0.weight" in weights:
        return "fusion"
    first = weights.get("layers.0.weight", torch.empty(0)).shape[:1]
    return {8: "alpha", 64: "beta"}.get(first[0] if first else 0, "")


def load_network(source: Path) -> tuple[Network, NetworkOptions]:
    """The trained network of a run's folder, a checkpoint or a safetensors file, in evaluation mode.

    Raises CheckpointError where the weights are of no network known here.
    """
    weights, metadata = load_weights(source)
    options = options_of(weights, metadata, str(source))
    network = build(options)
    fill(network, weights, str(source), name_of(options))
    return network.eval(), options


def export_file(source: Path, target: Path, card: Card | None = None) -> Card:
    """`export` of a run's folder, a checkpoint or a safetensors file."""
    network, options = load_network(source)
    return export(network, target, card or make_card(target.stem, name_of(options), {}))
