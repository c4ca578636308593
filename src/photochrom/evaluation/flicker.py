"""`flicker`: how much the colors of a film change where nothing but its own motion should change them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_AGREEMENT = 0.5  # px that forward and backward flow may differ by, at places that are compared


def flicker(frames_ab: Iterable[NDArray[np.float32]], luminances: Iterable[NDArray[np.float32]]) -> float:
    """Mean |ab_t − warp(ab_{t−1})| over consecutive frames and the places that both flows agree on.

    frames_ab: (h, w, 2) each, in Lab units; luminances: L* (h, w) 0..100 of the same frames, from which the
    flow is taken. Both are read once, in step, so that a long film needs no more memory than two frames.
    NaN where no two frames have a place in common. Raises OptionError for frames of different shapes.
    """
    frames = ((luminance, {"": ab}) for ab, luminance in zip(frames_ab, luminances, strict=True))
    return flickers(frames).get("", float("nan"))


def flickers(
    frames: Iterable[tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]],
) -> dict[str, float]:
    """`flicker` of several colorings of one film: frames are (L*, {name: ab})."""
    moved: dict[str, float] = {}
    places = 0
    for (dark, before), (light, after) in pairwise(_checked(frames)):
        back, steady = _motion(dark, light)
        places += int(steady.sum())
        for name, ab in after.items():
            change = (ab - _warp(before[name], back))[steady]
            moved[name] = moved.get(name, 0.0) + float(np.hypot(*change.T).sum(dtype=np.float64))
    return {name: total / places if places else float("nan") for name, total in moved.items()}


def _motion(
    before: NDArray[np.float32], after: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Flow from `after` back to `before` (h, w, 2) in px, and where forward and backward flow agree.

    before, after: L* (h, w). DIS flow (Kroeger et al. 2016, medium preset). A place whose origin lies
    outside the frame is not among those that agree.
    """
    first, second = (np.rint(plane * 2.55).astype(np.uint8) for plane in (before, after))
    forward = _flow(first, second)
    back = _flow(second, first)
    apart = back + _warp(forward, back)
    x, y = np.moveaxis(back + _places(*before.shape), -1, 0)
    inside = (x >= 0) & (y >= 0) & (x <= before.shape[1] - 1) & (y <= before.shape[0] - 1)
    return back, inside & (np.hypot(apart[..., 0], apart[..., 1]) <= _AGREEMENT)


def _warp(plane: NDArray[np.float32], back: NDArray[np.float32]) -> NDArray[np.float32]:
    """A plane (h, w, n) moved along the motion: at each place, its value where `back` (h, w, 2) px leads."""
    places = back + _places(*back.shape[:2])
    return np.asarray(cv2.remap(plane, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _flow(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(source, target, None))


def _places(height: int, width: int) -> NDArray[np.float32]:
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)


def _checked(
    frames: Iterable[tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]],
) -> Iterator[tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]]:
    shape: tuple[int, ...] = ()
    for luminance, colorings in frames:
        shape = shape or luminance.shape
        for ab in colorings.values():
            if ab.shape != (*shape, 2) or luminance.shape != shape:
                raise OptionError(f"frames of a film must have one shape: {ab.shape} beside {shape}")
        yield luminance, colorings
