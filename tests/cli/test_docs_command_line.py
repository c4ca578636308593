"""The page of the command line is what the commands say of themselves, and what it claims is so."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from photochrom.batch.options import Options
from photochrom.errors import PhotochromError

DOCS = Path(__file__).parents[2] / "docs"


def script():
    spec = importlib.util.spec_from_file_location("command_line", DOCS / "command_line.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGE = (DOCS / "command-line.md").read_text(encoding="utf-8")


def test_the_reference_is_what_help_prints() -> None:
    assert script().updated(PAGE) == PAGE, "run: python docs/command_line.py"


@pytest.mark.parametrize("words", script().commands())
def test_every_command_and_every_option_is_on_the_page(words: str) -> None:
    command = script().commands()[words]
    section = PAGE.split(f"\n## {words}\n")[1].split("\n## ")[0]
    for parameter in command.params:
        for name in (*parameter.opts, *parameter.secondary_opts):
            if name.startswith("-"):
                assert re.search(rf"(^|[\s,/]){re.escape(name)}([\s,/]|$)", section), f"{words} {name}"


def test_every_rendering_option_is_in_every_verb_that_renders() -> None:
    for words in ("photochrom colorize", "photochrom batch", "photochrom watch"):
        given = {parameter.name for parameter in script().commands()[words].params}
        assert {item.name for item in fields(Options)} <= given, words
    assert all(item.metadata["description"] for item in fields(Options))


def test_the_exit_codes_on_the_page_are_those_of_the_errors() -> None:
    table = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    kinds = [PhotochromError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    assert {kind.exit_code for kind in kinds} | {0, 3, 130} == table


def test_the_json_on_the_page_has_the_keys_that_are_printed(photochrom, photo) -> None:
    shown = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL).group(1))  # type: ignore[union-attr]
    photo("a.jpg")
    assert list(photochrom("colorize", "a.jpg", "--json").documents[0]) == list(shown)


@pytest.mark.parametrize("page", ["command-line.md", "batch.md", "archives.md"])
def test_commands_on_the_pages_are_commands_with_known_options(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    known = script().commands()
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    calls = [
        line.split("#")[0].split("photochrom ", 1)[1] for line in lines if "photochrom " in line.split("#")[0]
    ]
    assert calls
    for call in calls:
        verb = call.split()[0]
        assert f"photochrom {verb}" in known, call
        flags = {
            name
            for parameter in known[f"photochrom {verb}"].params
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        for word in re.findall(r"(?<!\S)--?[a-z][a-z-]*", call):
            assert word in flags, call
