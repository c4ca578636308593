"""What the answers mean: fooling rates and preference scores with bootstrap intervals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photochrom.evaluation.statistics import LEVEL, Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from photochrom.evaluation.study.answers import Answer

RESAMPLES = 2000
SEED = 32
_PRIOR_TIES = 0.5  # of every model against an average one: keeps scores finite where one always wins
PUBLISHED = (("Zhang et al. 2016", 32.3), ("Palette 2022, about", 48.0))  # % fooled, other photos and people


@dataclass(frozen=True)
class Verdict:
    """The study so far."""

    participants: int
    complete: int
    answers: int  # practice left out
    fooling: dict[str, Interval]  # model: share of pairs, 0..1, in which the real photo was taken for colored
    scores: dict[str, Interval]  # model: Bradley–Terry log-strength, mean 0
    wins: dict[tuple[str, str], tuple[float, int]]  # (a, b): wins of a (ties half), pairs
    seconds: float  # median time of an answer
    photos: dict[tuple[str, str], tuple[int, int]]  # (photo, model): fooled, shown


def judge(answers: Sequence[Answer], models: Sequence[str], trials: int) -> Verdict:
    """All figures. `trials`: how many make a participant complete."""
    counted = [answer for answer in answers if answer.trial.kind != "practice"]
    pairs = [answer for answer in counted if answer.trial.kind == "fooling"]
    people: dict[int, int] = defaultdict(int)
    for answer in answers:
        people[answer.participant] += 1
    shown: dict[tuple[str, str], tuple[int, int]] = {}
    for answer in pairs:
        fooled, count = shown.get((answer.trial.photo, answer.model), (0, 0))
        shown[answer.trial.photo, answer.model] = (fooled + (not answer.right), count + 1)
    return Verdict(
        participants=len(people),
        complete=sum(count >= trials for count in people.values()),
        answers=len(counted),
        fooling={model: fooling_rate([a for a in pairs if a.model == model]) for model in models},
        scores=preference(counted, models),
        wins=_won(counted),
        seconds=float(np.median([a.milliseconds for a in counted]) / 1000) if counted else float("nan"),
        photos=shown,
    )


def fooling_rate(pairs: Iterable[Answer]) -> Interval:
    """Share of pairs in which the participant took the real photo for the colored one, 0..1.

    Bootstrap 95 % over participants, and over each drawn participant's answers, so that one
    participant alone has an interval too. `n` counts answers.
    """
    by_person: dict[int, list[bool]] = defaultdict(list)
    for answer in pairs:
        by_person[answer.participant].append(not answer.right)
    if not by_person:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    shown = np.array([len(values) for values in by_person.values()])
    fooled = np.array([sum(values) for values in by_person.values()])
    low, high = _interval(shown, fooled)
    return Interval(float(fooled.sum() / shown.sum()), low, high, int(shown.sum()))


def _interval(shown: NDArray[np.int64], fooled: NDArray[np.int64]) -> tuple[float, float]:
    """Two-level bootstrap; drawing a person's yes-or-no answers again is a binomial draw."""
    rng = np.random.default_rng(SEED)
    people = rng.integers(0, len(shown), (RESAMPLES, len(shown)))
    drawn = rng.binomial(shown[people], (fooled / shown)[people])
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(drawn.sum(axis=1) / shown[people].sum(axis=1), [tail, 100 - tail])
    return float(low), float(high)


# --- preference --------------------------------------------------------------------------------------


def _won(answers: Iterable[Answer]) -> dict[tuple[str, str], tuple[float, int]]:
    """{(a, b): (wins of a, pairs)}, for both orders; a tie is half a win for each."""
    table: dict[tuple[str, str], tuple[float, int]] = {}
    for answer in answers:
        if answer.trial.kind != "preference":
            continue
        left, right = answer.trial.left, answer.trial.right
        share = {"left": 1.0, "right": 0.0, "tie": 0.5}[answer.choice]
        for pair, part in (((left, right), share), ((right, left), 1 - share)):
            wins, count = table.get(pair, (0.0, 0))
            table[pair] = (wins + part, count + 1)
    return table


def bradley_terry(wins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-strengths (m,), mean 0, of wins[i, j] = how often i beat j (ties half to each).

    Bradley & Terry (1952), by Newton's method; every model also has `_PRIOR_TIES` ties with an average
    model, so that one that always wins has a finite score.
    """
    pairs = wins + wins.T
    theta = np.zeros(len(wins))
    for _ in range(100):
        beats = 1 / (1 + np.exp(theta[None] - theta[:, None]))  # P(i beats j)
        average = 1 / (1 + np.exp(-theta))
        slope = (wins - pairs * beats).sum(axis=1) + _PRIOR_TIES * (0.5 - average)
        weight = pairs * beats * (1 - beats)
        curve = np.diag(weight.sum(axis=1) + _PRIOR_TIES * average * (1 - average)) - weight
        step = np.linalg.solve(curve, slope)
        theta = theta + np.clip(step, -1, 1)  # far from the optimum a whole step can overshoot
        if np.abs(step).max() < 1e-10:
            break
    return np.asarray(theta - theta.mean())


def preference(answers: Sequence[Answer], models: Sequence[str]) -> dict[str, Interval]:
    """Bradley–Terry scores with intervals over participants; empty without preference pairs."""
    people: dict[int, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.trial.kind == "preference":
            people[answer.participant].append(answer)
    if not people:
        return {}
    tables = [_table(mine, models) for mine in people.values()]
    estimate = bradley_terry(np.sum(tables, axis=0))
    rng = np.random.default_rng(SEED)
    draws = rng.integers(0, len(tables), (RESAMPLES // 4, len(tables)))
    resampled = np.array([bradley_terry(np.sum([tables[n] for n in draw], axis=0)) for draw in draws])
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(resampled, [tail, 100 - tail], axis=0)
    count = sum(len(mine) for mine in people.values())
    return {
        model: Interval(float(estimate[i]), float(low[i]), float(high[i]), count)
        for i, model in enumerate(models)
    }


def _table(answers: Iterable[Answer], models: Sequence[str]) -> NDArray[np.float64]:
    wins = np.zeros((len(models), len(models)))
    for (a, b), (part, _) in _won(answers).items():
        wins[models.index(a), models.index(b)] += part
    return wins
