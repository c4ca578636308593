"""Makes the pictures of docs/studio.md: `python docs/studio_screenshots.py`.

It needs Chromium. All photographs in them are those of `examples/`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PHOTO = ROOT / "examples" / "photos" / "dust-bowl-home.jpg"
IMAGES = ROOT / "docs" / "images"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
HUT, SAND = (0.72, 0.55), (0.3, 0.75)


@contextmanager
def serving() -> Iterator[str]:
    command = [sys.executable, "-m", "photochrom", "serve", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        while True:
            try:
                urllib.request.urlopen(f"{url}readyz", timeout=60).close()  # noqa: S310
                break
            except OSError:
                time.sleep(0.2)
        try:
            yield url
        finally:
            process.terminate()


class Camera:
    """A page and the way to keep pictures of it."""

    def __init__(self, page: Any, prefix: str):
        self.page, self.prefix = page, prefix

    def open(self) -> None:
        self.page.set_input_files("#file", str(PHOTO))
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_function("() => document.querySelector('#stage').dataset.state === 'idle'")
        self.page.wait_for_function("() => document.querySelector('#stage').dataset.shown !== '0'")
        self.page.wait_for_timeout(700)

    def click(self, place: tuple[float, float]) -> None:
        box = self.page.locator("#sheet").bounding_box()
        self.page.mouse.click(box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"])

    def take(self, name: str) -> None:
        self.page.wait_for_timeout(300)
        path = IMAGES / f"{self.prefix}-{name}.jpg"
        self.page.screenshot(path=str(path), type="jpeg", quality=84)
        print(path.relative_to(ROOT))


def tour(camera: Camera) -> None:
    """The same way through the studio at every width."""
    page = camera.page
    page.wait_for_selector("#examples img")
    camera.take("welcome")
    camera.open()
    page.locator("[data-view=compare]").click()
    camera.take("before-and-after")
    page.locator("[data-view=compare]").click()
    camera.click(HUT)
    page.locator(".suggestion").nth(2).wait_for()
    camera.take("suggestions")
    page.fill("#hex", "#5f8a5a")
    page.locator("#hex").press("Enter")
    camera.settle()
    page.locator("#show-reach").click()
    page.locator("#legend").wait_for()
    camera.take("reach")
    page.keyboard.press("Escape")
    page.locator("[data-view=guessing]").evaluate("one => one.click()")
    page.locator(".invitation").first.wait_for()
    camera.take("guessing")
    page.locator("[data-view=guessing]").evaluate("one => one.click()")
    page.locator("[data-view=ideas]").evaluate("one => one.click()")
    page.wait_for_function("() => document.querySelectorAll('.idea:not(:disabled)').length === 4")
    camera.take("ideas")
    if camera.prefix == "studio":
        page.locator("#ideas-large").click()
        page.wait_for_function("() => document.querySelector('#side-by-side').dataset.shown")
        camera.take("side-by-side")
        page.keyboard.press("Escape")
    page.keyboard.press("i")
    others = [str(path) for path in sorted(PHOTO.parent.glob("*.jpg")) if path != PHOTO]
    page.set_input_files("#file", others)
    page.wait_for_function("() => document.querySelectorAll('.tile[aria-busy=false]').length === 6")
    page.locator(".tile[title^=nagasaki]").click()
    page.wait_for_timeout(1500)
    camera.take("strip")


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with serving() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for prefix, size in (("studio", WIDE), ("studio-phone", NARROW)):
            page = browser.new_context(
                viewport=size, has_touch=size is NARROW, reduced_motion="reduce", color_scheme="dark"
            ).new_page()
            page.goto(url)
            tour(Camera(page, prefix))
        browser.close()


if __name__ == "__main__":
    main()
