"""What a person does in the studio, on the real server and the embedded model, wide and narrow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from photochrom.color import rgb_to_lab
from photochrom.hints import load_hints
from photochrom.photo import read
from photochrom.provenance import is_marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Studio

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "dust-bowl-home.jpg"
HUT, SKY, SAND = (0.72, 0.55), (0.2, 0.12), (0.3, 0.75)
GREEN = "#3f7a3a"

pytestmark = pytest.mark.browser


def test_a_photo_is_colored_by_itself(studio: Studio, screenshot: Any) -> None:
    lab = studio.lab()
    assert np.hypot(lab[..., 1], lab[..., 2]).mean() > 6
    assert studio.lab_at(SKY)[2] < -5  # the sky is blue
    assert "dust-bowl-home.jpg" in studio.page.title()
    assert studio.page.locator("#announce").inner_text() == "The photo is in color."
    screenshot(studio.page, "automatic")


def test_place_drag_and_undo_a_hint(studio: Studio, screenshot: Any) -> None:
    page = studio.page
    hut, sky = studio.lab_at(HUT), studio.lab_at(SKY)
    studio.place_hint(HUT)
    assert studio.hints == 1
    green = studio.lab_at(HUT)
    assert hut[1] - green[1] > 15  # from brown to green
    assert np.hypot(*(studio.lab_at(SKY) - sky)[1:]) < 5  # and the sky holds
    assert abs(green[0] - hut[0]) < 3  # as does luminance
    screenshot(page, "hint")
    mark = page.locator(".mark").first
    box = mark.bounding_box()
    page.mouse.move(box["x"] + 11, box["y"] + 11)
    page.mouse.down()
    studio.doing(lambda: page.mouse.move(*studio.point(*SAND), steps=6))
    page.mouse.up()
    assert studio.lab_at(SAND)[1] < -5
    assert np.hypot(*(studio.lab_at(HUT) - green)[1:]) > 8
    studio.doing(lambda: studio.press("#undo"))
    assert np.hypot(*(studio.lab_at(HUT) - green)[1:]) < 3
    studio.doing(lambda: studio.press("#undo"))
    assert studio.hints == 0
    assert np.hypot(*(studio.lab_at(HUT) - hut)[1:]) < 3
    assert page.locator("#undo").is_disabled()
    studio.doing(lambda: studio.press("#redo"))
    assert studio.hints == 1


def test_take_a_suggestion_recolor_resize_delete(studio: Studio, screenshot: Any) -> None:
    page = studio.page
    studio.click(SAND)
    suggestions = page.locator(".suggestion")
    suggestions.nth(1).wait_for()
    screenshot(page, "suggestions")
    shares = [text for text in page.locator(".share").all_inner_texts() if text.endswith("%")]
    assert len(shares) == suggestions.count()
    color = suggestions.nth(1).get_attribute("data-color")
    studio.doing(lambda: suggestions.nth(1).click())
    assert page.locator("#hex").input_value() == color
    got = studio.lab_at(SAND)
    wanted = rgb_to_lab(np.frombuffer(bytes.fromhex(color[1:]), np.uint8))
    assert np.hypot(*(got - wanted)[1:]) < 6
    page.locator("#hue").focus()
    studio.doing(lambda: page.keyboard.press("Home"))
    assert page.locator("#hex").input_value() != color
    size = page.locator("#radius-out").inner_text()
    page.locator("#radius").focus()
    studio.doing(lambda: page.keyboard.press("End"))
    assert page.locator("#radius-out").inner_text() != size
    studio.doing(lambda: studio.press("#editor-delete"))
    assert studio.hints == 0
    assert page.locator("#editor").is_hidden()


def test_pin_stroke_and_pick(wide: Studio) -> None:
    page = wide.page
    hut = wide.lab_at(HUT)
    wide.press("[data-tool=pin]")
    wide.doing(lambda: wide.click(HUT))
    assert np.hypot(*(wide.lab_at(HUT) - hut)[1:]) < 5
    if page.locator("#editor").is_visible():
        wide.press("#editor-close")
    wide.press("[data-tool=stroke]")
    page.mouse.move(*wide.point(0.1, 0.9))
    page.mouse.down()
    page.mouse.move(*wide.point(0.5, 0.85), steps=8)
    page.mouse.up()
    page.locator("#editor").wait_for()
    wide.doing(lambda: wide.set_hex("#7a5fa0"))
    wide.press("#pick-color")
    wide.doing(lambda: wide.click(SKY))
    assert page.get_attribute("#stage", "data-tool") == "stroke"  # the tool before
    hints = load_hints(wide.saved_hints())
    assert [bool(hint.path) for hint in hints] == [False, True]
    assert hints[1].ab[1] < 0  # the sky's blue


def test_color_from_another_photo(wide: Studio, tmp_path: Path) -> None:
    other = tmp_path / "other.tif"  # no browser shows a TIFF by itself
    Image.new("RGB", (60, 40), (180, 40, 60)).save(other)
    wide.click(SAND)
    wide.page.set_input_files("#reference-file", str(other))
    wide.page.locator("[data-view=reference]").evaluate("one => one.click()")
    picture = wide.page.locator("#reference-canvas")
    picture.wait_for()
    wide.doing(picture.click)
    assert wide.lab_at(SAND)[1] > 15


def test_where_is_it_guessing(studio: Studio, screenshot: Any) -> None:
    page = studio.page
    studio.press("[data-view=guessing]")
    invitations = page.locator(".invitation")
    invitations.first.wait_for()
    assert 1 <= invitations.count() <= 6
    assert page.locator("#overlay").is_visible()
    screenshot(page, "guessing")
    invitations.first.click()
    page.locator(".suggestion").first.wait_for()
    studio.doing(lambda: page.locator(".suggestion").first.click())
    assert studio.hints == 1
    page.locator("[data-view=guessing]").click()
    assert page.locator("#overlay").is_hidden()


def test_what_did_a_hint_change(studio: Studio, screenshot: Any) -> None:
    studio.place_hint(HUT)
    studio.press("#show-reach")
    studio.page.locator("#legend").wait_for()
    assert "what hint 1 changed" in studio.page.locator("#legend").inner_text()
    alpha = studio.page.evaluate(
        "() => { const c = document.querySelector('#overlay'); const g = c.getContext('2d');"
        " const at = (x, y) => g.getImageData(x * c.width, y * c.height, 1, 1).data[3];"
        f" return [at({HUT[0]}, {HUT[1]}), at({SKY[0]}, {SKY[1]})] }}"
    )
    assert alpha[0] < 60 < 120 < alpha[1]  # lit at the hint, dark at the sky
    screenshot(studio.page, "reach")


def test_before_and_after(studio: Studio, screenshot: Any) -> None:
    page = studio.page
    studio.press("[data-view=compare]")
    divider = page.locator("#divider")
    divider.focus()
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    assert divider.get_attribute("aria-valuenow") == "100"
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    box = page.locator(".divider-grip").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(*studio.point(0.6, 0.5), steps=4)
    page.mouse.up()
    clip = page.evaluate("() => document.querySelector('#after-layers').style.clipPath")
    assert float(clip.rpartition(" ")[2].rstrip("%)")) == pytest.approx(60, abs=3)
    before = studio.lab("#before")
    assert np.hypot(before[..., 1], before[..., 2]).std() < 6  # as it came: one tone
    screenshot(page, "before-and-after")


def test_vividness(studio: Studio) -> None:
    page = studio.page
    if studio.narrow:
        studio.press("[data-view=panel]")
    usual = np.hypot(*studio.lab()[..., 1:].reshape(-1, 2).T).mean()
    page.locator("#vividness").focus()
    studio.doing(lambda: page.keyboard.press("End"))
    assert np.hypot(*studio.lab()[..., 1:].reshape(-1, 2).T).mean() > usual
    studio.doing(lambda: studio.press("#vividness-reset"))
    assert np.hypot(*studio.lab()[..., 1:].reshape(-1, 2).T).mean() == pytest.approx(usual, abs=0.3)


def test_download(studio: Studio, screenshot: Any) -> None:
    page = studio.page
    studio.place_hint(HUT)
    if page.locator("#editor").is_visible():
        studio.press("#editor-close")
    studio.press("#download")
    screenshot(page, "download")
    with page.expect_download() as download:
        studio.press("#download-go")
    assert download.value.suggested_filename == "dust-bowl-home.colorized.jpg"
    original, photo = read(PHOTO), read(Path(download.value.path()).read_bytes())
    assert (photo.format, photo.width, photo.height) == ("jpeg", original.width, original.height)
    assert is_marked(photo.metadata)
    assert photo.metadata.dpi == original.metadata.dpi
    y, x = int(HUT[1] * photo.height), int(HUT[0] * photo.width)
    assert rgb_to_lab(photo.rgb)[y - 3 : y + 4, x - 3 : x + 4, 1].mean() == pytest.approx(
        studio.lab_at(HUT)[1], abs=4
    )
    page.locator("#download-dialog").wait_for(state="hidden")
    studio.press("#download")
    page.select_option("#file-format", "png")
    page.select_option("#file-depth", "16")
    page.uncheck("#file-mark")
    with page.expect_download() as download:
        studio.press("#download-go")
    photo = read(Path(download.value.path()).read_bytes())
    assert (photo.format, photo.bits, is_marked(photo.metadata)) == ("png", 16, False)


def test_a_hints_file_comes_back(
    studio: Studio,
    studio_at: Callable[[Any], Studio],
    open_page: Callable[..., Any],
    url: str,
    width: int,
    tmp_path: Path,
) -> None:
    studio.place_hint(HUT)
    picture = studio.lab()
    saved = studio.saved_hints()
    assert [hint.color for hint in load_hints(saved)] == [GREEN]
    kept = tmp_path / "mine.json"
    kept.write_bytes(saved)
    studio = studio_at(open_page(url, width)).open()  # another browser
    assert studio.hints == 0
    studio.doing(lambda: studio.page.set_input_files("#hints-input", str(kept)))
    assert studio.hints == 1
    assert np.abs(studio.lab() - picture).mean() < 0.5
    again = studio.saved_hints()
    assert json.loads(again) == json.loads(saved)


def test_ideas_side_by_side(studio: Studio, screenshot: Any) -> None:
    page = studio.page
    automatic = studio.small()
    page.locator("[data-view=ideas]").evaluate("one => one.click()")
    ready = page.locator(".idea:not(:disabled)")
    page.wait_for_function("() => document.querySelectorAll('.idea:not(:disabled)').length >= 3")
    screenshot(page, "ideas")
    studio.doing(ready.nth(1).click)
    assert ready.nth(1).get_attribute("aria-pressed") == "true"
    assert studio.hints >= 1
    assert np.abs(studio.small() - automatic)[..., 1:].mean() > 1
    studio.doing(lambda: studio.press("#undo"))
    assert np.abs(studio.small() - automatic).mean() < 0.7


def test_a_palette_and_undo(wide: Studio) -> None:
    page = wide.page
    wide.press(".palette summary")
    page.locator("#palette-color").evaluate("one => { one.value = '#3f7a3a' }")
    wide.doing(lambda: wide.press("#palette-add"))
    lab = wide.lab().reshape(-1, 3)
    colored = lab[np.hypot(lab[:, 1], lab[:, 2]) > 12]
    wanted = rgb_to_lab(np.array([0x3F, 0x7A, 0x3A], np.uint8))
    turn = np.degrees(np.arctan2(colored[:, 2], colored[:, 1]) - np.arctan2(wanted[2], wanted[1]))
    assert np.mean(np.abs((turn + 180) % 360 - 180) < 20) > 0.85
    wide.doing(lambda: page.locator("#palette button").click())
    assert page.locator("#palette li").count() == 0
