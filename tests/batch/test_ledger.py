"""The ledger: done is done, ours may be replaced, a stranger's may not, the dead hold nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from photochrom.batch.ledger import Claim, Ledger, place, read_rows, relative_name
from photochrom.batch.plan import Job
from photochrom.errors import WriteError
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.of_folder(tmp_path / "out", "1.2.3")
    yield ledger
    ledger.close()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "a.jpg").write_bytes(b"photo")
    return Job(tmp_path / "a.jpg", tmp_path / "out/a.jpg")


def color(book: Ledger, job: Job, key: str = "k", photo: str = "p") -> Claim:
    """Claim a job and, if it is taken, do it."""
    claim = book.claim(job, key, photo)
    if claim is Claim.TAKEN:
        job.output.write_bytes(f"colored {key} {photo}".encode())
        book.done(job, file_sha256(job.output), "model", 0.5)
    return claim


def test_done_is_done(book: Ledger, job: Job) -> None:
    book.register([job])
    assert color(book, job) is Claim.TAKEN
    assert color(book, job) is Claim.DONE
    (row,) = book.rows()
    assert (row.output, row.status, row.model, row.key) == ("a.jpg", "done", "model", "k")
    assert row.output_sha256 == file_sha256(job.output)


def test_planned_jobs_are_pending_and_stay_known(book: Ledger, job: Job) -> None:
    book.register([job])
    book.register([job])
    assert [row.status for row in book.rows()] == ["pending"]
    assert [row.output for row in read_rows(book.path)] == ["a.jpg"]


def test_another_key_is_colored_anew_over_our_own_result(book: Ledger, job: Job) -> None:
    book.register([job])
    color(book, job)
    assert color(book, job, key="other") is Claim.TAKEN
    assert b"other" in job.output.read_bytes()


def test_a_missing_result_is_not_done(book: Ledger, job: Job) -> None:
    book.register([job])
    color(book, job)
    job.output.unlink()
    assert color(book, job) is Claim.TAKEN


def test_a_result_that_was_edited_is_not_replaced(book: Ledger, job: Job) -> None:
    book.register([job])
    color(book, job)
    job.output.write_bytes(b"with a caption")
    assert color(book, job, key="other") is Claim.FOREIGN
    book.failed(job, "it is there")
    assert color(book, job, key="other") is Claim.FOREIGN
    assert book.claim(job, "other", "p", replace=True) is Claim.TAKEN


def test_a_strangers_file_is_not_replaced(book: Ledger, job: Job) -> None:
    book.register([job])
    job.output.write_bytes(b"someone else's")
    assert color(book, job) is Claim.FOREIGN
    assert book.claim(job, "k", "p", replace=True) is Claim.TAKEN


def test_the_result_of_another_photo_of_that_name_is_not_replaced(
    book: Ledger, job: Job, tmp_path: Path
) -> None:
    book.register([job])
    color(book, job)
    other = Job(tmp_path / "elsewhere/a.jpg", job.output)
    book.register([other])
    assert color(book, other, key="k2", photo="p2") is Claim.FOREIGN


def test_a_photo_that_moved_is_still_done(book: Ledger, job: Job, tmp_path: Path) -> None:
    book.register([job])
    color(book, job)
    assert color(book, Job(tmp_path / "moved.jpg", job.output)) is Claim.DONE


def test_a_missing_sidecar_is_not_done(book: Ledger, tmp_path: Path) -> None:
    job = Job(tmp_path / "a.jpg", tmp_path / "out/a.jpg", sidecar=tmp_path / "out/a.colorized.json")
    book.register([job])
    assert color(book, job) is Claim.TAKEN
    assert color(book, job) is Claim.TAKEN
    assert job.sidecar is not None
    job.sidecar.write_text("{}")
    assert color(book, job) is Claim.DONE


def test_a_failed_job_is_taken_again_even_if_its_file_came_to_be(book: Ledger, job: Job) -> None:
    book.register([job])
    assert book.claim(job, "k", "p") is Claim.TAKEN
    job.output.write_bytes(b"renamed just before the crash")
    book.failed(job, "its worker crashed")
    assert color(book, job) is Claim.TAKEN


def test_a_file_put_in_the_place_of_a_failed_result_is_a_strangers(book: Ledger, job: Job) -> None:
    book.register([job])
    assert book.claim(job, "k", "p") is Claim.TAKEN
    book.failed(job, "damaged")
    job.output.write_bytes(b"colored by hand")
    assert color(book, job) is Claim.FOREIGN


def test_a_released_job_is_pending(book: Ledger, job: Job) -> None:
    book.register([job])
    book.claim(job, "k", "p")
    book.release(job)
    assert [row.status for row in book.rows()] == ["pending"]


CLAIMER = """
import sys, time
from pathlib import Path
from photochrom.batch.ledger import Ledger
from photochrom.provenance import file_sha256
from photochrom.batch.plan import Job
out = Path(sys.argv[1])
book = Ledger.of_folder(out)
print(book.claim(Job(out.parent / "a.jpg", out / "a.jpg"), "k", "p").name, flush=True)
time.sleep(60)
"""


def test_a_live_run_holds_its_job_and_a_killed_one_does_not(book: Ledger, job: Job, tmp_path: Path) -> None:
    book.register([job])
    command = [sys.executable, "-c", CLAIMER, str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"TAKEN\n"
        assert book.claim(job, "k", "p") is Claim.HELD
        job.output.write_bytes(b"it got as far as this")
        other.kill()
    assert color(book, job) is Claim.TAKEN


def test_an_unplanned_job_is_decided_by_what_is_there(book: Ledger, job: Job) -> None:
    assert book.claim(job, "k", "p") is Claim.TAKEN
    job.output.write_bytes(b"x")
    assert book.claim(job, "k", "p") is Claim.FOREIGN


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    path = place(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(WriteError, match="move it away"):
        Ledger.of_folder(tmp_path)
    with pytest.raises(WriteError, match="move it away"):
        read_rows(path)
    assert path.read_bytes().startswith(b"no database")


def test_a_ledger_of_another_version(tmp_path: Path) -> None:
    book = Ledger.of_folder(tmp_path / "out")
    book.close()
    database = sqlite3.connect(book.path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(WriteError, match="version 99"):
        Ledger.of_folder(tmp_path / "out")
    Ledger.of_folder(tmp_path / "new").close()


def test_a_place_where_no_ledger_can_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(WriteError, match="cannot keep the ledger"):
        Ledger.of_folder(tmp_path / "out")


def test_reading_a_ledger_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="no ledger"):
        read_rows(place(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_names_are_relative_with_forward_slashes(tmp_path: Path) -> None:
    assert relative_name(tmp_path / "out/x/a b.jpg", tmp_path / "out") == "x/a b.jpg"


def test_names_that_are_no_utf_8(book: Ledger, tmp_path: Path) -> None:
    odd = os.fsdecode(b"gr\xfcn.jpg")
    job = Job(tmp_path / odd, tmp_path / "out" / odd)
    book.register([job])
    assert color(book, job) is Claim.TAKEN
    assert color(book, job) is Claim.DONE
    book.failed(job, f"{job.input}: broken")
    (row,) = book.rows()
    assert (row.output, row.error) == (odd, f"{job.input}: broken")
    assert read_rows(book.path) == [row]


def test_jobs_that_come_one_by_one_are_noted_before_they_are_handed_on(book: Ledger, job: Job) -> None:
    stream = book.registered(iter([None, job]))
    assert next(stream) is None
    assert book.rows() == []
    assert next(stream) == job
    assert len(book.rows()) == 1


class LedgerAgainstTheFolder(RuleBasedStateMachine):
    """Any order of coloring, losing, editing and changing options: edited files are never lost."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        self.book = Ledger.of_folder(root / "out")
        self.jobs = [Job(root / name, root / "out" / name) for name in ("a.jpg", "b.jpg")]
        self.book.register(self.jobs)
        self.edited: dict[Path, bytes] = {}

    @rule(which=st.integers(0, 1), key=st.sampled_from("xyz"))
    def color(self, which: int, key: str) -> None:
        job = self.jobs[which]
        before = job.output.read_bytes() if job.output.exists() else None
        row = next(row for row in self.book.rows() if row.output == job.output.name)
        claim = color(self.book, job, key)
        if claim is Claim.DONE:
            assert before is not None
            assert row.key == key
        if claim is Claim.FOREIGN:
            assert job.output in self.edited

    @rule(which=st.integers(0, 1))
    def lose(self, which: int) -> None:
        self.jobs[which].output.unlink(missing_ok=True)
        self.edited.pop(self.jobs[which].output, None)

    @rule(which=st.integers(0, 1), caption=st.binary(min_size=1, max_size=4))
    def edit(self, which: int, caption: bytes) -> None:
        output = self.jobs[which].output
        output.write_bytes(b"edited " + caption)
        self.edited[output] = output.read_bytes()

    @rule(which=st.integers(0, 1))
    def crash(self, which: int) -> None:
        if self.book.claim(self.jobs[which], "crash", "p") is Claim.TAKEN:
            self.book.failed(self.jobs[which], "crash")

    @invariant()
    def edited_files_are_as_they_were(self) -> None:
        for path, content in self.edited.items():
            assert path.read_bytes() == content

    def teardown(self) -> None:
        self.book.close()
        self.folder.cleanup()


TestLedgerAgainstTheFolder = LedgerAgainstTheFolder.TestCase
TestLedgerAgainstTheFolder.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
