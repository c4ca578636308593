"""The command line in this process, and small grey photographs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from photochrom.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def documents(self) -> list[dict]:
        """The JSON objects on standard output, by input."""
        return sorted((json.loads(line) for line in self.lines), key=lambda found: str(found["input"]))


@pytest.fixture
def photochrom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs a command in tmp_path."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> Outcome:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return command


@pytest.fixture
def photo(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small grey photo below tmp_path and returns its path."""

    def make(name: str, seed: int = 0, width: int = 48, height: int = 32) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).uniform(0, 255, (height, width))
        plane = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 20, 235, cv2.NORM_MINMAX)
        Image.fromarray(plane.astype(np.uint8)).save(path)
        return path

    return make
