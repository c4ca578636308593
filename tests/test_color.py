"""Color science against scikit-image, the standards and itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage import color as oracle

from photochrom import color
from photochrom.errors import OptionError

RGB = arrays.arrays(np.uint8, (7, 5, 3), elements=st.integers(0, 255))
DEPTHS = [np.uint8, np.uint16]


def grey_of(rgb: np.ndarray) -> np.ndarray:
    """The grey value, in steps of the picture's depth, that has its CIE Y: computed in float64."""
    white = np.iinfo(rgb.dtype).max
    linear = color.srgb_to_linear(rgb.astype(np.float64) / white) @ color.LUMINANCE_WEIGHTS
    return color.linear_to_srgb(linear) * white


@given(RGB)
def test_lab_agrees_with_scikit_image(rgb):
    assert np.abs(color.rgb_to_lab(rgb) - oracle.rgb2lab(rgb)).max() < 0.02


@given(RGB)
def test_lab_and_back(rgb):
    back = color.quantize(color.lab_to_rgb(color.rgb_to_lab(rgb)))
    assert np.array_equal(back, rgb)


@pytest.mark.parametrize("dtype", DEPTHS)
def test_greys_have_no_color_and_white_is_100(dtype):
    white = np.iinfo(dtype).max
    greys = np.repeat(np.arange(0, white + 1, white // 255, dtype=dtype)[:, None], 3, axis=1)
    lab = color.rgb_to_lab(greys)
    assert (lab[:, 1:] == 0).all()
    assert lab[-1, 0] == pytest.approx(100, abs=1e-4)
    assert lab[0, 0] == pytest.approx(0, abs=1e-4)
    assert np.allclose(lab[:, 0], color.luminance(greys[:, :1])[:, 0], atol=1e-4)


def test_luminance_table_agrees_with_scikit_image():
    greys = np.arange(256, dtype=np.uint8)
    expected = oracle.rgb2lab(np.repeat(greys[:, None], 3, axis=1)[None])[0, :, 0]
    assert np.abs(color.luminance_table(256) - expected).max() < 0.01


def test_transfer_functions_are_inverse():
    values = np.linspace(0, 1, 4001)
    assert np.abs(color.linear_to_srgb(color.srgb_to_linear(values)) - values).max() < 1e-6


@pytest.mark.parametrize("dtype", DEPTHS)
def test_encode_is_the_rounded_transfer_function(dtype):
    values = np.random.default_rng(0).random((50, 60)).astype(np.float32) ** 3
    white = np.iinfo(dtype).max
    exact = color.linear_to_srgb(values.astype(np.float64)) * white
    assert np.abs(color.encode(values, np.dtype(dtype)) - exact).max() < 0.65
    assert color.encode(np.float32([[-1, 2]]), np.dtype(dtype)).tolist() == [[0, white]]


# --- neutral -----------------------------------------------------------------------------------


def test_neutral_keeps_greys_as_they_are():
    plane = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert color.neutralize(plane) is plane
    assert np.array_equal(color.neutralize(np.repeat(plane[..., None], 3, axis=2)), plane)


@given(RGB)
def test_neutral_of_rgb_has_its_luminance(rgb):
    neutral = color.neutralize(rgb)
    assert np.abs(color.luminance(neutral) - color.rgb_to_lab(rgb)[..., 0]).max() < 0.02


def test_neutral_refuses_floats():
    with pytest.raises(OptionError, match="uint8 or uint16"):
        color.neutralize(np.zeros((2, 2)))


# --- merge: luminance is kept, at every L and any color, both depths --------------------------


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("chroma", [0, 5, 30, 90, 150])
def test_merge_keeps_every_luminance(dtype, chroma):
    """Dropping the chroma gives the original back within half a step: every L*, 72 hues."""
    white = np.iinfo(dtype).max
    greys = np.unique(np.r_[np.arange(256) * (white // 255), np.arange(0, white, max(1, white // 2000))])
    angles = np.deg2rad(np.arange(0, 360, 5))
    neutral = np.repeat(greys.astype(dtype)[:, None], len(angles), axis=1)
    ab = np.empty((*neutral.shape, 2), np.float32)
    ab[..., 0], ab[..., 1] = chroma * np.cos(angles), chroma * np.sin(angles)
    merged = color.merge(neutral, ab)
    assert merged.dtype == dtype
    assert np.abs(grey_of(merged) - neutral).max() <= 0.5


@given(
    arrays.arrays(np.uint8, (6, 9), elements=st.integers(0, 255)),
    arrays.arrays(np.float32, (6, 9, 2), elements=st.floats(-200, 200, width=32)),
)
def test_merge_keeps_luminance_of_anything(neutral, ab):
    assert np.abs(grey_of(color.merge(neutral, ab)) - neutral).max() <= 0.5


@given(RGB)
def test_merge_restores_a_photo_from_its_own_colors(rgb):
    lab = color.rgb_to_lab(rgb)
    merged = color.merge(color.neutralize(rgb), lab[..., 1:], np.uint8)
    assert np.abs(merged.astype(int) - rgb).max() <= 1


def test_merge_without_color_is_grey():
    plane = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    merged = color.merge(plane, np.zeros((256, 256, 2), np.float32))
    assert (merged == plane[..., None]).all()


def test_merge_of_16_bit_luminance_into_8_bits():
    plane = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    ab = np.full((256, 256, 2), 20, np.float32)
    assert np.abs(grey_of(color.merge(plane, ab, np.uint8)) - plane / 257).max() <= 0.5


@settings(max_examples=50)
@given(st.floats(1, 99), st.floats(0, 360), st.floats(1, 180))
def test_fit_gamut_keeps_luminance_and_hue(level, hue, chroma):
    angle = np.deg2rad(hue)
    lab = np.array([[level, chroma * np.cos(angle), chroma * np.sin(angle)]])
    fitted = color.fit_gamut(lab)
    assert fitted[0, 0] == level
    assert color.in_gamut(fitted, 2e-6).all()
    share = np.hypot(*fitted[0, 1:]) / chroma
    assert 0 <= share <= 1 + 1e-9
    assert np.allclose(fitted[0, 1:], lab[0, 1:] * share, atol=1e-9)
    if not color.in_gamut(lab)[0]:  # as vivid as the gamut allows
        beyond = np.array([[level, *(lab[0, 1:] * (1.02 * share + 0.001))]])
        assert not color.in_gamut(beyond)[0]


# --- colors as text ---------------------------------------------------------------------------


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_hex_and_back(triple):
    rgb = np.array(triple, np.uint8)
    assert np.array_equal(color.hex_to_rgb(color.rgb_to_hex(rgb)), rgb)


def test_short_hex():
    assert color.hex_to_rgb("#f0a").tolist() == [255, 0, 170]


@pytest.mark.parametrize("text", ["", "red", "#12", "#12345g", "#1234567", "12 456", None, 7, "#é23456"])
def test_words_are_no_colors(text):
    with pytest.raises(OptionError, match="#rrggbb"):
        color.hex_to_rgb(text)


# --- bins --------------------------------------------------------------------------------------


def test_bins_are_on_the_grid_and_in_gamut():
    bins = color.ab_bins()
    assert bins.shape == (244, 2)
    assert (bins % 10 == 0).all()
    assert [0, 0] in bins.tolist()
    saturated = color.rgb_to_lab(np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8))[:, 1:]
    assert (np.sqrt(((saturated[:, None] - bins) ** 2).sum(-1)).min(1) < 8).all()


def test_bins_are_those_of_the_embedded_model():
    from photochrom.models import find

    card = find("photochrom")[1]
    assert np.array_equal(np.array(card.bins, np.float32), color.ab_bins())


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2), (1, 4), (1, 5)])
@given(data=st.data())
def test_merge_of_tiny_planes(shape, data):
    neutral = data.draw(arrays.arrays(np.uint8, shape, elements=st.integers(0, 255)))
    ab = data.draw(arrays.arrays(np.float32, (*shape, 2), elements=st.floats(-100, 100, width=32)))
    assert np.abs(grey_of(color.merge(neutral, ab)) - neutral).max() <= 0.5


@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 30))))
def testsparse_is_flatnonzero(mask):
    assert np.array_equal(color._sparse(mask), np.flatnonzero(mask))
