"""Colour for JPEG with halved chroma: luminance kept, and time, against colouring every pixel.

    python benchmarks/subsampling.py

Each example is coloured in both ways at vividness 0.5 and 1. What a 4:2:0 encoder stores of the pixels (Y'
of each, Cb and Cr of 2×2 averaged, all rounded) is decoded, and L* compared with the grey photo's, in steps
of 8 bits: the share of pixels beyond half a step, and the greatest error. Times are of one thread.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from photochrom import Colorizer, read
from photochrom.color import linear_to_lab, luminance_table, neutralize, srgb_to_linear
from photochrom.photo import Photo
from photochrom.photo.sources import rescale

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

EXAMPLES = Path(__file__).parents[1] / "examples/photos"
ROUNDS = 5


def stored(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What 4:2:0 leaves of pixels with even sides, quantization apart (JFIF, ITU-T T.871)."""
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    luma = np.rint(0.299 * red + 0.587 * green + 0.114 * blue)
    cb = halved(128 - 0.168736 * red - 0.331264 * green + 0.5 * blue) - 128
    cr = halved(128 + 0.5 * red - 0.418688 * green - 0.081312 * blue) - 128
    added = np.stack([1.402 * cr, -0.344136 * cb - 0.714136 * cr, 1.772 * cb], axis=-1)
    return (luma[..., None] + np.rint(added)).clip(0, 255)


def halved(plane: NDArray[np.float64]) -> NDArray[Any]:
    height, width = plane.shape
    small = np.rint(np.rint(plane).reshape(height // 2, 2, width // 2, 2).mean((1, 3)))
    return small.repeat(2, 0).repeat(2, 1)


def steps(grey: NDArray[np.uint8], rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """|ΔL*| of each pixel in steps of 8 bits."""
    level = linear_to_lab(srgb_to_linear(rgb / 255))[..., 0]
    table = luminance_table(256).astype(np.float64)
    sizes = np.diff(table)
    step = np.minimum(np.append(sizes, sizes[-1]), np.insert(sizes, 0, sizes[0]))
    return np.abs(level - table[grey]) / step[grey]


def seconds(action: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - started)
    return best


def main() -> None:
    cv2.setNumThreads(1)
    colorizer = Colorizer()
    print("photo, vividness: beyond half a step and at most, blocks | averaged; time of blocks / of pixels")
    for path in sorted(EXAMPLES.glob("*.jpg")):
        grey = rescale(neutralize(read(path).pixels), np.dtype(np.uint8))
        grey = np.ascontiguousarray(grey[: len(grey) // 2 * 2, : grey.shape[1] // 2 * 2])
        plate = colorizer.prepare(Photo.from_array(grey))
        for vividness in (0.5, 1.0):
            photo = plate.render(vividness=vividness)
            in_blocks, height = photo.halved, len(grey)
            assert in_blocks is not None
            ways: list[Callable[[], Any]] = [
                lambda: np.stack(in_blocks(0, height), axis=-1),  # noqa: B023
                lambda: photo.rows(0, height),  # noqa: B023
            ]
            ours, theirs = (steps(grey, stored(way())) for way in ways)
            half = height // 4 * 2  # strips as they are written
            blocks = seconds(lambda: (in_blocks(0, half), in_blocks(half, height)))  # noqa: B023
            ratio = blocks / seconds(ways[1])
            print(
                f"{path.stem}, {vividness}: {100 * (ours > 0.5).mean():.2f} %, {ours.max():.2f} | "
                f"{100 * (theirs > 0.5).mean():.0f} %, {theirs.max():.1f}; {ratio:.2f} x"
            )


if __name__ == "__main__":
    main()
