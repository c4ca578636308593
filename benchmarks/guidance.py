"""The figures of guidance on a folder of color photographs (folders in it are sources).

    python benchmarks/guidance.py FOLDER [--count 60] [--part reference|palette|proposals|faded|time]

Every photo is center-cropped to its short side and scaled to 256 × 256 px; the input is its 8-bit grey of
equal CIE Y; PSNR is over RGB uint8 and the whole picture, as in the evaluator. Nothing here asserts: the
table is for docs/guidance.md.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
from PIL import Image

from photochrom.color import chroma_of, fit_gamut, hue_of, lab_to_rgb, neutralize, quantize, rgb_to_lab
from photochrom.colorizer import Colorizer
from photochrom.errors import GuidanceError
from photochrom.evaluation.metrics import ciede2000, colorfulness, psnr
from photochrom.guidance import Palette, Reference, proposals, reference_hints
from photochrom.guidance.proposals import uncertain_cells
from photochrom.look import Look
from photochrom.photo import Photo

SIDE = 256
PALETTES = (
    "#7a2e1d,#3b5998,#d9b26f",
    "#264653,#2a9d8f,#e9c46a,#e76f51",
    "#c00000,#208020,#2040c0",
    "#8b0000",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=60, help="photos; all with 0")
    parser.add_argument("--part", choices=PARTS, help="only this part")
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.rglob("*") if path.suffix in (".jpg", ".png"))
    random.Random(0).shuffle(paths)
    chosen = paths[: arguments.count] if arguments.count else paths
    colorizer = Colorizer()
    print(f"{len(chosen)} of {len(paths)} photos, model {colorizer.model.name} {colorizer.model.sha256[:12]}")
    for name, part in PARTS.items():
        if arguments.part in (None, name):
            part(colorizer, chosen, paths)


# --- photos ------------------------------------------------------------------------------------


def square(path: Path, side: int = SIDE) -> np.ndarray:
    image = Image.open(path).convert("RGB")
    short = min(image.size)
    left, top = (image.width - short) // 2, (image.height - short) // 2
    return resized(np.asarray(image.crop((left, top, left + short, top + short))), side)


def resized(rgb: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(
        Image.fromarray(np.ascontiguousarray(rgb)).resize((side, side), Image.Resampling.BICUBIC)
    )


def grey(rgb: np.ndarray) -> np.ndarray:
    neutral = neutralize(rgb)
    return (
        neutral if neutral.dtype == np.uint8 else ((neutral.astype(np.uint32) + 128) // 257).astype(np.uint8)
    )


def crop(rgb: np.ndarray, share: float, chance: random.Random) -> np.ndarray:
    side = round(len(rgb) * share)
    top, left = (chance.randrange(len(rgb) - side + 1) for _ in range(2))
    return np.ascontiguousarray(rgb[top : top + side, left : left + side])


def turned(rgb: np.ndarray, degrees: float) -> np.ndarray:
    """Every hue turned; L* kept, chroma fitted into sRGB."""
    lab = rgb_to_lab(rgb).astype(np.float64).reshape(-1, 3)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    lab[:, 1:] = lab[:, 1:] @ turn
    return quantize(lab_to_rgb(fit_gamut(lab)).reshape(rgb.shape))


def ab_of(rgb: np.ndarray) -> np.ndarray:
    return rgb_to_lab(rgb)[..., 1:]


def photo(rgb: np.ndarray) -> Photo:
    return Photo.from_array(np.ascontiguousarray(rgb))


def line(name: str, values: list[float], unit: str = "") -> None:
    """One row of the table: mean, its 95 % bootstrap interval, the 5th percentile."""
    table = np.array(values, float)
    table = table[np.isfinite(table)]
    means = [np.random.default_rng(n).choice(table, len(table)).mean() for n in range(400)]
    low, high = np.percentile(means, [2.5, 97.5])
    print(
        f"  {name:<58} {table.mean():8.2f} {unit:<4} [{low:.2f}, {high:.2f}]  "
        f"5 %: {np.percentile(table, 5):.2f}  n = {len(table)}",
        flush=True,
    )


# --- reference ---------------------------------------------------------------------------------


def reference(colorizer: Colorizer, paths: list[Path], everything: list[Path]) -> None:
    print("Reference: PSNR gain over automatic, dB")
    rows: dict[str, list[float]] = {}
    for number, path in enumerate(paths):
        truth = square(path)
        plate = colorizer.prepare(photo(grey(truth)))
        automatic = plate.preview(side=SIDE)
        base = psnr(automatic, truth)
        for name, other in references(truth, random.Random(number)).items():
            hints = reference_hints(plate, photo(other))
            rows.setdefault(name, []).append(psnr(plate.preview(hints, side=SIDE), truth) - base)
        toward(rows, plate, automatic, truth)
        for other in companions(path, everything, random.Random(number)):
            try:
                hints = reference_hints(plate, photo(square(other)))
            except GuidanceError:
                continue  # a grey companion
            guided = plate.preview(hints, side=SIDE)
            rows.setdefault("(c) another photo of the same source", []).append(psnr(guided, truth) - base)
            change = np.hypot(*(ab_of(guided) - ab_of(automatic)).reshape(-1, 2).T).mean()
            rows.setdefault("    its mean change of ab", []).append(float(change))
    for name, values in rows.items():
        line(name, values)


def references(truth: np.ndarray, chance: random.Random) -> dict[str, np.ndarray]:
    """(a): parts of the photo itself, mirrored, shifted and rescaled."""
    return {
        "(a) mirrored crop, 80 % of the side": crop(truth, 0.8, chance)[:, ::-1],
        "(a) mirrored crop, 60 %": crop(truth, 0.6, chance)[:, ::-1],
        "    crop of 70 %, not mirrored": crop(truth, 0.7, chance),
        "    crop of 70 % scaled to 400 px": resized(crop(truth, 0.7, chance), 400),
        "    crop of 80 % scaled to 120 px, mirrored": resized(crop(truth, 0.8, chance)[:, ::-1], 120),
    }


def toward(rows: dict[str, list[float]], plate: object, automatic: np.ndarray, truth: np.ndarray) -> None:
    """(b): how far the colors move from the automatic ones to the turned ones, and stay of a crop."""
    wanted = turned(truth, 120)
    target, before = ab_of(wanted), ab_of(automatic)
    for name, other in (
        ("(b) hues turned by 120°", wanted),
        ("(b) the same, mirrored crop of 80 %", crop(wanted, 0.8, random.Random(1))[:, ::-1]),
    ):
        guided = plate.preview(reference_hints(plate, photo(other)), side=SIDE)  # type: ignore[attr-defined]
        gone = ((ab_of(guided) - before) * (target - before)).sum() / ((target - before) ** 2).sum()
        rows.setdefault(f"{name}: share of the way to the turned hues", []).append(float(gone))
        gain = psnr(guided, wanted) - psnr(automatic, wanted)
        rows.setdefault(f"{name}: PSNR gain against the turned copy", []).append(gain)


def companions(path: Path, everything: list[Path], chance: random.Random) -> list[Path]:
    """Another photo of the same source, if there is one."""
    others = [other for other in everything if other.parent == path.parent and other != path]
    return chance.sample(others, 1) if others else []


# --- palette -----------------------------------------------------------------------------------


def palette(colorizer: Colorizer, paths: list[Path], _: list[Path]) -> None:
    print("Palette")
    for number, text in enumerate((*PALETTES, "of the next photo", "of the photo's own truth")):
        within, colorful, error = [], [], []
        for at, path in enumerate(paths):
            truth = square(path)
            source = truth if "own" in text else square(paths[(at + 1) % len(paths)])
            try:
                asked = Palette.parse(text) if number < len(PALETTES) else Palette.of_photo(photo(source))
            except GuidanceError:
                continue  # a grey photo has no palette
            plate = colorizer.prepare(photo(grey(truth)))
            automatic = plate.preview(side=SIDE)
            drawn = plate.color(Look(palette=asked)).preview(side=SIDE)
            within.append(100 * share_within(drawn, asked))
            colorful.append(colorfulness(drawn) / max(1.0, colorfulness(automatic)))
            error.append(float(np.abs(rgb_to_lab(drawn)[..., 0] - rgb_to_lab(grey3(truth))[..., 0]).max()))
        line(f"{text}: pixels with C* > 12 within 20°", within, "%")
        line(f"{text}: colorfulness over automatic", colorful)
        line(f"{text}: largest |ΔL*|", error)


def grey3(rgb: np.ndarray) -> np.ndarray:
    return np.repeat(grey(rgb)[..., None], 3, axis=2)


def share_within(rgb: np.ndarray, asked: Palette, degrees: float = 20) -> float:
    ab = ab_of(rgb)
    colored = chroma_of(ab) > 12
    wanted = asked.lab[:, 1:]
    hues = hue_of(wanted[chroma_of(wanted) > 6])
    gap = np.abs((hue_of(ab)[..., None] - hues + 180) % 360 - 180).min(-1)
    return float((gap[colored] <= degrees).mean()) if colored.any() else float("nan")


# --- proposals ---------------------------------------------------------------------------------


def ideas(colorizer: Colorizer, paths: list[Path], _: list[Path]) -> None:
    print("Proposals (4)")
    apart, mean, best = [], [], []
    for path in paths:
        truth = square(path)
        plate = colorizer.prepare(photo(grey(truth)))
        base = psnr(plate.preview(side=SIDE), truth)
        pictures = [plate.preview(one, side=SIDE) for one in proposals(plate, 4)]
        where = np.kron(uncertain_cells(plate.uncertainty()), np.ones((4, 4), bool))
        labs = [rgb_to_lab(picture)[where] for picture in pictures]
        apart.append(np.mean([ciede2000(labs[i], labs[j]).mean() for i in range(4) for j in range(i)]))
        gains = [psnr(picture, truth) - base for picture in pictures]
        mean.append(np.mean(gains))
        best.append(max(gains))
    line("pairwise ΔE2000 in the least sure fifth", apart)
    line("PSNR of each over automatic", mean, "dB")
    line("PSNR of the best over automatic", best, "dB")


# --- faded color photographs ------------------------------------------------------------------


def faded_copy(rgb: np.ndarray, chance: random.Random) -> np.ndarray:
    """An artificially faded print: dye densities weakened unevenly, a stain in the lights, less contrast."""
    density = -np.log10(np.clip(rgb / 255.0, 0.004, 1))
    keep = np.array([chance.uniform(0.25, 0.5), chance.uniform(0.45, 0.8), chance.uniform(0.35, 0.7)])
    stain = np.array([chance.uniform(0, 0.03), chance.uniform(0.02, 0.08), chance.uniform(0.06, 0.18)])
    return quantize(10 ** -(density * keep + stain))


def faded(colorizer: Colorizer, paths: list[Path], _: list[Path]) -> None:
    print("Faded copies: mean ab error (less is better)")
    rows: dict[str, list[float]] = {}
    for number, path in enumerate(paths):
        truth = square(path)
        print_ = faded_copy(truth, random.Random(number))
        plate = colorizer.prepare(photo(print_))
        try:
            kept = plate.color(Look(keep_color=True))
        except GuidanceError:
            continue  # no color left
        pictures = {
            "the faded copy itself": print_,
            "automatic": plate.preview(side=SIDE),
            "--keep-color": kept.preview(side=SIDE),
        }
        for name, picture in pictures.items():
            error = np.hypot(*(ab_of(picture) - ab_of(truth)).reshape(-1, 2).T).mean()
            rows.setdefault(name, []).append(float(error))
    for name, values in rows.items():
        line(name, values)


# --- time --------------------------------------------------------------------------------------


def timing(colorizer: Colorizer, paths: list[Path], _: list[Path]) -> None:
    print(
        "Processor time from decoded photo to full-size pixels, median of 3 rounds, over automatic's\n"
        "  (the time of all threads: unlike the clock's it means the same on a busy machine)"
    )
    for side in (256, 1024, 3000):
        ratios: dict[str, list[float]] = {}
        for path, other in zip(paths[:6], paths[6:12], strict=True):
            runs: dict[str, list[float]] = {}
            for _round in range(3):
                measure(runs, colorizer, square(path, side), square(other, side))
            for name, values in runs.items():
                ratios.setdefault(name, []).append(float(np.median(values) / np.median(runs["automatic"])))
        shown = ", ".join(f"{name} {np.median(values):.2f} ×" for name, values in ratios.items())
        print(f"  {side} × {side} px: {shown} (median of 6 photos)", flush=True)


def measure(runs: dict[str, list[float]], colorizer: Colorizer, mine: np.ndarray, other: np.ndarray) -> None:
    def automatic() -> None:
        _ = colorizer.prepare(photo(grey(mine))).render().pixels

    def another(source: np.ndarray) -> None:
        plate = colorizer.prepare(photo(grey(mine)))
        _ = plate.render(reference_hints(plate, Reference.of(plate.network, photo(source)))).pixels

    def four() -> None:
        plate = colorizer.prepare(photo(grey(mine)))
        for one in proposals(plate, 4):
            _ = plate.render(one).pixels

    jobs = {
        "automatic": automatic,
        "reference (same scene)": lambda: another(mine[:, ::-1]),
        "reference (another)": lambda: another(other),
        "4 proposals": four,
    }
    for name, job in jobs.items():
        started = time.process_time()
        job()
        runs.setdefault(name, []).append(time.process_time() - started)


PARTS = {"reference": reference, "palette": palette, "proposals": ideas, "faded": faded, "time": timing}

if __name__ == "__main__":
    main()
