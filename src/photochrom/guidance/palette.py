"""Keep to a palette: its colours as hints where the network would have allowed them, hues drawn to it.

Hints alone cannot keep a whole photo to a few hues (between two hints the network answers as it sees
fit), so a palette is two things: hints, and a last step at the working size that turns each place's hue
toward the nearest of the palette's and leaves its luminance alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.color import hex_to_rgb, lab_to_rgb, rgb_to_hex, rgb_to_lab
from photochrom.errors import GuidanceError, OptionError, UnsupportedReading
from photochrom.guidance.colours import chroma_of, hue_of, placed_in_cells, working_lab
from photochrom.photo import is_picture_name, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from photochrom.color import Float
    from photochrom.colorizer import Plate
    from photochrom.hints import Hint
    from photochrom.photo import Photo

GREY = 6.0  # C* below which a colour has no hue to speak of
SLACK = 8.0  # degrees of hue that a colour may keep to either side of the palette's
_TOGETHER = 4.0  # degrees: hues closer than this count as one
_EACH = 3  # hints a palette colour
_APART = 0.18  # of the short side, between hints
_ALLOWED = 0.4  # of the likelihood of the likeliest colour, from which a colour is allowed
_THINGS = 11  # cells over which the palette's colours compete: about the size of things
_CLEARLY = 1.25  # times as likely as the palette's other colours, for a hint
_WIDTH = 15.0  # ab: how far from a colour its likelihood is gathered
_WEIGHT = 0.15


@dataclass(frozen=True)
class Palette:
    """Colours to keep to, as "#rrggbb". Raises GuidanceError for none, for only greys, for no colour."""

    colors: tuple[str, ...]

    def __post_init__(self) -> None:
        try:
            written = tuple(dict.fromkeys(rgb_to_hex(hex_to_rgb(color)) for color in self.colors))
        except OptionError as error:
            raise GuidanceError(f"the palette cannot be used: {error}") from None
        if not written:
            raise GuidanceError(
                "the palette is empty: give colours such as '#7a2e1d,#3b5998', or a picture with them"
            )
        object.__setattr__(self, "colors", written)
        if not len(self.hues):
            raise GuidanceError(
                "the palette holds only greys, which draw the photo nowhere: give at least one colour"
            )

    @classmethod
    def parse(cls, text: str) -> Palette:
        """A palette of "#rrggbb, #rrggbb, …", or the colours of the picture with that path.

        Raises GuidanceError for a word that is neither, PhotoError for a picture that cannot be read.
        """
        if isinstance(text, str) and (is_picture_name(text) or Path(text).is_file()):
            return cls.of_photo(read(text))
        words = text.replace(",", " ").split() if isinstance(text, str) else []
        return cls(tuple(word if word.startswith("#") else _as_color(word) for word in words))

    @classmethod
    def of_photo(cls, photo: Photo, count: int = 6) -> Palette:
        """The main colours of a picture, at most `count`. Raises GuidanceError for a grey picture."""
        lab = working_lab(photo, _fitting(photo, 128))
        ab = np.ascontiguousarray(lab[..., 1:].reshape(-1, 2))
        coloured = chroma_of(ab) > GREY
        if coloured.sum() < 16:
            msg = f"the picture {photo.path or ''} has no colours for a palette: choose a colour picture"
            raise GuidanceError(msg.replace("  ", " "))
        points = np.column_stack([0.5 * lab[..., 0].reshape(-1), ab])[coloured].astype(np.float32)
        return cls(tuple(_main_colors(points, count)))

    @property
    def lab(self) -> Float:
        """(n, 3) CIELAB of the colours."""
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
        """Whether one of the colours is a grey."""
        return bool((chroma_of(self.lab[:, 1:]) <= GREY).any())


def _as_color(word: str) -> str:
    """The word with the # that was left out, if it is a colour."""
    try:
        return rgb_to_hex(hex_to_rgb(f"#{word}"))
    except OptionError:
        raise GuidanceError(
            f'{word!r} is neither a colour nor a picture: write colours as "#rrggbb", for example "#6a8fbf"'
        ) from None


def _fitting(photo: Photo, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(photo.height, photo.width))
    return max(1, round(photo.height * scale)), max(1, round(photo.width * scale))


def _main_colors(points: Float, count: int) -> Iterable[str]:
    """Cluster centres of (L*/2, a*, b*), the largest first; clusters under 2 % are passed over."""
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.5)
    count = min(count, len(points))
    _, labels, centres = cv2.kmeans(points, count, cast("Any", None), stop, 3, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(labels.ravel(), minlength=count) / len(points)
    order = [number for number in np.argsort(-shares) if shares[number] > 0.02]
    coloured = [n for n in order if np.hypot(*centres[n, 1:]) > GREY] or list(order[:1])
    return [rgb_to_hex(lab_to_rgb(centres[n : n + 1] * np.array((2, 1, 1)))[0]) for n in coloured]


# --- hints -------------------------------------------------------------------------------------


def palette_hints(plate: Plate, palette: Palette, hints: Sequence[Hint] = ()) -> list[Hint]:
    """Hints with the palette's colours where the distribution (given hints) already allows them.

    A model without a distribution gives none: its hues are turned to the palette's all the same.
    """
    try:
        probability, bins = plate.answer(hints).distribution
    except UnsupportedReading:
        return []
    colours = palette.lab[:, 1:]
    colours = colours[chroma_of(colours) > GREY]
    near = _nearness(colours, bins)
    gathered: Float = np.tensordot(near, probability, axes=1)  # (n, h, w)
    allowed = gathered / _likeliest(probability, bins)
    wide = np.stack([cv2.blur(plane, (_THINGS, _THINGS)) for plane in allowed])
    places: list[tuple[int, int]] = []
    asked: list[Float] = []
    for number, ab in enumerate(colours):
        others = np.delete(wide, number, axis=0).max(0, initial=0)
        clear = (allowed[number] > _ALLOWED) & (wide[number] > _CLEARLY * others)
        score = np.where(clear, allowed[number], 0)
        for y, x in _peaks(score):
            meant = near[number] * probability[:, y, x] @ bins / gathered[number, y, x]
            places.append((y, x))
            asked.append(ab / chroma_of(ab) * chroma_of(meant))
    cells, ab = np.array(places).reshape(-1, 2), np.array(asked).reshape(-1, 2)
    return placed_in_cells(plate, cells, ab, _WEIGHT)


def _nearness(colours: Float, bins: Float) -> Float:
    """(n, Q) 0..1: how much each bin counts as that colour."""
    squared = ((bins[None] - colours[:, None]) ** 2).sum(-1)
    return cast("Float", np.exp(-squared / (2 * _WIDTH**2)).astype(np.float32))


def _likeliest(probability: Float, bins: Float) -> Float:
    """(h, w): the likelihood of the likeliest colour of each place, gathered in the same way."""
    near = [_nearness(part, bins) for part in np.array_split(bins, 8)]
    highest = [np.tensordot(part, probability, axes=1).max(0) for part in near]
    return cast("Float", np.maximum.reduce(highest) + np.float32(1e-9))


def _peaks(score: Float) -> list[tuple[int, int]]:
    """Up to _EACH cells with the highest smoothed score, well apart."""
    left = cv2.blur(score.astype(np.float32), (5, 5)) * (score > 0)
    gap = max(2, round(_APART * min(left.shape)))
    found: list[tuple[int, int]] = []
    while len(found) < _EACH and left.max() > 0:
        y, x = divmod(int(left.argmax()), left.shape[1])
        found.append((y, x))
        left[max(0, y - gap) : y + gap + 1, max(0, x - gap) : x + gap + 1] = 0
    return found


# --- hues --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PaletteDraw:
    """Turns hues toward a palette's: ab (h, w, 2) -> ab, a pure function; luminance is untouched.

    `strength` (h, w) 0..1 is less than 1 where something else has the say (a person's hints, a reference).
    """

    palette: Palette
    strength: Float | None = None

    def __call__(self, ab: Float) -> Float:
        """ab with the same chroma and drawn hues; far from every hue, chroma gives way a little."""
        chroma, hue = chroma_of(ab), hue_of(ab)
        hues = self.palette.hues
        turns = (hues[:, None, None] - hue[None] + 180) % 360 - 180
        nearest = np.abs(turns).argmin(0)
        turn = np.take_along_axis(turns, nearest[None], 0)[0]
        keep = np.clip(-turn, -SLACK, SLACK)
        least = 0.3 if self.palette.has_grey else 0.75
        chroma = chroma * (1 - (1 - least) * np.clip((np.abs(turn) - 30) / 90, 0, 1))
        angle = np.radians(hue + turn + keep)
        drawn = np.stack([chroma * np.cos(angle), chroma * np.sin(angle)], -1).astype(np.float32)
        if self.strength is None:
            return drawn
        return ab + self.strength[..., None] * (drawn - ab)


__all__ = ["GREY", "SLACK", "Palette", "PaletteDraw", "palette_hints"]
