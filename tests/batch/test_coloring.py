"""One job, with the real engine on small pictures."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from photochrom.batch import coloring, plan
from photochrom.batch.coloring import Coloring, Result, Task, failure, stamp_of
from photochrom.batch.options import Options
from photochrom.color import luminance, rgb_to_lab
from photochrom.hints import Hint
from photochrom.photo import read
from photochrom.photo.vips import libvips
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def job_for(path: Path, output: Path, options: Options | None = None) -> plan.Job:
    return plan.to_file(plan.Source(path, path), output, options)[0]


def color(path: Path, output: Path, options: Options | None = None, **task: object) -> Result:
    options = options or Options()
    return Coloring(options, threads=1)(Task(job_for(path, output, options), **task))  # type: ignore[arg-type]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_photo_is_colored_at_its_size_with_its_luminance(
    photo: Callable[..., Path], tmp_path: Path
) -> None:
    path = photo("in/a.png", 1)
    result = color(path, tmp_path / "new/folder/a.png", hash_output=True)
    assert (result.status, result.error, result.model) == ("done", None, "photochrom")
    assert result.hashes == {"a.png": file_sha256(tmp_path / "new/folder/a.png")}
    rgb, grey = read(tmp_path / "new/folder/a.png").rgb, np.asarray(Image.open(path))
    assert rgb.shape == (*grey.shape, 3)
    assert np.abs(rgb_to_lab(rgb)[..., 0] - luminance(grey)).max() < 0.3
    assert result.to_json()["output"] == str(tmp_path / "new/folder/a.png")


def test_hints_and_vividness_are_obeyed(photo: Callable[..., Path], tmp_path: Path) -> None:
    path = photo("a.png", 1, width=96, height=96)
    options = Options(hints=(Hint(0.5, 0.5, "#2040c0", radius=0.1),))
    color(path, tmp_path / "blue.png", options)
    assert rgb_to_lab(read(tmp_path / "blue.png").rgb)[48, 48, 2] < -20
    for vividness in (0.0, 1.0):
        color(path, tmp_path / f"{vividness}.png", Options(vividness=vividness))
    chroma = [np.abs(rgb_to_lab(read(tmp_path / f"{v}.png").rgb)[..., 1:]).mean() for v in (0.0, 1.0)]
    assert chroma[1] > chroma[0]


def test_side_by_side_is_twice_as_wide(photo: Callable[..., Path], tmp_path: Path) -> None:
    path = photo("a.png", 1)
    color(path, tmp_path / "b.png", Options(side_by_side=True))
    rgb = read(tmp_path / "b.png").rgb
    assert rgb.shape == (32, 96, 3)
    np.testing.assert_array_equal(rgb[:, :48], read(path).rgb)


@pytest.mark.parametrize(
    ("kind", "name"), [("tiff", "b.colorized.layer.tif"), ("png", "b.colorized.layer.png")]
)
def test_a_layer_lies_beside_the_result(
    photo: Callable[..., Path], tmp_path: Path, kind: str, name: str
) -> None:
    path = photo("in/a.png", 1)
    assert color(path, tmp_path / "out/b.png", Options(layer=kind)).status == "done"
    assert files(tmp_path / "out") == sorted(["b.png", name])


@pytest.mark.parametrize(
    ("subsampling", "factors"), [("4:2:0", (2, 2)), ("4:4:4", (1, 1)), ("4:2:2", (2, 1))]
)
def test_jpeg_options_reach_the_file(
    photo: Callable[..., Path], tmp_path: Path, subsampling: str, factors: tuple[int, int]
) -> None:
    color(photo("a.jpg", 1), tmp_path / "b.jpg", Options(subsampling=subsampling))
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.layer[0][1:3] == factors
    for quality in (30, 100):
        color(photo("c.png", 1, width=300, height=200), tmp_path / f"{quality}.jpg", Options(quality=quality))
    assert (tmp_path / "100.jpg").stat().st_size > 1.5 * (tmp_path / "30.jpg").stat().st_size


@pytest.mark.parametrize("strip", [False, True])
def test_colors_in_the_inputs_own_profile(photo: Callable[..., Path], tmp_path: Path, strip: bool) -> None:
    """The same colors as in sRGB, in other numbers; a profile is no metadata that --strip takes away."""
    wide = tmp_path / "wide.png"
    with Image.open(photo("a.png", 1)) as image:
        image.convert("RGB").save(wide, icc_profile=libvips().Operation.call("profile_load", "p3"))
    color(wide, tmp_path / "own.png", Options(profile="input", strip=strip))
    color(wide, tmp_path / "srgb.png", Options(strip=strip))
    with Image.open(tmp_path / "own.png") as own, Image.open(tmp_path / "srgb.png") as srgb:
        assert own.info["icc_profile"] == libvips().Operation.call("profile_load", "p3")
        assert srgb.info["icc_profile"] != own.info["icc_profile"]
        assert np.abs(np.asarray(own, int) - np.asarray(srgb)).max() > 2
    own_seen, srgb_seen = (read(tmp_path / name).rgb for name in ("own.png", "srgb.png"))
    as_shares = (seen / np.iinfo(seen.dtype).max for seen in (own_seen, srgb_seen))
    assert np.abs(np.subtract(*as_shares)).max() <= 3 / 255


def test_depth(tmp_path: Path) -> None:
    plane = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.tif"), plane)
    color(tmp_path / "a.tif", tmp_path / "same.tif")
    color(tmp_path / "a.tif", tmp_path / "eight.tif", Options(depth=8))
    assert (read(tmp_path / "same.tif").dtype, read(tmp_path / "eight.tif").dtype) == (np.uint16, np.uint8)


def test_a_page_that_is_not_there(photo: Callable[..., Path], tmp_path: Path) -> None:
    path = photo("a.tif", 1)
    result = color(path, tmp_path / "b.tif", Options(page=3))
    assert result.status == "failed"
    assert not (tmp_path / "b.tif").exists()


def test_a_colored_photo_is_warned_about_and_a_sepia_is_not(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(0, 255, (64, 64, 3))
    Image.fromarray(cv2.GaussianBlur(noise, (0, 0), 6, None).astype(np.uint8)).save(tmp_path / "faint.png")
    vivid = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 6), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    Image.fromarray(vivid).save(tmp_path / "color.png")
    sepia = np.clip(vivid[..., :1] * np.array([1, 0.85, 0.65]), 0, 255).astype(np.uint8)
    Image.fromarray(sepia).save(tmp_path / "sepia.png")
    assert "color photo already" in " ".join(color(tmp_path / "color.png", tmp_path / "1.png").warnings)
    assert color(tmp_path / "sepia.png", tmp_path / "2.png").warnings == ()


def test_what_is_no_photo_fails_with_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, content in {"text.jpg": b"hello", "empty.png": b"", "cut.png": b"\x89PNG\r\n\x1a\n"}.items():
        (tmp_path / "in" / name).write_bytes(content)
        result = color(tmp_path / "in" / name, tmp_path / "out" / name, Options(layer="tiff"))
        assert result.status == "failed"
        assert result.error
        assert result.output is None
    assert not (tmp_path / "out").exists() or files(tmp_path / "out") == []


def test_a_missing_photo_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.jpg", tmp_path):
        assert color(path, tmp_path / "out.jpg").status == "failed"


def test_a_photo_that_changed_since_it_was_hashed(photo: Callable[..., Path], tmp_path: Path) -> None:
    path = photo("a.png", 1)
    stamp = stamp_of(path)
    photo("a.png", 2)
    os.utime(path, ns=(1, 1))
    result = color(path, tmp_path / "b.png", stamp=stamp)
    assert result.error is not None
    assert "changed while it was read" in result.error
    assert not (tmp_path / "b.png").exists()


def test_a_result_that_is_there_is_kept(photo: Callable[..., Path], tmp_path: Path) -> None:
    path = photo("a.png", 1)
    (tmp_path / "b.png").write_bytes(b"mine")
    result = color(path, tmp_path / "b.png", Options(layer="tiff"))
    assert result.error is not None
    assert "exists already" in result.error
    assert (tmp_path / "b.png").read_bytes() == b"mine"
    assert color(path, tmp_path / "b.png", replace=True).status == "done"


def test_a_full_disk_leaves_neither_picture_nor_layer(
    photo: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo("in/a.png", 1)
    sync = os.fsync
    synced = []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) > 2:  # the layer and its folder still fit
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    result = color(path, tmp_path / "out/a.png", Options(layer="tiff"))
    assert result.status == "failed"
    assert result.error is not None
    assert "disk is full" in result.error
    assert files(tmp_path / "out") == []


def test_no_memory_is_a_failure_of_that_photo(
    photo: Callable[..., Path], tmp_path: Path, monkeypatch
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(coloring, "read", exhausted)
    result = color(photo("a.png", 1), tmp_path / "b.png")
    assert result.error == "there is not enough memory for it"


def test_a_failure_says_the_path_once() -> None:
    job = plan.Job(plan.Path("a.jpg"), plan.Path("b.jpg"))
    assert failure(job, "a.jpg: broken").error == "broken"
    assert failure(job, "a.jpg does not exist").error == "a.jpg does not exist"


def test_a_negative_is_colored_as_its_positive(photo: Callable[..., Path], tmp_path: Path) -> None:
    path = photo("positive.png", 1)
    positive = np.asarray(Image.open(path))
    negative = tmp_path / "negative.jpg"  # whose luminance data are not to be kept
    Image.fromarray(255 - positive).save(negative, quality=100)
    result = color(negative, tmp_path / "out.jpg", Options(invert=True, quality=100, subsampling="4:4:4"))
    assert result.error is None
    shown = rgb_to_lab(read(tmp_path / "out.jpg").rgb)[..., 0]
    assert np.abs(shown - luminance(positive)).mean() < 1


def test_a_cut_photo_is_colored_when_asked_for(photo: Callable[..., Path], tmp_path: Path) -> None:
    path = photo("a.jpg", 1, width=300, height=400)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cut short" in str(color(path, tmp_path / "b.jpg").error)
    result = color(path, tmp_path / "b.jpg", Options(salvage=True))
    assert (result.status, result.error) == ("done", None)
    assert "it is damaged or cut short: what is there was read, the rest is grey or black" in result.warnings
    assert read(tmp_path / "b.jpg").pixels.shape == (400, 300, 3)


def test_all_pages_become_a_tiff_with_as_many(tmp_path: Path) -> None:
    """`--pages all`: every page in color, none left out and none named as such; read by tifffile."""
    source = tmp_path / "album.tif"
    pages = [np.tile(np.linspace(30 * n, 200, 48).astype(np.uint8), (32, 1)) for n in range(3)]
    tifffile.imwrite(source, np.stack(pages), photometric="minisblack")
    options = Options(pages="all")
    (job,) = plan.to_file(plan.Source(source, source), tmp_path / "out.tif", options)
    result = Coloring(options)(Task(job))
    assert (result.status, result.warnings) == ("done", ())
    with tifffile.TiffFile(job.output) as file:
        assert len(file.pages) == 3
        written = [page.asarray() for page in file.pages]
    for page, rgb in zip(pages, written, strict=True):
        before, after = (rgb_to_lab(pixels)[..., 0] for pixels in (np.dstack([page] * 3), rgb))
        assert np.abs(after - before).max() < 0.5
    (one,) = plan.to_file(plan.Source(source, source), tmp_path / "one.png", options)
    assert "write TIFF for several pages" in str(Coloring(options)(Task(one)).error)
