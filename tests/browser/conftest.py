"""A real server, a real browser. Without Chromium these tests skip (PHOTOCHROM_REQUIRE_BROWSER=1: fail)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / "build" / "browser" / "node_modules"
SCREENSHOTS = ROOT / "build" / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {1280: (1280, 900), 390: (390, 844)}


def missing(what: str) -> None:
    """Skip, or fail where the browser is required."""
    if os.environ.get("PHOTOCHROM_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{what}, and PHOTOCHROM_REQUIRE_BROWSER is set")
    pytest.skip(what)


@pytest.fixture(scope="session")
def node_package() -> Callable[[str], Path]:
    """The folder of an npm package that `make` installs for the tests."""

    def find(name: str) -> Path:
        if not (NODE_MODULES / name).is_dir():
            missing(f"the npm package {name} is not in build/browser: run `make browser-tools`")
        return NODE_MODULES / name

    return find


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        missing("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield found
        found.close()


@contextmanager
def serving(*options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "photochrom", "serve", "--no-browser", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        base = url.partition("?")[0]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{base}readyz", timeout=30).status_code == 200:
                    break
            except httpx.ConnectError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    return serving


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture(params=list(SIZES), ids=lambda width: f"{width}px")
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open an address at a width; whatever the console says as an error fails the test in the end."""
    contexts, faults = [], []

    def open_at(address: str, width: int = 1280) -> Any:
        wide, high = SIZES[width]
        context = browser.new_context(
            viewport={"width": wide, "height": high}, has_touch=width < 800, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.expected_faults = []
        page.goto(address)
        return page

    yield open_at
    expected = [one for context in contexts for page in context.pages for one in page.expected_faults]
    for context in contexts:
        context.close()
    assert [fault for fault in faults if not any(part in fault for part in expected)] == []


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Callable[[Any, str], None]:
    """Keep a picture of the page in build/screenshots, to be looked at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def take(page: Any, name: str) -> None:
        page.screenshot(path=str(SCREENSHOTS / f"{page.viewport_size['width']}-{name}.png"))

    return take
