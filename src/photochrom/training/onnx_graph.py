"""Networks as ONNX graphs: dynamic sides, weights stored as fp16, computed in fp32."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from photochrom.models.session import load
from photochrom.training.networks.photochrom import Photochrom
from photochrom.training.networks.seed import AB_RANGE, SeedNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.training.networks import Network

SIZES = ((128, 160), (256, 256), (32, 320), (352, 224))  # at which a graph is compared with torch


class Chroma(nn.Module):
    """A seed network without its padding: the session pads, as the card's size rule says."""

    def __init__(self, network: SeedNetwork):
        super().__init__()
        self.network = network

    def forward(self, luminance: Tensor) -> Tensor:
        return self.network.chroma(luminance) * AB_RANGE


class Answer(nn.Module):
    """The default network's outputs at run time."""

    def __init__(self, network: Photochrom):
        super().__init__()
        self.network = network

    def forward(self, luminance: Tensor, hints: Tensor, spread: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.network(luminance, hints, spread)[:3]  # type: ignore[no-any-return]


def write_graph(network: Network, target: Path, *, half: bool = True) -> None:
    """Trace a network in evaluation mode and write it as ONNX; `half` stores its weights as fp16."""
    hinted = isinstance(network, Photochrom)
    model = Answer(network) if isinstance(network, Photochrom) else Chroma(network)
    inputs = {"luminance": torch.zeros(2, 1, 128, 160)}
    if hinted:
        inputs |= {"hints": torch.zeros(2, 3, 128, 160), "spread": torch.zeros(2, 9, 32, 40)}
    graph = trace(model, inputs, ["logits", "features", "details"] if hinted else ["ab"], 32 if hinted else 8)
    if half:
        _halve_weights(graph)
    onnx.checker.check_model(graph)
    target.write_bytes(graph.SerializeToString())


def trace(
    model: nn.Module,
    inputs: dict[str, Tensor],
    outputs: Sequence[str],
    multiple: int,
    *,
    optimize: bool = True,
) -> onnx.ModelProto:
    """The graph of a network for sides that are multiples; the batch is free where the examples hold two.

    `spread` has a quarter of the other inputs' sides. optimize: fold constants now, which takes minutes where
    there are many; ONNX Runtime does so anyway when it loads the graph.
    """
    batch, height, width = (torch.export.Dim(name) for name in ("batch", "rows", "columns"))
    shapes: dict[str, Any] = {}
    for name, example in inputs.items():
        step = multiple // 4 if name == "spread" else multiple
        shapes[name] = {2: step * height, 3: step * width} | ({0: batch} if len(example) > 1 else {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about itself …
        for name in ("torch.onnx", "onnxscript", "onnx_ir"):  # … and that torchvision is not there
            logging.getLogger(name).setLevel(logging.ERROR)
        program = torch.onnx.export(
            model.eval(),
            tuple(inputs.values()),
            dynamo=True,
            dynamic_shapes=shapes,
            input_names=list(inputs),
            output_names=list(outputs),
            optimize=optimize,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def _halve_weights(model: onnx.ModelProto, smallest: int = 256) -> None:
    """Store float32 initializers as fp16 behind a Cast; ONNX Runtime folds the casts while loading."""
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
def parity(network: Network, target: Path) -> float:
    """The largest |Δab| between torch and the graph, over several sizes and random inputs."""
    session = load(target)
    random = np.random.default_rng(0)
    worst = 0.0
    for height, width in SIZES:
        inputs = random_inputs(random, height, width, hinted=isinstance(network, Photochrom))
        ours = network(*(torch.from_numpy(value) for value in inputs.values()))
        if isinstance(network, Photochrom):
            bins = network.ab_bins.numpy()
            expected = mean_ab(ours.logits.numpy(), bins)
            found = mean_ab(session.run("logits", **inputs), bins)
        else:
            expected, found = ours.numpy(), session.run("ab", **inputs)
        worst = max(worst, float(np.abs(expected - found).max()))
    return worst


def random_inputs(
    random: np.random.Generator, height: int, width: int, *, hinted: bool
) -> dict[str, NDArray[np.float32]]:
    """Inputs of the graph by name: smooth random luminance, and hints at 1 % of the pixels."""
    coarse = torch.from_numpy(random.uniform(0, 100, (1, 1, height // 8, width // 8)))
    luminance = nn.functional.interpolate(coarse, (height, width), mode="bilinear").numpy().astype(np.float32)
    if not hinted:
        return {"luminance": luminance}
    hints = random.uniform(-0.5, 0.5, (1, 3, height, width)).astype(np.float32)
    hints[:, 2] = random.random((height, width)) < 0.01
    hints[:, :2] *= hints[:, 2:]
    spread = random.uniform(-0.3, 0.3, (1, 9, height // 4, width // 4)).astype(np.float32)
    return {"luminance": luminance, "hints": hints, "spread": spread}


def mean_ab(logits: NDArray[np.float32], bins: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B, Q, h, w) -> (B, 2, h, w): the mean of the distribution."""
    p = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(np.einsum("bqhw,qc->bchw", p / p.sum(1, keepdims=True), bins))
