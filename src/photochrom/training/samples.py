"""What a network is shown and what it must answer.

The default network gets a crop, its old-film look, simulated hints and recolored objects; the seed's
networks get luminance alone. A sample depends on its photo, its config and its generator, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from photochrom.color import in_gamut, rgb_to_lab
from photochrom.documents import option
from photochrom.raster import STRIDE
from photochrom.training.augment import AffineConfig, CropConfig, FilmConfig, affine, border, crop, film
from photochrom.training.resizing import resize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Float

    Rng = np.random.Generator
    Boxes = NDArray[np.int64]  # (n, 4): top, left, bottom, right, in pixels


@dataclass(frozen=True)
class HintConfig:
    """How many simulated hints a photo gets, and how large they are."""

    none: float = option(0.32, ge=0.0, le=1.0)  # share of the photos without hints
    one: float = option(0.10, ge=0.0, le=1.0)
    geometric: float = option(0.40, ge=0.0, le=1.0)  # share with a geometric number
    p: float = option(0.125, ge=0.001, le=1)  # of that number: its mean is 1/p
    many: tuple[int, int] = option((20, 160), ge=1, le=5000, ordered=True)  # the rest, below the second
    patch: tuple[int, int] = option((1, 6), ge=1, le=32, ordered=True)  # px
    recolored: float = option(0.35, ge=0.0, le=1.0)  # share with objects of another color, hinted
    second_object: float = option(0.3, ge=0.0, le=1.0)  # of those, share with a second object
    area: tuple[float, float] = option((0.015, 0.5), ge=0, le=1, ordered=True)  # of a recolored object


class Plain(NamedTuple):
    """A sample for the seed's networks."""

    luminance: Float  # (1, H, W)
    ab: Float  # (2, H, W)


@dataclass(frozen=True)
class WholeConfig:
    """Every photo as it is, unchanged: to memorize it."""


class Hinted(NamedTuple):
    """A sample for the default network, whose hints are drawn where it computes (`hint_planes`)."""

    luminance: Float  # (1, S, S)
    marks: Float  # (n, 7): a hint's box (top, left, bottom, right) and the mean L*, a*, b* under it
    cover: NDArray[np.int16]  # (S, S): 1 + the number of the hint that covers a pixel; 0 where none does
    ab: Float  # (2, S/4, S/4)


@dataclass(frozen=True)
class HintedConfig:
    size: int = option(128, ge=32, le=1024)  # px, a multiple of 32
    crop: CropConfig = field(default_factory=CropConfig)
    film: FilmConfig = field(default_factory=FilmConfig)
    hints: HintConfig = field(default_factory=HintConfig)


SampleConfig = WholeConfig | AffineConfig | HintedConfig
SAMPLE_KINDS: dict[str, type[SampleConfig]] = {
    "whole": WholeConfig,
    "affine": AffineConfig,
    "hinted": HintedConfig,
}


def make_sample(photo: NDArray[np.uint8], config: SampleConfig, rng: Rng) -> Plain | Hinted:
    """One sample of a color photo (H, W, 3) uint8."""
    if isinstance(config, HintedConfig):
        return hinted(photo, config, rng)
    return plain(photo if isinstance(config, WholeConfig) else affine(photo, config, rng))


def plain(rgb: NDArray[np.uint8]) -> Plain:
    """The luminance and the ab of a picture (H, W, 3)."""
    lab = rgb_to_lab(rgb).transpose(2, 0, 1)
    return Plain(np.ascontiguousarray(lab[:1]), np.ascontiguousarray(lab[1:]))


def hinted(photo: NDArray[np.uint8], config: HintedConfig, rng: Rng) -> Hinted:
    """One sample of a color photo (H, W, 3) uint8."""
    rgb = crop(photo, config.size, config.crop, rng)
    if rng.random() < config.film.border:
        rgb = border(rgb, rng)
    lab = rgb_to_lab(rgb)
    ab = lab[..., 1:]
    plane = film(rgb, np.ascontiguousarray(lab[..., 0]), config.film, rng)
    boxes = np.empty((0, 4), np.int64)
    if rng.random() < config.hints.recolored:
        ab, boxes = _recolor(lab, config.hints, rng)
    boxes = np.concatenate([_random_boxes(config.size, config.hints, rng), boxes])
    coarse = resize(ab, config.size // STRIDE, config.size // STRIDE)
    truth = np.ascontiguousarray(coarse.transpose(2, 0, 1))
    return Hinted(plane[None], marks(plane, ab, boxes), cover(boxes, config.size), truth)


def _random_boxes(size: int, config: HintConfig, rng: Rng) -> Boxes:
    """Where the simulated hints lie."""
    choice = rng.random()
    if choice < config.none:
        count = 0
    elif choice < config.none + config.one:
        count = 1
    elif choice < config.none + config.one + config.geometric:
        count = int(rng.geometric(config.p))
    else:
        fewest, most = config.many
        count = int(rng.integers(fewest, max(most, fewest + 1)))
    side = rng.integers(config.patch[0], config.patch[1] + 1, (count, 1))
    corner = rng.integers(0, size - side + 1, (count, 2))
    return np.concatenate([corner, corner + side], axis=1)


def marks(plane: Float, ab: Float, boxes: Boxes) -> Float:
    """Boxes on a photo of L* `plane` (S, S) and colors `ab` (S, S, 2): (n, 7), see `Hinted`."""
    rows = np.empty((len(boxes), 7), np.float32)
    if len(boxes) == 0:
        return rows
    rows[:, :4] = boxes
    top, left, bottom, right = boxes.T
    sums = cv2.integral(np.dstack([plane, ab]))  # (S+1, S+1, 3), float64
    sums = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    rows[:, 4:] = sums / ((bottom - top) * (right - left))[:, None]
    return rows


def cover(boxes: Boxes, size: int) -> NDArray[np.int16]:
    """Which box covers a pixel: (size, size), 1 + its number; later boxes cover earlier ones."""
    numbers = np.zeros((size, size), np.int16)
    for place, (top, left, bottom, right) in enumerate(boxes.tolist(), 1):
        numbers[top:bottom, left:right] = place
    return numbers


# --- recolored objects ------------------------------------------------------------------------


def _recolor(lab: Float, config: HintConfig, rng: Rng) -> tuple[Float, Boxes]:
    """Give one or two objects another color in the target, and a hint that says so.

    Trained on true colors only, a network learns that one green hint means a green scene; this
    teaches it that a hint speaks of its object alone. Returns the new ab and the hints' boxes.
    """
    ab = lab[..., 1:].copy()
    boxes = []
    for _ in range(1 + (rng.random() < config.second_object)):
        mask = _find_object(lab, config, rng)
        if mask is None:
            continue
        ab[mask] = turn(lab[mask], rng)
        boxes.append(_box_inside(mask, config, rng))
    return ab, np.array(boxes, np.int64).reshape(-1, 4)


def _find_object(lab: Float, config: HintConfig, rng: Rng) -> NDArray[np.bool_] | None:
    """A region of like L* and ab around a random place, or None where none of a fit size is found."""
    size = lab.shape[0]
    scaled = np.ascontiguousarray(lab * np.array([0.6, 1.0, 1.0], np.float32))
    scaled = np.asarray(cv2.GaussianBlur(scaled, (0, 0), 1.0), np.float32)
    for _ in range(3):
        seed = tuple(int(n) for n in rng.integers(0, size, 2))
        mask = np.zeros((size + 2, size + 2), np.uint8)
        tolerance = (float(rng.uniform(4, 14)),) * 3
        fixed = cv2.FLOODFILL_FIXED_RANGE if rng.random() < 0.5 else 0
        loose = tolerance if fixed else tuple(t / 5 for t in tolerance)
        cv2.floodFill(scaled, mask, seed, 0, loose, loose, 4 | cv2.FLOODFILL_MASK_ONLY | fixed | (255 << 8))
        kernel = np.ones((3, 3), np.uint8)
        filled = cv2.morphologyEx(mask[1:-1, 1:-1], cv2.MORPH_CLOSE, kernel) > 0
        if config.area[0] <= filled.mean() <= config.area[1]:
            return np.asarray(filled)
    return None


def turn(lab: Float, rng: Rng) -> Float:
    """The ab (N, 2) of an object's colors (N, 3) after a turn of hue and a change of chroma, in gamut."""
    angle = rng.uniform(np.pi / 4, 7 * np.pi / 4)
    cos, sin = np.cos(angle), np.sin(angle)
    turned = lab[:, 1:] @ np.array([[cos, sin], [-sin, cos]], np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    chroma = np.hypot(*turned.T).mean()
    lift = max(0.0, rng.uniform(10, 45) - chroma) if rng.random() < 0.7 else 0.0
    turned = turned + np.array([np.cos(direction), np.sin(direction)], np.float32) * np.float32(lift)
    mean = np.concatenate([lab[:, :1].mean(0), turned.mean(0)])
    share = 1.0
    while share > 0.3 and not in_gamut(mean * np.array([1, share, share])):
        share -= 0.1
    return (turned * share).astype(np.float32)


def _box_inside(mask: NDArray[np.bool_], config: HintConfig, rng: Rng) -> tuple[int, int, int, int]:
    """A hint's box around a random place of the object, shrunk until it lies on the object."""
    ys, xs = np.nonzero(mask)
    pick = int(rng.integers(len(ys)))
    y, x = int(ys[pick]), int(xs[pick])
    for reach in range(int(rng.integers(config.patch[0], config.patch[1] + 1)) // 2, -1, -1):
        top, left = max(0, y - reach), max(0, x - reach)
        if mask[top : y + reach + 1, left : x + reach + 1].all():
            return top, left, min(mask.shape[0], y + reach + 1), min(mask.shape[1], x + reach + 1)
    return y, x, y + 1, x + 1
