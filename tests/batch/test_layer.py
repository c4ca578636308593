"""The color alone, and both pictures beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from photochrom.batch.beside import side_by_side
from photochrom.batch.layer import overlay, write_ab
from photochrom.color import rgb_to_lab
from photochrom.errors import OutputExists
from photochrom.photo import Photo, read, write

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = arrays(np.uint8, (4, 5, 3))


def over(layer: Photo, below: np.ndarray) -> np.ndarray:
    """Normal blending, as any editor does it: color · a + below · (1 − a)."""
    assert layer.alpha is not None
    opacity = layer.alpha.astype(np.float64)[..., None] / 65535
    return layer.rgb / 65535 * opacity + below / 255 * (1 - opacity)


@given(PIXELS, PIXELS)
def test_the_overlay_makes_the_original_the_colored_photo(original: np.ndarray, colored: np.ndarray) -> None:
    layer = overlay(Photo.from_array(original), Photo.from_array(colored))
    assert np.abs(over(layer, original) * 255 - colored).max() < 0.02


@given(PIXELS)
def test_nothing_to_color_is_wholly_transparent(original: np.ndarray) -> None:
    layer = overlay(Photo.from_array(original), Photo.from_array(original))
    assert layer.alpha is not None
    assert not layer.alpha.any()


def test_the_overlay_of_a_grey_photo_survives_png(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (40, 30)).astype(np.uint8)
    colored = rng.integers(0, 256, (40, 30, 3)).astype(np.uint8)
    write(overlay(Photo.from_array(grey), Photo.from_array(colored)), tmp_path / "layer.png")
    layer = read(tmp_path / "layer.png")
    assert layer.dtype == np.uint16
    assert np.abs(over(layer, np.dstack([grey] * 3)) * 255 - colored).max() < 0.02


@pytest.mark.parametrize("shape", [(1, 1, 3), (70, 33, 3), (3, 40000, 3)])
def test_ab_as_a_lab_tiff_by_libvips(tmp_path: Path, shape: tuple[int, ...]) -> None:
    rgb = np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8)
    path = tmp_path / "layer.tif"
    write_ab(Photo.from_array(rgb), path)
    image = pyvips.Image.new_from_file(str(path))
    assert (image.width, image.height, image.interpretation) == (shape[1], shape[0], "labs")
    lab = image.colourspace("lab").numpy()
    np.testing.assert_allclose(lab[..., 0], 50, atol=0.01)
    np.testing.assert_allclose(lab[..., 1:], rgb_to_lab(rgb)[..., 1:], atol=1 / 256)


def test_ab_does_not_replace_a_file(tmp_path: Path) -> None:
    path = tmp_path / "layer.tif"
    path.write_bytes(b"mine")
    photo = Photo.from_array(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(OutputExists):
        write_ab(photo, path)
    assert path.read_bytes() == b"mine"
    write_ab(photo, path, overwrite=True)


@given(arrays(np.uint16, (7, 3)), arrays(np.uint16, (7, 3, 3)))
def test_both_pictures_side_by_side(original: np.ndarray, colored: np.ndarray) -> None:
    both = side_by_side(Photo.from_array(original), Photo.from_array(colored))
    assert (both.height, both.width, both.dtype, both.has_alpha) == (7, 6, np.uint16, False)
    np.testing.assert_array_equal(both.rgb[:, :3], np.dstack([original] * 3))
    np.testing.assert_array_equal(both.rgb[:, 3:], colored)


def test_large_pictures_come_in_strips() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (900, 1200, 3)).astype(np.uint8)
    both = side_by_side(Photo.from_array(rgb[..., 0]), Photo.from_array(rgb))
    np.testing.assert_array_equal(both.pixels[:, 1200:], rgb)


@given(st.integers(1, 6), st.integers(1, 6))
def test_every_row_of_side_by_side_can_be_asked_for(top: int, rows: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (12, 4, 3)).astype(np.uint8)
    both = side_by_side(Photo.from_array(rgb), Photo.from_array(rgb))
    np.testing.assert_array_equal(both.rows(top, top + rows), np.hstack([rgb, rgb])[top : top + rows])
