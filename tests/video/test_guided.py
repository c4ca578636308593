"""What a person says of a film: key frames out and back, hints with a time, palettes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

from photochrom import Hint
from photochrom.color import rgb_to_lab
from photochrom.errors import GuidanceError
from photochrom.hints import dump_hints
from photochrom.video import colorize, export_keyframes, frames, read_hints, read_pictures

if TYPE_CHECKING:
    from pathlib import Path


def two_scenes(films: Any, tmp_path: Path) -> Path:
    return films.write(
        tmp_path / "film.mkv", [*films.pan(12, 1), *films.pan(12, 2)], codec="ffv1", pix_fmt="yuv444p"
    )


def test_a_key_frame_a_scene_with_its_time(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = two_scenes(films, tmp_path)
    found = list(export_keyframes(film, tmp_path / "keys", model=colorizer))
    assert len(found) == 2
    for path, (low, high) in zip(found, [(0, 0.48), (0.48, 0.96)], strict=True):
        with Image.open(path) as image:
            seconds = float(image.info["photochrom:time"])
            assert image.size == (64, 48)
        assert low <= seconds < high
        assert path.name == f"film.{seconds:09.3f}.png"


def test_a_key_frame_is_whole_or_absent(
    tmp_path: Path, films: Any, colorizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was cut short would stay in every later run."""
    film = two_scenes(films, tmp_path)

    def cut(image: Image.Image, target: Any, *words: Any, **more: Any) -> None:
        (target.write_bytes if hasattr(target, "write_bytes") else target.write)(b"half a pict")
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(Image.Image, "save", cut)
        with pytest.raises(KeyboardInterrupt):
            list(export_keyframes(film, tmp_path / "keys", model=colorizer))
    assert list((tmp_path / "keys").iterdir()) == []
    assert len(list(export_keyframes(film, tmp_path / "keys", model=colorizer))) == 2


def test_a_colored_key_frame_colors_its_scene_and_no_other(
    tmp_path: Path, films: Any, colorizer: Any
) -> None:
    film = two_scenes(films, tmp_path)
    first, _ = export_keyframes(film, tmp_path / "keys", model=colorizer)
    grey = np.asarray(Image.open(first).convert("RGB")).astype(int)
    purple = (grey + np.array([14, -16, 24])).clip(0, 255).astype(np.uint8)
    Image.fromarray(purple).save(first.with_name(f"{first.stem}.colorized.png"))
    pictures = tuple(read_pictures(tmp_path / "keys"))
    assert len(pictures) == 1  # the grey ones are passed over
    told, plain = (  # but for what has left the frame before the picture
        [rgb_to_lab(rgb)[:, 12:, 1:].mean((0, 1)) for _, rgb in frames(film, model=colorizer, pictures=given)]
        for given in (pictures, ())
    )
    wanted = rgb_to_lab(purple)[..., 1:].mean((0, 1))
    for ab in told[:12]:
        assert np.hypot(*(ab - wanted)) < 6
    assert np.allclose(told[12:], plain[12:], atol=1)


def test_a_hint_is_good_from_its_time_to_the_end_of_the_scene_and_follows_the_thing(
    tmp_path: Path, films: Any, colorizer: Any
) -> None:
    film = two_scenes(films, tmp_path)
    hint = Hint(0.7, 0.5, "#c02020", radius=0.1, time=0.2)
    told = np.array([rgb_to_lab(rgb)[..., 1:] for _, rgb in frames(film, model=colorizer, hints=(hint,))])
    plain = np.array([rgb_to_lab(rgb)[..., 1:] for _, rgb in frames(film, model=colorizer)])
    change = (told - plain)[..., 0].mean(1)  # of a*, by column
    assert change[5:12].max(-1).min() > 8
    assert np.abs(change[12:]).max() < 1  # the next scene knows nothing of it
    share = np.maximum(change[[5, 11]], 0)
    columns = (share * np.arange(64)).sum(1) / share.sum(1)
    assert columns[1] < columns[0] - 2  # the pan moves things to the left, a pixel a frame


def test_hints_that_the_studio_saved_of_a_key_frame_are_for_its_scene(
    tmp_path: Path, films: Any, colorizer: Any
) -> None:
    """Its file has the name of the key frame, and no times."""
    film = two_scenes(films, tmp_path)
    _, key = export_keyframes(film, tmp_path / "keys", model=colorizer)
    saved = tmp_path / f"{key.stem}.hints.json"
    saved.write_text(json.dumps(dump_hints([Hint(0.5, 0.5, "#c02020", radius=0.2)])))
    (tmp_path / "timed.json").write_text(json.dumps(dump_hints([Hint(0.5, 0.5, "#20c020", time=0.25)])))
    hints = read_hints(saved, tmp_path / "timed.json")
    with Image.open(key) as image:
        assert [hint.time for hint in hints] == [float(image.info["photochrom:time"]), 0.25]
    told, plain = (
        np.array([rgb_to_lab(rgb)[..., 1] for _, rgb in frames(film, model=colorizer, hints=given)])
        for given in (hints[:1], ())
    )
    change = (told - plain).mean((1, 2))
    assert np.abs(change[:12]).max() < 1
    assert change[12:].min() > 3  # before the key frame too


def test_a_palette_keeps_a_film_to_its_hues(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "film.mkv", films.pan(4), codec="ffv1", pix_fmt="yuv444p")
    for _, rgb in frames(film, model=colorizer, palette=("#3b5998",)):
        a, b = np.moveaxis(rgb_to_lab(cv2.blur(rgb, (5, 5)))[..., 1:], -1, 0)
        strong = np.hypot(a, b) > 8
        if strong.any():
            assert np.median(b[strong]) < 0


def test_pictures_without_time_or_color_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(GuidanceError, match="is not a folder"):
        read_pictures(tmp_path / "gone")
    with pytest.raises(GuidanceError, match="no colored picture"):
        read_pictures(tmp_path)
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    with pytest.raises(GuidanceError, match="says no time"):
        read_pictures(tmp_path)


def test_a_hint_for_the_time_before_a_trial_colors_nothing_in_it(
    tmp_path: Path, films: Any, colorizer: Any
) -> None:
    film = two_scenes(films, tmp_path)
    hint = Hint(0.5, 0.5, "#c03060", radius=0.1, time=0.1)  # of the first scene
    told, plain = (
        [rgb for _, rgb in frames(film, model=colorizer, hints=hints, start=0.6)] for hints in ([hint], [])
    )
    assert all(np.array_equal(one, other) for one, other in zip(told, plain, strict=True))
    report = colorize(film, tmp_path / "out.mp4", model=colorizer, hints=[hint], start=0.6)
    assert report.warnings == ["hints for the time before --from are left out: 1"]
