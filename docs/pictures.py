"""The pictures of README and docs, made from examples/ by the embedded model: python docs/pictures.py."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from photochrom import Colorizer, Hint, read
from photochrom.hints import dump_hints

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT / "examples" / "photos"
IMAGES = ROOT / "docs" / "images"
HEIGHT = 360  # px

# Hints that the how-to page explains: an orange suit, a blue backdrop's corner left alone.
ASTRONAUT = [
    Hint(0.30, 0.62, "#d0651e", radius=0.02),
    Hint(0.62, 0.72, "#d0651e", radius=0.02),
    Hint(0.24, 0.88, "#d0651e", radius=0.02),
]


def scaled(rgb: np.ndarray) -> np.ndarray:
    width = round(rgb.shape[1] * HEIGHT / rgb.shape[0])
    return cv2.resize(rgb, (width, HEIGHT), interpolation=cv2.INTER_AREA)


def row(pictures: list[np.ndarray], name: str) -> None:
    """Pictures beside each other, a thin gap between them."""
    grid([pictures], name)


def grid(rows: list[list[np.ndarray]], name: str) -> None:
    """Rows of pictures, thin gaps between them."""
    gap = np.full((HEIGHT, 6, 3), 255, np.uint8)
    bands = []
    for pictures in rows:
        band = np.hstack([part for picture in pictures for part in (scaled(picture), gap)][:-1])
        bands += [band, np.full((6, band.shape[1], 3), 255, np.uint8)]
    Image.fromarray(np.vstack(bands[:-1])).save(IMAGES / name, quality=90)


def uncertainty_map(plate: object) -> np.ndarray:
    """The entropy of every place, dark where the network is sure."""
    plane = plate.uncertainty()  # type: ignore[attr-defined]
    return cv2.applyColorMap((plane * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    colorizer = Colorizer()
    plates = {path.stem: colorizer.prepare(read(path)) for path in sorted(PHOTOS.glob("*.jpg"))}
    colored = {name: plate.render().rgb for name, plate in plates.items()}
    originals = {name: plate.photo.rgb for name, plate in plates.items()}
    for name in plates:
        row([originals[name], colored[name]], f"{name}.jpg")
    shown = ("dust-bowl-home", "astronaut", "nagasaki-boats")
    grid([[originals[name] for name in shown], [colored[name] for name in shown]], "before-after.jpg")
    truth = np.asarray(Image.open(ROOT / "examples" / "astronaut.jpg"))
    astronaut = plates["astronaut"]
    row([originals["astronaut"], colored["astronaut"], astronaut.render(ASTRONAUT).rgb, truth], "hints.jpg")
    row([astronaut.render((), v).rgb for v in (0, 0.25, 0.5, 1)], "vividness.jpg")
    small = cv2.resize(uncertainty_map(astronaut), (512, 512), interpolation=cv2.INTER_NEAREST)
    row([colored["astronaut"], small], "uncertainty.jpg")
    print(dump_hints(ASTRONAUT))


if __name__ == "__main__":
    main()
