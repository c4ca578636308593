"""photochrom colorize, by its public contract."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from photochrom.color import rgb_to_lab
from photochrom.photo import read
from photochrom.provenance import is_marked

if TYPE_CHECKING:
    from pathlib import Path


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# --- where results go ----------------------------------------------------------------------------


def test_one_photo_beside_itself(photochrom, photo, tmp_path: Path) -> None:
    path = photo("a.jpg")
    before = path.read_bytes()
    done = photochrom("colorize", "a.jpg")
    assert (done.code, done.lines) == (0, ["a.colorized.jpg"])
    assert tree(tmp_path) == ["a.colorized.jpg", "a.jpg"]
    assert path.read_bytes() == before
    assert read(tmp_path / "a.colorized.jpg").rgb.shape == (32, 48, 3)


@pytest.mark.parametrize("out", ["b.png", "new/b.tif", "b.JPG", "new/er/b.webp"])
def test_one_photo_into_a_file(photochrom, photo, tmp_path: Path, out: str) -> None:
    photo("a.jpg")
    assert photochrom("colorize", "a.jpg", "-o", out).lines == [out]
    assert read(tmp_path / out).height == 32


def test_one_photo_into_a_folder(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg")
    photochrom("colorize", "in/a.jpg", "-o", "out")
    (tmp_path / "odd.jpg").mkdir()
    photochrom("colorize", "in/a.jpg", "-o", "odd.jpg")
    assert tree(tmp_path) == ["in/a.jpg", "odd.jpg/a.jpg", "out/a.jpg"]


def test_a_tree_is_kept(photochrom, photo, tmp_path: Path) -> None:
    for name in ("in/a.jpg", "in/x/b.png", "in/x/y/c.tif", "in/x/a.colorized.jpg"):
        photo(name)
    (tmp_path / "in/notes.txt").write_text("no photo")
    done = photochrom("colorize", "in", "-o", "out")
    assert done.code == 0
    assert sorted(done.lines) == ["out/a.jpg", "out/x/b.png", "out/x/y/c.tif"]
    assert tree(tmp_path / "out") == ["a.jpg", "x/b.png", "x/y/c.tif"]


def test_a_folder_without_o_and_its_rerun(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg")
    photo("in/x/b.png")
    assert photochrom("colorize", "in").code == 0
    made = ["a.colorized.jpg", "a.jpg", "x/b.colorized.png", "x/b.png"]
    assert tree(tmp_path / "in") == made
    again = photochrom("colorize", "in", "--if-exists", "skip")
    assert (again.code, again.lines) == (0, [])
    assert tree(tmp_path / "in") == made


@pytest.mark.parametrize(("name", "out"), [("a.gif", "a.colorized.png"), ("a.bmp", "a.colorized.png")])
def test_formats_that_cannot_hold_color_become_png(
    photochrom, photo, tmp_path: Path, name: str, out: str
) -> None:
    photo(name)
    assert photochrom("colorize", name).lines == [out]
    with Image.open(tmp_path / out) as image:
        assert image.format == "PNG"


def test_a_bilevel_tiff_becomes_png(photochrom, tmp_path: Path) -> None:
    Image.fromarray(np.eye(64, dtype=np.uint8) * 255).convert("1").save(
        tmp_path / "a.tif", compression="group4"
    )
    assert photochrom("colorize", "a.tif").lines == ["a.colorized.png"]


def test_several_photos_cannot_go_into_a_file_that_exists(photochrom, photo, tmp_path: Path) -> None:
    photo("a.jpg")
    photo("b.jpg")
    (tmp_path / "out").write_text("mine")
    assert photochrom("colorize", "a.jpg", "b.jpg", "-o", "out").code == 2
    assert (tmp_path / "out").read_text() == "mine"


def test_an_output_format_that_is_not_written(photochrom, photo, tmp_path: Path) -> None:
    photo("a.jpg")
    done = photochrom("colorize", "a.jpg", "-o", "b.gif")
    assert done.code == 2
    assert "GIF" in done.err
    assert tree(tmp_path) == ["a.jpg"]


# --- what is there already -----------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "code"), [(None, 1), ("error", 1), ("skip", 0), ("overwrite", 0)])
def test_the_target_exists(photochrom, photo, tmp_path: Path, policy: str | None, code: int) -> None:
    photo("a.jpg")
    (tmp_path / "a.colorized.jpg").write_bytes(b"mine")
    done = photochrom("colorize", "a.jpg", "--json", *(["--if-exists", policy] if policy else []))
    assert done.code == code
    kept = (tmp_path / "a.colorized.jpg").read_bytes() == b"mine"
    assert kept is (policy != "overwrite")
    expected = {None: "failed", "error": "failed", "skip": "skipped", "overwrite": "done"}[policy]
    assert done.documents[0]["status"] == expected


@pytest.mark.parametrize("way", ["same", "dot", "symlink", "hardlink"])
def test_the_photo_itself_is_never_replaced(photochrom, photo, tmp_path: Path, way: str) -> None:
    path = photo("a.jpg")
    before = path.read_bytes()
    out = {"same": "a.jpg", "dot": "./a.jpg", "symlink": "b.jpg", "hardlink": "b.jpg"}[way]
    if way == "symlink":
        (tmp_path / out).symlink_to(path)
    if way == "hardlink":
        (tmp_path / out).hardlink_to(path)
    for policy in ("error", "overwrite"):
        done = photochrom("colorize", "a.jpg", "-o", out, "--if-exists", policy)
        assert done.code in (1, 2)
        assert done.err.startswith("error: ")
        assert path.read_bytes() == before


def test_an_output_folder_that_is_the_input_folder(photochrom, photo, tmp_path: Path) -> None:
    path = photo("in/a.jpg")
    before = path.read_bytes()
    assert photochrom("colorize", "in/a.jpg", "-o", "in", "--if-exists", "overwrite").code == 2
    assert path.read_bytes() == before


def test_names_that_collide_are_found_before_work_starts(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.gif")
    photo("in/a.bmp")
    photo("in/b.jpg")
    done = photochrom("colorize", "in", "-o", "out")
    assert done.code == 2
    assert "would both become" in done.err
    assert not (tmp_path / "out").exists()


# --- what is said --------------------------------------------------------------------------------


def test_json_lines(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg")
    (tmp_path / "in/b.jpg").write_text("no photo")
    photo("in/c.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/c.jpg").write_bytes(b"mine")
    done = photochrom("colorize", "in", "-o", "out", "--json", "--if-exists", "skip")
    assert done.code == 3
    a, b, c = done.documents
    for document in (a, b, c):
        assert list(document) == ["input", "output", "status", "error", "model", "seconds", "luminance"]
    assert (a["input"], a["output"], a["status"], a["error"]) == ("in/a.jpg", "out/a.jpg", "done", None)
    assert a["model"] == "photochrom"
    assert a["seconds"] > 0
    assert [a["luminance"], b["luminance"], c["luminance"]] == ["identical", None, None]
    assert (b["status"], b["output"], b["model"]) == ("failed", None, None)
    assert "JPEG, PNG or TIFF" in b["error"]
    assert (c["status"], c["output"]) == ("skipped", "out/c.jpg")


@pytest.mark.parametrize(
    ("good", "bad", "code"), [(1, 0, 0), (2, 0, 0), (0, 1, 1), (0, 2, 1), (1, 1, 3), (2, 1, 3)]
)
def test_exit_codes_and_the_list_of_what_failed(photochrom, photo, tmp_path: Path, good, bad, code) -> None:
    names = [photo(f"good{n}.jpg", n).name for n in range(good)]
    for n in range(bad):
        (tmp_path / f"bad{n}.jpg").write_bytes(b"nonsense")
        names.append(f"bad{n}.jpg")
    done = photochrom("colorize", *names)
    assert done.code == code
    assert len(done.lines) == good
    for n in range(bad):
        assert f"error: bad{n}.jpg: " in done.err


def test_no_progress_bar_without_a_terminal(photochrom, photo) -> None:
    photo("a.jpg")
    photo("b.jpg")
    done = photochrom("colorize", "a.jpg", "b.jpg", "-o", "out")
    assert "\r" not in done.err
    assert "%" not in done.err


def on_a_terminal(*arguments: object, code: str = "pass") -> tuple[str, list[str]]:
    """What a command shows on a terminal, and the lines of its standard output."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))
    start = f"from photochrom.cli import main, report; {code}; main()"
    command = [sys.executable, "-c", start, *map(str, arguments)]
    done = subprocess.run(command, stderr=theirs, stdout=subprocess.PIPE, check=True, text=True)
    os.close(theirs)
    try:
        shown = os.read(ours, 100_000).decode()
    except OSError:  # nothing was written before the other end was closed
        shown = ""
    os.close(ours)
    return shown, done.stdout.splitlines()


TERMINAL = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")


@TERMINAL
def test_a_progress_bar_for_several_photos(photo, tmp_path: Path) -> None:
    names = [photo(f"in/{n}.jpg", n) for n in range(2)]
    shown, lines = on_a_terminal("colorize", tmp_path / "in", "-o", tmp_path / "out")
    assert "0/2" in shown
    assert "2 photos: 2 done" in shown
    assert len(lines) == len(names)


@TERMINAL
def test_progress_within_one_photo_if_it_takes_long(photo, tmp_path: Path) -> None:
    path = photo("a.png", width=1200, height=900)
    at_once = "report.RowsBar._MOMENT = 0"
    shown, lines = on_a_terminal("colorize", path, "-o", tmp_path / "slow.png", code=at_once)
    assert "  0%" in shown
    assert "left" in shown
    assert lines == [str(tmp_path / "slow.png")]
    shown, _ = on_a_terminal("colorize", path, "-o", tmp_path / "b.png", code="report.RowsBar._MOMENT = 999")
    assert "%" not in shown


def test_a_color_photo_is_warned_about(photochrom, tmp_path: Path) -> None:
    ramp = np.zeros((64, 64, 3), np.uint8)
    ramp[..., 0] = np.arange(64) * 4
    ramp[..., 2] = np.arange(64)[:, None] * 4
    Image.fromarray(ramp).save(tmp_path / "a.png")
    done = photochrom("colorize", "a.png")
    assert done.code == 0
    assert "warning: a.png: it is a color photo already" in done.err
    assert done.lines == ["a.colorized.png"]


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"just text\n", b"\xff\xd8\xff\xe0 cut", b"\x89PNG\r\n\x1a\n", b"II*\0"]
)
def test_what_is_no_photo(photochrom, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    done = photochrom("colorize", "a.jpg")
    assert done.code == 1
    assert done.err.startswith("error: a.jpg: ")
    assert tree(tmp_path) == ["a.jpg"]


def test_a_truncated_photo(photochrom, photo, tmp_path: Path) -> None:
    path = photo("a.png", width=300, height=300)
    path.write_bytes(path.read_bytes()[:-200])
    assert photochrom("colorize", "a.png").code == 1
    assert tree(tmp_path) == ["a.png"]


def test_a_missing_photo_and_an_empty_folder(photochrom, tmp_path: Path) -> None:
    assert photochrom("colorize", "gone.jpg").code == 1
    (tmp_path / "empty").mkdir()
    done = photochrom("colorize", "empty")
    assert done.code == 1
    assert "no photo in empty" in done.err


def test_an_unknown_model(photochrom, photo, tmp_path: Path) -> None:
    photo("a.jpg")
    done = photochrom("colorize", "a.jpg", "--model", "nonesuch")
    assert done.code == 4
    assert "nonesuch" in done.err
    assert photochrom("colorize", "a.jpg", "a.jpg", "-o", "out", "--model", "x.onnx").code == 4
    assert tree(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize(
    "hint",
    [
        {"x": 2, "y": 0.5, "color": "#ff0000"},
        {"x": 0.5, "y": 0.5, "color": "red-ish"},
        {"x": 0.5, "y": 0.5},
        {"x": "left", "y": 0.5, "color": "#ff0000"},
    ],
)
def test_hints_that_make_no_sense(photochrom, photo, tmp_path: Path, hint: dict) -> None:
    photo("a.jpg")
    (tmp_path / "h.json").write_text(json.dumps({"version": 1, "hints": [hint]}))
    done = photochrom("colorize", "a.jpg", "--hints", "h.json")
    assert done.code == 2
    assert "h.json, hint 1" in done.err
    assert tree(tmp_path) == ["a.jpg", "h.json"]


def test_a_hints_file_that_is_missing_or_no_json(photochrom, photo, tmp_path: Path) -> None:
    photo("a.jpg")
    assert photochrom("colorize", "a.jpg", "--hints", "gone.json").code == 2
    (tmp_path / "h.json").write_text("{")
    assert photochrom("colorize", "a.jpg", "--hints", "h.json").code == 2


@pytest.mark.parametrize(
    "option",
    [["--vividness", "1.5"], ["--quality", "0"], ["--depth", "12"], ["--page", "-1"], ["--max-pixels", "0"]],
)
def test_options_out_of_range(photochrom, photo, option: list[str]) -> None:
    photo("a.jpg")
    assert photochrom("colorize", "a.jpg", *option).code == 2


def test_the_limit_on_pixels(photochrom, photo) -> None:
    photo("a.jpg")
    done = photochrom("colorize", "a.jpg", "--max-pixels", "1000")
    assert done.code == 1
    assert "--max-pixels" in done.err


@pytest.mark.parametrize("mode", ["CMYK", "P", "1", "LA", "RGBA", "I;16"])
def test_every_kind_of_picture(photochrom, tmp_path: Path, mode: str) -> None:
    plane = np.tile(np.linspace(0, 255, 60).astype(np.uint8), (40, 1))
    if mode == "I;16":
        Image.fromarray(plane.astype(np.uint16) * 257).save(tmp_path / "a.tif")
    else:
        Image.fromarray(plane).convert("RGB" if mode == "CMYK" else "L").convert(mode).save(
            tmp_path / "a.tif"
        )
    done = photochrom("colorize", "a.tif", "-o", "out")
    assert done.code == 0, done.err
    assert read(tmp_path / done.lines[0]).rgb.shape == (40, 60, 3)


@pytest.mark.parametrize("size", [(1, 1), (20000, 10), (3, 500)])
def test_odd_shapes(photochrom, photo, tmp_path: Path, size: tuple[int, int]) -> None:
    photo("a.png", width=size[0], height=size[1])
    assert photochrom("colorize", "a.png").code == 0
    assert read(tmp_path / "a.colorized.png").rgb.shape == (size[1], size[0], 3)


# --- options that change the picture -------------------------------------------------------------


def test_hints_are_obeyed(photochrom, photo, tmp_path: Path) -> None:
    photo("a.png", width=96, height=96)
    hint = {"x": 0.5, "y": 0.5, "color": "#2040c0", "radius": 0.1}
    (tmp_path / "h.json").write_text(json.dumps({"version": 1, "hints": [hint]}))
    assert photochrom("colorize", "a.png", "--hints", "h.json").code == 0
    assert rgb_to_lab(read(tmp_path / "a.colorized.png").rgb)[48, 48, 2] < -20


def test_the_mark_is_there_unless_refused(photochrom, photo, tmp_path: Path) -> None:
    photo("a.jpg")
    photochrom("colorize", "a.jpg", "-o", "marked.jpg", "--strip")
    photochrom("colorize", "a.jpg", "-o", "bare.jpg", "--no-mark")
    assert is_marked(read(tmp_path / "marked.jpg").metadata)
    assert not is_marked(read(tmp_path / "bare.jpg").metadata)


def test_strip_drops_and_the_default_keeps_a_caption(photochrom, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Grandmother at the well"
    Image.new("L", (40, 40), 128).save(tmp_path / "a.jpg", exif=exif)
    photochrom("colorize", "a.jpg", "-o", "kept.jpg")
    photochrom("colorize", "a.jpg", "-o", "stripped.jpg", "--strip")
    with Image.open(tmp_path / "kept.jpg") as kept, Image.open(tmp_path / "stripped.jpg") as stripped:
        assert kept.getexif().get(0x010E) == "Grandmother at the well"
        assert stripped.getexif().get(0x010E) is None


@pytest.mark.parametrize("arguments", [["--layer"], ["--layer", "tiff"], ["--layer=png"]])
def test_the_layer_with_and_without_a_value(photochrom, photo, tmp_path: Path, arguments: list[str]) -> None:
    photo("a.jpg")
    assert photochrom("colorize", "a.jpg", *arguments).code == 0
    suffix = "png" if "png" in arguments[-1] else "tif"
    assert tree(tmp_path) == ["a.colorized.jpg", f"a.colorized.layer.{suffix}", "a.jpg"]


# --- pipes ---------------------------------------------------------------------------------------


class Standard:
    """Stands for sys.stdin or sys.stdout with its bytes."""

    def __init__(self, data: bytes = b""):
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False

    def flush(self) -> None:
        self.buffer.flush()

    def write(self, text: str) -> int:
        return self.buffer.write(text.encode())


def test_a_pipe_through(photo, tmp_path: Path) -> None:
    path = photo("a.jpg")
    command = [sys.executable, "-m", "photochrom", "colorize", "-"]
    done = subprocess.run(command, input=path.read_bytes(), capture_output=True, check=True)
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (48, 32))
    assert done.stderr == b""


def test_standard_input_into_a_file(photochrom, photo, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", Standard(photo("a.jpg").read_bytes()))
    done = photochrom("colorize", "-", "-o", "b.png", "--json")
    assert done.documents[0]["input"] == "-"
    assert done.documents[0]["output"] == "b.png"
    assert read(tmp_path / "b.png").height == 32


def test_what_fails_in_a_pipe_has_its_json_object_too(photochrom, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", Standard(b"no photo"))
    done = photochrom("colorize", "-", "-o", "b.png", "--json")
    assert done.code == 1
    assert [(line["input"], line["status"]) for line in done.documents] == [("-", "failed")]
    assert "not a picture" in done.documents[0]["error"]


def test_a_file_to_standard_output(photo, tmp_path: Path) -> None:
    path = photo("a.png")
    command = [sys.executable, "-m", "photochrom", "colorize", str(path), "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert image.format == "PNG"


@pytest.mark.parametrize(
    "arguments",
    [
        ["-", "a.jpg"],
        ["-", "--json"],
        ["-", "--sidecar"],
        ["a.jpg", "-o", "-", "--layer"],
        ["a.jpg", "-o", "-", "--pages", "all"],
    ],
)
def test_pipes_that_make_no_sense(photochrom, photo, arguments: list[str]) -> None:
    photo("a.jpg")
    done = photochrom("colorize", *arguments)
    assert done.code == 2
    assert done.out == ""


def test_nonsense_through_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "photochrom", "colorize", "-"]
    done = subprocess.run(command, input=b"no photo", capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"error: ")


def test_another_format_by_name(photochrom, photo, tmp_path) -> None:
    photo("in/a.jpg"), photo("in/b.png")
    assert photochrom("colorize", "in", "-o", "out", "--format", "tiff").code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.tif", "b.tif"]
    assert photochrom("colorize", "in/a.jpg", "--format", "jpeg").code == 0
    assert (tmp_path / "in/a.colorized.jpg").exists()
    contradicted = photochrom("colorize", "in/a.jpg", "-o", "c.png", "--format", "tiff")
    assert contradicted.code == 2
    assert "leave one out" in contradicted.err


@pytest.mark.parametrize(
    ("output", "options", "expected"),
    [
        ("out.jpg", (), "identical"),
        ("out.jpg", ("--quality", "60", "--subsampling", "4:4:4"), "identical"),
        ("out.jpg", ("--luminance", "lightness"), "encoded"),
        ("out.jpg", ("--side-by-side",), "encoded"),
        ("out.png", (), "encoded"),
    ],
    ids=str,
)
def test_luminance_data_are_kept_where_that_can_be(
    photochrom, photo, tmp_path: Path, output: str, options: tuple[str, ...], expected: str
) -> None:
    photo("a.jpg")
    done = photochrom("colorize", "a.jpg", "-o", output, "--json", "--sidecar", *options)
    assert done.documents[0]["luminance"] == expected
    assert json.loads((tmp_path / "out.colorized.json").read_text())["luminance"] == expected
    if output == "out.jpg":
        verified = photochrom("verify", "--luminance", "a.jpg", "out.jpg")
        assert (verified.code == 0) is (expected == "identical")


@pytest.mark.parametrize("name", ["new.jxl", "new.psd", "new.heic", "new.bmp"])
def test_a_picture_that_is_not_written_is_no_folder(photochrom, photo, tmp_path, name: str) -> None:
    photo("a.jpg")
    refused = photochrom("colorize", "a.jpg", "-o", name)
    assert refused.code == 2
    assert "not written" in refused.err or "not a picture format that is written" in refused.err
    assert not (tmp_path / name).exists()


def test_the_look_of_a_project(photochrom, photo, tmp_path) -> None:
    """As the studio saves it; what is said beside it counts more."""
    photo("a.png")
    hints = {"version": 1, "hints": [{"x": 0.5, "y": 0.5, "color": "#b02030", "radius": 0.2}]}
    look = {"hints": hints, "vividness": 0.2, "palette": [], "keep_color": False}
    step = {"did": "A hint", "look": look}
    project = {"version": 1, "photo": {"name": "a.png", "sha256": "0" * 64}, "look": look, "history": [step]}
    (tmp_path / "a.photochrom.json").write_text(json.dumps({**project, "at": 0}))
    (tmp_path / "hints.json").write_text(json.dumps(hints))
    assert photochrom("colorize", "a.png", "-o", "b.png", "--look", "a.photochrom.json").code == 0
    assert (
        photochrom("colorize", "a.png", "-o", "c.png", "--hints", "hints.json", "--vividness", "0.2").code
        == 0
    )
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()
    vivid = ("--look", "a.photochrom.json", "--vividness", "1", "--sidecar")
    assert photochrom("colorize", "a.png", "-o", "d.png", *vivid).code == 0
    told = json.loads((tmp_path / "d.colorized.json").read_text())
    assert told["options"]["vividness"] == 1
    assert told["hints"]["hints"] == hints["hints"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "holds no look: give a project that the studio saved"),
        ('{"photo": {}, "look": 5}', "holds no look"),
        ('{"photo": {}, "look": {"vividness": 2}}', "vividness"),
        ('{"photo": {}, "look": {"hint": []}}', "did you mean 'hints'"),
    ],
)
def test_a_look_that_makes_no_sense(photochrom, photo, tmp_path, text: str, said: str) -> None:
    photo("a.png")
    (tmp_path / "l.json").write_text(text)
    refused = photochrom("colorize", "a.png", "--look", "l.json")
    assert refused.code == 2
    assert "l.json" in refused.err
    assert said in refused.err


def test_dates_are_kept_when_asked(photochrom, photo, tmp_path) -> None:
    path = photo("a.png")
    os.utime(path, (1e9, 1e9 + 0.25))
    assert photochrom("colorize", "a.png", "-o", "b.png", "--keep-dates", "--sidecar").code == 0
    assert (tmp_path / "b.png").stat().st_mtime == 1e9 + 0.25
    assert photochrom("colorize", "a.png", "-o", "c.png").code == 0
    assert (tmp_path / "c.png").stat().st_mtime > 1.5e9


@pytest.mark.skipif(os.name != "posix", reason="named pipes are made by mkfifo")
def test_a_named_pipe_does_not_hang(photochrom, photo, tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    photo("a.jpg")
    done = photochrom("batch", "pipe.jpg", "a.jpg", "out")
    assert done.code == 3
    assert "pipe.jpg: it is a pipe or device, not a file" in done.err


def test_what_is_left_out_is_named_and_counted(photochrom, photo, tmp_path) -> None:
    photo("in/a.png"), photo("in/drafts/b.png")
    (tmp_path / "in/c.dng").write_bytes(b"II*\0")
    done = photochrom("colorize", "in", "-o", "out", "--exclude", "drafts", "--json")
    assert done.code == 0
    assert [(one["input"], one["status"]) for one in done.documents] == [
        ("in/a.png", "done"),
        ("in/c.dng", "skipped"),
    ]
    assert "raw" in done.documents[1]["error"]
    assert photochrom("batch", "in", "out2").err.splitlines()[-1] == "2 photos: 2 done; 1 left out"
    assert "left out: in/c.dng: " in photochrom("batch", "--verify", "in", "out2").err


def test_a_sidecar_moves_with_its_folder(photochrom, photo, tmp_path) -> None:
    """Its paths are relative, so that a whole folder can be moved and redone."""
    photo("album/in/a.png")
    photo("album/like.png").write_bytes((tmp_path / "album/in/a.png").read_bytes())
    assert photochrom("colorize", "album/in/a.png", "-o", "album/../album/out/b.png", "--sidecar").code == 0
    told = json.loads((tmp_path / "album/out/b.colorized.json").read_text())
    assert (told["input"], told["output"]) == ("../in/a.png", "b.png")
    before = (tmp_path / "album/out/b.png").read_bytes()
    (tmp_path / "album").rename(tmp_path / "moved")
    (tmp_path / "moved/out/b.png").unlink()
    assert photochrom("redo", "moved/out/b.colorized.json").code == 0
    assert (tmp_path / "moved/out/b.png").read_bytes() == before
