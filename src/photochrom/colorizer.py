"""The engine: a photo is prepared once, then rendered for any hints and any vividness."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from photochrom.color import chunks, fit_gamut, lab_to_rgb, luminance, merge_into, neutralize, rgb_to_hex
from photochrom.errors import OptionError
from photochrom.kriging import Scene, krige, pin
from photochrom.models import DEFAULT, DEFAULT_VIVIDNESS, Card, load_network, readings
from photochrom.photo import Photo
from photochrom.photo.sources import rescale
from photochrom.raster import STRIDE
from photochrom.upsample import AreaReduction, Guide, guide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from photochrom.color import Float, Neutral, Pixels
    from photochrom.hints import Hint
    from photochrom.models import Answer, Network

    Draw = Callable[[Float], Float]

_KEPT = 4  # answers


def checked_vividness(vividness: float | None) -> float:
    """The vividness or its default. Raises OptionError outside 0..1."""
    if vividness is None:
        return DEFAULT_VIVIDNESS
    if isinstance(vividness, bool) or not isinstance(vividness, int | float) or not 0 <= vividness <= 1:
        raise OptionError(f"vividness must lie in 0..1, not {vividness!r}")
    return float(vividness)


class Colorizer:
    """A model ready to colour photographs. Thread-safe; one serves a whole program."""

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


class Plate:
    """A prepared photo, named after the negative from which colour prints were pulled. Thread-safe."""

    def __init__(self, network: Network, photo: Photo):
        self.network, self.photo = network, photo
        self.size = network.working_size(photo.height, photo.width)
        self._reduced: OrderedDict[tuple[int, int], Neutral] = OrderedDict()
        self._answers: OrderedDict[tuple[Hint, ...], Answer] = OrderedDict()
        self._lock = threading.Lock()
        self.luminance: Float = self._luminance_at(self.size)

    @property
    def card(self) -> Card:
        """The model's card."""
        return self.network.card

    def _luminance_at(self, size: tuple[int, int]) -> Float:
        """(h, w) L* of that size: averaged over areas, or enlarged where the photo is smaller."""
        plane = luminance(self._neutral(*size))
        if plane.shape != size:
            plane = cv2.resize(plane, size[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 100)
        return plane

    def _neutral(self, rows: int, columns: int) -> Neutral:
        """The neutral plane at most (rows, columns), as uint16; the last few sizes are kept."""
        photo = self.photo
        rows, columns = min(rows, photo.height), min(columns, photo.width)
        with self._lock:
            if (rows, columns) in self._reduced:
                return self._reduced[rows, columns]
        area = AreaReduction(photo.height, photo.width, rows, columns)
        parts = photo.map_strips(lambda top, strip: area.add(top, neutralize(strip)))
        plane = np.rint(area.collect(parts)).astype(np.uint16)
        with self._lock:
            self._reduced[rows, columns] = plane
            while len(self._reduced) > 3:
                self._reduced.popitem(last=False)
        return plane

    # --- the network's answer ------------------------------------------------------------------

    def answer(self, hints: Sequence[Hint] = ()) -> Answer:
        """What the network makes of the photo and hints. Raises HintError for too many hints."""
        wanted = tuple(hints)
        with self._lock:
            if wanted in self._answers:
                self._answers.move_to_end(wanted)
                return self._answers[wanted]
        network = self.network
        if wanted:
            found = network.answer(self.luminance, wanted, unhinted=self.answer())
        else:
            sizes = network.further_sizes(self.photo.height, self.photo.width)
            found = network.answer(self.luminance, further=[self._luminance_at(size) for size in sizes])
        with self._lock:
            self._answers[wanted] = found
            while len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        return found

    # --- readings ------------------------------------------------------------------------------

    def uncertainty(self, hints: Sequence[Hint] = ()) -> Float:
        """(h/4, w/4) float32 in 0..1: entropy of the distribution over its largest possible value."""
        return self.answer(hints).uncertainty()

    def suggest(self, x: float, y: float, k: int = 5, hints: Sequence[Hint] = ()) -> list[tuple[str, float]]:
        """The k likeliest colours of a place: [("#rrggbb", probability)], likeliest first.

        x, y: fractions of width and height. Raises OptionError outside 0..1.
        """
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise OptionError(f"the place must lie in 0..1 (fractions of the photo), not ({x}, {y})")
        answer = self.answer(hints)
        logits = answer.logits
        row, column = (min(n - 1, int(place * n)) for place, n in zip((y, x), logits.shape[1:], strict=True))
        p = readings.softmax(logits[:, row : row + 1, column : column + 1])[:, 0, 0]
        level = self.luminance[
            row * STRIDE : (row + 1) * STRIDE, column * STRIDE : (column + 1) * STRIDE
        ].mean()
        found = readings.modes(p, answer.bins, k)
        lab = fit_gamut(np.array([[level, *ab] for ab, _ in found], np.float64))
        return [(rgb_to_hex(rgb), share) for rgb, (_, share) in zip(lab_to_rgb(lab), found, strict=True)]

    # --- pictures ------------------------------------------------------------------------------

    def chroma(
        self, hints: Sequence[Hint] = (), vividness: float | None = None, *, draw: Draw | None = None
    ) -> Float:
        """(h, w, 2) float32: ab at the working size, as rendered."""
        return self._guide(tuple(hints), vividness, draw).rows(0, self.luminance, self.size[0])

    def _guide(self, hints: tuple[Hint, ...], vividness: float | None, draw: Draw | None) -> Guide:
        vividness = checked_vividness(vividness)
        automatic = self.answer().ab(vividness)
        ab = automatic
        if hints:
            ab = ab + _resized(self._change(hints, vividness, automatic), automatic.shape)
        ab = _resized(ab, self.size)
        if draw:
            ab = draw(ab)
        return pin(guide(ab, self.luminance), hints, self.luminance)

    def _change(self, hints: tuple[Hint, ...], vividness: float, automatic: Float) -> Float:
        """(h/4, w/4, 2): how hints change the automatic colours."""
        answer = self.answer(hints)
        cells = answer.cells.shape
        scene = Scene(answer.cells, _resized(automatic, cells), answer.unit_features)
        corrected = krige(_resized(answer.ab(vividness), cells), answer.deviation(), scene, answer.points)
        return corrected - scene.automatic

    def render(
        self, hints: Sequence[Hint] = (), vividness: float | None = None, *, draw: Draw | None = None
    ) -> Photo:
        """The coloured photo, full size, same depth, alpha and metadata; L* is the original's.

        Its pixels are computed strip by strip when they are asked for. vividness: 0..1; draw: a last
        change of ab (h, w, 2) at the working size, before hints are held and edges put back.
        Raises OptionError, HintError, UnsupportedReading.
        """
        colours = self._guide(tuple(hints), vividness, draw)
        return _coloured(self.photo, colours, self.photo.dtype)

    def preview(
        self,
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
        side: int = 1000,
        *,
        draw: Draw | None = None,
    ) -> Pixels:
        """(H, W, 3) uint8: the same picture with its longer side at most `side` px, fast."""
        return self.render_small(hints, vividness, side, draw=draw).pixels

    def render_small(
        self,
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
        side: int = 1000,
        *,
        draw: Draw | None = None,
    ) -> Photo:
        """`preview` as a photo with 8 bits, without metadata: its pixels are computed when it is written."""
        scale = min(1.0, side / max(self.photo.height, self.photo.width))
        rows, columns = (max(1, round(n * scale)) for n in (self.photo.height, self.photo.width))
        eight = np.dtype(np.uint8)
        small = Photo.from_array(rescale(self._neutral(rows, columns), eight))
        return _coloured(small, self._guide(tuple(hints), vividness, draw), eight)


def _resized(plane: Float, shape: tuple[int, ...]) -> Float:
    """(h, w, 2) at another resolution: means where that is lower, bilinear where it is higher."""
    if plane.shape[:2] == shape[:2]:
        return plane
    how = cv2.INTER_AREA if plane.shape[0] > shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, shape[1::-1], interpolation=how), np.float32)


def _coloured(photo: Photo, colours: Guide, dtype: np.dtype[Any]) -> Photo:
    def coloured(top: int, bottom: int) -> Pixels:
        return _colour(neutralize(photo.rows(top, bottom)), colours, top, photo.height, dtype)

    return photo.with_pixels(coloured, dtype=dtype, chroma=colours.planes)


def _colour(neutral: Neutral, colours: Guide, top: int, height: int, dtype: np.dtype[Any]) -> Pixels:
    """Rows top.. of a photo of `height` rows in colour, a cacheful of pixels at a time."""
    out: Pixels = np.empty((*neutral.shape, 3), dtype)
    for part in chunks(*neutral.shape):
        chunk = neutral[part]
        a, b = colours.planes(top + part.start, luminance(chunk), height)
        merge_into(out[part], chunk, a, b)
    return out


__all__ = ["DEFAULT_VIVIDNESS", "Colorizer", "Plate", "checked_vividness"]
