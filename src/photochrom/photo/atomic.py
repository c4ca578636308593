"""All-or-nothing files: written beside the target, synced, checked, then renamed.

A temporary file is `.{target}.{run}.photochrom-part` and is locked while its writer lives, so a later
run removes the dead ones and leaves another worker's alone.
"""

from __future__ import annotations

import errno
import os
import sys
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from photochrom.errors import OutputExists, WriteError
from photochrom.locks import lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Sink = BinaryIO
PART = ".photochrom-part"
_RUN = uuid.uuid4().hex[:12]
_cleaned: set[Path] = set()


def save(
    target: Path,
    encode: Callable[[Sink], None],
    check: Callable[[Path], None] | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Writes a file by `encode`, has `check` look at it if given, and gives it its name; all or nothing.

    Raises OutputExists where the target is there and `overwrite` is not asked for, WriteError where the
    file cannot be written; then neither target nor temporary file is left behind.
    """
    if not overwrite and os.path.lexists(target):
        raise _exists(target)
    with _write_errors(target):
        _clean_once(target.parent)
        with _locked_part(target) as (part, file):
            encode(file)
            file.flush()
            os.fsync(file.fileno())
            if check:
                check(part)
            _give_name(part, target, overwrite)
        _sync_folder(target.parent)


def save_bytes(target: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Writes a file that holds `data`, as `save`."""

    def encode(sink: Sink) -> None:
        sink.write(data)

    save(target, encode, overwrite=overwrite)


@contextmanager
def _write_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise _exists(target) from error
    except OSError as error:
        raise WriteError(_reason(target, error)) from error


def _exists(target: Path) -> OutputExists:
    return OutputExists(f"{target} exists already: ask for another name, or to overwrite it")


def _reason(target: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{target} was not written: the disk is full, free some space and run again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{target} was not written: its folder is read-only, choose another with -o"
    if error.errno == errno.ENOENT:
        return f"{target} was not written: its folder {target.parent} does not exist, make it first"
    return f"{target} was not written: {error.strerror or error}"


@contextmanager
def _locked_part(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    part, file = _new_part(target)
    try:
        yield part, file
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
        with suppress(OSError):  # a full disk complains once more
            file.close()


def _new_part(target: Path) -> tuple[Path, BinaryIO]:
    while True:
        part = target.with_name(f".{_short(target.name)}.{_RUN}-{uuid.uuid4().hex[:8]}{PART}")
        file = part.open("x+b")
        lock(file, wait=True)
        if part.exists():  # else another run took it for a dead one before it was locked
            return part, file
        file.close()


def _short(name: str) -> str:
    """As much of a name as leaves room for the rest of a temporary one (255 bytes on most systems)."""
    return os.fsdecode(os.fsencode(name)[:160])


def _give_name(part: Path, target: Path, overwrite: bool) -> None:
    """Atomic; without `overwrite` it fails with FileExistsError rather than replace."""
    if overwrite:
        part.replace(target)
        return
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        part.rename(target)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network folders cannot; the file itself is synced and in place
            os.fsync(handle)
    finally:
        os.close(handle)


def _clean_once(folder: Path) -> None:
    resolved = folder.resolve()
    if resolved not in _cleaned:
        remove_stale(folder)
        _cleaned.add(resolved)


def remove_stale(folder: Path) -> list[Path]:
    """Removes temporary files in a folder whose writers are dead; returns them."""
    return [part for part in folder.glob(f".*{PART}") if _remove_if_stale(part)]


def _remove_if_stale(part: Path) -> bool:
    if f".{_RUN}-" in part.name:  # another thread's; NFS would let this process lock it once more
        return False
    try:
        if sys.platform == "win32":  # where an open file cannot be removed
            part.unlink()
            return True
        with part.open("r+b") as file:  # NFS locks no file that is open for reading only
            if lock(file, wait=False):
                part.unlink()
                return True
    except OSError:  # gone in the meantime, or somebody else's
        pass
    return False
