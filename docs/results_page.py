"""docs/results.md and its drawings, from docs/results.json and the pictures of examples/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from photochrom.evaluation import charts, page, published
from photochrom.evaluation.photos import to_bytes
from photochrom.evaluation.protocols import PROTOCOLS, grey_of
from photochrom.evaluation.tables import Cell, Table, metric_table
from photochrom.photo import read

if TYPE_CHECKING:
    from pathlib import Path

    from photochrom.colorizer import Colorizer
    from photochrom.evaluation.metrics import RGB

Results = dict[str, Any]
HEIGHT = 200  # px of an example
GENERATED = "<!-- Made by `make results`; change docs/results_page.py, not this page. -->"


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
            figures(results, {name: group[name] for name in results["models"] if name in group}),
        ]
    parts += [f"## All {results['n']} photos", figures(results, results["models"]), budgets(results)]
    if results.get("curves"):
        parts += [
            "## How much color, at what cost",
            "![Gain against colorfulness](results/colorfulness.svg) "
            "![PSNR against colorfulness](results/colorfulness-published.svg)",
            published.COLORFUL_NOTE,
        ]
    parts += ["## Hints", "![PSNR against hints](results/hints.svg)", hint_note()]
    parts += [
        "## By source",
        "![Gain over grey by source](results/sources.svg)",
        source_table(results),
        "## Which colors occur",
        "![ab histogram of the truth](results/colors-truth.svg) ![of the model](results/colors-model.svg)",
        "The rarer a color, the fainter its square (logarithmic).",
        "## Does it know when it is guessing?",
        "![Reliability diagram](results/reliability.svg) ![Error against entropy](results/entropy.svg)",
        "Left: how often the likeliest color bin is the nearest to the truth. Right: how far the "
        "picture's color is from the truth where the entropy is so high.",
    ]
    if examples:
        parts += ["## Pictures", *EXAMPLES]
    return "\n\n".join(part for part in parts if part) + "\n"


EXAMPLES = (
    "![Grey, automatic, 10 hints, 100 hints, truth](results/astronaut.jpg)",
    "Grey, automatic, with 10 and with 100 hints at random places, truth (NASA, public domain).",
    "![Old photographs and their colors](results/old-photographs.jpg)",
    "Old photographs of `examples/` (public domain, see there), each with its automatic colors.",
)


def left_out(results: Results) -> str:
    """Every photo that is in no average."""
    names = ", ".join(f"{one['photo']} ({one['reason']})" for one in results["excluded"])
    return f"In no average: {names}." if names else ""


def figures(results: Results, models: dict[str, Any]) -> str:
    """A metric a line, a model a column."""
    return metric_table(models, results["hint_counts"]).markdown()


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
    rows = []
    for name, source in sorted(results["sources"].items()):
        entries = source["models"]["photochrom"]
        cells = [Cell(f"{entries[key]['mean']:.2f}") for key in ("gain", "cf_ratio", "de2000")]
        rows.append((name, [Cell(str(source["n"])), *cells]))
    return Table(["source", "photos", "gain, dB", "colorfulness ÷ truth", "ΔE2000"], rows).markdown()


# --- drawings ------------------------------------------------------------------------------------------


def drawings(results: Results) -> dict[str, str]:
    """{name: SVG}."""
    group = results["groups"].get("imagen", results["models"])
    models = {name: group[name] for name in results["models"] if name in group}
    sums = results["diagrams"]
    shades = page.shades(list(results["models"]))
    reliability, entropy = page.uncertainty_charts(np.array(sums["confidence"]), np.array(sums["entropy"]))
    curves = page.color_charts(results.get("curves", {}), shades)
    return {
        "hints": charts.lines(
            page.hint_curves(models, results["hint_counts"]), "hints a photo", "PSNR, dB", counts=True
        ),
        "sources": page.source_chart(results["sources"], shades)[0],
        "colors-truth": charts.ab_map(np.array(sums["true_histogram"]), "truth"),
        "colors-model": charts.ab_map(np.array(sums["histogram"]), "photochrom"),
        "reliability": reliability,
        "entropy": entropy,
        **dict(zip(("colorfulness", "colorfulness-published"), curves, strict=False)),
    }


# --- pictures --------------------------------------------------------------------------------------------


def write_examples(examples: Path, folder: Path) -> bool:
    """The pictures from examples/, colored now; False where there are none."""
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
    protocol = PROTOCOLS["photos"]
    truth = protocol.square(to_bytes(read(path).rgb))
    grey, hints = grey_of(truth), protocol.hints(truth, 0, 100)
    plate = colorizer.prepare(grey)
    colored = [to_bytes(plate.render(hints[:count]).rgb) for count in (0, 10, 100)]
    return [np.repeat(grey[..., None], 3, axis=2), *colored, truth]


def before_after(path: Path, colorizer: Colorizer) -> list[RGB]:
    """An old photograph and its colors."""
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
