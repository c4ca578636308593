"""A hint's neighbors: predictors whose hints move one place, or all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from photochrom.color import merge
from photochrom.evaluation.neighbors import _OUTLINES, _photograph, neighbors
from photochrom.evaluation.photos import Sample, to_bytes


@dataclass
class Painted:
    """Grey; a hint adds ab (8, 6) to the mask of the thing that it lies on, or everywhere."""

    everywhere: bool
    name: str = "painted"
    supports_hints: bool = True
    is_model: bool = True

    def prepare(self, sample: Sample) -> Any:
        self.grey, self.masks = sample.grey, _photograph(sample.key)[1]
        return self

    def render(self, hints: Any = ()) -> np.ndarray:
        ab = np.zeros((*self.grey.shape, 2), np.float32)
        for hint in hints:
            row, column = int(hint.y * 256), int(hint.x * 256)
            [mask] = [mask for mask in self.masks.values() if mask[row, column]]
            ab[... if self.everywhere else mask] = (8, 6)
        return to_bytes(merge(self.grey, ab))


def test_a_hint_that_keeps_to_its_thing_moves_no_neighbor() -> None:
    for found in neighbors(Painted(everywhere=False)):
        if found.thing != "helmet":  # so dark that sRGB cannot show the color
            assert found.own == pytest.approx(10, abs=1), found
        assert found.others == 0, found


def test_a_hint_that_tints_everything_moves_them_as_far() -> None:
    for found in neighbors(Painted(everywhere=True)):
        assert 8 < found.others < 10.5, found


def test_masks_do_not_overlap_and_hold_one_color_each() -> None:
    for photo in _OUTLINES:
        _, masks = _photograph(photo)
        assert sum(mask.astype(int) for mask in masks.values()).max() == 1, photo
        for thing, mask in masks.items():
            x, y = _OUTLINES[photo][thing]["at"]
            assert mask[y // 2, x // 2], f"the hint is on its thing: {thing}"
            assert mask.sum() > 100, f"{photo}, {thing}"
    sample, masks = _photograph("astronaut")
    means = {thing: sample.truth[mask].mean(axis=0) for thing, mask in masks.items()}
    assert means["suit"][0] > means["suit"][2] + 100  # orange
    assert means["stripe of the flag"][0] > means["stripe of the flag"][1] + 60
    assert np.ptp(means["wall"]) < 30
    assert means["helmet"].max() < 60
