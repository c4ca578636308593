"""A batch against what it cannot avoid: decoding, the network and encoding, in the same two workers.

    python benchmarks/batch.py [--photos 500] [--threads]

One-megapixel grey JPEGs (quality 90). The floor is measured by the same two worker processes: Pillow's
decode of the grey, the network's own time (a pass at each of its sizes), Pillow's encode
of the colored pixels (quality 95, 4:2:0), start-up not counted. `photochrom batch` is the whole
command, start-up, hashing, ledger and syncing of every file included. The bound is 1.4; memory (of all
processes together) must not grow from the 50th photo to the last. `--threads` also measures the work on
two threads of one process, the alternative to worker processes.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import psutil
from PIL import Image

from photochrom.batch import plan
from photochrom.batch.coloring import Coloring, Task
from photochrom.batch.options import Options
from photochrom.batch.pool import Lost, Pool
from photochrom.colorizer import Colorizer
from photochrom.photo import read

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).parents[1] / "examples/photos"
SIZE = (1152, 868)
BOUND, WORKERS = 1.4, 2
LAST = 5  # photos before the end: all workers are still at work


class Cost(NamedTuple):
    """Seconds on the wall and of the processors."""

    wall: float
    processor: float


def children_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def make_photos(folder: Path, count: int) -> None:
    """Different crops of the example photographs with film grain."""
    rng = np.random.default_rng(0)
    planes = []
    for path in sorted(EXAMPLES.glob("*.jpg")):
        with Image.open(path) as image:
            grey = image.convert("L")
            scale = 1.2 * max(SIZE[0] / grey.width, SIZE[1] / grey.height)
            planes.append(np.asarray(grey.resize((round(grey.width * scale), round(grey.height * scale)))))
    for number in range(count):
        plane = planes[number % len(planes)]
        top, left = (
            int(rng.integers(0, have - want + 1)) for have, want in zip(plane.shape, SIZE[::-1], strict=True)
        )
        crop = plane[top : top + SIZE[1], left : left + SIZE[0]] + rng.normal(0, 4, SIZE[::-1])
        Image.fromarray(np.clip(crop, 0, 255).astype(np.uint8)).save(folder / f"{number:04}.jpg", quality=90)


def floor_setup() -> Callable[[Path], list[tuple[float, float]]]:
    """What a worker of the floor does: (wall, processor) seconds of decode, network, encode of a photo."""
    colorizer = Colorizer(threads=1)

    def seconds(action: Callable[[], object]) -> tuple[float, float]:
        wall, processor = time.perf_counter(), time.process_time()
        action()
        return time.perf_counter() - wall, time.process_time() - processor

    def decode(path: Path) -> None:
        with Image.open(path) as grey:
            grey.load()

    def work(path: Path) -> list[tuple[float, float]]:
        plate = colorizer.prepare(read(path))
        network = seconds(plate.answer)
        colored = Image.fromarray(plate.render().rgb)
        encoded = seconds(lambda: colored.save(io.BytesIO(), "jpeg", quality=95, subsampling="4:2:0"))
        return [seconds(lambda: decode(path)), network, encoded]

    return work


def measure_floor(paths: list[Path]) -> Cost:
    with Pool(floor_setup, WORKERS) as pool:
        list(pool.run(paths[:WORKERS]))
        found = [answer for _, answer in pool.run(paths)]
    if lost := [answer for answer in found if isinstance(answer, Lost)]:
        raise RuntimeError(lost[0].reason)
    total = np.array(found).sum(axis=0)  # (3, 2)
    for name, (wall, processor) in zip(("decode", "network", "encode"), total, strict=True):
        print(f"floor, {name}: {wall / WORKERS:.1f} s, {processor:.1f} s of processor time, for {len(paths)}")
    return Cost(total[:, 0].sum() / WORKERS, total[:, 1].sum())


def measure_batch(source: Path, out: Path, count: int) -> Cost:
    """The whole command; prints the memory of its processes at the 50th photo and at the end."""
    command = [sys.executable, "-m", "photochrom", "batch", str(source), str(out), "--workers", str(WORKERS)]
    started, before = time.perf_counter(), children_time()
    memory = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as batch:
        assert batch.stdout is not None
        for number, _ in enumerate(batch.stdout, 1):
            if number == count - LAST or number % 50 == 0:
                memory[number] = resident(batch.pid)
    cost = Cost(time.perf_counter() - started, children_time() - before)
    assert batch.returncode == 0
    print(f"batch: {cost.wall:.1f} s, {cost.processor:.1f} s of processor time, for {count}")
    print("memory:", ", ".join(f"{size / 1e6:.0f} MB at {number}" for number, size in memory.items()))
    return cost


def resident(pid: int) -> int:
    """Bytes that a process and its children hold, shared pages once."""
    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    total = 0
    for process in family:
        with suppress(psutil.NoSuchProcess):  # the last workers go as soon as they can
            total += process.memory_full_info().pss
    return total


def measure_threads(paths: list[Path], out: Path) -> Cost:
    out.mkdir()
    work = Coloring(Options(), threads=1)
    started, before = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(WORKERS) as pool:
        tasks = [Task(plan.Job(path, out / path.name), hash_output=True) for path in paths]
        assert all(result.status == "done" for result in pool.map(work, tasks))
    return Cost(time.perf_counter() - started, time.process_time() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--threads", action="store_true")
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:WORKERS])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        make_photos(folder / "in", asked.photos)
        paths = sorted((folder / "in").iterdir())
        floor = measure_floor(paths)
        cost = measure_batch(folder / "in", folder / "out", asked.photos)
        wall, processor = cost.wall / floor.wall, cost.processor / floor.processor
        print(f"{asked.photos} one-megapixel JPEGs: {wall:.2f} x the floor on the wall (bound {BOUND}),")
        print(f"{processor:.2f} x of processor time, which other load on the machine does not change")
        if asked.threads:
            cost = measure_threads(paths, folder / "threads")
            print(f"two threads of one process: {cost.wall:.1f} s, {cost.processor:.1f} s of processor time")


if __name__ == "__main__":
    main()
