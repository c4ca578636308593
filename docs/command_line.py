"""Writes the reference part of command-line.md from the commands' own help: python docs/command_line.py

A test runs the same and fails where the page differs, so no option is ever missing or stale.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from photochrom.cli import VERBS, photochrom

PAGE = Path(__file__).with_name("command-line.md")
BEGIN, END = "<!-- from here: python docs/command_line.py -->", "<!-- to here -->"
WIDTH = 100


def help_of(name: str, command: click.Command) -> str:
    """A command's help as it is printed on a terminal of fixed width."""
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": WIDTH, "terminal_width": WIDTH}
    return command.get_help(click.Context(command, info_name=name, **settings))


def commands() -> dict[str, click.Command]:
    """Every command by the words that call it, subcommands of a verb included."""
    found: dict[str, click.Command] = {"photochrom": photochrom}
    for verb in VERBS:
        command = import_module(f"photochrom.cli.{verb}").command
        found[f"photochrom {verb}"] = command
        for name, child in getattr(command, "commands", {}).items():
            found[f"photochrom {verb} {name}"] = child
    return found


def reference() -> str:
    """The generated part, from marker to marker."""
    parts = [f"## {name}\n\n```text\n{help_of(name, command)}\n```" for name, command in commands().items()]
    return f"{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}"


def updated(text: str) -> str:
    """The page with its generated part made anew."""
    before, rest = text.split(BEGIN)
    return before + reference() + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
