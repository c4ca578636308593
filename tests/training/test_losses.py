"""Losses by name: against numpy, and against what they are for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom import color
from photochrom.training.losses import (
    _L1,
    Huber,
    Prediction,
    Truth,
    WeightedSum,
    _ClassScores,
    _lab_to_srgb,
    _LogMse,
    _Mse,
    _Perceptual,
    _SoftBinCrossEntropy,
    _SoftBins,
    rebalancing,
)
from photochrom.training.networks.efficientnet import Classifier, encoder_weights
from photochrom.training.networks.photochrom import Encoder
from photochrom.training.recipe import LossConfig
from photochrom.training.tasks import _read_bins

BINS = color.ab_bins()
UNIFORM = np.full(len(BINS), 1 / len(BINS))


def pair(seed: int = 0, size: int = 8) -> tuple[Prediction, Truth]:
    random = torch.Generator().manual_seed(seed)
    ab = torch.randn(2, 2, size, size, generator=random) * 20
    guess = torch.randn(2, 2, size, size, generator=random) * 20
    return Prediction(guess), Truth(ab, torch.rand(2, 1, size, size, generator=random) * 100)


def test_mse_is_the_articles() -> None:
    guess, truth = pair()
    expected = np.mean(((guess.ab.numpy() - truth.ab.numpy()) / 128) ** 2)
    assert float(_Mse()(guess, truth)) == pytest.approx(expected, rel=1e-5)


def test_l1() -> None:
    guess, truth = pair()
    expected = np.mean(np.abs(guess.ab.numpy() - truth.ab.numpy()) / 128)
    assert float(_L1()(guess, truth)) == pytest.approx(expected, rel=1e-5)


def test_huber_is_square_near_and_straight_far() -> None:
    guess, truth = pair()
    error, delta = np.abs(guess.ab.numpy() - truth.ab.numpy()) / 128, 10 / 128
    expected = np.where(error < delta, error**2 / 2, delta * (error - delta / 2)).mean()
    assert float(Huber(10)(guess, truth)) == pytest.approx(expected, rel=1e-5)


@given(st.floats(-60, 60), st.floats(-60, 60))
def test_soft_bins_keep_the_mean_of_colors_inside(a: float, b: float) -> None:
    soft = _SoftBins(BINS)
    index, share = soft(torch.tensor([a, b]).view(1, 2, 1, 1))
    assert float(share.sum()) == pytest.approx(1, abs=1e-5)
    assert float(share.min()) >= -1e-6
    around = {(i * 10 + 10 * (a // 10), j * 10 + 10 * (b // 10)) for i in (0, 1) for j in (0, 1)}
    if around <= {(float(x), float(y)) for x, y in BINS}:  # no corner had to be moved into the gamut
        mean = (BINS[index.flatten().numpy()] * share.flatten().numpy()[:, None]).sum(0)
        np.testing.assert_allclose(mean, [a, b], atol=1e-3)


@given(st.lists(st.floats(0.001, 1), min_size=3, max_size=20), st.floats(0.01, 1))
def test_rebalancing_has_mean_one_under_the_prior(counts: list[float], smoothing: float) -> None:
    prior = np.array(counts) / np.sum(counts)
    weights = rebalancing(prior, smoothing)
    assert float((weights * prior).sum()) == pytest.approx(1, rel=1e-4)
    rare, common = int(prior.argmin()), int(prior.argmax())
    assert weights[rare] >= weights[common] - 1e-6


def test_no_rebalancing_at_full_smoothing() -> None:
    prior = np.array([0.7, 0.2, 0.1])
    np.testing.assert_allclose(rebalancing(prior, 1.0), 1, rtol=1e-6)


def test_soft_bin_loss_is_least_at_the_truth() -> None:
    truth = Truth(torch.tensor([13.0, -27.0]).view(1, 2, 1, 1), torch.full((1, 1, 4, 4), 50.0))
    loss = _SoftBinCrossEntropy(UNIFORM)
    logits = torch.zeros(1, len(BINS), 1, 1, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.5)
    first = float(loss(_read_bins(logits, torch.from_numpy(BINS)), truth).detach())
    for _ in range(300):
        optimizer.zero_grad()
        value = loss(_read_bins(logits, torch.from_numpy(BINS)), truth)
        value.backward()
        optimizer.step()
    found = _read_bins(logits.detach(), torch.from_numpy(BINS)).ab.flatten()
    torch.testing.assert_close(found, torch.tensor([13.0, -27.0]), atol=0.3, rtol=0)
    assert float(value.detach()) < first / 2


def test_rare_colors_weigh_more() -> None:
    prior = np.full(len(BINS), 1.0)
    grey = int((BINS**2).sum(1).argmin())
    prior[grey] = 1000
    loss = _SoftBinCrossEntropy(prior / prior.sum(), mean_weight=0)
    flat = _read_bins(torch.zeros(1, len(BINS), 1, 1), torch.from_numpy(BINS))
    plane = torch.zeros(1, 1, 4, 4)
    common = loss(flat, Truth(torch.zeros(1, 2, 1, 1), plane))
    rare = loss(flat, Truth(torch.full((1, 2, 1, 1), 40.0), plane))
    assert float(rare) > 1.5 * float(common)


def test_read_bins_is_the_mean_and_a_distribution() -> None:
    logits = torch.randn(2, len(BINS), 3, 4)
    answer = _read_bins(logits, torch.from_numpy(BINS))
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    np.testing.assert_allclose(answer.ab.numpy(), np.einsum("bqhw,qc->bchw", p, BINS), atol=1e-3)
    assert answer.log_p is not None
    torch.testing.assert_close(answer.log_p.exp().sum(1), torch.ones(2, 3, 4))


# --- the perceptual loss -----------------------------------------------------------------------


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_lab_to_srgb_is_the_color_module(seed: int) -> None:
    lab = np.random.default_rng(seed).uniform([0, -80, -80], [100, 80, 80], (5, 7, 3)).astype(np.float32)
    ours = _lab_to_srgb(torch.from_numpy(lab).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, color.lab_to_rgb(lab), atol=2e-3)


def test_lab_to_srgb_has_gradients_everywhere() -> None:
    lab = (
        torch.tensor([[0.0, 0, 0], [100, 0, 0], [50, 90, -90], [5, 0, 0]]).T.view(1, 3, 2, 2).requires_grad_()
    )
    _lab_to_srgb(lab).sum().backward()
    assert lab.grad is not None
    assert bool(torch.isfinite(lab.grad).all())


@pytest.fixture(scope="module")
def perceptual() -> _Perceptual:
    return _Perceptual()


def astronaut() -> Truth:
    data = pytest.importorskip("skimage.data")
    lab = torch.from_numpy(color.rgb_to_lab(data.astronaut()[:256:2, 64:320:2])).permute(2, 0, 1)[None]
    return Truth(lab[:, 1:].contiguous(), lab[:, :1].contiguous())


def test_perceptual_is_zero_only_at_the_truth(perceptual: _Perceptual) -> None:
    truth = astronaut()
    assert float(perceptual(Prediction(truth.ab), truth)) == pytest.approx(0, abs=1e-6)
    assert float(perceptual(Prediction(truth.ab * 0), truth)) > 0.01


def test_perceptual_falls_as_the_color_comes(perceptual: _Perceptual) -> None:
    truth = astronaut()
    losses = [float(perceptual(Prediction(truth.ab * share), truth)) for share in (0.0, 0.5, 0.8, 1.0)]
    assert losses == sorted(losses, reverse=True)


def test_perceptual_trains_the_answer_alone(perceptual: _Perceptual) -> None:
    truth = astronaut()
    guess = torch.zeros_like(truth.ab, requires_grad=True)
    perceptual(Prediction(guess), truth).backward()
    assert guess.grad is not None
    assert float(guess.grad.abs().sum()) > 0
    assert all(parameter.grad is None for parameter in perceptual.parameters())


# --- class scores ------------------------------------------------------------------------------


def tapped(truth: Truth, encoder: Encoder) -> Prediction:
    luminance = truth.luminance
    coarse = encoder(luminance, torch.zeros(len(luminance), 3, *luminance.shape[2:]))[-1]
    return Prediction(truth.ab, coarse=coarse)


@torch.no_grad()
def test_class_scores_ask_an_encoder_that_remembers_for_less() -> None:
    """On a grey photo the untouched encoder gives the classifier's very scores; an untrained one does not."""
    knows, fresh = Encoder(32).eval(), Encoder(32).eval()
    knows.load_state_dict(encoder_weights(), strict=False)
    loss, colored = _ClassScores(), astronaut()
    grey = Truth(colored.ab * 0, colored.luminance)
    assert float(loss(tapped(grey, knows), grey)) < 0.1 * float(loss(tapped(grey, fresh), grey))
    assert float(loss(tapped(colored, knows), colored)) < 0.5 * float(loss(tapped(colored, fresh), colored))


def test_class_scores_train_the_encoder_alone() -> None:
    encoder, loss = Encoder(32), _ClassScores()
    loss(tapped(astronaut(), encoder), astronaut()).backward()
    assert encoder.stem.conv.weight.grad is not None
    assert all(parameter.grad is None for parameter in loss.parameters())


def test_class_scores_compare_with_the_classifier_on_color() -> None:
    truth = astronaut()
    pictures = _lab_to_srgb(torch.cat([truth.luminance, truth.ab], 1)) * (255 / 128) - 127 / 128
    coarse = Classifier().features(pictures)[-1]
    assert float(_ClassScores()(Prediction(truth.ab, coarse=coarse), truth)) < 0.02


# --- the sum -----------------------------------------------------------------------------------


def test_log_mse_is_psnr_averaged_over_photos() -> None:
    generator = torch.Generator().manual_seed(3)
    truth = torch.randn(3, 2, 8, 8, generator=generator) * 20
    errors = torch.tensor([3.0, 10.0, 40.0]).view(3, 1, 1, 1)
    loss = _LogMse()(Prediction(truth + errors), Truth(truth, torch.zeros(3, 1, 32, 32)))
    assert loss.item() == pytest.approx(np.log([2 * e * e + 4 for e in (3, 10, 40)]).mean(), rel=1e-4)


def test_under_log_mse_a_nearly_grey_photo_weighs_more() -> None:
    truth = torch.zeros(2, 2, 4, 4)
    guess = (torch.tensor([2.0, 30.0]).view(2, 1, 1, 1) * torch.ones_like(truth)).requires_grad_()
    _LogMse()(Prediction(guess), Truth(truth, torch.zeros(2, 1, 16, 16))).backward()
    assert guess.grad is not None
    near, far = guess.grad.abs().mean((1, 2, 3))
    assert near > 4 * far


@pytest.mark.parametrize("name", ["mse", "l1", "huber"])
def test_every_name_finds_its_loss(name: str) -> None:
    guess, truth = pair()
    loss = WeightedSum(LossConfig(terms={name: 2.0}), UNIFORM)
    alone = {"mse": _Mse(), "l1": _L1(), "huber": Huber(10)}[name]
    torch.testing.assert_close(loss(guess, truth), 2 * alone(guess, truth))


def test_losses_add_up() -> None:
    guess, truth = pair()
    both = WeightedSum(LossConfig(terms={"mse": 1.0, "l1": 0.5}), UNIFORM)
    torch.testing.assert_close(both(guess, truth), _Mse()(guess, truth) + 0.5 * _L1()(guess, truth))


def test_soft_bins_and_perceptual_by_name() -> None:
    truth = astronaut()
    coarse = Truth(torch.nn.functional.avg_pool2d(truth.ab, 4), truth.luminance)
    logits = torch.zeros(1, len(BINS), *coarse.ab.shape[2:])
    loss = WeightedSum(LossConfig(terms={"soft_bins": 1.0, "perceptual": 1.0}), UNIFORM)
    answer = _read_bins(logits, torch.from_numpy(BINS))
    expected = _SoftBinCrossEntropy(UNIFORM)(answer, coarse) + _Perceptual()(answer, coarse)
    torch.testing.assert_close(loss(answer, coarse), expected)
