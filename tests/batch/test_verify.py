"""Verification finds whatever is missing, damaged or changed."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from photochrom.batch import plan
from photochrom.batch.ledger import Ledger, place, read_rows
from photochrom.batch.options import Options
from photochrom.batch.verify import verify
from photochrom.cli import run
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def out(photo: Callable[..., Path], tmp_path: Path) -> Path:
    """Three photos and their results, copied for simplicity, all in the ledger."""
    for number in range(3):
        photo(f"in/{number}.png", number)
    out = tmp_path / "out"
    jobs = plan.make(plan.find([tmp_path / "in"]), out)
    with closing(Ledger.of_folder(out)) as book:
        book.register(jobs)
        for job in jobs:
            book.claim(job, "k", file_sha256(job.input))
            job.output.write_bytes(job.input.read_bytes())
            book.done(job, file_sha256(job.output), "m", 0.1)
    return out


def problems(out: Path, jobs: list[plan.Job] | None = None) -> dict[str, str]:
    findings = verify(out, read_rows(place(out)), jobs or [])
    return {Path(finding.output).name: finding.problem for finding in findings if finding.problem}


def test_all_is_well(out: Path) -> None:
    assert problems(out) == {}
    assert len(list(verify(out, read_rows(place(out))))) == 3


def test_a_missing_result(out: Path) -> None:
    (out / "1.png").unlink()
    assert "missing" in problems(out)["1.png"]


@pytest.mark.parametrize("at", [0, 40, -1])
def test_one_flipped_bit(out: Path, at: int) -> None:
    data = bytearray((out / "1.png").read_bytes())
    data[at] ^= 1
    (out / "1.png").write_bytes(data)
    assert list(problems(out)) == ["1.png"]


def test_a_changed_and_a_vanished_photo(out: Path, photo: Callable[..., Path]) -> None:
    photo("in/0.png", 9)
    photo("in/2.png").unlink()
    assert "changed since" in problems(out)["0.png"]
    assert "cannot be compared" in problems(out)["2.png"]


def test_a_result_that_was_written_badly_and_recorded_so(out: Path, tmp_path: Path) -> None:
    (out / "1.png").write_bytes((out / "1.png").read_bytes()[:60])
    with closing(Ledger.of_folder(out)) as book:
        book.done(plan.Job(tmp_path / "in/1.png", out / "1.png"), file_sha256(out / "1.png"), "m", 0.1)
    assert "does not decode" in problems(out)["1.png"]


def test_failed_and_unfinished_jobs(out: Path, tmp_path: Path) -> None:
    with closing(Ledger.of_folder(out)) as book:
        book.failed(plan.Job(tmp_path / "in/0.png", out / "0.png"), "it was no photo")
        book.register([plan.Job(tmp_path / "in/9.png", out / "9.png")])
    assert problems(out) == {
        "0.png": "it failed: it was no photo",
        "9.png": "it is not colored yet: run the batch again",
    }


def test_a_photo_that_was_never_planned(out: Path, photo: Callable[..., Path], tmp_path: Path) -> None:
    photo("in/new.png")
    jobs = plan.make(plan.find([tmp_path / "in"]), out)
    assert problems(out, jobs) == {"new.png": "it was never planned: run the batch"}


def test_a_photo_that_failed_and_was_taken_away_is_missed_only_without_the_plan(
    out: Path, tmp_path: Path
) -> None:
    with closing(Ledger.of_folder(out)) as book:
        book.register([plan.Job(tmp_path / "in/notes.jpg", out / "notes.jpg")])
        book.failed(plan.Job(tmp_path / "in/notes.jpg", out / "notes.jpg"), "no photo")
    assert list(problems(out)) == ["notes.jpg"]
    assert problems(out, plan.make(plan.find([tmp_path / "in"]), out)) == {}


def test_a_temporary_file(out: Path) -> None:
    (out / ".0.png.1-2.photochrom-part").write_bytes(b"")
    assert list(problems(out)) == [".0.png.1-2.photochrom-part"]


def test_findings_as_json(out: Path) -> None:
    (out / "0.png").unlink()
    documents = [finding.to_json() for finding in verify(out, read_rows(place(out)))]
    assert [document["status"] for document in documents] == ["failed", "done", "done"]
    assert documents[1]["error"] is None


# --- what was written beside --------------------------------------------------------------------


def beside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


ASKED = ("--sidecar", "--layer", "--proposals", "1")


@pytest.fixture
def whole(photo: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A batch with everything that can be written beside a photo."""
    monkeypatch.chdir(tmp_path)
    photo("in/a.png", 1)
    assert run(["batch", "in", "out", *ASKED]) == 0
    return tmp_path / "out"


def test_everything_that_was_written_is_in_the_ledger(whole: Path) -> None:
    (row,) = read_rows(place(whole))
    hashes = {row.output: row.output_sha256, **(row.others or {})}
    assert hashes == {path.name: file_sha256(path) for path in beside(whole)}
    assert len(hashes) == 6


def test_verify_and_the_next_run_name_what_is_missing_or_changed(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A removed layer, a changed sidecar or idea: whole for verify before, and skipped in silence."""
    for path in beside(whole):
        kept = path.read_bytes()
        path.write_bytes(kept + b" ")
        assert {name: "not as it was written" in told for name, told in problems(whole).items()} == {
            path.name: True
        }
        capsys.readouterr()
        assert run(["batch", "in", "out", *ASKED]) == 1
        assert (
            f"{path.name} exists already and is not this photo's unchanged result" in capsys.readouterr().err
        )
        path.unlink()
        assert run(["batch", "in", "out", *ASKED]) == 0
        path.unlink()
        assert "missing" in problems(whole)[path.name]
        assert run(["batch", "in", "out", *ASKED]) == 0
        assert path.exists()
        assert problems(whole) == {}


def test_a_strangers_sidecar_is_not_replaced(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["batch", "in", "other"]) == 0
    (whole.parent / "other/a.colorized.json").write_text("mine")
    capsys.readouterr()
    assert run(["batch", "in", "other", "--sidecar"]) == 1
    assert "a.colorized.json exists already" in capsys.readouterr().err
    assert (whole.parent / "other/a.colorized.json").read_text() == "mine"


def test_a_ledger_of_the_first_version_is_verified_by_what_it_knows(tmp_path: Path) -> None:
    earlier = Path(__file__).with_name("earlier")
    shutil.copytree(earlier / "asked", tmp_path / "asked")
    rows = read_rows(place(tmp_path / "asked"))
    rows = [replace(row, input=str(earlier / "scans" / row.output)) for row in rows]
    jobs = plan.make(plan.find([earlier / "scans"]), tmp_path / "asked", Options(sidecar=True, layer="png"))
    (tmp_path / "asked/b.colorized.layer.png").unlink()
    found = {finding.output: finding.problem for finding in verify(tmp_path / "asked", rows, jobs)}
    assert len(found) == 6
    assert [Path(output).name for output, problem in found.items() if problem] == ["b.colorized.layer.png"]


def test_what_a_failed_job_wrote_is_not_left_behind(
    photo: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photo("in/a.jpg", 1)
    assert run(["batch", "in", "out", "--sidecar", "--layer", "--depth", "16"]) == 1  # JPEG holds 8 bits
    assert beside(tmp_path / "out") == []


def test_a_sheet_beside_sixteen_bits(
    photo: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photo("in/a.png", 1)
    assert run(["batch", "in", "out", "--proposals", "1", "--depth", "16"]) == 0
    assert (tmp_path / "out/a.colorized.sheet.jpg").exists()
