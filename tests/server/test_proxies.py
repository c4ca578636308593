"""The proxies of docs/rest.md, with the very files that stand there."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = Path(__file__).parents[2] / "docs" / "rest.md"
NGINX = """daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
access_log off;
client_body_temp_path {folder};
proxy_temp_path {folder};
fastcgi_temp_path {folder};
uwsgi_temp_path {folder};
scgi_temp_path {folder};
{server}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def written(kind: str, port: int, folder: Path) -> list[str]:
    """The command that runs the proxy of the page, its address and the server's left to the command line."""
    found = re.search(rf"^```{kind}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    text, target = found[1], folder / kind
    if kind == "nginx":
        server = text.replace("listen 80", f"listen 127.0.0.1:{port}").replace("photos.example", "_")
        user = f"{Path.home().owner()}"
        target.write_text(NGINX.format(server=server, folder=folder, user=user))
        return ["nginx", "-p", str(folder), "-c", str(target)]
    options = "{\n admin off\n auto_https off\n}\n"
    target.write_text(options + text.replace("photos.example", f"http://127.0.0.1:{port}"))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(target)]


@contextmanager
def proxying(kind: str, port: int, upstream: int, folder: Path) -> Iterator[None]:
    command = written(kind, port, folder)
    config = Path(command[-1])
    config.write_text(config.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{upstream}"))
    environment = {**os.environ, "HOME": str(folder)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("kind", ["nginx", "caddy"])
def test_a_proxy_of_the_page(
    kind: str, tmp_path: Path, serve: Callable[..., Any], large_photo: bytes
) -> None:
    if shutil.which(kind) is None:
        if os.environ.get("PHOTOCHROM_REQUIRE_PROXIES") == "1":
            pytest.fail(f"{kind} is missing, and PHOTOCHROM_REQUIRE_PROXIES is set")
        pytest.skip(f"{kind} is not on this machine")
    port, upstream = free_port(), free_port()
    origin = f"http://127.0.0.1:{port}"
    options = ["--port", str(upstream), "--public-url", f"{origin}/color", "--token", "word"]
    with (
        serve(*options, base=f"http://127.0.0.1:{upstream}") as (_, url),
        proxying(kind, port, upstream, tmp_path),
        httpx.Client(follow_redirects=True, timeout=60) as browser,
    ):
        assert url == f"{origin}/color/?token=word"
        assert httpx.get(f"{origin}/color/v1/models").status_code == 401
        page = browser.get(url)
        assert page.url == f"{origin}/color/"
        assert "<title>Photochrom studio</title>" in page.text
        assert browser.get(f"{origin}/color/static/js/main.js").status_code == 200
        assert browser.head(f"{origin}/color/").status_code == 200
        upload, files = f"{origin}/color/v1/photos", {"photo": large_photo}  # more than nginx takes by itself
        answer = browser.post(upload, files=files, headers={"Origin": origin})
        assert answer.status_code == 201, answer.text
        assert browser.get(f"{origin}{answer.headers['location']}").json()["id"] == answer.json()["id"]
        foreign = browser.post(upload, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 400
