"""Training photographs: decoded once into one memory-mapped array, then read for nothing.

A source of photos is a single file, a folder (any depth) or tar shards; every photo is kept as
8-bit RGB with its short side at most `side`. Files that do not decode and photos without colour
are counted and left out.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from photochrom.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif", ".heic", ".gif", ".jp2"}
GREY_CHROMA = 2.0  # photos whose mean absolute deviation between channels is below this are grey


@dataclass
class PhotoSet:
    """Decoded photos: `pixels` is flat, photo i has `shapes[i]` and starts at `offsets[i]`."""

    pixels: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    shapes: NDArray[np.int32]  # (n, 2)
    sources: list[str]
    skipped: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Photo `index`: (H, W, 3) uint8, a view."""
        height, width = (int(n) for n in self.shapes[index])
        start = int(self.offsets[index])
        return self.pixels[start : start + height * width * 3].reshape(height, width, 3)

    def sampling_weights(self, exponent: float) -> NDArray[np.float64]:
        """Chance of each photo: its source's count to the power `exponent`, normalised."""
        counts = Counter(self.sources)
        weights = np.array([counts[source] ** exponent for source in self.sources], np.float64)
        return weights / weights.sum()


def load_photos(data: Path, side: int, cache: Path) -> PhotoSet:
    """The photos under `data`, from the cache where it is current.

    Raises DataError where there is nothing to train on.
    """
    files = list_files(data)
    key = hashlib.sha256(json.dumps([side, [(str(f), f.stat().st_size) for f in files]]).encode()).hexdigest()[:16]
    index = cache / f"{key}.json"
    if not index.exists():
        cache.mkdir(parents=True, exist_ok=True)
        build(files, data, side, cache / f"{key}.bytes", index)
    record = json.loads(index.read_text())
    shapes = np.array(record["shapes"], np.int32).reshape(-1, 2)
    sizes = shapes.astype(np.int64).prod(1) * 3
    if len(shapes) == 0:
        msg = f"no colour photograph could be read under {data} (left out: {record['skipped'] or 'nothing'})"
        raise DataError(msg)
    pixels = np.memmap(cache / f"{key}.bytes", np.uint8, "r")
    return PhotoSet(pixels, np.cumsum(sizes) - sizes, shapes, record["sources"], record["skipped"])


def list_files(data: Path) -> list[Path]:
    """Photos and tar shards at or under `data`, sorted."""
    if data.is_file():
        return [data]
    shards = sorted(data.glob("*.tar"))
    files = shards or sorted(p for p in data.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        msg = f"{data} holds no photographs and no tar shards: give a photo, a folder of photos or of *.tar files"
        raise DataError(msg)
    return files


def build(files: list[Path], root: Path, side: int, target: Path, index: Path) -> None:
    """Decode everything into `target` and describe it in `index`, which is written last."""
    shapes, sources, skipped = [], [], Counter[str]()
    with target.open("wb") as out:
        for source, content in tqdm(members(files, root), desc="decoding photos", unit=" photos", disable=None):
            photo = decode(content, side)
            if photo is None:
                skipped["unreadable"] += 1
            elif grey(photo):
                skipped["grey"] += 1
            else:
                out.write(photo.tobytes())
                shapes.append(photo.shape[:2])
                sources.append(source)
    temporary = index.with_suffix(".partial")
    temporary.write_text(json.dumps({"shapes": shapes, "sources": sources, "skipped": skipped}))
    temporary.replace(index)


def members(files: list[Path], root: Path) -> Iterator[tuple[str, bytes]]:
    """(source, bytes) of every photo; the source is the folder it lies in."""
    for path in files:
        if path.suffix != ".tar":
            parent = path.relative_to(root).parent if root.is_dir() else Path()
            yield str(parent), path.read_bytes()
            continue
        with tarfile.open(path) as tar:
            for member in tar:
                if member.isfile() and (handle := tar.extractfile(member)):
                    yield str(Path(member.name).parent), handle.read()


def decode(content: bytes, side: int) -> NDArray[np.uint8] | None:
    """8-bit RGB with its short side at most `side`, or None where it does not decode."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            rgb = np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    short = min(rgb.shape[:2])
    if short < 32:
        return None
    if short > side:
        size = [max(1, round(n * side / short)) for n in (rgb.shape[1], rgb.shape[0])]
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return rgb


def grey(photo: NDArray[np.uint8]) -> bool:
    """Whether a photo carries no colour to learn from."""
    small = photo[::4, ::4].astype(np.int16)
    return float(np.abs(small - small.mean(-1, keepdims=True)).mean()) < GREY_CHROMA


def colour_prior(photos: PhotoSet, bins: NDArray[np.float32], sample: int = 3000) -> NDArray[np.float64]:
    """How often each ab bin occurs, counted on cells of 8 × 8 of `sample` photos."""
    from photochrom.color import rgb_to_lab

    step = max(1, len(photos) // sample)
    counts = np.zeros(len(bins))
    for index in range(0, len(photos), step):
        photo = photos[index]
        small = cv2.resize(photo, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
        ab = rgb_to_lab(small)[..., 1:].reshape(-1, 2)
        counts += np.bincount(((ab[:, None] - bins) ** 2).sum(-1).argmin(1), minlength=len(bins))
    return counts / counts.sum()
