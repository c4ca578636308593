"""Plots as small SVG drawings: sharp at any size, readable without a script, light and dark.

Every function returns one `<svg>` element as text, to be put into a page or saved as a file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from photochrom.color import ab_bins, lab_to_rgb, rgb_to_hex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

PALETTE = ("#c2571a", "#1f77b4", "#2a9d6f", "#8e5bb5", "#c23b6b", "#7a6a2f")
NEUTRAL = "#8a8f98"
STYLE = (
    "<style>svg.ph{font:12px system-ui,sans-serif}.ph text{fill:#40454d}.ph .line{stroke:#c9ced6}"
    ".ph .axis{stroke:#8a8f98}.ph .strong{fill:#15181c;font-weight:600}.ph .truth{stroke:#40454d}"
    "@media(prefers-color-scheme:dark){.ph text{fill:#b9c0ca}.ph .line{stroke:#333a44}"
    ".ph .strong{fill:#f1f3f6}.ph .truth{stroke:#b9c0ca}}</style>"
)


class Point(NamedTuple):
    """A value with its interval."""

    x: float
    y: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Series:
    """A named line."""

    name: str
    points: Sequence[Point]
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Frame:
    """A plot's area and its two scales; (x, y) in data units → px."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    width: int = 525
    height: int = 360
    left: int = 56
    right: int = 150
    top: int = 14
    bottom: int = 46

    def x(self, value: float) -> float:
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * (self.width - self.left - self.right)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return (
            self.height - self.bottom - (value - low) / (high - low) * (self.height - self.top - self.bottom)
        )


def svg(width: float, height: float, body: Sequence[str], title: str) -> str:
    """Wrap drawn parts; the title is what a screen reader says."""
    return (
        f'<svg class="ph" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" role="img" aria-label="{escape(title)}">{STYLE}{"".join(body)}</svg>'
    )


def ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Round numbers between low and high, about as many as wanted."""
    raw = (high - low) / wanted
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def text(x: float, y: float, label: str, anchor: str = "middle", extra: str = "") -> str:
    """One label."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{escape(label)}</text>'


def grid(
    frame: Frame,
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
    x_label: str,
    y_label: str,
) -> list[str]:
    """Lines, tick labels and axis names."""
    bottom, right = frame.height - frame.bottom, frame.width - frame.right
    parts = [
        f'<line class="line" x1="{frame.left}" x2="{right}" y1="{frame.y(v):.1f}" y2="{frame.y(v):.1f}"/>'
        + text(frame.left - 8, frame.y(v) + 4, label, "end")
        for v, label in y_ticks
    ]
    parts += [
        f'<line class="axis" x1="{frame.x(v):.1f}" x2="{frame.x(v):.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
        + text(frame.x(v), bottom + 19, label)
        for v, label in x_ticks
    ]
    middle = (frame.top + bottom) / 2
    return [
        *parts,
        f'<line class="axis" x1="{frame.left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>',
        text((frame.left + right) / 2, frame.height - 8, x_label),
        text(14, middle, y_label, "middle", f'transform="rotate(-90 14 {middle:.1f})"'),
    ]


def labelled(values: Sequence[float]) -> list[tuple[float, str]]:
    """Ticks with their numbers as labels."""
    return [(value, f"{value:g}") for value in values]


def line(frame: Frame, series: Series, place: Callable[[float], float] = lambda x: x) -> str:
    """A line with its band of intervals."""
    points = [Point(place(p.x), p.y, p.low, p.high) for p in series.points]
    path = " ".join(f"{frame.x(p.x):.1f},{frame.y(p.y):.1f}" for p in points)
    banded = [p for p in points if not math.isnan(p.low)]
    band = [f"{frame.x(p.x):.1f},{frame.y(p.high):.1f}" for p in banded]
    band += [f"{frame.x(p.x):.1f},{frame.y(p.low):.1f}" for p in reversed(banded)]
    dash = 'stroke-dasharray="6 5"' if series.dashed else ""
    dots = "".join(
        f'<circle cx="{frame.x(p.x):.1f}" cy="{frame.y(p.y):.1f}" r="3" fill="{series.colour}">'
        f"<title>{escape(series.name)}: {p.y:.2f}</title></circle>"
        for p in points
    )
    return (
        f'<polygon points="{" ".join(band)}" fill="{series.colour}" opacity="0.15"/>'
        f'<polyline points="{path}" fill="none" stroke="{series.colour}" stroke-width="2" {dash}/>{dots}'
    )


def line_ends(frame: Frame, series: Sequence[Series]) -> list[str]:
    """Names at the lines' right ends, pushed apart where they would overlap."""
    ends = [(frame.y(one.points[-1].y), one) for one in series if one.points]
    placed, last = [], -math.inf
    for y, one in sorted(ends, key=lambda end: end[0]):
        last = max(y, last + 15)
        placed.append(
            text(frame.width - frame.right + 10, last + 4, one.name, "start", f'style="fill:{one.colour}"')
        )
    return placed


def hint_curves(series: Sequence[Series], y_label: str = "PSNR, dB") -> str:
    """PSNR against the number of hints, on a scale that has room for 0."""
    counts = sorted({point.x for one in series for point in one.points})
    values = [v for one in series for p in one.points for v in (p.y, p.low, p.high) if not math.isnan(v)]

    def place(count: float) -> float:
        return math.log2(1 + count)

    pad = 0.06 * (max(values) - min(values) + 1e-9)
    x_range = (place(counts[0]) - 0.15, place(counts[-1]) + 0.15)
    frame = Frame(x_range, (min(values) - pad, max(values) + pad), width=525, right=152)
    body = grid(
        frame,
        [(place(c), f"{c:g}") for c in counts],
        labelled(ticks(*frame.y_range)),
        "hints a photo",
        y_label,
    )
    body += [line(frame, one, place) for one in series]
    return svg(frame.width, frame.height, [*body, *line_ends(frame, series)], "PSNR against hints")


def scatter(points: NDArray[Any], colour: str, x_label: str, y_label: str, name: str) -> str:
    """Points (n, 2) with the diagonal on which both are equal."""
    top = float(max(10.0, np.nanmax(points) * 1.05))
    frame = Frame((0, top), (0, top), width=340, height=330, right=14)
    body = grid(frame, labelled(ticks(0, top, 5)), labelled(ticks(0, top, 5)), x_label, y_label)
    body.append(
        f'<line class="truth" stroke-dasharray="4 4" x1="{frame.x(0):.1f}" y1="{frame.y(0):.1f}" '
        f'x2="{frame.x(top):.1f}" y2="{frame.y(top):.1f}"/>'
    )
    body += [
        f'<circle cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="2.6" fill="{colour}" opacity="0.55"/>'
        for x, y in points.tolist()
    ]
    body.append(text(frame.left + 8, frame.top + 14, name, "start", 'class="strong"'))
    return svg(frame.width, frame.height, body, f"{y_label} against {x_label}, {name}")


def forest(rows: Sequence[tuple[str, Sequence[Point | None]]], colours: Sequence[str], x_label: str) -> str:
    """One line a row with a value and interval for each model (Point.y is the value)."""
    points = [point for _, row in rows for point in row if point]
    ends = [value for p in points for value in (p.y, p.low, p.high) if not math.isnan(value)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    high = high if high > low else 1.0
    pad, step = 0.04 * (high - low + 1e-9), 22
    frame = Frame((low - pad, high + pad), (0, 1), 760, step * len(rows) + 64, left=190, right=16)
    body = grid(frame, labelled(ticks(low, high, 8)), [], x_label, "")
    body.append(
        f'<line class="axis" x1="{frame.x(0):.1f}" x2="{frame.x(0):.1f}" y1="{frame.top}" '
        f'y2="{frame.height - frame.bottom}"/>'
    )
    for number, (name, row) in enumerate(rows):
        y = frame.top + step * (number + 0.5)
        body.append(text(frame.left - 10, y + 4, name, "end"))
        for place, (point, colour) in enumerate(zip(row, colours, strict=True)):
            if point:
                body.append(_whisker(frame, point, y + 6 * (place - (len(row) - 1) / 2), colour))
    return svg(frame.width, frame.height, body, x_label)


def _whisker(frame: Frame, point: Point, y: float, colour: str) -> str:
    return (
        f'<line x1="{frame.x(point.low):.1f}" x2="{frame.x(point.high):.1f}" y1="{y:.1f}" y2="{y:.1f}" '
        f'stroke="{colour}" stroke-width="2" opacity="0.5"/>'
        f'<circle cx="{frame.x(point.y):.1f}" cy="{y:.1f}" r="3.4" fill="{colour}"/>'
    )


def ab_map(counts: NDArray[Any], name: str) -> str:
    """How often each ab bin occurs, (Q,): every square in its own colour, the rarer the fainter."""
    share = counts / max(1.0, float(counts.sum()))
    side = 9.0
    body = [f'<line class="line" x1="0" x2="225" y1="{123 + 20}" y2="{123 + 20}"/>']
    body.append('<line class="line" x1="112.5" x2="112.5" y1="30" y2="255"/>')
    for (a, b), part in zip(ab_bins().tolist(), share.tolist(), strict=True):
        if part <= 0:
            continue
        strength = min(
            1.0, max(0.06, 1 + math.log10(part / 0.02) / 4)
        )  # full at 2 %, faint at one in 500,000
        colour = rgb_to_hex(lab_to_rgb(np.array([62.0, a, b])))
        x, y = (a + 120) / 10 * side, 30 + (120 - b) / 10 * side
        body.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{side}" height="{side}" fill="{colour}" '
            f'opacity="{strength:.2f}"><title>a* {a:g}, b* {b:g}: {100 * part:.3f} %</title></rect>'
        )
    body.append(text(2, 16, name, "start", 'class="strong"'))
    body += [text(223, 155, "a*", "end"), text(117, 42, "b*", "start")]
    return svg(230, 262, body, f"ab histogram of {name}")


def reliability(confidence: NDArray[Any], hits: NDArray[Any], share: NDArray[Any]) -> str:
    """Hits against confidence, with the share of places as bars; on the diagonal is calibrated."""
    frame = Frame((0, 1), (0, 1), width=380, height=350, right=14)
    fifths = labelled([0, 0.2, 0.4, 0.6, 0.8, 1])
    body = grid(
        frame, fifths, fifths, "probability of the likeliest bin", "share of places where it is right"
    )
    body.append(
        f'<line class="truth" stroke-dasharray="4 4" x1="{frame.x(0):.1f}" y1="{frame.y(0):.1f}" '
        f'x2="{frame.x(1):.1f}" y2="{frame.y(1):.1f}"/>'
    )
    groups = len(share)
    for number, part in enumerate(share.tolist()):
        left, top = frame.x(number / groups), frame.y(part)
        body.append(
            f'<rect x="{left + 1:.1f}" y="{top:.1f}" width="{frame.x(1 / groups) - frame.x(0) - 2:.1f}" '
            f'height="{max(0.0, frame.y(0) - top):.1f}" fill="{NEUTRAL}" opacity="0.3"/>'
        )
    kept = share > 1e-4
    points = [Point(c, h) for c, h in zip(confidence[kept].tolist(), hits[kept].tolist(), strict=True)]
    body.append(line(frame, Series("hits", points, PALETTE[0])))
    return svg(frame.width, frame.height, body, "Reliability diagram")


def simple_line(points: Sequence[Point], x_label: str, y_label: str) -> str:
    """One line from 0 up."""
    top = max((p.y for p in points), default=1.0) * 1.08 + 1e-9
    right = max((p.x for p in points), default=1.0)
    frame = Frame((0, right * 1.03), (0, top), width=380, height=350, right=14)
    body = grid(frame, labelled(ticks(0, right, 5)), labelled(ticks(0, top, 5)), x_label, y_label)
    body.append(line(frame, Series(y_label, points, PALETTE[0])))
    return svg(frame.width, frame.height, body, f"{y_label} against {x_label}")
