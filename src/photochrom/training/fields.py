"""Fields of recipes that know what they allow, so that an error can say it."""

from __future__ import annotations

from typing import Any

from photochrom.documents import option


def number(default: float, low: float, high: float | None = None) -> Any:
    """A number of at least `low` and, if that is given, at most `high`."""
    return option(default, ge=low) if high is None else option(default, ge=low, le=high)


integer = number  # the annotation says which it is


def share(default: float) -> Any:
    """A float in 0..1: a chance or a part."""
    return option(default, ge=0.0, le=1.0)


def span(default: tuple[float, float], low: float, high: float) -> Any:
    """Two numbers in low..high, the first not above the second."""
    return option(default, ge=low, le=high, ordered=True)


def choice(default: Any, allowed: tuple[Any, ...]) -> Any:
    """One of a few words or numbers."""
    return option(default, choices=allowed)
