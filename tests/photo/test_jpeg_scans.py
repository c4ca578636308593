"""Luminance scans moved between files: nothing of them changes, and libjpeg decodes what comes of it."""

from __future__ import annotations

import io
import struct
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from photochrom.errors import DamagedPhoto
from photochrom.photo.jpeg_scans import Jpeg, grey, parse, spliced
from photochrom.photo.segments import segment

JFIF = segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0")
WIDE_TABLE = [300 + n for n in range(64)]  # numbers of 16 bits
Plane = NDArray[np.uint8]


def plane(height: int, width: int, seed: int = 0) -> Plane:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height, width)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (5, 5), 1).reshape(height, width)


def jpeg(pixels: Plane, **options: Any) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "jpeg", **{"quality": 90} | options)
    return target.getvalue()


def with_sampling_factors(data: bytes, factors: int) -> bytes:
    """A grey JPEG whose frame names other sampling factors, which mean nothing to a lone component."""
    at = data.index(b"\xff\xc0\0\x0b")
    return data[: at + 11] + bytes((factors,)) + data[at + 12 :]


def with_tables_numbered(data: bytes, number: int) -> bytes:
    """A baseline grey JPEG whose tables have another number, and its component another name."""
    changed = bytearray(data)
    at = 2
    while (marker := data[at + 1]) != 0xDA:
        if marker in (0xC4, 0xDB):
            changed[at + 4] |= number
        if marker == 0xC0:
            changed[at + 10], changed[at + 12] = 7, number
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    changed[at + 5 : at + 7] = bytes((7, number << 4 | number))
    return bytes(changed)


GREYS = {
    "baseline": lambda y: jpeg(y),
    "optimized": lambda y: jpeg(y, optimize=True),
    "progressive": lambda y: jpeg(y, progressive=True),
    "restarts": lambda y: jpeg(y, restart_marker_rows=1),
    "progressive, restarts": lambda y: jpeg(y, progressive=True, restart_marker_blocks=3),
    "16-bit table": lambda y: jpeg(y, qtables=[WIDE_TABLE], quality=-1),
    "sampled 2x2": lambda y: with_sampling_factors(jpeg(y), 0x22),
    "sampled 1x4": lambda y: with_sampling_factors(jpeg(y), 0x14),
    "other numbers": lambda y: with_tables_numbered(jpeg(y), 1),
    "trailing bytes": lambda y: jpeg(y) + b"\xff\xd8\xff more",
    "comments": lambda y: jpeg(y, comment=b"\xff\xda\xff\xd9" * 20),
}
SIZES = [(1, 1), (1, 40), (40, 1), (16, 16), (17, 33), (131, 200)]


def colored(data: bytes, sampling: tuple[int, int] = (2, 2), quality: int = 80) -> bytes:
    luminance = parse(data)
    size = -(-luminance.height // sampling[1]), -(-luminance.width // sampling[0])
    progressive = luminance.frame == 0xC2
    cb, cr = (
        parse(jpeg(plane(*size, seed), quality=quality + seed, progressive=progressive)) for seed in (1, 2)
    )
    return b"".join(spliced(luminance, cb, cr, sampling, JFIF))


def luma(data: bytes) -> Plane:
    """Y' as libjpeg decodes it, by Pillow."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("L", image.size)
        return np.asarray(image)


def chroma(data: bytes) -> Plane:
    with Image.open(io.BytesIO(data)) as image:
        image.draft("YCbCr", image.size)
        return np.asarray(image)[..., 1:]


def scan_bytes(found: Jpeg) -> list[tuple[bytes, bytes, bytes, int]]:
    scans = found.luminance_scans
    assert scans
    return [(scan.tables, bytes(scan.data), scan.band, scan.components[0][1]) for scan in scans]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", GREYS)
def test_luminance_is_the_same_bytes_and_decodes_to_the_same_pixels(kind: str, size: tuple[int, int]) -> None:
    data = GREYS[kind](plane(*size))
    color = colored(data)
    assert scan_bytes(parse(color)) == scan_bytes(parse(data))
    assert parse(color).luminance.table == parse(data).luminance.table
    with Image.open(io.BytesIO(color)) as image:
        image.load()
        assert (image.mode, image.size[::-1]) == ("RGB", size)
    assert np.array_equal(luma(color), luma(data))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", GREYS)
def test_what_was_taken_back_is_the_grey_jpeg(kind: str, size: tuple[int, int]) -> None:
    data = GREYS[kind](plane(*size))
    back = b"".join(grey(parse(colored(data)), JFIF))
    assert scan_bytes(parse(back)) == scan_bytes(parse(data))
    with Image.open(io.BytesIO(back)) as image:
        assert image.mode == "L"
    assert np.array_equal(luma(back), luma(data))


@pytest.mark.parametrize("sampling", [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1)], ids=str)
@pytest.mark.parametrize("progressive", [False, True])
def test_chroma_decodes_to_that_of_the_small_pictures(sampling: tuple[int, int], progressive: bool) -> None:
    data = jpeg(np.full((48, 64), 128, np.uint8), progressive=progressive)
    size = 48 // sampling[1], 64 // sampling[0]
    small = [jpeg(plane(*size, seed), progressive=progressive) for seed in (1, 2)]
    color = b"".join(spliced(parse(data), *map(parse, small), sampling, JFIF))
    found = chroma(color)
    for channel, part in enumerate(small):
        enlarged = np.kron(luma(part), np.ones(sampling[::-1]))
        difference = np.abs(found[..., channel] - enlarged)
        assert difference.mean() < (1e-9 if sampling == (1, 1) else 12)  # decoders smooth what they enlarge


def test_chroma_planes_may_have_different_tables() -> None:
    data = jpeg(plane(32, 32))
    cb, cr = jpeg(plane(16, 16, 1), quality=90), jpeg(plane(16, 16, 2), quality=30)
    tables = [
        part.table
        for part in parse(b"".join(spliced(parse(data), parse(cb), parse(cr), (2, 2), JFIF))).components
    ]
    assert tables == [parse(part).luminance.table for part in (data, cb, cr)]


def test_every_byte_but_the_scan_headers_is_accounted_for() -> None:
    """A color file is no larger than its parts."""
    data = jpeg(plane(300, 200))
    small = [jpeg(plane(150, 100, seed)) for seed in (1, 2)]
    color = b"".join(spliced(parse(data), *map(parse, small), (2, 2), JFIF))
    assert len(color) < len(data) + sum(map(len, small))


def test_luminance_interleaved_with_chroma_is_not_apart() -> None:
    target = io.BytesIO()
    Image.fromarray(np.dstack([plane(32, 32, seed) for seed in range(3)])).save(target, "jpeg")
    found = parse(target.getvalue())
    assert found.luminance_scans is None
    assert found.has_luminance


@pytest.mark.parametrize(("options", "expected"), [({}, True), ({"keep_rgb": True}, False)])
def test_rgb_is_no_luminance(options: dict[str, Any], expected: bool) -> None:
    target = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(target, "jpeg", **options)
    assert parse(target.getvalue()).has_luminance is expected


def test_cmyk_is_no_luminance() -> None:
    target = io.BytesIO()
    Image.new("CMYK", (8, 8)).save(target, "jpeg")
    assert not parse(target.getvalue()).has_luminance


def test_trailing_bytes_are_behind_the_length() -> None:
    data = jpeg(plane(16, 16))
    assert parse(data + b"junk").length == len(data)


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCA])
def test_other_processes_are_told(marker: int) -> None:
    data = bytearray(jpeg(plane(16, 16)))
    data[data.index(b"\xff\xc0") + 1] = marker
    assert not parse(bytes(data)).has_kept_luminance


def test_two_frames_are_told() -> None:
    data = jpeg(plane(16, 16))
    at = data.index(b"\xff\xc0")
    assert not parse(data[:at] + data[at : at + 13] + data[at:]).has_kept_luminance


def test_a_dnl_segment_is_left_out() -> None:
    data = jpeg(plane(16, 16))
    back = b"".join(grey(parse(data[:-2] + segment(0xDC, struct.pack(">H", 16)) + data[-2:]), JFIF))
    assert b"\xff\xdc" not in back
    assert np.array_equal(luma(back), luma(data))


def test_cut_short_is_refused() -> None:
    data = jpeg(plane(64, 64))
    for length in range(2, len(data)):
        with pytest.raises(DamagedPhoto, match="whole copy"):
            parse(data[:length])


def test_millions_of_segments_are_refused_at_once() -> None:
    with pytest.raises(DamagedPhoto):
        parse(b"\xff\xd8" + b"\xff\xe0\0\2" * 2_000_000 + b"\xff\xd9")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 600), st.integers(0, 40))
def test_any_bytes_are_parsed_or_refused(noise: bytes, at: int, cut: int) -> None:
    data = jpeg(plane(24, 24))
    for attempt in (b"\xff\xd8" + noise, data[:at] + noise + data[at + cut :]):
        try:
            found = parse(attempt)
        except DamagedPhoto:
            continue
        assert found.length <= len(attempt)
