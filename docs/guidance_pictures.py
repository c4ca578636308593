"""The pictures of docs/guidance.md and docs/faded-colour.md: python docs/guidance_pictures.py."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from photochrom import Colorizer, read
from photochrom.guidance import Palette, proposals
from photochrom.look import Look

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT / "examples" / "photos"
IMAGES = ROOT / "docs" / "images"
HEIGHT = 300  # px
FADED = IMAGES / "faded-astronaut.jpg"


def scaled(rgb: np.ndarray) -> np.ndarray:
    width = round(rgb.shape[1] * HEIGHT / rgb.shape[0])
    return cv2.resize(rgb, (width, HEIGHT), interpolation=cv2.INTER_AREA)


def row(pictures: list[np.ndarray], name: str) -> None:
    """Pictures beside each other, a thin gap between them."""
    gap = np.full((HEIGHT, 6, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (scaled(picture), gap)][:-1]
    Image.fromarray(np.hstack(parts)).save(IMAGES / name, quality=90)


def reference(colorizer: Colorizer) -> None:
    """Grey, automatic, the reference (a mirrored part of the truth) and what it gives."""
    plate = colorizer.prepare(read(PHOTOS / "astronaut.jpg"))
    part = np.ascontiguousarray(read(ROOT / "examples/astronaut.jpg").rgb[40:400, 60:460][:, ::-1])
    Image.fromarray(part).save(IMAGES / "reference.jpg", quality=92)
    other = read(IMAGES / "reference.jpg")
    guided = plate.color(Look(reference=other))
    row([plate.photo.rgb, plate.preview(), other.rgb, guided.preview()], "guidance-reference.jpg")


def palette(colorizer: Colorizer) -> None:
    """Automatic and two palettes."""
    plate = colorizer.prepare(read(PHOTOS / "dust-bowl-home.jpg"))
    drawn = [
        plate.color(Look(palette=Palette.parse(text))).preview()
        for text in ("#7a2e1d,#3b5998,#d9b26f", "#264653,#2a9d8f,#e9c46a,#e76f51")
    ]
    row([plate.preview(), *drawn], "guidance-palette.jpg")


def ideas(colorizer: Colorizer) -> None:
    """Automatic and four proposals."""
    plate = colorizer.prepare(read(PHOTOS / "allium-oreophilum.jpg"))
    row([plate.preview(), *(plate.preview(one) for one in proposals(plate, 4))], "guidance-proposals.jpg")


def faded(colorizer: Colorizer) -> None:
    """An artificially faded copy of the portrait, automatic colors, and its own color revived."""
    density = -np.log10(np.clip(read(ROOT / "examples/astronaut.jpg").rgb / 255.0, 0.004, 1))
    light = 10 ** -(density * (0.35, 0.7, 0.55) + (0.01, 0.05, 0.12))
    Image.fromarray(np.rint(255 * light).astype(np.uint8)).save(FADED, quality=92)
    plate = colorizer.prepare(read(FADED))
    kept = plate.color(Look(keep_color=True))
    truth = read(ROOT / "examples/astronaut.jpg").rgb
    row([plate.photo.rgb, plate.preview(), kept.preview(), truth], "faded-colour.jpg")


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    engine = Colorizer()
    for make in (reference, palette, ideas, faded):
        make(engine)
