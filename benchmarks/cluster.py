"""Photos a second through Ray's actors against the local runner's: python benchmarks/cluster.py

Both take the same photos from a folder to a folder, with the same number of workers, one after the other in
one run; the first tenth is not counted, so both are warm. The local runner is the one of a batch from folder
to folder, with its ledger; `processes` are its workers with the records of a store. Prints the ratio, and the
memory of the driver over many tiny photos.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import psutil

from photochrom.batch import plan
from photochrom.batch.ledger import Ledger
from photochrom.batch.options import Options
from photochrom.batch.runner import Run, Settings, workers_for
from photochrom.batch.store import Folder
from photochrom.batch.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photochrom.batch.coloring import Result


def make_photos(folder: Path, count: int, side: int) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.uniform(0, 255, (side // 40 + 2, side // 40 + 2)).astype(np.float32)
        grey = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number:05}.jpg"), grey)


def results(engine: str, source: Path, target: Path, workers: int) -> Iterator[Result]:
    settings = Settings(workers=workers)
    if engine == "local":
        jobs = plan.make(plan.find([source]), target)
        book = Ledger.of_folder(target)
        book.register(jobs)
        yield from Run(Options(), settings, book).results(jobs, workers_for(Options(), settings, len(jobs)))
        book.close()
        return
    transfer = Transfer(Options(), settings, Folder(str(source)), Folder(str(target)))
    yield from transfer.results(transfer.cluster() if engine == "ray" else transfer.local_workers())


def seconds(engine: str, source: Path, count: int, workers: int) -> tuple[float, list[int]]:
    """Of all photos but the first tenth, and the driver's memory in MB as they went by."""
    target = Path(tempfile.mkdtemp())
    memory, began = [], 0.0
    for number, result in enumerate(results(engine, source, target, workers)):
        assert result.status == "done", result.error
        if number == count // 10:
            began = time.monotonic()
        if number % max(1, count // 10) == 0:
            memory.append(psutil.Process().memory_info().rss >> 20)
    spent = time.monotonic() - began
    shutil.rmtree(target)
    return spent, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--tiny", type=int, default=2000, help="photos of 32 px for the driver's memory")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "photos")
        make_photos(source, options.photos, 1000)
        counted = options.photos - options.photos // 10
        spent = {}
        for engine in ("local", "processes", "ray"):
            spent[engine], _ = seconds(engine, source, options.photos, options.workers)
            of_local = spent["local"] / spent[engine]
            print(f"{engine}: {counted / spent[engine]:.2f} photos a second, {of_local:.2f} of local")
        if options.tiny:
            tiny = Path(folder, "tiny")
            make_photos(tiny, options.tiny, 32)
            _, memory = seconds("ray", tiny, options.tiny, options.workers)
            print(f"driver's memory over {options.tiny} tiny photos, MB: {memory}")


if __name__ == "__main__":
    main()
