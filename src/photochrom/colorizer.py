"""The engine: a photo is prepared once, then rendered for any hints and any vividness."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from photochrom.color import chunks, fit_gamut, lab_to_rgb, luminance, merge_into, neutralize, rgb_to_hex
from photochrom.errors import HintError, OptionError, UnsupportedReading
from photochrom.hints import MAX_HINTS, STRIDE, Hint, Raster, cell_means, evidence, rasterize, spread
from photochrom.levels import even
from photochrom.models import DEFAULT, Card, load, readings
from photochrom.photo import Photo
from photochrom.photo.sources import rescale
from photochrom.residual import Scene, hold, obey
from photochrom.upsample import AreaReduction, Guide, guide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from photochrom.color import Float, Neutral, Pixels
    from photochrom.models import Session

    Draw = Callable[[Float], Float]

DEFAULT_VIVIDNESS = 0.35  # chosen on validation (docs/model-development.md)


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
        self.session: Session = load(model, threads=threads, providers=providers)

    @property
    def model(self) -> Card:
        """The model's card."""
        return self.session.card

    def prepare(self, photo: Photo | Any) -> Plate:
        """Make a photo ready: its luminance at the working size. Also takes an array or a PIL image.

        Raises OptionError for an array that is no picture, DamagedPhoto where decoding fails late.
        """
        return Plate(self.session, photo if isinstance(photo, Photo) else Photo.from_array(photo))


class Plate:
    """A prepared photo, named after the negative from which colour prints were pulled. Thread-safe."""

    def __init__(self, session: Session, photo: Photo):
        self.session, self.photo = session, photo
        self.size = working_size(photo.height, photo.width, session.card)
        self._reduced: OrderedDict[tuple[int, int], Neutral] = OrderedDict()
        self._logits: OrderedDict[tuple[Hint, ...], Float] = OrderedDict()
        self._features: tuple[Float, Float] | None = None  # at strides 16 and 4
        self._unmirrored: Float | None = None  # the plain answer before averaging with the mirror image's
        self._plain: tuple[float, Float] | None = None
        self._kept_scene: tuple[float, Scene] | None = None
        self._raster: tuple[tuple[Hint, ...], Raster] | None = None
        self._lock = threading.Lock()
        self.luminance: Float = self._working_luminance()
        self._seen: Float = even(self.luminance)  # what the network sees

    @property
    def card(self) -> Card:
        return self.session.card

    @cached_property
    def _cells(self) -> Float:
        """(h/4, w/4): what the network sees, averaged over its cells."""
        return cell_means(self._seen)

    def _working_luminance(self) -> Float:
        """(h, w) L*: the neutral plane averaged over areas, enlarged where the photo is smaller."""
        plane = luminance(self._neutral(*self.size))
        if plane.shape != self.size:
            plane = cv2.resize(plane, self.size[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 100)
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

    def logits(self, hints: Sequence[Hint] = ()) -> Float:
        """(Q, h/4, w/4) float32: the network's answer, averaged with that to the mirror image of the photo.

        Raises UnsupportedReading for a model without a distribution, HintError for too many hints.
        """
        if self.card.head != "bins":
            raise UnsupportedReading(
                f"the model {self.card.name} gives no distribution, only colours: use the default model"
            )
        return self._answer(tuple(hints))

    def _answer(self, hints: tuple[Hint, ...]) -> Float:
        with self._lock:
            if hints in self._logits:
                self._logits.move_to_end(hints)
                return self._logits[hints]
        answer = self._hinted(hints) if hints else self._plain_answer()
        with self._lock:
            self._logits[hints] = answer
            while len(self._logits) > 4:
                self._logits.popitem(last=False)
        return answer

    def _inputs(self, hints: tuple[Hint, ...]) -> dict[str, Float]:
        self._check(hints)
        raster = self._drawn(hints)
        inputs = {"luminance": self._seen[None, None], "hints": raster.hints[None]}
        if self.card.supports_hints:
            inputs["spread"] = spread(self._cells, raster.points)[None]
        return inputs

    def _drawn(self, hints: tuple[Hint, ...]) -> Raster:
        """The hints as the network takes them; the last are kept, since they are needed twice a picture."""
        kept = self._raster
        if kept is None or kept[0] != hints:
            kept = self._raster = hints, rasterize(hints, self._seen)
        return kept[1]

    def _check(self, hints: tuple[Hint, ...]) -> None:
        if hints and not self.card.supports_hints:
            raise UnsupportedReading(f"the model {self.card.name} takes no hints: use the default model")
        if len(hints) > MAX_HINTS:
            raise HintError(f"{len(hints)} hints are too many: at most {MAX_HINTS} are taken")
        if (points := evidence(hints, *self.size)) > MAX_HINTS:
            raise HintError(
                f"these strokes are too long ({points} points of colour, {MAX_HINTS} are taken): draw fewer"
            )

    def _tempered(self, answer: Float) -> Float:
        """An answer at the temperature of the model's card, in place."""
        if self.card.head == "bins" and self.card.temperature != 1:
            answer /= np.float32(self.card.temperature)
        return answer

    @property
    def _output(self) -> str:
        return "logits" if self.card.head == "bins" else "ab"

    def _plain_answer(self) -> Float:
        """The answer without hints, averaged with that to the mirror image. Features come with it."""
        inputs = self._inputs(())
        wanted = [self._output, *(["features", "details"] if self.card.supports_hints else [])]
        if self.card.mirror:
            flipped = {name: np.ascontiguousarray(x[..., ::-1]) for name, x in inputs.items()}
            found, mirrored = self.session.run_both((wanted, inputs), ([self._output], flipped))
            own = self._tempered(found[0][0])
            answer = _mean_with_mirrored(own, self._tempered(mirrored[0][0]))
        else:
            found = self.session.run_many(wanted, **inputs)
            own = answer = self._tempered(found[0][0])
        with self._lock:
            self._unmirrored = own if self.card.mirror else None
            self._features = (found[1][0], found[2][0]) if len(found) > 1 else None
        return answer

    def _hinted(self, hints: tuple[Hint, ...]) -> Float:
        """The answer to hints in one pass: averaging with the mirror image changes what it changed without.

        That is as good as a second pass (docs/model-development.md), and leaves alone what no hint touches.
        """
        inputs = self._inputs(hints)
        plain = self._answer(())
        answer = self._tempered(self.session.run(self._output, **inputs)[0])
        if self._unmirrored is not None:
            answer += plain
            answer -= self._unmirrored
        return answer

    def features(self) -> Float:
        """(C, h/16, w/16) float32: the network's view of the photo without hints, for guidance.

        Raises UnsupportedReading for a model without that output.
        """
        if not self.card.supports_hints:
            raise UnsupportedReading(f"the model {self.card.name} gives no features: use the default model")
        return self._recognized()[0]

    def _recognized(self) -> tuple[Float, Float]:
        """The features, and the details (D, h/4, w/4) from which the colours are read."""
        if self._features is None:
            self._answer(())
        assert self._features is not None
        return self._features

    def distribution(self, hints: Sequence[Hint] = ()) -> tuple[Float, Float]:
        """Probabilities (Q, h/4, w/4) that sum to 1 over Q, and the ab bins (Q, 2)."""
        return readings.softmax(self.logits(hints)), self._bins

    @cached_property
    def _bins(self) -> Float:
        return np.array(self.card.bins, np.float32)

    # --- readings ------------------------------------------------------------------------------

    def uncertainty(self, hints: Sequence[Hint] = ()) -> Float:
        """(h/4, w/4) float32 in 0..1: entropy of the distribution over its largest possible value."""
        return readings.uncertainty(self.logits(hints))

    def suggest(self, x: float, y: float, k: int = 5, hints: Sequence[Hint] = ()) -> list[tuple[str, float]]:
        """The k likeliest colours of a place: [("#rrggbb", probability)], likeliest first.

        x, y: fractions of width and height. Raises OptionError outside 0..1.
        """
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise OptionError(f"the place must lie in 0..1 (fractions of the photo), not ({x}, {y})")
        logits = self.logits(hints)
        row, column = (min(n - 1, int(place * n)) for place, n in zip((y, x), logits.shape[1:], strict=True))
        p = readings.softmax(logits[:, row : row + 1, column : column + 1])[:, 0, 0]
        level = self.luminance[
            row * STRIDE : (row + 1) * STRIDE, column * STRIDE : (column + 1) * STRIDE
        ].mean()
        found = readings.modes(p, self._bins, k)
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
        ab = self._automatic(vividness)
        if hints:
            doubted = self._colours_and_doubt(hints, vividness)
            ab = obey(*doubted, self._scene(vividness), self._drawn(hints).points)
        ab = cv2.resize(ab, self.size[::-1], interpolation=cv2.INTER_LINEAR)
        if draw:
            ab = draw(ab)
        return hold(guide(ab, self.luminance), hints, self.luminance)

    def _automatic(self, vividness: float) -> Float:
        """The colours without hints; kept, since every picture with hints is compared with them."""
        kept = self._plain
        if kept is None or kept[0] != vividness:
            kept = self._plain = vividness, self._colours_and_doubt((), vividness)[0]
        return kept[1]

    def _scene(self, vividness: float) -> Scene:
        """What is known of the cells without hints; kept as well."""
        kept = self._kept_scene
        if kept is None or kept[0] != vividness:
            scene = Scene(self._cells, self._automatic(vividness), *self._recognized())
            kept = self._kept_scene = vividness, scene
        return kept[1]

    def _colours_and_doubt(self, hints: tuple[Hint, ...], vividness: float) -> tuple[Float, Float]:
        """ab (h, w, 2) as the network answers, in cells of its stride, and its standard deviation (h, w)."""
        answer = self._answer(hints)
        if self.card.head != "bins":
            return np.ascontiguousarray(answer.transpose(1, 2, 0)), np.ones(answer.shape[1:], np.float32)
        moments = readings.moments(answer, self._bins)
        return moments.vivid(vividness), moments.deviation()

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


def _mean_with_mirrored(own: Float, mirrored: Float) -> Float:
    """The mean of an answer (n, h, w) and of that to the mirror image."""
    rows = own.reshape(-1, own.shape[-1])
    back = cv2.flip(mirrored.reshape(rows.shape), 1)
    mean: Float = cv2.addWeighted(rows, 0.5, back, 0.5, 0, back)
    return mean.reshape(own.shape)


def working_size(height: int, width: int, card: Card) -> tuple[int, int]:
    """(h, w) at which a network sees a photo: the short side near the card's, multiples, not too long."""
    rule = card.size
    if rule.square:
        return rule.short, rule.short
    scale = rule.short / min(height, width)
    sides = (min(side * scale, rule.longest) for side in (height, width))
    rows, columns = (max(rule.multiple, round(side / rule.multiple) * rule.multiple) for side in sides)
    return rows, columns


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


__all__ = ["DEFAULT_VIVIDNESS", "Colorizer", "Plate", "checked_vividness", "working_size"]
