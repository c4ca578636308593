"""Training the default network, against its bare forward + backward + optimizer step.

    python benchmarks/training.py [--steps 12] [--rounds 5]

In one run and in turns, at 2 threads and batches of 24 at 128 px as the recipe has them:

- bare: the network, its loss, the backward pass and AdamW on one batch that is ready;
- ours: `Trainer.step` on batches from the `Loader`, with decoding from the cache, crops, old film, hints,
  recolored objects, clipping, the rate and the averaged weights.

Bounds: ours at most 1.15 x bare, and less than 5 % of the time spent waiting for data. Samples are made on
the same two processors as the network runs on, so what they cost is part of the ratio.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from PIL import Image

from photochrom.color import ab_bins
from photochrom.training import recipe as recipes
from photochrom.training.loader import Draw, Loader, Plan, Samples
from photochrom.training.losses import WeightedSum
from photochrom.training.networks import build
from photochrom.training.optimizers import freeze, make_optimizer
from photochrom.training.photos import load_photos
from photochrom.training.tasks import ask
from photochrom.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photochrom.training.loader import Batch
    from photochrom.training.recipe import Recipe

PHOTO = Path(__file__).parents[1] / "examples/astronaut.jpg"
RATIO_BOUND, WAIT_BOUND = 1.15, 0.05
CPU = torch.device("cpu")
UNIFORM = np.full(len(ab_bins()), 1 / len(ab_bins()))


def crops(folder: Path, count: int = 40) -> None:
    """Photos of 192 x 256 px, cut out of the example."""
    with Image.open(PHOTO) as image:
        rgb = np.asarray(image.convert("RGB"))
    random = np.random.default_rng(0)
    for number in range(count):
        top, left = (int(random.integers(0, n)) for n in (rgb.shape[0] - 192, rgb.shape[1] - 256))
        Image.fromarray(rgb[top : top + 192, left : left + 256]).save(folder / f"{number}.png")


class Bare:
    """What nobody can avoid."""

    def __init__(self, recipe: Recipe):
        torch.manual_seed(0)
        self.network = build(recipe.network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.train()
        for module in freeze(self.network, recipe):
            module.eval()
        self.criterion = WeightedSum(recipe.loss, UNIFORM)
        self.optimizer = make_optimizer(self.network, recipe.optimizer)

    def step(self, batch: Batch) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.criterion(*ask(self.network, batch)).backward()
        self.optimizer.step()


class Clock:
    """Wall and processor seconds a step, of every round."""

    def __init__(self, steps: int):
        self.steps = steps
        self.walls: list[float] = []
        self.processors: list[float] = []

    def __enter__(self) -> None:
        self.begin = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.walls.append((time.perf_counter() - self.begin[0]) / self.steps)
        self.processors.append((time.process_time() - self.begin[1]) / self.steps)


def measure(recipe: Recipe, data: Path, steps: int, rounds: int) -> tuple[float, float]:
    """(ratio of the medians, share of the time spent waiting)."""
    photos = load_photos(data, recipe.data.side, data.parent / "cache")
    draw = Draw(photos, np.arange(len(photos)), recipe.data.source_exponent)
    batch = recipe.schedule.batch
    trainer = Trainer(recipe, WeightedSum(recipe.loss, UNIFORM), 10**6, CPU)
    trainer.train_mode()
    bare = Bare(recipe)
    ready = next(iter(Loader(Samples(photos, draw, recipe.samples, 1), Plan(0, batch, batch), CPU)))
    bare.step(ready)
    ours, theirs, waited = Clock(steps), Clock(steps), 0.0
    for number in range(rounds):
        plan = Plan(number * 10**5, number * 10**5 + (steps + 6) * batch, batch)
        loader = Loader(Samples(photos, draw, recipe.samples, 0), plan, CPU)
        stream: Iterator[Batch] = iter(loader)
        for first in islice(stream, 2):  # the queue fills
            trainer.step([first])
        loader.waited = 0.0
        with ours:
            for item in islice(stream, steps):
                trainer.step([item])
        waited += loader.waited
        stream.close()  # type: ignore[attr-defined]
        with theirs:
            for _ in range(steps):
                bare.step(ready)
    a, b = statistics.median(ours.walls), statistics.median(theirs.walls)
    print(f"wall: {1000 * a:.0f} ms a step against {1000 * b:.0f} ms bare (medians of {rounds} rounds)")
    a, b = min(ours.processors), min(theirs.processors)
    print(f"processor: {1000 * a:.0f} ms against {1000 * b:.0f} ms, ratio of the best {a / b:.2f}")
    print(f"photos a second: {batch / min(ours.walls):.1f} (best round)")
    return min(ours.walls) / min(theirs.walls), waited / (sum(ours.walls) * steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(2)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "photos"
        data.mkdir()
        crops(data)
        ratio, waiting = measure(recipes.load("photochrom"), data, options.steps, options.rounds)
    print(f"default network: {ratio:.2f} x its bare step, of the best rounds (bound {RATIO_BOUND})")
    print(f"waiting for data: {100 * waiting:.1f} % of the time (bound {100 * WAIT_BOUND:.0f} %)")
    raise SystemExit(ratio > RATIO_BOUND or waiting > WAIT_BOUND)


if __name__ == "__main__":
    main()
