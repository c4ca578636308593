"""How long a person waits for a hint: from the request's departure to the last byte of a 1000 px preview.

    python benchmarks/server.py [--rounds 40]

The server runs as `photochrom serve` does, in a process of its own; each round places a hint that it has
not seen. Against it, in turns in the same run: one pass of the network over the same photo and hints, and
one JPEG encode of that preview. Bounds: median 120 ms, and 3.0 times pass and encode. On a machine that
does other things as well the processor times tell more; they are printed beside the wall times.
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from PIL import Image

from photochrom import Colorizer, Hint, read
from photochrom.server.pictures import jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[1] / "examples/photos/nagasaki-boats.jpg"
SIZE = (4000, 3200)
SIDE = 1000
BOUND, RATIO = 0.120, 3.0
QUIET = 0.8  # processes a core, above which wall times say nothing
WARM_UP = 3  # rounds


@contextmanager
def serving() -> Iterator[tuple[str, psutil.Process]]:
    command = [sys.executable, "-m", "photochrom", "serve", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        base = process.stdout.readline().strip().rstrip("/")
        while True:
            try:
                httpx.get(f"{base}/readyz", timeout=60).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        try:
            yield base, psutil.Process(process.pid)
        finally:
            process.terminate()


def scan() -> bytes:
    """A 12-megapixel grey scan."""
    target = io.BytesIO()
    with Image.open(EXAMPLE) as image:
        image.convert("L").resize(SIZE, Image.Resampling.BICUBIC).save(target, "JPEG", quality=90)
    return target.getvalue()


def hint(number: int) -> dict[str, Any]:
    chance = random.Random(number)
    color = "#" + "".join(f"{chance.randrange(60, 200):02x}" for _ in range(3))
    return {"x": chance.uniform(0.1, 0.9), "y": chance.uniform(0.1, 0.9), "color": color}


def busy(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(base: str, process: psutil.Process, photo: bytes, rounds: int) -> dict[str, list[float]]:
    """Seconds of each round, wall and processor, of a hint's round trip and of one pass and encode."""
    plate = Colorizer(threads=2).prepare(read(photo))
    seen: dict[str, list[float]] = {"wait": [], "wait_cpu": [], "pass": [], "pass_cpu": []}
    with httpx.Client(base_url=base, timeout=60) as client:
        started = time.perf_counter()
        photo_id = client.post("/v1/photos", files={"photo": photo}).json()["id"]
        client.post(f"/v1/photos/{photo_id}/render", json={"side": SIDE}).raise_for_status()
        seen["first"] = [time.perf_counter() - started]
        for number in range(-WARM_UP, rounds):
            wish = hint(number)
            before, started = busy(process), time.perf_counter()
            client.post(
                f"/v1/photos/{photo_id}/render", json={"side": SIDE, "hints": [wish]}
            ).raise_for_status()
            wait, wait_cpu = time.perf_counter() - started, busy(process) - before
            plain = plate.answer()
            preview = plate.preview([Hint(**wish)], side=SIDE)
            started, before = time.perf_counter(), time.process_time()
            plate.network.answer(plate.luminance, [Hint(**wish)], unhinted=plain)
            jpeg(preview)
            single, single_cpu = time.perf_counter() - started, time.process_time() - before
            if number >= 0:
                found = {"wait": wait, "wait_cpu": wait_cpu, "pass": single, "pass_cpu": single_cpu}
                for key, value in found.items():
                    seen[key].append(value)
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(description="The server's latency from hint to preview.")
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with serving() as (base, process):
        seen = measure(base, process, scan(), rounds)
    middle = {key: statistics.median(values) for key, values in seen.items()}
    ratio, ratio_cpu = middle["wait"] / middle["pass"], middle["wait_cpu"] / middle["pass_cpu"]
    load = psutil.getloadavg()[0] / (psutil.cpu_count() or 1)
    print(f"upload and first preview of {SIZE[0] * SIZE[1] / 1e6:.1f} MP: {middle['first'] * 1e3:.0f} ms")
    print(f"hint to last byte of a {SIDE} px preview, median of {rounds}: {middle['wait'] * 1e3:.0f} ms")
    print(f"  (bound {BOUND * 1e3:.0f} ms; fastest {min(seen['wait']) * 1e3:.0f} ms)")
    print(f"one network pass + encode, median: {middle['pass'] * 1e3:.0f} ms")
    print(f"ratio: {ratio:.2f} of wall times, {ratio_cpu:.2f} of processor times (bound {RATIO})")
    print(f"processor time of a hint: {middle['wait_cpu'] * 1e3:.0f} ms on all cores together")
    if load > QUIET:
        print(f"the machine is busy ({load:.1f} processes a core): only the processor times count")
        return 0 if middle["wait_cpu"] <= 2 * BOUND and ratio_cpu <= RATIO else 1
    return 0 if middle["wait"] <= BOUND and ratio <= RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
