"""10,000 workers on object storage, simulated event by event: python benchmarks/cluster_simulation.py

Every worker does what `photochrom.batch.transfer.Courier` does for a photo: requests to the store, a few
seconds of network and file work, requests again. Prefixes have request limits, disks and requests are slow at
times, workers die and come back. Nothing is shared but the store, so throughput must grow in line with the
workers until a prefix's limit is reached. A driver only lists, 1,000 keys a page; where that would hold
workers up, a run is started for each of several prefixes, with the same destination.
"""

from __future__ import annotations

import argparse
import heapq
import random
from dataclasses import dataclass

# What a photo takes, as counted (docs/scale.md): HEAD of its record, GET of it; PUT of claim, picture, record
_STEPS = ("list", "get", "get", "work", "put", "put", "put")


@dataclass(frozen=True)
class World:
    """What is assumed."""

    seconds: float = 0.15  # a photo takes a worker, without the store
    latency: float = 0.03  # of a request, median
    slow: float = 0.02  # share of requests that take 20 times as long
    death: float = 1 / 20_000  # chance that a worker dies at a photo
    rebirth: float = 45.0  # seconds until a dead worker is there again
    prefixes: int = 64  # by which keys are spread
    put_limit: float = 3500.0  # writes a second and prefix, as Amazon documents for S3
    get_limit: float = 5500.0
    page: float = 0.2  # seconds a page of 1,000 keys takes to list
    each: int = 1000  # workers a driver has


class Prefix:
    """A request limit: requests beyond it wait for their turn."""

    def __init__(self, rate: float):
        self.step, self.free = 1 / rate, 0.0

    def turn(self, now: float) -> float:
        self.free = max(self.free, now) + self.step
        return self.free


def simulate(workers: int, photos: int, world: World, seed: int = 0) -> dict[str, float]:
    """Photos a second, the share of time that workers wait for the listing, and repeated photos."""
    chance = random.Random(seed)
    puts = [Prefix(world.put_limit) for _ in range(world.prefixes)]
    gets = [Prefix(world.get_limit) for _ in range(world.prefixes)]

    drivers = max(1, workers // world.each)
    events = [(0.0, number, 0) for number in range(workers)]  # when, which worker, which step
    given = done = repeated = again = 0
    waited, last = 0.0, 0.0
    while done < photos:
        now, worker, stage = heapq.heappop(events)
        step = _STEPS[stage]
        following = (stage + 1) % len(_STEPS)
        if step == "list":  # the driver gives it a photo, as far as the listing is
            given += not again
            again -= bool(again)
            listed = (given / drivers / 1000 + 1) * world.page
            waited += max(0.0, listed - now)
            now = max(now, listed)
        elif step == "work":
            now += chance.gammavariate(8, world.seconds / 8)
            if chance.random() < world.death:
                again, repeated = again + 1, repeated + 1
                now, following = now + world.rebirth, 0
        else:
            limit = chance.choice(gets if step == "get" else puts)
            slow = 20 if chance.random() < world.slow else 1
            now = limit.turn(now) + chance.expovariate(1 / world.latency) * slow
            if following == 0:
                done, last = done + 1, max(last, now)
        heapq.heappush(events, (now, worker, following))
    return {"rate": done / last, "waited": waited / (last * workers), "repeated": repeated}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=150, help="for each worker")
    parser.add_argument("--prefixes", type=int, default=World.prefixes)
    parser.add_argument("--seconds", type=float, default=World.seconds, help="of work a photo")
    options = parser.parse_args()
    world = World(prefixes=options.prefixes, seconds=options.seconds)
    print("workers  photos/s  of a line through 10 workers  waiting for the list  repeated")
    base = 0.0
    for workers in (10, 100, 1000, 10_000):
        found = simulate(workers, workers * options.photos, world)
        base = base or found["rate"] / workers
        share = found["rate"] / (base * workers)
        rate, waited, repeated = found["rate"], found["waited"], found["repeated"]
        print(f"{workers:7}  {rate:8.0f}  {share:28.2f}  {waited:20.1%}  {repeated:8.0f}")


if __name__ == "__main__":
    main()
