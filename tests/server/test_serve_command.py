"""`photochrom serve`: its address, its token, its limits, and what it says when it cannot start."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from PIL import Image

from photochrom.cli import run
from photochrom.cli.serve import _is_loopback, _limits, access_to, address

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "::1", "127.1.2.3"])
def test_loopback_needs_no_token(host: str) -> None:
    access = access_to(host, None, ())
    assert _is_loopback(host)
    assert access.token is None
    assert access.hosts is not None
    assert not access.admits_host("photos.example")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "photos.example"])
def test_elsewhere_a_token_is_mandatory(host: str) -> None:
    first, second = (access_to(host, None, ()) for _ in range(2))
    assert not _is_loopback(host)
    assert first.token
    assert len(first.token) >= 24
    assert first.token != second.token
    assert access_to(host, "mine", ()).token == "mine"
    assert access_to(host, None, ("photos.example",)).admits_host("photos.example")
    assert not access_to(host, None, ("photos.example",)).admits_host("evil.example")


def test_behind_a_proxy_a_token_is_mandatory() -> None:
    access = access_to("127.0.0.1", None, (), "https://photos.example/color")
    assert access.token
    assert access.admits_host("photos.example")


@pytest.mark.parametrize(
    ("host", "token", "public", "url"),
    [
        ("127.0.0.1", None, None, "http://127.0.0.1:8000/"),
        ("::1", None, None, "http://[::1]:8000/"),
        ("0.0.0.0", "t", None, "http://127.0.0.1:8000/?token=t"),
        ("photos.example", "t", None, "http://photos.example:8000/?token=t"),
        ("127.0.0.1", "t", "https://photos.example/color", "https://photos.example/color/?token=t"),
    ],
)
def test_the_printed_address(host: str, token: str | None, public: str | None, url: str) -> None:
    assert address(host, 8000, access_to(host, token, (), public)) == url


def test_options_become_limits() -> None:
    options = {"max_hints": 4, "timeout": 5.0, "memory": 100, "expiry": 2.0}
    limits = _limits(max_body=2, max_pixels=3, is_open=False, **options)
    assert (limits.body, limits.pixels, limits.hints, limits.seconds) == (2 << 20, 3, 4, 5.0)
    assert (limits.memory, limits.expiry) == (100 << 20, 120.0)


@pytest.mark.parametrize(("is_open", "body", "pixels"), [(False, 1024, 250_000_000), (True, 64, 50_000_000)])
def test_this_computer_s_own_limits_are_the_command_s(is_open: bool, body: int, pixels: int) -> None:
    options = {"max_hints": 4, "timeout": 5.0, "memory": None, "expiry": 2.0}
    limits = _limits(max_body=None, max_pixels=None, is_open=is_open, **options)
    assert (limits.body >> 20, limits.pixels) == (body, pixels)


def test_a_large_scan_is_taken_on_this_computer(serve: Callable[..., Any]) -> None:
    """80 MB of 16-bit TIFF, as scanners write it."""
    target = io.BytesIO()
    Image.fromarray(np.full((6000, 6700), 30_000, np.uint16)).save(target, "TIFF")
    assert target.tell() > 80_000_000
    for options, status in (((), 201), (("--max-body", "64"), 413), (("--memory", "150"), 429)):
        with serve(*options) as (_, url):
            answer = httpx.post(f"{url}v1/photos", files={"photo": target.getvalue()}, timeout=120)
        assert answer.status_code == status, answer.text
        assert status == 201 or options[0] in answer.json()["detail"]


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "99999"],
        ["--memory", "1"],
        ["--max-pixels", "0"],
        ["--public-url", "photos"],
        ["--nonsense"],
    ],
)
def test_options_that_make_no_sense(options: list[str]) -> None:
    assert run(["serve", "--no-browser", *options]) == 2


def test_a_port_in_use_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code = run(["serve", "--no-browser", "--port", str(taken.getsockname()[1])])
    assert code == 2
    assert "choose another --port" in capsys.readouterr().err


def test_an_unknown_model_is_told_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--no-browser", "--port", "0", "--model", "nonsense"]) == 4
    assert "nonsense" in capsys.readouterr().err


def test_a_server_with_a_token(serve: Callable[..., Any]) -> None:
    with serve("--token", "open-sesame", "--max-hints", "7") as (_, url):
        base, _, query = url.partition("?")
        assert query == "token=open-sesame"
        assert httpx.get(f"{base}v1/models").status_code == 401
        with httpx.Client(follow_redirects=True) as browser:
            assert "<title>Photochrom studio</title>" in browser.get(url).text
            assert browser.get(f"{base}v1/models").json()["limits"]["hints"] == 7
