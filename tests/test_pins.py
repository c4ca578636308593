"""A pin, a hint with the color that its place has, moves nothing, and takes back what others moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000

from photochrom import Colorizer, Hint, Look, read
from photochrom.pins import fade, may_follow, pinned_shares

EXAMPLES = Path(__file__).parents[1] / "examples"
FOREHEAD, FLAG, COLLAR = (0.45, 0.2), (0.2, 0.2), (0.1, 0.9)
SUIT, LIPS = Hint(0.3, 0.75, "#2060d0", radius=0.02), Hint(0.48, 0.33, "#802030")


@pytest.fixture(scope="module")
def plate():
    return Colorizer(threads=1).prepare(read(EXAMPLES / "photos" / "astronaut.jpg"))


@pytest.fixture(scope="module")
def automatic(plate):
    return plate.color(Look())


def difference(plate, one, other):
    level = plate.luminance[..., None]
    return deltaE_ciede2000(*(np.concatenate([level, ab], -1) for ab in (one, other)))


def pin(colored, place):
    return Hint(*place, colored.color_at(*place))


def away(one, other):
    return np.hypot(*(one - other).transpose(2, 0, 1))


@pytest.mark.parametrize("seed", range(3))
def test_a_pin_alone_moves_nothing(plate, automatic, seed) -> None:
    for place in np.random.default_rng(seed).uniform(0, 1, (8, 2)).tolist():
        assert difference(plate, automatic.chroma, plate.chroma([pin(automatic, place)])).max() <= 0.5


def test_a_color_read_from_the_picture_is_a_pin_too(plate, automatic) -> None:
    rgb = plate.render().rgb
    for x, y in (FOREHEAD, FLAG, COLLAR, (0.8, 0.3)):
        seen = rgb[int(y * rgb.shape[0]), int(x * rgb.shape[1])]
        hint = Hint(x, y, "#" + "".join(f"{value:02x}" for value in seen))
        assert difference(plate, automatic.chroma, plate.chroma([hint])).max() <= 0.5


def test_many_pins_move_nothing(plate, automatic) -> None:
    places = np.random.default_rng(5).uniform(0, 1, (30, 2)).tolist()
    pinned = plate.chroma([pin(automatic, place) for place in places])
    assert difference(plate, automatic.chroma, pinned).max() <= 0.5


@pytest.mark.parametrize("hint", [SUIT, LIPS])
@pytest.mark.parametrize("place", [FOREHEAD, FLAG, COLLAR, (0.8, 0.3), (0.9, 0.9)])
def test_after_a_hint_a_pin_of_what_is_there_now_moves_nothing(plate, hint, place) -> None:
    hinted = plate.color(Look((hint,)))
    pinned = plate.chroma([hint, pin(hinted, place)])
    assert difference(plate, hinted.chroma, pinned).max() <= 1


@pytest.mark.parametrize(("hint", "place"), [(LIPS, FOREHEAD), (SUIT, COLLAR)])
def test_after_a_hint_a_pin_of_what_was_there_only_takes_back(plate, automatic, hint, place) -> None:
    hinted = plate.color(Look((hint,)))
    pinned = plate.chroma([hint, pin(automatic, place)])
    row, column = int(place[1] * plate.size[0]), int(place[0] * plate.size[1])
    before, after = away(hinted.chroma, automatic.chroma), away(pinned, automatic.chroma)
    assert before[row, column] > 5
    assert after[row, column] < 0.3 * before[row, column]
    assert (after - before).max() < 3
    assert (after - before).mean() < 0
    own = int(hint.y * plate.size[0]), int(hint.x * plate.size[1])
    assert np.abs(pinned[own] - hint.ab).max() < 2


def test_pins_have_a_place_among_hints() -> None:
    plane = np.full((64, 64), 50, np.float32)
    ab = np.full((64, 64, 2), (10, 5), np.float32)
    same, other = Hint(0.5, 0.5, "#8b7371"), Hint(0.5, 0.5, "#2040c0")
    stroke = Hint(0.1, 0.5, "#8b7371", path=((0.9, 0.5),))
    assert np.hypot(*(np.array(same.ab) - (10, 5))) < 1.5
    assert pinned_shares([same, other, stroke], ab, plane).tolist() == [1, 0, 1]
    ab[:, 40:] = 40
    assert pinned_shares([same, other, stroke], ab, plane).tolist() == [1, 0, 0]


def test_a_lesser_change_may_follow_from_a_greater_one() -> None:
    grey = np.zeros((64, 64, 2), np.float32)
    red, pale_red, green = (Hint(0.5, 0.5, color) for color in ("#c02020", "#906060", "#20a020"))
    assert may_follow(pale_red, [red], grey)
    assert not may_follow(red, [pale_red], grey)
    assert not may_follow(green, [red], grey)
    assert not may_follow(pale_red, [], grey)


def test_among_many_that_ask_for_a_change_a_pin_is_a_hint_like_others() -> None:
    assert fade(np.float32([1, 1, 0, 0])).tolist() == [1, 1, 0, 0]
    assert fade(np.float32([1] + [0] * 12)).max() == 0
    assert 0 < fade(np.float32([1] + [0] * 9))[0] < 1


# --- neighbors ----------------------------------------------------------------------------------


def moved_in(plate, automatic, hint, left, top, right, bottom):
    """Mean |Δab| that a hint makes in a box, in fractions."""
    height, width = plate.size
    box = np.s_[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
    return away(plate.chroma([hint]), automatic.chroma)[box].mean()


@pytest.mark.parametrize("color", ["#d0651e", "#2060d0"])
def test_a_hint_on_the_suit_leaves_the_flag_alone(plate, automatic, color) -> None:
    """It turned with the suit: 18.9 before pins and neighbors were looked at; 4.6 now."""
    hint = Hint(0.3, 0.62, color, radius=0.02)
    assert moved_in(plate, automatic, hint, 0, 0, 0.12, 0.5) < 5
    assert moved_in(plate, automatic, replace(hint, reach=0.1), 0, 0, 0.12, 0.5) < 1
    assert moved_in(plate, automatic, hint, 0.25, 0.58, 0.35, 0.68) > 15


def test_a_stroke_across_the_suit_leaves_face_and_wall_alone(plate, automatic) -> None:
    stroke = Hint(0.2, 0.65, "#d0651e", path=((0.52, 0.65),))
    assert moved_in(plate, automatic, stroke, 0.38, 0.12, 0.52, 0.36) < 2.5
    assert moved_in(plate, automatic, stroke, 0.55, 0.02, 0.7, 0.2) < 1


@pytest.mark.parametrize("hint", [SUIT, LIPS, Hint(0.6, 0.1, "#8a8d90"), Hint(0.3, 0.75, "#a06040")])
def test_reach_widens_and_narrows_a_hint(plate, automatic, hint) -> None:
    moved = [
        away(plate.chroma([replace(hint, reach=reach)]), automatic.chroma).mean()
        for reach in (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
    ]
    assert moved == sorted(moved)
    assert moved[0] < 0.2 * moved[3]
    assert moved[-1] > 1.03 * moved[3]


def test_a_short_reach_keeps_lips_apart_from_eyes(plate, automatic) -> None:
    """What is one skin to the network: a hint that is told to stay near does."""
    eyes = (0.41, 0.22, 0.5, 0.26)
    usual = moved_in(plate, automatic, LIPS, *eyes)
    near = replace(LIPS, reach=0.1)
    assert moved_in(plate, automatic, near, *eyes) < 0.3 * usual
    row, column = int(LIPS.y * plate.size[0]), int(LIPS.x * plate.size[1])
    assert np.abs(plate.chroma([near])[row, column] - LIPS.ab).max() < 2


# --- hints for a kind of thing -------------------------------------------------------------------


def test_a_hint_for_skin_is_exact_at_its_place_and_leaves_suit_and_wall_alone(plate, automatic) -> None:
    green = Hint(*FOREHEAD, "#40a040", alike=True)
    colored = plate.color(Look((green,))).chroma
    moved = difference(plate, automatic.chroma, colored)
    row, column = int(FOREHEAD[1] * plate.size[0]), int(FOREHEAD[0] * plate.size[1])
    assert np.abs(colored[row, column] - green.ab).max() < 1
    height, width = plate.size
    cheek, suit, wall = (int(0.32 * height), int(0.43 * width)), np.s_[170:, 40:150], np.s_[:60, 150:170]
    assert moved[cheek] > 20
    assert moved[suit].mean() < 2
    assert moved[wall].mean() < 1


def test_a_hint_for_a_thing_beats_one_for_its_kind(plate) -> None:
    skin, cheek = Hint(*FOREHEAD, "#40a040", alike=True), Hint(0.43, 0.32, "#7080c0")
    alone, both = plate.chroma([cheek]), plate.chroma([cheek, skin])
    row, column = int(0.33 * plate.size[0]), int(0.43 * plate.size[1])
    near = np.s_[row - 4 : row + 5, column - 4 : column + 5]
    assert away(both, alone)[near].mean() < 8
    assert away(both, plate.chroma([skin]))[near].mean() > 30


def test_a_pin_takes_back_from_a_kind(plate, automatic) -> None:
    skin = Hint(*FOREHEAD, "#40a040", alike=True)
    before = away(plate.chroma([skin]), automatic.chroma)
    after = away(plate.chroma([skin, pin(automatic, (0.43, 0.32))]), automatic.chroma)
    place = int(0.32 * plate.size[0]), int(0.43 * plate.size[1])
    assert after[place] < 0.4 * before[place]
