"""The menu of models: what a model may not be used for, and what it cannot do."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.browser.conftest import Studio

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def two_models(
    serve: Callable[..., Any], flat_model: Callable[..., Any], tmp_path_factory: Any
) -> Iterator[str]:
    """A server with an imported model beside its own."""
    folder = tmp_path_factory.mktemp("models")
    flat_model(folder / "plum", (30, -20), 64, "CC BY-NC 4.0")
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:  # for this server alone
            patch.setenv("PHOTOCHROM_MODELS", str(folder))
            address = stack.enter_context(serve())
        yield address


def test_another_model(
    two_models: str,
    open_page: Callable[..., Any],
    studio_at: Callable[[Any], Studio],
    width: int,
    screenshot: Any,
) -> None:
    page = open_page(two_models, width)
    studio = studio_at(page).open()
    own = studio.small()
    if studio.narrow:
        studio.press("[data-view=panel]")
    menu = page.locator("#model")
    assert menu.locator("option").all_inner_texts() == ["photochrom", "plum"]
    assert page.locator("#model-note").inner_text() == ""
    studio.doing(lambda: menu.select_option("plum"))
    assert studio.small()[..., 1].mean() > own[..., 1].mean() + 8
    assert "CC BY-NC 4.0: no commercial use" in page.locator("#model-note").inner_text()
    screenshot(page, "model-menu")
    if studio.narrow:
        studio.press("[data-view=panel]")
    assert page.locator("[data-view=ideas]").is_hidden()
    assert page.locator("[data-view=guessing]").is_hidden()
    page.keyboard.press("u")
    page.locator(".toast", has_text="This model gives one color").wait_for()
    studio.place_hint((0.72, 0.55))
    assert page.locator(".suggestion").count() == 0
    assert page.locator(".without-distribution").is_visible()
    studio.press("#editor-close")
    studio.press("[data-tool=pin]")
    studio.click((0.3, 0.3))
    page.wait_for_function("() => document.querySelectorAll('.mark').length === 2")
    for _ in range(3):
        studio.doing(lambda: studio.press("#undo"))
    assert np.abs(studio.small() - own).mean() < 0.7
    assert page.locator("#model").input_value() == "photochrom"
    assert page.locator("[data-view=ideas]").is_visible()


def test_with_one_model_there_is_no_menu(wide: Studio) -> None:
    assert wide.page.locator("#model option").count() == 1
    assert wide.page.locator("#model-line").is_hidden()
