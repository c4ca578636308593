"""The network's own colors in a film: steady on a still with grain, and not carried over a cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from photochrom.color import luminance, rgb_to_lab
from photochrom.evaluation.flicker import flicker
from photochrom.evaluation.metrics import ciede2000
from photochrom.photo import read
from photochrom.video import colorize, frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"


def still(name: str) -> NDArray[np.float64]:
    """(192, 256) of 0..1: the middle of a photo, smaller."""
    grey = read(PHOTOS / name).rgb
    plane = grey[..., 1] if grey.ndim == 3 else grey
    height, width = plane.shape
    side = min(height // 3, width // 4)
    top, left = (height - 3 * side) // 2, (width - 4 * side) // 2
    part = plane[top : top + 3 * side, left : left + 4 * side]
    small = cv2.resize(part, (256, 192), interpolation=cv2.INTER_AREA)
    return small / float(np.iinfo(plane.dtype).max)


def grained(plane: NDArray[np.float64], count: int, strength: float) -> list[NDArray[np.float64]]:
    random = np.random.default_rng(0)
    return [(plane + random.normal(0, strength, plane.shape)).clip(0, 1) for _ in range(count)]


def film_of(films: Any, path: Path, pictures: list[NDArray[np.float64]]) -> Path:
    return films.write(path, pictures, codec="ffv1", pix_fmt="yuv420p")


def ab_of(film: Path, colorizer: Any, **options: Any) -> list[NDArray[np.float32]]:
    return [rgb_to_lab(rgb)[..., 1:] for _, rgb in frames(film, model=colorizer, depth=16, **options)]


def test_a_still_with_grain_neither_flickers_nor_pumps(tmp_path: Path, films: Any, colorizer: Any) -> None:
    pictures = grained(still("dust-bowl-home.jpg"), 100, 0.03)
    levels = [luminance(np.rint(plane * 65535).astype(np.uint16)) for plane in pictures]
    ab = ab_of(film_of(films, tmp_path / "in.mkv", pictures), colorizer)
    assert flicker(ab, levels) <= 0.1
    means = np.array([frame.mean((0, 1)) for frame in ab])
    assert np.ptp(means, axis=0).max() < 0.2  # over all of the four seconds
    alone = ab_of(film_of(films, tmp_path / "few.mkv", pictures[:6]), colorizer, steady=False)
    assert flicker(alone, levels[:6]) > 0.4


def test_codes_of_a_still_with_grain_hardly_change(tmp_path: Path, films: Any, colorizer: Any) -> None:
    """Cb and Cr of 8 bits would go to and fro where a value lies halfway between two codes."""
    pictures = grained(still("dust-bowl-home.jpg"), 12, 0.03)
    film = film_of(films, tmp_path / "in.mkv", pictures)
    colorize(film, tmp_path / "out.mkv", model=colorizer, codec="ffv1")
    cb = np.array(films.planes(tmp_path / "out.mkv", 1)).astype(int)
    assert np.ptp(cb[0]) > 5
    assert (np.diff(cb, axis=0) != 0).mean() < 0.02


def test_the_first_frame_after_a_cut_has_its_own_scenes_colors(
    tmp_path: Path, films: Any, colorizer: Any
) -> None:
    scenes = [
        grained(still(name), 14, 0.01) for name in ("french-alpine-landscape.jpg", "nagasaki-boats.jpg")
    ]
    film = film_of(films, tmp_path / "in.mkv", [*scenes[0], *scenes[1]])
    lab = [rgb_to_lab(rgb) for _, rgb in frames(film, model=colorizer, depth=16)]
    before, after = np.mean(lab[4:14], axis=0), np.mean(lab[18:], axis=0)
    same_light = np.dstack([after[..., :1], lab[14][..., 1:]])
    assert ciede2000(same_light, after).mean() < 3
    carried_over = np.dstack([after[..., :1], before[..., 1:]])
    assert ciede2000(carried_over, after).mean() > 5
