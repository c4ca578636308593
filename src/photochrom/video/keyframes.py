"""Frames to color by hand: one well-chosen a scene out of a film, and colored ones back."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from photochrom.color import is_grey, luminance
from photochrom.errors import GuidanceError, PhotoError
from photochrom.hints import load_hints
from photochrom.photo import is_picture_name, read
from photochrom.photo.atomic import save
from photochrom.video.motion import tones_of
from photochrom.video.painting import Picture
from photochrom.video.scenes import is_cut, steps_between

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from photochrom.hints import Hint
    from photochrom.video.coloring import Coloring

_TIME = "photochrom:time"  # the text of a PNG that says when its frame is shown, in seconds
_IN_NAME = re.compile(r"\.(\d{5,}\.\d{3})\.")
_MOST_GREY = 3  # channels may differ by so much in a picture that nobody colored


def write_keyframes(coloring: Coloring, folder: Path) -> Iterator[Path]:
    """Write a picture a scene, as it is shown, and give its path.

    That is the frame with the most to see, sharp and well lit. Its time in seconds is in the picture's name
    and metadata. Pictures that are there already stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = coloring.source
    wanted = list(_chosen(coloring))
    for frame in source.frames(*coloring.bounds()):
        if wanted and frame.pts == wanted[0]:
            del wanted[0]
            seconds = source.seconds(frame.pts)
            path = folder / f"{source.path.stem}.{seconds:09.3f}.png"
            if not path.exists():
                _write(Image.fromarray(coloring.shown(frame)), path, seconds)
            yield path


def _write(picture: Image.Image, path: Path, seconds: float) -> None:
    """All or nothing: a picture that is there stays in later runs."""
    text = PngInfo()
    text.add_text(_TIME, repr(seconds))
    save(path, lambda sink: picture.save(sink, "PNG", pnginfo=text))


def _chosen(coloring: Coloring) -> Iterator[int]:
    """The pts of each scene's best frame."""
    best: tuple[float, int] | None = None
    last = None
    for pts, neutral in coloring.small_frames(None):
        level = luminance(neutral)
        tones = tones_of(level)
        if last is not None and best is not None and is_cut(steps_between(last, tones)):
            yield best[1]
            best = None
        dark, light = np.percentile(level, (2, 98))
        sharp = float(cv2.Laplacian(level, cv2.CV_32F).std())
        score = float(light - dark) * sharp
        if best is None or score > best[0]:
            best = score, pts
        last = tones
    if best is not None:
        yield best[1]


def read_pictures(folder: Path) -> list[Picture]:
    """The colored pictures of a folder and their times; grey ones, that nobody colored, are passed over.

    Raises GuidanceError for a picture without a time, and where there is no colored one; PhotoError.
    """
    if not folder.is_dir():
        raise GuidanceError(f"{folder} is not a folder: give the one with the colored key frames")
    found = []
    for path in sorted(folder.iterdir()):
        if not is_picture_name(path):
            continue
        photo = read(path)
        if is_grey(photo.rgb) or np.ptp(photo.rgb.astype(np.int32), axis=-1).max() <= _MOST_GREY:
            continue
        found.append(Picture(_time_of(path), path))
    if not found:
        raise GuidanceError(f"{folder} holds no colored picture: color the key frames and save them there")
    return found


def read_hints(*paths: Path) -> list[Hint]:
    """The hints of files. Those without a time are for the key frame whose time is in their file's name.

    So the studio saves them: film.00012.480.hints.json. Raises HintError.
    """
    found: list[Hint] = []
    for path in paths:
        named = _IN_NAME.findall(path.name)
        time = float(named[-1]) if named else None
        found += [replace(hint, time=time) if hint.time is None else hint for hint in load_hints(path)]
    return found


def _time_of(path: Path) -> float:
    """When a picture's frame is shown: as its metadata say, else its name."""
    try:
        with Image.open(path) as image:
            stated = image.info.get(_TIME)
        if stated is not None:
            return float(stated)
    except (OSError, ValueError) as error:
        raise PhotoError(f"{path} cannot be read: {error}") from None
    named = _IN_NAME.findall(path.name)
    if not named:
        raise GuidanceError(
            f"{path} says no time: keep the name that the key frame had, such as film.00012.480.png"
        )
    return float(named[-1])
