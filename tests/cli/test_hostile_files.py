"""Broken and hostile files through the command: a picture or one sentence each, and nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from photochrom.photo import PICTURE_SUFFIXES, read

CORPUS = Path(os.environ.get("PHOTOCHROM_TEST_DATA", "unset")) / "malformed"
pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="PHOTOCHROM_TEST_DATA names no folder with malformed/"
)


@pytest.fixture(scope="module")
def colored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict], str, int]:
    """The whole corpus in one batch."""
    out = tmp_path_factory.mktemp("hostile") / "out"
    command = [
        sys.executable,
        "-m",
        "photochrom",
        "batch",
        str(CORPUS),
        str(out),
        "--json",
        "--timeout",
        "60",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    results = {Path(d["input"]).name: d for d in map(json.loads, done.stdout.splitlines())}
    return out, results, done.stderr, done.returncode


def test_the_batch_goes_through_all_of_them(colored) -> None:
    _, results, err, code = colored
    pictures = {path.name for path in CORPUS.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES}
    left_out = {name for name, result in results.items() if result["status"] == "skipped"}
    assert set(results) - left_out == pictures
    assert {Path(name).suffix for name in left_out} <= {".dds", ".sgi", ".ico"}  # named, not read
    assert code == 3
    assert {results[name]["status"] for name in pictures} == {"done", "failed"}
    assert "Traceback" not in err


def test_every_failure_is_a_sentence_of_ours(colored) -> None:
    _, results, _, _ = colored
    for result in results.values():
        if result["status"] == "failed":
            assert "unexpected" not in result["error"], result
            assert "the program that read it" not in result["error"], result
            assert "longer than" not in result["error"], result


def test_every_picture_is_whole_and_nothing_else_is_there(colored) -> None:
    out, results, _, _ = colored
    made = {path for path in out.rglob("*") if path.is_file() and ".photochrom" not in path.parts}
    assert made == {Path(result["output"]) for result in results.values() if result["status"] == "done"}
    for path in made:
        for _ in read(path).strips():
            pass


def account(arguments: list[str], log: Path) -> tuple[int, float, int]:
    """Exit code, processor seconds and peak kilobytes of Python with these arguments.

    It is started by a small process: a child's peak counts what its parent had at the fork.
    """
    code = (
        "import json, os, subprocess, sys\n"
        "with open(sys.argv[1], 'wb') as log:\n"
        "    child = subprocess.Popen([sys.executable, *sys.argv[2:]], stdout=log, stderr=log)\n"
        "_, status, used = os.wait4(child.pid, 0)\n"
        "child.returncode = os.waitstatus_to_exitcode(status)\n"
        "print(json.dumps([child.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss]))\n"
    )
    command = [sys.executable, "-c", code, str(log), *arguments]
    code_, seconds, kilobytes = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return code_, seconds, kilobytes


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="POSIX accounts of processes")
def test_the_slowest_take_under_ten_seconds_and_a_gigabyte(colored, tmp_path: Path) -> None:
    """By the system's account of the process, so that other load on the machine does not count."""
    _, results, _, _ = colored
    slowest = sorted(results.values(), key=lambda result: result["seconds"])[-4:]
    for number, result in enumerate(slowest):
        command = ["-m", "photochrom", "colorize", result["input"], "-o", str(tmp_path / f"{number}.png")]
        code, seconds, kilobytes = account(command, tmp_path / "log")
        assert code in (0, 1)
        assert seconds < 10, result
        assert kilobytes < 1_000_000, result
