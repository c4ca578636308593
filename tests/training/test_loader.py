"""Sample k depends on the seed and k alone, whoever makes it and whenever."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from photochrom.errors import DataError
from photochrom.training.augment import AffineConfig
from photochrom.training.loader import Draw, Loader, Plan, Samples
from photochrom.training.photos import PhotoSet, load_photos

if TYPE_CHECKING:
    from pathlib import Path

CPU = torch.device("cpu")


@pytest.fixture
def samples(folder: Path, tmp_path: Path) -> Samples:
    photos = load_photos(folder, 48, tmp_path / "cache")
    return Samples(photos, Draw(photos, np.arange(len(photos))), AffineConfig(size=32), seed=3)


def test_a_sample_is_always_the_same(samples: Samples) -> None:
    for first, second in zip(samples[5], samples[5], strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(samples[5][0], samples[5 + 6][0])


def test_a_resumed_loader_goes_on_where_it_was(samples: Samples) -> None:
    whole = list(Loader(samples, Plan(0, 12, 2), CPU))
    rest = list(Loader(samples, Plan(6, 12, 2), CPU))
    assert len(whole) == 6
    for a, b in zip(whole[3:], rest, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_processes_make_what_the_thread_makes(samples: Samples) -> None:
    by_thread = list(Loader(samples, Plan(0, 8, 4), CPU))
    by_process = list(Loader(samples, Plan(0, 8, 4), CPU, workers=1))
    for a, b in zip(by_thread, by_process, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_pictures_come_channels_last(samples: Samples) -> None:
    luminance, ab = next(iter(Loader(samples, Plan(0, 4, 4), CPU)))
    assert luminance.shape == (4, 1, 32, 32)
    assert ab.shape == (4, 2, 32, 32)
    assert ab.is_contiguous(memory_format=torch.channels_last)


def test_an_error_reaches_the_one_who_trains(samples: Samples) -> None:
    samples.draw.lanes.clear()
    with pytest.raises(DataError, match="shard number 0 holds no color photograph"):
        list(Loader(samples, Plan(0, 4, 2), CPU))


def test_an_abandoned_loader_stops_its_thread(samples: Samples) -> None:
    """One that was still at work when Python ended aborted the process."""
    batches = iter(Loader(samples, Plan(0, 1000, 2), CPU))
    next(batches)
    batches.close()
    assert not any(thread.name == "photochrom-loader" for thread in threading.enumerate())


@given(st.integers(0, 50), st.integers(1, 7), st.integers(1, 4))
def test_ranks_share_what_one_would_see(start: int, batch: int, world: int) -> None:
    together = [number for numbers in Plan(start, start + 40, batch * world) for number in numbers]
    plans = [Plan(start, start + 40, batch, rank, world) for rank in range(world)]
    apart = [number for plan in plans for numbers in plan for number in numbers]
    assert sorted(apart) == sorted(together)


def fake(shards: list[int], sources: list[str] | None = None) -> PhotoSet:
    count = len(shards)
    return PhotoSet(None, np.ones((count, 2), np.int32), sources or ["x"] * count, np.array(shards, np.int32))


def test_each_time_round_shows_every_photo_once() -> None:
    draw = Draw(fake([0] * 10), np.arange(10))
    rng = np.random.default_rng(0)
    rounds = [[draw(10 * turn + k, rng) for k in range(10)] for turn in range(3)]
    assert all(sorted(numbers) == list(range(10)) for numbers in rounds)
    assert rounds[0] != rounds[1]


def test_shards_keep_to_their_rank() -> None:
    draw = Draw(fake([0, 1, 2, 3] * 5), np.arange(20), lanes=4)
    for rank in range(2):
        numbers = [n for batch in Plan(0, 64, 4, rank, 2) for n in batch]
        shards = {draw(number, np.random.default_rng(number)) % 4 for number in numbers}
        assert shards == {rank, rank + 2}


def test_a_rank_with_its_own_shards_draws_what_all_would() -> None:
    everything = Draw(fake([0] * 5 + [1] * 5), np.arange(10), lanes=2)
    own = Draw(fake([1] * 5), np.arange(5), lanes=2)
    for number in range(1, 40, 2):
        rng = np.random.default_rng(number)
        assert everything(number, rng) == own(number, rng) + 5


def test_small_sources_are_seen_more_often_than_they_count() -> None:
    draw = Draw(fake([0] * 100, ["large"] * 90 + ["small"] * 10), np.arange(100), exponent=-0.5)
    seen = Counter(draw(k, np.random.default_rng((0, k))) >= 90 for k in range(4000))
    assert seen[True] / 4000 == pytest.approx(0.25, abs=0.03)  # sqrt(10) / (sqrt(10) + sqrt(90))
