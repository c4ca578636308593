"""Keep to these colors: hues drawn, chroma and luminance kept, every odd palette answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from photochrom.color import chroma_of, hue_of, rgb_to_lab
from photochrom.errors import GuidanceError, PhotochromError
from photochrom.evaluation.metrics import colorfulness
from photochrom.guidance import palette_hints
from photochrom.guidance.palette import _SLACK, _PaletteTurn
from photochrom.look import Look
from photochrom.palette import Palette
from photochrom.photo import Photo

if TYPE_CHECKING:
    from pathlib import Path

    from photochrom.colorizer import Plate

COLORS = ("#7a2e1d", "#3b5998", "#d9b26f")
hex_colors = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def gap(ab: np.ndarray, palette: Palette) -> np.ndarray:
    """Degrees from each place's hue to the nearest hue of the palette's colors."""
    wanted = palette.lab[:, 1:]
    hues = hue_of(wanted[chroma_of(wanted) > 6])
    return np.abs((hue_of(ab)[..., None] - hues + 180) % 360 - 180).min(-1)


# --- what a palette is -------------------------------------------------------------------------


def test_colors_are_read_with_commas_or_spaces_with_or_without_hash() -> None:
    assert Palette.parse("#7a2e1d, 3B5998  #d9b26f,#7a2e1d").colors == COLORS
    assert Palette.parse("#f00").colors == ("#ff0000",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mauve", "'mauve' is neither a color nor a picture"),
        ("#7a2e1d, sepia", "'sepia' is neither a color nor a picture"),
        ("", "the palette is empty"),
        (" , ", "the palette is empty"),
        ("#12345", "is not a color"),
        ("#808080,#222222,#fff", "only greys"),
    ],
)
def test_a_palette_that_cannot_be_is_told_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(GuidanceError, match=says):
        Palette.parse(text)


@pytest.mark.parametrize("value", [None, 5, ["#ff0000"]])
def test_a_palette_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(GuidanceError):
        Palette.parse(value)  # type: ignore[arg-type]


def test_a_missing_picture_is_told_by_its_name() -> None:
    with pytest.raises(PhotochromError, match=r"nothing-here\.jpg"):
        Palette.parse("nothing-here.jpg")


@given(st.lists(hex_colors, min_size=1, max_size=60))
def test_any_colors_are_a_palette_or_only_greys(colors: list[str]) -> None:
    try:
        palette = Palette(tuple(colors))
    except GuidanceError as error:
        assert "only greys" in str(error)  # noqa: PT017
        return
    assert 1 <= len(palette.hues) <= len(colors)
    assert (np.diff(palette.hues) > 0).all()


def test_five_hundred_colors_leave_every_hue_free() -> None:
    rng = np.random.default_rng(0)
    palette = Palette(tuple(f"#{number:06x}" for number in rng.integers(0, 1 << 24, 500)))
    assert len(palette.hues) <= 90
    ab = rng.normal(0, 30, (20, 20, 2)).astype(np.float32)
    assert np.hypot(*(_PaletteTurn(palette)(ab) - ab).reshape(-1, 2).T).mean() < 1


def test_the_colors_of_a_picture(tmp_path: Path) -> None:
    flag = np.full((60, 90, 3), 255, np.uint8)
    flag[:, :30], flag[:, 60:] = (0, 85, 164), (239, 65, 53)
    Image.fromarray(flag).save(tmp_path / "flag.png")
    palette = Palette.parse(str(tmp_path / "flag.png"))
    true = Palette(("#0055a4", "#ef4135"))
    assert gap(true.lab[:, 1:], palette).max() < 4
    assert gap(palette.lab[:, 1:][chroma_of(palette.lab[:, 1:]) > 6], true).max() < 25


def test_a_picture_gives_the_same_palette_each_time(truth: np.ndarray) -> None:
    first = Palette.of_photo(Photo.from_array(truth))
    assert 2 <= len(first.colors) <= 6
    assert first == Palette.of_photo(Photo.from_array(truth))


def test_a_grey_picture_has_no_palette() -> None:
    with pytest.raises(GuidanceError, match="choose a color picture"):
        Palette.of_photo(Photo.from_array(np.full((30, 30), 90, np.uint8)))


# --- drawing hues ------------------------------------------------------------------------------

chromas = arrays.arrays(np.float32, (6, 7, 2), elements=st.floats(-80, 80, width=32))


@given(ab=chromas, colors=st.lists(st.sampled_from(COLORS), min_size=1, max_size=3, unique=True))
def test_hues_come_near_and_chroma_never_grows(ab: np.ndarray, colors: list[str]) -> None:
    palette = Palette(tuple(colors))
    drawn = _PaletteTurn(palette)(ab)
    assert (chroma_of(drawn) <= chroma_of(ab) * 1.001 + 1e-3).all()
    assert (chroma_of(drawn) >= chroma_of(ab) * 0.7 - 1e-3).all()
    colored = chroma_of(drawn) > 1
    assert (gap(drawn, palette)[colored] <= _SLACK + 0.1).all()


@given(ab=chromas)
def test_drawing_again_changes_nothing(ab: np.ndarray) -> None:
    draw = _PaletteTurn(Palette(COLORS))
    once = draw(ab)
    np.testing.assert_allclose(draw(once), once, atol=0.05)


def test_where_something_stronger_speaks_nothing_is_drawn() -> None:
    ab = np.full((4, 4, 2), (-40, 40), np.float32)
    strength = np.zeros((4, 4), np.float32)
    strength[2:] = 1
    drawn = _PaletteTurn(Palette(("#3b5998",)), strength)(ab)
    np.testing.assert_array_equal(drawn[:2], ab[:2])
    assert np.abs(drawn[2:] - ab[2:]).min() > 10


def test_a_grey_among_the_colors_lets_far_hues_go_grey() -> None:
    far = np.full((1, 1, 2), (-40, -5), np.float32)
    vivid = _PaletteTurn(Palette(("#c03020",)))(far)
    muted = _PaletteTurn(Palette(("#c03020", "#808080")))(far)
    assert chroma_of(muted)[0, 0] < 0.6 * chroma_of(vivid)[0, 0]


# --- on a photo --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["#7a2e1d,#3b5998,#d9b26f", "#264653,#2a9d8f,#e9c46a,#e76f51", "#8b0000"])
def test_a_photo_keeps_to_its_palette(plate: Plate, automatic: np.ndarray, truth, lab, text: str) -> None:
    palette = Palette.parse(text)
    drawn = plate.color(Look(palette=palette)).preview(side=256)
    ab = lab.ab(drawn)
    colored = chroma_of(ab) > 12
    assert colored.mean() > 0.2
    assert (gap(ab, palette)[colored] <= 20).mean() >= 0.9
    assert colorfulness(drawn) >= 0.7 * colorfulness(automatic)
    grey = rgb_to_lab(np.repeat(lab.grey(truth)[..., None], 3, 2))[..., 0]
    assert np.abs(rgb_to_lab(drawn)[..., 0] - grey).max() < 0.3


def test_hints_lie_where_the_color_was_allowed(plate: Plate) -> None:
    palette = Palette(("#00ff00", "#c07050"))
    hints = palette_hints(plate, palette)
    probability, bins = plate.answer().distribution
    assert hints
    for hint in hints:
        share = probability[:, int(hint.y * 64), int(hint.x * 64)]
        near = ((bins - np.array(hint.ab)) ** 2).sum(1) < 30**2
        assert share[near].sum() > 0.1


def test_full_size_and_preview_are_drawn_alike(plate: Plate) -> None:
    guided = plate.color(Look(palette=Palette(COLORS)))
    np.testing.assert_array_equal(guided.photo().pixels, guided.preview(side=256))
