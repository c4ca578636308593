"""Hints become exact, and only where they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.hints import Hint
from photochrom.kriging import Scene, belonging, change_of_kind, krige
from photochrom.models.answer import unit_features
from photochrom.raster import Points
from photochrom.strokes import paint
from photochrom.upsample import GuidedFilter


def points(places, ab, luminance=50.0, weight=1.0, reach=1.0):
    count = len(places)
    return Points(
        np.float32(places).reshape(-1, 2),
        np.full(count, luminance, np.float32),
        np.float32(ab).reshape(-1, 2),
        np.full(count, weight, np.float32),
        np.full(count, reach, np.float32),
    )


def scene(cells, automatic=None, features=None):
    """Cells (h, w) of L*, by default grey and all alike to the network."""
    height, width = cells.shape
    automatic = np.zeros((height, width, 2), np.float32) if automatic is None else automatic
    features = np.zeros((3, height // 4, width // 4), np.float32) if features is None else features
    unit = unit_features(features, features.repeat(4, 1).repeat(4, 2), cells.shape)
    return Scene(np.float32(cells), automatic, unit)


def flat(size=16, level=50):
    """One thing, but for a strip at the left that looks otherwise."""
    features = np.zeros((2, size // 4, size // 4), np.float32)
    features[0, :, 1:], features[1, :, 0] = 1, 1
    return scene(np.full((size, size), level, np.float32), features=features)


def doubt(size=16, value=15.0):
    return np.full((size, size), value, np.float32)


def test_without_hints_nothing_changes():
    ab = np.random.default_rng(0).normal(0, 10, (8, 8, 2)).astype(np.float32)
    empty = points(np.zeros((0, 2)), np.zeros((0, 2)))
    assert krige(ab, doubt(8), flat(8), empty) is ab
    guide = GuidedFilter(ab, ab)
    assert paint(guide, (), np.full((8, 8), 50, np.float32)) is guide


@given(st.floats(-60, 60), st.floats(-60, 60))
def test_the_residual_is_gone_at_the_hint(a, b):
    zero = np.zeros((16, 16, 2), np.float32)
    corrected = krige(zero, doubt(), flat(), points([[8.5, 8.5]], [[a, b]]))
    assert np.abs(corrected[8, 8] - (a, b)).max() <= 0.05 * max(1, abs(a), abs(b))


def test_the_residual_stops_at_an_edge():
    cells = np.full((16, 16), 30, np.float32)
    cells[:, 8:] = 90
    hint = points([[8.5, 6.5]], [[40, 0]], luminance=30)
    corrected = krige(np.zeros((16, 16, 2), np.float32), doubt(), scene(cells), hint)
    assert corrected[8, 7, 0] > 20
    assert np.abs(corrected[:, 8:]).max() < 2


def test_where_the_network_is_sure_the_residual_moves_little():
    sure = doubt()
    sure[:, 9:] = 1.5
    zero = np.zeros((16, 16, 2), np.float32)
    corrected = krige(zero, sure, flat(), points([[8.5, 7.5]], [[8, 0]]))
    assert corrected[8, 8, 0] > 1.5 * corrected[8, 9, 0] > 0


def test_weight_weakens_the_residual():
    zero = np.zeros((16, 16, 2), np.float32)
    given_ab = [
        krige(zero, doubt(), flat(), points([[8.5, 8.5]], [[9, 0]], weight=w))[8, 8, 0]
        for w in (0.0, 0.25, 0.5, 1.0)
    ]
    assert given_ab == pytest.approx([0, 0.25 * 9, 0.5 * 9, 9], abs=0.5)


def test_agreeing_hints_do_not_add_up():
    zero = np.zeros((16, 16, 2), np.float32)
    many = points(np.random.default_rng(1).uniform(7, 9, (40, 2)), [[20, -10]] * 40)
    corrected = krige(zero, doubt(), flat(), many)
    assert np.abs(corrected).max() < 21


def test_the_order_of_hints_and_their_chunks_do_not_matter():
    random = np.random.default_rng(2)
    listed = points(random.uniform(0, 16, (300, 2)), random.normal(0, 10, (300, 2)))
    turned = Points(*(field[::-1] for field in listed))
    zero = np.zeros((16, 16, 2), np.float32)
    assert np.allclose(krige(zero, doubt(), flat(), listed), krige(zero, doubt(), flat(), turned), atol=0.05)


@pytest.mark.parametrize("place", [(0.5, 0.5), (0, 0), (1, 1)])
def test_a_pin_is_exact_and_local(place):
    luminance = np.full((64, 64), 50, np.float32)
    guide = GuidedFilter(np.full((64, 64, 2), 0.3, np.float32), np.zeros((64, 64, 2), np.float32))
    hint = Hint(*place, "#c03020", radius=0.03)
    pinned = paint(guide, (hint,), luminance)
    row, column = (min(63, int(n * 64)) for n in place[::-1])
    assert pinned.offset[row, column] == pytest.approx(hint.ab, abs=0.5)
    assert np.abs(pinned.slope[row, column]).max() < 0.01
    far = np.hypot(*(np.mgrid[:64, :64] - np.array([row, column])[:, None, None])) > 6
    assert np.array_equal(pinned.slope[far], guide.slope[far])
    assert not guide.offset.any(), "the guide given is left as it was"


# --- a contradiction stays with its object ----------------------------------------------------


def two_things(size=16):
    """A left thing and a right one of other luminance and look, and the same color."""
    cells = np.full((size, size), 30, np.float32)
    cells[:, size // 2 :] = 75
    features = np.zeros((3, size // 4, size // 4), np.float32)
    features[0, :, : size // 8], features[1, :, size // 8 :] = 1, 1
    return scene(cells, np.full((size, size, 2), (5, 10), np.float32), features)


def test_a_surprising_hint_changes_its_thing_alone():
    things = two_things()
    answer = things.automatic + np.float32([-40, 20])  # the network turned all of it
    obeyed = krige(answer, doubt(), things, points([[8.5, 3.5]], [[-35, 30]], luminance=30))
    assert np.abs(obeyed[8, 3] - answer[8, 3]).max() < 2
    assert np.abs(obeyed[:, 12:] - things.automatic[:, 12:]).max() < 1


def test_details_tell_things_apart_that_look_alike_from_afar():
    """Features of afar, luminance and automatic color are the same: what is left is where one ends."""
    height = 16
    cells = np.full((height, height), 50, np.float32)
    details = np.zeros((2, height, height), np.float32)
    details[0, :, :8], details[1, :, 8:] = 1, 1
    automatic = np.zeros((height, height, 2), np.float32)
    coarse = np.random.default_rng(0).normal(size=(3, 1, 1)) * np.ones((3, height // 4, height // 4))
    alike = Scene(cells, automatic, unit_features(np.float32(coarse), np.zeros_like(details), cells.shape))
    apart = Scene(cells, automatic, unit_features(np.float32(coarse), details, cells.shape))
    asked = points([[8.5, 6.5]], [[60, 0]])
    own, beyond = (
        [krige(automatic, doubt(), one, asked)[8, column, 0] for one in (alike, apart)] for column in (6, 9)
    )
    assert own[1] > own[0] - 1
    assert beyond[1] < 0.6 * beyond[0]


def test_an_expected_hint_may_tell_of_the_whole_scene():
    things = two_things()
    answer = things.automatic + np.float32([4, 4])
    obeyed = krige(answer, doubt(), things, points([[8.5, 3.5]], [[9, 14]], luminance=30))
    assert np.abs(obeyed[:, 12:] - answer[:, 12:]).max() < 1.5


@given(st.integers(1, 600), st.floats(0, 80))
@settings(max_examples=30)
def test_colors_stay_near_what_was_said(count, spread):
    """Kriging between wild hints does not overshoot into colors that nobody asked for."""
    things = two_things()
    random = np.random.default_rng(count)
    listed = points(random.uniform(0, 16, (count, 2)), random.uniform(-spread, spread, (count, 2)))
    obeyed = krige(things.automatic, doubt(), things, listed)
    assert np.isfinite(obeyed).all()
    assert np.abs(obeyed).max() <= 2 * max(spread, 10)


# --- what the answer is at a hint ----------------------------------------------------------------


@given(st.floats(1, 15), st.floats(1, 15), st.floats(-3, 3))
def test_a_hint_between_cells_that_agrees_with_the_answer_changes_nothing(y, x, slope):
    answer = np.zeros((16, 16, 2), np.float32)
    answer[..., 0] = slope * (np.arange(16) + 0.5)
    things = scene(np.full((16, 16), 50, np.float32), answer.copy())
    obeyed = krige(answer, doubt(), things, points([[y, x]], [[slope * x, 0]]))
    assert np.abs(obeyed - answer).max() < 0.01


def test_many_hints_bring_the_automatic_colors_into_what_is_corrected_and_a_heap_of_them_does_not():
    answer = np.full((64, 64, 2), 12, np.float32)  # where automatic colors would be grey
    spread = np.float32([[y, x] for y in (8, 24, 40, 56) for x in (8, 24, 40, 56)])
    moved = []
    for places in (spread[:1], np.repeat(spread[:1], 16, axis=0), spread):
        agreeing = points(places, [[12, 12]] * len(places), luminance=85)  # of another thing than the rest
        corner = krige(answer, doubt(64), flat(64, 20), agreeing)[63, 0, 0]
        moved.append(12 - corner)
    one, heap, many = moved
    assert heap == pytest.approx(one, abs=0.3)
    assert many > one + 0.5


# --- everything of a kind ------------------------------------------------------------------------


def two_of_a_kind(size=32):
    """Two columns of one look at the far sides, another thing between them, all of one luminance."""
    features = np.zeros((2, size // 4, size // 4), np.float32)
    features[0], features[0, :, 2:-2], features[1, :, 2:-2] = 1, 0, 1
    automatic = np.full((size, size, 2), (8, 12), np.float32)
    automatic[:, -6:, 0] += 4
    return scene(np.full((size, size), 50, np.float32), automatic, features)


def test_a_hint_for_a_kind_reaches_it_wherever_it_is():
    things = two_of_a_kind()
    change = change_of_kind(things, points([[16.5, 2.5]], [[20, 20]]))
    colored = things.automatic + change
    assert np.abs(colored[:, :5].mean((0, 1)) - (20, 20)).max() < 3
    assert np.abs(colored[:, -5:].mean((0, 1)) - (20, 20)).max() < 4
    assert np.abs(change[:, 12:20]).max() < 0.5
    assert colored[16, -3, 0] - colored[16, 3, 0] == pytest.approx(2, abs=1), "half of what made them differ"


def test_a_weak_hint_for_a_kind_changes_it_less():
    things = two_of_a_kind()
    full, half = (change_of_kind(things, points([[16.5, 2.5]], [[20, 20]], weight=w)) for w in (1.0, 0.5))
    assert np.abs(half).mean() == pytest.approx(np.abs(full).mean() / 2, rel=0.05)


def test_a_cell_belongs_to_the_thing_of_a_hint():
    things = two_things()
    share = belonging(things, points([[8.5, 3.5]], [[0, 0]], luminance=30), np.float32([0.5]))
    assert share[8, 3] == pytest.approx(0.5)
    assert share[:, 12:].max() < 0.1


# --- a hint's own reach --------------------------------------------------------------------------


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=40), st.floats(0, 80))
@settings(max_examples=30)
def test_colors_stay_near_what_was_said_however_reaches_differ(reaches, spread):
    things = two_things()
    random = np.random.default_rng(len(reaches))
    cells = random.permutation(256)[: len(reaches)]
    places = np.column_stack([cells // 16, cells % 16]) + 0.5
    listed = points(places, random.uniform(-spread, spread, (len(reaches), 2)), reach=1)
    listed = listed._replace(
        luminance=things.cells.reshape(-1)[cells].astype(np.float32), reaches=np.float32(reaches)
    )
    obeyed = krige(things.automatic, doubt(), things, listed)
    assert np.abs(obeyed).max() <= 3 * max(spread, 10)


@pytest.mark.parametrize("wanted", [(9, 14), (-35, 30)])
def test_reach_widens_and_narrows(wanted):
    """Of a hint that agrees with the network, which moved all of it, and of one that contradicts it."""
    things = two_things()
    answer = things.automatic + np.float32([4, 4])
    moved = []
    for reach in (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0):
        hint = points([[8.5, 3.5]], [wanted], luminance=30, reach=reach)
        moved.append(np.abs(krige(answer, doubt(), things, hint) - things.automatic).mean())
    assert moved == sorted(moved)
    assert moved[0] < 0.3 * moved[3] < 0.3 * moved[-1]


def test_the_reach_of_a_hint_for_a_kind_is_what_counts_as_one():
    things = two_of_a_kind()
    moved = [
        np.abs(change_of_kind(things, points([[16.5, 2.5]], [[30, 20]], reach=reach))).sum()
        for reach in (0.1, 0.5, 1.0, 2.0)
    ]
    assert moved == sorted(moved)
    assert moved[0] < 0.8 * moved[2]
