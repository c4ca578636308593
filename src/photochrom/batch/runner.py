"""Runs a plan: asks the ledger what is to be done, has workers do it, and notes how it went."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from photochrom.batch.coloring import Coloring, Result, Stamp, Task, failure, stamp_of
from photochrom.batch.ledger import Claim, Ledger, Row, decide, in_the_way, relative_name
from photochrom.batch.options import Options, digest
from photochrom.batch.pool import PAUSE, Lost, Outcome, Pool
from photochrom.errors import PhotochromError
from photochrom.models import find
from photochrom.photo import remove_stale
from photochrom.photo.strips import processors
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

    from photochrom.batch.coloring import Passed
    from photochrom.batch.plan import Job

IfExists = Literal["error", "skip", "overwrite"]
_TaskOrResult = Task | Outcome[Task, Result] | None


class Workers(Protocol):
    """What does tasks: a Pool, or `Here`."""

    def run(self, tasks: Iterable[_TaskOrResult]) -> Iterator[tuple[Task, Result | Lost]]: ...
    def close(self) -> None: ...


class Here:
    """Does tasks in this process, one after another: no time is lost to start another for one photo."""

    def __init__(self, setup: Callable[[], Callable[[Task], Result]]):
        self._setup = setup

    def run(self, tasks: Iterable[_TaskOrResult]) -> Iterator[tuple[Task, Result | Lost]]:
        work = None
        for task in tasks:
            if isinstance(task, Outcome):
                yield task.task, task.result
            elif task is None:
                time.sleep(PAUSE)
            else:
                work = work or self._setup()
                yield task, work(task)

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True)
class Settings:
    """How a plan is run."""

    if_exists: IfExists = "error"
    workers: int | None = None  # processes; as many as processors by default
    timeout: float | None = None  # seconds a photo may take
    isolate: bool = True  # False: in this process


def workers_for(options: Options, settings: Settings, jobs: int, passed: Passed | None = None) -> Workers:
    """Worker processes for many photos, this process for one, whose rows `passed` is told of."""
    find(options.model)  # an unknown model is said once, before any work
    if not settings.isolate:
        return Here(partial(Coloring, options, passed=passed))
    wanted = max(1, min(settings.workers or processors(), jobs))
    threads = max(1, processors() // wanted)
    return Pool(partial(Coloring, options, threads), wanted, settings.timeout, threads)


class Run:
    """One run over jobs, with or without a ledger."""

    def __init__(self, options: Options, settings: Settings, ledger: Ledger | None = None):
        self._settings, self._ledger = settings, ledger
        self._folders: set[Path] = set()
        self._held: dict[tuple[Path, Stamp], str] = {}
        self._recipe = {"model": find(options.model)[1].sha256, "options": options.fingerprint()}

    def results(self, jobs: Iterable[Job | None], workers: Workers) -> Generator[Result, None, None]:
        """The result of each job, as they are ready. None among the jobs means: nothing just now."""
        try:
            for task, answer in workers.run(self._tasks(jobs)):
                yield self._noted(task, answer)
        finally:
            workers.close()
            for folder in self._folders:  # what workers ended in mid-write have left
                _sweep(folder)

    def _tasks(self, jobs: Iterable[Job | None]) -> Iterator[_TaskOrResult]:
        """Tasks to do and results that need none; jobs that another run holds come again at the end."""
        held: deque[Job] = deque()
        for job in jobs:
            if job is None:
                yield None
                continue
            self._enter(job.output.parent)
            offer = self._offer(job)
            if offer is None:
                held.append(job)
            else:
                yield offer
        while held:
            for _ in range(len(held)):
                job = held.popleft()
                offer = self._offer(job)
                if offer is None:
                    held.append(job)
                else:
                    yield offer
            if held:
                yield None

    def _enter(self, folder: Path) -> None:
        """Before the first job of a folder, remove what killed runs left there."""
        if folder not in self._folders:
            self._folders.add(folder)
            _sweep(folder)

    def _offer(self, job: Job) -> Task | Outcome[Task, Result] | None:
        """What is to be done about a job; None while another run is at it."""
        try:
            mode = job.input.stat().st_mode
            if stat.S_ISDIR(mode):
                return _settled(
                    job, failure(job, "it is a folder that cannot be listed: check its permissions")
                )
            if not stat.S_ISREG(mode):
                return _settled(job, failure(job, "it is a pipe or device, not a file"))
        except OSError:
            pass  # reading it will say why
        try:
            return self._free(job) if self._ledger is None else self._claimed(job, self._ledger)
        except PhotochromError as error:
            return _settled(job, failure(job, str(error)))
        except OSError as error:
            return _settled(job, _unreadable(job, error))

    def preview(self, job: Job, rows: dict[str, Row], root: Path) -> Result:
        """What a run would do about a job, without doing it: "planned", "skipped" or "failed"."""
        path = str(job.input)
        try:
            sha256 = file_sha256(job.input)
            row = rows.get(relative_name(job.output, root))
            replace = self._settings.if_exists == "overwrite"
            verdict = decide(row, job, self.key(job, sha256), sha256, replace=replace)
        except OSError as error:
            return _unreadable(job, error)
        if verdict is Claim.TAKEN:
            return Result(path, "planned", output=str(job.output))
        if verdict is Claim.DONE:
            return Result(path, "skipped", output=str(job.output))
        return self._in_the_way(job, str(job.output)).result

    def _free(self, job: Job) -> Task | Outcome[Task, Result]:
        there = [path for path in job.targets if os.path.lexists(path)]
        if there and self._settings.if_exists != "overwrite":
            return self._in_the_way(job, str(there[0]))
        return Task(job, replace=bool(there))

    def _in_the_way(self, job: Job, path: str, more: str = "") -> Outcome[Task, Result]:
        if self._settings.if_exists == "skip":
            return _settled(job, Result(str(job.input), "skipped", output=str(job.output)))
        msg = f"{path} exists already{more}: choose another output, or --if-exists skip or overwrite"
        return _settled(job, failure(job, msg))

    def key(self, job: Job, input_sha256: str) -> str:
        """What a result is known by: the hash of input, its XMP sidecars, model and options."""
        beside = {"xmp": [file_sha256(path) for path, _ in job.xmp]} if job.xmp else {}
        return digest({"input": input_sha256, **beside, **self._recipe})

    def _claimed(self, job: Job, ledger: Ledger) -> Task | Outcome[Task, Result] | None:
        stamp = stamp_of(job.input)
        sha256 = self._held.pop((job.input, stamp), None) or file_sha256(job.input)
        key = self.key(job, sha256)
        claim = ledger.claim(job, key, sha256, replace=self._settings.if_exists == "overwrite")
        if claim is Claim.HELD:
            self._held[job.input, stamp] = sha256  # it is asked for again soon
            return None
        if claim is Claim.DONE:
            return _settled(job, Result(str(job.input), "skipped", output=str(job.output)))
        if claim is Claim.FOREIGN:
            there = in_the_way(ledger.row(job), job) or job.output
            return self._in_the_way(job, str(there), " and is not this photo's unchanged result")
        return Task(job, replace=True, stamp=stamp, input_sha256=sha256, hash_output=True)

    def _noted(self, task: Task, answer: Result | Lost) -> Result:
        """The result, once the ledger knows it. A ledger that cannot be written makes it a failure."""
        result = answer if isinstance(answer, Result) else failure(task.job, answer.reason)
        if self._ledger is None or result.status == "skipped":
            return result
        try:
            if result.status == "done":
                others = dict(result.hashes)
                sha256 = others.pop(task.job.output.name)
                self._ledger.done(task.job, sha256, result.model or "", result.seconds, others)
            else:
                self._ledger.failed(task.job, result.error or "")
        except PhotochromError as error:
            return result if result.status == "failed" else failure(task.job, str(error), result.seconds)
        return result


def _unreadable(job: Job, error: OSError) -> Result:
    """The result of a job whose photo, or sidecar, cannot be read."""
    return failure(job, f"{error.filename or job.input}: cannot be read: {error.strerror or error}")


def _settled(job: Job, result: Result) -> Outcome[Task, Result]:
    return Outcome(Task(job), result)


def _sweep(folder: Path) -> None:
    """Remove temporary files whose writers are dead; what live runs hold stays."""
    with suppress(OSError):
        remove_stale(folder)
