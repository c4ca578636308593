"""A batch's hints, drawn where the network trains, against what a photo's own are drawn with."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.color import AB_SCALE
from photochrom.raster import Points, cell_means, spread
from photochrom.training import hint_planes
from photochrom.training.loader import collate
from photochrom.training.samples import HintConfig, HintedConfig, make_sample
from photochrom.training.tasks import inputs_of

SIZE = 64
MANY = HintConfig(none=0.2, one=0.2, geometric=0.3, many=(20, 60))


def batch_of(seed: int, count: int = 4) -> list[torch.Tensor]:
    config = HintedConfig(size=SIZE, hints=MANY)
    draw = np.random.default_rng(seed)
    photos = draw.integers(0, 256, (count, 70, 90, 3), dtype=np.uint8)
    return collate([make_sample(photo, config, draw) for photo in photos])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_batch_is_drawn_as_its_photos_would_be(seed: int) -> None:
    batch = batch_of(seed)
    _, hints, spreads = inputs_of(batch)
    for number, (plane, rows) in enumerate(zip(batch[0].numpy(), batch[1].numpy(), strict=True)):
        rows = rows[rows[:, 2] > rows[:, 0]]
        drawn = np.zeros((3, SIZE, SIZE), np.float32)
        for top, left, bottom, right, _, a, b in rows:
            value = np.array([a / AB_SCALE, b / AB_SCALE, 1.0])
            drawn[:, int(top) : int(bottom), int(left) : int(right)] = value[:, None, None]
        np.testing.assert_allclose(hints[number].numpy(), drawn, atol=1e-6)
        middles = (rows[:, :2] + rows[:, 2:4]) / 8
        points = Points(middles, rows[:, 4], rows[:, 5:], *np.ones((2, len(rows)), np.float32))
        expected = spread(cell_means(plane[0]), points)
        np.testing.assert_allclose(spreads[number].numpy(), expected, atol=2e-4)


def test_photos_without_hints_get_none() -> None:
    config = HintedConfig(size=SIZE, hints=HintConfig(none=1.0, recolored=0.0))
    photo = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    _, hints, spreads = inputs_of(collate([make_sample(photo, config, np.random.default_rng(1))] * 2))
    assert hints.shape == (2, 3, SIZE, SIZE)
    assert spreads.shape == (2, 9, SIZE // 4, SIZE // 4)
    assert not hints.any()
    assert not spreads.any()


def test_rows_that_fill_up_a_batch_are_no_hints() -> None:
    marks = torch.tensor([[[8.0, 8, 12, 12, 50, 40, 20]]])
    filled = torch.cat([marks, torch.zeros(1, 3, 7)], 1)
    plane = torch.full((1, 1, SIZE, SIZE), 50.0)
    torch.testing.assert_close(hint_planes.spread(filled, plane), hint_planes.spread(marks, plane))
