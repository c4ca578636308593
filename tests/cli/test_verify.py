"""photochrom verify: is a coloured JPEG's luminance the original's?"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from PIL import Image


def test_identical(photochrom: Any, photo: Any) -> None:
    photo("a.jpg")
    assert photochrom("colorize", "a.jpg").code == 0
    found = photochrom("verify", "--luminance", "a.jpg", "a.colorized.jpg")
    assert found.code == 0
    assert "identical" in found.out
    assert json.loads(photochrom("verify", "--luminance", "a.jpg", "a.colorized.jpg", "--json").out) == {
        "luminance": "identical"
    }


def test_another_photo(photochrom: Any, photo: Any) -> None:
    photo("a.jpg")
    photo("b.jpg", seed=5)
    photochrom("colorize", "a.jpg")
    found = photochrom("verify", "--luminance", "b.jpg", "a.colorized.jpg")
    assert found.code == 1
    assert "anew" in found.out
    found = photochrom("verify", "--luminance", "b.jpg", "a.colorized.jpg", "--json")
    assert (found.code, json.loads(found.out)) == (1, {"luminance": "encoded"})


def test_what_is_to_be_verified_must_be_said(photochrom: Any, photo: Any) -> None:
    photo("a.jpg")
    found = photochrom("verify", "a.jpg", "a.jpg")
    assert found.code == 2
    assert "--luminance" in found.err


def test_files_that_cannot_be_compared(photochrom: Any, photo: Any, tmp_path: Any) -> None:
    photo("a.jpg")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "b.png")
    found = photochrom("verify", "--luminance", "a.jpg", "b.png")
    assert found.code == 1
    assert "JPEG" in found.err
    found = photochrom("verify", "--luminance", "a.jpg", "none.jpg")
    assert found.code == 1
    assert "does not exist" in found.err
