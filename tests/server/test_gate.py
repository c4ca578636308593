"""The gate: Host, Origin, token, size and pace of bodies, and the headers on every answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from photochrom.errors import OptionError
from photochrom.server.access import COOKIE, LOOPBACK, Access
from photochrom.server.gate import SECURITY_HEADERS
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
    ("origin", "host"),
    [
        ("https://photos.example", "photos.example:443"),
        ("http://photos.example:80", "photos.example"),
        ("https://photos.example:8443", "photos.example:8443"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_a_usual_port_may_be_left_out(origin: str, host: str) -> None:
    assert Access(None).admits_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://photos.example:444", "photos.example"),
        ("https://photos.example", "photos.example:80"),
        ("https://photos.example.evil", "photos.example"),
        ("null", "photos.example"),
        ("file://photos.example", "photos.example"),
        ("http://a:b", "a:b"),
    ],
)
def test_another_origin_is_another(origin: str, host: str) -> None:
    assert not Access(None).admits_origin(origin, host)


@pytest.mark.parametrize("path", ["/", "/v1/models", "/static/js/main.js", "/healthz", "/docs", "/nothing"])
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers.get("content-length") == get.headers.get("content-length")


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


# --- behind a proxy ---

PUBLIC = "https://photos.example/color"


@pytest.fixture(scope="module")
def proxied(make_client: Callable[..., Any]) -> Iterator[TestClient]:
    with make_client(access=Access(LOOPBACK, "secret-token", PUBLIC)) as found:
        yield found


@pytest.mark.parametrize("host", ["photos.example", "photos.example:443", "127.0.0.1:8000"])
@pytest.mark.parametrize("prefix", ["", "/color"])  # a proxy cuts it off, or not
def test_the_public_address_is_ours(
    proxied: TestClient, host: str, prefix: str, make_jpeg: Callable[..., bytes]
) -> None:
    headers = {"Host": host, "Origin": "https://photos.example", "Authorization": "Bearer secret-token"}
    for path in ("/", "/static/js/main.js", "/v1/models", "/docs", "/healthz"):
        assert proxied.get(prefix + path, headers=headers).status_code == 200, path
    answer = proxied.post(f"{prefix}/v1/photos", files={"photo": make_jpeg()}, headers=headers)
    assert answer.headers["location"] == f"/color/v1/photos/{answer.json()['id']}"
    assert proxied.get("/openapi.json", headers=headers).json()["servers"] == [{"url": "/color"}]


@pytest.mark.parametrize("prefix", ["", "/color"])
def test_signing_in_stays_under_the_public_address(proxied: TestClient, prefix: str) -> None:
    answer = proxied.get(f"{prefix}/?token=secret-token", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/color/")
    cookie = answer.headers["set-cookie"].lower()
    assert "path=/color/" in cookie
    assert "secure" in cookie
    proxied.cookies.clear()
    answer = proxied.get("/color", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/color/")


def test_other_addresses_stay_shut(proxied: TestClient, is_problem: Any) -> None:
    is_problem(proxied.get("/", headers={"Host": "evil.example"}), 400)
    for origin in ("http://photos.example", "https://evil.example"):
        told = is_problem(proxied.post("/v1/photos", headers={"Origin": origin}), 400)["detail"]
        assert "--public-url" in told
    is_problem(proxied.get("/colorful/", headers={"Authorization": "Bearer secret-token"}), 404)
    is_problem(proxied.get("/color/v1/models"), 401)


@pytest.mark.parametrize("url", ["photos.example", "ftp://a", "https://", "https://a/?x=1", "http://a:b/"])
def test_a_public_url_that_is_no_address(url: str) -> None:
    with pytest.raises(OptionError, match="public URL"):
        Access(None, None, url)


# --- bodies ---


@pytest.fixture(scope="module")
def small(make_client: Callable[..., Any]) -> Iterator[TestClient]:
    limits = Limits(body=MIB, json_body=4096, seconds=1.0, decoders=1, memory=64 * MIB)
    with make_client(limits) as found:
        yield found


def test_declared_size_over_the_limit(small: TestClient, is_problem: Any) -> None:
    told = is_problem(small.post("/v1/photos", files={"photo": b"x" * 2 * MIB}), 413)["detail"]
    assert "2.0 MiB" in told
    assert "--max-body" in told


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
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in answer
    assert b"The upload stalled" in answer


def test_a_slow_body_that_gets_on_may_take_its_time(serve: Callable[..., Any], large_photo: bytes) -> None:
    """Three times as long as a request may take, but it never stalls."""
    head = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
    body = head + large_photo + b"\r\n--b--\r\n"
    step = -(-len(body) // 20)
    assert step > 32 << 10

    def slowly() -> Iterator[bytes]:
        for start in range(0, len(body), step):
            time.sleep(0.25)
            yield body[start : start + step]

    with serve("--timeout", "1.5") as (_, url):
        headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(len(body))}
        answer = httpx.post(f"{url}v1/photos", content=slowly(), headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text
