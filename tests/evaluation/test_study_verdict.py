"""Simulated participants: a guesser, a knower, people with tastes; answers in SQLite."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.errors import DataError, OptionError
from photochrom.evaluation.predictors import Grey, MeanColor
from photochrom.evaluation.study.answers import Answer, Answers, UnknownParticipant
from photochrom.evaluation.study.design import Study, Trial, create
from photochrom.evaluation.study.report import write_study_report
from photochrom.evaluation.study.verdict import _won, bradley_terry, fooling_rate, judge, preference

if TYPE_CHECKING:
    from photochrom.evaluation.photos import PhotoSet

Choice = Callable[[Trial], str]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, photos: PhotoSet) -> Path:
    place = tmp_path_factory.mktemp("template") / "study"
    create(place, photos, [Grey(), MeanColor()], pairs=8, practice=2, preference=4)
    return place


@pytest.fixture
def study(template: Path, tmp_path: Path) -> Study:
    shutil.copytree(template, tmp_path / "study")
    return Study.open(tmp_path / "study")


def large(models: tuple[str, ...] = ("a", "b"), preference: int = 0) -> Study:
    images = {f"p{n}": {name: f"{name}{n}" for name in ("truth", *models)} for n in range(60)}
    return Study(Path("nowhere"), 0, 40, 10, preference, models, images)


def simulate(study: Study, people: int, choose: Choice) -> list[Answer]:
    return [
        Answer(number, trial, choose(trial), 1200.0)
        for number in range(people)
        for trial in study.trials(number)
    ]


_RNG = random.Random(5)


def guess(trial: Trial) -> str:
    return _RNG.choice(("left", "right"))


# --- fooling rate -------------------------------------------------------------------------------


def test_one_who_guesses_gets_50_percent_within_the_interval() -> None:
    one = judge(simulate(large(), 1, guess), ("a", "b"), 50)
    many = judge(simulate(large(), 30, guess), ("a", "b"), 50)
    for verdict in (one, many):
        for rate in verdict.fooling.values():
            assert rate.low <= 0.5 <= rate.high
    assert many.fooling["a"].high - many.fooling["a"].low < one.fooling["a"].high - one.fooling["a"].low
    assert (many.participants, many.complete, many.answers) == (30, 30, 1200)


def test_one_who_knows_gets_0_percent() -> None:
    verdict = judge(simulate(large(), 3, lambda trial: trial.colored), ("a", "b"), 50)
    assert all(rate[:3] == (0, 0, 0) for rate in verdict.fooling.values())


def test_one_who_is_always_fooled_gets_100_percent() -> None:
    wrong = {"left": "right", "right": "left"}
    verdict = judge(simulate(large(), 2, lambda trial: wrong[trial.colored]), ("a", "b"), 50)
    assert all(rate[:3] == (1, 1, 1) for rate in verdict.fooling.values())


def test_practice_does_not_count() -> None:
    answers = simulate(large(), 2, lambda t: t.colored if t.kind != "practice" else "left")
    assert judge(answers, ("a", "b"), 50).fooling["a"].mean == 0


def test_the_interval_covers_the_truth_about_95_times_in_100() -> None:
    rng = random.Random(1)
    covered = 0
    for _ in range(60):
        answers = [
            Answer(
                person,
                Trial(i, "fooling", "p", "truth", "a", "left"),
                rng.choice(("left", "right", "right")),
                1.0,
            )
            for person in range(12)
            for i in range(40)
        ]
        rate = fooling_rate(answers)
        covered += rate.low <= 1 / 3 <= rate.high
    assert covered >= 52  # a two-level bootstrap is a little wide


def test_models_are_told_apart() -> None:
    rng = random.Random(2)
    fooled = {"a": 0.45, "b": 0.1}

    def choose(trial: Trial) -> str:
        model = trial.left if trial.colored == "left" else trial.right
        right = rng.random() >= fooled[model]
        return trial.colored if right else {"left": "right", "right": "left"}[trial.colored]

    verdict = judge(simulate(large(), 25, choose), ("a", "b"), 50)
    assert verdict.fooling["a"].low > verdict.fooling["b"].high
    assert verdict.fooling["a"].mean == pytest.approx(0.45, abs=0.06)


def test_photo_by_photo_counts_add_up() -> None:
    verdict = judge(simulate(large(), 4, guess), ("a", "b"), 50)
    assert sum(shown for _, shown in verdict.photos.values()) == 160
    fooled = sum(fooled for fooled, _ in verdict.photos.values())
    assert fooled == round(sum(rate.mean * rate.n for rate in verdict.fooling.values()))


# --- preference ---------------------------------------------------------------------------------


def test_bradley_terry_of_two_models_is_the_log_odds() -> None:
    scores = bradley_terry(np.array([[0, 7300.0], [2700.0, 0]]))
    assert scores[0] - scores[1] == pytest.approx(np.log(73 / 27), abs=1e-3)
    assert scores.sum() == pytest.approx(0, abs=1e-9)


def test_bradley_terry_recovers_known_strengths() -> None:
    strength = np.array([1.2, 0.3, -0.4, -1.1])
    probability = 1 / (1 + np.exp(-(strength[:, None] - strength[None])))
    wins = 20_000 * probability
    np.fill_diagonal(wins, 0)
    np.testing.assert_allclose(bradley_terry(wins), strength - strength.mean(), atol=2e-3)


@given(st.lists(st.integers(0, 20), min_size=9, max_size=9))
def test_bradley_terry_is_finite_and_relabels(counts: list[int]) -> None:
    wins = np.array(counts, float).reshape(3, 3)
    np.fill_diagonal(wins, 0)
    scores = bradley_terry(wins)
    assert np.isfinite(scores).all()
    order = [2, 0, 1]
    np.testing.assert_allclose(bradley_terry(wins[np.ix_(order, order)]), scores[order], atol=1e-6)


def test_all_ties_give_equal_scores_and_wins_of_a_half() -> None:
    study = large(("a", "b", "c"), preference=30)
    answers = simulate(study, 2, lambda trial: "tie" if trial.kind == "preference" else "left")
    assert all(
        score.mean == pytest.approx(0, abs=1e-6) for score in preference(answers, study.models).values()
    )
    assert _won(answers)["a", "b"] == (10.0, 20)


def test_the_preferred_model_wins() -> None:
    study = large(("a", "b", "c"), preference=30)

    def choose(trial: Trial) -> str:
        return "left" if trial.left < trial.right else "right"

    scores = preference(simulate(study, 5, choose), study.models)
    assert scores["a"].low > scores["b"].high
    assert scores["b"].low > scores["c"].high


# --- the answers --------------------------------------------------------------------------------


def test_answers_resume_where_they_stopped(study: Study) -> None:
    answers = Answers(study)
    me = answers.enroll()
    for index in range(3):
        assert answers.answered(me) == index
        answers.record(me, index, "left", 800)
    again = Answers(Study.open(study.folder))
    assert again.answered(me) == 3
    assert [answer.trial.index for answer in again.all()] == [0, 1, 2]


def test_the_first_answer_counts(study: Study) -> None:
    answers = Answers(study)
    me = answers.enroll()
    answers.record(me, 0, "left", 800)
    assert answers.record(me, 0, "right", 5).choice == "left"
    assert [(a.choice, a.milliseconds) for a in answers.all()] == [("left", 800)]


@pytest.mark.parametrize(
    ("index", "choice", "milliseconds"),
    [(1, "left", 1), (-1, "left", 1), (99, "left", 1), (0, "tie", 1), (0, "", 1), (0, "left", -1)],
)
def test_senseless_answers_are_refused(study: Study, index: int, choice: str, milliseconds: float) -> None:
    answers = Answers(study)
    with pytest.raises(OptionError):
        answers.record(answers.enroll(), index, choice, milliseconds)
    assert answers.all() == []


def test_a_stranger_is_not_known(study: Study) -> None:
    with pytest.raises(UnknownParticipant):
        Answers(study).record("nobody", 0, "left", 1)


def test_people_who_come_at_once_get_numbers_of_their_own(study: Study) -> None:
    answers, ids = Answers(study), []
    threads = [threading.Thread(target=lambda: ids.append(answers.enroll())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers.number(person) for person in ids) == list(range(8))


def test_a_broken_database_is_our_error(study: Study) -> None:
    (study.folder / "answers.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(DataError, match="cannot be used"):
        Answers(study)


def test_the_database_holds_no_more_than_it_must(study: Study) -> None:
    Answers(study)
    database = sqlite3.connect(study.folder / "answers.sqlite")
    columns = {
        row[1]
        for table in ("participants", "answers")
        for row in database.execute(f"PRAGMA table_info({table})")
    }
    database.close()
    assert columns == {
        "id",
        "number",
        "started",
        "participant",
        "trial",
        "choice",
        "milliseconds",
        "answered",
    }


# --- the report ---------------------------------------------------------------------------------


def test_the_report_holds_every_shown_photo(study: Study, tmp_path: Path) -> None:
    answers = Answers(study)
    me = answers.enroll()
    for trial in study.trials(0):
        answers.record(me, trial.index, "tie" if trial.kind == "preference" else trial.colored, 900)
    verdict = write_study_report(study, tmp_path / "report")
    page = (tmp_path / "report/index.html").read_text()
    assert verdict.complete == 1
    assert page.count("<figure>") == 8
    assert "fooled 0 of 1" in page
    assert "A study needs 40 pairs per participant; this one has" in page
    assert "http://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    assert '"mean": 0.0' in (tmp_path / "report/verdict.json").read_text()


def test_the_report_before_anyone_came(study: Study, tmp_path: Path) -> None:
    verdict = write_study_report(study, tmp_path / "report")
    assert verdict.answers == 0
    assert "No answers yet" in (tmp_path / "report/index.html").read_text()
