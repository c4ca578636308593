"""A server in this process for most tests, and one in a process of its own for those that must hurt it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from photochrom.colorizer import Colorizer
from photochrom.server.app import create_app
from photochrom.server.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOPBACK = "http://127.0.0.1"


def jpeg(width: int = 96, height: int = 64, seed: int = 0, **options: Any) -> bytes:
    """A soft gray picture as a JPEG."""
    small = np.random.default_rng(seed).integers(40, 220, (6, 8), dtype=np.uint8)
    target = io.BytesIO()
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(target, "JPEG", **options)
    return target.getvalue()


@pytest.fixture(scope="session")
def make_jpeg() -> Callable[..., bytes]:
    return jpeg


@pytest.fixture(scope="session")
def large_photo() -> bytes:
    """A PNG of more than a mebibyte."""
    target = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (1100, 1100), np.uint8)).save(target, "PNG")
    return target.getvalue()


@pytest.fixture(scope="session")
def colorizer() -> Colorizer:
    return Colorizer(threads=2)


@pytest.fixture(scope="session")
def make_client(colorizer: Colorizer) -> Callable[..., Any]:
    """A context manager: a client of a fresh server with the given limits and access."""

    @contextmanager
    def client(limits: Limits | None = None, access: Any = None, headers: Any = None) -> Iterator[TestClient]:
        app = create_app(limits or Limits(decoders=1), access, lambda: colorizer)
        with TestClient(app, LOOPBACK, headers=headers) as found:
            yield found

    return client


@pytest.fixture(scope="session")
def client(make_client: Callable[..., Any]) -> Iterator[TestClient]:
    with make_client() as found:
        yield found


@pytest.fixture
def photo_id(client: TestClient, make_jpeg: Callable[..., bytes]) -> str:
    answer = client.post("/v1/photos", files={"photo": make_jpeg()})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@contextmanager
def serving(*options: str, base: str | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`photochrom serve` as a process, and the address that it prints; `base`: where it answers."""
    command = [sys.executable, "-m", "photochrom", "serve", "--no-browser", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://"), "the server did not start"
        base = base or url.partition("?")[0].rstrip("/")
        for _ in range(600):
            try:
                if httpx.get(f"{base}/readyz", timeout=30).status_code == 200:
                    break
            except httpx.ConnectError:
                pass
        yield process, url
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    return serving


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem of an answer, after checking that it is a whole one (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert {"type", "title", "detail"} <= set(problem)
    for secret in ("/work", "/tmp", "site-packages", "Traceback", ".py"):
        assert secret not in answer.text
    return problem


@pytest.fixture(scope="session")
def is_problem() -> Callable[[httpx.Response, int], dict[str, Any]]:
    return assert_problem
