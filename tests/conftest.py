"""Settings of all tests: no deadlines on shared machines, figures without a screen; object storage."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from tests.object_storage import aws, rough, s3  # noqa: F401 (fixtures)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a background job's; children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile(
    "photochrom", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("photochrom")


@pytest.fixture(scope="session")
def constant_model() -> Callable[[Path], None]:
    """Makes a model of its folder's name that gives every place one color and has no distribution."""
    return _constant_model


def _constant_model(folder: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    from photochrom.models import Card
    from photochrom.models.card import SizeRule, write_card

    folder.mkdir(parents=True)
    shape = [1, 1, "h", "w"]
    nodes = [
        helper.make_node("Mul", ["luminance", "zero"], ["none"]),
        helper.make_node("Add", ["none", "color"], ["ab"]),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("luminance", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("ab", TensorProto.FLOAT, [1, 2, "h", "w"])],
        [
            helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
            helper.make_tensor("color", TensorProto.FLOAT, [1, 2, 1, 1], [30.0, -20.0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, folder / "model.onnx")
    card = Card(folder.name, "ab", supports_hints=False, licence="CC BY-NC 4.0", size=SizeRule(short=64))
    write_card(folder / "model.onnx", card)
