"""The engine: a photo is prepared once, then rendered for any hints, any vividness, any look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.color import fit_gamut, lab_to_rgb, luminance, merge_into, neutralize, rgb_to_hex, row_slices
from photochrom.errors import OptionError
from photochrom.guidance import guidance_of, proposals
from photochrom.look import Look
from photochrom.models import DEFAULT, Card, load_network, readings
from photochrom.photo import Photo
from photochrom.photo.sources import rescale
from photochrom.prepared import PreparedPhoto
from photochrom.raster import STRIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from photochrom.color import Float, Neutral, Pixels
    from photochrom.hints import Hint
    from photochrom.models import Network
    from photochrom.upsample import GuidedFilter


class Colorizer:
    """A model ready to color photographs. Thread-safe; one serves a whole program."""

    def __init__(
        self,
        model: str | Path = DEFAULT,
        *,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
    ):
        """model: a shipped name, a training run's folder, or an .onnx file; threads: all by default;
        providers: ONNX Runtime execution providers, CPU by default.

        Raises UnknownModel, ModelError, OptionError.
        """
        self.network: Network = load_network(model, threads=threads, providers=providers)

    @property
    def model(self) -> Card:
        """The model's card."""
        return self.network.card

    def prepare(self, photo: Photo | Any) -> Plate:
        """Make a photo ready: its luminance at the working size. Also takes an array or a PIL image.

        Raises OptionError for an array that is no picture, DamagedPhoto where decoding fails late.
        """
        return Plate(self.network, photo if isinstance(photo, Photo) else Photo.from_array(photo))


class Plate(PreparedPhoto):
    """A prepared photo, named after the negative from which color prints were pulled. Thread-safe."""

    def color(self, look: Look) -> ColoredPlate:
        """The photo as a look wants it. Raises GuidanceError, HintError, OptionError, PhotoError."""
        hints, redraw = guidance_of(self, look)
        return ColoredPlate(self, look, tuple(hints), redraw)

    def _hinted(self, hints: Sequence[Hint], vividness: float | None = None) -> ColoredPlate:
        return ColoredPlate(self, Look(tuple(hints), vividness), tuple(hints))

    def render(self, hints: Sequence[Hint] = (), vividness: float | None = None) -> Photo:
        """The colored photo, full size, same depth, alpha and metadata; L* is the original's.

        Its pixels are computed strip by strip when they are asked for. vividness: 0..1.
        Raises OptionError, HintError.
        """
        return self._hinted(hints, vividness).photo()

    def preview(self, hints: Sequence[Hint] = (), vividness: float | None = None, side: int = 1000) -> Pixels:
        """(H, W, 3) uint8: the same picture with its longer side at most `side` px, fast."""
        return self._hinted(hints, vividness).preview(side)

    def suggest(self, x: float, y: float, k: int = 5, hints: Sequence[Hint] = ()) -> list[tuple[str, float]]:
        """The k likeliest colors of a place: [("#rrggbb", probability)], likeliest first.

        x, y: fractions of width and height. Raises OptionError outside 0..1, UnsupportedReading.
        """
        return self._hinted(hints).suggest(x, y, k)

    def uncertainty(self, hints: Sequence[Hint] = ()) -> Float:
        """(h/4, w/4) float32 in 0..1: entropy of the distribution over its largest possible value.

        Raises UnsupportedReading for a model without a distribution.
        """
        return self._hinted(hints).uncertainty()


@dataclass(frozen=True, eq=False)
class ColoredPlate:
    """What a look comes to on a prepared photo. Immutable; its colors are computed when first asked for."""

    plate: Plate
    look: Look
    hints: tuple[Hint, ...]  # the look's own, which come last, and those that guidance added
    redraw: Callable[[Float], Float] | None = None

    @cached_property
    def _colors(self) -> GuidedFilter:
        return self.plate.colors(self.hints, self.look.vividness, self.redraw)

    @cached_property
    def chroma(self) -> Float:
        """(h, w, 2) float32: ab at the working size, as rendered."""
        return self._colors.rows(0, self.plate.luminance, self.plate.size[0])

    def photo(self) -> Photo:
        """The colored photo, full size, as `Plate.render`."""
        return _colored(self.plate.photo, self._colors, self.plate.photo.dtype)

    def preview(self, side: int = 1000) -> Pixels:
        """(H, W, 3) uint8: the picture with its longer side at most `side` px."""
        return self.small_photo(side).pixels

    def small_photo(self, side: int = 1000) -> Photo:
        """`preview` as a photo with 8 bits, without metadata: its pixels are computed when it is written."""
        height, width = self.plate.photo.height, self.plate.photo.width
        scale = min(1.0, side / max(height, width))
        rows, columns = (max(1, round(n * scale)) for n in (height, width))
        eight = np.dtype(np.uint8)
        small = Photo.from_array(rescale(self.plate.neutral(rows, columns), eight))
        return _colored(small, self._colors, eight)

    def uncertainty(self) -> Float:
        """(h/4, w/4) float32 in 0..1, as `Plate.uncertainty`."""
        return self.plate.answer(self.hints).uncertainty()

    def suggest(self, x: float, y: float, k: int = 5) -> list[tuple[str, float]]:
        """The k likeliest colors of a place, as `Plate.suggest`."""
        answer = self.plate.answer(self.hints)
        row, column = _at(x, y, answer.logits.shape[1:])
        p = readings.softmax(answer.logits[:, row : row + 1, column : column + 1])[:, 0, 0]
        cell = np.s_[row * STRIDE : (row + 1) * STRIDE, column * STRIDE : (column + 1) * STRIDE]
        level = float(self.plate.luminance[cell].mean())
        found = readings.modes(p, answer.bins, k)
        return [(_hex(level, ab), share) for ab, share in found]

    def color_at(self, x: float, y: float) -> str:
        """The "#rrggbb" that a place has now: a hint with it is a pin. Raises OptionError outside 0..1."""
        row, column = _at(x, y, self.plate.size)
        return _hex(float(self.plate.luminance[row, column]), self.chroma[row, column])

    def proposals(self) -> list[ColoredPlate]:
        """As many other ideas as the look asks for, going on from it: its hints have the last word.

        Raises UnsupportedReading for a model without a distribution.
        """
        if not self.look.proposals:
            return []
        found = proposals(self.plate, self.look.proposals, self.look.seed, self.hints)
        return [replace(self, hints=tuple(hints)) for hints in found]


def _at(x: float, y: float, shape: tuple[int, ...]) -> tuple[int, int]:
    """The row and column of a place in fractions."""
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise OptionError(f"the place must lie in 0..1 (fractions of the photo), not ({x}, {y})")
    return min(shape[0] - 1, int(y * shape[0])), min(shape[1] - 1, int(x * shape[1]))


def _hex(level: float, ab: Float) -> str:
    return rgb_to_hex(lab_to_rgb(fit_gamut(np.array([[level, *ab]], np.float64)))[0])


def _colored(photo: Photo, colors: GuidedFilter, dtype: np.dtype[Any]) -> Photo:
    def rows(top: int, bottom: int) -> Pixels:
        return _merged(neutralize(photo.rows(top, bottom)), colors, top, photo.height, dtype)

    return photo.with_pixels(rows, dtype=dtype, chroma=colors)


def _merged(neutral: Neutral, colors: GuidedFilter, top: int, height: int, dtype: np.dtype[Any]) -> Pixels:
    """Rows top.. of a photo of `height` rows in color, a cacheful of pixels at a time."""
    out: Pixels = np.empty((*neutral.shape, 3), dtype)
    for part in row_slices(*neutral.shape):
        chunk = neutral[part]
        a, b = colors.planes(top + part.start, luminance(chunk), height)
        merge_into(out[part], chunk, a, b)
    return out
