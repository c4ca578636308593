"""What a photo is read from: a file, or bytes; with a check that it stays the same."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from photochrom.errors import DamagedPhoto, PhotoError

if TYPE_CHECKING:
    from collections.abc import Iterator

ReadFrom = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


@dataclass(frozen=True)
class Origin:
    """A photo's file (`path`) or its bytes (`content`): one of the two."""

    path: Path | None = None
    content: bytes | None = None
    stamp: tuple[int, ...] = ()

    @cached_property
    def data(self) -> bytes:
        """All bytes. Raises PhotoError where the file cannot be read."""
        if self.content is not None:
            return self.content
        assert self.path is not None
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise PhotoError(unreadable(self.path, error)) from error

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data) if self.path is None else self.stamp[2]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes as a file to read from anywhere. Raises PhotoError where it cannot be opened."""
        if self.path is None:
            yield io.BytesIO(self.data)
            return
        try:
            with self.path.open("rb") as file:
                yield file
        except OSError as error:
            raise PhotoError(unreadable(self.path, error)) from error

    def head(self, size: int) -> bytes:
        """The first bytes. Raises PhotoError where the file cannot be read."""
        with self.open() as file:
            return file.read(size)

    def check_unchanged(self) -> None:
        """Raises DamagedPhoto where the file is not the one that was opened."""
        if self.path is not None and _stamp(self.path) != self.stamp:
            raise DamagedPhoto(f"{self.path} changed while it was read: try again once nothing writes to it")


def origin_of(source: ReadFrom) -> Origin:
    """The origin of a path, bytes, a binary file object, or "-" (standard input).

    Raises PhotoError where there is no such file or it is no file.
    """
    if isinstance(source, str) and source == "-":
        return Origin(content=sys.stdin.buffer.read())
    if isinstance(source, (bytes, bytearray, memoryview)):
        return Origin(content=bytes(source))
    if hasattr(source, "read"):
        return Origin(content=cast("BinaryIO", source).read())
    path = Path(source)
    stamp = _stamp(path)
    if path.is_dir():
        raise PhotoError(f"{path} is a folder: give a photo in it")
    if not path.is_file() or not _is_utf8(path):  # a pipe can be read but once; libvips opens names in UTF-8
        return Origin(content=Origin(path).data)
    return Origin(path, None, stamp)


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:  # bytes that are none stand there as surrogates (PEP 383)
        return False
    return True


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise PhotoError(unreadable(path, error)) from error
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def unreadable(path: Path, error: Exception) -> str:
    """The sentence for a file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return f"{path} does not exist: check its name"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{path} cannot be read ({reason}): check its name and permissions"
