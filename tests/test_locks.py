"""A run holds its byte for as long as its process lives; a file is locked until it is closed."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING

import pytest

from photochrom.errors import WriteError
from photochrom.locks import RunLocks, alone, lock
from photochrom.photo.atomic import PART, remove_stale, save, save_bytes

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys, time
from pathlib import Path
from photochrom.locks import RunLocks
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


def test_a_locked_file_is_locked_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a lock"
    with path.open("ab") as first:
        assert lock(first, wait=True)
        with path.open("ab") as second:
            assert lock(second, wait=False) is False
    with path.open("ab") as third:
        assert lock(third, wait=False)


def test_one_at_a_time(tmp_path: Path) -> None:
    path, steps = tmp_path / "not there yet" / "lock", []

    def work(name: str) -> None:
        with alone(path):
            steps.append(name)
            steps.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert steps[::2] == steps[1::2]
    assert len(steps) == 16


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WriteError, match="choose another folder"), alone(tmp_path / "file" / "lock"):
        pass


def without_locks(file: object, operation: int) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def test_where_there_are_no_locks_nobody_waits_and_nothing_is_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", without_locks)
    part = tmp_path / f".old.png.0123456789ab-00000000{PART}"
    part.write_bytes(b"perhaps somebody writes it")
    with alone(tmp_path / "lock"), (tmp_path / "lock").open("ab") as file:
        assert lock(file, wait=False) is None
    save_bytes(tmp_path / "new", b"new")
    assert remove_stale(tmp_path) == []
    assert (tmp_path / "new").read_bytes() == b"new"


def test_nfs_locks_files_open_for_writing_and_a_process_does_not_keep_itself_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """flock(2): "in order to place an exclusive lock, fd must be open for writing"."""

    def as_nfs(file: int, operation: int) -> None:
        if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", as_nfs)
    dead = tmp_path / f".old.png.0123456789ab-00000000{PART}"
    dead.write_bytes(b"half a picture")
    found = []

    def write(sink: IO[bytes]) -> None:
        found.extend(remove_stale(tmp_path))
        sink.write(b"new")

    save_bytes(tmp_path / "first", b"")  # cleans
    assert not dead.exists()
    dead.write_bytes(b"half a picture")
    save(tmp_path / "new", write)
    assert found == [dead]
    assert (tmp_path / "new").read_bytes() == b"new"
