"""The studio's manners: accessible, never in the way, whole again after trouble, and plain about errors."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "astronaut.jpg"
WAIT = (
    "before => { const { shown, state } = document.querySelector('#stage').dataset;"
    " return Number(shown) > before && state === 'idle' }"
)

pytestmark = pytest.mark.browser


def opened(page: Any, path: Path = PHOTO) -> Any:
    before = int(page.get_attribute("#stage", "data-shown"))
    page.set_input_files("#file", str(path))
    page.wait_for_function(WAIT, arg=before)
    return page


def shown_after(page: Any, action: Callable[[], Any]) -> None:
    before = int(page.get_attribute("#stage", "data-shown"))
    action()
    page.wait_for_function(WAIT, arg=before)


def toast(page: Any) -> str:
    page.locator(".toast").last.wait_for()
    return str(page.locator(".toast p").last.inner_text())


# --- accessible ---


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_serious_accessibility_fault(
    open_page: Callable[..., Any],
    url: str,
    width: int,
    scheme: str,
    node_package: Callable[[str], Path],
    screenshot: Any,
) -> None:
    axe = (node_package("axe-core") / "axe.min.js").read_text()
    page = open_page(url, width)
    page.emulate_media(color_scheme=scheme)
    page.wait_for_selector("#examples img")

    def check(where: str) -> None:
        page.evaluate(axe)
        found = page.evaluate("async () => (await axe.run(document)).violations")
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        told = [(one["id"], [node["target"] for node in one["nodes"]][:4]) for one in serious]
        assert told == [], where

    check("welcome")
    screenshot(page, f"{scheme}-welcome")
    opened(page)
    check("automatic")
    others = [path for path in PHOTO.parent.glob("*.jpg") if path != PHOTO][:3]
    page.set_input_files("#file", [str(path) for path in others])
    page.wait_for_function("() => document.querySelectorAll('.tile[aria-busy=false]').length === 4")
    check("strip")
    page.locator("#surface").focus()
    page.keyboard.press("Enter")
    page.locator(".suggestion").first.wait_for()
    check("draft")
    shown_after(page, lambda: page.keyboard.press("1"))
    check("hint")
    screenshot(page, f"{scheme}-hint")
    page.locator(".history summary").evaluate("one => one.click()")
    check("history")
    page.keyboard.press("u")
    page.locator(".invitation").first.wait_for()
    check("guessing")
    page.keyboard.press("u")
    page.keyboard.press("c")
    check("compare")
    page.set_input_files("#hints-input", {"name": "x.json", "mimeType": "text/json", "buffer": b"{"})
    page.locator(".toast").wait_for()
    check("message")
    opening = {
        "#help-dialog": lambda: page.keyboard.press("?"),
        "#download-dialog": lambda: page.keyboard.press("Control+s"),
        "#keep-dialog": lambda: page.locator("#keep").click(),
    }
    for dialog, open_it in opening.items():
        open_it()
        page.locator(dialog).wait_for()
        check(dialog)
        page.keyboard.press("Escape")
    page.locator("[data-view=ideas]").evaluate("one => one.click()")
    page.wait_for_function("() => document.querySelectorAll('.idea:not(:disabled)').length >= 4")
    check("ideas")
    page.locator("#ideas-large").click()
    page.locator("#side-by-side").wait_for()
    check("#side-by-side")


def test_everything_by_keyboard(open_page: Callable[..., Any], url: str) -> None:
    page = opened(open_page(url))
    page.locator("#surface").focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert page.locator("#cross").is_visible()
    page.keyboard.press("Enter")
    page.locator(".suggestion").nth(1).wait_for()
    shown_after(page, lambda: page.keyboard.press("2"))
    page.keyboard.press("n")
    assert page.evaluate("() => document.activeElement.className") == "mark"
    place = page.locator(".mark").bounding_box()
    shown_after(page, lambda: page.keyboard.press("Shift+ArrowLeft"))
    assert page.locator(".mark").bounding_box()["x"] < place["x"] - 3
    size = page.locator("#radius-out").inner_text()
    shown_after(page, lambda: page.keyboard.press("]"))
    assert page.locator("#radius-out").inner_text() != size
    shown_after(page, lambda: page.keyboard.press("Delete"))
    assert page.locator(".mark").count() == 0
    shown_after(page, lambda: page.keyboard.press("Control+z"))
    assert page.locator(".mark").count() == 1
    shown_after(page, lambda: page.keyboard.press("Control+Shift+z"))
    assert page.locator(".mark").count() == 0
    page.keyboard.down("b")
    assert page.get_attribute("#stage", "data-peeking") == "true"
    page.keyboard.up("b")
    assert page.get_attribute("#stage", "data-peeking") == "false"
    level = page.locator("#zoom-fit").inner_text()
    page.keyboard.press("+")
    assert page.locator("#zoom-fit").inner_text() != level
    page.keyboard.press("0")


# --- ways in ---

MAKE_TRANSFER = """async ([url, name]) => {
  const blob = await (await fetch(url)).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([blob], name, { type: "image/jpeg" }));
  return transfer;
}"""


@pytest.mark.parametrize("way", ["drop", "paste", "example"])
def test_ways_in(open_page: Callable[..., Any], url: str, way: str) -> None:
    page = open_page(url)
    page.wait_for_selector(".example img")

    def bring() -> None:
        if way == "example":
            page.locator(".example").first.click()
            return
        transfer = page.evaluate_handle(MAKE_TRANSFER, ["static/examples/astronaut.jpg", "mother.jpg"])
        kind = "DragEvent" if way == "drop" else "ClipboardEvent"
        field = "dataTransfer" if way == "drop" else "clipboardData"
        page.evaluate(
            "([transfer, way, kind, field]) => document.dispatchEvent("
            "new window[kind](way, { [field]: transfer, bubbles: true, cancelable: true }))",
            [transfer, way, kind, field],
        )

    shown_after(page, bring)
    assert page.locator("#studio").is_visible()
    if way != "example":
        assert page.locator("#photo-name").inner_text() == "mother.jpg"


# --- never in the way ---


def test_input_is_never_blocked_and_stale_renders_are_dropped(
    open_page: Callable[..., Any], url: str
) -> None:
    page = opened(open_page(url))
    asked: list[float] = []

    def slowly(route: Any) -> None:
        body = json.loads(route.request.post_data)
        if not body.get("region"):
            asked.append(body["vividness"])
            time.sleep(0.25)
        route.continue_()

    page.route("**/render", slowly)
    values = [step / 40 for step in range(41)]
    longest = page.evaluate(
        """async values => {
          const slider = document.querySelector('#vividness');
          let longest = 0;
          for (const value of values) {
            const started = performance.now();
            slider.value = value;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            longest = Math.max(longest, performance.now() - started);
            await new Promise(resolve => setTimeout(resolve, 10));
          }
          slider.dispatchEvent(new Event('change', { bubbles: true }));
          return longest;
        }""",
        values,
    )
    page.wait_for_function("() => document.querySelector('#stage').dataset.state === 'idle'")
    assert longest < 100  # ms that the hand waits, though every picture takes 250 and more
    assert len(asked) < len(values) / 2
    assert asked[-1] == 1.0
    shown_after(page, lambda: page.locator("#undo").click())
    assert page.locator("#undo").is_disabled()  # the whole drag was one step


def test_zoom_brings_the_photo_s_own_detail(open_page: Callable[..., Any], url: str, tmp_path: Path) -> None:
    from PIL import Image

    large = tmp_path / "large.jpg"
    with Image.open(PHOTO) as photo:
        photo.resize((3000, 3000)).save(large)
    page = opened(open_page(url), large)
    page.locator("#zoom-fit").click()
    page.wait_for_function("() => document.querySelector('#stage').dataset.detail")
    assert page.locator("#zoom-fit").inner_text() == "100 %"
    sizes = page.evaluate(
        "() => { const d = document.querySelector('#detail'); return [d.width / d.clientWidth, d.hidden] }"
    )
    assert sizes == [pytest.approx(1, abs=0.03), False]  # a photo pixel a screen pixel
    left = page.locator("#sheet").bounding_box()["x"]
    page.mouse.move(500, 400)
    page.mouse.down()
    page.mouse.move(350, 300, steps=3)
    page.mouse.up()
    assert page.locator("#sheet").bounding_box()["x"] == pytest.approx(left - 150, abs=2)
    assert page.locator("#editor").is_hidden()  # a drag is no click


def test_the_wheel_zooms_wherever_it_turns(open_page: Callable[..., Any], url: str) -> None:
    page = opened(open_page(url))
    page.locator("#surface").focus()
    page.keyboard.press("Enter")
    page.locator(".suggestion").first.wait_for()
    shown_after(page, lambda: page.keyboard.press("1"))
    mark, size = page.locator(".mark").bounding_box(), page.locator("#radius-out").inner_text()
    width = page.locator("#sheet").bounding_box()["width"]
    page.mouse.move(mark["x"] + 11, mark["y"] + 11)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"() => document.querySelector('#sheet').offsetWidth > {1.2 * width}")
    assert page.locator("#radius-out").inner_text() == size  # what grew before
    after = page.locator(".mark").bounding_box()
    assert (after["x"], after["y"]) == (pytest.approx(mark["x"], abs=2), pytest.approx(mark["y"], abs=2))
    zoomed = page.locator("#sheet").bounding_box()["width"]
    page.keyboard.down("Alt")
    shown_after(page, lambda: page.mouse.wheel(0, -300))
    page.keyboard.up("Alt")
    assert page.locator("#radius-out").inner_text() != size
    assert page.locator("#sheet").bounding_box()["width"] == zoomed
    grown = page.locator("#radius-out").inner_text()
    page.locator("#surface").focus()
    shown_after(page, lambda: page.keyboard.press("["))  # from anywhere, not only at the dot
    assert page.locator("#radius-out").inner_text() != grown


def test_touch_taps_and_pinches(open_page: Callable[..., Any], url: str) -> None:
    page = opened(open_page(url, 390))
    sheet = page.locator("#sheet").bounding_box()
    x, y = sheet["x"] + sheet["width"] / 2, sheet["y"] + sheet["height"] / 2
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (x - 30, y))
    fingers("touchStart", (x - 30, y), (x + 30, y))
    for spread in (45, 60, 90):
        fingers("touchMove", (x - spread, y), (x + spread, y))
    fingers("touchEnd")
    wide = page.locator("#sheet").bounding_box()["width"]
    assert wide == pytest.approx(3 * sheet["width"], rel=0.15)
    assert page.locator("#editor").is_hidden()
    page.touchscreen.tap(x, y)
    page.locator(".suggestion").first.wait_for()


# --- trouble ---


def test_the_server_forgets_and_nobody_notices(open_page: Callable[..., Any], url: str) -> None:
    page = open_page(url)
    page.expected_faults += ["410"]
    with page.expect_response("**/v1/photos") as answer:
        opened(page)
    photo = answer.value.json()["id"]
    page.evaluate("id => fetch(`v1/photos/${id}`, { method: 'DELETE' })", photo)
    page.locator("#vividness").focus()
    shown_after(page, lambda: page.keyboard.press("End"))
    assert page.locator(".toast").count() == 0


def test_errors_are_sentences(open_page: Callable[..., Any], url: str, tmp_path: Path) -> None:
    page = open_page(url)
    page.expected_faults += ["415", "422", "ERR_FAILED"]
    cases = {
        "letter.jpg": (b"Dear Ada,", "Not a picture in a format that is read"),
        "empty.jpg": (b"", "This file is empty"),
        "broken.jpg": (PHOTO.read_bytes()[:900], "save"),
    }
    for name, (content, told) in cases.items():
        (tmp_path / name).write_bytes(content)
        page.set_input_files("#file", str(tmp_path / name))
        page.locator(".toast", has_text=told).wait_for()
        assert page.locator("#welcome").is_visible()
        page.locator(".toast button").click()
    opened(page)
    for content, told in (
        ("{", "This file is not valid JSON"),
        (
            '{"version": 1, "hints": [{"x": 7, "y": 0, "color": "#ffffff"}]}',
            "Hint 1 in this file is not valid",
        ),
    ):
        (tmp_path / "h.json").write_text(content)
        page.set_input_files("#hints-input", str(tmp_path / "h.json"))
        page.locator(".toast", has_text=told).wait_for()
    page.route("**/render", lambda route: route.abort())
    page.locator("#vividness").focus()
    page.keyboard.press("End")
    page.locator(".toast", has_text="The server does not answer").wait_for()


def test_messages_stack_leave_and_are_spoken_once(
    open_page: Callable[..., Any], url: str, width: int, tmp_path: Path, screenshot: Any
) -> None:
    page = open_page(url, width)
    page.expected_faults += ["415"]
    (tmp_path / "letter.jpg").write_bytes(b"Dear Ada,")
    (tmp_path / "empty.jpg").write_bytes(b"")
    for name in ("letter.jpg", "empty.jpg", "letter.jpg"):
        page.set_input_files("#file", str(tmp_path / name))
        page.wait_for_timeout(300)
    toasts = page.locator(".toast.error")
    assert toasts.count() == 2  # the same words once
    assert page.locator("#alarm[role=alert]").inner_text() == toasts.last.locator("p").inner_text()
    assert page.locator("#toasts").get_attribute("role") is None  # no second voice
    assert page.locator("#toasts").get_attribute("aria-live") is None
    screenshot(page, "errors")
    page.keyboard.press("Escape")
    assert toasts.count() == 1
    opened(page)
    page.wait_for_function("() => !document.querySelector('.toast.error')", timeout=5000)


def test_a_message_leaves_by_itself(open_page: Callable[..., Any], url: str, tmp_path: Path) -> None:
    page = open_page(url)
    page.clock.install()
    (tmp_path / "empty.jpg").write_bytes(b"")
    page.set_input_files("#file", str(tmp_path / "empty.jpg"))
    page.locator(".toast.error").wait_for()
    page.clock.run_for(5_000)
    assert page.locator(".toast.error").count() == 1
    page.clock.run_for(20_000)
    assert page.locator(".toast.error").count() == 0


def test_a_file_too_large_is_told_what_to_do(
    open_page: Callable[..., Any], serve: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "scan.tif").write_bytes(b"II*\0" + bytes(3 << 20))
    with serve("--max-body", "2") as address:
        page = open_page(address)
        page.set_input_files("#file", str(tmp_path / "scan.tif"))
        assert "--max-body 5" in toast(page)


def test_two_tabs_do_not_meet(open_page: Callable[..., Any], url: str) -> None:
    first, second = opened(open_page(url)), opened(open_page(url))
    first.locator("#surface").focus()
    first.keyboard.press("Enter")
    first.locator(".suggestion").first.wait_for()
    shown_after(first, lambda: first.keyboard.press("1"))
    assert (first.locator(".mark").count(), second.locator(".mark").count()) == (1, 0)
    first.close()
    second.locator("#vividness").focus()
    shown_after(second, lambda: second.keyboard.press("End"))


def test_behind_a_token(open_page: Callable[..., Any], serve: Callable[..., Any]) -> None:
    with serve("--token", "open-sesame") as address:
        page = open_page(address)
        assert "token" not in page.url
        opened(page)
        assert page.locator("#photo-name").inner_text() == PHOTO.name


def test_rest_docs_work_offline_under_the_policy(
    open_page: Callable[..., Any], url: str, screenshot: Any
) -> None:
    page = open_page(f"{url}docs")
    page.locator(".opblock").first.wait_for()
    assert page.locator(".opblock").count() >= 12
    screenshot(page, "rest")
