"""Other ideas: hint lists that differ where the network is least sure, each of one piece.

The most uncertain fifth of the photo is parted into a few regions of like things. Each region's
distribution is parted into as many colors as there are proposals; every proposal takes from each region
the color that lies in the same direction from the expected one (one warmer all over, one cooler…), goes
part of the way there, and feeds it back as hints: the network makes the rest fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import cv2
import numpy as np

from photochrom.errors import GuidanceError
from photochrom.guidance.combine import combined, influence
from photochrom.guidance.placing import placed_in_cells
from photochrom.look import MAX_PROPOSALS, MAX_SEED
from photochrom.models import readings
from photochrom.raster import cell_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from photochrom.color import Float
    from photochrom.hints import Hint
    from photochrom.prepared import PreparedPhoto

_UNCERTAIN = 0.2  # the share of the photo, the least sure, that proposals are about
_DARING = 0.4  # the share of the way from the expected color to another
_REGIONS = 4
_HINTS = 4  # a region
_WEIGHT = 0.7
_TAKEN = 0.5  # where a person's hints decide more than this, there is nothing to propose
_ROUNDS = 15


class Region(NamedTuple):
    """Uncertain cells of like things."""

    cells: NDArray[np.int64]  # (n, 2): row, column at stride 4
    calm: NDArray[np.int64]  # the calmer half of them, away from edges, the most typical first


def proposals(
    plate: PreparedPhoto, k: int = 4, seed: int = 0, hints: Sequence[Hint] = ()
) -> list[list[Hint]]:
    """k hint lists, ready to render; each contains the given hints, which have the last word.

    The same seed gives the same proposals. Raises GuidanceError for k outside 1..12 or a seed that is no
    whole number from 0, UnsupportedReading for a model without a distribution.
    """
    _check(k, seed)
    rng = np.random.default_rng(seed)
    probability, bins = plate.answer(hints).distribution
    regions = _regions(plate, probability, bins, hints, seed)
    proposed: list[list[Hint]] = [[] for _ in range(k)]
    for region in regions:
        places = _places(region, rng)
        share = probability[:, region.cells[:, 0], region.cells[:, 1]].mean(1)
        for number, ab in enumerate(_alternatives(share, bins, k, rng)):
            proposed[number] += placed_in_cells(plate, places, np.tile(ab, (len(places), 1)), _WEIGHT)
    return [combined(plate, hints, added) for added in proposed]


def _check(k: int, seed: int) -> None:
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_PROPOSALS:
        raise GuidanceError(f"between 1 and {MAX_PROPOSALS} proposals can be made, not {k!r}")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise GuidanceError(f"the seed must be a whole number from 0 to {MAX_SEED}, not {seed!r}")


# --- where -------------------------------------------------------------------------------------


def uncertain_cells(uncertainty: Float, free: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """(h, w) bool: the most uncertain fifth, less what is not free."""
    most = uncertainty >= np.quantile(uncertainty, 1 - _UNCERTAIN)
    return most if free is None else most & free


def _regions(
    plate: PreparedPhoto, probability: Float, bins: Float, hints: Sequence[Hint], seed: int
) -> list[Region]:
    """The uncertain cells in groups alike in place, luminance and expected color (k-means)."""
    free = cell_means(influence(plate, hints)) < _TAKEN
    mask = uncertain_cells(readings.entropy(probability), free)
    cells = np.argwhere(mask)
    if len(cells) < _REGIONS:
        return []
    expected = np.tensordot(probability, bins, axes=(0, 0))[mask]
    planes = cell_means(plate.luminance)
    levels, unrest = planes[mask], _unrest(planes)[mask]
    table = np.column_stack([cells * (40 / min(mask.shape)), levels / 2, expected]).astype(np.float32)
    cv2.setRNGSeed(seed)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    _, owners, centers = cv2.kmeans(table, _REGIONS, cast("Any", None), stop, 2, cv2.KMEANS_PP_CENTERS)
    found = []
    for number, center in enumerate(centers):
        mine = np.flatnonzero(owners.ravel() == number)
        calm = mine[unrest[mine] <= np.median(unrest[mine])] if len(mine) else mine
        order = calm[np.argsort(((table[calm] - center) ** 2).sum(1), kind="stable")]
        if len(mine):
            found.append(Region(cells[mine], cells[order]))
    return sorted(found, key=lambda region: tuple(region.calm[0]))


def _unrest(levels: Float) -> Float:
    """(h, w): the range of L* around each cell; colors placed at edges would run over them."""
    kernel = np.ones((5, 5), np.uint8)
    return np.asarray(cv2.dilate(levels, kernel) - cv2.erode(levels, kernel), np.float32)


def _places(region: Region, rng: np.random.Generator) -> NDArray[np.int64]:
    """A few cells of a region: its most typical one and others drawn from all of it."""
    count = min(_HINTS - 1, len(region.calm) - 1)
    others = 1 + rng.choice(max(1, len(region.calm) - 1), count, replace=False)
    return region.calm[np.concatenate([[0], others]).astype(np.int64)]


# --- which colors -----------------------------------------------------------------------------


def _alternatives(share: Float, bins: Float, k: int, rng: np.random.Generator) -> Float:
    """(k, 2): other colors of a distribution (Q,) over bins (Q, 2), in order of direction from its mean.

    The centers of a k-means partition of the distribution, _DARING of the way from its mean.
    """
    mean = share @ bins
    if k == 1:
        return mean[None]
    centers = bins[rng.choice(len(bins), k, replace=False, p=_without_rounding(share))].astype(np.float64)
    for _ in range(_ROUNDS):
        owner = ((bins[:, None] - centers[None]) ** 2).sum(-1).argmin(1)
        for number in range(k):
            weight = share[owner == number]
            if weight.sum() > 0:
                centers[number] = weight @ bins[owner == number] / weight.sum()
    away = centers - mean
    order = np.argsort(np.arctan2(away[:, 1], away[:, 0]), kind="stable")
    other: Float = (mean + _DARING * away[order]).astype(np.float32)
    return other


def _without_rounding(share: Float) -> NDArray[np.float64]:
    exact = share.astype(np.float64) + 1e-9
    return cast("NDArray[np.float64]", exact / exact.sum())
