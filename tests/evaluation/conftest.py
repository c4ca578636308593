"""Small color photos and predictors that need no network."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from photochrom.color import merge, rgb_to_lab
from photochrom.evaluation.photos import PhotoSet, Sample
from photochrom.evaluation.predictors import Prepared, Still
from photochrom.evaluation.protocols import PROTOCOLS

if TYPE_CHECKING:
    from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
SOURCES = (data.astronaut, data.coffee, data.chelsea, data.rocket)


def save_photos(folder: Path, count: int, side: int = 96) -> list[Path]:
    """`count` different crops of scikit-image's own photos, in two source folders."""
    pictures = [source() for source in SOURCES]
    paths = []
    for number in range(count):
        picture = pictures[number % len(pictures)]
        top = 40 + 9 * (number // len(pictures)) % 120
        crop = picture[top : top + 2 * side, 60 : 60 + 2 * side]
        path = folder / ("one" if number % 2 else "two") / f"photo{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(crop)).resize((side, side)).save(path)
        paths.append(path)
    return paths


@dataclass(frozen=True)
class Faded:
    """The truth with its chroma scaled: an oracle whose figures can be worked out."""

    strength: float
    name: str = "faded"
    supports_hints: bool = False
    is_model: bool = False

    def prepare(self, sample: Sample) -> Prepared:
        ab = rgb_to_lab(sample.truth)[..., 1:] * np.float32(self.strength)
        picture: Any = merge(sample.grey, np.ascontiguousarray(ab))
        return Still(picture)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve photos in two sources."""
    place = tmp_path_factory.mktemp("photos")
    save_photos(place, 12)
    return place


@pytest.fixture(scope="session")
def photos(folder: Path) -> PhotoSet:
    return PhotoSet.open(folder, PROTOCOLS["photos"])


@pytest.fixture(scope="session")
def sample(photos: PhotoSet) -> Sample:
    loaded = photos.load(0)
    assert isinstance(loaded, Sample)
    return loaded
