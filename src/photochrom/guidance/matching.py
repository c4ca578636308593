"""Which places of two photos correspond: the network's features, mutual neighbors, one geometry.

Places are complex numbers x + i·y in pixels of the working size, so that a turn, a scale and a shift
are one product and one sum, and the mirror image is a conjugate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from photochrom.color import Float
    from photochrom.models import Network

Places = NDArray[np.complex128]
SMALLER = 0.5  # the second scale at which a photo is seen: its parts look as in a photo from farther away
_TRIALS = 1500
_TOLERANCE = 14.0  # px: a little less than a cell of the features
_SCALES = (0.35, 2.9)
_TURN = 0.5  # radians


class View(NamedTuple):
    """A photo as the network sees it at one scale: one unit vector a cell, and the cells' centers."""

    features: Float  # (n, C)
    places: Places  # (n,), px of the photo's working size


def view(network: Network, luminance: Float, scale: float = 1.0) -> View:
    """A photo, (h, w) L* at the working size, as a network sees it at some scale."""
    height, width = luminance.shape
    rows, columns = (max(64, round(side * scale / 32) * 32) for side in (height, width))
    plane = cv2.resize(luminance, (columns, rows), interpolation=cv2.INTER_AREA)
    return as_view(network.features(plane), height, width)


def as_view(features: Float, height: int, width: int) -> View:
    """Features (C, h, w) of a photo of (height, width) px, less their mean and scaled to length 1."""
    channels, rows, columns = features.shape
    vectors = features.reshape(channels, -1).T
    vectors = vectors - vectors.mean(0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6
    x = (np.arange(columns) + 0.5) * width / columns
    y = (np.arange(rows) + 0.5) * height / rows
    return View(vectors, (x[None] + 1j * y[:, None]).ravel())


class _Matches(NamedTuple):
    """Pairs of places that are each other's best match."""

    here: Places
    there: Places
    similarity: Float  # cosine, −1..1


def mutual_matches(here: View, there: View) -> _Matches:
    """The pairs of cells that choose each other."""
    similarity = likeness(here, there)
    chosen = similarity.argmax(1)
    mutual = np.flatnonzero(similarity.argmax(0)[chosen] == np.arange(len(chosen)))
    return _Matches(here.places[mutual], there.places[chosen[mutual]], similarity[mutual, chosen[mutual]])


def likeness(here: View, there: View) -> Float:
    """(n, m) cosines. (OpenCV's product: numpy's waits for its threads far longer than it computes.)"""
    product: Float = cv2.gemm(here.features, there.features, 1, None, 0, flags=cv2.GEMM_2_T)
    return product


class Similarity(NamedTuple):
    """there = turn · here + shift, of the mirror image (x → −x) of here if `mirror`."""

    turn: complex
    shift: complex
    mirror: bool
    support: int  # matches that agree

    def __call__(self, places: Places) -> Places:
        return self.turn * _mirrored(places, self.mirror) + self.shift

    def matrix(self) -> NDArray[np.float64]:
        """(2, 3): the same map for (x, y, 1)."""
        c, s, sign = self.turn.real, self.turn.imag, -1 if self.mirror else 1
        return np.array([[sign * c, -s, self.shift.real], [sign * s, c, self.shift.imag]])


def _mirrored(places: Places, mirror: bool) -> Places:
    return -places.conj() if mirror else places


def common_geometry(matches: _Matches, seed: int = 0) -> Similarity | None:
    """The similarity on which most matches agree (RANSAC, Fischler & Bolles 1981), mirrored or not.

    Deterministic. None where no two matches agree.
    """
    if len(matches.here) < 4:
        return None
    found = [_agree(matches, mirror, np.random.default_rng(seed)) for mirror in (False, True)]
    return max((one for one in found if one), key=lambda one: one.support, default=None)


def _agree(matches: _Matches, mirror: bool, rng: np.random.Generator) -> Similarity | None:
    here, there = _mirrored(matches.here, mirror), matches.there
    first, second = rng.integers(len(here), size=(2, _TRIALS))
    gap = here[second] - here[first]
    usable = np.abs(gap) > 40
    turn = (there[second] - there[first])[usable] / gap[usable]
    shift = there[first][usable] - turn * here[first][usable]
    sane = (np.abs(turn) > _SCALES[0]) & (np.abs(turn) < _SCALES[1]) & (np.abs(np.angle(turn)) < _TURN)
    turn, shift = turn[sane], shift[sane]
    if not len(turn):
        return None
    tolerance = _TOLERANCE * np.maximum(1, np.abs(turn))[:, None]
    agree = np.abs(turn[:, None] * here + shift[:, None] - there) < tolerance
    best = agree[agree.sum(1).argmax()]
    return _fit(here[best], there[best], mirror)


def _fit(here: Places, there: Places, mirror: bool) -> Similarity:
    """Least squares over the matches that agree."""
    center, target = here.mean(), there.mean()
    spread = here - center
    turn = ((there - target) * spread.conj()).sum() / (np.abs(spread) ** 2).sum()
    return Similarity(complex(turn), complex(target - turn * center), mirror, len(here))


def matched_levels(luminance: Float, target: Float) -> Float:
    """The L* plane with its histogram matched to the target's."""
    share = np.linspace(0, 100, 65)
    levels = np.maximum.accumulate(np.percentile(luminance, share) + np.arange(65) * 1e-6)
    matched: Any = np.interp(luminance, levels, np.percentile(target, share))
    return np.asarray(matched, np.float32)
