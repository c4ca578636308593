"""A run holds its byte for as long as its process lives."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from photochrom.batch.locks import RunLocks

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys, time
from pathlib import Path
from photochrom.batch.locks import RunLocks
RunLocks(Path(sys.argv[1])).take(7)
print("held", flush=True)
time.sleep(60)
"""


def test_another_process_is_alive_until_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    locks = RunLocks(path)
    assert not locks.alive(7)
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert locks.alive(7)
        assert not locks.alive(8)
        holder.kill()
    assert not locks.alive(7)
    locks.close()


def test_ones_own_run_is_alive(tmp_path: Path) -> None:
    locks = RunLocks(tmp_path / "lock")
    locks.take(3)
    assert locks.alive(3)
    assert not locks.alive(4)
    locks.close()
