"""Figures in prose that cannot go stale: markers in Markdown, filled from docs/results.json.

    PSNR rises by <!--figure groups/imagen/photochrom/gain/mean +.2f-->+0.97<!--/--> dB

The comments do not show where Markdown is rendered. `stamp` fills them anew; a test keeps every
page equal to what `stamp` makes of it.
"""

from __future__ import annotations

import re
from typing import Any

from photochrom.errors import DataError

_MARKER = re.compile(r"(<!--figure (?P<path>\S.*?) (?P<form>\S*)-->)[^<]*(<!--/-->)")


def look_up(results: dict[str, Any], path: str) -> Any:
    """The entry at keys joined by "/". Raises DataError naming the key that is not there."""
    entry: Any = results
    for key in path.split("/"):
        if not isinstance(entry, dict) or key not in entry:
            raise DataError(f"docs/results.json has no {path!r} (it ends before {key!r}): correct the marker")
        entry = entry[key]
    return entry


def stamp(text: str, results: dict[str, Any]) -> str:
    """The text with every marker's figure taken from the results."""

    def fill(match: re.Match[str]) -> str:
        value = look_up(results, match["path"])
        try:
            told = format(value, match["form"])
        except (TypeError, ValueError):
            raise DataError(
                f"the marker of {match['path']!r} cannot show {value!r} as {match['form']!r}"
            ) from None
        return match[1] + told + match[4]

    return _MARKER.sub(fill, text)
