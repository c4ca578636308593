"""What arrives is handed over once it has stopped growing, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photochrom.batch.arrivals import Arrivals
from photochrom.batch.options import Options

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


class Watched:
    """A folder under a clock that the test turns."""

    def __init__(self, root: Path, **options: float):
        self.folder, self.clock = root / "in", Clock()
        self.folder.mkdir(exist_ok=True)
        self.arrivals = Arrivals(self.folder, root / "out", Options(), 2.0, now=self.clock, **options)
        self.stream = self.arrivals.jobs()

    def after(self, seconds: float) -> list[str]:
        """The names handed over when the clock has moved on."""
        self.clock.time += seconds
        found = []
        while (job := next(self.stream)) is not None:
            found.append(str(job.input.relative_to(self.folder)))
        return found

    def put(self, name: str, content: bytes = b"x") -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_a_file_at_rest_is_handed_over_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    assert watched.after(0) == []
    watched.put("a.jpg")
    assert watched.after(1) == []
    assert watched.after(1) == []
    assert watched.after(1) == ["a.jpg"]
    assert watched.after(10) == []


def test_a_growing_file_waits(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    for size in range(5):
        watched.put("a.jpg", b"x" * size)
        assert watched.after(1.5) == []
    assert watched.after(2) == ["a.jpg"]


def test_a_file_that_changes_later_comes_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.put("a.jpg")
    watched.after(1)
    assert watched.after(3) == ["a.jpg"]
    watched.put("a.jpg", b"anew")
    assert watched.after(1) == []
    assert watched.after(3) == ["a.jpg"]


def test_a_file_that_goes_away_is_forgotten(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.put("a.jpg")
    watched.after(1)
    (watched.folder / "a.jpg").unlink()
    assert watched.after(3) == []
    assert not watched.arrivals._moving


def test_folders_below_results_and_strangers(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    for name in ("b/c.jpg", "notes.txt", ".hidden.jpg", "a.colorized.jpg", "a.png"):
        watched.put(name)
    watched.after(1)
    assert watched.after(3) == ["a.png", "b/c.jpg"]


def test_the_folder_is_not_searched_more_often_than_its_interval(tmp_path: Path) -> None:
    watched = Watched(tmp_path, interval=5)
    watched.after(0)
    watched.put("a.jpg")
    assert watched.after(1) == []
    assert not watched.arrivals._moving
    watched.after(5)
    assert watched.after(6) == ["a.jpg"]


def test_it_ends_when_nothing_came_for_long_enough(tmp_path: Path) -> None:
    watched = Watched(tmp_path, until_idle=10)
    watched.put("a.jpg")
    watched.after(1)
    assert watched.after(3) == ["a.jpg"]
    assert watched.after(9) == []
    watched.clock.time += 2
    assert list(watched.stream) == []


def test_a_folder_that_goes_away_for_a_while(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.folder.rmdir()
    assert watched.after(1) == []
    watched.folder.mkdir()
    watched.put("a.jpg")
    watched.after(1)
    assert watched.after(3) == ["a.jpg"]
