"""Small grey photographs, made up from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def grey(seed: int, width: int = 48, height: int = 32) -> np.ndarray:
    """A smooth grey picture (height, width), different for each seed."""
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return cv2.normalize(smooth, None, 20, 235, cv2.NORM_MINMAX).astype(np.uint8)


@pytest.fixture
def photo(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small grey photo below tmp_path and returns its path."""

    def make(name: str, seed: int = 0, **size: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grey(seed, **size)).save(path)
        return path

    return make
