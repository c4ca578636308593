"""Locks between processes: on a whole file, and on one byte of a file for each run.

Which runs are alive: run number n holds byte n of one lock file for as long as its process lives. The
system lets go of the byte when the process ends in any way, kill -9 included, so a run that died is told
from one that works without clocks, process numbers or files left behind.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from photochrom.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, place: int) -> None:
        os.lseek(descriptor, place, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int, place: int) -> None:
        os.lseek(descriptor, place, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int, place: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)

    def _unlock(descriptor: int, place: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, place)


class RunLocks:
    """The lock file of one ledger. A process opens it once: closing it lets go of its bytes."""

    def __init__(self, path: Path):
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        self._own: set[int] = set()

    def take(self, run: int) -> None:
        """Hold a run's byte until the process ends."""
        _lock(self._descriptor, run)
        self._own.add(run)

    def alive(self, run: int) -> bool:
        """Whether a run's process still lives."""
        if run in self._own:
            return True
        try:
            _lock(self._descriptor, run)
        except OSError:
            return True
        _unlock(self._descriptor, run)
        return False

    def close(self) -> None:
        os.close(self._descriptor)


def lock(file: IO[bytes], *, wait: bool) -> bool | None:
    """Lock a file that is open for writing until it is closed; threads and processes alike are kept off.

    False: another has it, and `wait` is not asked for. None: nobody can tell, on Windows and in network
    folders that know no locks.
    """
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock file: whoever else asks for it waits. Raises WriteError where it cannot be made.

    Where nobody can tell who has it, nobody waits.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise WriteError(
            f"{path} cannot be made ({error.strerror}): make {path.parent} writable, or choose another folder"
        ) from None
    with file:
        lock(file, wait=True)
        yield
