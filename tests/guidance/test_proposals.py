"""Other ideas: different where it is uncertain, deterministic, the person's hints in each."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000

from photochrom.color import ab_bins, rgb_to_lab
from photochrom.errors import GuidanceError
from photochrom.guidance import proposals
from photochrom.guidance.proposals import _DARING, _alternatives, uncertain_cells
from photochrom.hints import Hint, dump_hints, load_hints

if TYPE_CHECKING:
    from photochrom.colorizer import Colorizer, Plate

BINS = ab_bins()


@pytest.fixture(scope="module")
def four(plate: Plate) -> list[np.ndarray]:
    return [plate.preview(hints, side=256) for hints in proposals(plate, 4)]


def test_they_differ_where_the_network_is_least_sure(plate: Plate, four: list[np.ndarray]) -> None:
    where = np.kron(uncertain_cells(plate.uncertainty()), np.ones((4, 4), bool))
    labs = [rgb_to_lab(picture)[where] for picture in four]
    differences = [deltaE_ciede2000(*pair).mean() for pair in combinations(labs, 2)]
    assert np.mean(differences) >= 8


def test_they_stay_near_automatic(
    four: list[np.ndarray], automatic: np.ndarray, truth: np.ndarray, lab
) -> None:
    gains = [lab.psnr(picture, truth) - lab.psnr(automatic, truth) for picture in four]
    assert np.mean(gains) > -2
    assert max(gains) > -1


def test_a_seed_gives_the_same_and_another_seed_others(plate: Plate) -> None:
    assert proposals(plate, 3, 5) == proposals(plate, 3, 5)
    assert proposals(plate, 3, 5) != proposals(plate, 3, 6)


@pytest.mark.parametrize("k", [1, 2, 12])
def test_there_are_as_many_as_asked_for_each_a_hints_file(plate: Plate, k: int) -> None:
    found = proposals(plate, k)
    assert len(found) == k
    assert len({tuple(hints) for hints in found}) == k
    for hints in found:
        assert load_hints(dump_hints(hints)) == hints


def test_given_hints_have_the_last_word(plate: Plate) -> None:
    mine = Hint(0.5, 0.7, "#2040c0", radius=0.03)
    for hints in proposals(plate, 3, hints=[mine]):
        assert hints[-1] == mine
        near = [hint for hint in hints[:-1] if np.hypot(hint.x - 0.5, hint.y - 0.7) < 0.03]
        assert not near


def test_where_hints_say_everything_nothing_is_proposed(plate: Plate) -> None:
    everywhere = [
        Hint((x + 0.5) / 12, (y + 0.5) / 12, "#806040", radius=0.05) for x in range(12) for y in range(12)
    ]
    found = proposals(plate, 2, hints=everywhere)
    assert all(set(everywhere) <= set(hints) for hints in found)
    assert all(len(hints) <= len(everywhere) + 16 for hints in found)


@pytest.mark.parametrize("k", [0, 13, -1, 2.0, True, "4"])
def test_a_number_of_proposals_that_makes_no_sense(plate: Plate, k: object) -> None:
    with pytest.raises(GuidanceError, match="between 1 and 12 proposals"):
        proposals(plate, k)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 1.5, None, 2**31])
def test_a_seed_that_makes_no_sense(plate: Plate, seed: object) -> None:
    with pytest.raises(GuidanceError, match="seed"):
        proposals(plate, 2, seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (64, 64)])
def test_any_photo_has_proposals(colorizer: Colorizer, shape: tuple[int, int]) -> None:
    plate = colorizer.prepare(np.full(shape, 128, np.uint8))
    found = proposals(plate, 2)
    assert len(found) == 2
    assert plate.preview(found[0], side=64).ndim == 3


# --- the colors among which it chooses --------------------------------------------------------


def distribution(seed: int, peaks: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centers = BINS[rng.choice(len(BINS), peaks, replace=False)]
    share = np.exp(-((BINS[:, None] - centers) ** 2).sum(-1) / (2 * 8**2)).sum(1)
    return (share / share.sum()).astype(np.float32)


def test_two_peaks_give_two_colors_on_the_ways_to_them() -> None:
    share = np.zeros(len(BINS), np.float32)
    left = int(((BINS - (40, 20)) ** 2).sum(1).argmin())
    right = int(((BINS - (-30, -20)) ** 2).sum(1).argmin())
    share[[left, right]] = 0.5
    mean = share @ BINS
    found = _alternatives(share, BINS, 2, np.random.default_rng(0))
    expected = mean + _DARING * (BINS[[left, right]] - mean)
    for color in expected:
        assert np.abs(found - color).sum(1).min() < 1e-3


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 6), peaks=st.integers(1, 4))
def test_alternatives_are_ordered_by_direction_and_within_the_bins(seed: int, k: int, peaks: int) -> None:
    share = distribution(seed, peaks)
    found = _alternatives(share, BINS, k, np.random.default_rng(seed))
    assert found.shape == (k, 2)
    away = (found - share @ BINS).astype(np.float64)
    if k > 1:
        clear = np.hypot(*away.T) > 0.05
        assert (np.diff(np.arctan2(away[clear, 1], away[clear, 0])) > -0.02).all()
    assert (np.abs(found) <= np.abs(BINS).max()).all()


def test_the_uncertain_fifth_is_a_fifth() -> None:
    plane = np.random.default_rng(0).uniform(0, 1, (50, 40)).astype(np.float32)
    assert uncertain_cells(plane).mean() == pytest.approx(0.2, abs=0.01)
    assert not uncertain_cells(plane, np.zeros((50, 40), bool)).any()
