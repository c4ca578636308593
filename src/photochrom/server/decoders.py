"""Decoding in processes that can be killed: at a deadline, at a crash, whatever the file does."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import IO, TYPE_CHECKING, Any

import numpy as np

import photochrom.errors
from photochrom.errors import DamagedPhoto, PhotochromError, TooLarge
from photochrom.photo import Photo, ReadOptions
from photochrom.photo.jpeg_original import Original
from photochrom.photo.origin import Origin
from photochrom.photo.sources import ArraySource
from photochrom.server import decoder_process as wire
from photochrom.server.problems import NotReady, TooSlow

if TYPE_CHECKING:
    from photochrom.color import Pixels
    from photochrom.server.budget import Reservation
    from photochrom.server.limits import Limits

_JOBS_PER_PROCESS = 200  # then a fresh one, so that what libraries leak is bounded
_QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "VIPS_CONCURRENCY": "2", "PYTHONSAFEPATH": "1"}
_PLAINLY = ReadOptions()
_SMALLER = ": make it smaller, or have the server started with a larger --max-pixels"
_BROKEN = "the photo is damaged, its decoder gave up: open it in a photo editor and save it again"


class _Process:
    """One decoder process; it serves one job at a time."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-m", wire.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_QUIET},
        )
        self.jobs = 0
        self.ready = False

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        return self._child.stdin, self._child.stdout

    @property
    def worn(self) -> bool:
        return self.jobs >= _JOBS_PER_PROCESS or self._child.poll() is not None

    def wait_until_ready(self) -> None:
        if not self.ready:
            wire.receive(self.pipes[1])
            self.ready = True

    def kill(self) -> None:
        self._child.kill()

    def close(self) -> None:
        """End the process and its pipes."""
        self._child.kill()
        self._child.wait()
        for pipe in self.pipes:
            try:
                pipe.close()
            except BrokenPipeError:  # bytes that it never took
                continue


class Decoders:
    """A few decoder processes, each replaced when it dies, wears out or misses its deadline."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.decoders, "decoders")
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self._closed = False

    async def start(self) -> None:
        """Start all processes and wait until they have loaded their libraries."""
        await asyncio.to_thread(self._fill)

    def _fill(self) -> None:
        fresh = [_Process() for _ in range(self._limits.decoders)]
        for process in fresh:
            process.wait_until_ready()
        self._idle.extend(fresh)

    async def close(self) -> None:
        self._closed = True
        for process in self._idle:
            process.kill()
        await asyncio.to_thread(self._threads.shutdown)
        while self._idle:
            self._idle.pop().close()

    async def decode(
        self, data: bytes, reservation: Reservation, seconds: float, reading: ReadOptions = _PLAINLY
    ) -> Photo:
        """The photo of a file's bytes, all its pixels in memory.

        `reservation` grows by what the pixels need here and in the decoder. Raises PhotoError for what
        is not a picture or is damaged, TooSlow at the deadline, Busy where there is no memory.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._decode, data, reservation, seconds, reading)

    def _decode(self, data: bytes, reservation: Reservation, seconds: float, reading: ReadOptions) -> Photo:
        process = self._take()
        expired = threading.Event()

        def end() -> None:
            expired.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        spoiled = False
        try:
            return self._converse(process, data, reservation, reading)
        except (EOFError, OSError, ValueError, KeyError, TypeError) as error:
            spoiled = True
            raise (TooSlow(seconds) if expired.is_set() else DamagedPhoto(_BROKEN)) from error
        finally:
            timer.cancel()
            self._put_back(process, spoiled=spoiled or expired.is_set())

    def _take(self) -> _Process:
        if self._closed:
            raise NotReady
        with self._lock:
            process = self._idle.pop() if self._idle else _Process()
        if not process.worn:
            return process
        process.close()  # it died while it had nothing to do
        return _Process()

    def _put_back(self, process: _Process, *, spoiled: bool) -> None:
        process.jobs += 1
        if self._closed or spoiled or process.worn:
            process.close()
            process = _Process()  # loads its libraries while nobody waits for it
        if self._closed:
            process.close()
            return
        with self._lock:
            self._idle.append(process)

    def _converse(
        self, process: _Process, data: bytes, reservation: Reservation, reading: ReadOptions
    ) -> Photo:
        process.wait_until_ready()
        sink, source = process.pipes
        limits = {"max_pixels": self._limits.pixels, "max_side": self._limits.side}
        wire.send(sink, {"bytes": len(data), **limits, **asdict(reading)})
        sink.write(data)
        sink.flush()
        answer = _unless_error(wire.receive(source))
        planes = self._make_room(answer, reservation, sink)
        _unless_error(wire.receive(source))
        for plane in planes:
            if plane is not None:
                wire.fill(source, plane.reshape(-1).view(np.uint8).data)
        photo = _photo(answer, ArraySource(*planes))
        if answer["original"] is None:
            return photo
        reservation.grow(len(data))
        origin, orientation = Origin(content=data), int(answer["original"])
        return replace(photo, original=Original(origin, photo.source, orientation, photo.metadata.icc))

    def _make_room(
        self, answer: dict[str, Any], reservation: Reservation, sink: IO[bytes]
    ) -> tuple[Pixels, Pixels | None, Pixels | None]:
        """Arrays for pixels, alpha and further channels; the decoder holds as much until they have passed."""
        height, width, bands = int(answer["height"]), int(answer["width"]), int(answer["channels"])
        alpha, extra = bool(answer["alpha"]), int(answer["extra"])
        known = bands in (1, 3) and 0 <= extra <= 16 and answer["dtype"] in ("uint8", "uint16")
        if not known or height * width > self._limits.pixels:
            raise ValueError("an answer that no decoder gives")
        dtype = np.dtype(answer["dtype"])
        size = height * width * (bands + alpha + extra) * dtype.itemsize
        try:
            reservation.grow(2 * size)
        except PhotochromError:
            wire.send(sink, {"answer": "no"})
            raise
        wire.send(sink, {"answer": "go"})
        pixels = np.empty((height, width) if bands == 1 else (height, width, bands), dtype)
        transparency = np.empty((height, width), dtype) if alpha else None
        return pixels, transparency, np.empty((height, width, extra), dtype) if extra else None


def _unless_error(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, or the error that it tells of."""
    if "error" not in answer:
        return answer
    kind = getattr(photochrom.errors, str(answer["error"]), None)
    message = str(answer["message"])
    if kind is TooLarge:
        message = message.rpartition(": ")[0] + _SMALLER
    if isinstance(kind, type) and issubclass(kind, PhotochromError):
        raise kind(message)
    raise DamagedPhoto(_BROKEN)


def _photo(answer: dict[str, Any], source: ArraySource) -> Photo:
    return Photo(
        source,
        wire.unpack_metadata(answer["metadata"]),
        format=str(answer["format"]),
        bits=int(answer["bits"]),
        warnings=tuple(str(warning) for warning in answer["warnings"]),
    )
