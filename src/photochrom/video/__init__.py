"""Films: believable color that stays the same from frame to frame.

    colorize("in.mp4", "out.mp4")                colored pictures; sound, subtitles and the rest are copied
    for seconds, rgb in frames("in.mp4"): ...    the colored frames for a program

Needs the extra [video].
"""

from __future__ import annotations

from photochrom.errors import MissingExtra

try:
    import av  # noqa: F401
except ModuleNotFoundError as error:
    raise MissingExtra("coloring films", "video") from error

from photochrom.video.film import Progress, Report, colorize, frames

__all__ = ["Progress", "Report", "colorize", "frames"]
