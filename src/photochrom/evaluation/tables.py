"""Tables of figures, once, and as HTML, Markdown and text."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from photochrom.evaluation.summary import metrics_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.evaluation.summary import Metric

BASELINES = ("grey", "mean color", "spreading")

Figures = dict[str, Any]  # {metric: {"mean", "low", "high", "n"}} of one model


@dataclass(frozen=True)
class Cell:
    """A value with its interval, if it has one."""

    text: str
    interval: str = ""
    marked: bool = False  # the best of its line, or a clear difference
    prose: bool = False  # words rather than a figure

    def html(self) -> str:
        """As `<td>`."""
        if self.prose:
            return f'<td class="none">{escape(self.text)}</td>'
        interval = f"<small>{escape(self.interval)}</small>" if self.interval else ""
        return f'<td class="{"best" if self.marked else ""}"><b>{escape(self.text)}</b>{interval}</td>'

    def __str__(self) -> str:
        return f"{self.text} [{self.interval.replace(' … ', ', ')}]" if self.interval else self.text


NOTHING = Cell("–")


@dataclass(frozen=True)
class Table:
    """Named lines of cells under a header whose first name stands over the lines' names."""

    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]

    def html(self) -> str:
        """As `<table>`, in a box that scrolls where it is too wide."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.head)
        body = "".join(
            f"<tr><th>{escape(name)}</th>{''.join(cell.html() for cell in cells)}</tr>"
            for name, cells in self.rows
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'<div class="scroll">{table}</div>'

    def markdown(self) -> str:
        """As a Markdown table."""
        lines = [
            self.head,
            ["---"] * len(self.head),
            *([name, *map(str, cells)] for name, cells in self.rows),
        ]
        return "\n".join(f"| {' | '.join(text.replace('|', '∣') for text in line)} |" for line in lines)

    def text(self, name_width: int = 50) -> str:
        """As lines of equal width for a terminal; reasons are cut to "not available"."""
        width = max(24, *(len(name) + 2 for name in self.head[1:]))
        lines = [self.head, *([name, *(_short(cell) for cell in cells)] for name, cells in self.rows)]
        return "\n".join(
            line[0].ljust(name_width) + "".join(cell.rjust(width) for cell in line[1:]) for line in lines
        )


def _short(cell: Cell) -> str:
    return "not available" if cell.prose else str(cell)


def metric_table(
    models: dict[str, Figures], hint_counts: Sequence[int], corner: str = "", *, signed: bool = False
) -> Table:
    """A metric a line, a model a column; metrics that no model has are left out.

    The best real model of a line is marked where several compete; signed: figures are differences, and those
    whose interval leaves out 0 are marked.
    """
    rows = []
    for metric in metrics_of(hint_counts):
        entries = [figures.get(metric.name) for figures in models.values()]
        if any(entries):
            best = None if signed else _best(metric, dict(zip(models, entries, strict=True)))
            cells = [
                _cell(metric, entry, signed, name == best)
                for name, entry in zip(models, entries, strict=True)
            ]
            rows.append((title(metric), cells))
    return Table([corner, *models], rows)


def _cell(metric: Metric, entry: Figures | None, signed: bool, best: bool) -> Cell:
    if entry is None:
        return NOTHING
    if entry["mean"] is None:
        return Cell(f"not available: {entry.get('not_available', '')}", prose=True)
    form = f"{'+' if signed else ''}.{metric.digits}f"
    marked = best or (signed and (entry["low"] > 0 or entry["high"] < 0))
    return Cell(format(entry["mean"], form), f"{entry['low']:{form}} … {entry['high']:{form}}", marked)


def _best(metric: Metric, entries: dict[str, Figures | None]) -> str | None:
    """The model to mark, where several real ones compete and better has a direction."""
    means = {
        model: entry["mean"]
        for model, entry in entries.items()
        if entry and entry["mean"] is not None and model not in BASELINES
    }
    if len(means) < 2 or metric.better not in ("higher", "lower"):
        return None
    return (max if metric.better == "higher" else min)(means, key=lambda model: means[model])


def title(metric: Metric) -> str:
    """ "PSNR, dB ↑"."""
    arrow = {"higher": " ↑", "lower": " ↓", "": ""}.get(metric.better, f" → {metric.better}")
    return f"{metric.title}{', ' + metric.unit if metric.unit else ''}{arrow}"
