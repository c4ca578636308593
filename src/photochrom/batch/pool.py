"""Worker processes that outlive the files that kill them.

A decoder that crashes, hangs or eats all memory takes its process along: the task is then reported as
lost with the reason and a fresh worker goes on. Threads would be cheaper to start but share that fate
(benchmarks/batch.py compares the two).
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Generic, TypeVar

from photochrom.photo.strips import give_memory_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

T = TypeVar("T")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)

_TIDY = 16  # tasks after which a worker tidies its memory up: oftener costs time, seldomer memory
PAUSE = 0.2  # seconds until tasks that had nothing to hand out are asked again
_CONTEXT = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks of whoever imports us


# Read by libraries when they are loaded, so they must be set before a worker starts. Two workers on two
# processors whose OpenBLAS has two threads each spend a third of their time waiting for one another.
THREAD_COUNTS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "VIPS_CONCURRENCY")


@dataclass(frozen=True)
class Lost:
    """A task without a result, and why."""

    reason: str


@dataclass(frozen=True)
class Outcome(Generic[T_co, R_co]):
    """A task that turned out to need no worker: its source gives the result along."""

    task: T_co
    result: R_co


class _End:
    """What a source of tasks that has run out gives."""


_END = _End()


class Pool(Generic[T, R]):
    """Up to `workers` processes, each running `setup()` once and the function it returns on tasks.

    `setup`, tasks and results are pickled. A task that takes longer than `timeout` seconds is lost.
    `threads` is how many the libraries in each worker may start.
    """

    def __init__(
        self,
        setup: Callable[[], Callable[[T], R]],
        workers: int,
        timeout: float | None = None,
        threads: int = 1,
    ):
        self._setup, self._workers, self._timeout, self._threads = setup, workers, timeout, threads
        self._idle: list[_Worker[T, R]] = []
        self._busy: list[_Worker[T, R]] = []

    def run(self, tasks: Iterable[T | Outcome[T, R] | None]) -> Iterator[tuple[T, R | Lost]]:
        """Each task with its result, as they are ready.

        Tasks are drawn one ahead of the workers, so their source may be long or decide late; None from
        it means that there is nothing just now.
        """
        source = iter(tasks)
        ready: T | None = None
        more = True
        while more or ready is not None or self._busy:
            if ready is not None and len(self._busy) < self._workers:
                self._give(ready)
                ready = None
            elif ready is not None or not more:
                yield from self._collect()
            else:
                task = next(source, _END)
                if isinstance(task, _End):
                    more = False
                elif isinstance(task, Outcome):
                    yield task.task, task.result
                elif task is not None:
                    ready = task
                elif self._busy:
                    yield from self._collect(PAUSE)
                else:
                    time.sleep(PAUSE)

    def _give(self, task: T) -> None:
        self._idle = [worker for worker in self._idle if worker.lives()]
        worker = self._idle.pop() if self._idle else self._new_worker()
        worker.give(task)
        self._busy.append(worker)

    def _new_worker(self) -> _Worker[T, R]:
        with _environment(dict.fromkeys(THREAD_COUNTS, str(self._threads))):
            return _Worker(self._setup)

    def _collect(self, patience: float | None = None) -> Iterator[tuple[T, R | Lost]]:
        """What the workers have done, waiting until at least one has or `patience` is over."""
        limits = [worker.left(self._timeout) for worker in self._busy] if self._timeout else []
        limits += [patience] if patience else []
        wait([worker.connection for worker in self._busy], min(limits, default=None))
        for worker in list(self._busy):
            answer = worker.answer(self._timeout)
            if answer is None:
                continue
            self._busy.remove(worker)
            task = worker.task
            if worker.alive:
                self._idle.append(worker)
            yield task, answer

    def close(self) -> None:
        """End all workers; what they are at is dropped."""
        for worker in (*self._idle, *self._busy):
            worker.end()
        self._idle, self._busy = [], []

    def __enter__(self) -> Pool[T, R]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Worker(Generic[T, R]):
    """One process and the line to it."""

    task: T

    def __init__(self, setup: Callable[[], Callable[[T], R]]):
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, setup), daemon=True)
        self._process.start()
        theirs.close()  # so that the line breaks when the process ends
        self.alive = True
        self._since = 0.0

    def give(self, task: T) -> None:
        self.task, self._since = task, time.monotonic()
        try:
            self.connection.send(task)
        except OSError:
            self.alive = False  # it died since; `answer` tells

    def left(self, timeout: float) -> float:
        return max(0.0, self._since + timeout - time.monotonic())

    def answer(self, timeout: float | None) -> R | Lost | None:
        """The result, Lost, or None while there is neither."""
        try:
            if self.connection.poll():
                result: R | Lost = self.connection.recv()
                return result
        except (EOFError, OSError, pickle.UnpicklingError):
            self.end(patience=5)  # the line broke because it is ending: let its exit code be its own
            return Lost(_last_words(self._process.exitcode))
        if timeout and not self.left(timeout):
            self.end()
            return Lost(f"it took longer than {timeout:g} seconds")
        return None

    def lives(self) -> bool:
        return self._process.is_alive()

    def end(self, patience: float = 0.0) -> None:
        """End the process, which gets `patience` seconds to do so by itself."""
        self.alive = False
        self._process.join(patience)
        self._process.kill()
        self._process.join()
        self.connection.close()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Environment variables for processes started meanwhile; what the user has set stays."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _last_words(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = " (out of memory?)" if name == "SIGKILL" else ""
        return f"the program that read it was ended by {name}{hint}"
    return f"the program that read it ended with code {code}"


def _serve(connection: Connection[object, object], setup: Callable[[], Callable[[T], R]]) -> None:
    """A worker's life: one task after another until the line or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears of it too and decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    work: Callable[[T], R] | None = None
    done = 0
    while True:
        try:
            task: T = connection.recv()  # type: ignore[assignment]
        except (EOFError, OSError):
            return
        try:
            work = work or setup()
            answer: object = work(task)
        except Exception as error:  # noqa: BLE001 (a bug must not stop the batch: it is reported as this task's)
            traceback.print_exc()
            answer = Lost(f"unexpected {type(error).__name__}: {error}")
        connection.send(answer)
        done += 1
        if done % _TIDY == 0:
            give_memory_back()


def _die_with_parent() -> None:
    """End this process at once when the parent has ended, so that no orphan writes beside a rerun."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
