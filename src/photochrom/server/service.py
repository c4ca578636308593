"""What all requests share: the model, the decoders, the kept photos, the memory budget, the workers."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from photochrom.errors import ModelError, UnknownModel
from photochrom.hints import MAX_HINTS
from photochrom.models import cards, find
from photochrom.photo import FORMATS, ReadOptions, is_colored, output_format
from photochrom.photo.strips import thread_count
from photochrom.raster import STRIDE, count_points
from photochrom.server.budget import Budget
from photochrom.server.decoders import Decoders
from photochrom.server.metrics import Metrics
from photochrom.server.problems import Busy, NotReady
from photochrom.server.store import PhotoStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from photochrom.colorizer import Colorizer, Plate
    from photochrom.look import Look
    from photochrom.models import Card
    from photochrom.photo import FileOptions, Photo
    from photochrom.server.budget import Reservation
    from photochrom.server.limits import Limits
    from photochrom.server.store import Kept

T = TypeVar("T")

_PLAINLY = ReadOptions()
_PLATE_OVERHEAD = 24 << 20  # the network's answers to the last few lists of hints
_PREVIEW_SIDE = 2400  # pixels; three neutral planes of that size are kept for previews
_BYTES_A_WEIGHT = 28  # three reaches, squares of distances, exponents; measured with 2,400 points
_BYTES_A_MODEL = 3  # for each byte of its file: weights as they are stored, as they run, and activations
_STRIPS = 16 << 20  # rows under way between threads
_SWEEP_EVERY = 30.0  # seconds
_PATIENCE = 15.0  # seconds that an upload waits for its place before it hears "busy"


class Service:
    """Everything that lives as long as the server does."""

    def __init__(self, limits: Limits, colorizer: Callable[[], Colorizer]):
        self.limits = limits
        self.budget = Budget(limits.memory)
        self.store = PhotoStore(self.budget, limits.expiry)
        self.decoders = Decoders(limits)
        self.metrics = Metrics(self.store, self.budget)
        self.ready = False
        self._make_colorizer = colorizer
        self._colorizer: Colorizer | None = None
        self._further: tuple[Colorizer, Reservation] | None = None  # another model, the last one asked for
        self._loading = asyncio.Lock()
        workers = max(2, thread_count())
        self._places = asyncio.Semaphore(limits.decoders + 1)
        self._threads = ThreadPoolExecutor(workers, "colorize")
        self._turns = asyncio.Semaphore(workers)
        self._bulk_turns = asyncio.Semaphore(workers - 1)  # one worker is left for people at the studio

    @property
    def colorizer(self) -> Colorizer:
        if self._colorizer is None:
            raise NotReady
        return self._colorizer

    def cards(self) -> dict[str, Card]:
        """The models that can be asked for, by name; a broken one is no reason to hide the others."""
        own = self.colorizer.model
        return {own.name: own} | {name: card for name, card in cards().items() if name != own.name}

    async def colorizer_of(self, request: Request, model: str | None) -> Colorizer:
        """The colorizer of a model that has a name here; None: the one that the server was started with.

        One further model is kept. Raises UnknownModel, ModelError, and Busy where there is no memory for it.
        """
        if model is None or model == self.colorizer.model.name:
            return self.colorizer
        known = self.cards()
        if model not in known:  # never a path: whoever can reach the server names it
            raise UnknownModel(f"unknown model {model[:80]!r}: use one of {', '.join(known)}")
        path = find(model)[0]
        async with self._loading:
            if self._further and self._further[0].model.name == model:
                return self._further[0]
            if self._further:
                self._further[1].release()
                self._further = None
            reservation = self.budget.reserve(_BYTES_A_MODEL * path.stat().st_size)
            try:
                found = await self.compute(request, lambda: _load(model), bulk=True)
            except BaseException:
                reservation.release()
                raise
            self._further = found, reservation
            return found

    async def plate(self, request: Request, photo_id: str, model: str | None) -> Plate:
        """A kept photo, prepared for a model; it is kept for the one that was asked for last.

        Raises ExpiredPhoto, UnknownPhoto, and what `colorizer_of` does.
        """
        kept = self.store.get(photo_id)
        colorizer = await self.colorizer_of(request, model)
        plate = kept.plate
        if plate.network is not colorizer.network:
            plate = await self.compute(request, lambda: colorizer.prepare(kept.photo), bulk=True)
            kept.plate = plate
        return plate

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the model and start the decoders; stop everything at the end."""
        await self.decoders.start()
        self._colorizer = await asyncio.to_thread(self._make_colorizer)
        sweeper = asyncio.create_task(self._sweep())
        self.ready = True
        try:
            yield
        finally:
            self.ready = False
            sweeper.cancel()
            await self.decoders.close()
            await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
            self.store.clear()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(_SWEEP_EVERY, self.limits.expiry))
            self.store.sweep()

    async def compute(self, request: Request, work: Callable[[], T], *, bulk: bool = False) -> T:
        """Run `work` on a worker thread when its turn comes.

        Raises Busy where no turn comes in the request's time, and where the client has gone meanwhile:
        a stale preview that the studio has dropped costs nothing.
        """
        if not self.ready:
            raise NotReady
        turns = self._bulk_turns if bulk else self._turns
        async with self._turn(request, turns, seconds_left(request)):
            job = asyncio.get_running_loop().run_in_executor(self._threads, work)
            try:
                return await asyncio.wait_for(job, seconds_left(request))
            except TimeoutError:
                raise Busy from None

    async def compute_with_hints(
        self, request: Request, plate: Plate, look: Look, work: Callable[[], T], *, bulk: bool = False
    ) -> T:
        """`compute` with the memory that drawing the hints takes for a while."""
        with self.budget.holding(_needed_by_hints(plate, look)):
            return await self.compute(request, work, bulk=bulk)

    def admitted(self, request: Request) -> AbstractAsyncContextManager[None]:
        """A place among the few uploads that are opened at a time; the others hold no more than their bodies.

        Without it many would each hold a part of the memory that one of them needs, and none would end.
        """
        return self._turn(request, self._places, min(seconds_left(request), _PATIENCE))

    @asynccontextmanager
    async def _turn(self, request: Request, turns: asyncio.Semaphore, seconds: float) -> AsyncIterator[None]:
        try:
            await asyncio.wait_for(turns.acquire(), seconds)
        except TimeoutError:
            raise Busy from None
        try:
            if await request.is_disconnected():
                raise Busy
            yield
        finally:
            turns.release()

    async def decode(
        self, request: Request, data: bytes, reservation: Reservation, reading: ReadOptions = _PLAINLY
    ) -> Photo:
        """Decode a file's bytes where a kill is safe; `reservation` grows by what that needs."""
        if not self.ready:
            raise NotReady
        return await self.decoders.decode(data, reservation, seconds_left(request), reading)

    async def open(
        self,
        request: Request,
        data: bytes,
        reservation: Reservation,
        reading: ReadOptions = _PLAINLY,
        model: str | None = None,
    ) -> tuple[Photo, Plate]:
        """Decode a file's bytes and prepare them for a model.

        In the end `reservation` holds what the photo and its plate keep.
        """
        colorizer = await self.colorizer_of(request, model)
        photo = await self.decode(request, data, reservation, reading)
        size = _held_by(photo)
        reservation.grow(max(size - reservation.size, 0))
        plate = await self.compute(request, lambda: colorizer.prepare(photo), bulk=True)
        reservation.shrink_to(size)
        return photo, plate

    async def keep(self, request: Request, data: bytes, reading: ReadOptions = _PLAINLY) -> Kept:
        """Open an upload and keep it for later requests."""
        reservation = self.budget.reserve(0, beside=len(data))
        try:
            async with self.admitted(request):
                photo, plate = await self.open(request, data, reservation, reading)
                colored = await self.compute(request, lambda: is_colored(photo))
                digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        except BaseException:
            reservation.release()
            raise
        return self.store.add(photo, plate, reservation, sha256=digest, colored=colored)


def _load(model: str) -> Colorizer:
    """Raises ModelError, which tells nobody out there where files lie."""
    from photochrom.colorizer import Colorizer

    try:
        return Colorizer(model)
    except ModelError:
        raise ModelError(f"the model {model} does not load: see `photochrom doctor` on the server") from None


def _held_by(photo: Photo) -> int:
    """Bytes that a prepared photo keeps: pixels, alpha, reduced planes, its file, the network's answers."""
    samples = photo.height * photo.width
    pixels = samples * (photo.channels + photo.has_alpha) * photo.dtype.itemsize
    reduced = 3 * 2 * min(samples, _PREVIEW_SIDE * _PREVIEW_SIDE * 3 // 4)
    metadata = sum(len(part) for part in vars(photo.metadata).values() if isinstance(part, bytes))
    original = photo.original.origin.content if photo.original else None
    return pixels + reduced + metadata + len(original or b"") + _PLATE_OVERHEAD


def _needed_by_hints(plate: Plate, look: Look) -> int:
    """Bytes for the spread of hints: a weight a cell, a point and a reach, and what they are made of."""
    height, width = plate.size
    points = count_points(look.hints, height, width)
    return min(points, MAX_HINTS) * (height // STRIDE) * (width // STRIDE) * _BYTES_A_WEIGHT


def needed_by_file(photo: Photo, options: FileOptions) -> int:
    """Bytes that writing a full-size file needs for a while: the file, and all its pixels where it must."""
    fmt = FORMATS[options.format] if options.format else output_format(photo)
    sample = (options.depth or photo.dtype.itemsize * 8) // 8
    raw = photo.height * photo.width * (3 + photo.has_alpha) * sample
    return raw + _STRIPS if fmt.streams else 3 * raw


def seconds_left(request: Request) -> float:
    """Of the time that this request may take."""
    left: float = request.scope["photochrom.body"].seconds_left
    return left
