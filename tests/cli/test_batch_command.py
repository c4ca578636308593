"""photochrom batch, from the command line."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from photochrom.batch.ledger import place, read_rows
from photochrom.photo import read


def tree(folder: Path) -> list[str]:
    return sorted(
        str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and ".photochrom/" not in str(p)
    )


def statuses(outcome) -> list[str]:
    return [document["status"] for document in outcome.documents]


def test_a_tree_then_nothing_to_do_then_what_changed(photochrom, photo, tmp_path: Path) -> None:
    for n, name in enumerate(["a.jpg", "x/b.png", "x/y/c.tif"]):
        photo(f"in/{name}", n)
    done = photochrom("batch", "in", "out")
    assert done.code == 0
    assert sorted(done.lines) == ["out/a.jpg", "out/x/b.png", "out/x/y/c.tif"]
    assert "3 photos: 3 done" in done.err
    assert tree(tmp_path / "out") == ["a.jpg", "x/b.png", "x/y/c.tif"]
    assert statuses(photochrom("batch", "in", "out", "--json")) == ["skipped"] * 3
    photo("in/a.jpg", 9)
    assert statuses(photochrom("batch", "in", "out", "--json")) == ["done", "skipped", "skipped"]


def test_one_bad_file_is_listed_and_the_rest_is_done(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg", 1)
    (tmp_path / "in/b.jpg").write_bytes(b"no photo")
    done = photochrom("batch", "in", "out")
    assert done.code == 3
    assert done.lines == ["out/a.jpg"]
    table = done.err[done.err.index("2 photos: 1 done, 1 failed") :]
    assert "in/b.jpg: not a picture" in table


def test_retry_failed_takes_up_just_those(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg", 1)
    (tmp_path / "in/b.jpg").write_bytes(b"no photo")
    photochrom("batch", "in", "out")
    photo("in/b.jpg", 2)
    photo("in/c.jpg", 3)
    done = photochrom("batch", "in", "out", "--retry-failed", "--json")
    assert [(d["input"], d["status"]) for d in done.documents] == [("in/b.jpg", "done")]
    assert tree(tmp_path / "out") == ["a.jpg", "b.jpg"]
    assert photochrom("batch", "in", "out", "--retry-failed").code == 0
    assert photochrom("batch", "in", "other", "--retry-failed").code == 1


def test_a_dry_run_says_what_would_be_done_and_does_nothing(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg", 1)
    done = photochrom("batch", "in", "out", "--dry-run")
    assert (done.code, done.lines) == (0, ["in/a.jpg -> out/a.jpg"])
    assert not (tmp_path / "out").exists()
    photochrom("batch", "in", "out")
    photo("in/b.jpg", 2)
    seen = photochrom("batch", "in", "out", "--dry-run", "--json")
    assert statuses(seen) == ["skipped", "planned"]
    assert tree(tmp_path / "out") == ["a.jpg"]


def test_verify(photochrom, photo, tmp_path: Path) -> None:
    for n in range(3):
        photo(f"in/{n}.jpg", n)
    photochrom("batch", "in", "out")
    well = photochrom("batch", "--verify", "out")
    assert (well.code, well.lines) == (0, ["3 outputs: 3 whole, 0 with problems"])
    (tmp_path / "out/1.jpg").unlink()
    photo("in/new.jpg", 8)
    bad = photochrom("batch", "--verify", "in", "out")
    assert bad.code == 3
    assert any(line.startswith("out/1.jpg: it is missing") for line in bad.lines)
    assert any("new.jpg: it was never planned" in line for line in bad.lines)
    documents = [json.loads(line) for line in photochrom("batch", "--verify", "out", "--json").lines]
    assert [document["status"] for document in documents] == ["done", "failed", "done"]
    photochrom("batch", "in", "out")
    assert photochrom("batch", "--verify", "in", "out").code == 0
    assert photochrom("batch", "--verify", "in").code == 1


def test_lists_globs_and_standard_input(photochrom, photo, tmp_path: Path, monkeypatch) -> None:
    for n, name in enumerate(["box/a.jpg", "box/b.jpg", "c.jpg"]):
        photo(name, n)
    (tmp_path / "list.txt").write_text("box/a.jpg\nc.jpg\n")
    assert sorted(photochrom("batch", "list.txt", "listed").lines) == ["listed/box/a.jpg", "listed/c.jpg"]
    assert photochrom("batch", "box/*.jpg", "globbed").code == 0
    assert tree(tmp_path / "globbed") == ["a.jpg", "b.jpg"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"box/b.jpg\n")))
    assert photochrom("batch", "-", "piped").lines == ["piped/box/b.jpg"]


def test_an_output_folder_inside_the_input_folder(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg", 1)
    assert photochrom("batch", "in", "in/colored").code == 0
    assert statuses(photochrom("batch", "in", "in/colored", "--json")) == ["skipped"]
    assert tree(tmp_path / "in") == ["a.jpg", "colored/a.jpg"]


@pytest.mark.parametrize("arguments", [["in"], ["in", "in/a.jpg"], ["in", "in"]])
def test_arguments_that_make_no_sense(photochrom, photo, tmp_path: Path, arguments: list[str]) -> None:
    photo("in/a.jpg", 1)
    before = tree(tmp_path)
    assert photochrom("batch", *arguments).code == 2
    assert tree(tmp_path) == before


def test_sidecars_layers_and_options(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg", 1)
    assert photochrom("batch", "in", "out", "--sidecar", "--layer", "png", "--vividness", "0.9").code == 0
    assert tree(tmp_path / "out") == ["a.colorized.json", "a.colorized.layer.png", "a.jpg"]
    again = photochrom("batch", "in", "out", "--sidecar", "--layer", "png", "--vividness", "0.9", "--json")
    assert statuses(again) == ["skipped"]
    (tmp_path / "out/a.colorized.json").unlink()
    again = photochrom("batch", "in", "out", "--sidecar", "--layer", "png", "--vividness", "0.9", "--json")
    assert statuses(again) == ["done"]


def test_a_stranger_in_the_output_folder_is_kept(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.jpg").write_bytes(b"mine")
    done = photochrom("batch", "in", "out", "--json")
    assert (done.code, statuses(done)) == (1, ["failed"])
    assert (tmp_path / "out/a.jpg").read_bytes() == b"mine"


def test_an_unknown_model_stops_before_anything_is_made(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg", 1)
    assert photochrom("batch", "in", "out", "--model", "nonesuch").code == 4
    assert not (tmp_path / "out").exists()


def test_a_damaged_ledger(photochrom, photo, tmp_path: Path) -> None:
    photo("in/a.jpg", 1)
    place(tmp_path / "out").parent.mkdir(parents=True)
    place(tmp_path / "out").write_bytes(b"scribble" * 500)
    done = photochrom("batch", "in", "out", "--json")
    assert done.code == 1
    assert "move it away" in done.documents[0]["error"]


@pytest.mark.skipif(sys.platform != "linux", reason="file names that are any bytes")
def test_file_names_that_are_no_utf_8_or_hold_anything(photo, tmp_path: Path) -> None:
    names = [
        os.fsdecode(b"gr\xfcn.jpg"),
        "line\nbreak.jpg",
        "quote'\".jpg",
        "日本.jpg",
        "-o.jpg",
        "%s{}.jpg",
        " .jpg",
    ]
    for n, name in enumerate(names):
        photo(f"in/{name}", n)
    code, results = batch_as(tmp_path)
    assert (code, {result["status"] for result in results}) == (0, {"done"})
    assert {result["input"] for result in results} == {f"in/{name}" for name in names}
    assert sorted(path.name for path in (tmp_path / "out").glob("*.jpg")) == sorted(names)
    command = [sys.executable, "-m", "photochrom", "batch", "in", "out2", "--sidecar"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert b"out2/gr\xfcn.jpg\n" in done.stdout
    again = subprocess.run([*command, "--json"], cwd=tmp_path, capture_output=True, check=True)
    assert {json.loads(line)["status"] for line in again.stdout.splitlines()} == {"skipped"}
    for folder in ("out", "out2"):
        verify = [sys.executable, "-m", "photochrom", "batch", "--verify", "in", folder]
        assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    sidecar = os.fsdecode(b"out2/gr\xfcn.colorized.json")
    redo = [sys.executable, "-m", "photochrom", "redo", sidecar, "-o", "again.jpg"]
    subprocess.run(redo, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "again.jpg").read_bytes() == (tmp_path / "out2" / names[0]).read_bytes()


# --- no room, no right ---------------------------------------------------------------------------


def batch_as(root: Path, *prefix: str) -> tuple[int, list[dict]]:
    """The command in a process of its own, through another program; its exit code and results."""
    command = [*prefix, sys.executable, "-m", "photochrom", "batch", "in", "out", "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="limits on the size of files")
def test_files_that_may_not_grow_stand_for_a_full_disk(photo, tmp_path: Path) -> None:
    """`ulimit -f` lets the ledger and the small picture be written, and none of the large ones."""
    photo("in/small.png", 1)
    for n in range(3):
        photo(f"in/large{n}.png", n, width=700, height=600)
    code, results = batch_as(tmp_path, "bash", "-c", 'trap "" XFSZ; ulimit -f 300; exec "$@"', "bash")
    assert code == 3
    failed = [result for result in results if result["status"] == "failed"]
    assert len(failed) == 3
    assert all("not written" in result["error"] for result in failed)
    assert tree(tmp_path / "out") == ["small.png"]
    code, results = batch_as(tmp_path)
    assert code == 0
    assert sorted(result["status"] for result in results) == ["done"] * 3 + ["skipped"]
    assert len(tree(tmp_path / "out")) == 4


def may_mount() -> bool:
    """Whether this process may mount things that only it and its children see."""
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run(probe, capture_output=True, check=False).returncode
    )


MOUNTS = pytest.mark.skipif(not may_mount(), reason="needs the right to mount")
BATCH = f"{sys.executable} -m photochrom batch in out --json"


def in_own_mounts(root: Path, *steps: str) -> list[list[dict]]:
    """What each step prints, in a shell whose mounts nobody else sees."""
    script = "\n".join(f"{step} > {n}.log 2> {n}.err" for n, step in enumerate(steps))
    subprocess.run(["unshare", "-m", "bash", "-c", script], cwd=root, check=False)
    return [
        [json.loads(line) for line in (root / f"{n}.log").read_text().splitlines()] for n in range(len(steps))
    ]


@MOUNTS
def test_a_full_disk(photo, tmp_path: Path) -> None:
    for n in range(6):
        photo(f"in/{n}.png", n, width=400, height=300)
    (tmp_path / "out").mkdir()
    _, full, left, _, again, _ = in_own_mounts(
        tmp_path,
        "mount -t tmpfs -o size=700k none out",
        BATCH,
        "find out -type f -name '*.p*' -printf '\"%P\"\\n'",
        "mount -o remount,size=50m out",
        BATCH,
        "cp -r out kept",
    )
    failed = [result for result in full if result["status"] == "failed"]
    assert len(full) == 6
    assert 1 <= len(failed) < 6
    assert all("full" in result["error"] for result in failed)
    done = {Path(result["output"]).name for result in full if result["status"] == "done"}
    unrecorded = {Path(result["input"]).name for result in failed if "ledger" in result["error"]}
    assert done <= set(left) <= done | unrecorded, "whole pictures only, and none that is not accounted for"
    assert [result["status"] for result in again if result["status"] == "failed"] == []
    assert tree(tmp_path / "kept") == [f"{n}.png" for n in range(6)]
    assert all(read(tmp_path / f"kept/{n}.png").width == 400 for n in range(6))


@MOUNTS
def test_a_read_only_output_folder(photo, tmp_path: Path) -> None:
    for n in range(2):
        photo(f"in/{n}.png", n)
    (tmp_path / "out").mkdir()
    mount = "mount --bind out out && mount -o remount,ro,bind out"
    _, results, _, again = in_own_mounts(tmp_path, mount, BATCH, "umount out", BATCH)
    assert [result["status"] for result in results] == ["failed"] * 2
    assert all("cannot keep the ledger" in result["error"] for result in results)
    assert [result["status"] for result in again] == ["done"] * 2


def test_folders_inside_the_output_that_cannot_be_made(photochrom, photo, tmp_path: Path) -> None:
    photo("in/x/a.jpg", 1)
    photo("in/b.jpg", 2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x").write_text("a file where a folder should be")
    done = photochrom("batch", "in", "out", "--json")
    assert done.code == 3
    assert statuses(done) == ["done", "failed"]
    (tmp_path / "out/x").unlink()
    assert photochrom("batch", "in", "out").code == 0
    assert read(tmp_path / "out/x/a.jpg").height == 32
    assert {row.status for row in read_rows(place(tmp_path / "out"))} == {"done"}


def test_what_is_for_a_cluster_needs_one(photochrom, photo) -> None:
    photo("in/a.jpg")
    for words in (["--gpus", "0.5"], ["--cpus", "2"], ["--ray-address", "auto"]):
        refused = photochrom("batch", "in", "out", *words)
        assert refused.code == 2
        assert "add --engine ray" in refused.err
    assert photochrom("batch", "in", "out", "--engine", "ray", "--gpus", "2").code == 2  # an actor uses one
