"""The study's report: study.json with the figures, and a page with a table of every photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from photochrom.evaluation.charts import PALETTE, forest
from photochrom.evaluation.gallery import Strip, encode_strip
from photochrom.evaluation.page import document, drawn, strip_grid
from photochrom.evaluation.report import to_json, writing
from photochrom.evaluation.study.answers import Answers
from photochrom.evaluation.study.design import ENOUGH_PAIRS, TRUTH
from photochrom.evaluation.study.verdict import PUBLISHED, judge
from photochrom.evaluation.tables import Cell, Table

if TYPE_CHECKING:
    from pathlib import Path

    from photochrom.evaluation.statistics import Interval
    from photochrom.evaluation.study.design import Study
    from photochrom.evaluation.study.verdict import Verdict


def write_study_report(study: Study, folder: Path) -> Verdict:
    """Judge the answers so far and write verdict.json and index.html. Raises WriteError."""
    trials = len(study.trials(0))
    verdict = judge(Answers(study).all(), study.models, trials)
    with writing(folder):
        (folder / "verdict.json").write_text(to_json(figures(study, verdict)), encoding="utf-8")
        (folder / "index.html").write_text(page(study, verdict), encoding="utf-8")
    return verdict


def figures(study: Study, verdict: Verdict) -> dict[str, Any]:
    """verdict.json."""
    return {
        "participants": verdict.participants,
        "complete": verdict.complete,
        "answers": verdict.answers,
        "median_seconds": None if np.isnan(verdict.seconds) else round(verdict.seconds, 2),
        "pairs_each": study.pairs,
        "fooling_rate": {model: entry(rate) for model, rate in verdict.fooling.items()},
        "bradley_terry": {model: entry(score) for model, score in verdict.scores.items()},
        "wins": [
            {"model": a, "over": b, "wins": wins, "pairs": pairs}
            for (a, b), (wins, pairs) in verdict.wins.items()
        ],
        "photos": [
            {"photo": photo, "model": model, "fooled": fooled, "shown": shown}
            for (photo, model), (fooled, shown) in sorted(verdict.photos.items())
        ],
    }


def entry(interval: Interval) -> dict[str, Any]:
    """JSON of an interval; null where there were no answers."""
    if interval.n == 0:
        return {"mean": None, "low": None, "high": None, "n": 0}
    mean, low, high = (round(value, 4) for value in interval[:3])
    return {"mean": mean, "low": low, "high": high, "n": interval.n}


def counted(number: int, noun: str) -> str:
    """The number and the noun: "1 answer", "2 answers"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def page(study: Study, verdict: Verdict) -> str:
    """One self-contained page."""
    few = ""
    if study.pairs < ENOUGH_PAIRS:
        told = f"A study needs {ENOUGH_PAIRS} pairs per participant; this one has {study.pairs}."
        few = f'<div class="notice">{told}</div>'
    intro = (
        f"<h1>Which one was colored by a machine?</h1><p>"
        f"{counted(verdict.participants, 'participant')} ({verdict.complete} complete), "
        f"{counted(verdict.answers, 'answer')} counted"
        + (f", median {verdict.seconds:.1f} s each" if verdict.answers else "")
        + ". Pairs of a real and a colored photo at 256 px, one second each, then free choice; sides and "
        "order balanced. 50 % fooled is the ceiling.</p>"
    )
    return document(
        "Human test", intro + few + _fooling(verdict) + _preference(study, verdict) + _photos(study, verdict)
    )


def _fooling(verdict: Verdict) -> str:
    rates = [(model, rate) for model, rate in verdict.fooling.items() if rate.n]
    if not rates:
        return "<h2>Fooling rate</h2><p>No answers yet.</p>"
    rows = [
        (
            model,
            [
                Cell(f"{100 * rate.mean:.1f} %", f"{100 * rate.low:.1f} … {100 * rate.high:.1f}"),
                Cell(str(rate.n)),
            ],
        )
        for model, rate in rates
    ]
    rows += [(name, [Cell(f"{value:.0f} %"), Cell("other photos and people")]) for name, value in PUBLISHED]
    points = [(model, [(100 * rate.mean, 100 * rate.low, 100 * rate.high)]) for model, rate in rates]
    points += [(name, [(value, value, value)]) for name, value in PUBLISHED]
    table = Table(["", "took the real photo for colored", "answers"], rows)
    return f"<h2>Fooling rate</h2>{table.html()}{drawn([forest(points, PALETTE[:1], 'fooled, % of pairs')])}"


def _preference(study: Study, verdict: Verdict) -> str:
    if not verdict.scores:
        return ""
    scores = sorted(verdict.scores.items(), key=lambda item: -item[1].mean)
    rows = [
        (model, [Cell(f"{score.mean:+.2f}", f"{score.low:+.2f} … {score.high:+.2f}")])
        for model, score in scores
    ]
    duels = [
        (f"{a} against {b}", [Cell(f"{wins:g} of {pairs}")])
        for place, a in enumerate(study.models)
        for b in study.models[place + 1 :]
        for wins, pairs in [verdict.wins.get((a, b), (0.0, 0))]
    ]
    return (
        "<h2>Preference</h2>"
        "<p>Bradley–Terry scores: a difference of 1 means that the better one wins 73 % of pairs.</p>"
        f"{Table(['', 'score'], rows).html()}"
        f"<h3>Wins, a tie counting half</h3>{Table(['', ''], duels).html()}"
    )


def _photos(study: Study, verdict: Verdict) -> str:
    """Every shown pair as real | colored, the most convincing first."""
    ordered = sorted(verdict.photos.items(), key=lambda item: (-item[1][0] / item[1][1], item[0]))
    strips = [
        Strip(photo, f"fooled {fooled} of {count}", ("real", model), _pair(study, photo, model))
        for (photo, model), (fooled, count) in ordered
    ]
    return f"<h2>Photo by photo</h2>{strip_grid(strips)}" if strips else ""


def _pair(study: Study, photo: str, model: str) -> bytes:
    names = (study.images[photo][TRUTH], study.images[photo][model])
    return encode_strip([np.asarray(Image.open(study.folder / "images" / f"{name}.png")) for name in names])
