"""Exported graphs answer what torch answers, and their files can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from photochrom.errors import CheckpointError, ModelError
from photochrom.models.session import load
from photochrom.provenance import file_sha256
from photochrom.training import checkpoints, onnx_graph
from photochrom.training import export as exporting
from photochrom.training.checkpoints import halved
from photochrom.training.export import export, export_file, load_network, make_card, recognize
from photochrom.training.networks import build
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
    from photochrom.training.networks import Network

SHIPPED = Path(__file__).parents[2] / "weights" / "photochrom.safetensors"


def livelier(network: Network) -> Network:
    """With answers large enough to compare: fresh networks say next to nothing."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if not name.startswith("classifier"):
                parameter.mul_(1.3)
    return network.eval()


@pytest.mark.parametrize("make", [Alpha, Beta, Fusion])
def test_seed_networks(make: type[SeedNetwork], tmp_path: Path) -> None:
    torch.manual_seed(0)
    scale = {"scores_scale": 0.1} if make is Fusion else {}  # as in the shipped recipe
    kinds = {Alpha: AlphaOptions, Beta: BetaOptions, Fusion: FusionOptions}
    options = kinds[make](luminance_scale=0.01, **scale)
    network = make(options).eval() if make is Fusion else livelier(make(options))
    kind = make.__name__.lower()
    card = export(network, tmp_path / "model.onnx", make_card("mine", kind, {"photos": 3}))
    assert (card.head, card.supports_hints, card.name, card.training) == ("ab", False, "mine", {"photos": 3})
    session = load(tmp_path / "model.onnx", threads=1)
    for height, width in ((8, 16), (72, 40), (200, 136)):
        plane = np.random.default_rng(0).uniform(0, 100, (1, 1, height, width)).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(plane)).numpy()
        found = session.run("ab", luminance=plane)
        assert found.shape == (1, 2, height, width)
        assert float(np.abs(found - expected).max()) < exporting.PARITY
        assert float(np.abs(found).max()) > 0.01


@pytest.mark.slow
def test_default_network(tmp_path: Path) -> None:
    if SHIPPED.exists():
        card = export_file(SHIPPED, tmp_path / "model.onnx")
    else:
        torch.manual_seed(0)
        network = build(PhotochromOptions(pretrained=False))
        card = export(network, tmp_path / "model.onnx", make_card("model", "photochrom", {}))
    assert card.head == "bins"
    assert len(card.bins) == 244
    network = load_network(SHIPPED)[0] if SHIPPED.exists() else network
    session = load(tmp_path / "model.onnx", threads=1)
    bins = np.array(card.bins, np.float32)
    for height, width in ((32, 64), (160, 96), (96, 224)):
        inputs = onnx_graph.random_inputs(np.random.default_rng(1), height, width, hinted=True)
        with torch.no_grad():
            expected = network(*(torch.from_numpy(value) for value in inputs.values()))
        logits, features, details = session.run_many(["logits", "features", "details"], **inputs)
        assert logits.shape == (1, 244, height // 4, width // 4)
        assert features.shape == (1, 128, height // 16, width // 16)
        assert details.shape == (1, 64, height // 4, width // 4)
        found, wanted = onnx_graph.mean_ab(logits, bins), onnx_graph.mean_ab(expected.logits.numpy(), bins)
        assert float(np.abs(found - wanted).max()) < 0.5
    stored = {tensor.data_type for tensor in onnx.load(tmp_path / "model.onnx").graph.initializer}
    assert TensorProto.FLOAT16 in stored
    assert (tmp_path / "model.onnx").stat().st_size < 9_000_000


def test_a_graph_that_disagrees_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "parity", lambda *_: 0.7)
    monkeypatch.setattr(exporting, "write_graph", lambda _, target, half: target.write_bytes(b"a graph"))
    with pytest.raises(ModelError, match=r"differs from torch by 0\.70"):
        export(Alpha(), tmp_path / "model.onnx", make_card("mine", "alpha", {}))
    assert not list(tmp_path.iterdir())


def test_a_network_that_feels_the_rounding_keeps_its_weights_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, halves = iter([0.7, 0.0]), []

    def write(_: object, target: Path, *, half: bool) -> None:
        halves.append(half)
        target.write_bytes(b"a graph")

    monkeypatch.setattr(exporting, "parity", lambda *_: next(answers))
    monkeypatch.setattr(exporting, "write_graph", write)
    card = export(Alpha(), tmp_path / "model.onnx", make_card("mine", "alpha", {}))
    assert halves == [True, False]
    assert card.sha256 == file_sha256(tmp_path / "model.onnx")


def test_weights_can_be_stored_whole(tmp_path: Path) -> None:
    onnx_graph.write_graph(Alpha().eval(), tmp_path / "model.onnx", half=False)
    stored = {tensor.data_type for tensor in onnx.load(tmp_path / "model.onnx").graph.initializer}
    assert TensorProto.FLOAT16 not in stored


def test_parity_sees_a_difference(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = livelier(Alpha())
    export(network, tmp_path / "model.onnx", make_card("mine", "alpha", {}))
    assert onnx_graph.parity(network, tmp_path / "model.onnx") < 0.05
    with torch.no_grad():
        network.layers[-2].bias += 0.2
    assert onnx_graph.parity(network, tmp_path / "model.onnx") > 5


@given(st.lists(st.floats(-10, 10, width=32), min_size=256, max_size=300))
def test_weights_are_stored_as_fp16_behind_a_cast(values: list[float]) -> None:
    large = numpy_helper.from_array(np.array(values, np.float32), "large")
    small = numpy_helper.from_array(np.array([1 / 3], np.float32), "small")
    node = helper.make_node("Add", ["large", "small"], ["sum"])
    output = helper.make_tensor_value_info("sum", TensorProto.FLOAT, [len(values)])
    model = helper.make_model(helper.make_graph([node], "g", [], [output], [large, small]))
    onnx_graph._halve_weights(model)
    assert [n.op_type for n in model.graph.node] == ["Cast", "Add"]
    kept = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    np.testing.assert_array_equal(kept["large.fp16"], np.array(values, np.float32).astype(np.float16))
    assert kept["small"].dtype == np.float32


def test_half_precision_spares_what_needs_the_range() -> None:
    value = torch.tensor([1e6 / 3])
    assert torch.equal(halved("a.norm.running_var", value), value)
    assert torch.isinf(halved("a.conv.weight", value)).all()
    count = torch.tensor(70_000)
    assert torch.equal(halved("a.norm.num_batches_tracked", count), count)


# --- which network a file holds ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "name"), [(Alpha(), "alpha"), (Beta(), "beta"), (Photochrom(), "photochrom")]
)
def test_networks_are_recognised_by_their_weights(network: Network, name: str) -> None:
    assert recognize(network.state_dict()) == name


def test_fusion_is_built_again_with_its_options(tmp_path: Path) -> None:
    options = FusionOptions(scores="probabilities", classifier_side=64, luminance_scale=0.01)
    path = tmp_path / "weights.safetensors"
    network = Fusion(options)
    assert recognize(network.state_dict()) == "fusion"
    checkpoints.save_weights(path, network.state_dict(), exporting.metadata_of(options))
    loaded, found = load_network(path)
    assert found == options
    assert loaded.options == options


def test_weights_of_nothing_known(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    checkpoints.save_weights(path, {"some.weight": torch.zeros(3)}, {})
    with pytest.raises(CheckpointError, match="no network of photochrom"):
        load_network(path)
    checkpoints.save_weights(path, Alpha().state_dict(), {"architecture": "gamma"})
    with pytest.raises(CheckpointError, match="no network of photochrom"):
        load_network(path)


def test_a_loaded_network_is_the_saved_one(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    network = Alpha(AlphaOptions(luminance_scale=0.5))
    checkpoints.save_weights(path, network.state_dict(), exporting.metadata_of(network.options))
    loaded, options = load_network(path)
    assert options == AlphaOptions(luminance_scale=0.5)
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float())
