"""An S3 server on loopback, and a proxy before it that misbehaves."""

from __future__ import annotations

import http.server
import random
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def s3_server() -> Iterator[str]:
    """moto's server; its endpoint."""
    server = pytest.importorskip("moto.server")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        running.stop()


def make_bucket(endpoint: str, name: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{name}", method="PUT"), timeout=10):
        pass


class Rough(http.server.BaseHTTPRequestHandler):
    """Passes requests on; some are answered 503, some late, some torn off in the middle."""

    protocol_version = "HTTP/1.1"
    upstream = ""
    chances = random.Random(1)
    faults = 0
    rough = True

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        dice = self.chances.random() if self.rough else 1.0
        if dice < 0.06:
            type(self).faults += 1
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if dice < 0.12:
            type(self).faults += 1
            time.sleep(0.2)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
        request = urllib.request.Request(
            self.upstream + self.path,
            body or None,
            {**headers, "Host": self.headers["Host"]},
            method=self.command,
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                status, found, data = answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            status, found, data = error.code, dict(error.headers), error.read()
        torn = 0.12 <= dice < 0.17
        self.send_response(status)
        for key, value in found.items():
            if key.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(key, value)
        length = found.get("Content-Length", str(len(data))) if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length)
        self.end_headers()
        if torn and len(data) > 1:
            type(self).faults += 1
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _pass

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests read their own output."""


@contextmanager
def rough_proxy(endpoint: str) -> Iterator[tuple[str, type[Rough]]]:

    class Handler(Rough):
        upstream, chances = endpoint, random.Random(1)

    with proxy(Handler) as address:
        yield address, Handler


@contextmanager
def counting(endpoint: str) -> Iterator[tuple[str, Counter[str]]]:
    """A proxy that does no harm, and how often each method was asked for."""
    asked: Counter[str] = Counter()

    class Handler(Rough):
        upstream, rough = endpoint, False

        def parse_request(self) -> bool:
            parsed = super().parse_request()
            asked[self.command] += parsed
            return parsed

    with proxy(Handler) as address:
        yield address, asked


@contextmanager
def answering(status: int, code: str, message: str) -> Iterator[str]:
    """A server that answers every request with one of S3's errors."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()

    class Handler(Rough):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = _answer

    with proxy(Handler) as address:
        yield address


@contextmanager
def proxy(handler: type[Rough]) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The endpoint of an S3 server with a bucket named "bucket"."""
    pytest.importorskip("obstore")
    with s3_server() as endpoint:
        make_bucket(endpoint, "bucket")
        yield endpoint


@pytest.fixture
def aws(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, with the environment that leads to it."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    for name, value in {"AWS_ENDPOINT_URL": s3, **keys}.items():
        monkeypatch.setenv(name, value)
    return s3


@pytest.fixture
def rough(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Rough]]:
    """The environment leads through a proxy that fails every sixth request in one way or another."""
    with rough_proxy(aws) as (proxy, handler):
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy)
        yield handler
