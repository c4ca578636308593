"""`photochrom serve`: its address, its token, its limits, and what it says when it cannot start."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner

from photochrom.cli import run
from photochrom.cli.serve import _limits, access_to, address, command, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "::1", "127.1.2.3"])
def test_loopback_needs_no_token(host: str) -> None:
    access = access_to(host, None, ())
    assert is_loopback(host)
    assert access.token is None
    assert access.hosts is not None
    assert not access.admits_host("photos.example")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "photos.example"])
def test_elsewhere_a_token_is_mandatory(host: str) -> None:
    first, second = (access_to(host, None, ()) for _ in range(2))
    assert not is_loopback(host)
    assert first.token
    assert len(first.token) >= 24
    assert first.token != second.token
    assert access_to(host, "mine", ()).token == "mine"
    assert access_to(host, None, ("photos.example",)).admits_host("photos.example")
    assert not access_to(host, None, ("photos.example",)).admits_host("evil.example")


@pytest.mark.parametrize(
    ("host", "token", "url"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:8000/"),
        ("::1", None, "http://[::1]:8000/"),
        ("0.0.0.0", "t", "http://127.0.0.1:8000/?token=t"),
        ("photos.example", "t", "http://photos.example:8000/?token=t"),
    ],
)
def test_the_printed_address(host: str, token: str | None, url: str) -> None:
    assert address(host, 8000, token) == url


def test_options_become_limits() -> None:
    limits = _limits(max_body=2, max_pixels=3, max_hints=4, timeout=5.0, memory=100, expiry=2.0)
    assert (limits.body, limits.pixels, limits.hints, limits.seconds) == (2 << 20, 3, 4, 5.0)
    assert (limits.memory, limits.expiry) == (100 << 20, 120.0)


@pytest.mark.parametrize(
    "options", [["--port", "99999"], ["--memory", "1"], ["--max-pixels", "0"], ["--nonsense"]]
)
def test_options_that_make_no_sense(options: list[str]) -> None:
    assert CliRunner().invoke(command, options).exit_code == 2


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
