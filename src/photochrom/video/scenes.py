"""Scenes and stretches: a film's small luminance planes in, the colors of every frame out, in order.

Only small planes are held, and of a long scene only a stretch at a time with a look ahead, so that a film of
two hours needs no more memory than one of a minute.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.color import luminance
from photochrom.video.motion import Way, standing, tones_of, ways
from photochrom.video.steady import MEMORY, Key, Opinion, Step, between, settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from photochrom.color import Float
    from photochrom.video.painting import Painter
    from photochrom.video.steady import State

    Tones = NDArray[np.uint8]

_KEY_EVERY = 0.25  # seconds between key frames,
_LEAST_BETWEEN, _MOST_BETWEEN = 4, 16  # or at least and at most so many frames
_SEEN = 0.6  # share of a frame that its last key frame must show, else it becomes one
_SAME = 0.35  # share of a frame that is seen in the one before, unless a scene ends between
_STRETCH = 240  # frames
_SCENES = 6  # remembered
_FAMILIAR = 0.6  # share of a frame seen in a remembered one, if the scene is the same


@dataclass(frozen=True)
class Stretch:
    """Frames in a row of one scene; `state` is what the next stretch goes on from."""

    scene: int
    times: tuple[int, ...]  # pts
    state: State
    _keys: tuple[int, ...]
    _agreed: tuple[Float, ...]
    _steps: tuple[Step, ...]

    def colors(self) -> Iterator[Float]:
        """ab (h, w, 2) in cells of each frame."""
        pairs = zip(self._keys, self._keys[1:], self._agreed, self._agreed[1:], strict=False)
        for first, last, here, there in pairs:
            yield from between(here, there, self._steps[first:last])
        if len(self.times) > self._keys[-1]:
            yield self._agreed[-1]


@dataclass
class _Buffer:
    """The frames of a scene that are not given out yet."""

    times: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    marks: list[Tones] = field(default_factory=list)  # tones of key frames
    states: list[State] = field(default_factory=list)  # the painter's, at key frames
    prior: Opinion | None = None
    agreed: Float | None = None  # colors of the first frame, where the stretch before ended with it
    way: Way | None = None  # from the newest frame to its last key frame


class Scenes:
    """Finds a film's scenes and agrees on their colors."""

    def __init__(self, painter: Painter, time_base: float, rate: float, state: State | None = None):
        """state: of the stretch from whose end the film goes on; its first frame is then the next one."""
        self._painter, self._base = painter, time_base
        self._every = min(_MOST_BETWEEN, max(_LEAST_BETWEEN, round(rate * _KEY_EVERY)))
        self._ahead = min(_STRETCH, max(8, round(rate * MEMORY / 2)))
        self._memory: list[tuple[Tones, Opinion]] = []
        self._number = 0
        self._resumed = state
        if state is not None:
            self._number = int(state["scene"])
            self._memory = [
                (tones, Opinion(ab, weight))
                for tones, ab, weight in zip(
                    state["seen_tones"], state["seen_ab"], state["seen_weight"], strict=True
                )
            ]

    def stretches(self, frames: Iterable[tuple[int, NDArray[np.uint16]]]) -> Iterator[Stretch]:
        """Stretches of frames, each given as its pts and its neutral plane at the working size."""
        buffer = self._resumed_buffer()
        last: tuple[Tones, NDArray[np.uint16]] | None = None
        for pts, neutral in frames:
            tones = tones_of(luminance(neutral))
            if last is not None:
                step = steps_between(last[0], tones)
                if is_cut(step):
                    yield from self._ended(buffer, *last)
                    buffer = _Buffer()
                else:
                    self._goes_on(buffer, step)
            self._add(buffer, pts, tones, neutral)
            last = tones, neutral
            if len(buffer.times) >= _STRETCH + self._ahead:
                yield self._part(buffer)
        if last is not None:
            yield from self._ended(buffer, *last)

    def _resumed_buffer(self) -> _Buffer:
        state = self._resumed
        if state is None or "agreed" not in state:
            return _Buffer()
        return _Buffer(prior=Opinion(state["past_ab"], state["past_weight"]), agreed=state["agreed"])

    def _goes_on(self, buffer: _Buffer, step: Step) -> None:
        buffer.steps.append(step)
        assert buffer.way is not None
        buffer.way = step.back.then(buffer.way)
        self._painter.moves(step)

    def _add(self, buffer: _Buffer, pts: int, tones: Tones, neutral: NDArray[np.uint16]) -> None:
        seconds = pts * self._base
        place = len(buffer.times)
        buffer.times.append(pts)
        if place == 0 and buffer.prior is not None:  # the stretch before ended with this key frame
            self._set_key(buffer, tones, Key(0, seconds, buffer.prior))
            return
        if place == 0:
            self._painter.begins(seconds)
        distance = place - buffer.keys[-1].place if place else self._every
        seen = buffer.way.share if buffer.way is not None else 0.0
        if distance >= self._every or seen < _SEEN or self._painter.asked(seconds):
            if place == 0:
                buffer.prior = self._remembered(tones)
            opinion = self._painter.paint(neutral, seconds)
            opinion = Opinion(opinion.ab, opinion.weight * np.float32(min(1, distance / self._every)))
            if place == 0 and buffer.prior is not None:
                buffer.prior = opinion = opinion.joined(buffer.prior)
            self._set_key(buffer, tones, Key(place, seconds, opinion))

    def _set_key(self, buffer: _Buffer, tones: Tones, key: Key) -> None:
        buffer.keys.append(key)
        buffer.marks.append(tones)
        buffer.states.append(self._painter.state())
        buffer.way = standing(key.opinion.weight.shape)

    def _ended(self, buffer: _Buffer, tones: Tones, neutral: NDArray[np.uint16]) -> Iterator[Stretch]:
        place = len(buffer.times) - 1
        if buffer.keys[-1].place != place:
            seconds = buffer.times[-1] * self._base
            self._set_key(buffer, tones, Key(place, seconds, self._painter.paint(neutral, seconds)))
        agreed, past = self._settled(buffer)
        for number in {0, len(agreed) - 1}:
            self._memory.append((buffer.marks[number], Opinion(agreed[number], past[number].weight)))
        self._memory = self._memory[-2 * _SCENES :]
        scene = self._number
        self._number += 1
        state = {**self._state(), **self._painter.state()}
        yield self._stretch(buffer, scene, len(buffer.keys) - 1, agreed, state, whole=True)

    def _part(self, buffer: _Buffer) -> Stretch:
        """The first frames of a long scene, which then begin at a later key frame."""
        agreed, past = self._settled(buffer)
        end = max(1, *(number for number, key in enumerate(buffer.keys) if key.place <= _STRETCH))
        state = {
            **self._state(),
            **buffer.states[end],
            "past_ab": past[end].ab,
            "past_weight": past[end].weight,
            "agreed": agreed[end],
        }
        stretch = self._stretch(buffer, self._number, end, agreed, state, whole=False)
        place = buffer.keys[end].place
        first = Key(0, buffer.keys[end].time, past[end])
        later = [Key(key.place - place, key.time, key.opinion) for key in buffer.keys[end + 1 :]]
        buffer.keys = [first, *later]
        del buffer.times[:place], buffer.steps[:place], buffer.marks[:end], buffer.states[:end]
        buffer.prior, buffer.agreed = past[end], agreed[end]
        return stretch

    def _settled(self, buffer: _Buffer) -> tuple[list[Float], list[Opinion]]:
        agreed, past = settled(buffer.keys, buffer.steps, buffer.prior)
        if buffer.agreed is not None:
            agreed[0] = buffer.agreed
        return agreed, past

    def _stretch(
        self, buffer: _Buffer, scene: int, end: int, agreed: list[Float], state: State, *, whole: bool
    ) -> Stretch:
        places = tuple(key.place for key in buffer.keys[: end + 1])
        count = places[-1] + (1 if whole else 0)
        return Stretch(
            scene,
            tuple(buffer.times[:count]),
            state,
            places,
            tuple(agreed[: end + 1]),
            tuple(buffer.steps[: places[-1]]),
        )

    def _state(self) -> State:
        return {
            "scene": np.array(self._number),
            "seen_tones": np.array([tones for tones, _ in self._memory]),
            "seen_ab": np.array([opinion.ab for _, opinion in self._memory]),
            "seen_weight": np.array([opinion.weight for _, opinion in self._memory]),
        }

    def _remembered(self, tones: Tones) -> Opinion | None:
        """The colors of an earlier scene that this frame shows again."""
        likest = max(self._memory, key=lambda seen: _likeness(seen[0], tones), default=None)
        if likest is None:
            return None
        back, ahead = ways(likest[0], tones)
        if min(back.share, ahead.share) < _FAMILIAR:
            return None
        return likest[1].carried(back, 1.0)


def steps_between(earlier: Tones, later: Tones) -> Step:
    """From one frame to the next and back."""
    return Step(*ways(earlier, later))


def is_cut(step: Step) -> bool:
    """Whether a scene ends between two frames: little of either is seen in the other."""
    return max(step.back.share, step.ahead.share) < _SAME


def _likeness(one: Tones, other: Tones) -> float:
    """Correlation of two frames at a very small size, -1..1."""
    small = [
        cv2.resize(t, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float64).ravel() for t in (one, other)
    ]
    if min(float(plane.std()) for plane in small) < 1e-6:
        return -1.0
    return float(np.corrcoef(*small)[0, 1])
