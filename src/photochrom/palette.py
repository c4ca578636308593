"""A palette: a few colors to keep to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.color import chroma_of, hex_to_rgb, hue_of, lab_to_rgb, rgb_to_hex, rgb_to_lab
from photochrom.downsample import working_lab
from photochrom.errors import GuidanceError, OptionError
from photochrom.photo import is_picture_name, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from photochrom.color import Float
    from photochrom.photo import Photo

GREY = 6.0  # C* below which a color has no hue to speak of
_TOGETHER = 4.0  # degrees: hues closer than this count as one
_SIDE = 128  # px at which a picture's main colors are sought


@dataclass(frozen=True)
class Palette:
    """Colors to keep to, as "#rrggbb". Raises GuidanceError for none, for only greys, for no color."""

    colors: tuple[str, ...]

    def __post_init__(self) -> None:
        try:
            written = tuple(dict.fromkeys(rgb_to_hex(hex_to_rgb(color)) for color in self.colors))
        except OptionError as error:
            raise GuidanceError(f"the palette cannot be used: {error}") from None
        if not written:
            raise GuidanceError(
                "the palette is empty: give colors such as '#7a2e1d,#3b5998', or a picture with them"
            )
        object.__setattr__(self, "colors", written)
        if not len(self.hues):
            raise GuidanceError(
                "the palette holds only greys, which have no hue to keep to: give at least one color"
            )

    @classmethod
    def parse(cls, text: str) -> Palette:
        """A palette of "#rrggbb, #rrggbb, …", or the colors of the picture with that path.

        Raises GuidanceError for a word that is neither, PhotoError for a picture that cannot be read.
        """
        if isinstance(text, str) and (is_picture_name(text) or Path(text).is_file()):
            return cls.of_photo(read(text))
        words = text.replace(",", " ").split() if isinstance(text, str) else []
        return cls(tuple(word if word.startswith("#") else _as_color(word) for word in words))

    @classmethod
    def of_photo(cls, photo: Photo, count: int = 6) -> Palette:
        """The main colors of a picture, at most `count`. Raises GuidanceError for a grey picture."""
        lab = working_lab(photo, _fitting(photo, _SIDE))
        ab = np.ascontiguousarray(lab[..., 1:].reshape(-1, 2))
        colored = chroma_of(ab) > GREY
        if colored.sum() < 16:
            named = f"the picture {photo.path}" if photo.path else "the picture"
            raise GuidanceError(f"{named} has no colors for a palette: choose a color picture")
        points = np.column_stack([0.5 * lab[..., 0].reshape(-1), ab])[colored].astype(np.float32)
        return cls(tuple(_main_colors(points, count)))

    @property
    def lab(self) -> Float:
        """(n, 3) CIELAB of the colors."""
        return rgb_to_lab(np.stack([hex_to_rgb(color) for color in self.colors]))

    @property
    def hues(self) -> Float:
        """The distinct hue angles in degrees, ascending; greys have none."""
        ab = self.lab[:, 1:]
        kept: list[float] = []
        for angle in np.sort(hue_of(ab[chroma_of(ab) > GREY])).tolist():
            if not kept or angle - kept[-1] >= _TOGETHER:
                kept.append(angle)
        return np.array(kept, np.float32)

    @property
    def has_grey(self) -> bool:
        """Whether one of the colors is a grey."""
        return bool((chroma_of(self.lab[:, 1:]) <= GREY).any())


def _as_color(word: str) -> str:
    """The word with the # that was left out, if it is a color."""
    try:
        return rgb_to_hex(hex_to_rgb(f"#{word}"))
    except OptionError:
        raise GuidanceError(
            f'{word!r} is neither a color nor a picture: write colors as "#rrggbb", for example "#6a8fbf"'
        ) from None


def _fitting(photo: Photo, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(photo.height, photo.width))
    return max(1, round(photo.height * scale)), max(1, round(photo.width * scale))


def _main_colors(points: Float, count: int) -> Iterable[str]:
    """Cluster centers of (L*/2, a*, b*), the largest first; clusters under 2 % are passed over."""
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.5)
    count = min(count, len(points))
    _, labels, centers = cv2.kmeans(points, count, cast("Any", None), stop, 3, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(labels.ravel(), minlength=count) / len(points)
    order = [number for number in np.argsort(-shares) if shares[number] > 0.02]
    colored = [n for n in order if np.hypot(*centers[n, 1:]) > GREY] or list(order[:1])
    return [rgb_to_hex(lab_to_rgb(centers[n : n + 1] * np.array((2, 1, 1)))[0]) for n in colored]
