"""From trained weights to the model that people use: ONNX, weights stored as fp16, computed in fp32."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file

from photochrom.errors import CheckpointError, ModelError
from photochrom.models.card import Card, SizeRule, write_card
from photochrom.models.session import load
from photochrom.training.networks.photochrom import Photochrom

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PARITY = 0.5  # the largest |Δab| between torch and the exported graph
PARITY_SIZES = ((128, 160), (256, 256), (32, 320), (352, 224))


def load_network(weights: Mapping[str, torch.Tensor]) -> Photochrom:
    """The default network with these weights, in evaluation mode. Raises CheckpointError on any mismatch."""
    network = Photochrom()
    try:
        network.load_state_dict({key: value.float() for key, value in weights.items()})
    except RuntimeError as error:
        msg = f"these weights are not of the default network: {str(error).splitlines()[1].strip()}"
        raise CheckpointError(msg) from None
    return network.eval()


def export(weights: Mapping[str, torch.Tensor], target: Path, card: Card) -> Card:
    """Write `target` (.onnx) and its card; raises ModelError where the graph and torch disagree."""
    network = load_network({key: half_precise(key, value) for key, value in weights.items()})
    graph(network, target)
    bins = network.ab_bins.numpy()
    card = write_card(target, Card(**{**card.__dict__, "bins": tuple(map(tuple, bins.tolist()))}))
    difference = parity(network, target)
    if difference > PARITY:
        msg = f"the exported graph differs from torch by {difference:.2f} in ab (at most {PARITY} is accepted)"
        raise ModelError(msg)
    return card


def half_precise(key: str, value: torch.Tensor) -> torch.Tensor:
    """The value that storing as fp16 leaves, so that parity compares like with like."""
    return value if "running_var" in key else value.half().float()


def graph(network: Photochrom, target: Path) -> None:
    """Trace the network with dynamic sides and halve its stored weights."""
    batch, height, width = (torch.export.Dim(name) for name in ("batch", "rows", "columns"))
    shapes: dict[str, Any] = {
        "luminance": {0: batch, 2: 32 * height, 3: 32 * width},
        "hints": {0: batch, 2: 32 * height, 3: 32 * width},
        "spread": {0: batch, 2: 8 * height, 3: 8 * width},
    }
    inputs = torch.zeros(2, 1, 128, 160), torch.zeros(2, 3, 128, 160), torch.zeros(2, 9, 32, 40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about itself
        program = torch.onnx.export(
            network,
            inputs,
            dynamo=True,
            dynamic_shapes=shapes,
            input_names=list(shapes),
            output_names=["logits", "features"],
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    halve_weights(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(target))


def halve_weights(model: onnx.ModelProto, smallest: int = 256) -> None:
    """Store float32 initialisers as fp16 behind a Cast; ONNX Runtime folds the casts while loading."""
    casts = []
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or array.size < smallest:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float16), f"{name}.fp16"))
        casts.append(helper.make_node("Cast", [f"{name}.fp16"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for info in list(model.graph.value_info):  # stale types of the cast tensors
        model.graph.value_info.remove(info)


@torch.no_grad()
def parity(network: Photochrom, target: Path) -> float:
    """The largest |Δab| of the mean colour between torch and the graph, over several sizes."""
    session = load(target)
    bins = network.ab_bins.numpy()
    random = np.random.default_rng(0)
    worst = 0.0
    for height, width in PARITY_SIZES:
        luminance = random.uniform(0, 100, (1, 1, height, width)).astype(np.float32)
        hints = random.uniform(-0.5, 0.5, (1, 3, height, width)).astype(np.float32)
        hints[:, 2] = random.random((height, width)) < 0.01
        hints[:, :2] *= hints[:, 2:]
        spread = random.uniform(-0.3, 0.3, (1, 9, height // 4, width // 4)).astype(np.float32)
        ours = network(*(torch.from_numpy(x) for x in (luminance, hints, spread))).logits.numpy()
        theirs = session.run("logits", luminance=luminance, hints=hints, spread=spread)
        worst = max(worst, float(np.abs(mean_ab(ours, bins) - mean_ab(theirs, bins)).max()))
    return worst


def mean_ab(logits: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """(B, Q, h, w) -> (B, 2, h, w): the mean of the distribution."""
    p = np.exp(logits - logits.max(1, keepdims=True))
    return np.einsum("bqhw,qc->bchw", p / p.sum(1, keepdims=True), bins)


def export_file(weights: Path, target: Path, card: Card) -> Card:
    """`export` of a safetensors file."""
    return export(load_file(weights), target, card)


def default_card(**training: Any) -> Card:
    """The card of the default network before its bins and hash are filled in."""
    return Card(
        name="photochrom",
        head="bins",
        supports_hints=True,
        licence="Apache-2.0",
        description="EfficientNet-Lite0 U-Net, 3.8 M parameters, hints as spread evidence (docs/model-card.md)",
        bins=((0.0, 0.0),),
        size=SizeRule(),
        training=training,
    )
