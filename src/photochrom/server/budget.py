"""The memory budget: every byte that a request or a kept photo needs is reserved here first."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from photochrom.server.problems import Busy, OverBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Reservation:
    """Bytes held until `release`; releasing twice is harmless. `beside` are held by the same request too."""

    def __init__(self, budget: Budget, beside: int = 0):
        self._budget, self._beside, self.size = budget, beside, 0

    def grow(self, size: int) -> None:
        """Hold `size` more bytes. Raises Busy when they are not there, OverBudget when they never will be."""
        needed = self._beside + self.size + size
        if needed > self._budget.total:
            raise OverBudget(needed, self._budget.total)
        self._budget.take(size)
        self.size += size

    def shrink_to(self, size: int) -> None:
        """Give back all but `size` bytes."""
        self._budget.give(max(self.size - size, 0))
        self.size = min(self.size, size)

    def release(self) -> None:
        self.shrink_to(0)


class Budget:
    """A number of bytes shared by all requests; kept photos give way to new work (`reclaim`)."""

    def __init__(self, total: int):
        self.total = total
        self.used = 0
        self._lock = threading.Lock()
        self._reclaim: Callable[[int], None] = lambda _missing: None

    def on_shortage(self, reclaim: Callable[[int], None]) -> None:
        """Call `reclaim(missing bytes)` before refusing; it gives back what it can."""
        self._reclaim = reclaim

    def reserve(self, size: int, beside: int = 0) -> Reservation:
        """Hold `size` bytes until released. Raises Busy (429) when the budget is full, OverBudget."""
        reservation = Reservation(self, beside)
        reservation.grow(size)
        return reservation

    @contextmanager
    def holding(self, size: int, beside: int = 0) -> Iterator[Reservation]:
        reservation = self.reserve(size, beside)
        try:
            yield reservation
        finally:
            reservation.release()

    def take(self, size: int) -> None:
        if self._try(size):
            return
        self._reclaim(self.used + size - self.total)  # without the lock: it gives back through `give`
        if not self._try(size):
            raise Busy

    def _try(self, size: int) -> bool:
        with self._lock:
            fits = self.used + size <= self.total
            self.used += size if fits else 0
        return fits

    def give(self, size: int) -> None:
        with self._lock:
            self.used -= size
