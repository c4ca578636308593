"""The article's networks have Keras' meaning, layer by layer."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from photochrom.training.networks import NETWORK_KINDS, build, name_of
from photochrom.training.networks.seed import Alpha, Beta, Fusion, FusionOptions, SeedNetwork, _SameConv


def keras_same_conv(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    """Keras' documented rule, in plain loops: out = ceil(in / stride), odd padding goes last."""
    width, _, kernel, _ = weight.shape
    height, breadth = x.shape[1:]
    out_h, out_w = -(-height // stride), -(-breadth // stride)
    pad_h = max((out_h - 1) * stride + kernel - height, 0)
    pad_w = max((out_w - 1) * stride + kernel - breadth, 0)
    padded = np.pad(x, ((0, 0), (pad_h // 2, pad_h - pad_h // 2), (pad_w // 2, pad_w - pad_w // 2)))
    out = np.zeros((width, out_h, out_w))
    for i in range(out_h):
        for j in range(out_w):
            part = padded[:, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
            out[:, i, j] = (weight * part).sum((1, 2, 3)) + bias
    return out


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 2]), st.sampled_from([1, 3]))
def test_convolution_is_keras(rows: int, columns: int, stride: int, kernel: int) -> None:
    torch.manual_seed(0)
    layer = _SameConv(2, 3, kernel=kernel, stride=stride)
    if stride == 2 and kernel == 1:
        return  # no such layer in the article
    with torch.no_grad():
        layer.bias.normal_()
        x = torch.randn(1, 2, 2 * rows, 2 * columns)
        ours = layer(x)[0].numpy()
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = keras_same_conv(x[0].numpy(), weight, bias, stride)
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_weights_start_as_keras_does() -> None:
    torch.manual_seed(1)
    layer = _SameConv(64, 128)
    limit = (6 / (64 * 9 + 128 * 9)) ** 0.5  # Glorot & Bengio 2010, eq. 16
    weight = layer.weight.detach()
    assert float(weight.abs().max()) <= limit
    assert float(weight.std()) == pytest.approx(limit / 3**0.5, rel=0.02)
    assert not layer.bias.any()


def parameters(layers: list[tuple[int, int, int]]) -> int:
    """Weights and biases of convolutions (inputs, width, kernel)."""
    return sum(i * w * k * k + w for i, w, k in layers)


def chain(*widths: int) -> list[tuple[int, int, int]]:
    return [(i, w, 3) for i, w in pairwise(widths)]


def trained(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def test_parameter_counts_are_the_articles() -> None:
    assert trained(Alpha()) == parameters(chain(1, 8, 8, 16, 16, 32, 32, 32, 16, 2))
    assert trained(Beta()) == parameters(chain(1, 64, 64, 128, 128, 256, 256, 512, 256, 128, 64, 32, 2))
    encoder = chain(1, 64, 128, 128, 256, 256, 512, 512, 256)
    decoder = chain(256, 128, 64, 32, 16, 2)
    assert trained(Fusion()) == parameters([*encoder, (1256, 256, 1), *decoder])


def strides(network: nn.Module) -> int:
    return sum(layer.stride == (2, 2) for layer in network.modules() if isinstance(layer, _SameConv))


@pytest.mark.parametrize(("make", "ups"), [(Alpha, 3), (Beta, 3), (Fusion, 3)])
def test_every_halving_is_undone(make: type[SeedNetwork], ups: int) -> None:
    network = make()
    assert strides(network) == ups
    assert sum(isinstance(layer, nn.Upsample) for layer in network.modules()) == ups


@pytest.mark.parametrize("make", [Alpha, Beta, Fusion])
@pytest.mark.parametrize("size", [(16, 24), (17, 31), (1, 9)])
def test_any_size_gives_ab_of_that_size(make: type[SeedNetwork], size: tuple[int, int]) -> None:
    network = make()
    with torch.no_grad():
        ab = network(torch.rand(2, 1, *size) * 100)
    assert ab.shape == (2, 2, *size)
    assert float(ab.abs().max()) <= 128


def test_padding_repeats_the_edge_and_is_cropped() -> None:
    network = Alpha()
    plane = torch.rand(1, 1, 13, 22) * 100
    by_hand = nn.functional.pad(plane, (0, 2, 0, 3), mode="replicate")
    with torch.no_grad():
        assert torch.equal(network(plane), network(by_hand)[:, :, :13, :22])


def test_luminance_enters_as_it_comes_unless_told() -> None:
    from photochrom.training.networks.seed import AlphaOptions

    torch.manual_seed(0)
    plain = Alpha()
    scaled = Alpha(AlphaOptions(luminance_scale=0.01))
    scaled.load_state_dict(plain.state_dict())
    plane = torch.rand(1, 1, 16, 16) * 100
    with torch.no_grad():
        torch.testing.assert_close(plain(plane / 100), scaled(plane))
        assert not torch.allclose(plain(plane), scaled(plane))


def test_fusion_hears_the_classifier() -> None:
    network = Fusion().eval()
    plane = torch.rand(1, 1, 32, 32) * 100
    with torch.no_grad():
        before = network(plane)
        network.classifier.scores.bias += 50
        assert not torch.allclose(before, network(plane))


def test_fusion_scores_as_probabilities() -> None:
    with torch.no_grad():
        scores = Fusion(FusionOptions(scores="probabilities")).class_scores(torch.rand(2, 1, 32, 32) * 100)
    assert scores.shape == (2, 1000)
    torch.testing.assert_close(scores.sum(1), torch.ones(2))


def test_fusion_never_trains_its_classifier() -> None:
    network = Fusion().train()
    before = network.classifier.stem.norm.running_mean.clone()
    network(torch.rand(2, 1, 32, 32) * 100).sum().backward()
    assert torch.equal(before, network.classifier.stem.norm.running_mean)
    assert all(p.grad is None for p in network.classifier.parameters())


def test_networks_by_name() -> None:
    for name, options in NETWORK_KINDS.items():
        made = options(pretrained=False) if name == "photochrom" else options()
        assert name_of(made) == name
        assert build(made).state_dict()
