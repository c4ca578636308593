"""Reading and writing photos, against Pillow doing the same: times, ratios, sizes. Asserts nothing.

    python benchmarks/photo_io.py [--megapixels 12] [--rounds 7]

Each pair is measured in turns, and the best of the rounds counts, so that another load on the machine
touches both alike.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from photochrom.photo import Photo, read, write
from photochrom.photo.encoding import packer_of_differences
from photochrom.photo.strips import thread_count

if TYPE_CHECKING:
    from collections.abc import Callable


def scene(megapixels: float) -> np.ndarray:
    """(H, W, 3) uint8: smooth shapes and a photograph's grain."""
    width = int((megapixels * 1e6 * 4 / 3) ** 0.5) // 16 * 16
    height = width * 3 // 4
    rng = np.random.default_rng(0)
    coarse = rng.normal(size=(height // 48, width // 48, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(size=(height, width, 1)).astype(np.float32)
    return np.clip(smooth * 40 + grain * 5 + 128, 0, 255).astype(np.uint8)


def best(rounds: int, *actions: Callable[[], Any]) -> list[float]:
    """The shortest time of each action, taken in turns."""
    times = [float("inf")] * len(actions)
    for _ in range(rounds):
        for number, action in enumerate(actions):
            started = time.perf_counter()
            action()
            times[number] = min(times[number], time.perf_counter() - started)
    return times


def compare(
    what: str, rounds: int, ours: Callable[[], Any], pillows: Callable[[], Any]
) -> tuple[float, float]:
    mine, theirs = best(rounds, ours, pillows)
    print(f"{what:34} {mine * 1e3:8.0f} ms   Pillow {theirs * 1e3:8.0f} ms   ratio {mine / theirs:5.2f}")
    return mine, theirs


def packing(rgb: np.ndarray) -> None:
    """Why deflate looks for runs only: time and size at zlib's levels, on differences of neighbors."""
    rows = rgb[: len(rgb) // 6].copy()
    rows[:, 1:] -= rgb[: len(rows), :-1]
    data = rows.tobytes()
    for name, packer in [
        ("runs and Huffman", packer_of_differences(15)),
        *((f"level {level}", zlib.compressobj(level)) for level in (1, 6)),
    ]:
        started = time.process_time()
        size = len(packer.compress(data) + packer.flush())
        spent = time.process_time() - started
        print(
            f"  deflate, {name:20} {len(data) / spent / 1e6:6.0f} MB/s   {size / len(data):6.1%} of the size"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    rgb = scene(arguments.megapixels)
    grey = np.ascontiguousarray(rgb[..., 1])
    rounds = arguments.rounds
    print(f"{rgb.shape[1]}×{rgb.shape[0]}, {thread_count()} threads, best of {rounds}")
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), rgb, grey, rounds)
    packing(rgb)


def measure(folder: Path, rgb: np.ndarray, grey: np.ndarray, rounds: int) -> None:
    photo = Photo.from_array(rgb)
    lazy = photo.with_pixels(lambda top, bottom: rgb[top:bottom])

    def save(suffix: str, **options: Any) -> Callable[[], None]:
        return lambda: Image.fromarray(rgb).save(folder / f"pillow.{suffix}", **options)

    def store(suffix: str, **options: Any) -> Callable[[], Path]:
        return lambda: write(lazy, folder / f"ours.{suffix}", overwrite=True, **options)

    def decode(path: Path) -> Callable[[], Any]:
        return lambda: np.asarray(Image.open(path))

    Image.fromarray(grey).save(folder / "grey.jpg", quality=92)
    decoded = compare(
        "read grey JPEG", rounds, lambda: read(folder / "grey.jpg").pixels, decode(folder / "grey.jpg")
    )
    encoded = compare("write color JPEG", rounds, store("jpg"), save("jpg", quality=95, subsampling="4:2:0"))
    ours, pillows = decoded[0] + encoded[0], decoded[1] + encoded[1]
    print(f"{'grey JPEG in, color JPEG out':34} {ours * 1e3:8.0f} ms   Pillow {pillows * 1e3:8.0f} ms   "
          f"ratio {ours / pillows:5.2f}")  # fmt: skip
    compare("write PNG", min(rounds, 3), store("png"), save("png"))
    compare("read PNG", rounds, lambda: read(folder / "pillow.png").pixels, decode(folder / "pillow.png"))
    compare(
        "write TIFF, deflated", min(rounds, 3), store("tif"), save("tif", compression="tiff_adobe_deflate")
    )
    compare(
        "read TIFF, deflated",
        rounds,
        lambda: read(folder / "pillow.tif").pixels,
        decode(folder / "pillow.tif"),
    )
    for suffix in ("jpg", "png", "tif"):
        sizes = [(folder / f"{who}.{suffix}").stat().st_size for who in ("ours", "pillow")]
        print(f"  size of {suffix}: {sizes[0] / 1e6:.2f} MB, Pillow's {sizes[1] / 1e6:.2f} MB")

    def in_memory() -> None:
        Image.fromarray(rgb).save(io.BytesIO(), "JPEG", quality=95, subsampling="4:2:0")

    compare("write JPEG to memory", rounds, lambda: write(lazy, io.BytesIO(), format="jpeg"), in_memory)


if __name__ == "__main__":
    main()
