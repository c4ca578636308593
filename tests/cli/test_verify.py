"""photochrom verify: are a batch's results whole; is a colored JPEG's luminance the original's?"""

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


# --- what a batch has left --------------------------------------------------------------------------


def test_the_results_of_a_local_batch(photochrom: Any, photo: Any, tmp_path: Any) -> None:
    photo("in/a.jpg")
    photo("in/b.png", seed=2)
    assert photochrom("batch", "in", "out", "--format", "png").code == 0
    for words in (["out"], ["in", "out"], [(tmp_path / "out").as_uri()]):
        found = photochrom("verify", *words)
        assert (found.code, found.out) == (0, "2 outputs: 2 whole, 0 with problems\n")
    (tmp_path / "out/a.png").unlink()
    photo("in/c.png", seed=3)
    found = photochrom("verify", "out")
    assert (found.code, found.out.splitlines()[0]) == (3, "out/a.png: it is missing: run the batch again")
    assert photochrom("batch", "--verify", "out").out == found.out  # as it was called before
    found = photochrom("verify", "in", "out", "--json")
    assert found.code == 3
    told = {line["output"]: line["error"] for line in map(json.loads, found.out.splitlines())}
    assert told["out/c.png"] == "it was never planned: run the batch"


def test_the_results_of_a_batch_between_stores(photochrom: Any, photo: Any, tmp_path: Any) -> None:
    photo("in/a.png")
    source, target = ((tmp_path / name).as_uri() for name in ("in", "out"))
    assert photochrom("batch", source, target).code == 0
    for words in ([target], [source, target], ["out"], ["in", "out"]):
        assert photochrom("verify", *words).code == 0
    (tmp_path / "out/a.png").write_bytes(b"")
    found = photochrom("verify", target)
    assert found.code == 1
    assert "not as it was written" in found.out
    photo("in/new.png", seed=7)
    assert "it was never taken up" in photochrom("verify", "in", "out").out
    (tmp_path / "in/bad.png").write_bytes(b"")
    assert photochrom("batch", source, "out").code == 3
    assert "in/bad.png: it failed: the file is empty" in photochrom("verify", "in", "out").out


def test_both_a_ledger_and_records(photochrom: Any, photo: Any, tmp_path: Any) -> None:
    photo("in/a.png")
    photo("more/b.png", seed=1)
    assert photochrom("batch", "in", "out").code == 0
    assert photochrom("batch", (tmp_path / "more").as_uri(), "out").code == 0
    assert "2 outputs: 2 whole" in photochrom("verify", "out").out


def test_a_place_that_no_batch_has_written_to(photochrom: Any, tmp_path: Any) -> None:
    (tmp_path / "empty").mkdir()
    for where in ("empty", "nothing", (tmp_path / "nothing").as_uri()):
        found = photochrom("verify", where)
        assert (found.code, found.out) == (1, "")
        assert "no record of a batch" in found.err
    assert photochrom("verify").code == 2
    assert photochrom("verify", "ftp://host/x").code == 2
    assert photochrom("verify", "--luminance", "a.jpg").code == 2
