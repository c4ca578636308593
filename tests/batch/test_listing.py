"""A million keys are listed within bounds, and work begins before the listing ends."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS, PAGE = 1_000_000, 1000
SCRIPT = """
import re, time
from pathlib import Path
from photochrom.batch.store import open_store
began, count, first = time.monotonic(), 0, None
for entry in open_store("s3://bucket/scans").list():
    first = first or time.monotonic() - began
    count += 1
total = time.monotonic() - began
# a process starts with its parent's greatest memory in ru_maxrss; VmHWM is its own
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(count, first, total, int(peak) / 1024)
"""


class Keys(http.server.BaseHTTPRequestHandler):
    """Speaks as much S3 as a listing needs."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        start = int(asked.get("continuation-token", ["0"])[0])
        rows = "".join(
            f"<Contents><Key>scans/{number // 5000:04}/{number:07}.tif</Key>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f'<ETag>"{number:032x}"</ETag><Size>1000</Size></Contents>'
            for number in range(start, start + PAGE)
        )
        end = start + PAGE
        more = "" if end >= KEYS else f"<NextContinuationToken>{end}</NextContinuationToken>"
        body = (
            '<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><Prefix>scans/</Prefix>'
            f"<KeyCount>{PAGE}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
            f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{rows}</ListBucketResult>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_a_million_keys_take_little_memory_and_the_first_comes_at_once(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("obstore")
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    for name, value in {"AWS_ENDPOINT_URL": endpoint, **keys}.items():
        monkeypatch.setenv(name, value)
    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    count, first, total, megabytes = (float(number) for number in found.split())
    print(f"first after {first:.2f} s, all after {total:.1f} s, {megabytes:.0f} MB")
    assert count == KEYS
    assert first < total / 20
    assert megabytes < 300
