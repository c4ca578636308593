"""Hostile and broken files: a picture or one of our errors, soon and in little memory.

The files of public test suites are beside a checkout in some places only; the fuzzing needs nothing but
seeds that are made here.
"""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from photochrom.errors import DamagedPhoto, PhotochromError, PhotoError, TooLarge, UnknownFormat
from photochrom.photo import Metadata, Photo, ifd, read, write
from photochrom.photo.png import chunk

MALFORMED = Path(os.environ.get("PHOTOCHROM_TEST_DATA", "unset")) / "malformed"
MOST_SECONDS, MOST_BYTES = 10.0, 1 << 30

CHILD = """
import json, sys, time
from pathlib import Path
from photochrom.errors import PhotochromError
from photochrom.photo import read
for path in sorted(Path(sys.argv[1]).iterdir()):
    started = time.monotonic()
    try:
        photo = read(path)
        for _ in photo.strips():
            pass
        outcome = "picture"
    except PhotochromError as error:
        outcome = type(error).__name__
        assert str(error).startswith(str(path)), error
        assert "\\n" not in str(error), error
    print(json.dumps([path.name, outcome, time.monotonic() - started]))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps(["peak", "bytes", int(peak.split()[1]) * 1024]))
"""


@pytest.mark.skipif(not MALFORMED.is_dir(), reason="the collection of malformed files is not here")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_every_malformed_file() -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(MALFORMED)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    lines = [json.loads(line) for line in child.stdout.splitlines()]
    *files, (_, _, peak) = lines
    assert len(files) == len(list(MALFORMED.iterdir()))
    assert {outcome for _, outcome, _ in files} == {"picture", "DamagedPhoto", "UnknownFormat", "TooLarge"}
    assert max(seconds for _, _, seconds in files) < MOST_SECONDS
    assert peak < MOST_BYTES


# --- seeds of every format -----------------------------------------------------------------------


def picture() -> np.ndarray:
    y, x = np.mgrid[:40, :56]
    return np.stack([x * 4, y * 5, (x + y) * 2], axis=-1).astype(np.uint8)


def with_pillow(name: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture()).convert(mode).save(buffer, name, **options)
    return buffer.getvalue()


def ours(name: str, dtype: type = np.uint8) -> bytes:
    exif = ifd.dump({0x010E: ifd.Field(2, b"caption\0"), ifd.EXIF_IFD: {0x9003: ifd.Field(2, b"1931\0")}})
    xmp = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>'
    array = picture().astype(dtype) * (257 if dtype == np.uint16 else 1)
    metadata = Metadata(exif=exif, xmp=xmp, iptc=b"\x1c\x02\x78\0\4text", dpi=(300.0, 300.0))
    buffer = io.BytesIO()
    write(Photo(Photo.from_array(array.astype(dtype)).source, metadata), buffer, format=name)
    return buffer.getvalue()


def seeds() -> dict[str, bytes]:
    made = {name: ours(name) for name in ("jpeg", "png", "tiff", "webp", "avif")}
    made |= {f"{name} 16": ours(name, np.uint16) for name in ("png", "tiff")}
    made |= {
        "progressive jpeg": with_pillow("JPEG", progressive=True),
        "cmyk jpeg": with_pillow("JPEG", "CMYK"),
        "palette png": with_pillow("PNG", "P"),
        "bilevel png": with_pillow("PNG", "1"),
        "lzw tiff": with_pillow("TIFF", compression="tiff_lzw"),
        "jpeg tiff": with_pillow("TIFF", compression="jpeg"),
        "fax tiff": with_pillow("TIFF", "1", compression="group4"),
        "cmyk tiff": with_pillow("TIFF", "CMYK"),
        "lossless webp": with_pillow("WEBP", lossless=True),
        "jpeg 2000": with_pillow("JPEG2000"),
        "bmp": with_pillow("BMP"),
        "gif": with_pillow("GIF"),
    }
    return made


SEEDS = seeds()


@pytest.mark.parametrize("name", SEEDS)
def test_the_seeds_are_whole(name: str) -> None:
    photo = read(SEEDS[name])
    assert (photo.height, photo.width) == (40, 56)
    assert photo.warnings == ()


def survives(data: bytes) -> Photo | None:
    """A picture or None; anything but a PhotoError, and any delay, fails the test."""
    started = time.monotonic()
    try:
        photo = read(data)
        for _ in photo.strips():
            pass
    except PhotoError as error:
        said, photo = str(error), None
    if photo is None:
        assert said.strip()
        assert "\n" not in said
    assert time.monotonic() - started < MOST_SECONDS
    return photo


fuzz = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(name=st.sampled_from(sorted(SEEDS)), share=st.floats(0, 1, exclude_max=True))
@example("jpeg 2000", 0.53515625)  # right before its only tile: the decoder makes grey of that, in silence
@fuzz
def test_truncations(name: str, share: float) -> None:
    data = SEEDS[name]
    kept = data[: int(share * len(data))]
    photo = survives(kept)
    if photo is not None:  # what is missing is said, or is but the mark of the end
        assert photo.warnings or len(data) - len(kept) <= 12


@given(
    name=st.sampled_from(sorted(SEEDS)),
    place=st.floats(0, 1, exclude_max=True),
    number=st.sampled_from([0, 1, 0x7FFF, 0xFFFF, 60_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
    code=st.sampled_from(["<H", ">H", "<I", ">I"]),
)
@fuzz
def test_headers_that_lie(name: str, place: float, number: int, code: str) -> None:
    data = bytearray(SEEDS[name])
    at = int(place * min(len(data) - 4, 600))
    limit = 0xFFFF if code.endswith("H") else 0xFFFFFFFF
    data[at : at + struct.calcsize(code)] = struct.pack(code, min(number, limit))
    survives(bytes(data))


@given(
    name=st.sampled_from(sorted(SEEDS)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=12),
)
@fuzz
def test_flipped_bytes(name: str, changes: list[tuple[float, int]]) -> None:
    data = bytearray(SEEDS[name])
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    survives(bytes(data))


@given(head=st.sampled_from([data[:16] for data in SEEDS.values()] + [b""]), tail=st.binary(max_size=300))
@fuzz
def test_any_bytes(head: bytes, tail: bytes) -> None:
    survives(head + tail)


# --- bombs and liars -----------------------------------------------------------------------------


def png_of(width: int, height: int, *chunks: bytes, data: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(data))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + body + chunk(b"IEND", b"")


def tiff_of(width: int, height: int) -> bytes:
    fields: ifd.Directory = {
        256: ifd.longs([width]),
        257: ifd.longs([height]),
        258: ifd.shorts(8),
        262: ifd.shorts(1),
    }
    return ifd.dump(fields | {273: ifd.longs([8]), 278: ifd.longs([height]), 279: ifd.longs([40])})


def jpeg_of(width: int, height: int) -> bytes:
    data = bytearray(SEEDS["jpeg"])
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def bmp_of(width: int, height: int) -> bytes:
    data = bytearray(SEEDS["bmp"])
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def gif_of(width: int, height: int) -> bytes:
    data = bytearray(SEEDS["gif"])
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


@pytest.mark.parametrize("maker", [png_of, tiff_of, jpeg_of, bmp_of, gif_of])
def test_a_bomb_is_too_large_before_it_is_decoded(maker: object) -> None:
    started = time.monotonic()
    with pytest.raises(TooLarge):
        read(maker(60_000, 60_000))  # type: ignore[operator]
    assert time.monotonic() - started < 1


def test_the_limits_are_options() -> None:
    with pytest.raises(TooLarge, match="over 50 a side"):
        read(SEEDS["png"], max_side=50)
    with pytest.raises(TooLarge, match="raise --max-pixels"):
        read(SEEDS["png"], max_pixels=40 * 56 - 1)
    with pytest.raises(TooLarge, match="convert it to plain TIFF"):
        read(SEEDS["progressive jpeg"], max_pixels=40 * 56 * 2)
    assert read(SEEDS["png"], max_pixels=40 * 56).width == 56
    with pytest.raises(TooLarge):
        read(png_of(60_001, 1))


def test_a_profile_that_unpacks_without_end() -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    texts = [chunk(b"zTXt", b"Comment\0\0" + bomb), chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb)]
    for piece in (chunk(b"iCCP", b"a\0\0" + bomb), *texts):
        photo = survives(png_of(4, 4, piece, data=bytes(20)))
        assert photo is None or len(photo.metadata.xmp or b"") < 1 << 25


def test_many_samples_a_pixel_are_no_photograph() -> None:
    fields: ifd.Directory = {256: ifd.longs([4]), 257: ifd.longs([4]), 258: ifd.shorts(*[8] * 40)}
    fields |= {262: ifd.shorts(1), 277: ifd.shorts(40), 338: ifd.shorts(*[0] * 39)}
    fields |= {273: ifd.longs([8]), 278: ifd.longs([4]), 279: ifd.longs([640])}
    with pytest.raises(UnknownFormat, match="40 channels"):
        read(ifd.dump(fields) + bytes(640))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"Dear diary, today", "not a picture"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"8BPS\0\1", "Photoshop"),
        (b"<svg xmlns=", "SVG"),
        (b"\0\0\0\x20ftypisom" + bytes(16) + b"mp42", "video"),
    ],
)
def test_strangers_get_advice(data: bytes, said: str) -> None:
    with pytest.raises(UnknownFormat, match=said):
        read(data)


def test_a_text_file_called_jpg(tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_text("not a photo")
    with pytest.raises(UnknownFormat, match=r"holiday\.jpg: not a picture in a format that is read"):
        read(path)


def test_invalid_extras_are_warnings() -> None:
    jpeg = SEEDS["jpeg"]
    exif = jpeg.index(b"Exif\0\0")
    broken = jpeg[: exif + 6] + b"XXXX" + jpeg[exif + 10 :]
    photo = read(broken)
    assert photo.metadata.exif is None
    assert "EXIF does not parse" in photo.warnings[0]
    packet = jpeg.replace(b"</rdf:RDF>", b"</rdf:XXX>")
    assert "XMP does not parse" in read(packet).warnings[0]
    profile = read(png_of(4, 4, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(300))), data=bytes(20)))
    assert profile.pixels.shape == (4, 4)


def test_a_few_lost_bytes_of_a_jpeg_are_a_warning() -> None:
    array = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    write(Photo.from_array(array), buffer, format="jpeg")
    data = bytearray(buffer.getvalue())
    middle = len(data) // 2
    data[middle : middle + 40] = b"\xff" * 40  # what no entropy-coded data hold, so the decoder notices
    photo = read(bytes(data))
    assert photo.pixels.shape == (64, 64, 3)
    assert "damaged" in photo.warnings[0]


def test_errors_are_ours_for_what_is_no_file(tmp_path: Path) -> None:
    for source, said in [
        (tmp_path / "none.jpg", "does not exist"),
        (tmp_path, "is a folder"),
        ("a\0b", "cannot be read"),
    ]:
        with pytest.raises(PhotochromError, match=said):
            read(source)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from photochrom.photo import decoding as decoding_module

    monkeypatch.setattr(decoding_module, "IN_MEMORY", 0)
    path = tmp_path / "a.png"
    path.write_bytes(SEEDS["png"])
    photo = read(path)
    path.write_bytes(SEEDS["png 16"])
    with pytest.raises(DamagedPhoto, match="changed while it was read"):
        photo.rows(0, 16)
    photo = read(path)
    assert photo.rows(0, 16).shape == (16, 56, 3)
    os.utime(path, (1, 1))
    with pytest.raises(DamagedPhoto, match="changed while it was read"):
        photo.rows(16, 40)


def test_no_warnings_leak() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in SEEDS.values():
            survives(data[: len(data) // 2])


def tiff_with(tag: int, data: bytes) -> bytes:
    fields: ifd.Directory = {256: ifd.longs([4]), 257: ifd.longs([4]), 258: ifd.shorts(8), 262: ifd.shorts(1)}
    fields |= {273: ifd.longs([8]), 278: ifd.longs([4]), 279: ifd.longs([16]), tag: ifd.Field(7, data)}
    return ifd.dump(fields)


def tiff_of_pages(count: int) -> bytes:
    pages = bytearray(b"II*\0\x08\0\0\0")
    for page in range(count):
        at = len(pages)
        directory = bytearray(tiff_with(1, b"x")[8:])
        struct.pack_into("<I", directory, len(directory) - 4, at + len(directory) if page < count - 1 else 0)
        pages += directory
    return bytes(pages)


NESTED = (
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' + b"<a/>" * 1_000_000 + b"</rdf:RDF>"
)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("segments without content", SEEDS["jpeg"][:2] + b"\xff\xe5\0\2" * 3_000_000 + SEEDS["jpeg"][2:]),
        ("chunks without content", png_of(4, 4, chunk(b"teSt", b"") * 1_000_000, data=bytes(20))),
        ("a million texts", png_of(4, 4, chunk(b"tEXt", b"a\0b") * 300_000, data=bytes(20))),
        (
            "elements without end in PNG",
            png_of(4, 4, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + NESTED), data=bytes(20)),
        ),
        ("elements without end in TIFF", tiff_with(700, NESTED)),
        ("captions without end", tiff_with(33723, b"\x1c\2\x19\0\0" * 4_000_000)),
        ("pages without end", tiff_of_pages(20_000)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_metadata_without_end(name: str, data: bytes) -> None:
    photo = survives(data)
    assert photo is not None, name
    assert len(photo.metadata.texts) <= 256
    assert len(photo.metadata.iptc or b"") <= 4 << 20
