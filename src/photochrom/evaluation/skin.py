"""Is a face colored as a whole? Chroma of skin, on photos of close faces.

A half-grey face is what people notice first in a colored portrait: an orange patch on nose and cheeks with
grey forehead, ears and neck. There the lowest chroma of the skin is far below its median.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from photochrom.errors import MissingExtra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.evaluation.metrics import RGB

# center x, y and radii of a face that fills a photo, as shares of its sides
CLOSE_FACE = (0.5, 0.55, 0.33, 0.42)
_SKIN_TONES = (30.0, 90.0)  # percentiles of L*: hair, eyes and mouth are darker, reflections lighter
_LEAST_FACE = 0.15  # of the short side: smaller boxes are details that look like faces


class Skin(NamedTuple):
    """Chroma of one face's skin, in Lab units."""

    lowest: float  # 10th percentile
    median: float

    @property
    def evenness(self) -> float:
        """Lowest over median, 0 (half grey) to 1 (all of one chroma)."""
        return self.lowest / self.median if self.median > 0 else 0.0


def skin(ab: NDArray[np.float32], mask: NDArray[np.bool_]) -> Skin:
    """Chroma of ab (H, W, 2) under a `skin_mask` (H, W)."""
    lowest, median = np.percentile(np.hypot(*ab[mask].T), [10, 50])
    return Skin(float(lowest), float(median))


def skin_mask(
    lightness: NDArray[np.float32], ellipse: tuple[float, float, float, float] = CLOSE_FACE
) -> NDArray[np.bool_]:
    """(H, W): the skin of the face in an ellipse (center x, y, radii, as shares of width and height).

    lightness: the truth's L* (H, W), so that all pictures of a photo are measured at the same places.
    """
    height, width = lightness.shape
    x, y, across, down = ellipse
    rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    inside = ((columns - x) / across) ** 2 + ((rows[:, None] - y) / down) ** 2 <= 1
    low, high = np.percentile(lightness[inside], _SKIN_TONES)
    return np.asarray(inside & (lightness >= low) & (lightness <= high))


def find_face(truth: RGB) -> tuple[float, float, float, float] | None:
    """The ellipse inscribed in the largest box of scikit-image's frontal-face cascade; None without one.

    Raises MissingExtra without scikit-image.
    """
    height, width = truth.shape[:2]
    short = min(height, width)
    boxes = _cascade().detect_multi_scale(
        img=truth,
        scale_factor=1.2,
        step_ratio=1,
        min_size=(round(short * _LEAST_FACE),) * 2,
        max_size=(short, short),
    )
    if not boxes:
        return None
    box = max(boxes, key=lambda found: int(found["width"]))
    across, down = box["width"] / 2, box["height"] / 2
    return ((box["c"] + across) / width, (box["r"] + down) / height, across / width, down / height)


@cache
def _cascade() -> Any:
    try:
        from skimage.data import lbp_frontal_face_cascade_filename
        from skimage.feature import Cascade
    except ModuleNotFoundError:
        raise MissingExtra("finding faces", "eval") from None
    return Cascade(lbp_frontal_face_cascade_filename())
