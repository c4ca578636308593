"""What happens to a photo before the network sees it: crops, and the look of old film.

Geometry changes photo and target alike; old film changes only the luminance that the network is
given, never the colors it must find. All functions take the sample's own random generator, so a
sample depends on (seed, number) alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.color import encode, luminance, srgb_to_linear
from photochrom.documents import option
from photochrom.training.resizing import resize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Float

    Rng = np.random.Generator


@dataclass(frozen=True)
class FilmConfig:
    """Chances of each fault of old film, scans and copies."""

    spectrum: float = option(0.35, ge=0.0, le=1.0)  # grey mixed from R, G, B by random weights
    tone: float = option(0.40, ge=0.0, le=1.0)  # tone curve, fading
    blur: float = option(0.20, ge=0.0, le=1.0)
    grain: float = option(0.25, ge=0.0, le=1.0)
    jpeg: float = option(0.12, ge=0.0, le=1.0)
    vignette: float = option(0.08, ge=0.0, le=1.0)
    scratches: float = option(0.05, ge=0.0, le=1.0)
    border: float = option(0.04, ge=0.0, le=1.0)  # a scan's frame


@dataclass(frozen=True)
class CropConfig:
    """Random crops: `smallest`..1 of the short side, stretched by at most `stretch`."""

    smallest: float = option(0.5, ge=0.05, le=1)
    stretch: float = option(0.12, ge=0, le=1)
    flip: bool = True


def crop(photo: NDArray[np.uint8], size: int, config: CropConfig, rng: Rng) -> NDArray[np.uint8]:
    """A random crop of (H, W, 3), resized to (size, size, 3)."""
    height, width = photo.shape[:2]
    side = min(height, width) * rng.uniform(config.smallest, 1)
    stretch = np.exp(rng.uniform(-config.stretch, config.stretch))
    h, w = min(height, round(side * stretch)), min(width, round(side / stretch))
    top, left = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    part = resize(photo[top : top + h, left : left + w], size, size)
    if config.flip and rng.random() < 0.5:
        part = part[:, ::-1]
    return np.ascontiguousarray(part)


@dataclass(frozen=True)
class AffineConfig:
    """What Keras' ImageDataGenerator did in the article, on photos squeezed into a square."""

    size: int = option(256, ge=32, le=1024)  # px
    shear: float = option(0.2, ge=0, le=45)  # degrees
    zoom: float = option(0.2, ge=0, le=0.9)
    rotation: float = option(20.0, ge=0, le=180)  # degrees
    flip: bool = True


def affine(photo: NDArray[np.uint8], config: AffineConfig, rng: Rng) -> NDArray[np.uint8]:
    """A random rotation, shear and zoom of (H, W, 3), squeezed into (size, size, 3); edges repeat.

    Everything is one warp, so that a photo is interpolated once; a large photo is first averaged down.
    """
    size = config.size
    if min(photo.shape[:2]) > 2 * size:
        photo = resize(photo, 2 * size, 2 * size)
    height, width = photo.shape[:2]
    turn = np.deg2rad(rng.uniform(-config.rotation, config.rotation))
    lean = np.deg2rad(rng.uniform(-config.shear, config.shear))
    zoom_y, zoom_x = rng.uniform(1 - config.zoom, 1 + config.zoom, 2)
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = rotate @ np.array([[1, -np.sin(lean)], [0, np.cos(lean)]]) @ np.diag([zoom_x, zoom_y])
    if config.flip and rng.random() < 0.5:
        matrix = matrix @ np.diag([-1, 1])
    matrix = np.diag([width / size, height / size]) @ matrix  # from centered output to centered photo
    center = np.array([width / 2 - 0.5, height / 2 - 0.5]) - matrix @ np.full(2, size / 2 - 0.5)
    warp = np.column_stack([matrix, center])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(photo, warp, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def film(rgb: NDArray[np.uint8], clean: Float, config: FilmConfig, rng: Rng) -> Float:
    """The L* (H, W), 0..100, that old film would have made of a photo with the L* `clean`."""
    plane = clean
    if rng.random() < config.spectrum:
        plane = _spectrum(rgb, rng)
    if rng.random() < config.tone:
        plane = tone(plane, rng)
    if rng.random() < config.vignette:
        plane = _vignette(plane, rng)
    if rng.random() < config.blur:
        plane = np.asarray(cv2.GaussianBlur(plane, (0, 0), float(rng.uniform(0.4, 1.6))), np.float32)
    if rng.random() < config.scratches:
        plane = scratches(plane, rng)
    if rng.random() < config.grain:
        plane = grain(plane, rng)
    if rng.random() < config.jpeg:
        plane = jpeg(plane, int(rng.integers(20, 70)))
    return np.clip(plane, 0, 100).astype(np.float32)


def _spectrum(rgb: NDArray[np.uint8], rng: Rng) -> Float:
    """L* of a grey mixed from linear R, G, B by random weights; half the time blind to red."""
    weights = rng.dirichlet((0.7, 1.5, 1.0))
    if rng.random() < 0.5:
        weights = np.array([0.03, 0.97, 0.97]) * weights
    weights = weights / weights.sum()
    linear = srgb_to_linear(rgb.astype(np.float32) / 255) @ weights.astype(np.float32)
    return luminance(encode(linear.astype(np.float32), np.dtype(np.uint8)))


def tone(plane: Float, rng: Rng) -> Float:
    """A gamma and a reduced, shifted range: under- and overexposure, fading."""
    curve = (plane / 100).clip(0, 1) ** float(np.exp(rng.normal(0, 0.3)))
    low, high = rng.uniform(0, 25), 100 - rng.uniform(0, 25)
    return (low + (high - low) * curve).astype(np.float32)


def _vignette(plane: Float, rng: Rng) -> Float:
    """Corners darker by up to 60 %."""
    height, width = plane.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    darker = np.float32(rng.uniform(0.1, 0.6)) * ((x * x + y * y) / 2) ** 1.5
    return np.asarray(plane * (1 - darker), np.float32)


def scratches(plane: Float, rng: Rng) -> Float:
    """A few thin light or dark lines and specks."""
    plane = plane.copy()
    height, width = plane.shape
    for _ in range(rng.integers(1, 5)):
        start = (int(rng.integers(width)), int(rng.integers(height)))
        end = (int(start[0] + rng.normal(0, width / 8)), int(start[1] + rng.normal(0, height)))
        cv2.line(plane, start, end, float(rng.choice([5.0, 95.0])), 1, cv2.LINE_AA)
    return plane


def grain(plane: Float, rng: Rng) -> Float:
    """Noise of σ 1..8 L*, fine or coarse."""
    noise = rng.standard_normal(plane.shape, dtype=np.float32)
    if rng.random() < 0.5:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * np.float32(2.5)
    return plane + noise * np.float32(rng.uniform(1, 8))


def border(rgb: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """A scan's light or dark neutral frame on one to four sides of (H, W, 3)."""
    rgb = rgb.copy()
    shade = int(rng.choice([8, 225, 247]))
    depth = int(rng.integers(2, max(3, len(rgb) // 10)))
    sides = (rgb[:depth], rgb[-depth:], rgb[:, :depth], rgb[:, -depth:])  # views
    for place, part in enumerate(sides):
        if place == 0 or rng.random() < 0.6:
            part[:] = shade
    return rgb


def jpeg(plane: Float, quality: int) -> Float:
    """The damage of JPEG at a low quality, in L*."""
    grey = np.clip(plane * 2.55, 0, 255).astype(np.uint8)
    _, coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    return np.asarray(decoded, np.float32) / np.float32(2.55)
