"""kill -9 at any moment, then the same command again: everything is there, once and whole."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from photochrom.batch.ledger import place, read_rows
from photochrom.photo import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9")


def start(root: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "photochrom", "batch", str(root / "in"), str(root / "out"), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finish(root: Path) -> list[dict]:
    command = [sys.executable, "-m", "photochrom", "batch", str(root / "in"), str(root / "out"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check_whole(root: Path, before: dict[str, str]) -> None:
    """Every input has exactly one whole output, inputs are as they were, nothing else is left."""
    out = root / "out"
    assert hashes(root / "in") == before
    made = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert {name for name in made if not name.startswith(".photochrom/")} == set(before)
    for name in before:
        photo, result = read(root / "in" / name), read(out / name)
        assert (result.height, result.width) == (photo.height, photo.width)
        assert result.rgb.shape[2] == 3
    rows = read_rows(place(out))
    assert {row.output: row.status for row in rows} == dict.fromkeys(before, "done")
    for row in rows:
        assert row.output_sha256 == hashlib.sha256((out / row.output).read_bytes()).hexdigest()


def kill_and_finish(
    root: Path, photo: Callable[..., Path], *, photos: int, kills: int, together: int, seed: int
) -> None:
    for number in range(photos):
        photo(
            f"in/{number % 3}/{number}.{'jpg' if number % 2 else 'png'}", number, width=64 + number, height=48
        )
    before = hashes(root / "in")
    rng = random.Random(seed)
    for _ in range(kills):
        runs = [start(root) for _ in range(together)]
        time.sleep(rng.uniform(0.0, 2.5))
        for run in runs:
            os.kill(run.pid, signal.SIGKILL)
        for run in runs:
            run.wait()
    assert {result["status"] for result in finish(root)} <= {"done", "skipped"}
    check_whole(root, before)
    assert {result["status"] for result in finish(root)} == {"skipped"}


@pytest.mark.parametrize("together", [1, 2])
def test_a_few_kills(tmp_path: Path, photo: Callable[..., Path], together: int) -> None:
    kill_and_finish(tmp_path, photo, photos=24, kills=3, together=together, seed=together)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("together", [1, 2])
def test_a_hundred_kills(tmp_path: Path, photo: Callable[..., Path], together: int) -> None:
    kill_and_finish(tmp_path, photo, photos=200, kills=100, together=together, seed=10 + together)


def test_two_runs_share_one_ledger(tmp_path: Path, photo: Callable[..., Path]) -> None:
    for number in range(16):
        photo(f"in/{number}.jpg", number, width=200, height=150)
    before = hashes(tmp_path / "in")
    runs = [start(tmp_path, "--workers", "1") for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    check_whole(tmp_path, before)
    shares = {row.run for row in read_rows(place(tmp_path / "out"))}
    assert len(shares) == 2, "one of the runs did nothing"


def workers_of(psutil: ModuleType, pid: int) -> list[Any]:
    """The worker processes of a batch that are at work."""
    with suppress(psutil.Error):  # a process that ends while it is looked at
        return [
            child for child in psutil.Process(pid).children() if "spawn_main" in " ".join(child.cmdline())
        ]
    return []


def test_a_worker_that_is_killed_costs_its_photo_at_most_and_a_rerun_mends_it(
    tmp_path: Path, photo: Callable[..., Path]
) -> None:
    psutil = pytest.importorskip("psutil")
    for number in range(16):
        photo(f"in/{number}.jpg", number, width=600, height=400)
    before = hashes(tmp_path / "in")
    run = start(tmp_path, "--workers", "2")
    killed = 0
    while run.poll() is None and killed < 3:
        workers = workers_of(psutil, run.pid)
        if workers and len(list((tmp_path / "out").glob("*.jpg"))) >= 2 * killed:
            with suppress(psutil.NoSuchProcess):
                workers[0].kill()
                killed += 1
        time.sleep(0.05)
    assert run.wait() in (0, 3)
    assert killed
    finish(tmp_path)
    check_whole(tmp_path, before)
