"""The protocol `video`: a colored clip, colored anew, with the embedded model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from skimage import data

from photochrom.cli.evaluate import command
from photochrom.colorizer import Colorizer
from photochrom.errors import DataError
from photochrom.evaluation.film import _evaluate_clip, evaluate_films

if TYPE_CHECKING:
    from pathlib import Path

av = pytest.importorskip("av")


def write_clip(path: Path, pictures: list[np.ndarray]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv444p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slow pan over a cup of coffee, beside a text."""
    folder = tmp_path_factory.mktemp("clips")
    write_clip(
        folder / "pan.mkv", [np.ascontiguousarray(data.coffee()[100:196, n : n + 128]) for n in range(6)]
    )
    (folder / "words.txt").write_text("no film")
    return folder


def test_a_clip_is_measured_as_a_film_and_frame_by_frame(clips: Path) -> None:
    found = _evaluate_clip(clips / "pan.mkv", Colorizer(threads=1), 4)
    assert set(found) == {"film", "frame by frame", "truth"}
    assert {one["frames"] for one in found.values()} == {4}
    assert found["truth"]["gain"] == 0
    assert found["truth"]["cf_ratio"] == 1
    assert 0 < found["film"]["flicker"] < found["frame by frame"]["flicker"]
    assert found["film"]["gain"] == pytest.approx(found["frame by frame"]["gain"], abs=1.5)
    assert found["film"]["cf_ratio"] > 0.05


def test_what_is_no_film_is_named_and_left_out(clips: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(
        command,
        ["--protocol", "video", "--data", str(clips), "--frames", "3", "--out", str(tmp_path / "report")],
    )
    assert run.exit_code == 3, run.output
    assert "left out: words.txt" in run.stderr
    assert "pan.mkv, frame by frame" in run.stdout
    stored = json.loads((tmp_path / "report" / "report.json").read_text())
    assert stored["films"]["pan.mkv"]["film"]["frames"] == 3
    assert "pan.mkv, truth" in (tmp_path / "report" / "index.html").read_text()


def test_films_without_color_or_none_at_all_are_refused(tmp_path: Path) -> None:
    grey = write_clip(tmp_path / "grey.mkv", [np.full((64, 64, 3), 30 * n + 40, np.uint8) for n in range(3)])
    with pytest.raises(DataError, match="no two frames in color"):
        _evaluate_clip(grey, Colorizer(threads=1), 3)
    with pytest.raises(DataError, match="none of the 1 films"):
        evaluate_films(tmp_path, Colorizer(threads=1), 3)
    with pytest.raises(DataError, match="there are no films"):
        evaluate_films(tmp_path / "none", Colorizer(threads=1), 3)
