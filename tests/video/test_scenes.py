"""Scenes and steadiness, with a made-up network: cuts, fades, grain, what comes into view, bounded memory."""

from __future__ import annotations

import tracemalloc
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from photochrom.color import luminance
from photochrom.video.motion import standing, tones_of, ways
from photochrom.video.scenes import Scenes
from photochrom.video.steady import Opinion

if TYPE_CHECKING:
    from collections.abc import Iterable

SIZE = (128, 160)


class ColoredByTone:
    """Colors by luminance alone, and differently each time, as a network does."""

    def __init__(self, jitter: float = 0.0, asked: tuple[float, ...] = ()):
        self.jitter, self.at, self.painted, self.begun = jitter, asked, [], 0
        self._random = np.random.default_rng(3)

    def begins(self, seconds: float) -> None:
        self.begun += 1

    def moves(self, step: Any) -> None: ...

    def asked(self, seconds: float) -> bool:
        return any(abs(seconds - wanted) < 1e-6 for wanted in self.at)

    def state(self) -> dict[str, np.ndarray]:
        return {"painted": np.array(len(self.painted))}

    def paint(self, neutral: np.ndarray, seconds: float) -> Opinion:
        self.painted.append(seconds)
        level = cv2.resize(luminance(neutral), (SIZE[1] // 4, SIZE[0] // 4), interpolation=cv2.INTER_AREA)
        ab = np.dstack([level - 50, 30 - level / 2]) + self._random.normal(0, self.jitter, 2)
        return Opinion(ab.astype(np.float32), np.ones(level.shape, np.float32))


def as_neutral(picture: np.ndarray) -> np.ndarray:
    return np.rint(picture * 65535).astype(np.uint16)


def colors(frames: Iterable[np.ndarray], painter: Any, state: Any = None) -> tuple[list[Any], np.ndarray]:
    """(stretches, ab of every frame) of planes of 0..1 at 10 frames a second."""
    stretches, found = [], []
    for stretch in Scenes(painter, 0.1, 10.0, state).stretches(enumerate(map(as_neutral, frames))):
        stretches.append(stretch)
        found += list(stretch.colors())
    return stretches, np.array(found)


def pan(films: Any, count: int, seed: int = 0) -> list[np.ndarray]:
    return films.pan(count, seed, *SIZE)


def test_a_cut_begins_a_scene_with_its_own_colors(films: Any) -> None:
    frames = [*pan(films, 12, 1), *pan(films, 9, 2), *pan(films, 5, 3)]
    painter = ColoredByTone()
    stretches, ab = colors(frames, painter)
    assert [len(stretch.times) for stretch in stretches] == [12, 9, 5]
    assert [stretch.scene for stretch in stretches] == [0, 1, 2]
    assert painter.begun == 3
    alone = painter.paint(as_neutral(frames[12]), 0).ab
    assert np.abs(ab[12] - alone).mean() < 3


def test_fades_and_slow_changes_of_light_are_no_cuts(films: Any) -> None:
    wide = pan(films, 24)
    light = np.concatenate([np.linspace(0.02, 1, 12), np.linspace(1, 0.3, 12)])
    stretches, _ = colors([frame * share for frame, share in zip(wide, light, strict=True)], ColoredByTone())
    assert len(stretches) == 1


def test_a_still_with_grain_does_not_pump(films: Any) -> None:
    random = np.random.default_rng(0)
    still = films.scene(0, *SIZE)[:, : SIZE[1]]
    frames = [(still + random.normal(0, 0.03, still.shape)).clip(0, 1) for _ in range(40)]
    painter = ColoredByTone(jitter=2.0)
    _, ab = colors(frames, painter)
    steps = np.abs(np.diff(ab, axis=0)).mean(axis=(1, 2, 3))
    alone = np.array([painter.paint(as_neutral(frame), 0).ab for frame in frames])
    assert steps.mean() < 0.1 * np.abs(np.diff(alone, axis=0)).mean()
    assert len(set(painter.painted)) <= 12  # the network sees few of the frames


def test_what_comes_into_view_takes_color_and_nothing_drags_behind(films: Any) -> None:
    """A bright square over a dark ground: each frame's colors are those of its own tones, but at its rim."""
    ground = 0.1 + 0.25 * films.scene(5, *SIZE)[:, : SIZE[1]]
    thing = 0.75 + 0.2 * films.scene(6, 40, 40)[:, :40]
    frames = []
    for number in range(20):
        frame = ground.copy()
        frame[44:84, 4 + 5 * number : 44 + 5 * number] = thing
        frames.append(frame)
    painter = ColoredByTone()
    _, ab = colors(frames, painter)
    for frame, found in zip(frames, ab, strict=True):
        own = painter.paint(as_neutral(frame), 0).ab
        assert np.abs(found - own).mean() < 2.5
        assert (np.abs(found - own).max(-1) > 15).mean() < 0.02


def test_places_are_followed_there_and_back(films: Any) -> None:
    one, *_, other = pan(films, 4)
    back, ahead = ways(*(tones_of(luminance(as_neutral(frame))) for frame in (one, other)))
    inside = (slice(4, -4), slice(4, -4))
    shift = (back.places - standing(back.trust.shape).places)[inside]
    assert np.allclose(np.median(shift, axis=(0, 1)), (3 / 4, 0), atol=0.1)
    assert back.trust[inside].mean() > 0.9
    there = back.then(ahead).places[inside]
    assert np.abs(there - standing(back.trust.shape).places[inside]).mean() < 0.15


def test_flow_does_not_depend_on_the_sizes_seen_before(films: Any) -> None:
    tones = [np.rint(255 * frame).astype(np.uint8) for frame in films.pan(2, 0, 96, 128)]
    spec = find_spec("photochrom.video.motion")
    assert spec is not None
    assert spec.loader is not None
    fresh = module_from_spec(spec)  # as in a new process
    spec.loader.exec_module(fresh)
    before = fresh.ways(*tones)[0].places
    small = films.scene(9, 24, 32)
    fresh.ways(*(np.rint(255 * part).astype(np.uint8) for part in (small[:, :32], small[:, 1:33])))
    assert np.array_equal(fresh.ways(*tones)[0].places, before)


def test_a_long_scene_comes_in_stretches_that_join(films: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.video.scenes._STRETCH", 20)
    frames = pan(films, 90)
    stretches, ab = colors(frames, ColoredByTone(jitter=3.0))
    assert len(stretches) > 2
    assert [pts for stretch in stretches for pts in stretch.times] == list(range(90))
    steps = np.abs(np.diff(ab, axis=0)).mean(axis=(1, 2, 3))
    assert steps.max() < 3 * np.median(steps)


def test_a_long_film_holds_no_more_than_a_short_one(films: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.video.scenes._STRETCH", 8)
    monkeypatch.setattr("photochrom.video.scenes._SCENES", 2)
    monkeypatch.setattr("photochrom.video.scenes.MEMORY", 0.2)
    parts = [pan(films, 20, seed) for seed in range(3)]

    def film() -> Iterable[tuple[int, np.ndarray]]:
        for number in range(160):
            yield number, as_neutral(parts[number // 20 % 3][number % 20])

    held, stored = [], []
    tracemalloc.start()
    try:
        for stretch in Scenes(ColoredByTone(), 0.04, 25).stretches(film()):
            for _ in stretch.colors():
                pass
            held.append(tracemalloc.get_traced_memory()[0])
            stored.append(sum(array.nbytes for array in stretch.state.values()))
    finally:
        tracemalloc.stop()
    assert len(held) > 12
    a_frame = 6 * 4 * SIZE[0] * SIZE[1] // 16  # the ways there and back
    middle = len(held) // 2  # by then two scenes are remembered
    assert max(held[middle:]) < max(held[:middle]) + a_frame
    assert max(stored[middle:]) <= max(stored[:middle])


def test_going_on_from_a_stretch_gives_the_same_colors(films: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.video.scenes._STRETCH", 20)
    frames = [*pan(films, 50, 1), *pan(films, 12, 2), *pan(films, 9, 1)]
    stretches, ab = colors(frames, ColoredByTone())
    for number, stretch in enumerate(stretches[:-1]):
        start = stretch.times[-1] + 1
        again, found = colors(frames[start:], ColoredByTone(), stretch.state)
        assert [s.scene for s in again] == [s.scene for s in stretches[number + 1 :]]
        assert np.array_equal(found, ab[start:])


def test_a_scene_shown_again_is_matched_with_its_earlier_colors(films: Any) -> None:
    shot, counter = pan(films, 10, 1), pan(films, 10, 2)
    painter = ColoredByTone(jitter=6.0)
    _, ab = colors([*shot, *counter, *shot], painter)
    fresh = ColoredByTone(jitter=6.0)
    _, first = colors([*shot, *counter], fresh)
    _, again = colors(shot, fresh)
    assert (
        np.abs(ab[20:].mean(0) - ab[:10].mean(0)).mean() < np.abs(again.mean(0) - first[:10].mean(0)).mean()
    )


def test_a_frame_that_is_asked_for_becomes_a_key_frame(films: Any) -> None:
    painter = ColoredByTone(asked=(0.3,))
    colors(pan(films, 8), painter)
    assert any(abs(seconds - 0.3) < 1e-6 for seconds in painter.painted)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_frames(films: Any, count: int) -> None:
    stretches, ab = colors(pan(films, 2)[:count], ColoredByTone())
    assert len(ab) == count
    assert len(stretches) == min(1, count)
