"""PBM, PGM, PPM and PAM pictures, plain and binary (netpbm's pbm(5) to pam(5)), 8 and 16 bits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import DamagedPhoto
from photochrom.photo.metadata import Metadata
from photochrom.photo.photo import Photo
from photochrom.photo.sources import source_of_bands
from photochrom.photo.vips import damaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.photo.formats import Format, Limits
    from photochrom.photo.origin import Origin

_HEAD = re.compile(rb"P([1-6])((?:\s|#[^\n]*\n)+)")
_NUMBER = re.compile(rb"(?:\s|#[^\n]*(?:\n|$))*(\d{1,9})")
_MOST_HEADER = 1 << 16
_MOST_DIGITS = 9  # of a sample: what fits into 32 bits


def read_pnm(origin: Origin, fmt: Format, limits: Limits) -> Photo:
    """A picture whose samples are taken as sRGB, spread from their highest value to that of 8 or 16 bits.

    Raises DamagedPhoto, TooLarge.
    """
    data = origin.data
    try:
        kind, width, height, bands, highest, start = _pam(data) if data[:2] == b"P7" else _pnm(data)
    except (ValueError, KeyError) as error:
        raise DamagedPhoto(damaged(f"pnm: {error}")) from error
    limits.check(width, height, fmt.share)
    if not (1 <= highest <= 65535 and 1 <= bands <= 4):
        raise DamagedPhoto(damaged(f"pnm: {bands} channels up to {highest}"))
    samples = _samples(data, start, (height, width, bands), highest, kind)
    white = 255 if highest <= 255 else 65535
    if highest != white:
        samples = np.rint(np.minimum(samples, highest) * (white / highest))
    array = samples.astype(np.uint8 if white == 255 else np.uint16)
    bits = highest.bit_length()
    return Photo(source_of_bands(array, bands in (2, 4)), Metadata(), "pnm", bits, origin.path)


def _pnm(data: bytes) -> tuple[int, int, int, int, int, int]:
    """(kind 1..6, width, height, bands, highest sample, where samples start)."""
    if not (head := _HEAD.match(data[:_MOST_HEADER])):
        raise ValueError("no header")
    kind, at, numbers = int(head[1]), head.end(), list[int]()
    for _ in range(2 if kind in (1, 4) else 3):
        if not (found := _NUMBER.match(data, at, at + _MOST_HEADER)):
            raise ValueError("cut short in its header")
        numbers.append(int(found[1]))
        at = found.end()
    highest = numbers[2] if len(numbers) == 3 else 1
    return kind, numbers[0], numbers[1], 3 if kind in (3, 6) else 1, highest, at + (kind > 3)


def _pam(data: bytes) -> tuple[int, int, int, int, int, int]:
    end = data.find(b"ENDHDR\n", 0, _MOST_HEADER)
    if end < 0:
        raise ValueError("no end of its header")
    lines = [
        line.split(maxsplit=1) for line in data[3:end].splitlines() if line and not line.startswith(b"#")
    ]
    fields = {line[0]: line[1] for line in lines if len(line) == 2}
    width, height, depth, highest = (int(fields[name]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    return 7, width, height, depth, highest, end + 7


def _samples(data: bytes, start: int, shape: tuple[int, int, int], highest: int, kind: int) -> NDArray[Any]:
    """(H, W, bands). Raises DamagedPhoto where there are too few."""
    height, width, bands = shape
    if kind == 4:  # rows of whole bytes, 1 is black
        across = -(-width // 8)
        packed = _binary(data, start, height * across, np.dtype(np.uint8)).reshape(height, across)
        return (1 - np.unpackbits(packed, axis=1)[:, :width]).reshape(shape)
    if kind > 4:
        dtype = np.dtype(np.uint8 if highest < 256 else ">u2")
        return _binary(data, start, height * width * bands, dtype).reshape(shape)
    text = re.sub(rb"#[^\n]*", b"", data[start:])
    words = re.findall(rb"[01]" if kind == 1 else rb"\d+", text)
    if len(words) < height * width * bands:
        raise DamagedPhoto(damaged("pnm: samples are missing at its end"))
    if max(map(len, words)) > _MOST_DIGITS:
        raise DamagedPhoto(damaged("pnm: a sample is out of range"))
    plain = np.array(words[: height * width * bands]).astype(np.uint32).clip(0, 65535).astype(np.uint16)
    return (1 - plain if kind == 1 else plain).reshape(shape)


def _binary(
    data: bytes, start: int, count: int, dtype: np.dtype[np.uint8] | np.dtype[np.uint16]
) -> NDArray[np.uint8]:
    missing = start + count * dtype.itemsize - len(data)
    if missing > 0:
        raise DamagedPhoto(damaged(f"pnm: {missing} bytes are missing at its end"))
    return np.frombuffer(data, dtype, count, start)
