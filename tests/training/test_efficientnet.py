"""EfficientNet-Lite0 in our names recognizes what the published one does."""

from __future__ import annotations

import pytest
import torch

from photochrom.training.networks.efficientnet import Classifier, encoder_weights, rename
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
