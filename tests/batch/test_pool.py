"""Worker processes: crashes, hangs and bugs cost one task and no more."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from functools import partial
from operator import call
from typing import Any

import pytest

from photochrom.batch.pool import Lost, Outcome, Pool

# Workers import what they run by name, so these are functions of the standard library: `setup()`
# gives `partial(call)`, and a task is a callable without arguments.
SETUP = partial(partial, call)


def values(results: list[tuple[Any, Any]]) -> list[Any]:
    return sorted(answer for _, answer in results)


def test_every_task_comes_back_with_its_result() -> None:
    tasks = [partial(math.factorial, n) for n in range(20)]
    with Pool(SETUP, 2) as pool:
        assert values(list(pool.run(tasks))) == [math.factorial(n) for n in range(20)]


def test_a_pool_serves_again_and_reuses_its_workers() -> None:
    with Pool(SETUP, 2) as pool:
        first = {answer for _, answer in pool.run([partial(os.getpid)] * 6)}
        again = {answer for _, answer in pool.run([partial(os.getpid)] * 6)}
    assert again <= first
    assert os.getpid() not in first


@pytest.mark.parametrize(
    ("death", "said"),
    [
        (partial(os._exit, 3), "code 3"),
        (partial(signal.raise_signal, signal.SIGKILL), "SIGKILL"),
        (partial(signal.raise_signal, signal.SIGSEGV), "SIGSEGV"),
    ],
)
def test_a_crash_costs_one_task(death: Any, said: str) -> None:
    tasks = [partial(math.sqrt, 4), death, partial(math.sqrt, 9), partial(math.sqrt, 16)]
    with Pool(SETUP, 1) as pool:
        answers = [answer for _, answer in pool.run(tasks)]
    assert isinstance(answers[1], Lost)
    assert said in answers[1].reason
    assert [answers[0], *answers[2:]] == [2, 3, 4]


def test_a_hang_costs_its_time_limit() -> None:
    started = time.monotonic()
    with Pool(SETUP, 1, timeout=3) as pool:
        answers = [answer for _, answer in pool.run([partial(time.sleep, 60), partial(math.sqrt, 4)])]
    assert answers == [Lost("it took longer than 3 seconds"), 2]
    assert time.monotonic() - started < 30


def test_a_bug_is_reported_and_the_worker_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    with Pool(SETUP, 1) as pool:
        answers = [answer for _, answer in pool.run([partial(math.sqrt, -1), partial(math.sqrt, 4)])]
    assert isinstance(answers[0], Lost)
    assert answers[0].reason.startswith("unexpected ValueError: ")
    assert answers[1] == 2
    assert "Traceback" in capfd.readouterr().err


def test_tasks_that_need_no_worker_start_none() -> None:
    with Pool(partial(os._exit, 9), 2) as pool:
        results = list(pool.run([Outcome("a", 1), Outcome("b", 2)]))
    assert results == [("a", 1), ("b", 2)]


def test_nothing_just_now_is_asked_again() -> None:
    def source() -> Any:
        yield partial(math.sqrt, 4)
        yield None
        yield None
        yield partial(math.sqrt, 9)

    with Pool(SETUP, 2) as pool:
        assert values(list(pool.run(source()))) == [2, 3]


def test_tasks_are_drawn_one_ahead_only() -> None:
    drawn = []

    def source() -> Any:
        for n in range(10):
            drawn.append(n)
            yield partial(math.sqrt, n)

    with Pool(SETUP, 2) as pool:
        results = pool.run(source())
        next(results)
        assert len(drawn) <= 4
        assert len(list(results)) == 9


def test_libraries_in_workers_are_told_how_many_threads_they_may_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("VIPS_CONCURRENCY", "7")
    with Pool(SETUP, 1, threads=3) as pool:
        tasks = [partial(os.getenv, name) for name in ("OPENBLAS_NUM_THREADS", "VIPS_CONCURRENCY")]
        assert [answer for _, answer in pool.run(tasks)] == ["3", "7"]
    assert "OPENBLAS_NUM_THREADS" not in os.environ


ORPHAN = """
import os, sys, time
from functools import partial
from operator import call
from photochrom.batch.pool import Pool
if __name__ == "__main__":
    pool = Pool(partial(partial, call), 1)
    results = pool.run([os.getpid, partial(time.sleep, 60)])
    print(next(results)[1], flush=True)
    next(results)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system about a process by a POSIX signal")
def test_workers_end_when_their_parent_is_killed(tmp_path) -> None:
    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.2)  # the worker is in its long task now
        parent.kill()
    deadline = time.monotonic() + 10
    while _lives(worker):
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
