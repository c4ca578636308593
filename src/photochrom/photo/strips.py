"""Strips of a photo, or photos of many, computed ahead on a few threads and handed over in order."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Callable, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Item = TypeVar("Item")
T = TypeVar("T")

_STRIP_PIXELS = 1 << 19  # a strip and its intermediate planes stay in a core's cache
_MOST_THREADS = 4
_KEEP_ALL = ((-4, 0), (-1, -1), (-2, 1 << 28))  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD of malloc.h


def strip_height(width: int) -> int:
    """Rows a strip: about half a megapixel, a multiple of 16 (the JPEG block with halved chroma)."""
    return max(16, _STRIP_PIXELS // max(width, 1) // 16 * 16) if width < 32768 else 16


@dataclass(frozen=True)
class OneByOne(Sequence[T]):
    """Items that are made whenever they are asked for, so that no two need be in memory at a time."""

    length: int
    make: Callable[[int], T]

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self.length:
            raise IndexError(index)
        return self.make(index)


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def give_memory_back() -> None:
    """Let glibc return to the system what was freed, also between blocks in use, where it never would."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim:
        trim(0)


def keep_freed_memory() -> None:
    """Let glibc keep what is freed for the next use, instead of having each page cleared anew by the system.

    It holds for the rest of the process: for one that frees and takes the same gigabytes again and again, as
    training does.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if tune:
        for option, value in _KEEP_ALL:
            tune(option, value)


def thread_count(threads: int | None = None) -> int:
    """How many threads compute strips: as asked, else as many as this process may use, at most 4.

    It may use as many as it has processors, or fewer where OMP_NUM_THREADS says so, as it does to the
    workers of a batch.
    """
    if threads is not None:
        return max(1, threads)
    allowed = processors()
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(allowed, _MOST_THREADS, max(1, int(told)) if told.isdecimal() else allowed)


def mapped_in_order(
    compute: Callable[[Item], T], items: Iterable[Item], threads: int | None = None
) -> Iterator[tuple[Item, T]]:
    """(item, compute(item)) in the order of `items`; only a few results wait to be taken."""
    count = thread_count(threads)
    if isinstance(items, Sized):
        count = min(count, len(items))
    if count <= 1:
        yield from ((item, compute(item)) for item in items)
        return
    pending: deque[tuple[Item, Future[T]]] = deque()
    with ThreadPoolExecutor(count, "strips") as pool:
        try:
            for item in items:
                pending.append((item, pool.submit(compute, item)))
                if len(pending) > 2 * count:
                    first, result = pending.popleft()
                    yield first, result.result()
            for first, result in pending:
                yield first, result.result()
        finally:
            for _, future in pending:
                future.cancel()
