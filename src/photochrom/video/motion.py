"""Motion between frames, and how surely a place of one is seen in another.

Planes are in cells, the resolution of the colors (h, w). A `Way` leads from each cell of a frame to where
the same thing is in another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Float

STRIDE = 4  # pixels of the working size, a side of a cell
PER_CELL = 2  # pixels of the plane on which flow is computed
_AGREEMENT = 0.75  # px by which forward and backward flow may differ before trust is lost
_SLACK = 0.04  # the same as a share of the motion
_TONES = 14.0  # steps of 8 bits by which a place may change and still be the same, exposure aside


@dataclass(frozen=True)
class Way:
    """From a frame to another: `places` (h, w, 2) x and y in its cells, `trust` (h, w) 0..1."""

    places: Float
    trust: Float

    def carry(self, plane: Float) -> Float:
        """A plane (h, w[, n]) of the other frame as seen from this one."""
        return _sampled(plane, self.places)

    def then(self, further: Way) -> Way:
        """This way and from there on: to the frame that `further` leads to."""
        return Way(_sampled(further.places, self.places), self.trust * _sampled(further.trust, self.places))

    @property
    def share(self) -> float:
        """How much of the frame is seen in the other one."""
        return float((self.trust > 0.5).mean())


def tones_of(luminance: Float) -> NDArray[np.uint8]:
    """L* (h, w) at the working size, in the form in which frames are compared: small and in 8 bits."""
    rows, columns = (n // STRIDE * PER_CELL for n in luminance.shape)
    small = cv2.resize(luminance, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(np.rint(small * np.float32(2.55)), np.uint8)


def standing(shape: tuple[int, int]) -> Way:
    """The way from a frame to itself."""
    return Way(_grid(*shape), np.ones(shape, np.float32))


def ways(earlier: NDArray[np.uint8], later: NDArray[np.uint8]) -> tuple[Way, Way]:
    """(later to earlier, earlier to later), from the tones of two frames.

    DIS flow (Kroeger et al. 2016), trusted where there and back again ends where it began and the tones,
    but for a change of exposure, are alike.
    """
    back, ahead = _flow(later, earlier), _flow(earlier, later)
    return _way(back, ahead, later, earlier), _way(ahead, back, earlier, later)


def _way(flow: Float, other: Float, here: NDArray[np.uint8], there: NDArray[np.uint8]) -> Way:
    height, width = here.shape
    places = flow + _grid(height, width)
    apart = cv2.magnitude(*cv2.split(flow + _sampled(other, places)))
    far = cv2.magnitude(*cv2.split(flow))
    difference = here.astype(np.float32) - _sampled(there.astype(np.float32), places)
    difference -= np.float32(np.median(difference[::3, ::3]))
    doubt = (apart / (_AGREEMENT + _SLACK * far)) ** 2 + (cv2.blur(difference, (3, 3)) / _TONES) ** 2
    trust = np.minimum(1, 1.5 * cv2.exp(-doubt))
    x, y = cv2.split(places)
    trust[(x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)] = 0
    cells = (width // PER_CELL, height // PER_CELL)
    moved = cv2.resize(flow, cells, interpolation=cv2.INTER_AREA) / np.float32(PER_CELL)
    return Way(
        moved + _grid(cells[1], cells[0]),
        np.asarray(cv2.resize(trust, cells, interpolation=cv2.INTER_AREA), np.float32),
    )


def _flow(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> Float:
    # a new one each time: it would keep the finer scales that a small frame makes it choose
    return np.asarray(cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(source, target, None))


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> Float:
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)


def _sampled(plane: Float, places: Float) -> Float:
    return np.asarray(cv2.remap(plane, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
