"""photochrom video."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Six grey frames of noise."""
    path = tmp_path / "in.mp4"
    noise = np.random.default_rng(0)
    with closing(av.open(str(path), "w")) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        for number in range(6):
            picture = np.repeat(noise.integers(40, 200, (48, 64, 1), np.uint8), 3, -1)
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_film_is_colored_and_its_path_printed(photochrom: Callable, film: Path, tmp_path: Path) -> None:
    found = photochrom("video", "in.mp4", "-o", "out.mp4")
    assert (found.code, found.lines, found.err) == (0, ["out.mp4"], "")
    with closing(av.open(str(tmp_path / "out.mp4"))) as container:
        assert len(list(container.decode(video=0))) == 6


def test_json_says_what_was_done(photochrom: Callable, film: Path) -> None:
    found = photochrom("video", "in.mp4", "-o", "out.mkv", "--json", "--from", "0.08", "--to", "0.2")
    report = json.loads(found.lines[-1])
    wanted = {"input": "in.mp4", "output": "out.mkv", "status": "done", "error": None, "model": "photochrom"}
    assert {key: report[key] for key in wanted} == wanted
    assert report["frames"] == 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty (0 bytes)"),
        (b"Once upon a time\n" * 99, "is not a film"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "is not a film"),
        (b"ffconcat version 1.0\nfile in.mp4\n", "is not a film"),
    ],
)
def test_what_is_not_a_film_is_refused_in_a_sentence(
    photochrom: Callable, film: Path, tmp_path: Path, content: bytes, sentence: str
) -> None:
    for name in ("bad.mp4", "bad.txt", "bad.m3u8"):
        (tmp_path / name).write_bytes(content)
        found = photochrom("video", name, "-o", "out.mp4")
        assert found.code == 1
        assert sentence in found.err
        assert not (tmp_path / "out.mp4").exists()


def test_a_missing_film_and_a_missing_output_are_sentences(photochrom: Callable, film: Path) -> None:
    assert "cannot be read" in photochrom("video", "gone.mp4", "-o", "out.mp4").err
    found = photochrom("video", "in.mp4")
    assert found.code == 2
    assert "-o OUT.mp4" in found.err


def test_without_the_extra_the_verb_says_so(photochrom: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "av"]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if "video" in name and name.startswith("photochrom")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "av", None)
    found = photochrom("video", "in.mp4", "-o", "out.mp4")
    assert found.code == 2
    assert "needs the extra [video]: pip install 'photochrom[video]'" in found.err
