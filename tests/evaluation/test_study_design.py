"""Trials: balanced, reproducible, telling nothing; and what making a study refuses."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.errors import DataError, OptionError, OutputExists
from photochrom.evaluation.predictors import FolderPredictor, Grey, MeanColor
from photochrom.evaluation.protocols import PROTOCOLS
from photochrom.evaluation.study.design import TRUTH, Study, create, public

if TYPE_CHECKING:
    from photochrom.evaluation.photos import PhotoSet


def study(
    models: int, photos: int = 80, pairs: int = 40, practice: int = 10, preference: int = 0, seed: int = 0
) -> Study:
    names = tuple(f"model{n}" for n in range(models))
    images = {f"p{n}": {name: f"{name}-{n}" for name in (TRUTH, *names)} for n in range(photos)}
    return Study(Path("nowhere"), seed, pairs, practice, preference, names, images)


@given(st.integers(1, 4), st.integers(0, 500), st.integers(0, 99), st.integers(1, 60))
def test_every_part_is_balanced(models: int, participant: int, seed: int, pairs: int) -> None:
    trials = study(models, pairs=pairs, preference=12 if models > 1 else 0, seed=seed).trials(participant)
    tested = [trial for trial in trials if trial.kind == "fooling"]
    assert len(tested) == pairs
    assert abs(2 * sum(trial.left == TRUTH for trial in tested) - pairs) <= 1
    assert abs(2 * sum(trial.first == "left" for trial in tested) - pairs) <= 1
    shown = Counter(trial.right if trial.left == TRUTH else trial.left for trial in tested)
    assert max(shown.values()) - min(shown.get(f"model{n}", 0) for n in range(models)) <= 1
    for model, count in shown.items():
        left = sum(trial.left == model for trial in tested)
        assert abs(2 * left - count) <= 1


@given(st.integers(0, 500), st.integers(0, 99))
def test_no_photo_comes_twice_before_the_preference_part(participant: int, seed: int) -> None:
    trials = study(2, preference=5, seed=seed).trials(participant)
    photos = [trial.photo for trial in trials if trial.kind != "preference"]
    assert len(set(photos)) == len(photos) == 50


def test_trials_are_the_same_at_every_call_and_differ_between_people() -> None:
    one = study(2)
    assert one.trials(3) == one.trials(3)
    assert one.trials(3) != one.trials(4)
    assert one.trials(3) != study(2, seed=1).trials(3)
    assert [trial.index for trial in one.trials(3)] == list(range(50))


def test_duels_meet_all_models_alike() -> None:
    trials = study(3, preference=30).trials(0)
    duels = Counter(frozenset((t.left, t.right)) for t in trials if t.kind == "preference")
    assert set(duels.values()) == {10}
    assert not any(TRUTH in duel for duel in duels)


def test_the_colored_side_is_the_one_without_the_truth() -> None:
    for trial in study(2).trials(0):
        assert (trial.left if trial.colored == "left" else trial.right) != TRUTH


def test_a_study_on_disk_comes_back_equal(tmp_path: Path, photos: PhotoSet) -> None:
    made, left_out = create(tmp_path / "s", photos, [Grey(), MeanColor()], pairs=8, practice=2, preference=3)
    assert left_out == []
    assert Study.open(tmp_path / "s") == made
    names = {name for images in made.images.values() for name in images.values()}
    stored = {path.stem for path in (tmp_path / "s/images").iterdir()}
    assert names == stored
    assert len(names) == 12 * 3
    picture = np.asarray(Image.open(made.image_path(made.images["one/photo01"]["grey"]) or ""))
    assert picture.shape == (256, 256, 3)
    assert (picture[..., 0] == picture[..., 2]).all()


def test_what_the_browser_gets_does_not_tell_which_is_real(tmp_path: Path, photos: PhotoSet) -> None:
    made, _ = create(tmp_path / "s", photos, [Grey()], pairs=8, practice=2)
    for trial in made.trials(0):
        told = public(made, trial)
        assert set(told) == {"index", "kind", "left", "right", "first"}
        assert not any(word in str(told) for word in ("truth", "grey", "photo0"))
    sizes = {path.stat().st_mode for path in (tmp_path / "s/images").iterdir()}
    assert len(sizes) == 1


def test_an_image_of_another_name_is_not_given(tmp_path: Path, photos: PhotoSet) -> None:
    made, _ = create(tmp_path / "s", photos, [Grey()], pairs=8, practice=2)
    assert made.image_path("../study") is None
    assert made.image_path("") is None


def test_refusals_say_what_to_do(tmp_path: Path, photos: PhotoSet, folder: Path) -> None:
    with pytest.raises(DataError, match="12 photos are too few for 40 pairs and 10 for practice"):
        create(tmp_path / "a", photos, [Grey()])
    with pytest.raises(OptionError, match="second --predictions"):
        create(tmp_path / "b", photos, [Grey()], pairs=8, practice=2, preference=4)
    with pytest.raises(OptionError, match="a name of its own"):
        create(tmp_path / "c", photos, [Grey(), Grey()], pairs=8, practice=2)
    create(tmp_path / "d", photos, [Grey()], pairs=8, practice=2)
    with pytest.raises(OutputExists, match="holds a study already"):
        create(tmp_path / "d", photos, [Grey()], pairs=8, practice=2)
    with pytest.raises(DataError, match="is not a study"):
        Study.open(folder)


def test_missing_predictions_are_an_error_or_named(tmp_path: Path, photos: PhotoSet) -> None:
    place = tmp_path / "predictions"
    place.mkdir()
    for key in photos.keys[:-2]:
        Image.new("RGB", (256, 256)).save(place / f"{key.rpartition('/')[2]}.png")
    predictor = FolderPredictor.open("theirs", place, photos)
    with pytest.raises(DataError, match="cannot stand for 2 of 12 photos"):
        create(tmp_path / "s", photos, [predictor], pairs=8, practice=2)
    made, left_out = create(tmp_path / "s", photos, [predictor], pairs=8, practice=2, skip_missing=True)
    assert len(made.images) == 10
    assert len(left_out) == 2
    assert "no prediction of that name" in left_out[0]


GOOD = {"version": 1, "seed": 0, "pairs": 1, "practice": 0, "preference": 0, "models": ["m"],
        "images": {"p": {"truth": "a", "m": "b"}}}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ("{", "study.json is not valid JSON: make one with photochrom study create"),
        ([], "is not a study of version 1"),
        ({}, "is not a study of version 1"),
        ({"version": 9}, "is not a study of version 1"),
        ({**GOOD, "pairs": "3"}, "study.json: pairs must be a whole number, not '3'"),
        ({**GOOD, "pairs": 0}, "study.json: pairs must be at least 1, not 0"),
        ({**GOOD, "sed": 1}, r"study.json: sed is not known \(did you mean 'seed'\?\)"),
        ({**GOOD, "images": {"p": {"truth": 1, "m": "b"}}}, "images.p.truth must be text, not 1"),
        ({**GOOD, "images": {"p": {"truth": "a"}}}, "images.p must have a picture for each of m, truth"),
        ({key: value for key, value in GOOD.items() if key != "models"}, "models is missing"),
    ],
)
def test_a_damaged_study_says_what_is_wrong(tmp_path: Path, changed: object, sentence: str) -> None:
    text = changed if isinstance(changed, str) else json.dumps(changed)
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(DataError, match=sentence):
        Study.open(tmp_path)


def test_a_whole_study_opens(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(json.dumps(GOOD))
    assert Study.open(tmp_path).models == ("m",)


def test_protocol_of_the_study_is_256_px() -> None:
    assert PROTOCOLS["photos"].side == 256
