"""Automatic color as one self-contained ONNX graph: a picture in, the colored picture out.

What `photochrom colorize` does around the network is written here once more as ONNX nodes (onnx.parser), so
that a program in any language can use it without Photochrom: tones, working size, reading, edges, gamut. The
tests hold it to `render`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper, parser

from photochrom.color import _EPSILON as EPSILON
from photochrom.color import _FROM_XYZ, LUMINANCE_WEIGHTS
from photochrom.color import _KAPPA as KAPPA
from photochrom.errors import ModelError
from photochrom.levels import _ENDS as ENDS
from photochrom.levels import _FLAT as FLAT
from photochrom.levels import _TAILS as TAILS
from photochrom.models import DEFAULT_VIVIDNESS, find, members
from photochrom.models.readings import _LIGHT as LIGHT
from photochrom.models.readings import _PALE as PALE
from photochrom.training.whole_after import after_network, coloring
from photochrom.training.whole_before import before_network, full_luminance
from photochrom.upsample import _RADIUS as RADIUS
from photochrom.upsample import _TOLERANCE as TOLERANCE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.models import Card

_OPSET = 18


def export_whole(model: str, target: Path) -> Card:
    """Write a model's automatic coloring as one graph: `image` (1, H, W, 3) uint8 -> `colored`, the same.

    Raises UnknownModel, and ModelError for a model that averages others, and for colors averaged over sizes.
    """
    path, card = find(model)
    if members(model) or ((card.mirror or card.sizes) and card.head == "ab"):
        raise ModelError(f"{model} asks networks several times: export one model that does not")
    if any(short > card.size.short for short in card.sizes):
        raise ModelError(f"{model} is shown photos larger than its working size: export one that is not")
    network = onnx.load(path)
    if max(item.version for item in network.opset_import if item.domain == "") < _OPSET:
        network = onnx.version_converter.convert_version(network, _OPSET)
    onnx.save(_whole(network, card), target)
    return card


def _whole(network: onnx.ModelProto, card: Card) -> onnx.ModelProto:
    core = compose.add_prefix_graph(network.graph, "net.")
    asked = _asked(core, card)
    weights = {item.name for item in core.initializer}
    shared = {*_constants(card), *weights, "grey", "sides", "sides_f", "short"}
    further = [_renamed(asked, f"_{short}", shared - {"short_side", "longest"}) for short in card.sizes]
    nodes = [*_nodes(full_luminance()), *asked, *(node for one in further for node in one)]
    nodes += _nodes(coloring(card))
    sides: list[Any] = [1, "height", "width", 3]
    graph = helper.make_graph(
        nodes,
        "photochrom",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, sides)],
        [helper.make_tensor_value_info("colored", TensorProto.UINT8, sides)],
        [*core.initializer, *_used(_constants(card), nodes)],
    )
    made = helper.make_model(graph, opset_imports=network.opset_import, ir_version=network.ir_version)
    made.functions.extend(network.functions)
    helper.set_model_props(made, {"model": card.name, "licence": card.licence, "sha256": card.sha256})
    onnx.checker.check_model(made)
    return made


def _asked(core: onnx.GraphProto, card: Card) -> list[onnx.NodeProto]:
    """The network's answer to the photo at the working size."""
    feeding = {"luminance": "batch", "hints": "no_hints", "spread": "no_spread"}
    fed = [
        helper.make_node("Identity", [feeding[item.name.removeprefix("net.")]], [item.name])
        for item in core.input
    ]
    answer = helper.make_node("Identity", ["net.logits" if card.head == "bins" else "net.ab"], ["answer"])
    before = before_network(card, takes_spread=any(item.name == "net.spread" for item in core.input))
    return [*_nodes(before), *fed, *core.node, answer, *_nodes(after_network(card))]


def _renamed(nodes: list[onnx.NodeProto], suffix: str, shared: set[str]) -> list[onnx.NodeProto]:
    """The same nodes once more, under names of their own but for what is shared."""
    made = []
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        for names in (copy.input, copy.output):
            names[:] = [name if name in shared or not name else name + suffix for name in names]
        copy.name = node.name + suffix if node.name else ""
        made.append(copy)
    return made


def _used(constants: dict[str, NDArray[Any]], nodes: list[onnx.NodeProto]) -> list[onnx.TensorProto]:
    asked = {name for node in nodes for name in node.input}
    return [numpy_helper.from_array(value, name) for name, value in constants.items() if name in asked]


def _nodes(text: str) -> list[onnx.NodeProto]:
    return [parser.parse_node(line) for line in text.splitlines() if line.strip()]


# --- constants -----------------------------------------------------------------------------------


def _constants(card: Card) -> dict[str, NDArray[Any]]:
    scalars = {
        "zero": 0, "one": 1, "half": 0.5, "two_point_four": 2.4, "inverse_gamma": 1 / 2.4, "third": 1 / 3,
        "three": 3, "white": 255, "c12_92": 12.92, "c1_055": 1.055, "c0_055": 0.055, "c16": 16, "c100": 100,
        "c116": 116, "dark_code": 0.04045, "dark_light": 0.0031308, "epsilon": EPSILON, "knee": 6 / 29,
        "kappa": KAPPA, "small": 1e-3, "tiny": 1e-6, "pale": PALE, "vividness": DEFAULT_VIVIDNESS,
        "not_dark": LIGHT, "answers": 1 + len(card.sizes),
        "more_vivid": 1 + DEFAULT_VIVIDNESS, "tolerance": TOLERANCE**2, "flat": FLAT[0],
        "flat_span": FLAT[1] - FLAT[0], "end_dark": ENDS[0], "end_light": ENDS[1],
        "temperature": card.temperature, "short_side": card.size.short,
        "multiple": card.size.multiple, "longest": card.size.longest,
        "most_16": 65535, "still_inside": 1 + 0.25 / 255 / 20, "well_used": 0.96,
        "least": -0.25 / 255 / 12.92, "most": 1 + 0.25 / 255 * 2.4 / 1.055,
        "red_weight": LUMINANCE_WEIGHTS[0], "green_weight": LUMINANCE_WEIGHTS[1],
        "blue_weight": LUMINANCE_WEIGHTS[2],
    }  # fmt: skip
    for short in card.sizes:
        scalars |= {
            f"short_side_{short}": short,
            f"longest_{short}": card.size.longest * short / card.size.short,
        }
    found: dict[str, NDArray[Any]] = {name: np.array(value, np.float32) for name, value in scalars.items()}
    found |= {f"i{n}": np.array([n], np.int64) for n in range(7)} | {"back": np.array([-1], np.int64)}
    found |= {f"j{n}": np.array(n, np.int64) for n in range(2)}
    found |= {f"shape_1{n}": np.array([1, n], np.int64) for n in (1, 2, 3, 4, 9)}
    found |= {f"shape_2{n}": np.array([2, n], np.int64) for n in (3, 9)}
    found["four"] = np.array([4], np.int64)
    found |= {
        "nothing": np.zeros(0, np.float32),
        "tails": np.array(TAILS, np.float32) / 100,
        "y_weights": LUMINANCE_WEIGHTS[:, None].astype(np.float32),
        "square": np.array(card.size.square),
        "square_sides": np.full(2, card.size.short, np.float32),
        "per_xz": np.array([1 / 500, -1 / 200], np.float32).reshape(1, 2, 1, 1),
        "from_xz": _FROM_XYZ[:, ::2].astype(np.float32)[:, :, None, None],
        "begin_left": np.array([RADIUS - 1], np.int64),
        "end_left": np.array([-(1 << 40)], np.int64),
        "end_right": np.array([-RADIUS - 1], np.int64),
    }
    if card.head == "bins":
        bins = np.array(card.bins, np.float32)
        square = (bins * bins).sum(-1)
        weights = np.stack([*bins.T, np.sqrt(square), square])
        found["readings"] = weights[:, :, None, None].astype(np.float32)
    return found
