"""Long work: killed at any moment and resumed, the film is the same as without the interruption."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from photochrom.errors import OutputExists, WriteError
from photochrom.video import colorize
from photochrom.video.segments import Encoded, Workplace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEGMENTS = ("photochrom.video.film._SEGMENT", "photochrom.video.scenes._STRETCH")

RUN = """
import sys
import photochrom.video.film as film, photochrom.video.scenes as scenes
film._SEGMENT = scenes._STRETCH = 8
film.colorize(sys.argv[1], sys.argv[2], resume=True, codec=sys.argv[3])
"""


class Stopped(Exception):
    """An interruption."""


def long_film(films: Any, tmp_path: Path) -> Path:
    """Two scenes, uneven times, sound."""
    times = [round(number * 512 + 37 * (number % 3)) for number in range(64)]
    pictures = [*films.pan(50, 1), *films.pan(14, 2)]
    return films.write(tmp_path / "in.mkv", pictures, times=times, sound="pcm_s16le")


def stopping_after(count: int) -> Callable[[Any], None]:
    def progress(_: Any) -> None:
        nonlocal count
        count -= 1
        if count < 0:
            raise Stopped

    return progress


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SEGMENTS:
        monkeypatch.setattr(name, 8)


def content(films: Any, path: Path) -> tuple[Any, ...]:
    return films.payloads(path, "video"), films.payloads(path, "audio"), films.stamps(path)


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("codec", ["ffv1", "h264"])
def test_stopped_anywhere_and_resumed_it_is_the_same_film(
    tmp_path: Path, films: Any, colorizer: Any, codec: str
) -> None:
    film = long_film(films, tmp_path)
    colorize(film, tmp_path / "whole.mkv", model=colorizer, codec=codec)
    whole = content(films, tmp_path / "whole.mkv")
    assert len(whole[2]) == 64
    out = tmp_path / "out.mkv"
    resumed = 0
    for count in (20, 9, 30):
        with pytest.raises(Stopped):
            colorize(film, out, model=colorizer, codec=codec, resume=True, progress=stopping_after(count))
        assert not out.exists()
    report = colorize(film, out, model=colorizer, codec=codec, resume=True)
    resumed = report.resumed
    assert resumed >= 30
    assert (report.frames, report.scenes) == (64, 2)
    assert content(films, out) == whole
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.usefixtures("short_segments")
def test_segments_of_other_options_are_not_used(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = long_film(films, tmp_path)
    out = tmp_path / "out.mkv"
    with pytest.raises(Stopped):
        colorize(film, out, model=colorizer, progress=stopping_after(30))
    with pytest.raises(OutputExists, match=r"left \d finished segments .* repeat its command with --resume"):
        colorize(film, out, model=colorizer, resume=True, vividness=0.9, end=0.3)
    with pytest.raises(OutputExists, match=r"left \d finished segments of .*: add --resume"):
        colorize(film, out, model=colorizer)
    report = colorize(film, out, model=colorizer, resume=True, overwrite=True, vividness=0.9, end=0.3)
    assert report.resumed == 0
    assert len(films.stamps(out)) == report.frames


def test_one_run_at_a_time_writes_an_output(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film, out = films.write(tmp_path / "in.mkv", films.pan(3)), tmp_path / "out.mkv"
    first = Workplace(out)
    first.open({"film": "a"}, resume=False)
    with pytest.raises(WriteError, match=r"another run is writing .*: wait for it"):
        colorize(film, out, model=colorizer, overwrite=True)
    assert first.folder.exists()
    first.close()
    assert colorize(film, out, model=colorizer).frames == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "out.mkv"]


@pytest.mark.usefixtures("short_segments")
def test_damage_before_an_interruption_is_told_after_it(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.damaged(tmp_path / "in.mkv")
    whole = colorize(film, tmp_path / "whole.mkv", model=colorizer)
    assert whole.damage
    with pytest.raises(Stopped):
        colorize(film, tmp_path / "out.mkv", model=colorizer, progress=stopping_after(45))
    report = colorize(film, tmp_path / "out.mkv", model=colorizer, resume=True)
    assert report.resumed > 16
    assert report.damage == whole.damage


@pytest.mark.usefixtures("short_segments")
def test_a_full_disk_keeps_finished_segments(
    tmp_path: Path, films: Any, colorizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, out = long_film(films, tmp_path), tmp_path / "out.mkv"
    saved = Workplace.save_segment

    def full(self: Workplace, number: int, *rest: Any) -> None:
        if number == 2:
            raise WriteError("the disk is full")
        saved(self, number, *rest)

    monkeypatch.setattr(Workplace, "save_segment", full)
    with pytest.raises(WriteError, match="the disk is full"):
        colorize(film, out, model=colorizer)
    assert not out.exists()
    monkeypatch.setattr(Workplace, "save_segment", saved)
    assert colorize(film, out, model=colorizer, resume=True).resumed >= 16


def test_a_segment_is_read_as_it_was_written_or_refused(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "out.mkv")
    assert place.open({"film": "a"}, resume=False) == 0
    packets = [Encoded(5, True, b"abc"), Encoded(-3, False, b""), Encoded(1 << 40, False, bytes(70000))]
    place.save_segment(0, packets, {})
    place.close()
    assert place.open({"film": "a"}, resume=True) == 1
    assert list(place.packets(1)) == packets
    path = place.folder / "000000.packets"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(WriteError, match="begin anew with --if-exists overwrite"):
        list(place.packets(1))
    place.close()
    with pytest.raises(OutputExists):
        place.open({"film": "b"}, resume=True)
    place.close()
    assert place.open({"film": "a"}, resume=False, overwrite=True) == 0
    place.close()
    assert not place.folder.exists()


def run_and_kill(film: Path, out: Path, codec: str, seconds: float) -> None:
    with subprocess.Popen([sys.executable, "-c", RUN, str(film), str(out), codec]) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("codec", ["ffv1", "h264"])
def test_twenty_kills(tmp_path: Path, films: Any, codec: str) -> None:
    film = films.write(tmp_path / "in.mkv", [*films.pan(120, 1), *films.pan(60, 2)], sound="pcm_s16le")
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", RUN, str(film), str(tmp_path / "whole.mkv"), codec], check=True)
    spent = time.monotonic() - started
    moments = random.Random(7)
    out = tmp_path / "out.mkv"
    kills = 0
    while kills < 20:
        run_and_kill(film, out, codec, moments.uniform(0.1, 0.6) * spent)
        kills += 1
        if out.exists():
            assert content(films, out) == content(films, tmp_path / "whole.mkv")
            out.unlink()
    if not out.exists():
        subprocess.run([sys.executable, "-c", RUN, str(film), str(out), codec], check=True)
    assert content(films, out) == content(films, tmp_path / "whole.mkv")
