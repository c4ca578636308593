"""A photo at the working size: its luminance, the network's answers, and the colours that hints give it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.color import luminance, neutralize
from photochrom.errors import OptionError
from photochrom.kriging import Scene, krige, pin
from photochrom.models import DEFAULT_VIVIDNESS
from photochrom.upsample import AreaReduction, GuidedFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from photochrom.color import Float, Neutral
    from photochrom.hints import Hint
    from photochrom.models import Answer, Card, Network
    from photochrom.photo import Photo

    Redraw = Callable[[Float], Float]

_ANSWERS, _PLANES = 4, 3  # how many are kept


def checked_vividness(vividness: float | None) -> float:
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
        self.luminance: Float = self._luminance_at(self.size)

    @property
    def card(self) -> Card:
        """The model's card."""
        return self.network.card

    def _luminance_at(self, size: tuple[int, int]) -> Float:
        """(h, w) L* of that size: averaged over areas, or enlarged where the photo is smaller."""
        plane = luminance(self.neutral(*size))
        if plane.shape != size:
            plane = cv2.resize(plane, size[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 100)
        return plane

    def neutral(self, rows: int, columns: int) -> Neutral:
        """The photo in grey at most (rows, columns), as uint16 sRGB; the last few sizes are kept."""
        photo = self.photo
        rows, columns = min(rows, photo.height), min(columns, photo.width)
        with self._lock:
            if (rows, columns) in self._planes:
                return self._planes[rows, columns]
        area = AreaReduction(photo.height, photo.width, rows, columns)
        parts = photo.map_strips(lambda top, strip: area.add(top, neutralize(strip)))
        plane = np.rint(area.collect(parts)).astype(np.uint16)
        with self._lock:
            self._planes[rows, columns] = plane
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
            sizes = network.further_sizes(self.photo.height, self.photo.width)
            found = network.answer(self.luminance, further=[self._luminance_at(size) for size in sizes])
        with self._lock:
            self._answers[wanted] = found
            while len(self._answers) > _ANSWERS:
                self._answers.popitem(last=False)
        return found

    # --- colours --------------------------------------------------------------------------------

    def chroma(self, hints: Sequence[Hint] = (), vividness: float | None = None) -> Float:
        """(h, w, 2) float32: ab at the working size, as rendered."""
        return self.colors(hints, vividness).rows(0, self.luminance, self.size[0])

    def colors(
        self, hints: Sequence[Hint] = (), vividness: float | None = None, redraw: Redraw | None = None
    ) -> GuidedFilter:
        """The colours that hints give the photo, ready to be enlarged along its edges.

        redraw: a last change of ab (h, w, 2) at the working size, before hints are pinned.
        Raises OptionError, HintError.
        """
        vividness = checked_vividness(vividness)
        ab = self.answer().ab(vividness)
        if hints:
            ab = ab + _resized(self._change(hints, vividness, ab), ab.shape)
        ab = _resized(ab, self.size)
        if redraw:
            ab = redraw(ab)
        return pin(GuidedFilter.fit(ab, self.luminance), hints, self.luminance)

    def _change(self, hints: Sequence[Hint], vividness: float, automatic: Float) -> Float:
        """(h/4, w/4, 2): what hints add to the automatic colours."""
        answer = self.answer(hints)
        cells = answer.cells.shape
        scene = Scene(answer.cells, _resized(automatic, cells), answer.unit_features)
        corrected = krige(_resized(answer.ab(vividness), cells), answer.deviation(), scene, answer.points)
        return corrected - scene.automatic


def _resized(plane: Float, shape: tuple[int, ...]) -> Float:
    """(h, w, 2) at another resolution: means where that is lower, bilinear where it is higher."""
    if plane.shape[:2] == shape[:2]:
        return plane
    how = cv2.INTER_AREA if plane.shape[0] > shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, shape[1::-1], interpolation=how), np.float32)
