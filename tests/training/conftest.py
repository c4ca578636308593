"""Small synthetic photographs and recipes that finish in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from photochrom.training import recipe as recipes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photochrom.training.recipe import Recipe

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


def paint(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A smooth random picture with plenty of color, (H, W, 3) uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def picture() -> Callable[..., np.ndarray]:
    """picture(seed, height=48, width=64): the maker of such pictures."""
    return paint


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(paint(0)).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six photos at two depths."""
    root = tmp_path / "photos"
    for number in range(6):
        place = root / ("one" if number % 2 else "two/deep")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(paint(number)).save(place / f"{number}.png")
    return root


@pytest.fixture
def alpha() -> Recipe:
    """Eight epochs of alpha, with a checkpoint every other."""
    return recipes.load("alpha", ("schedule.epochs=8", "schedule.checkpoint=2", "schedule.sheets=1"))


@pytest.fixture
def squeezed() -> Recipe:
    """alpha on random warps of 32 px, batches of 2."""
    changes = ("samples.kind=affine", "samples.size=32", "schedule.batch=2", "schedule.sheets=0")
    return recipes.load(
        "alpha", (*changes, "schedule.epochs=0", "schedule.photos=12", "schedule.checkpoint=2")
    )
