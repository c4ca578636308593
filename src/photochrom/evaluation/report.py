"""Write a run's report: report.json, metrics.csv, photos.csv and the page index.html."""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import WriteError
from photochrom.evaluation.page import document, page, soft
from photochrom.evaluation.summary import summarize
from photochrom.evaluation.tables import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from photochrom.evaluation.evaluator import Evaluation


def write_report(result: Evaluation, folder: Path) -> dict[str, Any]:
    """Write everything into a folder (made if missing) and return what report.json holds.

    Files of an earlier report are replaced; nothing else in the folder is touched. Raises WriteError.
    """
    summary = summarize(result)
    with writing(folder):
        _store(folder / "report.json", to_json(summary))
        _write_metrics(folder / "metrics.csv", summary)
        _write_photos(folder / "photos.csv", result)
        _store(folder / "index.html", page(result, summary))
    return summary


def write_films(films: dict[str, Any], folder: Path) -> Table:
    """Write report.json and index.html of `film.evaluate_films` and return their table. Raises WriteError."""
    rows = []
    for name, ways in films.items():
        for way, one in ways.items():
            figures = (
                f"{one['flicker']:.2f}",
                f"{one['gain']:+.2f}",
                f"{one['cf_ratio']:.2f}",
                f"{one['frames']}",
            )
            rows.append((f"{name}, {way}", [Cell(figure) for figure in figures]))
    table = Table(["", "flicker, ab", "gain, dB", "colorfulness ÷ truth", "frames"], rows)
    with writing(folder):
        _store(folder / "report.json", to_json({"protocol": "video", "films": films}))
        told = soft("Flicker: mean change of ab along the motion, where forward and backward flow agree.")
        html = document("evaluation, video", f"<h1>Films</h1>{told}{table.html()}")
        _store(folder / "index.html", html)
    return table


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make the folder; a fault in writing becomes a WriteError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise WriteError(
            f"the report cannot be written into {folder} ({error.strerror}): choose another folder with --out"
        ) from None


def _store(path: Path, text: str) -> None:
    """As UTF-8; bytes of names that are none as \\udcXX, which JSON reads back."""
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def to_json(summary: dict[str, Any]) -> str:
    """Text whose bytes are the same for the same figures."""
    return json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write_metrics(path: Path, summary: dict[str, Any]) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(["protocol", "model", "metric", "mean", "low", "high", "n", "not_available"])
        for model, figures in summary["models"].items():
            for metric, entry in figures.items():
                values = [entry.get(key, "") for key in ("mean", "low", "high", "n", "not_available")]
                writer.writerow([summary["protocol"], model, metric, *values])


def _write_photos(path: Path, result: Evaluation) -> None:
    """One line a photo and model, with every plain number; photos left out carry their reason."""
    rows = [(model, number, row) for model, rows in result.rows.items() for number, row in enumerate(rows)]
    names = sorted({name for _, _, row in rows for name, value in row.items() if np.ndim(value) == 0})
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(["photo", "source", "number", "model", "left_out", *names])
        for model, number, row in rows:
            key = result.keys[number]
            values = [f"{row[name]:.6g}" if name in row else "" for name in names]
            writer.writerow([key, result.photos.source(key), result.numbers[number], model, "", *values])
        for left in result.exclusions:
            writer.writerow([left.key, result.photos.source(left.key), "", "", left.reason])
