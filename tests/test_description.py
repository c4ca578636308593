"""What a package index shows: it renders by itself, without a picture or a link that leads nowhere there."""

from __future__ import annotations

import tomllib
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]


def tokens(path: Path) -> list[tuple[str, str]]:
    """The kind of every part of a page, and where it points or what it says."""
    found = []
    for block in MarkdownIt().parse(path.read_text()):
        for token in (block, *(block.children or ())):
            target = token.attrs.get("href") or token.attrs.get("src") or token.content
            found.append((token.type, str(target)))
    return found


def test_the_wheel_s_description_stands_by_itself() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    parts = tokens(ROOT / project["readme"])
    kinds = {kind for kind, _ in parts}
    assert {"heading_open", "fence", "bullet_list_open"} <= kinds
    assert not {"html_block", "html_inline"} & kinds
    for kind, target in parts:
        assert kind not in ("link_open", "image") or target.startswith("https://"), target


def test_the_readme_s_pictures_and_links_are_there() -> None:
    for kind, target in tokens(ROOT / "README.md"):
        if kind in ("link_open", "image") and "://" not in target:
            assert (ROOT / target.partition("#")[0]).exists(), target
