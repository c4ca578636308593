"""What comes late, twice or not at all: answers out of order, double clicks, photos that go away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Studio

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "photos").glob("*.jpg"))
HOME = next(path for path in EXAMPLES if path.stem == "dust-bowl-home")
OTHERS = [path for path in EXAMPLES if path != HOME]
HUT = (0.72, 0.55)

pytestmark = pytest.mark.browser


def tile(page: Any, path: Path) -> Any:
    return page.locator(f".tile[title='{path.name}']")


def wait_for_all(page: Any, count: int) -> None:
    page.wait_for_function(
        "count => document.querySelectorAll('.tile[aria-busy=false]').length === count", arg=count
    )


def wait_for_thumbs(page: Any) -> None:
    page.wait_for_function(
        "() => [...document.querySelectorAll('.thumb')].every(c => Math.max(c.width, c.height) === 160)"
    )


class Held:
    """Requests that match are kept until they are let go."""

    def __init__(self, page: Any, pattern: str, method: str = "POST"):
        self.page, self.method = page, method
        self.routes: list[Any] = []
        self.holds = True
        page.route(pattern, self._take)

    def _take(self, route: Any) -> None:
        if self.holds and route.request.method == self.method:
            self.routes.append(route)
        else:
            route.continue_()

    def wait(self, count: int = 1) -> Held:
        for _ in range(200):
            if len(self.routes) >= count:
                return self
            self.page.wait_for_timeout(25)
        raise AssertionError(f"{len(self.routes)} of {count} requests came")

    def let_go(self) -> None:
        self.holds = False
        for route in self.routes:
            route.continue_()


def a_bad_file_behind_a_good_one(page: Any, folder: Path) -> Held:
    """Both are sent and held."""
    (folder / "bad.jpg").write_bytes(b"no picture")
    page.expected_faults.extend(["415", "422"])
    held = Held(page, "**/v1/photos")
    for count, path in enumerate((HOME, folder / "bad.jpg"), 1):
        page.set_input_files("#file", str(path))
        held.wait(count)
    return held


def test_the_picture_of_a_photo_left_meanwhile_is_not_shown(wide: Studio) -> None:
    page = wide.page
    wide.open(OTHERS[0])
    wait_for_all(page, 2)
    wait_for_thumbs(page)
    picture = wide.small()
    held = Held(page, "**/original?*", "GET")
    tile(page, HOME).click()
    held.wait()
    held.holds = False
    wide.doing(lambda: tile(page, OTHERS[0]).click())
    with page.expect_response("**/original?*"):
        held.let_go()
    page.wait_for_timeout(300)
    assert page.locator("#photo-name").inner_text() == OTHERS[0].name
    assert np.abs(wide.small() - picture).mean() < 0.7


def test_a_pin_stays_with_its_photo(wide: Studio) -> None:
    page = wide.page
    wide.open(OTHERS[0])
    wait_for_all(page, 2)
    wide.doing(lambda: tile(page, HOME).click())
    wide.press("[data-tool=pin]")
    held = Held(page, "**/suggest")
    wide.click(HUT)
    held.wait()
    wide.doing(lambda: page.keyboard.press("PageDown"))
    with page.expect_response("**/suggest"):
        held.let_go()
    page.wait_for_timeout(200)
    assert wide.hints == 0
    wide.doing(lambda: page.keyboard.press("PageUp"))
    assert wide.hints == 1


def test_a_hint_made_while_a_reference_is_looked_at_stays(wide: Studio) -> None:
    page = wide.page
    page.evaluate("() => document.querySelector('#reference-file').click = () => {}")
    wide.press("[data-view=reference]")
    page.set_input_files("#reference-file", str(HOME.parents[1] / "astronaut.jpg"))
    page.locator("#reference-match").wait_for()
    held = Held(page, "**/reference")
    wide.press("#reference-match")
    held.wait()
    wide.place_hint(HUT)
    wide.doing(held.let_go)
    assert page.locator(".mark:not(.found)").count() == 1
    assert page.locator(".mark.found").count() > 0


def test_closing_twice_closes_one_that_is_there(wide: Studio) -> None:
    page = wide.page
    held = Held(page, "**/v1/photos")
    page.set_input_files("#file", [str(path) for path in OTHERS[:2]])
    held.wait()
    page.evaluate("() => { const b = document.querySelector('#strip-close'); b.click(); b.click(); }")
    wide.doing(held.let_go)
    wait_for_all(page, 2)
    assert page.locator("#photo-name").inner_text() == OTHERS[0].name
    assert page.locator(".toast.error").count() == 0


def test_a_closed_photo_is_not_sent_again(wide: Studio) -> None:
    page = wide.page
    wide.open(OTHERS[0])
    wait_for_all(page, 2)
    wait_for_thumbs(page)
    sent: list[str] = []
    wide.press("[data-tool=pin]")
    held = Held(page, "**/suggest")
    wide.click(HUT)
    held.wait()
    page.on("request", lambda one: sent.append(one.url) if one.url.endswith("/v1/photos") else None)
    with page.expect_response(lambda one: one.request.method == "DELETE"):
        wide.doing(lambda: wide.press("#strip-close"))
    page.expected_faults.extend(["404", "410"])
    with page.expect_response("**/suggest"):
        held.let_go()
    page.wait_for_timeout(300)
    assert sent == []
    assert page.locator(".toast.error").count() == 0


def test_a_bad_file_leaves_the_photo_before_it_at_work(wide: Studio, tmp_path: Path) -> None:
    page = wide.page
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    page.expected_faults.extend(["415", "422"])
    page.set_input_files("#file", str(tmp_path / "bad.jpg"))
    page.locator(".toast.error").wait_for()
    assert page.locator("#busy").is_hidden()
    wide.place_hint(HUT)


def test_a_bad_file_right_behind_a_good_one_does_not_hide_it(
    open_page: Callable[..., Any], url: str, studio_at: Callable[[Any], Studio], tmp_path: Path
) -> None:
    page = open_page(url)
    held = a_bad_file_behind_a_good_one(page, tmp_path)
    held.let_go()
    page.locator(".toast.error").wait_for()
    studio_at(page).wait_for_colors(0)
    assert page.locator("#photo-name").inner_text() == HOME.name
    assert page.locator("#busy").is_hidden()


def test_a_photo_called_for_twice_while_it_opens_is_shown_once(
    open_page: Callable[..., Any], url: str, studio_at: Callable[[Any], Studio], tmp_path: Path
) -> None:
    """The bad file fails first, and the good one, still on its way, is called for again."""
    page = open_page(url)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/original?" in one.url else None)
    held = a_bad_file_behind_a_good_one(page, tmp_path)
    with page.expect_response(lambda one: one.status in (415, 422)):
        held.routes.pop().continue_()
    page.wait_for_function("() => document.querySelectorAll('.tile').length === 1")
    held.let_go()
    studio_at(page).wait_for_colors(0)
    assert page.locator("#photo-name").inner_text() == HOME.name
    assert len(asked) == 1


def test_a_photo_that_could_not_be_shown_can_be_tried_again(wide: Studio) -> None:
    page = wide.page
    wide.open(OTHERS[0])
    wait_for_all(page, 2)
    wait_for_thumbs(page)
    page.expected_faults.append("Failed to load resource")
    page.route("**/original?*", lambda route: route.abort())
    tile(page, HOME).click()
    page.locator(".toast.error", has_text="does not answer").wait_for()
    assert page.locator("#busy").is_hidden()
    page.unroute("**/original?*")
    wide.doing(lambda: tile(page, OTHERS[0]).click())
    assert page.locator("#photo-name").inner_text() == OTHERS[0].name
    wide.place_hint(HUT)


def test_more_ideas_leave_none_of_those_before(wide: Studio) -> None:
    page = wide.page
    held = Held(page, "**/proposals")
    wide.press("[data-view=ideas]")
    held.wait()
    wide.press(".idea-more")
    held.let_go()
    page.wait_for_function("() => !document.querySelector('.idea:disabled')")
    wide.press("#ideas-large")
    names = page.locator("#side-by-side-list p").all_inner_texts()
    assert names == ["Your picture", *(f"Idea {at}" for at in range(1, len(names)))]


def test_ideas_that_failed_are_asked_for_again(wide: Studio) -> None:
    page = wide.page
    page.expected_faults.append("Failed to load resource")
    page.route("**/proposals", lambda route: route.abort(), times=1)
    wide.press("[data-view=ideas]")
    page.locator(".toast.error", has_text="does not answer").wait_for()
    wide.press("[data-close=ideas]")
    wide.press("[data-view=ideas]")
    page.wait_for_function("() => document.querySelector('.idea:not(:disabled)')")


def test_a_bad_saved_file_is_told_where_it_is_seen(wide: Studio, tmp_path: Path) -> None:
    page = wide.page
    (tmp_path / "bad.json").write_text("{")
    wide.press("#keep")
    page.set_input_files("#hints-input", str(tmp_path / "bad.json"))
    page.locator(".toast.error", has_text="not valid JSON").wait_for()
    assert not page.locator("#keep-dialog").is_visible()


def test_files_that_changed_or_went_while_they_waited_are_called_so(wide: Studio, tmp_path: Path) -> None:
    page = wide.page
    paths = [tmp_path / name for name in ("a.jpg", "b.jpg", "c d.jpg")]
    for path in paths:
        path.write_bytes(OTHERS[0].read_bytes())
    held = Held(page, "**/v1/photos")
    page.set_input_files("#file", [str(path) for path in paths])
    held.wait()
    paths[1].unlink()
    paths[2].write_bytes(OTHERS[1].read_bytes())
    held.let_go()
    page.locator(".toast.error", has_text="b.jpg: This file is empty or gone").wait_for()
    page.locator(".toast.error", has_text="c d.jpg: This file has changed").wait_for()


def test_a_download_that_was_cancelled_does_not_close_the_next(wide: Studio) -> None:
    page = wide.page
    wide.open(OTHERS[0])
    wait_for_all(page, 2)
    held = Held(page, "**/v1/photos")
    page.set_input_files("#file", str(OTHERS[1]))
    held.wait()
    wide.press("#download")
    page.check("#download-all")
    page.evaluate("() => document.querySelector('#download-go').click()")
    page.locator("#download-progress").wait_for()
    page.wait_for_function("() => document.querySelector('#download-progress').value > 0.6")
    wide.press("#download-dialog [data-cancel]")
    wide.press("#download")
    held.let_go()
    page.wait_for_function("() => !document.querySelector('#download-go').disabled")
    assert page.locator("#download-dialog").is_visible()


def test_the_focus_stays_in_a_list_that_is_drawn_anew(wide: Studio) -> None:
    page = wide.page
    for place in (HUT, (0.3, 0.8)):
        wide.place_hint(place)
        wide.press("#editor-close")
    page.locator(".hint-row").nth(1).focus()
    page.keyboard.press("Enter")
    focused = "() => [document.activeElement.className, document.activeElement.textContent]"
    kind, text = page.evaluate(focused)
    assert kind == "hint-row"
    assert text.startswith("2.")
    page.evaluate("() => document.querySelector('.history').open = true")
    page.locator(".step").nth(1).focus()
    wide.doing(lambda: page.keyboard.press("Enter"))
    assert page.evaluate(focused)[0] == "step"
    assert page.evaluate("() => document.activeElement.getAttribute('aria-current')") == "step"


def test_page_keys_on_a_slider_move_the_slider(wide: Studio) -> None:
    page = wide.page
    wide.open(OTHERS[0])
    before = float(page.input_value("#vividness"))
    page.locator("#vividness").focus()
    wide.doing(lambda: page.keyboard.press("PageUp"))
    assert float(page.input_value("#vividness")) > before
    assert page.locator("#photo-name").inner_text() == OTHERS[0].name


def test_a_drag_on_the_wheel_is_one_step(wide: Studio) -> None:
    page = wide.page
    wide.place_hint(HUT)
    wheel = page.locator("#wheel").bounding_box()
    middle = (wheel["x"] + wheel["width"] / 2, wheel["y"] + wheel["height"] / 2)
    for _ in range(2):
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + 30, middle[1] + 10, steps=3)
        page.mouse.up()
    steps = page.locator("#history .step").count()
    cancel = json.dumps({"pointerId": 1, "bubbles": True})
    page.evaluate(
        f"() => document.querySelector('#wheel').dispatchEvent(new PointerEvent('pointercancel', {cancel}))"
    )
    assert page.locator("#history .step").count() == steps == 4


def test_a_thumbnail_that_fails_keeps_none_of_the_others(wide: Studio) -> None:
    page = wide.page
    page.expected_faults.append("Failed to load resource")
    refused: list[str] = []

    def refuse(route: Any) -> None:
        """The first thumbnail that is asked for, each time."""
        wanted = json.loads(route.request.post_data)
        if wanted.get("side") == 160 and (not refused or refused[0] == route.request.url):
            refused.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/render", refuse)
    page.set_input_files("#file", [str(path) for path in OTHERS[:2]])
    wait_for_all(page, 3)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.thumb')].filter(({ width }) => width > 4).length === 2"
    )
    assert refused
