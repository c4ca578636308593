"""Y' and L*, a*, b* to Cb and Cr: checked against BT.601, BT.709, BT.2020 and swscale."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from photochrom.color import rgb_to_lab
from photochrom.video.muxing import decoding_times
from photochrom.video.planes import FULL, LIMITED, Layout, Signal, Tags, rescaled, view


def shown(y: np.ndarray, cb: np.ndarray, cr: np.ndarray, tags: Tags) -> np.ndarray:
    """sRGB of 8-bit planes, by swscale."""
    frame = VideoFrame(y.shape[1], y.shape[0], "yuv444p")
    for target, plane in zip(frame.planes, (y, cb, cr), strict=True):
        view(target, 8, *plane.shape)[...] = plane
    rgb = frame.reformat(
        format="rgb24", src_colorspace=tags.matrix, src_color_range=tags.range, dst_color_range=FULL
    )
    return rgb.to_ndarray()


@pytest.mark.parametrize("matrix", [1, 5, 6])
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_colors_are_shown_as_asked(matrix: int, color_range: int) -> None:
    tags = Tags(matrix, 1, 1, color_range)
    signal = Signal(tags, 8)
    y = np.full((16, 16), 128, np.uint8)
    encoded = signal.encoded(y, y.shape)
    for a, b in ((20, -15), (-25, 18), (0, 30), (12, 12)):
        cb, cr = signal.chroma(encoded, np.full_like(encoded, a), np.full_like(encoded, b))
        lab = rgb_to_lab(shown(y, cb, cr, tags)).mean((0, 1))
        assert np.hypot(lab[1] - a, lab[2] - b) < 2
        assert abs(lab[0] - signal.lightness(encoded).mean()) < 4  # Y' is what stays equal


@pytest.mark.parametrize("transfer", [1, 16, 18])
@pytest.mark.parametrize("depth", [8, 10, 12, 16])
def test_no_color_is_neutral_chroma_at_every_level(depth: int, transfer: int) -> None:
    signal = Signal(Tags(9, 9, transfer, LIMITED), depth)
    kind = np.uint16 if depth > 8 else np.uint8
    y = np.arange(0, 1 << depth, max(1, 1 << (depth - 8)), dtype=np.int64).astype(kind).reshape(16, 16)
    encoded = signal.encoded(y, y.shape)
    nothing = np.zeros_like(encoded)
    for plane in signal.chroma(encoded, nothing, nothing):
        assert plane.dtype == kind
        assert np.abs(plane.astype(int) - (1 << (depth - 1))).max() <= max(
            0, 1 << (depth - 12) if depth > 12 else 0
        )


@given(st.integers(0, 255), st.floats(-120, 120), st.floats(-120, 120))
def test_no_channel_leaves_its_range(level: int, a: float, b: float) -> None:
    tags = Tags(1, 1, 1, FULL)
    signal = Signal(tags, 16)
    y = np.full((4, 4), level * 257, np.uint16)
    encoded = signal.encoded(y, y.shape)
    cb, cr = signal.chroma(encoded, np.full_like(encoded, a), np.full_like(encoded, b))
    blue, red = ((float(plane[0, 0]) - 32768) / 65535 for plane in (cb, cr))
    luma = float(encoded[0, 0])
    r, bl = luma + 1.5748 * red, luma + 1.8556 * blue
    g = (luma - 0.2126 * r - 0.0722 * bl) / 0.7152
    assert min(r, g, bl) > -2e-3
    assert max(r, g, bl) < 1 + 2e-3


def test_grey_levels_are_those_of_photos() -> None:
    codes = np.arange(16, 236, dtype=np.uint8)[None]
    neutral = Signal(Tags(1, 1, 1, LIMITED), 8).neutral(codes)
    assert np.allclose(neutral, (codes - 16.0) / 219 * 65535, atol=1)
    assert np.array_equal(Signal(Tags(1, 1, 1, FULL), 8).neutral(codes), codes.astype(np.uint16) * 257)


def test_depths_are_changed_as_the_standards_say() -> None:
    plane = np.array([[16, 128, 235, 255]], np.uint8)
    assert rescaled(plane, 8, 10, LIMITED).tolist() == [[64, 512, 940, 1020]]
    assert rescaled(plane, 8, 10, FULL).tolist() == [[64, 514, 943, 1023]]
    assert rescaled(np.array([[941]], np.uint16), 10, 8, LIMITED).tolist() == [[235]]
    assert rescaled(plane, 8, 8, FULL) is plane


@pytest.mark.parametrize(
    ("depth", "wide", "tall", "name"),
    [(8, 1, 1, "yuv420p"), (10, 1, 0, "yuv422p10le"), (12, 0, 0, "yuv444p12le")],
)
def test_layouts_are_named_as_ffmpeg_does(depth: int, wide: int, tall: int, name: str) -> None:
    layout = Layout(depth, wide, tall)
    assert layout.name == name
    assert Layout.of(VideoFrame(33, 17, name)) == layout
    frame = VideoFrame(33, 17, name)
    assert layout.chroma_size(17, 33) == (frame.planes[1].height, frame.planes[1].width)


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=40, unique=True))
def test_packets_are_decoded_in_order_and_in_time(shown: list[int]) -> None:
    decoded = decoding_times(shown)
    assert len(decoded) == len(shown)
    assert all(before < after for before, after in pairwise(decoded))
    assert all(dts <= pts for dts, pts in zip(decoded, shown, strict=True))


@pytest.mark.parametrize("depth", [8, 10])
def test_chroma_keeps_the_code_of_the_frame_before_where_that_is_as_good(depth: int) -> None:
    signal, exact = Signal(Tags(1, 1, 1, LIMITED), depth), Signal(Tags(1, 1, 1, LIMITED), 16)
    y = np.full((8, 64), 110 << (depth - 8), np.uint8 if depth == 8 else np.uint16)
    encoded = signal.encoded(y, y.shape)
    b = np.tile(np.linspace(-6, 6, 64, dtype=np.float32), (8, 1))
    nothing = np.zeros_like(encoded)
    value = exact.chroma(encoded, nothing, b)[0] / 2.0 ** (16 - depth)
    rounded = signal.chroma(encoded, nothing, b)[0]
    assert np.abs(rounded - value).max() < 0.52
    for change in (-1, 1):
        before = (rounded.astype(int) + change).astype(rounded.dtype)
        kept = signal.chroma(encoded, nothing, b, (before, before))[0]
        near = np.abs(before - value) < 0.74
        assert 0.1 < near.mean() < 0.5
        assert np.array_equal(kept[near], before[near])
        far = np.abs(before - value) > 0.76
        assert np.array_equal(kept[far], rounded[far])
