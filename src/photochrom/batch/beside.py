"""The original and the coloured photo beside each other, as one picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from photochrom.batch.layer import as_rgb

if TYPE_CHECKING:
    from photochrom.color import Pixels
    from photochrom.photo import Photo


class Beside:
    """Two photos of one height, left and right, as RGB."""

    has_alpha = False
    channels = 3

    def __init__(self, left: Photo, right: Photo):
        self._left, self._right = left, right
        self.height, self.width, self.dtype = left.height, left.width + right.width, right.dtype

    def rows(self, top: int, bottom: int) -> Pixels:
        """(h, W, 3)"""
        left = as_rgb(self._left.rows(top, bottom))
        joined: Pixels = np.concatenate([left, self._right.rows(top, bottom)], axis=1)
        return joined

    def alpha_rows(self, top: int, bottom: int) -> Pixels:
        """Never asked for: there is no alpha."""
        raise NotImplementedError


def side_by_side(original: Photo, coloured: Photo) -> Photo:
    """The original and the coloured photo beside each other, with the coloured one's metadata."""
    return replace(coloured, source=Beside(original, coloured))
