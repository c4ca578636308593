"""The report's HTML page: one file, no script, no other host, light and dark."""

from __future__ import annotations

import math
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.evaluation import charts, published
from photochrom.evaluation.calibration import reliability_sums
from photochrom.evaluation.charts import NEUTRAL, PALETTE, Series
from photochrom.evaluation.gallery import Strip, gallery, shown_models, uncertainty_strips
from photochrom.evaluation.tables import BASELINES, NOTHING, Cell, Table, metric_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.evaluation.evaluator import Evaluation

_Summary = dict[str, Any]


def page(result: Evaluation, summary: _Summary) -> str:
    """The whole page."""
    sections = [
        ("figures", "Figures", _figures(summary)),
        ("paired", "Compared on the same photos", _paired(summary)),
        ("hints", "Hints", _hints(summary)),
        ("neighbors", "A hint's neighbors", _neighbors(summary)),
        ("color", "How much color, and which", _color(result, summary)),
        ("sources", "By source", _sources(summary)),
        ("uncertainty", "Does it know when it is guessing?", _uncertainty(result, summary)),
        ("sizes", "Other sizes", _sizes(summary)),
        ("pictures", "Pictures", _pictures(result)),
        ("published", "Published figures", _published()),
    ]
    kept = [(anchor, title, body) for anchor, title, body in sections if body]
    links = "".join(f'<a href="#{anchor}">{title}</a>' for anchor, title, _ in kept)
    body = "".join(f'<section><h2 id="{anchor}">{title}</h2>{body}</section>' for anchor, title, body in kept)
    return document(f"evaluation, {summary['protocol']}", f"{_header(summary)}<nav>{links}</nav>{body}")


def document(title: str, body: str) -> str:
    """An HTML page with the report's style in it."""
    style = files("photochrom.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Photochrom: {escape(title)}</title><style>{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def drawn(drawings: Sequence[str]) -> str:
    """Charts beside each other."""
    return f'<div class="row">{"".join(f"""<div class="figure">{one}</div>""" for one in drawings)}</div>'


def strip_grid(strips: Sequence[Strip]) -> str:
    """Pictures in a grid, each with its labels and caption."""
    shown = []
    for strip in strips:
        labels = "".join(f"<span>{escape(label)}</span>" for label in strip.labels)
        shown.append(
            f'<figure><div class="labels">{labels}</div>'
            f'<img loading="lazy" alt="{escape(" | ".join(strip.labels))}" src="{strip.data_url}">'
            f"<figcaption><span>{escape(strip.key)}</span><span>{escape(strip.caption)}</span>"
            "</figcaption></figure>"
        )
    return f'<div class="strips">{"".join(shown)}</div>' if shown else ""


def soft(text: str) -> str:
    """A paragraph of explanation."""
    return f'<p class="soft">{text}</p>'


def _header(summary: _Summary) -> str:
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


# --- tables --------------------------------------------------------------------------------------


def _figures(summary: _Summary) -> str:
    truth = {name: entry["mean"] for name, entry in summary["truth"].items()}
    told = (
        "PSNR alone rewards brown: read it beside colorfulness and AuC. The truth's colorfulness is "
        f"{truth['cf_hs']:.1f}; {truth['dark_plum']:.2f} % of it are dark and plum. "
        "The best model of a line is marked."
    )
    return soft(told) + metric_table(summary["models"], summary["hint_counts"]).html()


def _paired(summary: _Summary) -> str:
    if not summary["paired"]:
        return ""
    told = "Each figure minus the first model's, photo by photo; marked where the interval leaves out 0."
    return soft(told) + metric_table(summary["paired"], summary["hint_counts"], signed=True).html()


def _neighbors(summary: _Summary) -> str:
    """What one hint on each thing of four photographs moved."""
    if not summary["neighbors"]:
        return ""
    told = (
        "Mean ab moved on four photographs with masks made by hand (an astronaut, NASA; three old ones, "
        "Getty's Open Content Program), when one thing is hinted with its opposite hue: itself, the others."
    )
    rows = [
        (
            f"{model}: {one['photo']}, {one['thing']}",
            [Cell(f"{one['own']:.1f}"), Cell(f"{one['others']:.1f}")],
        )
        for model, things in summary["neighbors"].items()
        for one in things
    ]
    return soft(told) + Table(["hinted", "itself", "others"], rows).html()


def _sizes(summary: _Summary) -> str:
    photos = [(model, one) for model, listed in summary["stability"].items() for one in listed]
    if not photos:
        return ""
    told = (
        "Mean ΔE2000, at 256 px, of the same photo given at each short side against its output at 1024 px. "
        "* enlarged beyond the file's own size."
    )
    rows = []
    for model, one in photos:
        values = [
            Cell(f"{value:.2f}{'*' if int(side) in one['enlarged'] else ''}")
            for side, value in one["difference"].items()
        ]
        rows.append((f"{model}: {one['photo']}", [Cell(str(one["short_side"])), *values]))
    return soft(told) + Table(["photo", "own short side", *photos[0][1]["difference"]], rows).html()


def _published() -> str:
    told = (
        "Not comparable with the figures above: other photos, and crops, FID backbones and "
        "colorfulness formulas that differ from paper to paper."
    )
    rows = [
        (one.system, [Cell(one.protocol, prose=True), Cell(one.figures, prose=True)])
        for one in published.TABLE
    ]
    return soft(told) + Table(["system", "protocol", "figures"], rows).html()


# --- charts --------------------------------------------------------------------------------------


def shades(models: Sequence[str]) -> dict[str, str]:
    """Each model's color in all charts; baselines without hints are neutral."""
    real = [model for model in models if model not in BASELINES[:2]]
    return dict.fromkeys(models, NEUTRAL) | {
        model: PALETTE[number % len(PALETTE)] for number, model in enumerate(real)
    }


def hint_curves(models: dict[str, _Summary], counts: Sequence[int]) -> list[Series]:
    """PSNR against hints, a line for every model that takes hints, and the published one."""
    colors, found = shades(list(models)), []
    for model, entries in models.items():
        known = [n for n in counts if (f"psnr_hints_{n}" if n else "psnr") in entries]
        if len(known) > 1:
            values = [entries[f"psnr_hints_{n}" if n else "psnr"] for n in known]
            mean, low, high = ([value[key] for value in values] for key in ("mean", "low", "high"))
            found.append(Series(model, known, mean, colors[model], low, high))
    if found:
        known = [count for count in published.SIGGRAPH17 if count <= max(counts)]
        values = [published.SIGGRAPH17[count] for count in known]
        found.append(Series(published.SIGGRAPH17_NAME, known, values, NEUTRAL, style="o--"))
    return found


def _hints(summary: _Summary) -> str:
    found = hint_curves(summary["models"], summary["hint_counts"])
    if not found:
        return ""
    rises = [
        Series(one.name, one.x, [y - one.y[0] for y in one.y], one.color, style=one.style) for one in found
    ]
    told = (
        f"{escape(published.SIGGRAPH17_NAME)}: {escape(published.SIGGRAPH17_PROTOCOL)}. "
        "Its photos are others than these: compare the rise, not the height."
    )
    return soft(told) + drawn(
        [
            charts.lines(found, "hints a photo", "PSNR, dB", counts=True),
            charts.lines(rises, "hints a photo", "rise over no hints, dB", counts=True),
        ]
    )


def color_charts(curves: dict[str, list[_Summary]], colors: dict[str, str]) -> list[str]:
    """Gain against colorfulness ÷ truth as vividness rises; PSNR against it beside published systems."""

    def drawn_by(x: str, y: str) -> list[Series]:
        return [
            Series(model, [one[x] for one in steps], [one[y] for one in steps], colors[model])
            for model, steps in curves.items()
        ]

    if not curves:
        return []
    points = [
        Series(f"{system} (second-hand)", [cf], [psnr], color, style="D")
        for (system, cf, psnr), color in zip(published.COLORFUL, reversed(PALETTE), strict=False)
    ]
    return [
        charts.lines(drawn_by("cf_ratio", "gain"), "colorfulness ÷ truth", "gain over grey, dB"),
        charts.lines(drawn_by("cf_hs", "psnr") + points, "colorfulness", "PSNR, dB"),
    ]


def _color(result: Evaluation, summary: _Summary) -> str:
    """Gain against colorfulness, colorfulness photo by photo, and the ab histograms."""
    colors, models, scatters = shades(list(result.rows)), shown_models(result), []
    curves = color_charts(summary["curves"], colors)
    parts = soft(escape(published.COLORFUL_NOTE)) + drawn(curves) if curves else ""
    for model in models:
        points = np.stack([result.column(model, "true_cf_hs"), result.column(model, "cf_hs")], axis=-1)
        scatters.append(
            charts.scatter(points, colors[model], "colorfulness of the truth", "of the picture", model)
        )
    maps = [charts.ab_map(result.column(models[0], "true_histogram").sum(axis=0), "truth")]
    maps += [charts.ab_map(result.column(model, "histogram").sum(axis=0), model) for model in models]
    return (
        f"{parts}<h3>Colorfulness, a point a photo</h3>{drawn(scatters)}"
        f"<h3>Which colors occur, the rarer the fainter (logarithmic)</h3>{drawn(maps)}"
    )


def source_chart(sources: _Summary, colors: dict[str, str]) -> tuple[str, list[str]]:
    """Gain by source as intervals, best first by the first real model, and the sources in that order."""
    models = [model for model in next(iter(sources.values()))["models"] if model not in BASELINES]

    def gain_of(name: str) -> float:
        """Lowest where no photo has a gain, all being identical to their truth."""
        entry = sources[name]["models"][models[0]].get("gain")
        return float(entry["mean"]) if entry else -math.inf

    ordered = sorted(sources, key=gain_of, reverse=True)
    rows = []
    for name in ordered:
        entries = [sources[name]["models"][model].get("gain") for model in models]
        values = [(e["mean"], e["low"], e["high"]) if e else None for e in entries]
        rows.append((f"{name} ({sources[name]['n']})", values))
    return charts.forest(
        rows, [colors.get(model, PALETTE[0]) for model in models], "gain over grey, dB"
    ), ordered


def _sources(summary: _Summary) -> str:
    """The chart, with the first model's table beneath."""
    sources, colors = summary["sources"], shades(list(summary["models"]))
    models = [model for model in summary["models"] if model not in BASELINES]
    if len(sources) < 2 or not models:
        return ""
    chart, ordered = source_chart(sources, colors)
    key = "".join(
        f'<span><i style="background:{colors[model]}"></i>{escape(model)}</span>' for model in models
    )
    table = source_table(sources, ordered, models[0])
    return f'<div class="key">{key}</div>{drawn([chart])}<h3>{escape(models[0])}</h3>{table.html()}'


def source_table(sources: _Summary, ordered: Sequence[str], model: str) -> Table:
    """A model's figures by source."""
    found = {name: sources[name]["models"][model] for name in ordered}
    metrics = list(dict.fromkeys(metric for figures in found.values() for metric in figures))
    rows = []
    for name, figures in found.items():
        cells = [Cell(f"{figures[m]['mean']:.2f}") if m in figures else NOTHING for m in metrics]
        rows.append((name, [Cell(str(sources[name]["n"])), *cells]))
    return Table(["source", "photos", *metrics], rows)


def _uncertainty(result: Evaluation, summary: _Summary) -> str:
    """Reliability, entropy against error, maps; of the first model that has probabilities."""
    model = next((name for name, figures in summary["models"].items() if "ece" in figures), None)
    if model is None:
        return ""
    told = (
        f"{escape(model)}. Left: how often the likeliest ab bin is the nearest to the truth (bars: share of "
        f"places); expected calibration error {summary['models'][model]['ece']['mean']:.3f}. Right: mean ab "
        "error of the picture where the entropy is so high."
    )
    sums = (np.nansum(result.column(model, name), axis=0) for name in ("confidence", "entropy"))
    return soft(told) + drawn(uncertainty_charts(*sums)) + strip_grid(uncertainty_strips(result, model))


def uncertainty_charts(confidence: Any, entropy: Any) -> list[str]:
    """Hits against confidence and error against entropy, of `calibration`'s sums over all photos."""
    diagram, levels, errors = reliability_sums(confidence, entropy)
    line = Series("mean ab error", levels, errors, PALETTE[0])
    return [charts.reliability(*diagram), charts.lines([line], "entropy ÷ log Q", "mean ab error")]


def _pictures(result: Evaluation) -> str:
    return "".join(
        f"<h3>{title.capitalize()} {len(strips)} by PSNR gain over grey</h3>{strip_grid(strips)}"
        for title, strips in gallery(result).items()
        if strips
    )
