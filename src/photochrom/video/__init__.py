"""Films: believable color that stays the same from frame to frame.

    colorize("in.mp4", "out.mp4")                colored pictures; sound, subtitles and the rest are copied
    for seconds, rgb in frames("in.mp4"): ...    the colored frames for a program
    export_keyframes("in.mp4", "keys")           a frame of each scene, to be colored by hand
    colorize("in.mp4", "out.mp4", pictures=read_pictures(Path("keys")))    the film, going by them

Needs the extra [video].
"""

from __future__ import annotations

from photochrom.errors import MissingExtra

try:
    import av  # noqa: F401
except ModuleNotFoundError as error:
    raise MissingExtra("coloring films", "video") from error

from photochrom.video.film import Progress, Report, colorize, export_keyframes, frames
from photochrom.video.keyframes import read_hints, read_pictures

__all__ = ["Progress", "Report", "colorize", "export_keyframes", "frames", "read_hints", "read_pictures"]
