"""Imported models of one color each: `red`, and `blue`, whose licence forbids commercial use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.flat_model import store_flat

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of two models that see photos at different sizes."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("PHOTOCHROM_MODELS", str(folder))
    store_flat(folder / "red", (40, 20), 64, "MIT")
    store_flat(folder / "blue", (0, -40), 96, "CC-BY-NC-4.0")
    return folder
