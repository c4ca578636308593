"""photochrom uncolor: the grey JPEG that a colored one was made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from photochrom.photo import read
from photochrom.photo.jpeg_luminance import compare_luminance


def test_there_and_back(photochrom: Any, photo: Any, tmp_path: Any) -> None:
    photo("a.jpg")
    photochrom("colorize", "a.jpg")
    found = photochrom("uncolor", "a.colorized.jpg", "-o", "grey.jpg")
    assert (found.code, found.lines) == (0, ["grey.jpg"])
    before, after = tmp_path / "a.jpg", tmp_path / "grey.jpg"
    assert compare_luminance(before.read_bytes(), after.read_bytes()) == "identical"
    assert np.array_equal(read(before).pixels, read(after).pixels)
    assert read(after).channels == 1
    assert read(after).metadata.xmp is None  # the mark is gone with the colors
    assert photochrom("verify", "--luminance", "a.jpg", "grey.jpg").code == 0


def test_nothing_is_replaced(photochrom: Any, photo: Any, tmp_path: Any) -> None:
    photo("a.jpg")
    photo("b.jpg", seed=1)
    before = (tmp_path / "b.jpg").read_bytes()
    for target in ("b.jpg", "a.jpg"):
        found = photochrom("uncolor", "a.jpg", "-o", target)
        assert found.code == 1
        assert "already" in found.err
    assert (tmp_path / "b.jpg").read_bytes() == before


def test_other_files_and_names_are_refused(photochrom: Any, photo: Any, tmp_path: Any) -> None:
    photo("a.jpg")
    assert photochrom("uncolor", "a.jpg", "-o", "grey.png").code == 2
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "b.png")
    found = photochrom("uncolor", "b.png", "-o", "grey.jpg")
    assert found.code == 1
    assert "JPEG" in found.err
    assert not (tmp_path / "grey.jpg").exists()


def test_more_pixels_are_taken_when_asked(photochrom: Any, photo: Any) -> None:
    photo("a.jpg")
    for verb in (["uncolor", "a.jpg", "-o", "b.jpg"], ["verify", "--luminance", "a.jpg", "a.jpg"]):
        found = photochrom(*verb, "--max-pixels", "100")
        assert found.code == 1
        assert "raise --max-pixels" in found.err
        assert photochrom(*verb, "--max-pixels", "1000000000").code == 0
