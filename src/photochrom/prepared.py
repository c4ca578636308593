"""A photo at the working size: its luminance, the network's answers, and the colors that hints give it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.color import luminance, neutralize
from photochrom.downsample import AreaReduction
from photochrom.errors import OptionError
from photochrom.kriging import Scene, belonging, change_of_kind, krige
from photochrom.models import DEFAULT_VIVIDNESS
from photochrom.pins import distances, fade, may_follow, pinned_shares, take_back
from photochrom.raster import rasterize
from photochrom.strokes import blend_within, paint, shift
from photochrom.upsample import GuidedFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from photochrom.color import Float, Neutral, Pixels
    from photochrom.hints import Hint
    from photochrom.models import Answer, Card, Network
    from photochrom.photo import Photo

    Redraw = Callable[[Float], Float]

_ANSWERS, _PLANES = 4, 3  # how many are kept
_FAR = 20.0  # ab: farther from the colors of its cell no hint is a pin
_FOLLOWED = 6  # hints up to which it is looked whether a further one has the color that they brought


def _checked_vividness(vividness: float | None) -> float:
    """The vividness or its default. Raises OptionError outside 0..1."""
    if vividness is None:
        return DEFAULT_VIVIDNESS
    if isinstance(vividness, bool) or not isinstance(vividness, int | float) or not 0 <= vividness <= 1:
        raise OptionError(f"vividness must lie in 0..1, not {vividness!r}")
    return float(vividness)


class PreparedPhoto:
    """A photo and a network. Thread-safe; the last few answers are kept."""

    def __init__(self, network: Network, photo: Photo):
        self.network, self.photo = network, photo
        self.size = network.working_size(photo.height, photo.width)
        self._planes: OrderedDict[tuple[int, int], Neutral] = OrderedDict()
        self._answers: OrderedDict[tuple[Hint, ...], Answer] = OrderedDict()
        self._lock = threading.Lock()
        sizes = [self.size, *network.further_sizes(photo.height, photo.width)]
        first, *further = map(self._luminance, sizes, self._reduced(sizes))
        self.luminance: Float = first
        self._further = further

    @property
    def card(self) -> Card:
        """The model's card."""
        return self.network.card

    @staticmethod
    def _luminance(size: tuple[int, int], plane: Neutral) -> Float:
        """(h, w) L* of that size of a plane at most as large: enlarged where the photo is smaller."""
        level = luminance(plane)
        if level.shape != size:
            level = cv2.resize(level, size[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 100)
        return level

    def _reduced(self, sizes: Sequence[tuple[int, int]]) -> list[Neutral]:
        """The photo in grey at most at each size (rows, columns), averaged over areas: it is read once."""
        photo = self.photo
        areas = [AreaReduction(photo.height, photo.width, *size) for size in sizes]

        def shares(top: int, strip: Pixels) -> list[tuple[int, Float]]:
            grey = neutralize(strip)
            return [area.add(top, grey) for area in areas]

        parts = [found for _, found in photo.map_strips(shares)]
        return [
            np.rint(area.collect(shares)).astype(np.uint16)
            for area, shares in zip(areas, zip(*parts, strict=True), strict=True)
        ]

    def neutral(self, rows: int, columns: int) -> Neutral:
        """The photo in grey at most (rows, columns), as uint16 sRGB; the last few sizes are kept."""
        size = min(rows, self.photo.height), min(columns, self.photo.width)
        with self._lock:
            if size in self._planes:
                return self._planes[size]
        (plane,) = self._reduced([size])
        with self._lock:
            self._planes[size] = plane
            while len(self._planes) > _PLANES:
                self._planes.popitem(last=False)
        return plane

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
            found = network.answer(self.luminance, further=self._further)
        with self._lock:
            self._answers[wanted] = found
            while len(self._answers) > _ANSWERS:
                self._answers.popitem(last=False)
        return found

    # --- colors --------------------------------------------------------------------------------

    def chroma(self, hints: Sequence[Hint] = (), vividness: float | None = None) -> Float:
        """(h, w, 2) float32: ab at the working size, as rendered."""
        return self.colors(hints, vividness).rows(0, self.luminance, self.size[0])

    def colors(
        self, hints: Sequence[Hint] = (), vividness: float | None = None, redraw: Redraw | None = None
    ) -> GuidedFilter:
        """The colors that hints give the photo, ready to be enlarged along its edges.

        redraw: a last change of ab (h, w, 2) at the working size, before hints are painted.
        Raises OptionError, HintError.
        """
        work = _Rendering(self, _checked_vividness(vividness), redraw)
        found = work.colors([hint for hint in hints if not hint.within])
        for border in dict.fromkeys(hint.within for hint in hints if hint.within):
            inside = work.colors([hint for hint in hints if hint.within in ((), border)])
            found = blend_within(found, inside, border)
        return found


class _Rendering:
    """The way from hints to colors at one vividness, for hints that have one border or none."""

    def __init__(self, plate: PreparedPhoto, vividness: float, redraw: Redraw | None):
        self.answer, self.vividness, self.redraw = plate.answer, vividness, redraw
        self.luminance, self.plain = plate.luminance, plate.answer()
        self.automatic = self.plain.ab(vividness)

    @cached_property
    def scene(self) -> Scene:
        cells = self.plain.cells
        return Scene(cells, _resized(self.automatic, cells.shape), self.plain.unit_features)

    def colors(self, hints: Sequence[Hint]) -> GuidedFilter:
        if not hints:
            return self._enlarged()
        kinds = [hint for hint in hints if hint.alike]
        return self._colored(kinds, *self._parted(kinds, [hint for hint in hints if not hint.alike]))

    def _parted(self, kinds: Sequence[Hint], hints: Sequence[Hint]) -> tuple[list[Hint], list[Hint]]:
        """The hints that ask for a change, and the pins, whose places have their color already.

        A hint that is a pin in part is in both, with a part of its weight.
        """
        active: list[Hint] = []
        pins: list[Hint] = []
        automatic = self.scene.automatic
        shares = self._pinned_shares(hints) if hints else ()
        for hint, share in zip(hints, shares, strict=True):
            if share < 1 and len(hints) <= _FOLLOWED and may_follow(hint, [*kinds, *active], automatic):
                now = self._chroma(self._colored(kinds, active, pins))
                share = max(share, pinned_shares([hint], now, self.luminance)[0])
            if share < 1:
                active.append(replace(hint, weight=hint.weight * (1 - float(share))) if share else hint)
            if share > 0:
                pins.append(replace(hint, weight=hint.weight * float(share)))
        return active, pins

    def _pinned_shares(self, hints: Sequence[Hint]) -> Float:
        """(n,) 0..1: how far the hints are pins. The colors are enlarged only where one may be."""
        if not self.redraw and distances(hints, self.scene.automatic, self.plain.cells).min() > _FAR:
            return np.zeros(len(hints), np.float32)
        return fade(pinned_shares(hints, self._chroma(self._enlarged()), self.luminance))

    def _colored(self, kinds: Sequence[Hint], active: Sequence[Hint], pins: Sequence[Hint]) -> GuidedFilter:
        """The colors of hints for kinds of things, for things, and of pins: later ones are stronger."""
        if not kinds and not active:
            return shift(self._enlarged(), pins, self.luminance)
        scene, answer = self.scene, self.answer(active)
        cells, seen = scene.automatic, answer.seen
        if active:
            cells = _resized(answer.ab(self.vividness), cells.shape)
            cells = krige(cells, answer.deviation(), scene, answer.points)
        if kinds:
            room = 1 - belonging(scene, answer.points, answer.points.weights)[..., None]
            cells = cells + room * change_of_kind(scene, rasterize(kinds, seen).points)
        if pins:
            cells = take_back(cells, scene, rasterize(pins, seen).points, answer.points)
        painted = paint(self._enlarged(cells - scene.automatic), [*kinds, *active], self.luminance)
        return shift(painted, pins, self.luminance)

    def _enlarged(self, change: Float | None = None) -> GuidedFilter:
        """The automatic colors and a change of them in cells (h/4, w/4, 2)."""
        ab = self.automatic
        if change is not None:
            ab = ab + _resized(change, ab.shape)
        ab = _resized(ab, self.luminance.shape)
        return GuidedFilter.fit(self.redraw(ab) if self.redraw else ab, self.luminance)

    def _chroma(self, colors: GuidedFilter) -> Float:
        return colors.rows(0, self.luminance, len(self.luminance))


def _resized(plane: Float, shape: tuple[int, ...]) -> Float:
    """(h, w, 2) at another resolution: means where that is lower, bilinear where it is higher."""
    if plane.shape[:2] == shape[:2]:
        return plane
    how = cv2.INTER_AREA if plane.shape[0] > shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, shape[1::-1], interpolation=how), np.float32)
