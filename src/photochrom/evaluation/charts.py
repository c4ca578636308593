"""The report's charts, by matplotlib (the extra `eval`): each is one `<svg>` element as text.

Labels stay text and the ground is transparent, with an ink that reads on light and dark pages.
"""

from __future__ import annotations

import io
import math
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.color import ab_bins, lab_to_rgb
from photochrom.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

PALETTE = ("#c2571a", "#1f77b4", "#2a9d6f", "#8e5bb5", "#c23b6b", "#7a6a2f")
NEUTRAL = "#8a8f98"
_INK = "#7d848e"
_STYLE: Any = {
    "svg.fonttype": "none",  # text, not outlines
    "svg.hashsalt": "photochrom",
    "font.family": ["sans-serif"],
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "lines.markersize": 4.0,
    **dict.fromkeys(
        ("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color", "grid.color"), _INK
    ),
}
_METADATA = ("Creator", "Date", "Format", "Type")  # left out, so that the same figures give the same bytes


@dataclass(frozen=True)
class Series:
    """A named line: places, values and, where they are known, the ends of their intervals."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: str
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    style: str = "o-"  # of matplotlib: "o--" for what others published, "D" for points alone


class _Chart:
    """One chart while it is drawn: `axes` is matplotlib's, `svg` the result."""

    def __init__(self, axes: Any):
        self.axes = axes
        self.svg = ""

    def label(self, x: str, y: str = "") -> None:
        """Name both axes."""
        self.axes.set_xlabel(x)
        self.axes.set_ylabel(y)


@contextmanager
def _chart(width: float, height: float, title: str) -> Iterator[_Chart]:
    """A chart of that size in inches. Raises MissingExtra without matplotlib."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise MissingExtra("the report's charts", "eval") from None
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="tight")
        chart = _Chart(figure.add_subplot())
        yield chart
        stored = io.StringIO()
        figure.savefig(stored, format="svg", transparent=True, metadata=dict.fromkeys(_METADATA))
    text = stored.getvalue()
    start = text.index("<svg") + len("<svg")
    chart.svg = f'<svg role="img" aria-label="{escape(title)}"{text[start:].rstrip()}'


def lines(series: Sequence[Series], x: str, y: str, *, counts: bool = False) -> str:
    """Lines with bands of their intervals. counts: x are numbers from 0, drawn at log₂(1 + x)."""
    with _chart(5.0, 3.4, f"{y} against {x}") as chart:
        axes = chart.axes
        for one in series:
            places = np.log2(1 + np.asarray(one.x, float)) if counts else one.x
            axes.plot(places, one.y, one.style, color=one.color, label=one.name)
            if len(one.low):
                axes.fill_between(places, one.low, one.high, color=one.color, alpha=0.15, linewidth=0)
        if counts:
            ticks = sorted({value for one in series for value in one.x})
            axes.set_xticks([math.log2(1 + value) for value in ticks], [f"{value:g}" for value in ticks])
        chart.label(x, y)
        axes.legend()
    return chart.svg


def scatter(points: NDArray[Any], color: str, x: str, y: str, name: str) -> str:
    """Points (n, 2), with the diagonal on which both are equal."""
    with _chart(3.5, 3.4, f"{y} against {x}, {name}") as chart:
        top = float(max(10.0, np.nanmax(points) * 1.05))
        chart.axes.plot([0, top], [0, top], "--", color=_INK, linewidth=1)
        chart.axes.plot(*points.T, "o", color=color, alpha=0.5)
        chart.axes.set(xlim=(0, top), ylim=(0, top), title=name)
        chart.label(x, y)
    return chart.svg


def forest(
    rows: Sequence[tuple[str, Sequence[tuple[float, float, float] | None]]], colors: Sequence[str], x: str
) -> str:
    """A line a row with (value, low, high) of each model, from the top; None where there is none."""
    with _chart(8, 0.24 * len(rows) + 0.8, x) as chart:
        axes = chart.axes
        axes.axvline(0, color=_INK, linewidth=1)
        for place, (_, values) in enumerate(rows):
            for number, (value, color) in enumerate(zip(values, colors, strict=True)):
                if value:
                    height = place + 0.25 * (number - (len(values) - 1) / 2)
                    axes.plot(value[1:], [height, height], color=color, alpha=0.5)
                    axes.plot(value[0], height, "o", color=color)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        chart.label(x)
    return chart.svg


def ab_map(counts: NDArray[Any], name: str) -> str:
    """How often each ab bin occurs, (Q,): every square in its own color, the rarer the fainter."""
    share = counts / max(1.0, float(counts.sum()))
    with np.errstate(divide="ignore"):  # full at 2 %, faint at one in 500,000
        strength = np.where(share > 0, (1 + np.log10(share / 0.02) / 4).clip(0.06, 1), 0)
    bins = ab_bins()
    column, row = (np.rint(bins.T / 10) + 12).astype(int)
    squares = np.zeros((25, 25, 4))
    squares[row, column, :3] = lab_to_rgb(np.column_stack([np.full(len(bins), 62.0), bins]))
    squares[row, column, 3] = strength
    with _chart(2.6, 2.6, f"ab histogram of {name}") as chart:
        chart.axes.imshow(squares, extent=(-125, 125, -125, 125), origin="lower", interpolation="none")
        chart.axes.set_title(name)
        chart.label("a*", "b*")
    return chart.svg


def reliability(confidence: NDArray[Any], hits: NDArray[Any], share: NDArray[Any]) -> str:
    """Hits against confidence, (groups,) each; bars are the share of places, the diagonal is calibrated."""
    kept = share > 1e-4
    with _chart(3.9, 3.6, "Reliability diagram") as chart:
        axes = chart.axes
        axes.bar(
            (np.arange(len(share)) + 0.5) / len(share), share, 0.9 / len(share), color=NEUTRAL, alpha=0.3
        )
        axes.plot([0, 1], [0, 1], "--", color=_INK, linewidth=1)
        axes.plot(confidence[kept], hits[kept], "o-", color=PALETTE[0])
        axes.set(xlim=(0, 1), ylim=(0, 1))
        chart.label("probability of the likeliest bin", "share of places where it is right")
    return chart.svg
