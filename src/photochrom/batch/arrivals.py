"""Photos that arrive in a folder, each handed over once it has stopped growing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from photochrom.batch import plan
from photochrom.batch.coloring import stamp_of
from photochrom.errors import PhotoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from photochrom.batch.coloring import Stamp
    from photochrom.batch.options import Options
    from photochrom.batch.plan import Job


@dataclass
class Arrivals:
    """The jobs of a folder in the order in which its photos come to rest.

    A photo is at rest when size and time of the file have not moved for `settle` seconds; it comes
    again if it changes later. The folder is looked through every `interval` seconds.
    """

    folder: Path
    out: Path
    options: Options
    settle: float = 2.0
    interval: float = 1.0
    until_idle: float | None = None  # stop after so many seconds without a change
    search: plan.Search = field(default_factory=plan.Search)
    now: Callable[[], float] = time.monotonic
    _moving: dict[Path, tuple[Stamp, float]] = field(default_factory=dict)
    _given: dict[Path, Stamp] = field(default_factory=dict)

    def jobs(self) -> Iterator[Job | None]:
        """Jobs for ever (or until idle); None where nothing is at rest yet."""
        last_change, next_look = self.now(), 0.0
        while True:
            now = self.now()
            if now < next_look:
                yield None
                continue
            next_look = now + self.interval
            found = self._photos()
            rested = set(self._rested(found, now))
            if rested:
                jobs = plan.lay_out(found, self.out, self.options)
                yield from (job for job, source in zip(jobs, found, strict=True) if source in rested)
            if rested or self._moving:
                last_change = self.now()
            elif self.until_idle is not None and now - last_change >= self.until_idle:
                return
            yield None

    def _rested(self, found: list[plan.Source], now: float) -> Iterator[plan.Source]:
        """The photos that have come to rest since the last look."""
        for source in found:
            try:
                stamp = stamp_of(source.path)
            except OSError:
                continue  # it went away again
            if self._given.get(source.path) == stamp:
                continue
            seen, since = self._moving.get(source.path, (None, now))
            if seen != stamp:
                self._moving[source.path] = (stamp, now)
            elif now - since >= self.settle:
                del self._moving[source.path]
                self._given[source.path] = stamp
                yield source

    def _photos(self) -> list[plan.Source]:
        try:
            found = plan.find([self.folder], skip=self.out, search=self.search)
        except PhotoError:
            found = []  # nothing yet
        for gone in self._moving.keys() - {source.path for source in found}:
            del self._moving[gone]
        return found
