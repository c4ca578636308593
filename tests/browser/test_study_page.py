"""The study's page in a real browser: guessing, knowing, keyboard, reload in the middle, a phone."""

from __future__ import annotations

import os
import random
import shutil
import socket
import threading
import time
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from photochrom.evaluation.photos import PhotoSet
from photochrom.evaluation.predictors import Grey, MeanColor
from photochrom.evaluation.protocols import PROTOCOLS
from photochrom.evaluation.study.answers import Answers
from photochrom.evaluation.study.design import Study, create
from photochrom.evaluation.study.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
REQUIRED = os.environ.get("PHOTOCHROM_REQUIRE_BROWSER") == "1"


def needed(module: str, advice: str) -> Any:
    """A module that these tests need: without it they are skipped, or fail where a browser is required."""
    return import_module(module) if REQUIRED else pytest.importorskip(module, reason=advice)


if not (CHROMIUM.exists() or REQUIRED):
    pytest.skip("needs Debian's /usr/bin/chromium: apt-get install chromium", allow_module_level=True)
needed("fastapi", "needs the extra [serve]")
playwright = needed("playwright.sync_api", "needs playwright: pip install playwright")
expect = playwright.expect

pytestmark = pytest.mark.browser
PAIRS, PRACTICE, PREFERENCE = 12, 2, 2
FAST = "const slow = window.setTimeout; window.setTimeout = (f, ms) => slow(f, ms / 40);"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "PHOTOCHROM_REQUIRE_BROWSER=1, but there is no /usr/bin/chromium"
    with playwright.sync_playwright() as play:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = play.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of random colored squares: what is in the pictures does not matter here."""
    place = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    (place / "truth").mkdir()
    for number in range(PAIRS + PRACTICE):
        blocks = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((64, 64)).save(place / "truth" / f"{number:02d}.png")
    photos = PhotoSet.open(place / "truth", PROTOCOLS["photos"])
    models = [Grey(), MeanColor()]
    create(place / "s", photos, models, pairs=PAIRS, practice=PRACTICE, preference=PREFERENCE)
    return place / "s"


@pytest.fixture
def study(template: Path, tmp_path: Path) -> Study:
    shutil.copytree(template, tmp_path / "s")
    return Study.open(tmp_path / "s")


@pytest.fixture
def address(study: Study) -> Iterator[str]:
    """The study served on a free port."""
    import uvicorn

    from photochrom.server.access import LOOPBACK, Access
    from photochrom.server.study import create_study_app

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = create_study_app(study, Access(LOOPBACK))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A fresh browser at the page, its waits forty times shorter."""
    context = browser.new_context()
    context.add_init_script(FAST)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.wait_for_selector("#welcome:not([hidden])")
    yield page
    context.close()
    assert faults == []


def wait_for_choice(page: Page) -> None:
    page.wait_for_selector("#pair.choosing")


def answer(page: Page, key: str) -> None:
    """Press a key once the page asks, and wait until the answer is taken."""
    wait_for_choice(page)
    with page.expect_response(lambda response: response.url.endswith("/answers")) as taken:
        page.keyboard.press(key)
    assert taken.value.ok, taken.value.text()


def go_through(page: Page, study: Study, choose: dict[str, str] | random.Random) -> None:
    """All trials of participant 0, from the welcome to the end."""
    page.keyboard.press("Enter")
    for trial in study.trials(0):
        if trial.index == PRACTICE:
            expect(page.locator("#pause")).to_be_visible()
            page.keyboard.press("Enter")
        if trial.kind == "preference":
            answer(page, "Space")
        elif isinstance(choose, random.Random):
            answer(page, choose.choice(["ArrowLeft", "ArrowRight"]))
        else:
            answer(page, choose[trial.colored])
    expect(page.locator("#end")).to_be_visible()


def test_one_who_knows_is_never_fooled(page: Page, study: Study) -> None:
    go_through(page, study, {"left": "ArrowLeft", "right": "ArrowRight"})
    expect(page.locator("#score")).to_contain_text(f"in {PAIRS} of {PAIRS} pairs")
    verdict = judge(Answers(study).all(), study.models, len(study.trials(0)))
    assert all(rate.mean == 0 for rate in verdict.fooling.values())
    assert verdict.complete == 1
    assert all(abs(score.mean) < 1e-6 for score in verdict.scores.values())


def test_one_who_guesses_is_fooled_half_the_time_within_the_interval(page: Page, study: Study) -> None:
    go_through(page, study, random.Random(1))
    verdict = judge(Answers(study).all(), study.models, len(study.trials(0)))
    for rate in verdict.fooling.values():
        assert rate.low <= 0.5 <= rate.high


def test_a_reload_in_the_middle_loses_nothing(page: Page, study: Study) -> None:
    page.keyboard.press("Enter")
    for _ in range(PRACTICE):
        answer(page, "ArrowLeft")
    expect(page.locator("#pause")).to_be_visible()
    page.keyboard.press("Enter")
    for _ in range(3):
        answer(page, "ArrowRight")
    wait_for_choice(page)
    page.reload()
    expect(page.locator("#count")).to_have_text(f"4 of {PAIRS + PREFERENCE}")
    answer(page, "ArrowLeft")
    given = Answers(study).all()
    assert [one.trial.index for one in given] == list(range(PRACTICE + 4))
    assert {one.participant for one in given} == {0}


def test_the_pictures_are_shown_one_after_the_other_and_then_hidden(page: Page, study: Study) -> None:
    page.evaluate(
        """() => { window.seen = [];
        new MutationObserver(() => window.seen.push(['left', 'right'].filter(
            (side) => document.getElementById(side).classList.contains('shown')).join('+')))
        .observe(document.getElementById('pair'), {subtree: true, attributes: true,
            attributeFilter: ['class']}); }"""
    )
    page.keyboard.press("Enter")
    wait_for_choice(page)
    shown = [one for one in page.evaluate("window.seen") if one]
    first = study.trials(0)[0].first
    assert list(dict.fromkeys(shown)) == [first, {"left": "right", "right": "left"}[first]]
    assert page.locator(".picture.shown").count() == 0


def test_a_picture_is_shown_for_one_second(browser: Browser, address: str) -> None:
    page = browser.new_page()  # at full length
    page.goto(address)
    page.wait_for_selector("#welcome:not([hidden])")
    page.evaluate(
        """() => { window.times = [];
        new MutationObserver((changes) => { for (const change of changes) if (change.target.id !== 'pair')
            window.times.push(
            [change.target.classList.contains('shown'), performance.now()]); })
        .observe(document.getElementById('pair'), {subtree: true, attributes: true,
            attributeFilter: ['class']}); }"""
    )
    page.keyboard.press("Enter")
    wait_for_choice(page)
    times = page.evaluate("window.times")
    spans = [off[1] - on[1] for on, off in pairwise(times) if on[0] and not off[0]]
    assert len(spans) == 2
    assert all(990 <= span <= 1500 for span in spans), spans
    page.close()


def test_practice_tells_whether_one_was_right(page: Page, study: Study) -> None:
    page.keyboard.press("Enter")
    first = study.trials(0)[0]
    answer(page, "ArrowLeft")
    expect(page.locator("#feedback")).to_have_text(
        ("Right" if first.colored == "left" else "No") + ": the framed one was colored by the machine."
    )


def test_keys_before_the_question_do_nothing(page: Page, study: Study) -> None:
    page.keyboard.press("Enter")
    page.wait_for_selector("#trial:not([hidden])")
    if page.locator("#pair.choosing").count() == 0:
        page.keyboard.press("ArrowLeft")
    wait_for_choice(page)
    page.keyboard.press("Space")  # no tie between real and colored
    page.wait_for_timeout(10)
    assert Answers(study).all() == []


def test_a_phone_shows_both_pictures_whole_and_takes_touches(
    browser: Browser, address: str, study: Study
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    context.add_init_script(FAST)
    page = context.new_page()
    page.goto(address)
    page.locator("#begin").tap()
    wait_for_choice(page)
    for side in ("left", "right"):
        box = page.locator(f"#{side}").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["y"] + box["height"] <= 640
        assert box["width"] == pytest.approx(box["height"])
    with page.expect_response(lambda response: response.url.endswith("/answers")):
        page.locator("#left").tap()
    assert [one.choice for one in Answers(study).all()] == ["left"]
    context.close()


def test_the_page_loads_nothing_from_elsewhere(browser: Browser, address: str) -> None:
    page = browser.new_page()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(address)
    page.wait_for_selector("#welcome:not([hidden])")
    assert hosts == {address.split("/")[2]}
    page.close()


def test_models_are_compared_side_by_side_with_a_tie(page: Page, study: Study) -> None:
    """The preference part: both pictures stay, Space and the button mean no difference."""
    answers = Answers(study)
    me = answers.enroll()
    before = [trial for trial in study.trials(0) if trial.kind != "preference"]
    for trial in before:
        answers.record(me, trial.index, "left", 500)
    page.evaluate(f"localStorage.setItem('photochrom-study-{study.identity}', '{me}')")
    page.reload()
    wait_for_choice(page)
    expect(page.locator("#question")).to_have_text("Which one looks better?")
    assert page.locator(".picture.shown").count() == 2
    with page.expect_response(lambda response: response.url.endswith("/answers")):
        page.locator("#tie").click()
    wait_for_choice(page)
    answer(page, "ArrowRight")
    expect(page.locator("#end")).to_be_visible()
    assert [one.choice for one in answers.all()[len(before) :]] == ["tie", "right"]


def test_pictures_stand_at_exactly_256_px(page: Page) -> None:
    """Any scaling would blur both, and the machine's differently."""
    page.keyboard.press("Enter")
    wait_for_choice(page)
    size = page.evaluate(
        "(({width, height}) => [width, height])(document.querySelector('#left img').getBoundingClientRect())"
    )
    assert size == [256, 256]


def test_someone_else_can_try_in_the_same_browser(page: Page, study: Study) -> None:
    go_through(page, study, {"left": "ArrowLeft", "right": "ArrowRight"})
    page.locator("#again").click()
    page.wait_for_selector("#welcome:not([hidden])")
    page.locator("#begin").click()
    wait_for_choice(page)
    answer(page, "ArrowLeft")
    assert {one.participant for one in Answers(study).all()} == {0, 1}


def test_a_server_that_went_away_is_told_and_one_that_came_back_is_used(
    browser: Browser, address: str
) -> None:
    context = browser.new_context()
    context.add_init_script(FAST)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#welcome:not([hidden])")
    page.keyboard.press("Enter")
    wait_for_choice(page)
    context.set_offline(True)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#broken")).to_be_visible()
    context.set_offline(False)
    page.keyboard.press("Enter")  # asks anew: nothing is answered yet, so it begins at the beginning
    expect(page.locator("#welcome")).to_be_visible()
    page.keyboard.press("Enter")
    wait_for_choice(page)
    expect(page.locator("#count")).to_have_text(f"Practice 1 of {PRACTICE}")
    context.close()
