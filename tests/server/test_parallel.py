"""Many at once: everybody gets an answer, memory stays within the budget, the server is free afterwards."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20


class Watch(threading.Thread):
    """The largest memory of a process and its children together, in bytes (shared pages counted once)."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._ended.wait(0.1):
            self.peak = max(self.peak, self.measure())

    def measure(self) -> int:
        total = 0
        for process in [self._process, *self._process.children(recursive=True)]:
            try:
                total += process.memory_full_info().pss
            except psutil.Error:  # it has just ended
                continue
        return total

    def stop(self) -> int:
        self._ended.set()
        self.join()
        return self.peak


def storm(base: str, photo: bytes, count: int, path: str) -> Counter[int]:
    """`count` uploads at once; how many ended in which status."""

    async def one(client: httpx.AsyncClient) -> int:
        answer = await client.post(f"{base}{path}", files={"photo": photo})
        if answer.status_code == 429:
            assert int(answer.headers["Retry-After"]) >= 1
            assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code

    async def everybody() -> list[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=300) as client:
            return await asyncio.gather(*(one(client) for _ in range(count)))

    return Counter(asyncio.run(everybody()))


def answers_at_once(base: str, photo: bytes) -> None:
    started = time.monotonic()
    assert httpx.get(f"{base}/readyz", timeout=5).status_code == 200
    assert time.monotonic() - started < 1
    assert httpx.post(f"{base}/v1/photos", files={"photo": photo}, timeout=30).status_code == 201


@pytest.mark.parametrize("path", ["/v1/photos", "/v1/colorize"])
def test_thirty_small_photos(serve: Callable[..., Any], make_jpeg: Callable[..., bytes], path: str) -> None:
    with serve("--memory", "128") as (_, url):
        base = url.rstrip("/")
        seen = storm(base, make_jpeg(1200, 800), 30, path)
        assert set(seen) <= {200, 201, 429}
        assert seen[200] + seen[201] >= 1
        answers_at_once(base, make_jpeg())


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v1/photos", "/v1/colorize"])
def test_two_hundred_photos_of_12_megapixels(
    serve: Callable[..., Any], make_jpeg: Callable[..., bytes], path: str
) -> None:
    with serve("--memory", "1024") as (process, url):
        base = url.rstrip("/")
        watch = Watch(process.pid)
        watch.start()
        seen = storm(base, make_jpeg(4000, 3000, quality=95), 200, path)
        peak = watch.stop()
        print(f"\n{path}: {dict(seen)}, peak {peak / MIB:.0f} MiB")
        assert set(seen) <= {200, 201, 429}
        assert seen[200] + seen[201] >= 5
        assert peak < (1024 + 300) * MIB
        answers_at_once(base, make_jpeg())
