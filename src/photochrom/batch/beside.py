"""The original and the colored photo beside each other, as one picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from photochrom.photo.sources import RowSource, as_rgb

if TYPE_CHECKING:
    from photochrom.color import Pixels
    from photochrom.photo import Photo


def side_by_side(original: Photo, colored: Photo) -> Photo:
    """Two photos of one size, left and right, as RGB, with the right one's metadata."""

    def rows(top: int, bottom: int) -> Pixels:
        joined: Pixels = np.concatenate(
            [as_rgb(original.rows(top, bottom)), colored.rows(top, bottom)], axis=1
        )
        return joined

    width = original.width + colored.width
    return replace(colored, source=RowSource(colored.height, width, 3, colored.dtype, rows))
