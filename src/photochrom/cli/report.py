"""What a run tells the person: results on stdout, all else on stderr, and the exit code."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from photochrom.batch.coloring import Result
from photochrom.cli import SOME_FAILED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from photochrom.batch.plan import Search
    from photochrom.batch.verify import Finding


class Report:
    """Prints results as they come, keeps count, and sums up at the end."""

    def __init__(
        self,
        total: int | None,
        *,
        as_json: bool = False,
        table: bool = False,
        search: Search | None = None,
    ):
        """total: how many results will come, None for no end; table: whether the end is a table.

        `search` knows what the folders hold that is left out; it may go on finding.
        """
        self._json, self._table, self._search = as_json, table, search
        self._last: dict[str, Result] = {}  # of each photo: one that was still being written comes again
        self._named: set[str] = set()
        self._bar = _progress_bar(total)

    def follow(self, results: Iterable[Result]) -> int:
        """Print all results and the summary; the exit code."""
        try:
            self._name_left_out()
            for result in results:
                self._name_left_out()
                self.add(result)
        finally:
            self._close_bar()
            self._sum_up()
        return self.exit_code

    def add(self, result: Result) -> None:
        """Print one result."""
        self._last[result.input] = result
        for warning in result.warnings:
            self._say(f"warning: {result.input}: {warning}")
        if result.status == "failed":
            self._say(f"error: {sentence(result)}")
        if self._json:
            self._print(json.dumps(result.to_json()))
        elif result.status == "done" and result.output != "-":
            self._print(str(result.output))
        elif result.status == "planned":
            self._print(f"{result.input} -> {result.output}")
        elif result.status == "skipped" and not self._table:
            self._say(f"skipped: {result.input}: {result.output} is there already")
        if self._bar is not None:
            self._bar.update()

    @property
    def exit_code(self) -> int:
        failures = len(self._failures)
        return 0 if not failures else SOME_FAILED if len(self._last) > failures else 1

    @property
    def _failures(self) -> list[Result]:
        return [result for result in self._last.values() if result.status == "failed"]

    def _name_left_out(self) -> None:
        """Say what a search has left out since the last time."""
        for path, reason in list(self._search.left_out.items()) if self._search else ():
            if path not in self._named:
                self._named.add(path)
                self._say(f"left out: {path}: {reason}")
                if self._json:
                    self._print(json.dumps(Result(path, "skipped", error=reason).to_json()))

    def _sum_up(self) -> None:
        if len(self._last) < 2 and not self._table:
            return
        counts = Counter(result.status for result in self._last.values())
        said = [f"{counts[status]} {status}" for status in ("done", "planned", "skipped", "failed")]
        left_out = f"; {len(self._named)} left out" if self._named else ""
        told = ", ".join(one for one in said if not one.startswith("0 ")) or "nothing to do"
        self._say(f"{len(self._last)} photos: {told}{left_out}")
        if self._table:
            for result in self._failures:
                self._say(f"  {sentence(result)}")

    def _print(self, text: str) -> None:
        self._clear()
        click.echo(text)

    def _say(self, text: str) -> None:
        self._clear()
        click.echo(text, err=True)

    def _clear(self) -> None:
        if self._bar is not None:
            self._bar.clear()

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def sentence(result: Result) -> str:
    """The input and why it failed, the input said once."""
    error = result.error or "failed"
    return error if error.startswith(result.input) else f"{result.input}: {error}"


def report_findings(findings: Iterable[Finding], search: Search, *, as_json: bool) -> int:
    """Print what a verification found, and what the inputs hold that is left out; the exit code."""
    for path, reason in search.left_out.items():
        click.echo(f"left out: {path}: {reason}", err=True)
    total = bad = 0
    for finding in findings:
        total += 1
        bad += finding.problem is not None
        if as_json:
            click.echo(json.dumps(finding.to_json()))
        elif finding.problem:
            named = finding.output or finding.input
            click.echo(f"{named}: {finding.problem}" if named else finding.problem)
    click.echo(f"{total} outputs: {total - bad} whole, {bad} with problems", err=as_json)
    if not bad:
        return 0
    return SOME_FAILED if total > bad else 1


class RowsBar:
    """Progress within one photo, on a terminal, if it takes longer than a moment."""

    _PASSES = 2  # the rows pass when the photo is prepared and when it is rendered
    _MOMENT = 2.0  # seconds

    def __init__(self) -> None:
        self._bar: Any = None
        self._lock = threading.Lock()

    def __call__(self, rows: int, height: int) -> None:
        """Rows of a photo of that height have passed; called from several threads."""
        if not sys.stderr.isatty():
            return
        with self._lock:
            if self._bar is None:
                self._bar = self._new_bar(self._PASSES * height)
            self._bar.update(rows)

    def _new_bar(self, total: int) -> Any:
        from tqdm import tqdm

        shape = "{percentage:3.0f}% {bar} {remaining} left"
        return tqdm(total=total, delay=self._MOMENT, leave=False, bar_format=shape, file=sys.stderr)

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._bar is not None:
            self._bar.close()


def _progress_bar(total: int | None) -> Any:
    """A bar on a terminal, for more than one photo."""
    if total is None or total < 2 or not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    return tqdm(total=total, unit="photo", leave=False, file=sys.stderr)
