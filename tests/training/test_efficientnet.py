"""EfficientNet-Lite0 in our names recognizes what the published one does."""

from __future__ import annotations

import pytest
import torch

from photochrom.training.networks.efficientnet import Classifier, DepthwiseConv, encoder_weights, rename
from photochrom.training.networks.photochrom import Encoder
from photochrom.training.resizing import square

CATS = {281, 282, 285}  # ImageNet: tabby, tiger cat, Egyptian cat
COFFEE = {967, 504, 968}  # espresso, coffee mug, cup


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


@pytest.mark.parametrize(("name", "classes"), [("chelsea", CATS), ("coffee", COFFEE)])
def test_it_recognises_photographs(classifier: Classifier, name: str, classes: set[int]) -> None:
    data = pytest.importorskip("skimage.data")
    rgb = torch.from_numpy(square(getattr(data, name)(), 224)).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        scores = classifier((rgb - 127) / 128)
    assert scores.shape == (1, 1000)
    assert int(scores.argmax()) in classes


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (5, 1, 2), (3, 2, 0), (5, 2, 0)])
def test_depthwise_gradients_in_bfloat16_are_those_of_float32(kernel: int, stride: int, padding: int) -> None:
    ours = DepthwiseConv(16, kernel, stride, padding)
    plain = torch.nn.Conv2d(16, 16, kernel, stride, padding, groups=16, bias=False)
    plain.load_state_dict(ours.state_dict())
    found = []
    for layer, half in ((ours, True), (plain, False)):
        x = torch.arange(2 * 16 * 13 * 13).remainder(17).reshape(2, 16, 13, 13) / 8 - 1  # exact in bfloat16
        x.requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            y = layer(x)
        assert y.dtype == (torch.bfloat16 if half else torch.float32)
        y.float().square().sum().backward()
        assert x.grad is not None
        assert layer.weight.grad is not None
        found.append((y.detach().float(), x.grad, layer.weight.grad))
    for a, b in zip(*found, strict=True):
        assert float((a - b).norm() / b.norm()) < 0.01  # a step of bfloat16 is 2^-8


def test_it_stays_in_evaluation_mode(classifier: Classifier) -> None:
    assert not classifier.train().training
    assert not any(module.training for module in classifier.modules())


def test_features_at_four_strides(classifier: Classifier) -> None:
    shapes = [tuple(tap.shape[1:]) for tap in classifier.features(torch.zeros(1, 3, 64, 96))]
    assert shapes == [(24, 16, 24), (40, 8, 12), (112, 4, 6), (320, 2, 3)]


def test_folded_stem_sees_grey_as_three_equal_channels(classifier: Classifier) -> None:
    encoder = Encoder(32).eval()
    missing, unexpected = encoder.load_state_dict(encoder_weights(), strict=False)
    assert (missing, unexpected) == (["hint.weight"], [])
    luminance = torch.rand(1, 1, 64, 64) * 100
    with torch.no_grad():
        ours = encoder(luminance, torch.zeros(1, 3, 64, 64))
        theirs = classifier.features((luminance / 50 - 1).expand(-1, 3, -1, -1))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        ("_conv_stem.weight", "stem.conv.weight"),
        ("_bn0.running_mean", "stem.norm.running_mean"),
        ("_blocks.1._bn0.bias", "blocks.1.expand.norm.bias"),
        ("_blocks.0._depthwise_conv.weight", "blocks.0.depthwise.conv.weight"),
        ("_blocks.15._bn2.weight", "blocks.15.project.norm.weight"),
        ("_conv_head.weight", "head.conv.weight"),
        ("_bn1.bias", "head.norm.bias"),
        ("_fc.bias", "scores.bias"),
    ],
)
def test_names(published: str, ours: str) -> None:
    assert rename(published) == ours
