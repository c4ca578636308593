"""Training photographs: decoded once into one memory-mapped array, then read for nothing.

A source of photos is a single file, a folder (any depth, any format that `photochrom.photo.read`
takes) or tar shards, here or in object storage. Every photo is kept as 8-bit sRGB with its short side at
most `side`. Files that do not decode are listed, photos without color counted; both are left out.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from photochrom.color import rgb_to_lab
from photochrom.errors import DataError, PhotochromError
from photochrom.locks import alone
from photochrom.photo import read
from photochrom.photo.strips import mapped_in_order, processors
from photochrom.training.data import fetched, list_files
from photochrom.training.resizing import resize, shrink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from photochrom.training.data import DataFile

_CACHE_VERSION = 2
_SMALLEST_SIDE = 32  # px; smaller pictures are icons, not photographs
_GREY_CHROMA = 2.0  # photos whose mean absolute deviation between channels is below this are grey


@dataclass
class PhotoSet:
    """Decoded photos: photo i has `shapes[i]`, comes from folder `sources[i]` and shard `shards[i]`."""

    path: Path  # the pixels, one photo after another
    shapes: NDArray[np.int32]  # (n, 2)
    sources: list[str]
    shards: NDArray[np.int32]  # (n,)
    unreadable: list[str] = field(default_factory=list)
    grey: int = 0

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        return np.memmap(self.path, np.uint8, "r")

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        sizes = self.shapes.astype(np.int64).prod(1) * 3
        return np.asarray(np.cumsum(sizes) - sizes)

    def __getstate__(self) -> dict[str, Any]:
        """Without the mapped pixels: a loader's process maps the file itself."""
        return {key: value for key, value in self.__dict__.items() if key != "pixels"}

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Photo `index`: (H, W, 3) uint8, a view."""
        height, width = (int(n) for n in self.shapes[index])
        start = int(self.offsets[index])
        return self.pixels[start : start + height * width * 3].reshape(height, width, 3)

    @property
    def left_out(self) -> str:
        """A sentence part on what is not trained on."""
        return f"{self.grey} without color, {len(self.unreadable)} unreadable"


def load_photos(
    data: str | Path,
    side: int,
    cache: Path,
    shards: slice = slice(None),
    files: Sequence[DataFile] | None = None,
) -> PhotoSet:
    """The photos at a path or address, from the cache where it is current.

    `shards` picks among tar files; `files` is what lies there where that is known. Of the processes that
    ask for the same and share a cache one fetches and decodes, the others wait. Raises DataError where
    there is nothing to train on, PhotoError or OptionError where a store cannot be read.
    """
    files = files or list_files(data)
    numbers = np.arange(len(files))
    if files[0].is_shard:
        files, numbers = files[shards], numbers[shards]
    key = _cache_key(files, side)
    index = cache / f"{key}.json"
    if not index.exists():
        with alone(cache / f"{key}.lock"):
            if not index.exists():
                _build(files, cache, side, cache / f"{key}.bytes", index)
    photos = _open_cache(index)
    photos.shards = numbers[photos.shards].astype(np.int32)
    if len(photos) == 0:
        raise DataError(
            f"no color photograph could be read under {data} (left out: {photos.left_out}): give others"
        )
    return photos


def _cache_key(files: Sequence[DataFile], side: int) -> str:
    """What a cache was made of: the files, their sizes, and the side."""
    listed = [file.identity for file in files]
    return hashlib.sha256(json.dumps([_CACHE_VERSION, side, listed]).encode()).hexdigest()[:16]


def _open_cache(index: Path) -> PhotoSet:
    record = json.loads(index.read_text(encoding="utf-8"))
    shapes = np.array(record["shapes"], np.int32).reshape(-1, 2)
    return PhotoSet(
        index.with_suffix(".bytes"),
        shapes,
        record["sources"],
        np.array(record["shards"], np.int32),
        record["unreadable"],
        record["grey"],
    )


class _Member(NamedTuple):
    """A photo's file in a folder or a shard."""

    name: str
    source: str  # the folder it lies in
    shard: int
    content: bytes | Path


def _members(files: Sequence[DataFile], cache: Path) -> Iterator[_Member]:
    """Every photo file in turn. A broken shard is a DataError: half a data set is no data set."""
    for shard, (file, path) in enumerate(fetched(files, cache)):
        if not file.is_shard:
            yield _Member(file.name, str(file.place.parent), 0, path)
            continue
        try:
            with tarfile.open(path) as tar:
                for member in tar:
                    if member.isfile() and (handle := tar.extractfile(member)):
                        source = str(Path(member.name).parent)
                        yield _Member(f"{file.name}:{member.name}", source, shard, handle.read())
        except (tarfile.TarError, EOFError) as error:
            raise DataError(f"{file.name} is not a whole tar file ({error}): copy it again") from None


def _build(files: Sequence[DataFile], cache: Path, side: int, target: Path, index: Path) -> None:
    """Decode everything into `target` and describe it in `index`, which is written last."""
    shapes, sources, shards, unreadable, grey = [], [], [], [], 0
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    with target.open("wb") as out:
        decoded = mapped_in_order(
            partial(_decoded_or_why_not, side=side), _members(files, cache), processors()
        )
        for member, photo in tqdm(decoded, desc="decoding photos", unit=" photos", disable=None):
            if isinstance(photo, PhotochromError):
                named = member.name in str(photo)
                unreadable.append(str(photo) if named else f"{member.name}: {photo}")
                continue
            if _is_colorless(photo):
                grey += 1
                continue
            out.write(photo.tobytes())
            shapes.append(photo.shape[:2])
            sources.append(member.source)
            shards.append(member.shard)
    cv2.setNumThreads(threads)
    record = {"shapes": shapes, "sources": sources, "shards": shards, "unreadable": unreadable, "grey": grey}
    temporary = index.with_suffix(".partial")
    temporary.write_text(json.dumps(record), encoding="utf-8")
    temporary.replace(index)


def _decoded_or_why_not(member: _Member, side: int) -> NDArray[np.uint8] | PhotochromError:
    try:
        return _decode(member.content, side)
    except PhotochromError as error:
        return error


def _decode(content: bytes | Path, side: int) -> NDArray[np.uint8]:
    """8-bit RGB (H, W, 3) with its short side at most `side`. Raises PhotoError, or DataError if tiny."""
    rgb = read(content).rgb
    if min(rgb.shape[:2]) < _SMALLEST_SIDE:
        raise DataError(f"only {min(rgb.shape[:2])} px on its short side: photos need {_SMALLEST_SIDE}")
    if rgb.dtype == np.uint8:
        return shrink(np.asarray(rgb, np.uint8), side)
    return np.rint(shrink(np.asarray(rgb, np.uint16), side) / 257).astype(np.uint8)


def _is_colorless(photo: NDArray[np.uint8]) -> bool:
    """Whether a photo carries no color to learn from."""
    small = photo[::4, ::4].astype(np.int16)
    return float(np.abs(small - small.mean(-1, keepdims=True)).mean()) < _GREY_CHROMA


def split(photos: PhotoSet, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Photo numbers for training and for validation: of each shard a random `share`, but never its last."""
    train, held = [], []
    for shard in np.unique(photos.shards):
        order = np.nonzero(photos.shards == shard)[0]
        order = np.random.default_rng((seed, int(shard))).permutation(order)
        count = min(round(len(order) * share), len(order) - 1)
        held.append(order[:count])
        train.append(np.sort(order[count:]))
    return np.concatenate(train), np.concatenate(held)


def sampling_weights(sources: Sequence[str], exponent: float) -> NDArray[np.float64]:
    """Chance of each photo: its source's count to the power `exponent`, normalized."""
    counts = Counter(sources)
    weights = np.array([float(counts[source]) ** exponent for source in sources], np.float64)
    return np.asarray(weights / weights.sum())


def color_counts(photos: PhotoSet, bins: NDArray[np.float32], sample: int) -> NDArray[np.float64]:
    """How often each ab bin is the nearest, counted on cells of 8 × 8 of about `sample` photos."""
    step = max(1, len(photos) // sample)
    counts = np.zeros(len(bins))
    for index in range(0, len(photos), step):
        height, width = (max(1, int(n) // 8) for n in photos.shapes[index])
        small = resize(photos[index], height, width)
        ab = rgb_to_lab(small)[..., 1:].reshape(-1, 2)
        counts += np.bincount(((ab[:, None] - bins) ** 2).sum(-1).argmin(1), minlength=len(bins))
    return counts
