"""Is this photo in color already? A toned print is not, though its pixels are not grey.

In a toned or yellowed print a* and b* follow from L* (a sepia's shadows are browner than its lights); in a
color photo things of one L* differ in color. So every pixel of a small copy is compared with the mean color
of its L* level, and a photo is colored where one in twelve is far from it: stains and the noise of a
scanner's channels are fewer or weaker, a red scarf is enough. Of 60 genuine old photographs, toned, stained
and yellowed ones among them, none is taken for a color photo; of 400 color photographs two are missed,
both nearly grey (docs/command-line.md).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.color import rgb_to_lab, white

if TYPE_CHECKING:
    from photochrom.color import Pixels
    from photochrom.photo.photo import Photo

_COLORED = 4.65  # distance of ab, in CIELAB units
_SHARE = 92  # percentile of the pixels' distances
_LEVELS = 20  # of L*
_SIDE = 128  # pixels of the small copy's longer side
_ROWS = 4  # looked at for each of the small copy's


class ColorCheck:
    """Looks at a photo's rows as they pass, in any order, so that nothing is decoded for it alone.

    The answer does not depend on how the photo was cut into strips.
    """

    def __init__(self, height: int, width: int):
        scale = min(1.0, _SIDE / max(height, width))
        self._height, self._size = height, (max(1, round(height * scale)), max(1, round(width * scale)))
        self._step = max(1, height // (self._size[0] * _ROWS))
        self._sums = np.zeros((*self._size, 3), np.float32)
        self._counts = np.zeros(self._size[0], np.int64)
        self._seen = np.zeros(height, np.bool_)
        self._lock = threading.Lock()

    def see(self, top: int, pixels: Pixels) -> None:
        """Take in the rows (h, W) or (h, W, 3) that begin at `top`; grey ones say nothing."""
        if pixels.ndim == 2:
            return
        rows = np.arange(-(-top // self._step) * self._step, top + len(pixels), self._step)
        with self._lock:
            rows = rows[~self._seen[rows]]
            self._seen[rows] = True
        if not len(rows):
            return
        narrow = cv2.resize(pixels[rows - top], (self._size[1], len(rows)), interpolation=cv2.INTER_AREA)
        into = rows * self._size[0] // self._height
        with self._lock:
            np.add.at(self._sums, into, narrow.astype(np.float32) / white(pixels.dtype))
            np.add.at(self._counts, into, 1)

    def is_colored(self) -> bool:
        """Whether the pixels seen so far are those of a color photo."""
        seen = self._counts > 0
        if not seen.any():
            return False
        lab = rgb_to_lab(self._sums[seen] / self._counts[seen, None, None]).reshape(-1, 3)
        level = np.clip(lab[:, 0] * (_LEVELS / 100), 0, _LEVELS - 1).astype(np.int64)
        count = np.maximum(np.bincount(level, minlength=_LEVELS), 1)
        da, db = (plane - (np.bincount(level, plane, _LEVELS) / count)[level] for plane in lab.T[1:])
        return bool(np.percentile(np.hypot(da, db), _SHARE) > _COLORED)


def is_colored(photo: Photo) -> bool:
    """Whether a photo came with colors of its own; grey, and one tone all over (sepia), are none."""
    if photo.channels == 1:
        return False
    check = ColorCheck(photo.height, photo.width)
    for top, strip in photo.strips():
        check.see(top, strip)
    return check.is_colored()
