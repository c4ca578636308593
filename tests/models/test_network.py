"""What networks are fed, which class feeds which family, and what comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from photochrom.errors import ModelError, UnsupportedReading
from photochrom.hints import Hint
from photochrom.models import Card, Network, find, load_network, network
from photochrom.models.network import PhotochromNetwork

GOLDEN = Path(__file__).with_name("network_inputs.npz")
HINTS = (
    Hint(0.2, 0.3, "#a03020", radius=0.05),
    Hint(0.6, 0.5, "#2050a0", weight=0.5, path=((0.9, 0.8),)),
)


def faded(height=64, width=96):
    """L* of a faded print: its contrast is to be stretched before a network sees it."""
    y, x = np.mgrid[:height, :width]
    plane = 35 + 40 * np.sin(x / 17) ** 2 * np.cos(y / 23) ** 2 + (x > 50) * 8
    return plane.astype(np.float32)


class Recorder:
    """Stands where a Session does: keeps what it is fed and answers from the luminance."""

    def __init__(self, card, stride=4):
        self.card, self.stride, self.threads, self.providers = card, stride, 1, ("CPUExecutionProvider",)
        self.fed = []

    def run(self, output, **inputs):
        return self.run_many([output], **inputs)[0]

    def run_both(self, first, second):
        return self.run_many(first[0], **first[1]), self.run_many(second[0], **second[1])

    def run_many(self, outputs, **inputs):
        self.fed.append(inputs)
        return [self._output(name, inputs) for name in outputs]

    def _output(self, name, inputs):
        plane, red = inputs["luminance"][0, 0], inputs["hints"][0, 0]
        channels = {"logits": len(self.card.bins), "ab": 2, "features": 5, "details": 3}[name]
        stride = 16 if name == "features" else self.stride
        value = (plane + 100 * red)[::stride, ::stride]
        return np.stack([value * (n + 1) / 50 for n in range(channels)])[None].astype(np.float32)


def colors_only(**changes):
    return replace(Card("seed", "ab", supports_hints=False, licence="x", mirror=False), **changes)


# --- what is fed -------------------------------------------------------------------------------


def test_the_tensors_fed_are_the_golden_ones():
    golden = np.load(GOLDEN)
    session = Recorder(replace(find("photochrom")[1], mirror=True))
    PhotochromNetwork(session).answer(faded(), HINTS)
    plain, mirrored, hinted = session.fed
    assert set(hinted) == {"luminance", "hints", "spread"}
    for name, plane in hinted.items():
        assert plane.dtype == np.float32
        assert np.abs(plane - golden[name]).max() < (0.04 if name == "luminance" else 1e-3), name  # in fp16
    assert np.array_equal(plain["luminance"], hinted["luminance"])
    assert np.array_equal(mirrored["luminance"], plain["luminance"][..., ::-1])
    assert not plain["hints"].any()
    assert not plain["spread"].any()


def test_the_networks_features_are_of_what_it_sees_when_it_colors():
    """A faded reference is matched by the tones that the network is given, not by its own."""
    session = Recorder(find("photochrom")[1])
    ours = PhotochromNetwork(session)
    answer = ours.answer(faded())
    assert np.array_equal(ours.features(faded()), answer.features)
    assert np.ptp(answer.seen) > 1.3 * np.ptp(faded())


def test_each_size_of_the_card_is_seen_and_averaged():
    card = replace(find("photochrom")[1], sizes=(128, 256, 384), mirror=False)
    session = Recorder(card)
    ours = PhotochromNetwork(session)
    assert ours.further_sizes(256, 384) == [(128, 192), (384, 576)]
    level = np.full((256, 384), 40, np.float32)
    others = [
        np.full(size, value, np.float32)
        for size, value in zip([(128, 192), (384, 576)], (70, 10), strict=True)
    ]
    answer = ours.answer(level, further=others)
    assert [inputs["luminance"].shape[2:] for inputs in session.fed] == [(256, 384), (128, 192), (384, 576)]
    assert answer.logits.shape == (len(card.bins), 64, 96)
    assert answer.logits[0] == pytest.approx(np.full((64, 96), (40 + 70 + 10) / 3 / 50), abs=1e-5)


def test_hints_take_one_pass_and_what_averaging_changed_stays():
    session = Recorder(find("photochrom")[1])
    ours = PhotochromNetwork(session)
    plain = ours.answer(faded())
    session.fed.clear()
    hinted = ours.answer(faded(), HINTS, unhinted=plain)
    assert len(session.fed) == 1
    marked = session.fed[0]["hints"][0, 0, ::4, ::4] != 0
    moved = np.abs(hinted.logits - plain.logits).max(0)
    assert moved[marked].min() > 0.01
    assert moved[~marked].max() < 1e-3
    assert hinted.features is plain.features


# --- families ----------------------------------------------------------------------------------


def test_the_family_of_a_card_without_one_follows_from_its_head():
    assert find("photochrom")[1].family == "photochrom"
    assert colors_only().family == "ab"
    assert isinstance(load_network(), PhotochromNetwork)


def test_an_unknown_family_names_the_known_ones(monkeypatch):
    session = Recorder(colors_only(family="nonesuch"))
    monkeypatch.setattr(network, "load", lambda *_, **__: session)
    with pytest.raises(ModelError, match=r"nonesuch.*photochrom, ab"):
        load_network("seed")


def test_a_model_that_takes_no_hints_makes_no_pass_for_them():
    session = Recorder(colors_only(), stride=1)
    seed = Network(session)
    plain = seed.answer(faded())
    hinted = seed.answer(faded(), HINTS, unhinted=plain)
    assert len(session.fed) == 1
    assert np.array_equal(hinted.output, plain.output)
    assert len(hinted.points.places) > 2
    assert hinted.cells.shape == (16, 24)


def test_a_model_of_colors_that_takes_hints_is_given_them():
    session = Recorder(colors_only(supports_hints=True), stride=1)
    answer = Network(session).answer(faded(), HINTS)
    assert len(session.fed) == 2
    assert answer.ab().shape == (64, 96, 2)
    assert set(session.fed[1]) == {"luminance", "hints"}


def test_vividness_scales_the_chroma_of_a_model_of_colors():
    answer = Network(Recorder(colors_only(), stride=1)).answer(faded())
    default = answer.ab()
    assert np.array_equal(default, answer.output.transpose(1, 2, 0))
    pale, vivid = (np.abs(answer.ab(value)).mean() for value in (0.0, 1.0))
    assert pale < np.abs(default).mean() < vivid


@pytest.mark.parametrize("reading", ["logits", "bins", "distribution", "uncertainty"])
def test_a_model_of_colors_says_what_a_reading_needs(reading):
    answer = Network(Recorder(colors_only(), stride=1)).answer(faded())
    with pytest.raises(UnsupportedReading, match=r"seed .* distribution"):
        getattr(answer, reading)()


def test_a_model_without_features_is_helped_by_the_default_model():
    answer = Network(Recorder(colors_only(), stride=1)).answer(faded(256, 256))
    features = load_network().answer(faded(256, 256)).features
    assert np.allclose(answer.features, features, atol=1e-4)
    assert answer.unit_features.shape[:2] == answer.cells.shape
