"""The default network: what its weights answer, its shapes, and what hints may change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.color import ab_bins
from photochrom.training.export import load_network
from photochrom.training.networks.photochrom import Photochrom, _pool_hints

WEIGHTS = Path(__file__).parents[2] / "weights" / "photochrom.safetensors"
CHECK = Path(__file__).parent / "check.npz"  # made by weights/check.py


@pytest.fixture(scope="module")
def network() -> Photochrom:
    torch.manual_seed(0)
    return Photochrom().eval()


@pytest.fixture(scope="module")
def shipped() -> Photochrom:
    if not WEIGHTS.exists():
        pytest.skip("weights/ is not in this copy of the project")
    network, _ = load_network(WEIGHTS)
    assert isinstance(network, Photochrom)
    return network


@pytest.mark.parametrize("hinted", [True, False])
def test_the_weights_answer_as_they_did(shipped: Photochrom, hinted: bool) -> None:
    check = np.load(CHECK)
    inputs = [torch.from_numpy(check[name]) for name in ("luminance", "hints", "spread")]
    if not hinted:
        inputs[1:] = [torch.zeros_like(part) for part in inputs[1:]]
    with torch.no_grad():
        logits = shipped(*inputs).logits.numpy()
    wanted = check["logits" if hinted else "logits_without_hints"]
    message = "the weights or the network changed: if it was the weights, run python weights/check.py"
    np.testing.assert_allclose(logits, wanted, atol=2e-3, err_msg=message)


def test_the_weights_know_the_color_modules_bins(shipped: Photochrom) -> None:
    np.testing.assert_array_equal(shipped.ab_bins.numpy(), ab_bins())


def test_size(network: Photochrom) -> None:
    count = sum(parameter.numel() for parameter in network.parameters())
    assert 3.7e6 < count < 3.9e6


@settings(max_examples=6)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 2))
def test_shapes(rows: int, columns: int, batch: int) -> None:
    height, width = 32 * rows, 32 * columns
    with torch.no_grad():
        out = Photochrom().eval()(
            torch.rand(batch, 1, height, width) * 100,
            torch.zeros(batch, 3, height, width),
            torch.zeros(batch, 9, height // 4, width // 4),
        )
    assert out.logits.shape == (batch, 244, height // 4, width // 4)
    assert out.features.shape == (batch, 128, height // 16, width // 16)
    assert out.details.shape == (batch, 64, height // 4, width // 4)


def test_a_fresh_network_has_not_yet_learnt_what_hints_mean(network: Photochrom) -> None:
    luminance = torch.rand(1, 1, 64, 64) * 100
    hints, spread = torch.rand(1, 3, 64, 64), torch.rand(1, 9, 16, 16)
    with torch.no_grad():
        with_hints = network(luminance, hints, spread).logits
        without = network(luminance, hints * 0, spread * 0).logits
    assert torch.equal(with_hints, without)  # every entrance for hints starts at zero


def test_but_can_learn_it() -> None:
    made = Photochrom()
    inputs = torch.rand(2, 1, 64, 64) * 100, torch.rand(2, 3, 64, 64), torch.rand(2, 9, 16, 16)
    made(*inputs).logits.square().mean().backward()
    entrances = {
        n: p
        for n, p in made.named_parameters()
        if n.endswith(("hint.weight", "hint.2.weight", "spread.2.weight"))
    }
    assert len(entrances) == 9  # the stem, and two in each of four decoder blocks
    assert all(p.grad is not None and float(p.grad.abs().sum()) > 0 for p in entrances.values())


def test_pooled_hints_are_means_under_the_mask() -> None:
    hints = torch.zeros(1, 3, 8, 8)
    hints[0, :, 1, 2] = torch.tensor([0.5, -0.25, 1])
    hints[0, :, 2, 3] = torch.tensor([0.1, 0.25, 1])
    pooled = _pool_hints(hints, 4)
    torch.testing.assert_close(pooled[0, :, 0, 0], torch.tensor([0.3, 0.0, 1.0]))
    assert not pooled[0, :, 1:].any()
    assert not pooled[0, :, :, 1:].any()
