"""Color it like that photo: the issue's figures, small, on the portrait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from photochrom.errors import GuidanceError
from photochrom.guidance import Reference, reference_hints
from photochrom.photo import Photo, read

if TYPE_CHECKING:
    from photochrom.colorizer import Colorizer, Plate

CROPS = {
    "mirrored": lambda rgb, lab: rgb[20:230, 30:240][:, ::-1],
    "shifted": lambda rgb, lab: rgb[60:230, 10:180],
    "enlarged": lambda rgb, lab: lab.resized(np.ascontiguousarray(rgb[40:230, 40:230]), 420),
    "reduced": lambda rgb, lab: lab.resized(np.ascontiguousarray(rgb[10:250, 10:250]), 110),
}


@pytest.mark.parametrize("name", CROPS)
def test_a_part_of_the_photo_itself_gains(
    plate: Plate, truth: np.ndarray, automatic: np.ndarray, lab, name: str
) -> None:
    hints = reference_hints(plate, lab.photo(CROPS[name](truth, lab)))
    assert len(hints) >= 8
    guided = plate.preview(hints, side=256)
    assert lab.psnr(guided, truth) > lab.psnr(automatic, truth) + 1.5


def test_turned_hues_move_the_colors_to_them(
    plate: Plate, truth: np.ndarray, automatic: np.ndarray, lab
) -> None:
    wanted = lab.turned(truth, 120)
    guided = lab.ab(plate.preview(reference_hints(plate, lab.photo(wanted)), side=256))
    before, target = lab.ab(automatic), lab.ab(wanted)
    way = ((guided - before) * (target - before)).sum() / ((target - before) ** 2).sum()
    assert way > 0.7


def test_another_scene_guides_gently(plate: Plate, truth: np.ndarray, automatic: np.ndarray, lab) -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2], stripes[::3] = (200, 40, 40), (30, 60, 200)
    hints = reference_hints(plate, lab.photo(np.roll(lab.turned(stripes, 40), 5, axis=0)))
    assert all(hint.weight < 0.5 for hint in hints)
    guided = plate.preview(hints, side=256)
    change = np.hypot(*(lab.ab(guided) - lab.ab(automatic)).reshape(-1, 2).T).mean()
    assert change < 20


def test_exact_hints_carry_the_colors_of_the_reference(plate: Plate, truth: np.ndarray, lab) -> None:
    hints = reference_hints(plate, lab.photo(truth))
    ab = lab.ab(truth)
    gap = [np.hypot(*(ab[int(hint.y * 256), int(hint.x * 256)] - hint.ab)) for hint in hints]
    assert np.median(gap) < 4
    assert np.mean([hint.weight for hint in hints]) > 0.8


def test_they_are_spread_over_the_photo(plate: Plate, truth: np.ndarray, lab) -> None:
    hints = reference_hints(plate, lab.photo(truth))
    quarters = {(hint.x > 0.5, hint.y > 0.5) for hint in hints}
    assert len(quarters) == 4


def test_they_are_deterministic_and_a_prepared_reference_gives_the_same(
    plate: Plate, truth: np.ndarray, lab
) -> None:
    photo = lab.photo(truth[:, ::-1])
    prepared = Reference.of(plate.network, photo)
    assert reference_hints(plate, photo) == reference_hints(plate, prepared)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grey_reference_is_refused(plate: Plate, truth: np.ndarray, lab, channels: int) -> None:
    grey = lab.grey(truth)
    with pytest.raises(GuidanceError, match="no color to take: choose a color photo"):
        reference_hints(plate, Photo.from_array(grey if channels == 1 else np.stack([grey] * 3, -1)))


def test_a_huge_reference_is_read_in_strips(plate: Plate, truth: np.ndarray, automatic, lab) -> None:
    huge = np.kron(truth, np.ones((12, 12, 1), np.uint8))
    photo = Photo.from_array(huge).with_pixels(lambda top, bottom: huge[top:bottom])
    guided = plate.preview(reference_hints(plate, photo), side=256)
    assert lab.psnr(guided, truth) > lab.psnr(automatic, truth) + 3


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (400, 4)])
def test_a_reference_of_any_shape_gives_hints_or_none(plate: Plate, shape: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    rgb[..., 0] = 255
    for hint in reference_hints(plate, Photo.from_array(rgb)):
        assert 0 <= hint.x <= 1


def test_a_photo_that_is_not_square(colorizer: Colorizer, truth: np.ndarray, lab) -> None:
    wide = truth[60:190]
    plate = colorizer.prepare(lab.grey(wide))
    assert plate.size[0] != plate.size[1]
    guided = plate.preview(reference_hints(plate, lab.photo(wide[:, ::-1])), side=256)
    assert lab.psnr(guided, wide) > lab.psnr(plate.preview(side=256), wide) + 1.5


def test_a_real_scan_takes_a_color_photo(colorizer: Colorizer, truth: np.ndarray, lab, request) -> None:
    path = request.config.rootpath / "examples/photos/dust-bowl-home.jpg"
    plate = colorizer.prepare(read(path))
    hints = reference_hints(plate, lab.photo(truth))
    assert len(hints) <= 90
    assert plate.preview(hints, side=64).shape[2] == 3
