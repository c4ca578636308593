"""Hints: what a person, a reference or a palette says about the colour of a place.

A hint list is drawn once into the two forms in which the network takes it (docs/model-card.md):
`hints`, the discs and strokes themselves, and `spread`, the same colours carried along the photo's
edges by a joint-bilateral kernel (Levin, Lischinski & Weiss 2004, "Colorization using optimization",
is the classical source of the idea that neighbours of equal luminance share a colour).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from photochrom.color import AB_SCALE, Float, hex_to_rgb, rgb_to_hex, rgb_to_lab
from photochrom.errors import HintError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

STRIDE = 4  # pixels of the working size in a cell of `spread` and of the network's answer
REACHES = ((0.30, 18.0), (0.12, 12.0), (0.05, 8.0))  # (share of the short side, L*) of the kernel
MAX_HINTS = 5000
FLOOR = 0.05  # evidence below this weight fades to nothing


@dataclass(frozen=True)
class Hint:
    """A colour for a disc or a stroke.

    x, y: fractions of width and height, origin top left; color: "#rrggbb", of which only a* and b*
    count; radius: of the disc, a fraction of the longer side, in (0, 0.5]; weight: 0..1, scales mask,
    spread and residual; path: further points (x, y) of a stroke.
    Raises HintError for anything out of range.
    """

    x: float
    y: float
    color: str
    radius: float = 0.01
    weight: float = 1.0
    path: tuple[tuple[float, float], ...] = ()
    ab: tuple[float, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            lab = rgb_to_lab(hex_to_rgb(self.color)[None])[0]
            path = tuple((_fraction("path", x), _fraction("path", y)) for x, y in self.path)
        except OptionError as error:
            raise HintError(str(error)) from None
        except (TypeError, ValueError):
            raise HintError(f"path must be a list of [x, y] pairs, not {self.path!r}") from None
        _fraction("x", self.x)
        _fraction("y", self.y)
        _fraction("weight", self.weight)
        if not 0 < _number("radius", self.radius) <= 0.5:
            raise HintError(f"radius must be above 0 and at most 0.5 of the longer side, not {self.radius!r}")
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "ab", (float(lab[1]), float(lab[2])))


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise HintError(f"{name} must be a number, not {value!r}")
    return float(value)


def _fraction(name: str, value: Any) -> float:
    if not 0 <= _number(name, value) <= 1:
        raise HintError(f"{name} must lie in 0..1 (a fraction of the photo), not {value!r}")
    return float(value)


# --- the hints file ----------------------------------------------------------------------------

_KEYS = {f.name for f in fields(Hint) if f.init}


def load_hints(source: Path | str | bytes | dict[str, Any]) -> list[Hint]:
    """The hints of a JSON file (path), of its bytes, or of its parsed form.

    Raises HintError naming the file and the hint at fault.
    """
    name = str(source) if isinstance(source, Path | str) else "the hints"
    try:
        if isinstance(source, Path | str):
            source = Path(source).read_bytes()
        data = json.loads(source) if isinstance(source, bytes) else source
    except OSError as error:
        raise HintError(f"cannot read the hints file {name}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise HintError(
            f"{name} is not JSON: save hints from the studio, or see docs/hints.md for the form"
        ) from None
    return _parse(data, name)


def _parse(data: Any, name: str) -> list[Hint]:
    if not isinstance(data, dict) or data.get("version") != 1 or not isinstance(data.get("hints"), list):
        raise HintError(f'{name} must hold {{"version": 1, "hints": [...]}}')
    if len(data["hints"]) > MAX_HINTS:
        raise HintError(f"{name} holds {len(data['hints'])} hints; at most {MAX_HINTS} are taken")
    return [_parse_hint(item, f"{name}, hint {number}") for number, item in enumerate(data["hints"], 1)]


def _parse_hint(item: Any, where: str) -> Hint:
    if not isinstance(item, dict):
        raise HintError(f"{where} must be an object with x, y and color")
    if unknown := sorted(set(item) - _KEYS):
        raise HintError(f"{where} has the unknown key {unknown[0]!r}; allowed are {', '.join(sorted(_KEYS))}")
    if missing := sorted({"x", "y", "color"} - set(item)):
        raise HintError(f"{where} lacks {missing[0]!r}")
    if not isinstance(item.get("path", []), list | tuple):
        raise HintError(f"{where}: path must be a list of [x, y] pairs")
    try:
        return Hint(**{**item, "path": tuple(item.get("path", ()))})
    except HintError as error:
        raise HintError(f"{where}: {error}") from None


def dump_hints(hints: Iterable[Hint]) -> dict[str, Any]:
    """The JSON form that `load_hints` takes; optional keys at their defaults are left out."""
    defaults = {"radius": 0.01, "weight": 1.0, "path": ()}
    listed = []
    for hint in hints:
        item = {
            key: value for key, value in asdict(hint).items() if key in _KEYS and value != defaults.get(key)
        }
        listed.append({**item, "path": [list(p) for p in hint.path]} if hint.path else item)
    return {"version": 1, "hints": listed}


def hints_from_ab(
    x: NDArray[Any],
    y: NDArray[Any],
    ab: NDArray[Any],
    luminance: NDArray[Any],
    *,
    radius: float,
    weight: NDArray[Any],
) -> list[Hint]:
    """Hints of colours ab (n, 2), written at the given L* (n,) and clipped into sRGB all at once.

    x, y (n,): fractions of width and height; weight (n,).
    """
    from photochrom.color import fit_gamut, lab_to_rgb

    if len(ab) == 0:
        return []
    colours = lab_to_rgb(fit_gamut(np.column_stack([luminance, ab]).astype(np.float64)))
    return [
        Hint(float(place_x), float(place_y), rgb_to_hex(rgb), radius, float(share))
        for place_x, place_y, rgb, share in zip(x, y, colours, weight, strict=True)
    ]


# --- rasterising and spreading -----------------------------------------------------------------


class Points(NamedTuple):
    """Hints as points of evidence, in cells of stride 4: the centre of cell (0, 0) is (0.5, 0.5)."""

    places: Float  # (n, 2): y, x
    luminance: Float  # (n,): mean L* under the hint
    ab: Float  # (n, 2)
    weights: Float  # (n,)


def spread(cells: Float, points: Points) -> Float:
    """Carry hints along edges: cells (h, w) of mean L* -> (9, h, w), the network's `spread` input.

    For each reach (s, t): w_ij = exp(−|p_i − p_j|² / 2(s·short)² − (L_i − L_j)² / 2t²), and the channels
    Σw·a/110, Σw·b/110 and Σw, each over (Σw + 0.05).
    """
    out = np.zeros((3 * len(REACHES), *cells.shape), np.float32)
    if len(points.places) == 0:
        return out
    for number, kernel in enumerate(kernels(cells, points, REACHES)):
        total = kernel.sum(-1, keepdims=True)  # (h·w, 1)
        values = np.concatenate([kernel @ (points.ab / np.float32(AB_SCALE)), total], axis=-1) / (
            total + FLOOR
        )
        out[3 * number : 3 * number + 3] = values.T.reshape(3, *cells.shape)
    return out


def kernels(cells: Float, points: Points, reaches: Sequence[tuple[float, float]]) -> list[Float]:
    """The weight of every hint at every cell, (h·w, n) for each reach."""
    height, width = cells.shape
    dy = (np.arange(height, dtype=np.float32) + 0.5)[:, None] - points.places[:, 0]
    dx = (np.arange(width, dtype=np.float32) + 0.5)[:, None] - points.places[:, 1]
    distance = ((dy * dy)[:, None] + (dx * dx)[None]).reshape(height * width, -1)
    difference = (cells.reshape(-1, 1) - points.luminance) ** 2
    return [fall * points.weights for fall in falloff(distance, difference, min(height, width), reaches)]


def falloff(
    distance: Float, difference: Float, short: int, reaches: Sequence[tuple[float, float]]
) -> list[Float]:
    """exp(−distance / 2(s·short)² − difference / 2t²) for each reach (s, t), of squared distances and L*."""
    out = []
    for share, tolerance in reaches:
        exponent = distance * np.float32(-0.5 / (share * short) ** 2)
        exponent += difference * np.float32(-0.5 / tolerance**2)
        out.append(cv2.exp(exponent).reshape(exponent.shape))
    return out


def cell_means(plane: Float) -> Float:
    """(H, W) averaged over cells of 4 × 4: (H/4, W/4)."""
    height, width = plane.shape
    cells = plane.reshape(height // STRIDE, STRIDE, width // STRIDE, STRIDE)
    return np.asarray(cells.mean((1, 3), dtype=np.float32))


class Raster(NamedTuple):
    """A hint list drawn for the network."""

    hints: Float  # (3, H, W): weight · a/110, weight · b/110, weight
    points: Points


def rasterize(hints: Sequence[Hint], luminance: Float) -> Raster:
    """Draw hints on a photo of the working size, given its L* (H, W); later hints cover earlier ones."""
    height, width = luminance.shape
    drawn = np.zeros((3, height, width), np.float32)
    latest = np.full((height, width), -1, np.int64)  # the number of the last hint drawn
    rows: list[tuple[float, ...]] = []
    for number, hint in enumerate(hints):
        mask = hint_mask(hint, height, width)
        weight = np.float32(hint.weight)
        for channel, value in zip(drawn, (hint.ab[0] / AB_SCALE, hint.ab[1] / AB_SCALE, 1.0), strict=True):
            channel[mask] = np.float32(value) * weight
        latest[mask] = number
        for x, y in stroke_points(hint, height, width):
            under = hint_mask(Hint(x, y, hint.color, hint.radius), height, width) if hint.path else mask
            level = float(luminance[under].mean())
            rows.append((y * height, x * width, level, *hint.ab, hint.weight, number))
    table: Float = np.array(rows, np.float32).reshape(-1, 7)
    row, column = (np.minimum(size - 1, table[:, k].astype(int)) for k, size in enumerate(latest.shape))
    table = table[latest[row, column] <= table[:, 6]]
    points = Points(table[:, :2] / np.float32(STRIDE), table[:, 2], table[:, 3:5], table[:, 5])
    return Raster(drawn, points)


def _pixel(place: float, size: int) -> int:
    return min(size - 1, int(place))


def hint_mask(hint: Hint, height: int, width: int) -> Any:
    """(height, width) bool: the pixels under a hint's disc or stroke, at least one."""
    radius = hint.radius * max(height, width)
    x0, y0 = hint.x * width, hint.y * height
    mask = np.zeros((height, width), np.uint8)
    if hint.path:
        line = np.array([(x0, y0), *((x * width, y * height) for x, y in hint.path)]) - 0.5
        fixed = np.rint(line * 16).astype(np.int32)
        cv2.polylines(mask, [fixed], False, 1, max(1, round(2 * radius)), cv2.LINE_8, 4)
    else:
        top, bottom = max(0, int(y0 - radius)), min(height, int(y0 + radius) + 1)
        left, right = max(0, int(x0 - radius)), min(width, int(x0 + radius) + 1)
        y, x = np.ogrid[top:bottom, left:right]
        mask[top:bottom, left:right] = (x + 0.5 - x0) ** 2 + (y + 0.5 - y0) ** 2 <= radius * radius
    mask[_pixel(y0, height), _pixel(x0, width)] = 1
    return mask > 0


def stroke_points(hint: Hint, height: int, width: int) -> list[tuple[float, float]]:
    """Points (x, y) in fractions along a hint's path, a few cells apart; one for a disc."""
    line = [(hint.x, hint.y), *hint.path]
    gap = _gap(hint, height, width)
    found = [line[0]]
    for (x0, y0), (x1, y1) in pairwise(line):
        count = math.ceil(math.hypot((x1 - x0) * width, (y1 - y0) * height) / gap)
        found += [(x0 + (x1 - x0) * k / count, y0 + (y1 - y0) * k / count) for k in range(1, count + 1)]
    return found


def _gap(hint: Hint, height: int, width: int) -> float:
    """Pixels between the points of a stroke."""
    return max(hint.radius * max(height, width), 2.0 * STRIDE)


def evidence(hints: Sequence[Hint], height: int, width: int) -> int:
    """How many points hints come to, before any are drawn: one a disc, one every few cells of a stroke.

    Time and memory of the network's inputs grow with it, whatever the number of hints.
    """
    return sum(_points_of(hint, height, width) for hint in hints)


def _points_of(hint: Hint, height: int, width: int) -> int:
    if not hint.path:
        return 1
    line = np.array([(hint.x, hint.y), *hint.path]) * (width, height)
    lengths = np.hypot(*np.diff(line, axis=0).T)
    return 1 + int(np.ceil(lengths / _gap(hint, height, width)).sum())
