"""What a graph needs around it to speak our language: `luminance` and `hints` in, `ab` out, at any size.

The pieces are ONNX nodes in the standard's text form (onnx.parser); they need opset 13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
from onnx import TensorProto, compose, helper, parser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SIDES = """
    shape = Shape (luminance)
    two = Constant <value = int64[1] {2}> ()
    four = Constant <value = int64[1] {4}> ()
    sides = Slice (shape, two, four)
"""


def framed(
    model: onnx.ModelProto, before: str, after: str, fed: Mapping[str, str], answer: str, *, hinted: bool
) -> onnx.ModelProto:
    """A graph with nodes before and after it, which takes L* (and hints) of any size and gives ab.

    before, after: one node a line; `luminance`, `hints` and `sides` (h, w) may be used. fed: the graph's
    inputs and the names of what they get; answer: the graph's output, which `after` knows as `answered` and
    turns into `ab` (1, 2, h, w).
    """
    core = compose.add_prefix_graph(model.graph, "net.")
    feeding = [helper.make_node("Identity", [name], [f"net.{own}"]) for own, name in fed.items()]
    answering = helper.make_node("Identity", [f"net.{answer}"], ["answered"])
    nodes = [*_nodes(_SIDES + before), *feeding, *core.node, answering, *_nodes(after)]
    graph = helper.make_graph(
        nodes,
        "photochrom",
        [_tensor("luminance", 1), *([_tensor("hints", 3)] if hinted else [])],
        [_tensor("ab", 2)],
        core.initializer,
    )
    made = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    made.functions.extend(model.functions)
    return made


def _nodes(text: str) -> list[onnx.NodeProto]:
    return [parser.parse_node(line) for line in text.splitlines() if line.strip()]


def _tensor(name: str, channels: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, "height", "width"])


def any_size(model: onnx.ModelProto, multiple: int, inputs: Sequence[str]) -> onnx.ModelProto:
    """A graph for sides that are multiples, made to take any: edges are repeated, and cropped back."""
    before = f"""
        multiple = Constant <value = int64[1] {{{multiple}}}> ()
        under = Neg (sides)
        missing = Mod (under, multiple)
        begin = Constant <value = int64[4] {{0, 0, 0, 0}}> ()
        corner = Constant <value = int64[2] {{0, 0}}> ()
        pads = Concat <axis = 0> (begin, corner, missing)
    """
    before += "".join(f'{name}_padded = Pad <mode = "edge"> ({name}, pads)\n' for name in inputs)
    after = """
        rows_and_columns = Constant <value = int64[2] {2, 3}> ()
        ab = Slice (answered, corner, sides, rows_and_columns)
    """
    fed = {name: f"{name}_padded" for name in inputs}
    return framed(model, before, after, fed, "ab", hinted="hints" in inputs)
