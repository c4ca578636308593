"""Work that is not lost: sessions, project files, and several photos side by side."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from photochrom.look import Look
from photochrom.photo import read
from photochrom.provenance import is_marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Studio

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "photos").glob("*.jpg"))
HOME = next(path for path in EXAMPLES if path.stem == "dust-bowl-home")
HUT, GREEN = (0.72, 0.55), "#3f7a3a"

pytestmark = pytest.mark.browser


def saved_project(studio: Studio) -> bytes:
    studio.press("#keep")
    with studio.page.expect_download() as download:
        studio.press("#project-save")
    assert download.value.suggested_filename == "dust-bowl-home.photochrom.json"
    return Path(download.value.path()).read_bytes()


def wait_for_all(page: Any, count: int) -> None:
    page.wait_for_function(
        "count => document.querySelectorAll('.tile[aria-busy=false]').length === count", arg=count
    )


def tile(page: Any, path: Path) -> Any:
    return page.locator(f".tile[title='{path.name}']")


# --- sessions ---


def test_work_survives_a_reload(studio: Studio, screenshot: Any) -> None:
    page = studio.page
    studio.place_hint(HUT)
    picture = studio.lab()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]  # it is kept, but in no file yet
    studio.open()
    assert studio.hints == 1
    assert np.abs(studio.lab() - picture).mean() < 0.5
    back = page.locator(".toast", has_text="Your earlier work")
    back.wait_for()
    screenshot(page, "earlier-work")
    studio.doing(lambda: back.get_by_role("button", name="Start over").click())
    assert studio.hints == 0
    studio.doing(lambda: studio.press("#redo"))  # and even that can be taken back
    assert studio.hints == 1


def test_leaving_asks_only_where_there_is_unsaved_work(wide: Studio) -> None:
    page, asked = wide.page, []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    wide.open()
    wide.place_hint(HUT)
    saved_project(wide)
    page.reload()
    assert asked == []
    wide.open()
    assert wide.hints == 1


def test_a_second_photo_takes_nothing_away(wide: Studio) -> None:
    wide.place_hint(HUT)
    picture = wide.small()
    wide.open(EXAMPLES[0])
    assert wide.hints == 0
    wide.doing(lambda: tile(wide.page, HOME).click())
    assert wide.hints == 1
    assert np.abs(wide.small() - picture).mean() < 0.7


# --- the project file ---


def test_a_project_goes_to_another_browser(
    studio: Studio,
    studio_at: Callable[[Any], Studio],
    open_page: Callable[..., Any],
    url: str,
    width: int,
    tmp_path: Path,
) -> None:
    studio.place_hint(HUT)
    studio.drag_vividness(0.6)
    studio.page.wait_for_timeout(600)
    picture, saved = studio.lab(), saved_project(studio)
    project = json.loads(saved)
    assert project["version"] == 1
    assert project["photo"] == {
        "name": HOME.name,
        "sha256": hashlib.sha256(HOME.read_bytes()).hexdigest(),
    }
    look = Look.from_json(project["look"])  # what `photochrom colorize --look` takes from the file
    assert (look.vividness, look.palette, look.keep_color) == (0.6, (), False)
    assert [hint.color for hint in look.hints] == [GREEN]
    assert project["history"][0]["did"] == "Automatic colors"
    assert len(project["history"]) == 3
    (tmp_path / "work.photochrom.json").write_bytes(saved)
    other = studio_at(open_page(url, width))
    other.page.set_input_files("#file", str(tmp_path / "work.photochrom.json"))  # before its photo
    other.page.locator(".toast", has_text=f"belongs to {HOME.name}").wait_for()
    other.open()
    assert other.hints == 1
    assert np.abs(other.lab() - picture).mean() < 0.7
    other.doing(lambda: other.press("#undo"))
    other.doing(lambda: other.press("#undo"))
    assert other.hints == 0


def test_a_project_of_another_photo_may_be_used_here(wide: Studio, tmp_path: Path) -> None:
    wide.place_hint(HUT)
    (tmp_path / "work.json").write_bytes(saved_project(wide))
    wide.open(EXAMPLES[0])
    page = wide.page
    page.locator("#strip-close").click()  # closes the second; the first is on the stage again
    page.wait_for_function("() => document.querySelectorAll('.mark').length === 1")
    project = json.loads((tmp_path / "work.json").read_text())
    project["photo"] = {"name": "other.jpg", "sha256": "1" * 64}
    project["look"]["hints"]["hints"][0]["color"] = "#803020"
    (tmp_path / "work.json").write_text(json.dumps({**project, "history": []}))
    page.set_input_files("#hints-input", str(tmp_path / "work.json"))
    wide.doing(lambda: page.locator(".toast").get_by_role("button", name="Use it here").click())
    assert wide.lab_at(HUT)[1] > 10


# --- several photos ---


def test_each_photo_keeps_its_own(studio: Studio, screenshot: Any) -> None:
    page = studio.page
    studio.open(*EXAMPLES)
    wait_for_all(page, len(EXAMPLES) + 1)  # the home twice
    page.wait_for_function(
        "() => [...document.querySelectorAll('.thumb')].every(c => Math.max(c.width, c.height) === 160)"
    )
    screenshot(page, "strip")
    studio.place_hint((0.5, 0.5))
    assert studio.hints == 1
    if page.locator("#editor").is_visible():
        studio.press("#editor-close")
    studio.doing(lambda: page.keyboard.press("PageDown"))
    assert studio.hints == 0
    studio.doing(lambda: page.keyboard.press("PageUp"))
    assert studio.hints == 1


def test_a_look_for_all_and_all_as_a_zip(wide: Studio, screenshot: Any) -> None:
    page = wide.page
    usual = page.locator("#vividness-out").inner_text()
    wide.place_hint(HUT)
    others = [path for path in EXAMPLES if path != HOME]
    page.set_input_files("#file", [str(path) for path in others])
    wait_for_all(page, len(EXAMPLES))
    wide.doing(lambda: tile(page, HOME).click())
    wide.drag_vividness(0.9)
    page.locator("#look-for-all").click()
    page.locator(".toast", has_text="All photos have this look").get_by_role("button", name="Undo").click()
    page.locator("#look-for-all").click()
    page.keyboard.press("Control+s")
    page.check("#download-all")
    assert page.locator("#file-format").input_value() == ""
    screenshot(page, "download-all")
    with page.expect_download() as download:
        page.locator("#download-go").click()
    assert download.value.suggested_filename == "photochrom.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        stems = {path.stem for path in EXAMPLES}
        assert names == {f"{stem}.colorized.jpg" for stem in stems} | {
            f"{stem}.photochrom.json" for stem in stems
        }
        for path in EXAMPLES:
            project = json.loads(archive.read(f"{path.stem}.photochrom.json"))
            assert project["look"]["vividness"] == 0.9
            assert len(project["look"]["hints"]["hints"]) == (path == HOME)
            photo = read(archive.read(f"{path.stem}.colorized.jpg"))
            assert is_marked(photo.metadata)
            with Image.open(path) as original:
                assert (photo.width, photo.height) == original.size
    wide.doing(lambda: tile(page, others[0]).click())
    wide.doing(lambda: wide.press("#undo"))  # of this photo alone
    assert page.locator("#vividness-out").inner_text() == usual


def test_bad_files_among_many_are_named(wide: Studio, tmp_path: Path) -> None:
    page = wide.page
    page.expected_faults += ["415"]
    (tmp_path / "letter.jpg").write_bytes(b"Dear Ada,")
    page.set_input_files("#file", [str(EXAMPLES[0]), str(tmp_path / "letter.jpg"), str(EXAMPLES[1])])
    page.locator(".toast.error", has_text="letter.jpg").wait_for()
    wait_for_all(page, 3)


def test_a_folder(open_page: Callable[..., Any], url: str, tmp_path: Path) -> None:
    for name in ("10.jpg", "9.jpg", "9.colorized.jpg"):
        (tmp_path / name).write_bytes(EXAMPLES[0].read_bytes() + name.encode())
    (tmp_path / "notes.txt").write_text("Aunt Ada")
    page = open_page(url)
    page.set_input_files("#folder", str(tmp_path))
    wait_for_all(page, 2)
    assert page.locator(".tile").evaluate_all("all => all.map(one => one.title)") == ["9.jpg", "10.jpg"]


def small_photos(folder: Path, count: int, side: int = 400) -> list[str]:
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        grain = rng.integers(40, 220, (6, 8), dtype=np.uint8)
        photo = Image.fromarray(grain).resize((side, side * 3 // 4), Image.Resampling.BICUBIC)
        paths.append(str(folder / f"{number:03}.jpg"))
        photo.save(paths[-1])
    return paths


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_more_photos_than_the_memory_holds(
    open_page: Callable[..., Any],
    studio_at: Callable[[Any], Studio],
    serve: Callable[..., Any],
    tmp_path: Path,
    count: int,
) -> None:
    """Each takes some 25 MiB of the 100: the least used are put down, and come back when they are wanted."""
    with serve("--memory", "100") as address:
        page = open_page(address)
        page.expected_faults += ["410", "429"]
        page.set_default_timeout(900_000 if count > 50 else 120_000)
        page.set_input_files("#file", small_photos(tmp_path, count))
        wait_for_all(page, count)
        studio = studio_at(page)
        studio.doing(lambda: page.locator(".tile").nth(1).click())
        studio.place_hint((0.5, 0.5))
        page.keyboard.press("Control+s")
        page.check("#download-all")
        with page.expect_download() as download:
            page.locator("#download-go").click()
        with zipfile.ZipFile(download.value.path()) as archive:
            assert len(archive.namelist()) == 2 * count
        assert page.locator(".toast.error").count() == 0


def test_twelve_photos_are_quickly_through(wide: Studio, tmp_path: Path, record_property: Any) -> None:
    page = wide.page
    started = time.monotonic()
    page.set_input_files("#file", small_photos(tmp_path, 12, 1600))
    wait_for_all(page, 13)
    page.keyboard.press("Control+s")
    page.check("#download-all")
    with page.expect_download():
        page.locator("#download-go").click()
    seconds = time.monotonic() - started
    record_property("seconds", seconds)
    assert seconds < 60  # 20 on two quiet cores


def test_a_new_user_s_path(
    open_page: Callable[..., Any],
    studio_at: Callable[[Any], Studio],
    url: str,
    tmp_path: Path,
    record_property: Any,
) -> None:
    """Open 12 megapixels, see them in color, and see the first hint."""
    with Image.open(HOME) as photo:
        photo.resize((4000, 3000)).save(tmp_path / "large.jpg")
    studio = studio_at(open_page(url))
    started = time.monotonic()
    studio.open(tmp_path / "large.jpg")
    record_property("automatic", time.monotonic() - started)
    studio.click(HUT)
    studio.page.locator(".suggestion").first.wait_for()
    studio.doing(lambda: studio.page.keyboard.press("1"))
    seconds = time.monotonic() - started
    record_property("hint", seconds)
    assert seconds < 20  # 4 on two quiet cores


def test_a_photo_of_an_earlier_session_is_offered_on_the_first_page(
    open_page: Callable[..., Any], studio_at: Callable[[Any], Studio], url: str
) -> None:
    """The browser keeps a handle to a dropped file; here it is one of its own file system."""
    page = open_page(url)
    page.evaluate(
        """async () => {
          const root = await navigator.storage.getDirectory();
          const handle = await root.getFileHandle("mother.jpg", { create: true });
          const writer = await handle.createWritable();
          await writer.write(await (await fetch("static/examples/astronaut.jpg")).blob());
          await writer.close();
          const { keep } = await import("./static/js/sessions.js");
          await keep({ sha256: "0".repeat(64), name: "mother.jpg", when: Date.now(), project: {}, handle });
        }"""
    )
    page.reload()
    studio = studio_at(page)
    studio.doing(lambda: page.locator("#recent button", has_text="mother.jpg").click())
    assert page.locator("#photo-name").inner_text() == "mother.jpg"


# --- another photo's colors ---


def test_a_grey_reference_is_refused_at_once(wide: Studio, tmp_path: Path) -> None:
    Image.new("L", (60, 40), 120).save(tmp_path / "gray.jpg")
    asked = []
    wide.page.on("request", lambda request: asked.append(request.url))
    wide.page.set_input_files("#reference-file", str(tmp_path / "gray.jpg"))
    wide.page.locator(".toast.error", has_text="gray.jpg has no colors to take").wait_for()
    assert not [url for url in asked if "/v1/" in url]
    assert wide.page.locator("#reference-match").is_hidden()


def test_a_reference_that_only_the_server_reads_is_put_down_again(wide: Studio, tmp_path: Path) -> None:
    """Each took the memory of a photo for an hour."""
    with Image.open(HOME.parents[1] / "astronaut.jpg") as photo:
        photo.resize((200, 200)).save(tmp_path / "aunt.tif")
    asked: list[tuple[str, str]] = []
    wide.page.on("request", lambda request: asked.append((request.method, request.url.rpartition("/v1/")[2])))
    with wide.page.expect_request(lambda request: request.method == "DELETE"):
        wide.page.set_input_files("#reference-file", str(tmp_path / "aunt.tif"))
    methods = [method for method, _ in asked]
    assert methods.index("POST") < methods.index("GET") < methods.index("DELETE")
    wide.page.wait_for_function("() => !document.querySelector('#reference-canvas').hidden")


def test_what_a_reference_gives_is_one_row(wide: Studio) -> None:
    """Thirty dots and thirty rows covered the photo and the list."""
    page = wide.page
    wide.place_hint(HUT)
    page.set_input_files("#reference-file", str(HOME.parents[1] / "astronaut.jpg"))
    page.locator("[data-view=reference]").evaluate("one => one.click()")
    wide.doing(lambda: page.locator("#reference-match").click())
    group = page.locator(".group")
    assert "colors from another photo" in group.inner_text()
    found = int(group.inner_text().split()[0])
    assert found > 3
    assert page.locator(".hint-row").count() == 1
    assert page.locator(".mark:visible").count() == 1
    group.get_by_role("button", name="Show").click()
    assert page.locator(".hint-row").count() == found + 1
    assert page.locator(".mark:visible").count() == found + 1
    wide.doing(lambda: page.locator(".group").get_by_role("button", name="Remove").click())
    assert wide.hints == 1
    wide.doing(lambda: wide.press("#undo"))
    assert wide.hints == found + 1


def test_an_idea_is_shown_large_while_it_is_looked_at(wide: Studio) -> None:
    page = wide.page
    page.keyboard.press("i")
    ready = page.locator(".idea:not(:disabled)")
    page.wait_for_function("() => document.querySelectorAll('.idea:not(:disabled)').length >= 3")
    automatic = wide.small()
    ready.nth(1).hover()
    page.wait_for_timeout(1500)
    assert np.abs(wide.small() - automatic)[..., 1:].mean() > 1
    wide.doing(lambda: page.mouse.move(5, 5))
    assert np.abs(wide.small() - automatic).mean() < 0.7
    assert wide.hints == 0


def test_ideas_side_by_side_at_full_size(studio: Studio, screenshot: Any) -> None:
    page = studio.page
    if studio.narrow:
        page.locator("[data-view=ideas]").click()
    else:
        page.keyboard.press("i")
    page.wait_for_function("() => document.querySelectorAll('.idea:not(:disabled)').length >= 4")

    def settled(act: Callable[[], Any]) -> None:
        before = int(page.locator("#side-by-side").get_attribute("data-shown") or 0)
        act()
        page.wait_for_function(
            "before => Number(document.querySelector('#side-by-side').dataset.shown) > before", arg=before
        )

    settled(lambda: page.locator("#ideas-large").click())
    frames = page.locator(".side-frame")
    assert frames.count() == 5
    assert frames.first.get_attribute("aria-label") == "Take Your picture"
    assert len({round(frame.bounding_box()["width"]) for frame in frames.all()}) == 1
    screenshot(page, "ideas-side-by-side")
    settled(lambda: page.keyboard.press("z"))
    assert page.locator("#side-fit").inner_text() in ("100 %", "Fit")
    screenshot(page, "ideas-side-by-side-full")
    frames.nth(2).click()
    assert page.locator("#side-by-side").is_hidden()
    page.wait_for_function("() => document.querySelectorAll('.mark').length > 0")
    studio.doing(lambda: studio.press("#undo"))
    assert studio.hints == 0


# --- only here ---


def test_a_hint_is_bounded_by_an_outline(studio: Studio, screenshot: Any) -> None:
    """Of two places of one hut, the one outside keeps its color."""
    page = studio.page
    inside, outside = (0.6, 0.6), (0.85, 0.62)
    studio.place_hint(inside)
    free = studio.lab_at(outside)
    page.locator("#only-here").click()
    corners = [(0.5, 0.3), (0.7, 0.3), (0.7, 0.8), (0.5, 0.8), (0.5, 0.32)]
    page.mouse.move(*studio.point(*corners[0]))
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*studio.point(*corner), steps=5)
    studio.doing(page.mouse.up)
    assert page.locator("#only-here").get_attribute("aria-pressed") == "true"
    assert page.locator("polygon.bound").count() == 2
    assert page.get_attribute("#stage", "data-tool") == "hint"  # the tool before is back
    bound = studio.lab_at(outside)
    assert np.hypot(*(bound - free)[1:]) > 8
    assert studio.lab_at(inside)[1] < -5
    screenshot(page, "only-here")
    studio.doing(lambda: studio.press("#only-here"))  # everywhere again
    assert np.hypot(*(studio.lab_at(outside) - free)[1:]) < 2
    studio.doing(lambda: studio.press("#undo"))
    project = json.loads(saved_project(studio))
    assert 4 <= len(project["look"]["hints"]["hints"][0]["within"]) <= 8


def test_reach_is_set_for_each_hint(studio: Studio, screenshot: Any) -> None:
    """Narrower and wider, one step each in the history, in the project and after undo."""

    def drag(value: float) -> None:
        slider = page.locator("#reach")
        slider.evaluate("(one, value) => { one.value = value; one.dispatchEvent(new Event('input')) }", value)
        slider.dispatch_event("change")

    page, automatic = studio.page, studio.small()
    studio.place_hint(HUT)

    def moved() -> float:
        return float(np.abs(studio.small() - automatic)[..., 1:].mean())

    usual = moved()
    studio.doing(lambda: drag(-1))
    assert page.locator("#reach-out").inner_text() == "× 0.1"
    assert moved() < 0.5 * usual
    screenshot(page, "reach")
    project = json.loads(saved_project(studio))
    assert project["look"]["hints"]["hints"][0]["reach"] == 0.1
    assert [step["did"] for step in project["history"]][-1] == "Hint 1: reach × 0.1"
    studio.doing(lambda: drag(0.6))
    assert moved() > usual + 0.005  # the hut is found whole as it is
    studio.doing(lambda: studio.press("#undo"))
    studio.doing(lambda: studio.press("#undo"))
    assert moved() == pytest.approx(usual, rel=0.01)
    assert page.locator("#reach-out").inner_text() == "× 0.6"


def test_all_of_this_kind(
    open_page: Callable[..., Any], studio_at: Callable[[Any], Studio], url: str
) -> None:
    """A hint on a face that is for all skin says something else than one for the face alone."""
    portrait = next(path for path in EXAMPLES if path.stem == "astronaut")
    studio = studio_at(open_page(url)).open(portrait)
    face, hand = (0.44, 0.2), (0.44, 0.25)
    studio.place_hint(face, "#a06a48")
    before = studio.lab()
    studio.doing(lambda: studio.press("#alike"))
    assert studio.page.locator("#alike").get_attribute("aria-pressed") == "true"
    assert np.abs(studio.lab() - before)[..., 1:].max() > 3  # it means something else now
    assert np.hypot(*(studio.lab_at(hand) - studio.lab_at(face))[1:]) < 15
    assert "all of this kind" in studio.page.locator(".hint-row").inner_text()


def test_only_here_by_keyboard(wide: Studio) -> None:
    wide.place_hint(HUT)
    wide.page.locator("#only-here").focus()
    wide.doing(lambda: wide.page.keyboard.press("Enter"))
    (hint,) = json.loads(saved_project(wide))["look"]["hints"]["hints"]
    assert len(hint["within"]) == 12


# --- history, dots, ruler ---


def test_history_goes_anywhere(studio: Studio, screenshot: Any) -> None:
    page = studio.page
    automatic = studio.lab()
    studio.place_hint(HUT)
    studio.doing(lambda: studio.set_hex("#803020"))
    if studio.narrow:
        studio.press("#editor-close")
        studio.press("[data-view=panel]")
    page.locator(".history summary").click()
    steps = page.locator(".step")
    assert steps.all_inner_texts()[-1] == "Automatic colors"
    assert steps.count() == 3
    screenshot(page, "history")
    studio.doing(steps.last.click)
    assert np.abs(studio.lab() - automatic).mean() < 0.7
    studio.doing(steps.nth(1).click)
    assert studio.lab_at(HUT)[1] < -5
    studio.doing(steps.first.click)
    assert studio.lab_at(HUT)[1] > 10
    assert steps.first.get_attribute("aria-current") == "step"


def test_dots_hide_and_the_photo_fits(wide: Studio) -> None:
    page = wide.page
    wide.place_hint(HUT)
    page.locator("#surface").focus()
    page.keyboard.press("d")
    assert page.locator(".mark").is_hidden()
    page.keyboard.press("d")
    assert page.locator(".mark").is_visible()
    page.keyboard.press("z")
    assert page.locator("#zoom-fit").inner_text() == "100 %"
    page.keyboard.press("f")
    assert page.locator("#zoom-fit").inner_text() == "Fit"
    sheet, zoom = page.locator("#sheet").bounding_box(), page.locator(".zoom").bounding_box()
    assert sheet["y"] + sheet["height"] <= zoom["y"]  # the bar covers no corner of the photo


def test_the_ruler_shows_the_photo_s_colors(wide: Studio) -> None:
    page = wide.page
    parts = page.locator(".ruler-part")
    parts.first.wait_for()
    assert 2 <= parts.count() <= 12
    names = parts.evaluate_all("all => all.map(one => one.title.split(',')[0])")
    assert len(set(names)) == len(names)
    wide.click(HUT)
    page.locator("#editor").wait_for()
    wide.doing(parts.first.click)
    assert wide.hints == 1


def test_a_material_colors_a_thing(studio: Studio) -> None:
    page = studio.page
    studio.click((0.3, 0.75))
    page.locator(".material", has_text="grass").wait_for()
    studio.doing(lambda: page.locator(".material", has_text="grass").click())
    lab = studio.lab_at((0.3, 0.75))
    assert lab[1] < -5 < 10 < lab[2]


def test_a_photo_that_fails_is_not_in_the_zip_and_not_called_saved(studio: Studio) -> None:
    """It took the whole ZIP file with it."""
    page = studio.page
    page.expected_faults += ["500"]
    studio.place_hint(HUT)
    page.set_input_files("#file", str(next(path for path in EXAMPLES if path != HOME)))
    wait_for_all(page, 2)
    files = []

    def answer(route: Any) -> None:
        whole = "side" not in (route.request.post_data_json or {})
        files.extend([route] if whole else [])
        if whole and len(files) == 1:
            route.fulfill(status=500, json={"detail": "the disk is full"})
        else:
            route.continue_()

    page.route("**/render", answer)
    page.keyboard.press("Control+s")
    page.check("#download-all")
    with page.expect_download() as download:
        page.locator("#download-go").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert len(archive.namelist()) == 2
        assert not [name for name in archive.namelist() if name.startswith(HOME.stem)]
    told = page.locator(".toast.error").inner_text()
    assert "Not in the ZIP file: dust-bowl-home.jpg: The disk is full." in told
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]
