"""photochrom watch, redo, models and doctor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from photochrom.cli import doctor
from photochrom.models import find
from photochrom.photo import read
from photochrom.provenance import file_sha256

# --- watch ---------------------------------------------------------------------------------------


def test_watch_colors_what_is_there_and_ends_when_idle(photochrom, photo, tmp_path: Path) -> None:
    photo("in/x/a.jpg")
    done = photochrom("watch", "in", "-o", "out", "--settle", "0", "--until-idle", "0.5")
    assert (done.code, done.lines) == (0, ["out/x/a.jpg"])
    again = photochrom("watch", "in", "-o", "out", "--settle", "0", "--until-idle", "0.5", "--json")
    assert [document["status"] for document in again.documents] == ["skipped"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_watch_waits_for_a_file_to_stop_growing(photo, tmp_path: Path) -> None:
    whole = photo("ready.png", width=400, height=300).read_bytes()
    (tmp_path / "in").mkdir()
    command = [sys.executable, "-m", "photochrom", "watch", "in", "-o", "out", "--settle", "1.5", "--json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        with (tmp_path / "in/a.png").open("wb") as file:
            for at in range(0, len(whole), len(whole) // 5):
                file.write(whole[at : at + len(whole) // 5])
                file.flush()
                time.sleep(0.6)
        result = json.loads(watch.stdout.readline())
        os.kill(watch.pid, signal.SIGINT)
    assert watch.returncode == 130
    assert (result["status"], result["error"]) == ("done", None)
    assert read(tmp_path / "out/a.png").width == 400


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_file_written_more_slowly_than_watch_waits_is_no_failure(photo, tmp_path: Path) -> None:
    """It was counted as failed, though it was colored in the end."""
    whole = photo("ready.png", width=400, height=300).read_bytes()
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(whole[:-2000])
    command = [sys.executable, "-m", "photochrom", "watch", "in", "-o", "out"]
    more = ["--settle", "0.2", "--until-idle", "4", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, *more], cwd=tmp_path, **pipes) as watch:
        assert watch.stdout is not None
        first = json.loads(watch.stdout.readline())
        (tmp_path / "in/a.png").write_bytes(whole)
        rest, told = watch.communicate(timeout=60)
    assert first["status"] == "failed"
    assert json.loads(rest.splitlines()[-1])["status"] == "done"
    assert watch.returncode == 0
    assert "failed" not in told.splitlines()[-1]


def test_watch_names_what_it_leaves_out_once(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.png")
    (tmp_path / "in/b.psd").write_bytes(b"8BPS\0\1")
    done = photochrom("watch", "in", "-o", "out", "--settle", "0", "--until-idle", "1.5")
    assert done.lines == ["out/a.png"]
    assert done.err.count("left out: in/b.psd: this is a Photoshop document") == 1


def test_watch_goes_on_after_a_bad_file(photochrom, photo, tmp_path: Path) -> None:
    photo("in/b.jpg")
    (tmp_path / "in/a.jpg").write_text("no photo")
    done = photochrom("watch", "in", "-o", "out", "--settle", "0", "--until-idle", "0.5", "--json")
    assert [document["status"] for document in done.documents] == ["failed", "done"]
    assert done.code == 3


def test_watch_needs_a_folder(photochrom, tmp_path: Path) -> None:
    assert photochrom("watch", "gone", "-o", "out").code == 2
    (tmp_path / "in").mkdir()
    assert photochrom("watch", "in").code == 2


# --- redo ----------------------------------------------------------------------------------------


@pytest.fixture
def sidecar(photochrom, photo, tmp_path: Path) -> Path:
    photo("in/a.jpg", 3, width=120, height=90)
    hint = {"x": 0.4, "y": 0.5, "color": "#b03020", "radius": 0.1}
    (tmp_path / "h.json").write_text(json.dumps({"version": 1, "hints": [hint]}))
    options = ["--hints", "h.json", "--vividness", "0.8", "--quality", "80", "--sidecar"]
    assert photochrom("colorize", "in", "-o", "out", *options).code == 0
    return tmp_path / "out/a.colorized.json"


def test_redo_makes_the_same_picture(photochrom, sidecar: Path, tmp_path: Path) -> None:
    (tmp_path / "h.json").unlink()
    done = photochrom("redo", sidecar, "-o", "again.jpg")
    assert (done.code, done.lines) == (0, ["again.jpg"])
    np.testing.assert_array_equal(read("again.jpg").rgb, read("out/a.jpg").rgb)
    assert file_sha256(tmp_path / "again.jpg") == file_sha256(tmp_path / "out/a.jpg")


def test_redo_into_another_format(photochrom, photo, tmp_path: Path) -> None:
    """What was refused, with a word about --format, which redo does not have."""
    photo("b.jpg")
    assert photochrom("colorize", "b.jpg", "--sidecar", "--format", "webp").code == 0
    for name, magic in (("b.png", b"\x89PNG"), ("b.tif", b"II*\0")):
        assert photochrom("redo", "b.colorized.json", "-o", name).code == 0
        assert (tmp_path / name).read_bytes().startswith(magic)


def test_redo_of_a_sidecar_from_before_luminance_was_kept(photochrom, sidecar: Path, tmp_path: Path) -> None:
    document = json.loads(sidecar.read_text())
    del document["luminance"], document["options"]["luminance"]
    sidecar.write_text(json.dumps(document))
    done = photochrom("redo", sidecar, "-o", "again.jpg", "--json")
    assert done.documents[0]["luminance"] == "encoded"


def test_redo_of_a_batch(photochrom, photo, tmp_path: Path) -> None:
    for n in range(3):
        photo(f"in/{n}.png", n)
    assert photochrom("batch", "in", "out", "--sidecar").code == 0
    for n in range(3):
        assert photochrom("redo", f"out/{n}.colorized.json", "-o", f"again{n}.png").code == 0
        np.testing.assert_array_equal(read(f"again{n}.png").rgb, read(f"out/{n}.png").rgb)


def test_redo_where_it_was(photochrom, sidecar: Path, tmp_path: Path) -> None:
    before = file_sha256(tmp_path / "out/a.jpg")
    assert photochrom("redo", sidecar).code == 1
    (tmp_path / "out/a.jpg").unlink()
    assert photochrom("redo", sidecar, "--json").documents[0]["status"] == "done"
    assert file_sha256(tmp_path / "out/a.jpg") == before


def test_redo_when_all_has_moved(photochrom, sidecar: Path, tmp_path: Path) -> None:
    (tmp_path / "in/a.jpg").rename(tmp_path / "out/a.orig.jpg")
    assert photochrom("redo", sidecar, "-o", "x.jpg").code == 1
    assert photochrom("redo", sidecar, "-o", "x.jpg", "--input", "out/a.orig.jpg").code == 0
    (tmp_path / "out/a.jpg").rename(tmp_path / "y.jpg")
    (tmp_path / "out/a.orig.jpg").rename(tmp_path / "out/a.jpg")
    assert photochrom("redo", sidecar, "-o", "z.jpg").code == 0


def test_redo_refuses_another_photo_and_another_model(
    photochrom, photo, sidecar: Path, tmp_path: Path
) -> None:
    document = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({**document, "model_sha256": "0" * 64}))
    done = photochrom("redo", sidecar, "-o", "x.jpg")
    assert done.code == 1
    assert "--model" in done.err
    sidecar.write_text(json.dumps(document))
    photo("in/a.jpg", 4)
    assert "not the file that was colored" in photochrom("redo", sidecar, "-o", "x.jpg").err
    assert not (tmp_path / "x.jpg").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 9},
        {"options": {"vividness": 7}},
        {"options": {"nonesuch": 1}},
        {"hints": {"version": 1}},
        {"input": 3},
    ],
)
def test_redo_of_a_sidecar_that_makes_no_sense(photochrom, sidecar: Path, change: dict) -> None:
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), **change}))
    done = photochrom("redo", sidecar, "-o", "x.jpg")
    assert done.code == 2
    assert done.err.startswith("error: ")


def test_redo_of_no_sidecar(photochrom, tmp_path: Path) -> None:
    assert photochrom("redo", "gone.json").code == 2
    (tmp_path / "x.json").write_text("[")
    assert photochrom("redo", "x.json").code == 2


# --- models --------------------------------------------------------------------------------------


def test_models_lists_the_default_with_licence_and_hash(photochrom) -> None:
    done = photochrom("models")
    path, card = find("photochrom")
    assert done.code == 0
    assert "photochrom (default)" in done.out
    assert card.licence in done.out
    assert file_sha256(path) in done.out


def test_models_as_json(photochrom) -> None:
    (document,) = [json.loads(line) for line in photochrom("models", "--json").lines]
    assert document["name"] == "photochrom"
    assert document["default"] is True
    assert document["sha256"] == file_sha256(Path(document["file"]))
    assert isinstance(document["bins"], int)


def test_models_of_a_name_that_is_none(photochrom) -> None:
    assert photochrom("models", "nonesuch").code == 4


# --- doctor --------------------------------------------------------------------------------------


def test_doctor_is_content(photochrom) -> None:
    done = photochrom("doctor")
    assert done.code == 0, done.out
    for word in (
        "Python",
        "onnxruntime",
        "CPUExecutionProvider",
        find("photochrom")[1].sha256,
        "luminance kept",
    ):
        assert word in done.out
    assert "FAIL" not in done.out


def test_doctor_as_json(photochrom) -> None:
    document = json.loads(photochrom("doctor", "--json").out)
    assert document["ok"] is True
    checks = {"system", "packages", "extras", "providers", "model", "models", "self-test"}
    assert set(document) == {"ok", *checks}


def test_doctor_finds_a_model_that_was_swapped(photochrom, tmp_path: Path) -> None:
    path, _ = find("photochrom")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "m.onnx").write_bytes(data)
    (tmp_path / "m.json").write_bytes(path.with_suffix(".json").read_bytes())
    done = photochrom("doctor", "--model", "m.onnx")
    assert done.code == 1
    assert "FAIL model" in done.out
    assert "FAIL self-test" in done.out


def test_doctor_reports_whatever_is_broken(photochrom, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise ImportError("libvips.so.42: cannot open shared object file")

    monkeypatch.setattr(doctor, "_packages", broken)
    done = photochrom("doctor")
    assert done.code == 1
    assert "FAIL packages:  ImportError: libvips.so.42" in done.out
    assert "ok   model" in done.out


def test_doctor_finds_colors_that_move_the_luminance(photochrom, monkeypatch: pytest.MonkeyPatch) -> None:
    from photochrom.colorizer import Plate
    from photochrom.photo import Photo

    def dark(plate: Plate, *_: object, **__: object) -> Photo:
        return Photo.from_array(np.zeros((plate.photo.height, plate.photo.width, 3), np.uint8))

    monkeypatch.setattr(Plate, "render", dark)
    done = photochrom("doctor")
    assert done.code == 1
    assert "FAIL self-test" in done.out
