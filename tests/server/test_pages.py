"""The pages: all their parts are here, nothing is inline, nothing comes from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from photochrom.server.pages import STATIC

if TYPE_CHECKING:
    from starlette.testclient import TestClient

PAGES = ["/", "/docs"]
MODULES = sorted(path.name for path in (STATIC / "js").glob("*.js"))


class Page(HTMLParser):
    """What a page loads, and what a strict policy forbids in it."""

    def __init__(self, text: str):
        super().__init__()
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._open = tag
        self.loads += [
            value for name, value in attrs if name in ("src", "href") and value and not value.startswith("#")
        ]
        self.ids += [given["id"]] if given.get("id") else []
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style") and data.strip():
            self.inline.append(self._open)

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


@pytest.mark.parametrize("path", PAGES)
def test_every_part_of_a_page_is_served(client: TestClient, path: str) -> None:
    page = Page(client.get(path).text)
    assert page.loads
    for url in {url.partition("#")[0] for url in page.loads}:
        assert not re.match(r"[a-z]+:|//", url), "nothing comes from elsewhere"
        answer = client.get(f"/{url}")
        assert answer.status_code == 200, url
        assert answer.content


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_inline(client: TestClient, path: str) -> None:
    assert Page(client.get(path).text).inline == []


def test_ids_are_unique_and_what_modules_ask_for_is_there() -> None:
    page = Page((STATIC / "index.html").read_text())
    assert len(page.ids) == len(set(page.ids))
    for name in MODULES:
        text = (STATIC / "js" / name).read_text()
        for wanted in re.findall(r'\b(?:byId|block|button|input|canvas)\("([\w-]+)"', text):
            assert wanted in page.ids, f"{name} asks for #{wanted}"


def test_icons_are_there() -> None:
    icons = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    used = set(re.findall(r"icons\.svg#([\w-]+)", (STATIC / "index.html").read_text()))
    assert used <= icons
    assert icons <= used, "an icon that nobody uses"


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_whole_and_import_what_exists(client: TestClient, name: str) -> None:
    answer = client.get(f"/static/js/{name}")
    assert answer.headers["content-type"].startswith("text/javascript")
    for imported in re.findall(r'from "\./([\w-]+\.js)"', answer.text):
        assert imported in MODULES
    assert "innerHTML" not in answer.text
    assert "eval(" not in answer.text


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize(
    ("name", "kind"), [("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")]
)
def test_swagger_ui_is_ours(client: TestClient, name: str, kind: str, encoding: str) -> None:
    answer = client.get(f"/swagger/{name}", headers={"Accept-Encoding": encoding})
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert len(answer.content) > 100_000


def test_other_swagger_files(client: TestClient, is_problem: Any) -> None:
    is_problem(client.get("/swagger/README.md"), 404)


def test_pages_are_revalidated(client: TestClient) -> None:
    for path in ("/", "/static/js/main.js", "/docs"):
        answer = client.get(path)
        assert answer.headers["cache-control"] == "no-cache"
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == (304 if path.startswith("/static") else 200)


def test_examples_are_there_and_credited(client: TestClient) -> None:
    examples = client.get("/static/examples/examples.json").json()
    assert len(examples) >= 5
    for example in examples:
        assert client.get(f"/static/examples/{example['file']}").content[:3] == b"\xff\xd8\xff"
        assert example["title"]
        assert "CC0" in example["credit"] or "public domain" in example["credit"]
    assert sum(path.stat().st_size for path in (STATIC / "examples").iterdir()) < 800_000


def test_favicon(client: TestClient) -> None:
    assert client.get("/favicon.ico").headers["content-type"].startswith("image/svg+xml")


def test_the_page_and_the_api_are_spelled_as_the_command_is(client: TestClient) -> None:
    """`color`, as in `photochrom colorize --keep-color`; it was mixed with "colour"."""
    texts = {
        path.name: path.read_text()
        for path in STATIC.rglob("*")
        if path.suffix in (".html", ".js", ".css", ".json")
    }
    texts["openapi.json"] = client.get("/openapi.json").text
    assert len(texts) > 30
    assert [name for name, text in texts.items() if "colour" in text.lower()] == []
