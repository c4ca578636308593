"""Downloads against a server on this computer: redirects, pages, cut transfers, hashes."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from photochrom.cli import run
from photochrom.errors import ModelError, UnknownModel
from photochrom.models.published import PUBLISHED, Source, download

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * 20_000  # 5 MB
HASH = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        asked_range = self.headers.get("Range")
        self.asked.append((self.path, asked_range))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
        elif self.path == "/page":
            self._send(b"<html>sign in</html>", kind="text/html; charset=utf-8")
        elif self.path in ("/whole", "/cut"):
            start = int(asked_range.removeprefix("bytes=").rstrip("-")) if asked_range else 0
            body = CONTENT[start:]
            self._send(body[: 1 << 20] if self.path == "/cut" else body, len(body), 206 if start else 200)
        elif self.path == "/unranged":
            self._send(CONTENT)
        else:
            self.send_error(404)

    def _send(
        self, body: bytes, length: int = 0, code: int = 200, kind: str = "application/octet-stream"
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("PHOTOCHROM_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("PHOTOCHROM_OFFLINE", raising=False)
    Handler.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def pulled(address: str, sha256: str = HASH[:8]) -> Path:
    return download("x", {"x": Source(address, "MIT", sha256)})


@pytest.mark.parametrize("place", ["whole", "moved"])
def test_a_download_and_through_a_redirect(server: str, place: str) -> None:
    assert pulled(f"{server}/{place}").read_bytes() == CONTENT


def test_a_cut_transfer_goes_on_where_it_stopped(server: str) -> None:
    assert pulled(f"{server}/cut").read_bytes() == CONTENT
    ranges = [asked for _, asked in Handler.asked]
    assert ranges == [None, *(f"bytes={n << 20}-" for n in range(1, 5))]


def test_what_an_earlier_process_left_is_gone_on_with(server: str, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/.x.partial").write_bytes(CONTENT[:3_000_000])
    assert pulled(f"{server}/whole").read_bytes() == CONTENT
    assert Handler.asked == [("/whole", "bytes=3000000-")]


def test_a_server_that_knows_no_ranges_begins_again(server: str, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/.x.partial").write_bytes(b"other bytes")
    assert pulled(f"{server}/unranged").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("place", "sha256", "said"),
    [
        ("gone", HASH, "answered 404"),
        ("page", HASH, "gave a web page"),
        ("whole", "0123abcd", "not 0123abcd…"),
    ],
)
def test_what_is_refused_leaves_nothing(
    server: str, place: str, sha256: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=said):
        pulled(f"{server}/{place}", sha256)
    assert not list((tmp_path / "models").iterdir())


def test_no_server(server: str) -> None:
    with pytest.raises(ModelError, match="could not be downloaded: "):
        pulled("http://127.0.0.1:9/x")


def test_offline_is_heeded(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_OFFLINE", "1")
    with pytest.raises(UnknownModel, match="PHOTOCHROM_OFFLINE forbids"):
        pulled(f"{server}/whole")
    assert Handler.asked == []
    assert run(["models", "pull", "siggraph17"]) == 4


def test_a_download_that_cannot_be_converted_is_kept_and_used_again(
    server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setitem(PUBLISHED, "x", Source(f"{server}/whole", "MIT", HASH[:8]))
    kept = tmp_path / "models/.x.pth"
    for _ in range(2):
        assert run(["models", "pull", "x"]) == 1
        assert f"(the download is kept: {kept})" in capsys.readouterr().err
    assert kept.read_bytes() == CONTENT
    assert len(Handler.asked) == 1


def test_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "pull", "list"]) == 0
    told = capsys.readouterr().out
    for name, source in PUBLISHED.items():
        assert name in told
        assert source.address.startswith("https://")
        assert source.address in told
    assert run(["models", "pull", "nonesuch"]) == 4


def test_a_name_that_is_taken_is_told_before_the_download(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    assert run(["models", "pull", "siggraph17", "--name", "photochrom"]) == 2
    assert "there is a model photochrom already" in capsys.readouterr().err
