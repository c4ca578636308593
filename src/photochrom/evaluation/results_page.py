"""docs/results.md and its drawings, from docs/results.json and the pictures of examples/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from photochrom.evaluation import published
from photochrom.evaluation.calibration import GROUPS, LEVELS
from photochrom.evaluation.page import BASELINES, colours, curves, gain_of, title
from photochrom.evaluation.plots import (
    NEUTRAL,
    PALETTE,
    Point,
    Series,
    ab_map,
    forest,
    hint_curves,
    reliability,
    simple_line,
)
from photochrom.evaluation.protocols import PROTOCOLS, grey_of
from photochrom.evaluation.summary import Metric, metrics_of

if TYPE_CHECKING:
    from pathlib import Path

    from photochrom.colorizer import Colorizer
    from photochrom.evaluation.metrics import RGB

Results = dict[str, Any]
HEIGHT = 200  # px of an example
GENERATED = (
    "<!-- Made by `make results`; change src/photochrom/evaluation/results_page.py, not this page. -->"
)


def write(results: Results, root: Path) -> None:
    """Write the page, its drawings and its pictures below docs/."""
    folder = root / "docs" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawing in drawings(results).items():
        (folder / f"{name}.svg").write_text(drawing + "\n", encoding="utf-8")
    shown = write_examples(root / "examples", folder)
    (root / "docs" / "results.md").write_text(markdown(results, shown), encoding="utf-8")


# --- text --------------------------------------------------------------------------------------------


def markdown(results: Results, examples: bool = True) -> str:
    """The page's text."""
    group = results["groups"].get("imagen")
    parts = [
        "# Results",
        GENERATED,
        f"Model `{results['model']['name']}`, sha256 `{results['model']['sha256'][:16]}…`. Protocol "
        f"`{results['protocol']}`, {results['n']} photos: {results['description']}. In brackets: bootstrap "
        "95 % intervals over photos. Definitions: [evaluation.md](evaluation.md).",
        left_out(results),
    ]
    if group:
        parts += [
            f"## The {group['n']} photos that resemble ImageNet",
            table(results, {name: group[name] for name in results["models"] if name in group}),
        ]
    parts += [f"## All {results['n']} photos", table(results, results["models"]), budgets(results)]
    parts += ["## Hints", "![PSNR against hints](results/hints.svg)", hint_note()]
    parts += [
        "## By source",
        "![Gain over grey by source](results/sources.svg)",
        source_table(results),
        "## Which colours occur",
        "![ab histogram of the truth](results/colours-truth.svg) ![of the model](results/colours-model.svg)",
        "The rarer a colour, the fainter its square (logarithmic).",
        "## Does it know when it is guessing?",
        "![Reliability diagram](results/reliability.svg) ![Error against entropy](results/entropy.svg)",
        "Left: how often the likeliest colour bin is the nearest to the truth. Right: how far the "
        "picture's colour is from the truth where the entropy is so high.",
    ]
    if examples:
        parts += ["## Pictures", *EXAMPLES]
    return "\n\n".join(part for part in parts if part) + "\n"


EXAMPLES = (
    "![Grey, automatic, 10 hints, 100 hints, truth](results/astronaut.jpg)",
    "Grey, automatic, with 10 and with 100 hints at random places, truth (NASA, public domain).",
    "![Old photographs and their colours](results/old-photographs.jpg)",
    "Old photographs of `examples/` (public domain, see there), each with its automatic colours.",
)


def left_out(results: Results) -> str:
    """Every photo that is in no average."""
    names = ", ".join(f"{one['photo']} ({one['reason']})" for one in results["excluded"])
    return f"In no average: {names}." if names else ""


def table(results: Results, models: dict[str, Any]) -> str:
    """A metric a line, a model a column."""
    lines = [f"| | {' | '.join(models)} |", f"|---|{'---|' * len(models)}"]
    for metric in metrics_of(results["hint_counts"]):
        cells = [cell(metric, figures.get(metric.name)) for figures in models.values()]
        if any(text != "–" for text in cells):
            lines.append(f"| {title(metric).replace('|', '∣')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(metric: Metric, entry: dict[str, Any] | None) -> str:
    """ "21.65 [20.90, 22.40]"."""
    if entry is None or entry["mean"] is None:
        return "–"
    d = metric.digits
    return f"{entry['mean']:.{d}f} [{entry['low']:.{d}f}, {entry['high']:.{d}f}]"


def budgets(results: Results) -> str:
    """What the trained baselines had."""
    told = "; ".join(f"`{name}`: {text}" for name, text in results["budgets"].items())
    return f"The article's networks, trained here: {told}." if told else ""


def hint_note() -> str:
    """What the dashed line is."""
    known = f"{published.SIGGRAPH17_NAME}, {published.SIGGRAPH17_PROTOCOL}"
    return f"Dashed: {known}; its photos are others than these."


def source_table(results: Results) -> str:
    """The default model by source."""
    rows = ["| source | photos | gain, dB | colourfulness ÷ truth | ΔE2000 |", "|---|---|---|---|---|"]
    for name, source in sorted(results["sources"].items()):
        figures = source["models"]["photochrom"]
        values = " | ".join(f"{figures[key]['mean']:.2f}" for key in ("gain", "cf_ratio", "de2000"))
        rows.append(f"| {name} | {source['n']} | {values} |")
    return "\n".join(rows)


# --- drawings ------------------------------------------------------------------------------------------


def drawings(results: Results) -> dict[str, str]:
    """{name: SVG}."""
    group = results["groups"].get("imagen", results["models"])
    models = {name: group[name] for name in results["models"] if name in group}
    lines = curves({"models": models, "hint_counts": results["hint_counts"]})
    known = [count for count in published.SIGGRAPH17 if count <= max(results["hint_counts"])]
    dashed = [Point(count, published.SIGGRAPH17[count]) for count in known]
    lines.append(Series(published.SIGGRAPH17_NAME, dashed, NEUTRAL, dashed=True))
    sums = results["diagrams"]
    confidence = np.array(sums["confidence"]).reshape(GROUPS, 3)
    places = np.maximum(confidence[:, 0], 1)
    share = confidence[:, 0] / confidence[:, 0].sum()
    entropy = np.array(sums["entropy"]).reshape(LEVELS, 2)
    kept = np.flatnonzero(entropy[:, 0] >= 1e-3 * entropy[:, 0].sum()).tolist()
    points = [Point((level + 0.5) / LEVELS, entropy[level, 1] / entropy[level, 0]) for level in kept]
    return {
        "hints": hint_curves(lines),
        "sources": source_forest(results),
        "colours-truth": ab_map(np.array(sums["true_histogram"]), "truth"),
        "colours-model": ab_map(np.array(sums["histogram"]), "photochrom"),
        "reliability": reliability(confidence[:, 1] / places, confidence[:, 2] / places, share),
        "entropy": simple_line(points, "entropy ÷ log Q", "mean ab error"),
    }


def source_forest(results: Results) -> str:
    """Gain by source, the default model and the trained baselines."""
    sources = results["sources"]
    ordered = sorted(sources, key=lambda name: -gain_of(sources[name], "photochrom"))
    models = [name for name in sources[ordered[0]]["models"] if name not in BASELINES]
    shades = colours(list(results["models"]))
    rows = []
    for name in ordered:
        entries = [sources[name]["models"][model].get("gain") for model in models]
        points = [Point(0, e["mean"], e["low"], e["high"]) if e else None for e in entries]
        rows.append((f"{name} ({sources[name]['n']})", points))
    return forest(rows, [shades.get(model, PALETTE[0]) for model in models], "gain over grey, dB")


# --- pictures --------------------------------------------------------------------------------------------


def write_examples(examples: Path, folder: Path) -> bool:
    """The pictures from examples/, coloured now; False where there are none."""
    from photochrom.colorizer import Colorizer

    truth, photos = examples / "astronaut.jpg", sorted((examples / "photos").glob("*.jpg"))
    if not truth.exists() or not photos:
        return False
    colorizer = Colorizer()
    save_row(astronaut(truth, colorizer), folder / "astronaut.jpg")
    old = [path for path in photos if path.name != truth.name]
    save_row(
        [picture for path in old for picture in before_after(path, colorizer)], folder / "old-photographs.jpg"
    )
    return True


def astronaut(path: Path, colorizer: Colorizer) -> list[RGB]:
    """Grey, automatic, 10 hints, 100 hints, truth."""
    from photochrom.evaluation.photos import to_bytes
    from photochrom.photo import read

    protocol = PROTOCOLS["photos"]
    truth = protocol.square(to_bytes(read(path).rgb))
    grey, hints = grey_of(truth), protocol.hints(truth, 0, 100)
    plate = colorizer.prepare(grey)
    coloured = [to_bytes(plate.render(hints[:count]).rgb) for count in (0, 10, 100)]
    return [np.repeat(grey[..., None], 3, axis=2), *coloured, truth]


def before_after(path: Path, colorizer: Colorizer) -> list[RGB]:
    """An old photograph and its colours."""
    from photochrom.evaluation.photos import to_bytes
    from photochrom.photo import read

    photo = read(path)
    return [to_bytes(photo.rgb), to_bytes(colorizer.prepare(photo).render().rgb)]


def save_row(pictures: list[RGB], path: Path, columns: int = 6) -> None:
    """Pictures of one height in rows of about equal width, white between them."""
    scaled = [
        cv2.resize(
            picture,
            (round(picture.shape[1] * HEIGHT / picture.shape[0]), HEIGHT),
            interpolation=cv2.INTER_AREA,
        )
        for picture in pictures
    ]
    rows = [
        np.hstack([framed(one) for one in scaled[start : start + columns]])
        for start in range(0, len(scaled), columns)
    ]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    Image.fromarray(np.vstack(padded)).save(path, quality=88)


def framed(picture: RGB) -> RGB:
    """A white margin of 3 px."""
    return np.pad(picture, ((3, 3), (3, 3), (0, 0)), constant_values=255)
