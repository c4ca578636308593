"""Decoder processes: what they give is what `read` gives, and nothing that a file does reaches the server."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.errors import DamagedPhoto, TooLarge, UnknownFormat
from photochrom.photo import Metadata, Photo, read, write
from photochrom.server import decoder_process as wire
from photochrom.server.budget import Budget
from photochrom.server.decoders import Decoders
from photochrom.server.limits import Limits
from photochrom.server.problems import NotReady, OverBudget, TooSlow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1 << 20


@pytest.fixture(scope="module")
def decode() -> Iterator[Callable[..., Photo]]:
    """Decode bytes by a process: (data, budget, seconds) -> Photo."""
    loop = asyncio.new_event_loop()
    decoders = Decoders(Limits(decoders=1, pixels=1_000_000))
    loop.run_until_complete(decoders.start())

    def run(data: bytes, budget: Budget | None = None, seconds: float = 20.0) -> Photo:
        with (budget or Budget(512 * MIB)).holding(0) as reservation:
            return loop.run_until_complete(decoders.decode(data, reservation, seconds))

    run.decoders = decoders  # type: ignore[attr-defined]
    yield run
    loop.run_until_complete(decoders.close())
    loop.close()


def encoded(array: np.ndarray[Any, Any], name: str, **options: Any) -> bytes:
    target = io.BytesIO()
    write(Photo.from_array(array), target, format=name, **options)
    return target.getvalue()


@pytest.mark.parametrize("name", ["jpeg", "png", "tiff", "webp"])
@pytest.mark.parametrize("shape", [(40, 61), (40, 61, 3)])
def test_same_as_read(decode: Callable[..., Photo], name: str, shape: tuple[int, ...]) -> None:
    data = encoded(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), name)
    here, there = read(data), decode(data)
    assert np.array_equal(here.pixels, there.pixels)
    for key in ("format", "bits", "channels", "dtype", "warnings"):
        assert getattr(here, key) == getattr(there, key)
    assert asdict(here.metadata) == asdict(there.metadata)


@pytest.mark.parametrize("bands", [2, 4])
def test_depth_and_alpha_come_along(decode: Callable[..., Photo], bands: int) -> None:
    array = np.random.default_rng(1).integers(0, 65536, (20, 30, bands), dtype=np.uint16)
    photo = decode(encoded(array, "png"))
    assert (photo.dtype, photo.bits) == (np.uint16, 16)
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, array[..., -1])


BROKEN = [
    (b"", UnknownFormat),
    (b"hello", UnknownFormat),
    (b"\x89PNG\r\n\x1a\n" + bytes(100), DamagedPhoto),
    (b"\xff\xd8\xff\xe0" + bytes(100), DamagedPhoto),
]


@pytest.mark.parametrize(("data", "error"), BROKEN)
def test_errors_come_through(decode: Callable[..., Photo], data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode(data)


def test_too_many_pixels(decode: Callable[..., Photo]) -> None:
    target = io.BytesIO()
    Image.new("L", (1100, 1000)).save(target, "PNG")
    with pytest.raises(TooLarge):
        decode(target.getvalue())


def test_no_room_for_the_pixels(decode: Callable[..., Photo], make_jpeg: Callable[..., bytes]) -> None:
    with pytest.raises(OverBudget):
        decode(make_jpeg(900, 600), Budget(1 * MIB))
    assert decode(make_jpeg(900, 600)).width == 900  # the same process goes on


def test_deadline_kills_and_the_next_photo_decodes(decode: Any, make_jpeg: Callable[..., bytes]) -> None:
    process = decode.decoders._idle[-1]
    os.kill(process.pid, signal.SIGSTOP)  # as good as a decoder in an endless loop
    with pytest.raises(TooSlow):
        decode(make_jpeg(), seconds=0.3)
    assert decode(make_jpeg()).width == 96
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_a_crash_is_a_damaged_photo(decode: Any, make_jpeg: Callable[..., bytes]) -> None:
    pid = decode.decoders._idle[-1].pid
    os.kill(pid, signal.SIGSTOP)
    crash = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    crash.start()
    with pytest.raises(DamagedPhoto):
        decode(make_jpeg())
    crash.join()
    assert decode(make_jpeg()).width == 96


def test_one_that_died_idle_is_replaced(decode: Any, make_jpeg: Callable[..., bytes]) -> None:
    process = decode.decoders._idle[-1]
    process.kill()
    process._child.wait()
    assert decode(make_jpeg()).width == 96
    assert decode.decoders._idle[-1].pid != process.pid


def test_closed_decoders_take_nothing(make_jpeg: Callable[..., bytes]) -> None:
    async def close_then_decode() -> None:
        decoders = Decoders(Limits(decoders=1))
        await decoders.start()
        pid = decoders._idle[0].pid
        await decoders.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        with pytest.raises((NotReady, RuntimeError)):
            await decoders.decode(make_jpeg(), Budget(MIB).reserve(0), 1.0)

    asyncio.run(close_then_decode())


# --- the wire ---

blob = st.none() | st.binary(max_size=200)
metadata = st.builds(
    Metadata,
    icc=blob,
    exif=blob,
    xmp=blob,
    iptc=blob,
    dpi=st.none() | st.tuples(st.floats(1, 4000), st.floats(1, 4000)),
    comment=st.none() | st.text(),
    texts=st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple),
)


@given(metadata)
def test_metadata_there_and_back(before: Metadata) -> None:
    line = io.BytesIO()
    wire.send(line, wire.pack_metadata(before))
    line.seek(0)
    assert wire.unpack_metadata(wire.receive(line)) == before


@given(st.binary(max_size=60))
def test_what_a_hijacked_decoder_sends_ends_the_talk(data: bytes) -> None:
    try:
        assert isinstance(wire.receive(io.BytesIO(data)), dict)
    except (EOFError, ValueError):
        return


def test_a_message_longer_than_any_is_refused() -> None:
    with pytest.raises(EOFError):
        wire.receive(io.BytesIO(b"\xff\xff\xff\xff" + bytes(100)))


@pytest.mark.parametrize(
    "change", [{"channels": 2}, {"dtype": "float64"}, {"height": 10**9}, {"height": "x"}, {"dtype": "object"}]
)
def test_impossible_answers_are_not_believed(change: dict[str, Any]) -> None:
    answer = {"height": 10, "width": 10, "channels": 1, "dtype": "uint8", "alpha": False, "extra": 0} | change
    decoders = Decoders(Limits(decoders=1))
    with pytest.raises(ValueError):
        decoders._make_room(answer, Budget(MIB).reserve(0), io.BytesIO())
