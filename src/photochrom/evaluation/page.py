"""The report's HTML page: one file, no script, no other host, light and dark."""

from __future__ import annotations

import math
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.evaluation import plots, published
from photochrom.evaluation.calibration import GROUPS, LEVELS
from photochrom.evaluation.gallery import Strip, gallery, shown_models, uncertainty_strips
from photochrom.evaluation.plots import NEUTRAL, PALETTE, Point, Series
from photochrom.evaluation.predictors import Grey, MeanColour
from photochrom.evaluation.spreading import Spreading
from photochrom.evaluation.summary import Metric, metrics_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.evaluation.evaluator import Evaluation

Summary = dict[str, Any]
BASELINES = (Grey().name, MeanColour().name, Spreading().name)


def page(result: Evaluation, summary: Summary) -> str:
    """The whole page."""
    sections = [
        ("figures", "Figures", figures(summary)),
        ("paired", "Compared on the same photos", paired(summary)),
        ("hints", "Hints", hints(summary)),
        ("colour", "How much colour, and which", colour(result)),
        ("sources", "By source", sources(summary)),
        ("uncertainty", "Does it know when it is guessing?", uncertainty(result, summary)),
        ("robustness", "Old film and other sizes", robustness(summary)),
        ("pictures", "Pictures", pictures(result)),
        ("published", "Published figures", published_table()),
    ]
    kept = [(anchor, title, body) for anchor, title, body in sections if body]
    links = "".join(f'<a href="#{anchor}">{title}</a>' for anchor, title, _ in kept)
    body = "".join(f'<section><h2 id="{anchor}">{title}</h2>{body}</section>' for anchor, title, body in kept)
    return document(f"evaluation, {summary['protocol']}", f"{header(summary)}<nav>{links}</nav>{body}")


def document(title: str, body: str) -> str:
    """An HTML page with the report's style in it."""
    style = files("photochrom.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Photochrom: {escape(title)}</title><style>{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def header(summary: Summary) -> str:
    """Protocol, number of photos, and every photo that is in no average."""
    names = ", ".join(name for name in summary["models"] if name not in BASELINES)
    left = summary["excluded"]
    notice = ""
    if left:
        items = "".join(f"<li>{escape(one['photo'])}: {escape(one['reason'])}</li>" for one in left)
        notice = f'<div class="notice"><b>{len(left)} photos are in no average:</b><ul>{items}</ul></div>'
    same = {model: count for model, count in summary["identical"].items() if count}
    if same:
        told = "; ".join(f"{escape(model)}: {count}" for model, count in same.items())
        notice += f'<div class="notice">Identical to the truth, so in no average of PSNR: {told}</div>'
    return (
        f"<h1>{escape(names or 'Baselines')}</h1>"
        f"<p>Protocol <b>{escape(summary['protocol'])}</b>, {summary['n']} photos: "
        f"{escape(summary['description'])}. Beside each figure: its bootstrap 95 % interval over photos "
        f"(2000 resamples, fixed seed).</p>{notice}"
    )


# --- tables ----------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[str]) -> str:
    """A table from a header and finished rows."""
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = f"<thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="scroll"><table>{body}</table></div>'


def figures(summary: Summary) -> str:
    """Every metric that any model has."""
    models = list(summary["models"])
    listed = [
        metric
        for metric in metrics_of(summary["hint_counts"])
        if any(metric.name in summary["models"][model] for model in models)
    ]
    rows = [figure_row(metric, summary["models"]) for metric in listed]
    truth = summary["truth"]["cf_hs"]["mean"]
    return (
        f'<p class="soft">PSNR alone rewards brown: read it beside colourfulness and AuC. '
        f"The truth's colourfulness is {truth:.1f}. The best model of a line is marked.</p>"
        + table(["", *models], rows)
    )


def figure_row(metric: Metric, models: dict[str, Summary]) -> str:
    """One line of the table; one cell with the reason where no model has a figure."""
    entries = [figures.get(metric.name) for figures in models.values()]
    reasons = {entry.get("not_available", "") for entry in entries if entry and entry["mean"] is None}
    if len(reasons) == 1 and all(entry and entry["mean"] is None for entry in entries):
        told = escape(f"not available: {reasons.pop()}")
        cells = f'<td class="none" colspan="{len(entries)}">{told}</td>'
    else:
        best = best_of(metric, list(models), entries)
        pairs = zip(models, entries, strict=True)
        cells = "".join(cell(metric, entry, model == best) for model, entry in pairs)
    return f"<tr><th>{escape(title(metric))}</th>{cells}</tr>"


def title(metric: Metric) -> str:
    """ "PSNR, dB ↑"."""
    arrow = {"higher": " ↑", "lower": " ↓", "": ""}.get(metric.better, f" → {metric.better}")
    return f"{metric.title}{', ' + metric.unit if metric.unit else ''}{arrow}"


def cell(metric: Metric, entry: Summary | None, best: bool) -> str:
    """Mean and interval, or why there is none."""
    if entry is None:
        return "<td>–</td>"
    if entry["mean"] is None:
        return f'<td class="none">not available: {escape(entry.get("not_available", ""))}</td>'
    d = metric.digits
    return (
        f'<td class="{"best" if best else ""}"><b>{entry["mean"]:.{d}f}</b>'
        f"<small>{entry['low']:.{d}f} … {entry['high']:.{d}f}</small></td>"
    )


def best_of(metric: Metric, models: Sequence[str], entries: Sequence[Summary | None]) -> str | None:
    """The model to mark, when several real ones compete and better has a direction."""
    means = {
        model: entry["mean"]
        for model, entry in zip(models, entries, strict=True)
        if entry and entry["mean"] is not None and model not in BASELINES
    }
    if len(means) < 2 or metric.better not in ("higher", "lower"):
        return None
    return (max if metric.better == "higher" else min)(means, key=lambda model: means[model])


def paired(summary: Summary) -> str:
    """Differences to the first model."""
    if not summary["paired"]:
        return ""
    names = list(summary["paired"])
    rows = []
    for metric in metrics_of(summary["hint_counts"]):
        entries = [summary["paired"][name].get(metric.name) for name in names]
        if any(entries):
            cells = "".join(difference(metric, entry) for entry in entries)
            rows.append(f"<tr><th>{escape(title(metric))}</th>{cells}</tr>")
    return (
        '<p class="soft">Each figure minus the first model\'s, photo by photo; '
        "marked where the interval leaves out 0.</p>" + table(["", *names], rows)
    )


def difference(metric: Metric, entry: Summary | None) -> str:
    """One paired difference."""
    if entry is None:
        return "<td>–</td>"
    d, clear = metric.digits, entry["low"] > 0 or entry["high"] < 0
    return (
        f'<td class="{"best" if clear else ""}"><b>{entry["mean"]:+.{d}f}</b>'
        f"<small>{entry['low']:+.{d}f} … {entry['high']:+.{d}f}</small></td>"
    )


# --- plots -------------------------------------------------------------------------------------------


def colours(models: Sequence[str]) -> dict[str, str]:
    """Each model's colour in all plots; baselines are neutral."""
    real = [model for model in models if model not in BASELINES[:2]]
    return dict.fromkeys(models, NEUTRAL) | {
        model: PALETTE[number % len(PALETTE)] for number, model in enumerate(real)
    }


def curves(summary: Summary, metric: str = "psnr") -> list[Series]:
    """A line for every model that takes hints."""
    shades, lines = colours(list(summary["models"])), []
    for model, entries in summary["models"].items():
        names = {0: metric} | {n: f"{metric}_hints_{n}" for n in summary["hint_counts"] if n}
        points = [
            Point(count, entries[name]["mean"], entries[name]["low"], entries[name]["high"])
            for count, name in names.items()
            if name in entries
        ]
        if len(points) > 1:
            lines.append(Series(model, points, shades[model]))
    return lines


def hints(summary: Summary) -> str:
    """PSNR against hints with the published curve."""
    lines = curves(summary)
    if not lines:
        return ""
    known = [count for count in published.SIGGRAPH17 if count <= max(summary["hint_counts"])]
    points = [Point(count, published.SIGGRAPH17[count]) for count in known]
    lines.append(Series(published.SIGGRAPH17_NAME, points, NEUTRAL, dashed=True))
    return (
        f'<p class="soft">{escape(published.SIGGRAPH17_NAME)}: {escape(published.SIGGRAPH17_PROTOCOL)}. '
        "Its photos are others than these: compare the rise, not the height.</p>"
        f'<div class="row"><div class="figure">{plots.hint_curves(lines)}</div>'
        f'<div class="figure">{plots.hint_curves(rises(lines), "rise over no hints, dB")}</div></div>'
    )


def rises(lines: Sequence[Series]) -> list[Series]:
    """Each line minus its own value without hints."""
    return [
        Series(one.name, [Point(p.x, p.y - one.points[0].y) for p in one.points], one.colour, one.dashed)
        for one in lines
    ]


def colour(result: Evaluation) -> str:
    """Colourfulness photo by photo, and the ab histograms."""
    shades = colours(list(result.rows))
    models = shown_models(result)
    scatters = []
    for model in models:
        points = np.stack([result.column(model, "true_cf_hs"), result.column(model, "cf_hs")], axis=-1)
        scatters.append(
            plots.scatter(points, shades[model], "colourfulness of the truth", "of the picture", model)
        )
    maps = [plots.ab_map(result.column(models[0], "true_histogram").sum(axis=0), "truth")]
    maps += [plots.ab_map(result.column(model, "histogram").sum(axis=0), model) for model in models]
    return (
        "<h3>Colourfulness, a point a photo</h3>"
        + f'<div class="row">{"".join(f"""<div class="figure">{plot}</div>""" for plot in scatters)}</div>'
        + "<h3>Which colours occur, the rarer the fainter (logarithmic)</h3>"
        + f'<div class="row">{"".join(f"""<div class="figure">{plot}</div>""" for plot in maps)}</div>'
    )


def sources(summary: Summary) -> str:
    """Gain by source as intervals, with a table beneath."""
    listed = summary["sources"]
    models = [model for model in summary["models"] if model not in BASELINES]
    if len(listed) < 2 or not models:
        return ""
    shades = colours(list(summary["models"]))
    ordered = sorted(listed.items(), key=lambda item: -gain_of(item[1], models[0]))
    rows = []
    for name, source in ordered:
        entries = [source["models"][model].get("gain") for model in models]
        points = [Point(0, e["mean"], e["low"], e["high"]) if e else None for e in entries]
        rows.append((f"{name} ({source['n']})", points))
    key = "".join(
        f'<span><i style="background:{shades[model]}"></i>{escape(model)}</span>' for model in models
    )
    forest = plots.forest(rows, [shades[model] for model in models], "gain over grey, dB")
    return f'<div class="key">{key}</div><div class="figure">{forest}</div>' + source_table(
        ordered, models[0]
    )


def gain_of(source: Summary, model: str) -> float:
    """Mean gain of a source, lowest where no photo has one (all identical to their truth)."""
    entry = source["models"][model].get("gain")
    return float(entry["mean"]) if entry else -math.inf


def source_table(ordered: Sequence[tuple[str, Summary]], model: str) -> str:
    """The first model's figures by source."""
    names = list(dict.fromkeys(name for _, source in ordered for name in source["models"][model]))
    rows = []
    for source, entry in ordered:
        figures = entry["models"][model]
        cells = "".join(
            f"<td>{figures[name]['mean']:.2f}</td>" if name in figures else "<td>–</td>" for name in names
        )
        rows.append(f"<tr><th>{escape(source)}</th><td>{entry['n']}</td>{cells}</tr>")
    return f"<h3>{escape(model)}</h3>" + table(["source", "photos", *names], rows)


def uncertainty(result: Evaluation, summary: Summary) -> str:
    """Reliability, entropy against error, maps; of the first model that has probabilities."""
    model = next((name for name, figures in summary["models"].items() if "ece" in figures), None)
    if model is None:
        return ""
    diagrams, error = reliability_plots(result, model), summary["models"][model]["ece"]["mean"]
    strips = uncertainty_strips(result, model)
    return (
        f'<p class="soft">{escape(model)}. Left: how often the likeliest ab bin is the nearest to the truth '
        f"(bars: share of places); expected calibration error {error:.3f}. Right: mean ab error "
        "of the picture where the entropy is so high.</p>"
        f'<div class="row">{"".join(f"""<div class="figure">{plot}</div>""" for plot in diagrams)}</div>'
        + strip_grid(strips, "wide")
    )


def reliability_plots(result: Evaluation, model: str) -> list[str]:
    """Hits against confidence, and error against entropy."""
    sums = np.nansum(result.column(model, "confidence"), axis=0).reshape(GROUPS, 3)
    places = np.maximum(sums[:, 0], 1)
    diagram = plots.reliability(sums[:, 1] / places, sums[:, 2] / places, sums[:, 0] / sums[:, 0].sum())
    levels = np.nansum(result.column(model, "entropy"), axis=0).reshape(LEVELS, 2)
    kept = np.flatnonzero(levels[:, 0] >= 1e-3 * levels[:, 0].sum())
    points = [Point((level + 0.5) / LEVELS, levels[level, 1] / levels[level, 0]) for level in kept.tolist()]
    return [diagram, plots.simple_line(points, "entropy ÷ log Q", "mean ab error")]


def robustness(summary: Summary) -> str:
    """Size stability by size."""
    rows = []
    sides: list[str] = []
    for model, photos in summary["stability"].items():
        for one in photos:
            sides = list(one["difference"])
            cells = "".join(
                f"<td>{value:.2f}{'*' if int(side) in one['enlarged'] else ''}</td>"
                for side, value in one["difference"].items()
            )
            rows.append(
                f"<tr><th>{escape(model)}: {escape(one['photo'])}</th>"
                f"<td>{one['short_side']}</td>{cells}</tr>"
            )
    if not rows:
        return ""
    return (
        '<p class="soft">Mean ΔE2000, at 256 px, of the same photo given at each short side against its '
        "output at 1024 px. * enlarged beyond the file's own size.</p>"
        + table(["photo", "own short side", *sides], rows)
    )


# --- pictures ------------------------------------------------------------------------------------------


def pictures(result: Evaluation) -> str:
    """The best, median and worst photos."""
    parts = [
        f"<h3>{title.capitalize()} {len(strips)} by PSNR gain over grey</h3>{strip_grid(strips)}"
        for title, strips in gallery(result).items()
        if strips
    ]
    return "".join(parts)


def strip_grid(strips: Sequence[Strip], extra: str = "") -> str:
    """Figures in a grid, each with its labels and caption."""
    shown = []
    for strip in strips:
        labels = "".join(f"<span>{escape(label)}</span>" for label in strip.labels)
        shown.append(
            f'<figure><div class="labels">{labels}</div>'
            f'<img loading="lazy" alt="{escape(" | ".join(strip.labels))}" src="{strip.data_url}">'
            f"<figcaption><span>{escape(strip.key)}</span><span>{escape(strip.caption)}</span>"
            "</figcaption></figure>"
        )
    return f'<div class="strips {extra}">{"".join(shown)}</div>' if shown else ""


def published_table() -> str:
    """What others report, with a warning."""
    rows = [
        f'<tr><th>{escape(one.system)}</th><td class="none">{escape(one.protocol)}</td>'
        f'<td class="none">{escape(one.figures)}</td></tr>'
        for one in published.TABLE
    ]
    return (
        '<p class="soft">Not comparable with the figures above: other photos, and crops, FID backbones and '
        "colourfulness formulas that differ from paper to paper.</p>"
        + table(["system", "protocol", "figures"], rows)
    )
