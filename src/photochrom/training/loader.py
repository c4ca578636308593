"""Batches made ahead of the network: sample k depends on the seed and k alone.

So a resumed run sees what an uninterrupted one would have seen, and ranks that share a batch see
together what a single one would have seen.
"""

from __future__ import annotations

import queue
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from photochrom.errors import DataError
from photochrom.training.photos import PhotoSet, sampling_weights
from photochrom.training.samples import SampleConfig, make_sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_AHEAD = 4  # batches

Batch = list[Tensor]


class Draw:
    """Which photo sample k shows.

    Sample k belongs to lane k mod `lanes`. A lane is a tar shard; a folder is one lane. Within a lane
    photos come in a new random order each time round, or by chance where sources are weighted.
    """

    def __init__(
        self,
        photos: PhotoSet,
        chosen: NDArray[np.int64],
        exponent: float = 0.0,
        seed: int = 0,
        lanes: int = 1,
    ):
        self.seed, self.exponent, self.count = seed, exponent, lanes
        lane_of = photos.shards[chosen] % lanes
        self.lanes = {int(lane): chosen[lane_of == lane] for lane in np.unique(lane_of)}
        self.sources = photos.sources

    def __call__(self, number: int, rng: np.random.Generator) -> int:
        """The photo of sample `number`; `rng` is that sample's own. Raises DataError for an empty shard."""
        turn, lane = divmod(number, self.count)
        if lane not in self.lanes:
            raise DataError(f"shard number {lane} holds no color photograph: take it out of the data")
        photos = self.lanes[lane]
        if self.exponent:
            chances = self._chances(lane)
            place = int(np.searchsorted(chances, rng.random() * chances[-1]))
            return int(photos[min(place, len(photos) - 1)])
        times, place = divmod(turn, len(photos))
        return int(self._order(lane, times)[place])

    @lru_cache(maxsize=64)  # noqa: B019  there is one Draw a run, and it lives as long as the run
    def _order(self, lane: int, times: int) -> NDArray[np.int64]:
        return np.random.default_rng((self.seed, lane, times)).permutation(self.lanes[lane])

    @lru_cache(maxsize=4096)  # noqa: B019
    def _chances(self, lane: int) -> NDArray[np.float64]:
        names = [self.sources[index] for index in self.lanes[lane]]
        return np.cumsum(sampling_weights(names, self.exponent))


class Samples(Dataset[Any]):
    """Samples by number."""

    def __init__(self, photos: PhotoSet, draw: Draw, config: SampleConfig, seed: int):
        self.photos, self.draw, self.config, self.seed = photos, draw, config, seed

    def __getitem__(self, number: int) -> Any:
        rng = np.random.default_rng((self.seed, number))
        return make_sample(self.photos[self.draw(number, rng)], self.config, rng)


def collate(samples: Sequence[Any]) -> Batch:
    """A batch of samples: each of their parts stacked; rows of zeros fill up lists of unlike lengths."""
    return [torch.from_numpy(_stacked(parts)) for parts in zip(*samples, strict=True)]


def _stacked(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays of one shape, but for their first dimension: (B, longest, …)."""
    if len({len(part) for part in parts}) == 1:
        return np.stack(parts)
    filled = np.zeros((len(parts), max(len(part) for part in parts), *parts[0].shape[1:]), parts[0].dtype)
    for row, part in zip(filled, parts, strict=True):
        row[: len(part)] = part
    return filled


class Plan(NamedTuple):
    """Which samples this rank makes: `batch` of every `batch · world`, from `start` to `stop`."""

    start: int
    stop: int
    batch: int
    rank: int = 0
    world: int = 1

    def __iter__(self) -> Iterator[list[int]]:  # type: ignore[override]
        """Numbers of each batch. Rank r takes r, r + world, …, so that lanes keep to their rank."""
        for first in range(self.start, self.stop, self.batch * self.world):
            yield [first + self.rank + self.world * place for place in range(self.batch)]


class Loader:
    """Batches in order, made by one thread (workers = 0) or by that many processes.

    One thread is right beside a network on the CPU, which needs the cores itself; a GPU is fed by
    processes through pinned memory, and copies overlap with its work.
    """

    def __init__(self, samples: Samples, plan: Plan, device: torch.device, workers: int = 0):
        self.samples, self.plan, self.device, self.workers = samples, plan, device, workers
        self.waited = 0.0  # seconds spent waiting for data

    def __iter__(self) -> Iterator[Batch]:
        batches = self._processes() if self.workers else self._thread()
        while True:
            begin = time.perf_counter()
            batch = next(batches, None)
            self.waited += time.perf_counter() - begin
            if batch is None:
                return
            yield [_to_device(part, self.device) for part in batch]

    def _processes(self) -> Iterator[Batch]:
        loader: DataLoader[Any] = DataLoader(
            self.samples,
            batch_sampler=list(iter(self.plan)),
            collate_fn=collate,
            num_workers=self.workers,
            pin_memory=self.device.type == "cuda",
            prefetch_factor=_AHEAD,
        )
        return iter(loader)

    def _thread(self) -> Iterator[Batch]:
        ready: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=_AHEAD)
        stopped = threading.Event()

        def offer(item: Batch | BaseException | None) -> None:
            while not stopped.is_set():
                try:
                    return ready.put(item, timeout=0.1)
                except queue.Full:
                    continue

        def fill() -> None:
            try:
                for numbers in self.plan:
                    if stopped.is_set():
                        return
                    offer(collate([self.samples[number] for number in numbers]))
                offer(None)
            except BaseException as error:  # noqa: BLE001  handed to the thread that trains
                offer(error)

        filling = threading.Thread(target=fill, daemon=True, name="photochrom-loader")
        filling.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stopped.set()
            filling.join()  # a thread that is inside of C++ when Python ends aborts the process


def _to_device(part: Tensor, device: torch.device) -> Tensor:
    """The tensor where the network is; pictures in the layout that convolutions are fastest with."""
    part = part.to(device, non_blocking=True)
    return part.contiguous(memory_format=torch.channels_last) if part.ndim == 4 else part
