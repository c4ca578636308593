"""What is learned from, what is left out, and that it is said."""

from __future__ import annotations

import io
import pickle
import tarfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.errors import DataError
from photochrom.training.data import list_files
from photochrom.training.photos import (
    PhotoSet,
    _is_colorless,
    color_counts,
    load_photos,
    sampling_weights,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Picture = Callable[..., np.ndarray]


def shard(path: Path, seeds: range, picture: Picture) -> None:
    with tarfile.open(path, "w") as tar:
        for seed in seeds:
            coded = io.BytesIO()
            Image.fromarray(picture(seed)).save(coded, "PNG")
            member = tarfile.TarInfo(f"source{seed % 2}/{seed}.png")
            member.size = len(coded.getvalue())
            tar.addfile(member, io.BytesIO(coded.getvalue()))


def test_a_folder_at_any_depth(folder: Path, tmp_path: Path, picture: Picture) -> None:
    photos = load_photos(folder, 192, tmp_path / "cache")
    assert len(photos) == 6
    assert sorted(set(photos.sources)) == ["one", "two/deep"]
    files = [file.place.stem for file in list_files(folder)]
    for index, name in enumerate(files):
        np.testing.assert_array_equal(photos[index], picture(int(name)))


def test_a_single_photo(photo: Path, tmp_path: Path, picture: Picture) -> None:
    photos = load_photos(photo, 192, tmp_path / "cache")
    assert len(photos) == 1
    np.testing.assert_array_equal(photos[0], picture(0))


def test_shards(tmp_path: Path, picture: Picture) -> None:
    for number in range(3):
        shard(tmp_path / f"train-{number}.tar", range(2 * number, 2 * number + 2), picture)
    photos = load_photos(tmp_path, 192, tmp_path / "cache")
    assert photos.shards.tolist() == [0, 0, 1, 1, 2, 2]
    assert photos.sources == ["source0", "source1"] * 3
    np.testing.assert_array_equal(photos[5], picture(5))
    mine = load_photos(tmp_path, 192, tmp_path / "cache", slice(1, None, 2))
    assert mine.shards.tolist() == [1, 1]
    np.testing.assert_array_equal(mine[0], picture(2))


def test_large_photos_are_kept_small(tmp_path: Path, picture: Picture) -> None:
    Image.fromarray(picture(1, 300, 400)).save(tmp_path / "large.png")
    photo = load_photos(tmp_path / "large.png", 96, tmp_path / "cache")[0]
    assert photo.shape == (96, 128, 3)
    area = cv2.resize(picture(1, 300, 400), (128, 96), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(photo, area)


def test_sixteen_bits_become_eight(tmp_path: Path, picture: Picture) -> None:
    deep = picture(3)[..., ::-1].astype(np.uint16) * 257
    assert cv2.imwrite(str(tmp_path / "deep.png"), deep)
    photo = load_photos(tmp_path / "deep.png", 96, tmp_path / "cache")[0]
    np.testing.assert_array_equal(photo, picture(3))


def test_grey_photos_are_counted_and_left_out(folder: Path, tmp_path: Path, picture: Picture) -> None:
    Image.fromarray(picture(7)[..., 0]).save(folder / "grey.png")
    Image.fromarray(np.repeat(picture(8)[..., :1], 3, axis=2)).save(folder / "grey too.jpg")
    photos = load_photos(folder, 192, tmp_path / "cache")
    assert (len(photos), photos.grey, photos.unreadable) == (6, 2, [])
    assert photos.left_out == "2 without color, 0 unreadable"


def test_unreadable_files_are_listed_and_left_out(folder: Path, tmp_path: Path, picture: Picture) -> None:
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a photo")
    (folder / "empty.png").write_bytes(b"")
    Image.fromarray(picture(0, 8, 8)).save(folder / "icon.png")
    (folder / "notes.txt").write_text("no photo, and not taken for one")
    photos = load_photos(folder, 192, tmp_path / "cache")
    assert len(photos) == 6
    assert len(photos.unreadable) == 3
    for name in ("broken.jpg", "empty.png", "icon.png"):
        assert any(name in line for line in photos.unreadable)


def test_what_went_away_is_listed_and_what_is_ours_or_hidden_is_not_taken(
    folder: Path, tmp_path: Path, picture: Picture
) -> None:
    for name in ("a.colorized.png", "._a.png"):
        Image.fromarray(picture(0)).save(folder / name)
    files = list_files(folder)
    assert len(files) == 6
    gone = files[2].local(tmp_path)
    gone.unlink()
    photos = load_photos(folder, 192, tmp_path / "cache", files=files)
    assert len(photos) == 5
    assert len(photos.unreadable) == 1
    assert gone.name in photos.unreadable[0]


def test_nothing_to_learn_from(tmp_path: Path, picture: Picture) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match=r"empty holds no photographs"):
        load_photos(empty, 192, tmp_path / "cache")
    with pytest.raises(DataError, match=r"there is nothing at"):
        load_photos(tmp_path / "missing", 192, tmp_path / "cache")
    Image.fromarray(picture(7)[..., 0]).save(empty / "grey.png")
    with pytest.raises(DataError, match=r"no color photograph .*1 without color"):
        load_photos(empty, 192, tmp_path / "cache")


@pytest.mark.parametrize("damage", [lambda whole: whole[:2000], lambda _: b"not a tar file" * 100])
def test_a_broken_shard_is_an_error(
    damage: Callable[[bytes], bytes], tmp_path: Path, picture: Picture
) -> None:
    shard(tmp_path / "train-0.tar", range(4), picture)
    whole = (tmp_path / "train-0.tar").read_bytes()
    (tmp_path / "train-0.tar").write_bytes(damage(whole))
    with pytest.raises(DataError, match=r"train-0\.tar is not a whole tar"):
        load_photos(tmp_path, 192, tmp_path / "cache")


def test_the_cache_is_used_until_the_data_change(folder: Path, tmp_path: Path, picture: Picture) -> None:
    cache = tmp_path / "cache"
    load_photos(folder, 192, cache)
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    load_photos(folder, 192, cache)
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before
    Image.fromarray(picture(9)).save(folder / "new.png")
    assert len(load_photos(folder, 192, cache)) == 7
    load_photos(folder, 32, cache)
    assert len(list(cache.glob("*.json"))) == 3


def test_a_cache_cut_short_is_made_again(folder: Path, tmp_path: Path, picture: Picture) -> None:
    cache = tmp_path / "cache"
    load_photos(folder, 192, cache)
    (index,) = cache.glob("*.json")
    index.unlink()  # as after a kill: the index is written last
    (pixels,) = cache.glob("*.bytes")
    pixels.write_bytes(b"half")
    np.testing.assert_array_equal(load_photos(folder, 192, cache)[0], picture(1))


def test_a_set_travels_to_another_process_without_its_pixels(folder: Path, tmp_path: Path) -> None:
    photos = load_photos(folder, 192, tmp_path / "cache")
    first = photos[0].copy()
    sent = pickle.dumps(photos)
    assert len(sent) < 3000
    np.testing.assert_array_equal(pickle.loads(sent)[0], first)


def fake(shards: list[int]) -> PhotoSet:
    return PhotoSet(
        None, np.ones((len(shards), 2), np.int32), ["x"] * len(shards), np.array(shards, np.int32)
    )


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.floats(0, 0.5), st.integers(0, 5))
def test_split_is_a_partition_that_leaves_something(shards: list[int], share: float, seed: int) -> None:
    photos = fake(shards)
    train, held = split(photos, share, seed)
    assert sorted([*train, *held]) == list(range(len(shards)))
    assert set(photos.shards[train]) == set(shards)
    again = split(photos, share, seed)
    np.testing.assert_array_equal(train, again[0])


def test_a_single_photo_is_never_held_out() -> None:
    assert split(fake([0]), 0.5, 0)[0].tolist() == [0]


def test_split_holds_out_the_share() -> None:
    assert len(split(fake([0] * 200), 0.05, 0)[1]) == 10


def test_a_shard_is_split_the_same_alone_or_among_others() -> None:
    both, alone = fake([0] * 10 + [1] * 10), fake([1] * 10)
    _, held = split(both, 0.3, 7)
    _, own = split(alone, 0.3, 7)
    np.testing.assert_array_equal(np.sort(held[held >= 10] - 10), np.sort(own))


def test_sources_are_evened_out() -> None:
    weights = sampling_weights(["large"] * 9 + ["small"], -0.5)
    assert weights.sum() == pytest.approx(1)
    assert weights[9] / weights[0] == pytest.approx(3)
    np.testing.assert_allclose(sampling_weights(["a", "a", "b"], 0.0), 1 / 3)


def test_color_counts_find_the_colors(tmp_path: Path) -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    Image.fromarray(red).save(tmp_path / "red.png")
    bins = np.array([[0, 0], [80, 67], [-80, 80]], np.float32)  # sRGB red is a* 80, b* 67
    counts = color_counts(load_photos(tmp_path / "red.png", 64, tmp_path / "cache"), bins, 10)
    assert counts.tolist() == [0, 64, 0]


def test_what_counts_as_colorless(picture: Picture) -> None:
    sepia = np.stack([picture(0)[..., 0]] * 3, -1).astype(np.int16) + np.array([1, 0, -1])
    assert _is_colorless(sepia.clip(0, 255).astype(np.uint8))
    assert not _is_colorless(picture(0))
