"""All or nothing: kills, full disks, links, races, stale and live temporary files."""

from __future__ import annotations

import errno
import io
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest

from photochrom.errors import OptionError, OutputExists, WriteError
from photochrom.photo import Photo, output_suffix, read, remove_stale, write
from photochrom.photo import writing as writing_module
from photochrom.photo.atomic import PART

if TYPE_CHECKING:
    from collections.abc import Callable


def photo(height: int = 40, width: int = 50, value: int = 90) -> Photo:
    array = np.full((height, width, 3), value, np.uint8)
    array[..., 0] = np.arange(width) % 256
    return Photo.from_array(array)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def failing(error: Callable[[], Exception]) -> Photo:
    """A photo whose second strip fails."""

    def rows(top: int, bottom: int) -> np.ndarray:
        if top > 0:
            raise error()
        return np.zeros((bottom - top, 1200, 3), np.uint8)

    return Photo.from_array(np.zeros((2000, 1200), np.uint8)).with_pixels(rows)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "avif"])
@pytest.mark.parametrize("error", [lambda: OSError(errno.EIO, "broken"), lambda: KeyboardInterrupt()])
def test_a_failure_leaves_nothing(tmp_path: Path, suffix: str, error: Callable[[], Exception]) -> None:
    with pytest.raises((WriteError, KeyboardInterrupt)):
        write(failing(error), tmp_path / f"a.{suffix}")
    assert names(tmp_path) == []


def test_a_failure_leaves_the_older_output(tmp_path: Path) -> None:
    path = write(photo(), tmp_path / "a.png")
    before = path.read_bytes()
    with pytest.raises(WriteError):
        write(failing(lambda: OSError(errno.EIO, "broken")), path, overwrite=True)
    assert path.read_bytes() == before
    assert names(tmp_path) == ["a.png"]


def test_overwriting_replaces(tmp_path: Path) -> None:
    path = write(photo(value=1), tmp_path / "a.png")
    with pytest.raises(OutputExists, match="exists already"):
        write(photo(value=2), path)
    assert read(path).pixels[0, 0, 1] == 1
    write(photo(value=2), path, overwrite=True)
    assert read(path).pixels[0, 0, 1] == 2


# --- the input is safe ---------------------------------------------------------------------------


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["itself", "symlink", "hardlink", "folder link", "roundabout"])
def test_the_input_is_never_replaced(tmp_path: Path, kind: str, overwrite: bool) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    original = write(photo(), folder / "a.png")
    before = original.read_bytes()
    target = folder / "b.png"
    if kind == "itself":
        target = original
    elif kind == "symlink":
        target.symlink_to(original)
    elif kind == "hardlink":
        target.hardlink_to(original)
    elif kind == "folder link":
        (tmp_path / "link").symlink_to(folder)
        target = tmp_path / "link" / "a.png"
    else:
        target = folder / ".." / "in" / "a.png"
    with pytest.raises(WriteError, match="never replaced"):
        write(read(original), target, overwrite=overwrite)
    assert original.read_bytes() == before
    assert not [name for name in names(folder) if name.endswith(PART)]


def test_a_dangling_link_is_in_the_way(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(OutputExists):
        write(photo(), target)
    assert names(tmp_path) == ["a.png"]


# --- the disk ------------------------------------------------------------------------------------


def in_child(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_a_file_that_cannot_grow_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    code = """
import resource, signal, sys
import numpy as np
from photochrom.errors import WriteError
from photochrom.photo import Photo, write
noise = np.random.default_rng(0).integers(0, 256, (900, 1200, 3)).astype(np.uint8)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    write(Photo.from_array(noise), sys.argv[1])
except WriteError as error:
    print(error)
"""
    child = in_child(code, str(tmp_path / f"a.{suffix}"))
    assert "was not written: File too large" in child.stdout, child.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "its folder is read-only"),
        (errno.EROFS, "its folder is read-only"),
        (errno.EIO, "was not written"),
    ],
)
def test_the_reason_is_said(tmp_path: Path, number: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match=said):
        write(photo(), tmp_path / "a.png")
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="does not exist, make it first"):
        write(photo(), tmp_path / "none" / "a.png")


def test_a_name_too_long_for_the_disk(tmp_path: Path) -> None:
    with pytest.raises(WriteError):
        write(photo(), tmp_path / f"{'ä' * 200}.png")
    assert names(tmp_path) == []
    longest = "a" * 251 + ".png"
    assert write(photo(), tmp_path / longest).exists()


def test_what_does_not_come_out_as_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(photo: Photo, sink: io.BytesIO, options: object) -> None:
        whole = io.BytesIO()
        encode_whole(photo, whole, options)
        sink.write(whole.getvalue()[:-20])

    for suffix in ("jpg", "png", "tif", "webp", "avif"):
        encode_whole = writing_module._encoder(writing_module.format_of_path(f"a.{suffix}"))
        with monkeypatch.context() as patch:
            patch.setattr(writing_module, "_encoder", lambda fmt: cut)
            with pytest.raises(WriteError, match="damaged"):
                write(photo(), tmp_path / f"a.{suffix}")
    assert names(tmp_path) == []


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "avif"])
def test_verify_decodes(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert write(photo(), tmp_path / f"good.{suffix}", verify=True).exists()
    encode_whole = writing_module._encoder(writing_module.format_of_path(f"a.{suffix}"))

    def spoil(photo: Photo, sink: io.BytesIO, options: object) -> None:
        whole = io.BytesIO()
        encode_whole(photo, whole, options)
        data = bytearray(whole.getvalue())
        middle = len(data) // 2 if suffix != "tif" else 12
        data[middle : middle + 24] = bytes(24)
        sink.write(data)

    noisy = Photo.from_array(np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8))
    monkeypatch.setattr(writing_module, "_encoder", lambda fmt: spoil)
    if suffix in ("png", "tif"):  # the others decode to something whatever their data are
        with pytest.raises(WriteError, match="does not decode"):
            write(noisy, tmp_path / f"bad.{suffix}", verify=True)
        assert names(tmp_path) == [f"good.{suffix}"]


# --- races and kills -----------------------------------------------------------------------------


def test_of_many_writers_one_wins(tmp_path: Path) -> None:
    outcomes: list[str] = []

    def run(value: int) -> None:
        try:
            write(photo(value=value), tmp_path / "a.png")
            outcomes.append("won")
        except OutputExists:
            outcomes.append("lost")

    threads = [threading.Thread(target=run, args=(value,)) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 7 + ["won"]
    assert names(tmp_path) == ["a.png"]


WRITER = """
import sys
import numpy as np
from photochrom.photo import Photo, write
pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
print("ready", flush=True)
for number in range(int(sys.argv[2]), 100_000):
    suffix = ("jpg", "png", "tif")[number % 3]
    write(Photo.from_array(pixels), f"{sys.argv[1]}/{number}.{suffix}", overwrite=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(6)
    for attempt in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(attempt * 1000)], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(chance.uniform(0, 0.25))
            child.send_signal(signal.SIGKILL)
    outputs = [path for path in tmp_path.iterdir() if not path.name.endswith(PART)]
    assert outputs
    for path in outputs:
        assert read(path).pixels.shape == (300, 400, 3)
    remove_stale(tmp_path)
    assert {path.name for path in outputs} == set(names(tmp_path))


@pytest.mark.skipif(sys.platform == "win32", reason="locks are POSIX")
def test_the_next_run_removes_dead_files_and_leaves_living_ones(tmp_path: Path) -> None:
    dead = tmp_path / f".old.png.0123456789ab-00000000{PART}"
    dead.write_bytes(b"half a picture")
    seen: list[str] = []

    def rows(top: int, bottom: int) -> np.ndarray:
        if top == 0:
            seen.extend(names(tmp_path))
            child = in_child(
                "import sys; from pathlib import Path; from photochrom.photo import remove_stale;"
                "print(remove_stale(Path(sys.argv[1])))",
                str(tmp_path),
            )
            assert child.stdout.strip() == "[]", child.stderr
        return np.zeros((bottom - top, 50, 3), np.uint8)

    write(photo().with_pixels(rows), tmp_path / "new.png")
    assert len(seen) == 1
    assert seen[0].startswith(".new.png.")
    assert names(tmp_path) == ["new.png"]


# --- other targets and options -------------------------------------------------------------------


def test_streams_get_the_whole_file_or_nothing() -> None:
    buffer = io.BytesIO()
    assert write(photo(), buffer, format="tiff") == Path("-")
    np.testing.assert_array_equal(read(buffer.getvalue()).pixels, photo().pixels)
    nothing = io.BytesIO()
    with pytest.raises(OSError, match="broken"):
        write(failing(lambda: OSError(errno.EIO, "broken")), nothing, format="png")
    assert nothing.getvalue() == b""


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a", {}, "no suffix"),
        ("a.doc", {}, "not a picture format"),
        ("a.gif", {}, "read but not written"),
        ("a.heic", {}, "read but not written"),
        ("a.jpg", {"depth": 16}, "8 bits only"),
        ("a.png", {"depth": 12}, "depth must be one of 8, 16"),
        ("a.jpg", {"quality": 0}, "quality must"),
        ("a.jpg", {"subsampling": "4:1:1"}, "4:1:1"),
        ("a.png", {"profile": "adobe"}, "adobe"),
        ("a.png", {"format": "pcx"}, "pcx"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, name: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        write(photo(), tmp_path / name, **options)  # type: ignore[arg-type]
    assert names(tmp_path) == []


def test_sizes_that_a_format_cannot_hold(tmp_path: Path) -> None:
    wide = Photo.from_array(np.zeros((1, 66_000), np.uint8))
    for suffix in ("jpg", "webp", "avif"):
        with pytest.raises(WriteError, match="at most"):
            write(wide, tmp_path / f"a.{suffix}")
    assert names(tmp_path) == []
    for suffix in ("png", "tif"):
        assert read(write(wide, tmp_path / f"a.{suffix}"), max_side=70_000).width == 66_000


def test_the_suffix_of_the_output(tmp_path: Path) -> None:
    for given, expected in [("A.JPG", ".JPG"), ("a.jpeg", ".jpeg"), ("a.tiff", ".tiff"), ("a.webp", ".webp")]:
        assert output_suffix(read(write(photo(), tmp_path / given))) == expected
    bilevel = Photo(photo().source, format="tiff", bits=1, path=tmp_path / "a.tif")
    assert output_suffix(bilevel) == ".png"
    assert output_suffix(Photo(photo().source, format="gif", path=tmp_path / "a.gif")) == ".png"
    assert output_suffix(Photo(photo().source, format="jpeg", path=tmp_path / "really_a_jpeg.png")) == ".jpg"
