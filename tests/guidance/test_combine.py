"""One order for everything: a person's hints, the reference, the photo's own color, the palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.color import chroma_of
from photochrom.errors import GuidanceError
from photochrom.guidance import combined
from photochrom.guidance.combine import influence
from photochrom.hints import MAX_HINTS, Hint
from photochrom.look import Look

if TYPE_CHECKING:
    from photochrom.colorizer import Plate

MINE = Hint(0.55, 0.75, "#2040c0", radius=0.02)
places = st.tuples(st.floats(0, 1), st.floats(0, 1))


def color_at(plate: Plate, guided, hint: Hint) -> np.ndarray:
    """ab, the mean of 3 × 3 px at a hint's place, as rendered."""
    ab = guided.chroma
    y, x = int(hint.y * ab.shape[0]), int(hint.x * ab.shape[1])
    return ab[y - 1 : y + 2, x - 1 : x + 2].mean((0, 1))


@pytest.fixture(scope="module")
def everything(plate: Plate, truth: np.ndarray, lab):
    wishes = Look([MINE], reference=lab.photo(truth[:, ::-1]), palette=("#20a040",))
    return plate.color(wishes)


def test_a_persons_hint_beats_all(plate: Plate, everything) -> None:
    assert everything.hints[-1] == MINE
    gap = np.hypot(*(color_at(plate, everything, MINE) - MINE.ab))
    assert gap < 6


def test_the_reference_beats_the_palette(plate: Plate, truth: np.ndarray, lab) -> None:
    photo = lab.photo(truth)
    alone = plate.color(Look(reference=photo))
    both = plate.color(Look(reference=photo, palette=("#20a040",)))
    true = lab.ab(truth)

    def miss(guided) -> float:
        return float(np.hypot(*(guided.chroma - true).reshape(-1, 2).T).mean())

    palette = plate.color(Look(palette=("#20a040",)))
    assert miss(both) < miss(alone) + 4
    assert miss(both) < 0.6 * miss(palette)


def test_the_palette_decides_where_nothing_else_is_said(plate: Plate) -> None:
    far = Hint(0.02, 0.02, "#2040c0", radius=0.01)
    guided = plate.color(Look([far], palette=("#20a040",)))
    assert guided.redraw is not None
    assert guided.redraw.strength is not None
    assert guided.redraw.strength[3:6, 3:6].max() < 0.3
    assert guided.redraw.strength[100:].min() > 0.9


def test_nothing_asked_is_the_automatic_picture(plate: Plate, automatic: np.ndarray) -> None:
    guided = plate.color(Look())
    assert guided.hints == ()
    assert guided.redraw is None
    np.testing.assert_array_equal(guided.preview(side=256), automatic)


def test_hints_alone_are_taken_as_they_are(plate: Plate) -> None:
    hints = (MINE, Hint(0.1, 0.1, "#804020", weight=0.01))
    assert plate.color(Look(hints)).hints == hints


def test_a_refusal_of_one_part_is_heard(plate: Plate) -> None:
    with pytest.raises(GuidanceError, match="no color of its own left"):
        plate.color(Look([MINE], keep_color=True))


# --- the order itself --------------------------------------------------------------------------


@settings(max_examples=25)
@given(strong=st.lists(places, max_size=4), weak=st.lists(places, max_size=6))
def test_the_strong_are_kept_and_the_weak_only_weakened(plate: Plate, strong: list, weak: list) -> None:
    first = [Hint(x, y, "#c04030") for x, y in strong]
    second = [Hint(x, y, "#3060c0", weight=0.5) for x, y in weak]
    both = combined(plate, first, second)
    assert both[len(both) - len(first) :] == first
    left = both[: len(both) - len(first)]
    assert len(left) <= len(second)
    assert {(hint.x, hint.y) for hint in left} <= {(hint.x, hint.y) for hint in second}
    assert all(hint.weight <= 0.5 for hint in left)


def test_a_weak_hint_under_a_strong_one_is_left_out(plate: Plate) -> None:
    weak = Hint(0.55, 0.75, "#30a030", weight=0.5)
    assert combined(plate, [MINE], [weak]) == [MINE]
    assert combined(plate, [], [weak]) == [weak]


def test_three_ranks(plate: Plate) -> None:
    same = [Hint(0.3, 0.3, color) for color in ("#ff0000", "#00ff00", "#0000ff")]
    assert combined(plate, *([hint] for hint in same)) == same[:1]


def test_too_many_are_cut_from_the_weak(plate: Plate) -> None:
    strong = [Hint(0.5, 0.5, "#ff0000", weight=0.0)] * 10
    weak = [Hint(0.1, 0.1, "#00ff00")] * MAX_HINTS
    both = combined(plate, strong, weak)
    assert len(both) == MAX_HINTS
    assert both[-10:] == strong


def test_influence_is_full_at_a_hint_and_fades_with_distance(plate: Plate) -> None:
    share = influence(plate, [MINE])
    assert share.shape == plate.luminance.shape
    assert share[int(0.75 * 256), int(0.55 * 256)] > 0.8
    assert share[:20].max() < 0.05
    assert not influence(plate, []).any()
    assert influence(plate, [Hint(0.55, 0.75, "#2040c0", weight=0.3)]).max() <= 0.3 + 1e-6


def test_the_palette_is_kept_away_from_the_hint(plate: Plate, everything) -> None:
    assert everything.redraw is not None
    drawn = everything.redraw(np.full((256, 256, 2), (30, 0), np.float32))
    y, x = int(MINE.y * 256), int(MINE.x * 256)
    assert np.abs(drawn[y, x] - (30, 0)).max() < 8
    assert chroma_of(drawn).max() <= 30.1
