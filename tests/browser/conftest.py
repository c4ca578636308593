"""A real server, a real browser. Without Chromium these tests skip (PHOTOCHROM_REQUIRE_BROWSER=1: fail)."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import httpx
import numpy as np
import pytest

from photochrom.color import rgb_to_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "examples" / "photos" / "dust-bowl-home.jpg"
GREEN = "#3f7a3a"
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


class Studio:
    """The page as a person knows it."""

    def __init__(self, page: Any):
        self.page = page

    def open(self, *paths: Path) -> Studio:
        shown = self.shown
        self.page.set_input_files("#file", [str(path) for path in paths or [PHOTO]])
        self.wait_for_colors(shown)
        return self

    @property
    def shown(self) -> int:
        return int(self.page.get_attribute("#stage", "data-shown"))

    def wait_for_colors(self, before: int) -> None:
        """Wait until something new is painted and nothing newer is under way."""
        self.page.wait_for_function(
            "before => { const { shown, state } = document.querySelector('#stage').dataset;"
            " return Number(shown) > before && state === 'idle' }",
            arg=before,
        )

    def doing(self, action: Callable[[], Any]) -> None:
        before = self.shown
        action()
        self.wait_for_colors(before)

    def point(self, x: float, y: float) -> tuple[float, float]:
        box = self.page.locator("#sheet").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def click(self, place: tuple[float, float]) -> None:
        (self.page.touchscreen.tap if self.narrow else self.page.mouse.click)(*self.point(*place))

    @property
    def narrow(self) -> bool:
        return bool(self.page.viewport_size["width"] < 800)

    def press(self, selector: str) -> None:
        self.page.locator(selector).click()

    def lab(self, canvas: str = "#after") -> np.ndarray[Any, Any]:
        """CIELAB of what a canvas shows."""
        size, data = self.page.evaluate(
            "selector => { const c = document.querySelector(selector);"
            " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            " let text = ''; for (const value of d) text += String.fromCharCode(value);"
            " return [[c.height, c.width, 4], btoa(text)] }",
            canvas,
        )
        return rgb_to_lab(np.frombuffer(base64.b64decode(data), np.uint8).reshape(size)[..., :3])

    def small(self) -> np.ndarray[Any, Any]:
        """CIELAB of what is shown at one size, whatever room the stage has."""
        return np.asarray(cv2.resize(self.lab(), (160, 120), interpolation=cv2.INTER_AREA))

    def drag_vividness(self, value: float) -> None:
        """What a hand does with the slider."""
        slider = self.page.locator("#vividness")
        slider.evaluate("(one, value) => { one.value = value; one.dispatchEvent(new Event('input')) }", value)
        slider.dispatch_event("change")

    def lab_at(self, place: tuple[float, float]) -> np.ndarray[Any, Any]:
        lab = self.lab()
        y, x = int(place[1] * lab.shape[0]), int(place[0] * lab.shape[1])
        return np.asarray(lab[y - 3 : y + 4, x - 3 : x + 4].mean((0, 1)))

    def place_hint(self, place: tuple[float, float], color: str = GREEN) -> None:
        self.click(place)
        self.page.locator("#editor").wait_for()
        self.doing(lambda: self.set_hex(color))

    def set_hex(self, color: str) -> None:
        self.page.fill("#hex", color)
        self.page.locator("#hex").press("Enter")

    @property
    def hints(self) -> int:
        return int(self.page.locator(".mark").count())

    def saved_hints(self) -> bytes:
        self.press("#keep")
        with self.page.expect_download() as download:
            self.press("#hints-save")
        assert download.value.suggested_filename == "dust-bowl-home.hints.json"
        return Path(download.value.path()).read_bytes()


@pytest.fixture(scope="session")
def studio_at() -> Callable[[Any], Studio]:
    """The studio of a page."""
    return Studio


@pytest.fixture
def studio(open_page: Callable[..., Any], url: str, width: int) -> Studio:
    return Studio(open_page(url, width)).open()


@pytest.fixture
def wide(open_page: Callable[..., Any], url: str) -> Studio:
    return Studio(open_page(url)).open()
