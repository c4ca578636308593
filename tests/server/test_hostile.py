"""Hostile files and clients: an answer of ours for each, and a server that goes on as if nothing had been."""

from __future__ import annotations

import io
import os
import socket
import struct
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from PIL import Image

from photochrom.server.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.testclient import TestClient

MALFORMED = Path(os.environ.get("PHOTOCHROM_TEST_DATA", "unset")) / "malformed"
ALLOWED = {200, 400, 413, 415, 422, 429}


@pytest.fixture(scope="module")
def wide(make_client: Callable[..., Any]) -> Iterator[TestClient]:
    with make_client(Limits(memory=2 << 30, decoders=2, seconds=20)) as found:
        yield found


@pytest.mark.skipif(not MALFORMED.is_dir(), reason="PHOTOCHROM_TEST_DATA names no folder with malformed/")
def test_every_malformed_file_gets_an_answer(wide: TestClient, make_jpeg: Callable[..., bytes]) -> None:
    files = sorted(path for path in MALFORMED.iterdir() if path.is_file())
    assert len(files) > 100
    answers: dict[str, int] = {}
    for path in files:
        answer = wide.post("/v1/photos", files={"photo": path.read_bytes()})
        answers[path.name] = answer.status_code
        if answer.status_code == 201:
            wide.delete(answer.headers["location"])
        else:
            assert answer.headers["content-type"] == "application/problem+json"
            assert path.name not in answer.text
    assert set(answers.values()) <= ALLOWED | {201}, answers
    assert wide.post("/v1/colorize", files={"photo": make_jpeg()}).status_code == 200


def png(width: int, height: int, payload: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", payload) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "size",
    [(2**31 - 1, 2**31 - 1), (60_000, 60_000), (100_000, 10), (7072, 7072)],
    ids=lambda size: f"{size[0]}",
)
def test_declared_bombs(wide: TestClient, size: tuple[int, int], is_problem: Any) -> None:
    is_problem(wide.post("/v1/photos", files={"photo": png(*size, zlib.compress(bytes(1000)))}), 422)


def test_a_real_bomb(wide: TestClient, is_problem: Any) -> None:
    target = io.BytesIO()
    Image.new("L", (9000, 6000)).save(target, "PNG")  # 54 megapixels in 60 kB
    is_problem(wide.post("/v1/photos", files={"photo": target.getvalue()}), 422)


def test_a_large_photo_within_the_limit(wide: TestClient, make_jpeg: Callable[..., bytes]) -> None:
    answer = wide.post("/v1/photos", files={"photo": make_jpeg(6000, 4000)})
    assert answer.status_code == 201
    wide.delete(answer.headers["location"])


def test_memory_too_small_for_the_photo(make_client: Callable[..., Any], is_problem: Any) -> None:
    target = io.BytesIO()
    Image.fromarray(np.zeros((4000, 6000), np.uint8)).save(target, "PNG")
    with make_client(Limits(memory=64 << 20, decoders=1)) as client:
        answer = client.post("/v1/photos", files={"photo": target.getvalue()})
        is_problem(answer, 429)
        assert client.app.state.service.budget.used == 0


def test_photos_give_way_to_photos(
    make_client: Callable[..., Any], make_jpeg: Callable[..., bytes], is_problem: Any
) -> None:
    with make_client(Limits(memory=100 << 20, decoders=1)) as client:
        ids = []
        for seed in range(4):
            answer = client.post("/v1/photos", files={"photo": make_jpeg(600, 400, seed)})
            assert answer.status_code == 201
            ids.append(answer.json()["id"])
        is_problem(client.get(f"/v1/photos/{ids[0]}"), 410)
        assert client.get(f"/v1/photos/{ids[-1]}").status_code == 200


def test_photos_expire(
    make_client: Callable[..., Any], make_jpeg: Callable[..., bytes], is_problem: Any
) -> None:
    with make_client(Limits(expiry=0.4, decoders=1)) as client:
        photo = client.post("/v1/photos", files={"photo": make_jpeg()}).json()["id"]
        assert client.get(f"/v1/photos/{photo}").status_code == 200
        time.sleep(1.0)
        assert client.app.state.service.store.held == 0, "the sweeper forgets it unasked"
        is_problem(client.get(f"/v1/photos/{photo}"), 410)


def test_clients_that_vanish(serve: Callable[..., Any], make_jpeg: Callable[..., bytes]) -> None:
    """Cut uploads short, and leave while the answer is being made; then all memory is free and it answers."""
    photo = make_jpeg(3000, 2000)
    head = (
        b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n"
    )
    body = head + photo + b"\r\n--b--\r\n"
    request = (
        b"POST /v1/colorize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    with serve("--memory", "256") as (process, url):
        base = url.rstrip("/")
        for share in (0.0, 0.5, 0.99, 1.0, 1.0):
            with socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2]))) as line:
                line.sendall(request + body[: int(share * len(body))])
                time.sleep(0.05)
        deadline = time.monotonic() + 20
        while used(base) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert used(base) == 0
        assert process.poll() is None
        assert httpx.post(f"{base}/v1/colorize", files={"photo": make_jpeg()}, timeout=30).status_code == 200


def used(base: str) -> float:
    """Reserved bytes, as the server tells them."""
    text = httpx.get(f"{base}/metrics").text
    line = next(line for line in text.splitlines() if line.startswith("photochrom_memory_used_bytes"))
    return float(line.split()[1])


def test_strokes_without_end(client: TestClient, photo_id: str, is_problem: Any) -> None:
    path = [[number % 2, number % 3 / 2] for number in range(10_000)]
    hint = {"x": 0.5, "y": 0.5, "color": "#806040", "path": path}
    for url in ("render", "uncertainty"):
        answer = client.post(f"/v1/photos/{photo_id}/{url}", json={"hints": [hint]})
        assert "too long" in is_problem(answer, 400)["detail"]


def test_many_hints_reserve_their_memory(
    make_client: Callable[..., Any], make_jpeg: Callable[..., bytes], is_problem: Any
) -> None:
    hints = [{"x": number / 3000, "y": 0.5, "color": "#806040"} for number in range(3000)]
    with make_client(Limits(memory=128 << 20, decoders=1)) as client:
        photo = client.post("/v1/photos", files={"photo": make_jpeg()}).json()["id"]
        is_problem(client.post(f"/v1/photos/{photo}/render", json={"side": 64, "hints": hints}), 429)
        few = client.post(f"/v1/photos/{photo}/render", json={"side": 64, "hints": hints[::100]})
        assert few.status_code in (200, 410)  # the photo itself may have made room
        assert client.app.state.service.budget.used <= 128 << 20
