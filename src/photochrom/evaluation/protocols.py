"""Protocols: which photos, which square, which hints. A figure is only worth its protocol's name.

| name | photos | square | hints |
|---|---|---|---|
| `photos` | any folder | center crop to the short side, 256² | 6×6 px, mean RGB |
| `imagenet-val5k` | ILSVRC2012_val 1–5000 | center crop, 256² | 6×6 px |
| `imagenet-val50k` | ILSVRC2012_val, all | squashed to 256² | 6×6 px |
| `coco-val5k` | COCO val2017 | squashed to 256² | 6×6 px |
| `ctest10k` | the 10,000 of Larsson et al. (2016) | center crop, 256² | 6×6 px |
| `icolorit` | any folder (Kim et al. 2022 use ImageNet's 5k) | squashed to 224² | one 2×2 cell |
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from photochrom.color import LUMINANCE_WEIGHTS, linear_to_srgb, quantize, rgb_to_hex, to_linear
from photochrom.errors import DataError, OptionError
from photochrom.hints import Hint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from photochrom.evaluation.metrics import RGB


@dataclass(frozen=True)
class Protocol:
    """How a folder of photos becomes squares and hints."""

    name: str
    side: int = 256
    squash: bool = False  # else center crop to the short side
    patch: int = 6  # px of the square whose mean color a hint carries
    psnr_floor: float = 0.0  # least MSE in (0..1)²
    names: str = ""  # pattern that a photo's file name must match
    count: int = 0  # how many photos the published figures rest on
    note: str = ""

    @property
    def description(self) -> str:
        """One sentence for the reader of a figure."""
        way = "squashed" if self.squash else "center-cropped to the short side and resized"
        floor = f", MSE floored at {self.psnr_floor:g}" if self.psnr_floor else ""
        return (
            f"{way} to {self.side}×{self.side} (Pillow, bicubic); grey of equal CIE Y in 8 bits; hints of "
            f"{self.patch}×{self.patch} px with their mean RGB at uniform random places, nested, seeded by "
            f"the photo's number{floor}"
        )

    def square(self, rgb: RGB) -> RGB:
        """(H, W, 3) uint8 → (side, side, 3), the truth that everything is measured against."""
        picture = Image.fromarray(rgb)
        if not self.squash:
            short = min(picture.size)
            left, top = (picture.width - short) // 2, (picture.height - short) // 2
            picture = picture.crop((left, top, left + short, top + short))
        return np.asarray(picture.resize((self.side, self.side), Image.Resampling.BICUBIC))

    def accepts(self, file_name: str) -> bool:
        """Whether the protocol's published figures rest on a photo of this name."""
        if not re.search(self.names, file_name):
            return False
        return self.name != "imagenet-val5k" or int(file_name.split("_")[2][:8]) <= 5000

    def check(self, accepted: int, found: int) -> None:
        """Raise DataError when the folder is not the protocol's data set."""
        if self.count and accepted != self.count:
            raise DataError(
                f"protocol {self.name} needs its {self.count} photos, but {accepted} of the {found} files "
                f"are such: complete the folder, or use --protocol photos, whose figures carry another name"
            )

    def hints(self, truth: RGB, number: int, count: int) -> list[Hint]:
        """The first `count` hints of photo `number` (from 0): more hints hold the fewer ones."""
        places = _random_places(number, self)
        return [_place_hint(truth, *next(places), self.patch) for _ in range(count)]


_ILSVRC = r"^ILSVRC2012_val_\d{8}\.(?i:jpe?g|png)$"

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("photos"),
        Protocol("imagenet-val5k", names=_ILSVRC, count=5000),
        Protocol("imagenet-val50k", squash=True, names=_ILSVRC, count=50000),
        Protocol("coco-val5k", squash=True, names=r"^\d{12}\.(?i:jpe?g|png)$", count=5000),
        Protocol("ctest10k", count=10000, note="the list of Larsson, Maire & Shakhnarovich (2016)"),
        Protocol("icolorit", side=224, squash=True, patch=2, psnr_floor=1e-5),
    )
}


def protocol(name: str) -> Protocol:
    """The protocol of that name. Raises OptionError listing the names there are."""
    if name not in PROTOCOLS:
        raise OptionError(f"there is no protocol {name!r}: choose one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def _random_places(number: int, protocol: Protocol) -> Iterator[tuple[int, int]]:
    """Endless (x, y) of photo `number`: `random.Random(number)`, x drawn first.

    For 6×6 patches at 256 px the places are 3…252, the patch being [x − 3, x + 3); for iColoriT's
    2×2 cells they are the cells of a grid of 2 px, x and y their middle.
    """
    rng = random.Random(number)  # noqa: S311 the published way to place hints, not a secret
    half, side = protocol.patch // 2, protocol.side
    while True:
        if protocol.patch == 2:
            yield 2 * rng.randrange(side // 2) + 1, 2 * rng.randrange(side // 2) + 1
        else:
            yield rng.randint(half, side - half - 1), rng.randint(half, side - half - 1)


def _place_hint(truth: RGB, x: int, y: int, patch: int) -> Hint:
    """A hint with the mean color of the patch × patch px around the corner (x, y)."""
    half, (height, width) = patch // 2, truth.shape[:2]
    mean = truth[y - half : y + half, x - half : x + half].reshape(-1, 3).mean(axis=0)
    return Hint(x / width, y / height, rgb_to_hex(mean / 255), radius=half / max(height, width))


def grey_of(rgb: RGB) -> NDArray[np.uint8]:
    """(H, W) uint8: the 8-bit grey of equal CIE Y."""
    return mixed_grey(rgb, LUMINANCE_WEIGHTS)


def mixed_grey(rgb: RGB, weights: Sequence[float] | NDArray[np.float64]) -> NDArray[np.uint8]:
    """(H, W) uint8 of a weighted sum of linear R, G and B, rounded exactly (no table in between)."""
    mixed = to_linear(rgb).astype(np.float64) @ np.asarray(weights, np.float64)
    return np.asarray(quantize(linear_to_srgb(mixed)), np.uint8)


def parse_counts(text: str) -> tuple[int, ...]:
    """ "0,1,10" → (0, 1, 10), sorted, 0 always among them. Raises OptionError."""
    try:
        counts = {int(part) for part in text.split(",")}
    except ValueError:
        counts = {-1}
    if min(counts) < 0 or max(counts) > 5000:
        raise OptionError(
            f"--hints takes numbers from 0 to 5000 between commas, for example 0,1,10,100, not {text!r}"
        )
    return tuple(sorted(counts | {0}))


def check_counts(counts: Sequence[int]) -> tuple[int, ...]:
    """The same for a caller from Python."""
    return parse_counts(",".join(str(count) for count in counts) or "0")
