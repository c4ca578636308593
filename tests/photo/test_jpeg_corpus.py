"""JPEGs of many makes keep their luminance: jpegtran takes the same grey out of them before and after.

Made with libjpeg-turbo's cjpeg and jpegtran (the package libjpeg-turbo-progs), with settings of scanners,
mozjpeg (scan scripts) and Photoshop (segments). The tests skip where these programs are missing, unless
PHOTOCHROM_REQUIRE_JPEGTRAN is set.
"""

from __future__ import annotations

import io
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import pyvips
from PIL import Image

from photochrom.photo import Photo, read, write
from photochrom.photo.jpeg_luminance import compare_luminance, uncolored
from photochrom.photo.segments import segment
from photochrom.photo.writing import luminance_written
from photochrom.upsample import GuidedFilter

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MISSING = not (shutil.which("jpegtran") and shutil.which("cjpeg"))
pytestmark = pytest.mark.skipif(
    MISSING and os.environ.get("PHOTOCHROM_REQUIRE_JPEGTRAN") != "1",
    reason="needs cjpeg and jpegtran: apt install libjpeg-turbo-progs",
)

# scan scripts as cjpeg takes them (its wizard.txt)
GREY_SCRIPTS = {
    "spectral": "0: 0-0, 0, 0; 0: 1-5, 0, 0; 0: 6-63, 0, 0;",
    "successive": "0: 0-0, 0, 1; 0: 1-63, 0, 2; 0: 1-63, 2, 1; 0: 0-0, 1, 0; 0: 1-63, 1, 0;",
    "many": "0: 0-0,0,0; " + "".join(f"0: {n}-{n},0,0; " for n in range(1, 20)) + "0: 20-63,0,0;",
}
COLOR_SCRIPTS = {
    "apart": "0; 1; 2;",
    "chroma together": "0; 1 2;",
    "mozjpeg": "0: 0-0,0,0; 1 2: 0-0,0,0; 0: 1-8,0,2; 1: 1-8,0,0; 2: 1-8,0,0; 0: 9-63,0,2; 0: 1-63,2,1; "
    "0: 1-63,1,0; 1: 9-63,0,0; 2: 9-63,0,0;",
    "DC together": "0 1 2: 0-0,0,0; 0: 1-63,0,0; 1: 1-63,0,0; 2: 1-63,0,0;",
}
WIDE_TABLES = " ".join(str(n) for n in [300, *range(40, 103)])
SIZES = [(1, 1), (7, 5), (1, 64), (64, 1), (33, 47), (130, 201)]


@dataclass(frozen=True)
class Make:
    """How a JPEG is made: by options, a scan script and tables of cjpeg; what is done to the file then."""

    name: str
    options: tuple[str, ...] = ()
    script: str = ""
    tables: str = ""
    grey: bool = True
    size: tuple[int, int] = (33, 47)
    after: str = ""


GREY = [
    *(Make("baseline", size=size) for size in SIZES),
    *(Make("optimized", ("-optimize",), size=size) for size in SIZES),
    *(Make("progressive", ("-progressive",), size=size) for size in SIZES),
    *(Make("restarts by rows", ("-restart", "1"), size=size) for size in SIZES[2:]),
    *(Make("restarts by blocks", ("-restart", "3B", "-progressive"), size=size) for size in SIZES[2:]),
    *(Make(f"quality {q}", ("-quality", str(q))) for q in (10, 75, 100)),
    *(Make(f"script {name}", script=script) for name, script in GREY_SCRIPTS.items()),
    Make("wide tables", tables=WIDE_TABLES),
    Make("wide tables, progressive", ("-progressive",), tables=WIDE_TABLES),
    *(Make(after, after=after) for after in ("photoshop", "trailing", "thumbnail", "sampled", "fill bytes")),
]
COLOR = [
    *(
        Make(f"{sampling} {' '.join(options)}", ("-sample", sampling, *options), grey=False, size=size)
        for sampling, options, size in product(
            ("1x1", "2x1", "1x2", "2x2", "4x1", "4x2"),
            ((), ("-progressive",), ("-restart", "1")),
            ((33, 47), (130, 201)),
        )
    ),
    *(Make(f"script {name}", script=script, grey=False) for name, script in COLOR_SCRIPTS.items()),
    *(Make("small", ("-sample", "2x2"), grey=False, size=size) for size in SIZES[:4]),
    Make("wide tables", tables=f"{WIDE_TABLES} {WIDE_TABLES}", grey=False),
    Make("photoshop", ("-sample", "1x1"), grey=False, after="photoshop"),
    Make("many segments", grey=False, after="many segments"),
]


def scene(height: int, width: int, grey: bool) -> NDArray[np.uint8]:
    rng = np.random.default_rng(height * 1000 + width)
    rows, columns = np.mgrid[:height, :width]
    base = 128 + 90 * np.sin(columns / 9) * np.cos(rows / 7) + rng.normal(0, 6, (height, width))
    base[: height // 4, : width // 3], base[-(height // 4) :, : width // 4] = 255, 0
    tone = base[..., None] + (np.zeros(3) if grey else np.array([20, 0, -25]))
    return np.clip(tone, 0, 255).astype(np.uint8)


def made(make: Make, folder: Path) -> bytes:
    pixels = scene(*make.size, make.grey)
    head = f"P6 {make.size[1]} {make.size[0]} 255\n".encode()
    (folder / "in.ppm").write_bytes(head + pixels.tobytes())
    command = ["cjpeg", *make.options, *(["-grayscale"] if make.grey else [])]
    for flag, text in (("-scans", make.script), ("-qtables", make.tables)):
        if text:
            (folder / flag[1:]).write_text(text)
            command += [flag, str(folder / flag[1:])]
    data = run([*command, str(folder / "in.ppm")])
    return AFTER[make.after](data) if make.after else data


def run(command: list[str], data: bytes | None = None) -> bytes:
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


def with_segments(data: bytes, *segments: bytes) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


def photoshop(data: bytes) -> bytes:
    """Without JFIF, with the segments that Photoshop writes."""
    data = data[:2] + data[20:]
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes((1 if b"\xff\xc0\0\x11" in data else 0,)))
    resources = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x05\x1c\x02\x05\0\0" + b"\0"
    return with_segments(data, segment(0xED, resources), segment(0xEC, b"Ducky\0\1\0\4\0\0\0\x50\0\0"), adobe)


def with_thumbnail(data: bytes) -> bytes:
    """EXIF whose second directory holds a whole small JPEG."""
    small = io.BytesIO()
    Image.new("RGB", (16, 12), "red").save(small, "jpeg")
    exif = Image.Exif()
    exif[0x010F] = "Scanner"
    block = bytearray(exif.tobytes()[6:])
    order = "<" if block[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, first)
    struct.pack_into(order + "I", block, first + 2 + 12 * count, len(block))
    at = len(block) + 2 + 24 + 4
    block += struct.pack(order + "H", 2) + struct.pack(order + "HHII", 0x0201, 4, 1, at)
    block += struct.pack(order + "HHII", 0x0202, 4, 1, len(small.getvalue())) + bytes(4) + small.getvalue()
    return with_segments(data, segment(0xE1, b"Exif\0\0" + bytes(block)))


def with_sampling(data: bytes) -> bytes:
    at = data.index(b"\xff\xc0\0\x0b")
    return data[: at + 11] + b"\x22" + data[at + 12 :]


def with_fill_bytes(data: bytes) -> bytes:
    return data.replace(b"\xff\xda", b"\xff\xff\xff\xff\xda", 1).replace(b"\xff\xc4", b"\xff\xff\xc4", 1)


AFTER = {
    "many segments": lambda data: with_segments(data, *[segment(0xE5, bytes(999)) for _ in range(80)]),
    "photoshop": photoshop,
    "trailing": lambda data: data + b"\xff\xd8 another " * 9,
    "thumbnail": with_thumbnail,
    "sampled": with_sampling,
    "fill bytes": with_fill_bytes,
}


def grey_by_jpegtran(data: bytes) -> bytes:
    """All of the grey JPEG but JFIF's version."""
    return run(["jpegtran", "-grayscale", "-copy", "none", "-optimize"], data)[20:]


def colored(photo: Photo) -> Photo:
    """Colors that change over the picture, strong ones among them."""

    rows, columns = np.mgrid[: -(-photo.height // 2), : -(-photo.width // 2)]
    ab = np.dstack([40 * np.sin(columns / 11), 50 * np.cos(rows / 13)]).astype(np.float32)
    chroma = GuidedFilter(np.zeros_like(ab), ab)
    return photo.with_pixels(lambda top, bottom: photo.rows(top, bottom), chroma=chroma)


def checked(data: bytes) -> bytes:
    """The colored file, after all that other programs have to say of it."""
    photo = colored(read(data))
    target = io.BytesIO()
    assert luminance_written(photo, target, format="jpeg") == "identical"
    write(photo, target, format="jpeg")
    result = target.getvalue()
    assert grey_by_jpegtran(result) == grey_by_jpegtran(data)
    with Image.open(io.BytesIO(result)) as image:
        by_pillow = np.asarray(image).astype(int)
        assert image.mode == "RGB"
    by_opencv = cv2.imdecode(np.frombuffer(result, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    by_vips = pyvips.Image.jpegload_buffer(result, fail_on="warning").numpy()
    assert np.abs(by_pillow - by_opencv).max() <= 1
    assert np.abs(by_pillow - by_vips).max() <= 1
    assert compare_luminance(data, result) == "identical"
    return result


def name_of(make: Make) -> str:
    return f"{make.name} {make.size[0]}x{make.size[1]}"


def test_the_corpus_is_large() -> None:
    assert len(GREY) + len(COLOR) >= 60


@pytest.mark.parametrize("make", GREY, ids=name_of)
def test_grey(make: Make, tmp_path: Path) -> None:
    data = made(make, tmp_path)
    result = checked(data)
    assert grey_by_jpegtran(uncolored(read(result))) == grey_by_jpegtran(data)


@pytest.mark.parametrize("make", COLOR, ids=name_of)
def test_color(make: Make, tmp_path: Path) -> None:
    pytest.importorskip("jpeglib")
    data = made(make, tmp_path)
    result = checked(data)
    assert grey_by_jpegtran(uncolored(read(result))) == grey_by_jpegtran(data)
    assert grey_by_jpegtran(uncolored(read(data))) == grey_by_jpegtran(data)


@pytest.mark.parametrize("make", COLOR, ids=name_of)
def test_color_without_jpeglib(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantized again: a level of Y' here and there, and the same blocks and table."""
    monkeypatch.setattr("photochrom.photo.jpeg_original.has_jpeglib", lambda: False)
    data = made(make, tmp_path)
    photo = colored(read(data))
    kept = luminance_written(photo, io.BytesIO(), format="jpeg")
    apart = make.name in ("script apart", "script chroma together", "script mozjpeg")
    assert kept == ("identical" if apart else "requantized")
    target = io.BytesIO()
    write(photo, target, format="jpeg")
    flags = cv2.IMREAD_GRAYSCALE
    before, after = (cv2.imdecode(np.frombuffer(part, np.uint8), flags) for part in (data, target.getvalue()))
    difference = np.abs(before.astype(int) - after)
    assert np.mean(difference > 1) < 0.01
    if kept == "identical":
        assert not difference.any()


@pytest.mark.parametrize("options", [("-arithmetic",), ("-rgb",)], ids=str)
def test_what_cannot_be_kept_is_encoded_anew(options: tuple[str, ...], tmp_path: Path) -> None:
    data = made(Make("other", options, grey=False), tmp_path)
    photo = colored(read(data))
    assert luminance_written(photo, io.BytesIO(), format="jpeg") == "encoded"
