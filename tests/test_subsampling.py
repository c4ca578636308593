"""Colour for encoders that halve chroma: every pixel keeps its luminance, blocks share one chroma."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom import Colorizer, read
from photochrom.color import linear_to_lab, luminance, luminance_table, srgb_to_linear
from photochrom.photo import Photo, write
from photochrom.subsampling import merge_halved
from photochrom.upsample import halved


def level(rgb):
    """L* of colours in codes of 8 bits."""
    return linear_to_lab(srgb_to_linear(np.asarray(rgb) / 255))[..., 0]


def errors(neutral, rgb):
    """How far L* of colours is from the neutral's, in steps of 8 bits at that L*."""
    table = luminance_table(65536).astype(np.float64)
    code = neutral.astype(int) * (257 if neutral.dtype == np.uint8 else 1)
    up = table[np.minimum(code + 257, 65535)] - table[code]
    down = table[code] - table[np.maximum(code - 257, 0)]
    step = np.where(code + 257 > 65535, down, np.where(code < 257, up, np.minimum(up, down)))
    return np.abs(level(rgb) - table[code]) / step


def coloured(neutral, a, b):
    small = halved(neutral)
    planes = (np.full(small.shape, value, np.float32) for value in (a, b))
    return np.stack(merge_halved(neutral, small, *planes), axis=-1)


def scene(height, width, contrast, dtype, seed=0):
    """Slow tones with grain and a few sharp edges, in a range that leaves room for colour."""
    rng = np.random.default_rng(seed)
    tones = cv2.resize(rng.uniform(40, 200, (5, 6)).astype(np.float32), (width, height))
    tones[:, width // 3 : width // 2] += contrast
    codes = (tones + rng.normal(0, 4, tones.shape)).clip(0, 255)
    return np.rint(codes * (1 if dtype is np.uint8 else 257)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("ab", [(0, 0), (15, 20), (-20, 10), (30, -25), (50, 40)])
def test_luminance_stays_within_half_a_step(ab, dtype):
    neutral = scene(300, 400, 60, dtype)
    assert errors(neutral, coloured(neutral, *ab)).max() < 0.51


def test_grey_stays_as_it_is():
    neutral = scene(37, 51, 80, np.uint8)
    assert np.array_equal(coloured(neutral, 0, 0), np.repeat(neutral[..., None], 3, axis=2))


def test_blocks_share_one_chroma():
    rgb = coloured(scene(120, 160, 60, np.uint8), 20, 15).astype(int)
    chroma = (rgb - rgb[..., 1:2])[..., [0, 2]].reshape(60, 2, 80, 2, 2)
    assert (chroma != chroma[:, :1, :, :1]).mean() < 0.002  # where a channel ends at 0 or 255


def test_an_encoder_finds_the_same_luma_and_chroma():
    """What JPEG stores of the pixels decodes to the pixels, but for the quantization of its blocks."""
    rgb = coloured(scene(240, 320, 60, np.uint8), 25, 20)
    data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])[1]
    again = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(again.astype(int) - rgb).mean() < 0.8


def test_chroma_gives_way_at_edges_that_leave_no_room():
    """Black beside white in one block holds no colour; elsewhere the colour stays."""
    neutral = np.full((40, 40), 120, np.uint8)
    neutral[:, 19] = 255
    neutral[:, 20] = 0
    rgb = coloured(neutral, 40, 30).astype(int)
    assert errors(neutral, rgb).max() < 0.505
    assert np.ptp(rgb[:, 2:16], axis=-1).min() > 60
    assert np.ptp(rgb[:, 18:22], axis=-1).max() < 12


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([np.uint8, np.uint16]),
    st.floats(-90, 90),
    st.floats(-90, 90),
    st.integers(0, 1000),
)
@settings(deadline=None)
def test_any_size_and_colour(height, width, dtype, a, b, seed):
    rng = np.random.default_rng(seed)
    neutral = rng.integers(0, np.iinfo(dtype).max, (height, width), dtype, endpoint=True)
    rgb = coloured(neutral, a, b)
    assert rgb.shape == (height, width, 3)
    assert errors(neutral, rgb).max() < 0.51


def test_less_is_lost_than_by_averaging():
    """JPEG of a coloured photo keeps L* better than one whose chroma its encoder averaged."""
    neutral = scene(480, 640, 70, np.uint8)
    photo = Colorizer().prepare(Photo.from_array(neutral)).render(vividness=1.0)
    target, averaged = io.BytesIO(), io.BytesIO()
    write(photo, target, format="jpeg", quality=100)
    write(Photo.from_array(photo.pixels), averaged, format="jpeg", quality=100)
    ours, theirs = (
        np.abs(luminance(neutral) - level(read(data.getvalue()).pixels)).mean() for data in (target, averaged)
    )
    assert ours < theirs


def test_other_subsamplings_get_the_pixels_themselves():
    photo = Colorizer().prepare(Photo.from_array(scene(64, 96, 40, np.uint8))).render()
    files = [io.BytesIO(), io.BytesIO()]
    write(photo, files[0], format="jpeg", quality=98, subsampling="4:4:4")
    write(Photo.from_array(photo.pixels), files[1], format="jpeg", quality=98, subsampling="4:4:4")
    first, second = (read(file.getvalue()).pixels for file in files)
    assert np.array_equal(first, second)
