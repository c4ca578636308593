"""The gate: Host, Origin, token, size and pace of bodies, and the headers on every answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from photochrom.server.app import LOOPBACK
from photochrom.server.gate import COOKIE, SECURITY_HEADERS, Access
from photochrom.server.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.testclient import TestClient

MIB = 1 << 20


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "LOCALHOST", "[::1]:8000"])
def test_loopback_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "[", "8.8.8.8"]
)
def test_other_hosts_are_refused(client: TestClient, host: str, is_problem: Any) -> None:
    assert "host" in is_problem(client.get("/healthz", headers={"Host": host}), 400)["detail"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9", "https://localhost"])
def test_other_sites_are_refused(client: TestClient, origin: str, is_problem: Any) -> None:
    is_problem(client.post("/v1/photos", headers={"Origin": origin}), 400)


def test_own_origin_is_taken_and_no_cors_is_sent(client: TestClient) -> None:
    answer = client.get("/v1/models", headers={"Origin": "http://127.0.0.1"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "path", ["/", "/v1/models", "/static/js/main.js", "/nothing", "/openapi.json", "/docs"]
)
def test_every_answer_wears_the_headers(client: TestClient, path: str) -> None:
    answer = client.get(path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "cache-control" in answer.headers


# --- the token ---


@pytest.fixture(scope="module")
def guarded(make_client: Callable[..., Any]) -> Iterator[TestClient]:
    with make_client(access=Access(None, "secret-token")) as found:
        yield found


@pytest.mark.parametrize(
    "path", ["/", "/v1/models", "/metrics", "/openapi.json", "/docs", "/static/js/main.js", "/x"]
)
def test_nothing_without_a_token(guarded: TestClient, path: str, is_problem: Any) -> None:
    answer = guarded.get(path, headers={"Host": "photos.example"})
    assert "token" in is_problem(answer, 401)["detail"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_token(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize(
    "value",
    ["Bearer wrong", "Basic secret-token", "secret-token", "Bearer", "Bearer secret-token2", "Bearer ü"],
)
def test_wrong_tokens(guarded: TestClient, value: str, is_problem: Any) -> None:
    is_problem(guarded.get("/v1/models", headers={"Authorization": value.encode("latin-1")}), 401)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_right_token(guarded: TestClient, scheme: str) -> None:
    assert guarded.get("/v1/models", headers={"Authorization": f"{scheme} secret-token"}).status_code == 200


def test_the_printed_address_signs_in_with_a_cookie(guarded: TestClient, is_problem: Any) -> None:
    is_problem(guarded.get("/?token=wrong"), 401)
    answer = guarded.get("/?token=secret-token", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert guarded.get("/", headers={"Cookie": f"{COOKIE}=secret-token"}).status_code == 200
    guarded.cookies.clear()


def test_only_allowed_names_where_some_are_given() -> None:
    access = Access(LOOPBACK | {"photos.example"}, "t")
    assert access.admits_host("photos.example:443")
    assert access.admits_host("Photos.Example.")
    assert not access.admits_host("other.example")


# --- bodies ---


@pytest.fixture(scope="module")
def small(make_client: Callable[..., Any]) -> Iterator[TestClient]:
    limits = Limits(body=MIB, json_body=4096, seconds=1.0, decoders=1, memory=64 * MIB)
    with make_client(limits) as found:
        yield found


def test_declared_size_over_the_limit(small: TestClient, is_problem: Any) -> None:
    is_problem(small.post("/v1/photos", files={"photo": b"x" * 2 * MIB}), 413)


def test_json_has_its_own_limit(small: TestClient, is_problem: Any) -> None:
    is_problem(
        small.post("/v1/photos/x/render", content=b"[" * 5000, headers={"Content-Type": "application/json"}),
        413,
    )


def test_body_without_a_size_over_the_limit(small: TestClient, is_problem: Any) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield b"x" * 65536

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    is_problem(small.post("/v1/photos", content=chunks(), headers=headers), 413)


@pytest.mark.parametrize("length", ["-1", "1e3", "twelve", "٣"])
def test_a_length_that_is_no_number(small: TestClient, length: str, is_problem: Any) -> None:
    is_problem(small.post("/v1/photos", headers={"Content-Length": length.encode()}), 400)


def test_refused_uploads_hold_no_memory(small: TestClient) -> None:
    assert small.app.state.service.budget.used == 0  # type: ignore[attr-defined]


def test_full_budget_is_told_before_the_body_is_read(small: TestClient, is_problem: Any) -> None:
    budget = small.app.state.service.budget  # type: ignore[attr-defined]
    with budget.holding(64 * MIB - 1000):
        answer = small.post("/v1/photos", files={"photo": b"x" * 100_000})
    is_problem(answer, 429)
    assert int(answer.headers["Retry-After"]) >= 1


def test_slow_body(serve: Callable[..., Any]) -> None:
    import socket

    with serve("--timeout", "1") as (_, url):
        port = int(url.rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(
                b"POST /v1/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; "
                b"boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\n"
            )
            started = time.monotonic()
            answer = b"".join(iter(lambda: line.recv(65536), b""))
            assert 0.5 < time.monotonic() - started < 10
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer
    assert b"did not arrive within 1 s" in answer
