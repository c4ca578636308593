"""Write a run's report: report.json, metrics.csv, photos.csv and the page index.html."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import WriteError
from photochrom.evaluation.page import page
from photochrom.evaluation.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path

    from photochrom.evaluation.evaluator import Evaluation


def write_report(result: Evaluation, folder: Path) -> dict[str, Any]:
    """Write everything into a folder (made if missing) and return what report.json holds.

    Files of an earlier report are replaced; nothing else in the folder is touched. Raises WriteError.
    """
    summary = summarize(result)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(to_json(summary), encoding="utf-8")
        _write_metrics(folder / "metrics.csv", summary)
        _write_photos(folder / "photos.csv", result)
        (folder / "index.html").write_text(page(result, summary), encoding="utf-8")
    except OSError as error:
        raise WriteError(
            f"the report cannot be written into {folder} ({error.strerror}): choose another folder with --out"
        ) from None
    return summary


def to_json(summary: dict[str, Any]) -> str:
    """Text whose bytes are the same for the same figures."""
    return json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write_metrics(path: Path, summary: dict[str, Any]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
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
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["photo", "source", "number", "model", "left_out", *names])
        for model, number, row in rows:
            key = result.keys[number]
            values = [f"{row[name]:.6g}" if name in row else "" for name in names]
            writer.writerow([key, result.photos.source(key), result.numbers[number], model, "", *values])
        for left in result.exclusions:
            writer.writerow([left.key, result.photos.source(left.key), "", "", left.reason])
