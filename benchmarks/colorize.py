"""One photo, file to file, against what nobody can avoid: decoding the grey, encoding the colors.

    python benchmarks/colorize.py [--rounds 7]

A 12-megapixel grey JPEG becomes a color JPEG (quality 95, 4:2:0); the other side is Pillow's decode of
the grey plus its encode of the colored pixels. Both are measured in turns in
one run, on two processors, with the model loaded; the bound is a ratio of 3.0. Then `photochrom --help`
against a bare `import click`, whose bound is 150 ms.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from photochrom.batch.coloring import Coloring, Task
from photochrom.batch.options import Options
from photochrom.batch.plan import Job

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLE = Path(__file__).parents[1] / "examples/photos/nagasaki-boats.jpg"
SIZE = (4000, 3000)
BOUND, START_BOUND = 3.0, 0.150


def scan(path: Path) -> None:
    """A 12-megapixel grey scan: an old photograph enlarged, with film grain."""
    with Image.open(EXAMPLE) as image:
        plane = np.asarray(image.convert("L").resize(SIZE, Image.Resampling.BICUBIC), np.float32)
    grain = np.random.default_rng(0).normal(0, 4, plane.shape).astype(np.float32)
    Image.fromarray(np.clip(plane + grain, 0, 255).astype(np.uint8)).save(path, quality=95)


def seconds(action: Callable[[], object]) -> tuple[float, float]:
    """Wall time and processor time of an action."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - processor


def compare(folder: Path, rounds: int) -> None:
    source, target, pillow_target = folder / "a.jpg", folder / "b.jpg", folder / "c.jpg"
    scan(source)
    color = Coloring(Options(), threads=2)

    def ours() -> None:
        result = color(Task(Job(source, target), replace=True))
        assert result.status == "done", result.error

    ours()
    with Image.open(target) as image:
        colored = image.convert("RGB")

    def pillow() -> None:
        with Image.open(source) as grey:
            grey.load()
        colored.save(pillow_target, quality=95, subsampling="4:2:0")

    times = [(seconds(ours), seconds(pillow)) for _ in range(rounds)]
    walls = [(a[0], b[0]) for a, b in times]
    processors = [(a[1], b[1]) for a, b in times]
    for name, pairs in (("wall", walls), ("processor", processors)):
        mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = min(a for a, _ in pairs) / min(b for _, b in pairs)
        print(f"{name}: {mine:.3f} s against {theirs:.3f} s (medians); ratio of the best {ratio:.2f}")
    best = min(a for a, _ in walls) / min(b for _, b in walls)
    print(f"12 megapixels, JPEG to JPEG: {best:.2f} x Pillow's decode + encode (bound {BOUND})")


def start_up(rounds: int) -> None:
    def best(code: str) -> float:
        command = [sys.executable, "-c", code]
        return min(
            seconds(lambda: subprocess.run(command, capture_output=True, check=True))[0]
            for _ in range(rounds)
        )

    more = best("from photochrom.cli import run; run(['--help'])") - best("import click")
    print(
        f"photochrom --help: {1000 * more:.0f} ms more than `import click` (bound {1000 * START_BOUND:.0f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), rounds)
    start_up(rounds)


if __name__ == "__main__":
    main()
