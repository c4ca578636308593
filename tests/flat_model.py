"""A model of one color, stored as an import does: for tests of what other models can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
import pytest
from onnx import TensorProto, helper

from photochrom.models import Card
from photochrom.models.card import SizeRule, write_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def store_flat(folder: Path, ab: tuple[float, float], side: int, licence: str) -> Card:
    """Store a model of one color in its folder, as an import does."""
    sides = [1, 1, "h", "w"]
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["luminance", "zero"], ["none"]),
            helper.make_node("Add", ["none", "color"], ["ab"]),
        ],
        "flat",
        [helper.make_tensor_value_info("luminance", TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info("ab", TensorProto.FLOAT, [1, 2, "h", "w"])],
        [
            helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
            helper.make_tensor("color", TensorProto.FLOAT, [1, 2, 1, 1], ab),
        ],
    )
    folder.mkdir(exist_ok=True)
    path = folder / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    size = SizeRule(side, 4, square=True)
    return write_card(path, Card(folder.name, "ab", False, licence, size=size, stride=1, mirror=False))


@pytest.fixture(scope="session")
def flat_model() -> Callable[..., Card]:
    """flat_model(folder, ab, side, licence): a model of the folder's name."""
    return store_flat
