"""Cards, the catalogue and sessions: what is loaded is what the card names."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from photochrom.errors import ModelError, OptionError, UnknownModel
from photochrom.models import DEFAULT, catalogue, find, load, readings
from photochrom.models.card import card_path, read_card, write_card
from photochrom.provenance import file_sha256


@pytest.fixture
def copy(tmp_path):
    target = tmp_path / "model.onnx"
    shutil.copy(catalogue()[DEFAULT], target)
    shutil.copy(card_path(catalogue()[DEFAULT]), card_path(target))
    return target


def test_the_embedded_model_is_small_and_what_its_card_says():
    path, card = find(DEFAULT)
    assert path.stat().st_size < 10_000_000
    assert file_sha256(path) == card.sha256
    assert card.licence == "Apache-2.0"
    assert card.head == "bins"
    assert card.supports_hints


def test_a_card_and_back(copy):
    card = read_card(copy)
    again = write_card(copy, dataclasses.replace(card, name="mine"))
    assert read_card(copy) == again
    assert again.sha256 == card.sha256


def test_a_run_folder_and_a_file_are_models(copy):
    assert find(copy)[0] == find(copy.parent)[0]
    assert load(copy).card == load(copy.parent).card


def test_a_name_wins_over_a_folder_of_that_name(copy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEFAULT).mkdir()
    assert find(DEFAULT)[0] == catalogue()[DEFAULT]
    with pytest.raises(UnknownModel, match=r"no model\.onnx"):
        find(f"./{DEFAULT}")
    (tmp_path / "run").mkdir()
    for path in (copy, card_path(copy)):
        path.rename(tmp_path / "run" / path.name)
    assert find("run")[0].samefile(tmp_path / "run/model.onnx")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"card": 99}, "export the model again"),
        ({"colour": 1}, "export the model again"),
        ({"head": "rgb"}, "head"),
        ({"bins": []}, "head"),
        ({"size": {"tall": 3}}, "export the model again"),
    ],
)
def test_a_card_that_makes_no_sense(copy, change, word):
    data = json.loads(card_path(copy).read_text()) | change
    card_path(copy).write_text(json.dumps(data))
    with pytest.raises(ModelError, match=word):
        find(copy)


def test_missing_pieces(copy, tmp_path):
    card_path(copy).write_text("{")
    with pytest.raises(ModelError, match="card"):
        find(copy)
    card_path(copy).unlink()
    with pytest.raises(ModelError, match="has no card"):
        find(copy)
    copy.write_bytes(b"")
    with pytest.raises(ModelError, match="empty"):
        find(copy)
    copy.unlink()
    with pytest.raises(UnknownModel, match=r"no model\.onnx"):
        find(tmp_path)
    with pytest.raises(UnknownModel, match="no model file"):
        find(copy)


def test_a_changed_or_broken_graph_is_refused(copy):
    with copy.open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="not the file its card names"):
        load(copy)
    copy.write_bytes(b"<html>not found</html>")
    write_card(copy, read_card(copy))
    with pytest.raises(ModelError, match="ONNX Runtime"):
        load(copy)


def test_an_unknown_provider_names_the_known():
    with pytest.raises(OptionError, match="use one of cpu, cuda"):
        load(providers=["AbacusExecutionProvider"])


# --- readings ----------------------------------------------------------------------------------

BINS = np.array([[a, b] for a in range(-40, 41, 10) for b in range(-40, 41, 10)], np.float32)


def peaked(*peaks):
    """(Q,) probabilities with the given (ab, share)."""
    p = np.full(len(BINS), 1e-6, np.float32)
    for ab, share in peaks:
        p[(ab == BINS).all(1)] = share
    return p / p.sum()


def test_modes_of_two_peaks():
    found = readings.modes(peaked(((30, 30), 0.7), ((-30, 0), 0.3)), BINS, 5)
    assert found[0][0] == pytest.approx((30, 30), abs=0.1)
    assert [share for _, share in found[:2]] == pytest.approx([0.7, 0.3], abs=0.01)


def test_uncertainty_of_certain_and_even():
    even = np.zeros((len(BINS), 2, 2), np.float32)
    certain = even.copy()
    certain[3] = 50
    assert readings.uncertainty(even) == pytest.approx(1, abs=1e-5)
    assert readings.uncertainty(certain) == pytest.approx(0, abs=1e-5)


def two_minds(luminance: float = 60) -> readings.Moments:
    """Red at 60 %, yellow at 40 %: the mean is (18, 12)."""
    logits = np.log(peaked(((30, 0), 0.6), ((0, 30), 0.4)) + 1e-30)[:, None, None]
    return readings.moments(logits, BINS, np.full((1, 1), luminance, np.float32))


def beside_a_doubtful_cell(moments: readings.Moments, doubt: float) -> readings.Moments:
    """The same cell beside one without color and with that variance."""
    planes = (moments.mean, moments.chroma, moments.square, moments.luminance)
    extra = (np.zeros((1, 1, 2)), np.full((1, 1), doubt**0.5), np.full((1, 1), doubt), moments.luminance)
    return readings.Moments(*(np.hstack(pair).astype(np.float32) for pair in zip(planes, extra, strict=True)))


def test_vividness_lifts_the_chroma_of_the_mean_by_how_sure_its_hue_is():
    moments = two_minds()
    mean, chroma = moments.mean[0, 0], float(moments.chroma[0, 0])
    sure = (np.hypot(*mean) / chroma) ** 4
    variance = 900 - float(np.hypot(*mean)) ** 2
    assert moments.paleness() == pytest.approx(variance / (18 * sure * np.hypot(*mean)), rel=1e-3)
    vivid = moments.vivid(0.25)[0, 0]
    assert vivid == pytest.approx(mean * (1 + 0.25 * moments.paleness() * sure), rel=1e-3)
    assert moments.vivid(0) is moments.mean


def test_chroma_is_lifted_most_where_the_hue_is_surest():
    cells = [peaked(((30, 0), share), ((0, 30), 1 - share)) for share in (0.9, 0.6)]
    logits = np.log(np.stack(cells, axis=-1)[:, None] + 1e-30)
    moments = readings.moments(logits, BINS, np.full((1, 2), 60, np.float32))
    added = np.linalg.norm(moments.vivid(0.05), axis=-1) / np.linalg.norm(moments.mean, axis=-1) - 1
    sure = np.linalg.norm(moments.mean, axis=-1) / moments.chroma
    assert added[0, 0] / added[0, 1] == pytest.approx((sure[0, 0] / sure[0, 1]) ** 4, rel=1e-3)


def test_what_is_dark_is_lifted_in_proportion_to_its_luminance():
    logits = np.log(np.stack([peaked(((30, 0), 0.9), ((0, 30), 0.1))] * 4, axis=-1)[:, None] + 1e-30)
    moments = readings.moments(logits, BINS, np.array([[0, 10, 40, 90]], np.float32))
    added = np.linalg.norm(moments.vivid(0.05) - moments.mean, axis=-1)[0]
    assert added[0] == 0
    assert added[2] == pytest.approx(4 * added[1], rel=1e-4)
    assert added[3] == pytest.approx(added[2], rel=1e-4)


def test_a_photo_that_doubt_made_pale_gets_its_strength_back_within_what_is_likely():
    moments = two_minds()
    lifts = [
        float(np.hypot(*beside_a_doubtful_cell(moments, doubt).vivid(0.1)[0, 0])) for doubt in (0, 300, 1e6)
    ]
    assert lifts[0] < lifts[1] < lifts[2]
    spread = np.sqrt(moments.square - moments.chroma**2)
    assert lifts[2] == pytest.approx(float((moments.chroma + 1.1 * spread)[0, 0]), rel=1e-3)


def test_hints_never_lift_the_rest_of_a_photo():
    surer, plain, doubtful = (beside_a_doubtful_cell(two_minds(), doubt) for doubt in (0, 300, 900))
    without = plain.vivid(0.1)[0, 0]
    assert doubtful.vivid(0.1, unhinted=plain)[0, 0] == pytest.approx(without, rel=1e-6)
    assert np.hypot(*doubtful.vivid(0.1)[0, 0]) > 1.05 * np.hypot(*without)
    assert surer.vivid(0.1, unhinted=plain) == pytest.approx(surer.vivid(0.1))


def test_moments_are_those_of_the_distribution():
    logits = np.random.default_rng(0).normal(0, 3, (len(BINS), 17, 29)).astype(np.float32)
    p = readings.softmax(logits).astype(np.float64)
    moments = readings.moments(logits, BINS, np.full((17, 29), 50, np.float32))
    mean = np.einsum("qhw,qc->hwc", p, BINS)
    assert moments.mean == pytest.approx(mean, abs=1e-3)
    assert moments.chroma == pytest.approx(np.einsum("qhw,q->hw", p, np.hypot(*BINS.T)), rel=1e-4)
    variance = np.einsum("qhw,q->hw", p, (BINS**2).sum(-1)) - (mean**2).sum(-1)
    assert moments.deviation() == pytest.approx(np.sqrt(np.maximum(variance, 1)), rel=1e-3)


def test_softmax_sums_to_one_and_orders():
    logits = np.random.default_rng(0).normal(0, 30, (7, 3, 4)).astype(np.float32)
    p = readings.softmax(logits)
    assert p.sum(0) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(p.argmax(0), logits.argmax(0))
    assert readings.softmax(logits, 0.1).max() >= p.max()
