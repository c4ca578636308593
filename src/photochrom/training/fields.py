"""Fields of recipes that know what they allow, so that an error can say it."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def number(default: float, low: float, high: float = float("inf")) -> Any:
    """A float in low..high."""
    return field(default=default, metadata={"low": low, "high": high})


def integer(default: int, low: int, high: int = 10**12) -> Any:
    """An integer in low..high."""
    return field(default=default, metadata={"low": low, "high": high})


def share(default: float) -> Any:
    """A float in 0..1: a chance or a part."""
    return number(default, 0.0, 1.0)


def span(default: tuple[float, float], low: float, high: float) -> Any:
    """Two numbers in low..high, the first not above the second."""
    return field(default=default, metadata={"low": low, "high": high, "ordered": True})


def choice(default: Any, allowed: tuple[Any, ...]) -> Any:
    """One of a few words or numbers."""
    return field(default=default, metadata={"allowed": allowed})
