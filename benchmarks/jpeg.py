"""A grey JPEG to a color JPEG with the same luminance data, against decoding and encoding the pixels.

    python benchmarks/jpeg.py [--rounds 7]

A 12-megapixel grey JPEG (quality 95) is colored, file to file, with the model loaded; the other side is
Pillow's decode of the grey plus its encode of the colored pixels (quality 95, 4:2:0). Both are measured in
turns in one run, on two processors; the bound is a ratio of 1.3. Then the same for a color JPEG of one tone
(4:2:0), whose luminance shares its scan with chroma, and for `--luminance lightness`, which encodes anew.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from photochrom.colorizer import Colorizer
from photochrom.photo import read, write
from photochrom.photo.writing import luminance_written

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLE = Path(__file__).parents[1] / "examples/photos/nagasaki-boats.jpg"
SIZE = (4000, 3000)
BOUND, PROCESSORS = 1.3, 2


def scans(folder: Path) -> tuple[Path, Path]:
    """A 12-megapixel scan, an old photograph enlarged with film grain, as grey and as a toned color JPEG."""
    with Image.open(EXAMPLE) as image:
        plane = np.asarray(image.convert("L").resize(SIZE, Image.Resampling.BICUBIC), np.float32)
    plane = plane + np.random.default_rng(0).normal(0, 4, plane.shape).astype(np.float32)
    grey, toned = folder / "grey.jpg", folder / "toned.jpg"
    Image.fromarray(np.clip(plane, 0, 255).astype(np.uint8)).save(grey, quality=95)
    tone = np.clip(plane[..., None] + np.array([12, 0, -18]), 0, 255).astype(np.uint8)
    Image.fromarray(tone).save(toned, quality=95, subsampling="4:2:0")
    return grey, toned


def seconds(action: Callable[[], object]) -> tuple[float, float]:
    """Wall time and processor time of an action."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - processor


def compare(name: str, source: Path, colorizer: Colorizer, rounds: int, luminance: str) -> float:
    target = source.with_name("out.jpg")

    def ours() -> None:
        colored = colorizer.prepare(read(source)).render()
        write(colored, target, overwrite=True, luminance=luminance, threads=PROCESSORS)

    ours()
    with Image.open(target) as image:
        pixels = image.convert("RGB")

    def pillow() -> None:
        with Image.open(source) as grey:
            grey.load()
        pixels.save(target, quality=95, subsampling="4:2:0")

    times = [(seconds(ours), seconds(pillow)) for _ in range(rounds)]
    wall, processor = (min(a[n] for a, _ in times) / min(b[n] for _, b in times) for n in (0, 1))
    mine, theirs = (statistics.median(pair[side][0] for pair in times) for side in (0, 1))
    print(f"{name}: {mine * 1000:.0f} ms against {theirs * 1000:.0f} ms (medians);", end=" ")
    print(f"of the quickest, {wall:.2f} x on the wall, {processor:.2f} x of processor time")
    return wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:PROCESSORS])
    colorizer = Colorizer(threads=PROCESSORS)
    with tempfile.TemporaryDirectory() as folder:
        grey, toned = scans(Path(folder))
        ratio = compare("grey, luminance kept", grey, colorizer, rounds, "keep")
        kept = luminance_written(colorizer.prepare(read(toned)).render(), "out.jpg")
        compare(f"toned, luminance {kept}", toned, colorizer, rounds, "keep")
        compare("grey, encoded anew", grey, colorizer, rounds, "lightness")
    print(f"{ratio:.2f} x, bound {BOUND}")


if __name__ == "__main__":
    main()
