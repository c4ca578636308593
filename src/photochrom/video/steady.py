"""Colors that stay: what the network says of some frames, agreed on over the scene and carried to all.

The network colors only key frames of a stretch. Their answers are averaged along the motion, forwards and
backwards in time, each weighed by how sure it is and how long ago it was; the frames between take the colors
of the key frames on either side, whichever sees the place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from photochrom.video.motion import Way, standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from photochrom.color import Float

    State = dict[str, NDArray[Any]]  # what a stretch of frames hands on to the next, by name

MEMORY = 4.0  # seconds in which an answer loses all but 1/e of its weight
_LEAST = 1e-4  # trust that is left to any place, so that one seen nowhere takes what lies near
_REACH = 9  # cells around, from which a place seen nowhere takes its color


@dataclass(frozen=True)
class Opinion:
    """Colors of a frame: ab (h, w, 2), and their weight (h, w), 1 for the network at its usual surest."""

    ab: Float
    weight: Float

    def joined(self, other: Opinion) -> Opinion:
        """The mean of both, each by its weight."""
        weight = self.weight + other.weight
        share = (other.weight / np.maximum(weight, 1e-9))[..., None]
        return Opinion(self.ab + share * (other.ab - self.ab), weight)

    def carried(self, way: Way, fading: float) -> Opinion:
        """Seen from another frame, with the weight that trust in the way and time leave."""
        return Opinion(way.carry(self.ab), way.carry(self.weight) * way.trust * np.float32(fading))


@dataclass(frozen=True)
class Step:
    """From one frame to the next: the ways in both directions."""

    back: Way  # from the later to the earlier
    ahead: Way


@dataclass(frozen=True)
class Key:
    """A frame that the network colored; `place` among the frames of its stretch, `time` in seconds."""

    place: int
    time: float
    opinion: Opinion


def settled(
    keys: Sequence[Key], steps: Sequence[Step], prior: Opinion | None
) -> tuple[list[Float], list[Opinion]]:
    """(colors of each key frame as agreed with all others, what the past alone makes of each).

    steps[i] leads from frame i to frame i + 1. prior: what is known before the first key frame, which it
    includes already. The weighted mean over time is a Kalman smoother's in its two-filter form (Fraser and
    Potter 1969): the past up to a key frame, with its own answer, and the future without it.
    """
    routes = [_route(steps[a.place : b.place]) for a, b in pairwise(keys)]
    fadings = [math.exp(-(b.time - a.time) / MEMORY) for a, b in pairwise(keys)]
    past = [keys[0].opinion if prior is None else prior]
    for key, route, fading in zip(keys[1:], routes, fadings, strict=True):
        past.append(key.opinion.joined(past[-1].carried(route.back, fading)))
    future: Opinion | None = None
    agreed = [past[-1].ab]
    for number in range(len(keys) - 2, -1, -1):
        own = keys[number + 1].opinion
        known = own if future is None else own.joined(future)
        future = known.carried(routes[number].ahead, fadings[number])
        agreed.append(past[number].joined(future).ab)
    return agreed[::-1], past


def _route(steps: Sequence[Step]) -> Step:
    """Several steps as one."""
    back, ahead = steps[0].back, steps[0].ahead
    for step in steps[1:]:
        back, ahead = step.back.then(back), ahead.then(step.ahead)
    return Step(back, ahead)


def between(first: Float, last: Float, steps: Sequence[Step]) -> Iterator[Float]:
    """ab (h, w, 2) of the frames from a key frame to the one before the next, given the colors of both."""
    shape = first.shape[:2]
    to_last = [standing(shape)]
    for step in reversed(steps):
        to_last.append(step.ahead.then(to_last[-1]))
    to_first = standing(shape)
    for place in range(len(steps)):
        if place:
            to_first = steps[place - 1].back.then(to_first)
        yield _mixed(first, to_first, last, to_last[len(steps) - place], place / len(steps))


def _mixed(first: Float, to_first: Way, last: Float, to_last: Way, passed: float) -> Float:
    """Colors of a frame from both sides; where neither sees a place, from around it."""
    if not passed:
        return first
    before = to_first.trust * to_first.trust * np.float32(1 - passed)
    after = to_last.trust * to_last.trust * np.float32(passed)
    seen = before + after
    ab: Float = to_first.carry(first) * before[..., None] + to_last.carry(last) * after[..., None]
    around = _LEAST * cv2.blur(seen, (_REACH, _REACH)) + 1e-9
    spread = _LEAST * cv2.blur(ab, (_REACH, _REACH))
    own = np.float32(_LEAST * _LEAST)
    ab += spread + own * (to_first.carry(first) + to_last.carry(last))
    return np.asarray(ab / (seen + around + 2 * own)[..., None], np.float32)
