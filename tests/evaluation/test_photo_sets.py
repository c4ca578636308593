"""Folders of photos and of predictions: everything that cannot be used is named."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from photochrom.errors import DataError
from photochrom.evaluation.photos import Exclusion, PhotoSet, Sample, _is_colorless
from photochrom.evaluation.predictors import FolderPredictor, Grey, MeanColor
from photochrom.evaluation.protocols import PROTOCOLS

if TYPE_CHECKING:
    from pathlib import Path

PHOTOS = PROTOCOLS["photos"]


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder, tmp_path / "copy")
    return tmp_path / "copy"


def predictions(photos: PhotoSet, place: Path, side: int = 256) -> Path:
    for key in photos.keys:
        path = place / f"{key}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (side, side), (90, 60, 30)).save(path)
    return place


def test_photos_are_sorted_and_know_their_source(photos: PhotoSet) -> None:
    assert len(photos.keys) == 12
    assert list(photos.keys) == sorted(photos.keys)
    assert {photos.source(key) for key in photos.keys} == {"one", "two"}


def test_only_keeps_what_fits(folder: Path) -> None:
    assert len(PhotoSet.open(folder, PHOTOS, ["one/*"]).keys) == 6
    with pytest.raises(DataError, match="no photos matching three"):
        PhotoSet.open(folder, PHOTOS, ["three/*"])


def test_stereo_pairs_are_pictures_too(copy: Path) -> None:
    before = PhotoSet.open(copy, PHOTOS).keys
    Image.new("RGB", (64, 64), (90, 60, 30)).save(copy / "pair.mpo", "JPEG")
    assert set(PhotoSet.open(copy, PHOTOS).keys) == {*before, "pair"}


def test_an_empty_folder_and_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there are no photos in"):
        PhotoSet.open(tmp_path, PHOTOS)
    with pytest.raises(DataError, match="is not a folder"):
        PhotoSet.open(tmp_path / "none", PHOTOS)


def test_two_files_of_one_name_are_refused(copy: Path) -> None:
    Image.new("RGB", (9, 9)).save(copy / "one/photo01.jpg")
    with pytest.raises(DataError, match="have the same name"):
        PhotoSet.open(copy, PHOTOS)


def test_an_unreadable_photo_is_named_and_the_others_keep_their_numbers(copy: Path) -> None:
    (copy / "one/photo01.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    photos = PhotoSet.open(copy, PHOTOS)
    number = photos.keys.index("one/photo01")
    left = photos.load(number)
    assert isinstance(left, Exclusion)
    assert left.failed
    assert "cannot be read" in left.reason
    after = photos.load(number + 1)
    assert isinstance(after, Sample)
    assert after.number == number + 1


def test_a_grey_truth_is_named(copy: Path) -> None:
    Image.open(copy / "two/photo00.png").convert("L").convert("RGB").save(copy / "two/photo00.png")
    photos = PhotoSet.open(copy, PHOTOS)
    left = photos.load(photos.keys.index("two/photo00"))
    assert left == Exclusion("two/photo00", "the truth has no color", failed=False)


def test_sixteen_bit_and_grey_files_are_read(tmp_path: Path) -> None:
    import cv2

    deep = np.random.default_rng(0).integers(0, 65536, (40, 40, 3), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    sample = PhotoSet.open(tmp_path, PHOTOS).load(0)
    assert isinstance(sample, Sample)
    assert sample.truth.dtype == np.uint8


def test_jpeg_noise_on_grey_is_no_color() -> None:
    grey = np.repeat(np.random.default_rng(0).integers(0, 255, (64, 64, 1), dtype=np.uint8), 3, axis=2)
    assert _is_colorless(grey)
    grey[..., 0] = np.clip(grey[..., 0].astype(int) + 12, 0, 255).astype(np.uint8)
    assert not _is_colorless(grey)


# --- predictions --------------------------------------------------------------------------------


def test_predictions_match_by_path_or_by_name(photos: PhotoSet, tmp_path: Path) -> None:
    nested = FolderPredictor.open("nested", predictions(photos, tmp_path / "nested"), photos)
    flat = tmp_path / "flat"
    flat.mkdir()
    for key in photos.keys:
        Image.new("RGB", (256, 256)).save(flat / f"{key.rpartition('/')[2]}.colorized.png")
    named = FolderPredictor.open("flat", flat, photos)
    assert nested.problems(photos) == named.problems(photos) == {}


def test_results_beside_their_photos_are_predictions_and_no_truths(copy: Path) -> None:
    photos = PhotoSet.open(copy, PHOTOS)
    for key in photos.keys:  # as `photochrom colorize FOLDER` leaves them
        Image.new("RGB", (256, 256), (90, 60, 30)).save(copy / f"{key}.colorized.png")
    assert PhotoSet.open(copy, PHOTOS).keys == photos.keys
    theirs = FolderPredictor.open("theirs", copy, photos)
    assert {path.name.removesuffix(".colorized.png") for path in theirs.pictures.values()} == {
        key.rpartition("/")[2] for key in photos.keys
    }


def test_a_prediction_is_used_as_it_is(photos: PhotoSet, sample: Sample, tmp_path: Path) -> None:
    place = predictions(photos, tmp_path / "p")
    Image.fromarray(sample.truth).save(place / f"{sample.key}.png")
    picture = FolderPredictor.open("p", place, photos).prepare(sample).render()
    assert (picture == sample.truth).all()


def test_a_prediction_of_the_photos_own_size_is_cut_like_the_photo(
    photos: PhotoSet, sample: Sample, tmp_path: Path
) -> None:
    place = predictions(photos, tmp_path / "p", side=96)
    shutil.copy(photos.paths[sample.key], place / f"{sample.key}.png")
    predictor = FolderPredictor.open("p", place, photos)
    assert predictor.problems(photos) == {}
    assert (predictor.prepare(sample).render() == sample.truth).all()


def test_every_problem_of_predictions_is_named(photos: PhotoSet, tmp_path: Path) -> None:
    place = predictions(photos, tmp_path / "p")
    (place / f"{photos.keys[0]}.png").unlink()
    Image.new("RGB", (100, 90)).save(place / f"{photos.keys[1]}.png")
    (place / f"{photos.keys[2]}.png").write_bytes(b"GIF89a nonsense")
    (place / f"{photos.keys[3]}.png").rename(place / "renamed.png")
    problems = FolderPredictor.open("p", place, photos).problems(photos)
    assert list(problems) == list(photos.keys[:4])
    assert problems[photos.keys[0]] == problems[photos.keys[3]] == "no prediction of that name"
    assert "100×90 px, neither" in problems[photos.keys[1]]
    assert "cannot be read" in problems[photos.keys[2]]


def test_one_name_for_several_is_refused(photos: PhotoSet, tmp_path: Path) -> None:
    for sub in ("a", "b"):
        (tmp_path / sub).mkdir()
        Image.new("RGB", (256, 256)).save(tmp_path / sub / "photo00.png")
    with pytest.raises(DataError, match="several are called 'photo00'"):
        FolderPredictor.open("p", tmp_path, photos)


# --- baselines ----------------------------------------------------------------------------------


def test_grey_is_grey(sample: Sample) -> None:
    picture = Grey().prepare(sample).render()
    assert (picture == sample.grey[..., None]).all()


def test_the_mean_color_is_one_color_and_the_truths(sample: Sample) -> None:
    from photochrom.color import rgb_to_lab

    picture = rgb_to_lab(MeanColor().prepare(sample).render())
    middle = (sample.grey > 60) & (sample.grey < 200)  # away from the gamut's ends
    mean = rgb_to_lab(sample.truth)[..., 1:].mean(axis=(0, 1))
    assert np.abs(picture[middle][:, 1:].mean(axis=0) - mean).max() < 1
    assert picture[middle][:, 1:].std(axis=0).max() < 1.5
