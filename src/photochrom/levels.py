"""The tones that the network sees: a faded print's are stretched over the range of a fresh one.

Only what the network is shown changes; the picture keeps the luminance of the photo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from photochrom.color import Float

# Chosen on validation (docs/model-development.md): clean photos, whose tones reach farther, lose nothing.
_ENDS = (8.0, 92.0)  # L* that the darkest and the lightest tones reach at least
_TAILS = (0.5, 99.5)  # percent: tones beyond are scratches and dust
_FLAT = (5.0, 20.0)  # L* between the ends: below, a plain surface, left as it is; above, a photo


def stretch_contrast(luminance: Float) -> Float:
    """L* (h, w) 0..100 with its contrast raised where that is low: the same array where it is not."""
    dark, light = (float(value) for value in np.percentile(luminance, _TAILS))
    low, high = min(dark, _ENDS[0]), max(light, _ENDS[1])
    share = min(1.0, (light - dark - _FLAT[0]) / (_FLAT[1] - _FLAT[0]))
    if share <= 0 or (dark, light) == (low, high):
        return luminance
    raised = (luminance - dark) * ((high - low) / (light - dark)) + low
    mixed: Float = (luminance + share * (raised - luminance)).clip(0, 100).astype(np.float32)
    return mixed
