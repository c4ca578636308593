"""A whole run: ledger, workers and files together."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from photochrom.batch import plan
from photochrom.batch.coloring import Result, Task, failure
from photochrom.batch.ledger import Ledger
from photochrom.batch.options import Options
from photochrom.batch.pool import Outcome, Pool
from photochrom.batch.runner import Here, Run, Settings, workers_for
from photochrom.errors import UnknownModel, WriteError
from photochrom.photo.strips import processors
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Copying:
    """Stands for the engine where only the bookkeeping matters: the output is the input's bytes."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def __call__(self, task: Task) -> Result:
        self.tasks.append(task)
        data = task.job.input.read_bytes()
        if b"broken" in data:
            return failure(task.job, "broken")
        task.job.output.parent.mkdir(parents=True, exist_ok=True)
        for target in task.job.targets:
            with target.open("wb" if task.replace else "xb") as file:
                file.write(data)
        hashes = {path.name: file_sha256(path) for path in task.job.targets} if task.hash_output else {}
        return Result(str(task.job.input), "done", str(task.job.output), hashes=hashes, model="copy")


class House:
    """A folder of photos, an output folder and its ledger."""

    def __init__(self, root: Path):
        self.root, self.out = root, root / "out"
        self.options, self.settings = Options(), Settings()
        self.copying = Copying()

    def add(self, name: str, content: bytes = b"photo") -> Path:
        path = self.root / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def run(self, *, with_ledger: bool = True) -> dict[str, Result]:
        self.copying = Copying()
        extras = self.options
        jobs = plan.make(plan.find([self.root / "in"]), self.out, extras)
        if not with_ledger:
            run = Run(self.options, self.settings)
            return self._named(run.results(jobs, Here(lambda: self.copying)))
        with closing(Ledger.of_folder(self.out)) as book:
            book.register(jobs)
            return self._named(
                Run(self.options, self.settings, book).results(jobs, Here(lambda: self.copying))
            )

    def _named(self, results) -> dict[str, Result]:
        return {plan.Path(result.input).name: result for result in results}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def statuses(results: dict[str, Result]) -> dict[str, str]:
    return {name: result.status for name, result in results.items()}


def test_one_bad_file_does_not_stop_the_rest_and_a_rerun_takes_up_what_is_left(house: House) -> None:
    house.add("a.jpg")
    house.add("b.jpg", b"broken")
    house.add("c.jpg")
    assert statuses(house.run()) == {"a.jpg": "done", "b.jpg": "failed", "c.jpg": "done"}
    house.add("b.jpg", b"mended")
    assert statuses(house.run()) == {"a.jpg": "skipped", "b.jpg": "done", "c.jpg": "skipped"}
    assert len(house.copying.tasks) == 1


def test_a_changed_photo_is_colored_again(house: House) -> None:
    house.add("a.jpg", b"one")
    house.run()
    house.add("a.jpg", b"two")
    assert statuses(house.run()) == {"a.jpg": "done"}
    assert (house.out / "a.jpg").read_bytes() == b"two"


def test_other_options_color_again_and_other_limits_do_not(house: House) -> None:
    house.add("a.jpg")
    house.run()
    house.options = Options(max_pixels=10**9)
    assert statuses(house.run()) == {"a.jpg": "skipped"}
    house.options = Options(vividness=0.9)
    assert statuses(house.run()) == {"a.jpg": "done"}


def test_another_model_colors_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.add("a.jpg")
    house.run()
    import dataclasses

    from photochrom.batch import runner

    find = runner.find
    monkeypatch.setattr(
        runner, "find", lambda name: (find(name)[0], dataclasses.replace(find(name)[1], sha256="other"))
    )
    assert statuses(house.run()) == {"a.jpg": "done"}


@pytest.mark.parametrize("with_ledger", [True, False])
@pytest.mark.parametrize(
    ("policy", "status", "content"),
    [("error", "failed", b"mine"), ("skip", "skipped", b"mine"), ("overwrite", "done", b"photo")],
)
def test_a_file_in_the_way(house: House, with_ledger: bool, policy, status: str, content: bytes) -> None:
    house.add("a.jpg")
    house.out.mkdir()
    (house.out / "a.jpg").write_bytes(b"mine")
    house.settings = Settings(if_exists=policy)
    result = house.run(with_ledger=with_ledger)["a.jpg"]
    assert result.status == status
    assert (house.out / "a.jpg").read_bytes() == content
    if policy == "error":
        assert result.error is not None
        assert "--if-exists" in result.error


def test_a_dangling_link_in_the_way_is_in_the_way(house: House) -> None:
    house.add("a.jpg")
    house.out.mkdir()
    (house.out / "a.jpg").symlink_to(house.root / "nowhere")
    assert statuses(house.run(with_ledger=False)) == {"a.jpg": "failed"}


def test_a_photo_that_vanished_fails_by_name(house: House) -> None:
    house.add("a.jpg")
    gone = house.add("b.jpg")
    jobs = plan.make(plan.find([house.root / "in"]), house.out)
    gone.unlink()
    with closing(Ledger.of_folder(house.out)) as book:
        book.register(jobs)
        run = Run(Options(), Settings(), book)
        results = list(run.results(jobs, Here(Copying)))
    assert [result.status for result in results] == ["done", "failed"]
    assert "cannot be read" in str(results[1].error)


def test_what_killed_runs_left_is_swept_in_every_folder(house: House) -> None:
    house.add("x/a.jpg")
    house.add("b.jpg")
    stale = [house.out / ".b.jpg.123-4.photochrom-part", house.out / "x/.a.jpg.123-4.photochrom-part"]
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    house.run()
    assert not any(path.exists() for path in stale)


def test_a_ledger_that_cannot_be_written_fails_the_job_before_anything_is_stored(
    house: House, monkeypatch
) -> None:
    house.add("a.jpg")

    def full(*_: object, **__: object) -> None:
        raise WriteError("cannot keep the ledger: disk is full")

    monkeypatch.setattr(Ledger, "claim", full)
    assert statuses(house.run()) == {"a.jpg": "failed"}
    assert not (house.out / "a.jpg").exists()
    monkeypatch.undo()
    assert statuses(house.run()) == {"a.jpg": "done"}


def test_a_ledger_that_fills_up_after_the_work_makes_it_a_failure_that_a_rerun_mends(
    house: House, monkeypatch
) -> None:
    house.add("a.jpg")

    def full(*_: object, **__: object) -> None:
        raise WriteError("cannot keep the ledger: disk is full")

    monkeypatch.setattr(Ledger, "done", full)
    assert statuses(house.run()) == {"a.jpg": "failed"}
    monkeypatch.undo()
    assert statuses(house.run()) == {"a.jpg": "done"}


def test_a_job_that_another_run_holds_is_waited_for_and_hashed_once(house: House, monkeypatch) -> None:
    """The claim is refused at first, as if another run were at it, and granted later."""
    house.add("a.jpg")
    house.add("b.jpg")
    jobs = plan.make(plan.find([house.root / "in"]), house.out)
    from photochrom.batch import runner
    from photochrom.batch.ledger import Claim

    hashed: list[str] = []
    monkeypatch.setattr(runner, "file_sha256", lambda path: hashed.append(path.name) or file_sha256(path))

    class Contested(Ledger):
        refusals = 3

        def claim(self, job, key, input_sha256, *, replace=False):
            if job.input.name == "a.jpg" and self.refusals:
                self.refusals -= 1
                return Claim.HELD
            return super().claim(job, key, input_sha256, replace=replace)

    with closing(Contested.of_folder(house.out)) as book:
        book.register(jobs)
        results = list(Run(Options(), Settings(), book).results(jobs, Here(Copying)))
    assert [plan.Path(result.input).name for result in results] == ["b.jpg", "a.jpg"]
    assert hashed == ["a.jpg", "b.jpg"]


def test_a_preview_changes_nothing_and_tells_the_truth(house: House) -> None:
    house.add("a.jpg")
    house.add("b.jpg")
    house.add("c.jpg", b"broken")
    house.run()
    (house.out / "b.jpg").unlink()
    house.add("d.jpg")
    (house.out / "d.jpg").write_bytes(b"mine")
    jobs = plan.make(plan.find([house.root / "in"]), house.out)
    with closing(Ledger.of_folder(house.out)) as book:
        rows = {row.output: row for row in book.rows()}
    before = sorted(house.out.rglob("*"))
    run = Run(Options(), Settings())
    seen = [run.preview(job, rows, house.out).status for job in jobs]
    assert seen == ["skipped", "planned", "planned", "failed"]
    assert sorted(house.out.rglob("*")) == before


def test_here_passes_settled_results_on_and_sets_up_only_when_needed() -> None:
    def never() -> None:
        raise AssertionError

    task = Task(plan.Job(plan.Path("a"), plan.Path("b")))
    settled = Outcome(task, Result("a", "skipped"))
    assert list(Here(never).run([None, settled])) == [(task, settled.result)]


def test_an_unknown_model_is_said_before_any_work() -> None:
    with pytest.raises(UnknownModel):
        workers_for(Options(model="nonesuch"), Settings(), 3)


def test_one_photo_is_done_here_and_many_in_processes() -> None:
    assert isinstance(workers_for(Options(), Settings(isolate=False), 1), Here)
    pool = workers_for(Options(), Settings(workers=8), 3)
    assert isinstance(pool, Pool)
    assert pool._workers == 3
    assert processors() <= (os.cpu_count() or 1)


def test_the_real_engine_in_real_workers(photo: Callable[..., Path], tmp_path: Path) -> None:
    for number in range(4):
        photo(f"in/{number}.jpg", number)
    (tmp_path / "in/text.jpg").write_text("no photo")
    jobs = plan.make(plan.find([tmp_path / "in"]), tmp_path / "out")
    with closing(Ledger.of_folder(tmp_path / "out")) as book:
        book.register(jobs)
        run = Run(Options(), Settings(workers=2), book)
        results = list(run.results(jobs, workers_for(Options(), Settings(workers=2), len(jobs))))
        rows = {row.output: row for row in book.rows()}
    assert sorted(result.status for result in results) == ["done"] * 4 + ["failed"]
    for result in results:
        if result.status == "done":
            assert rows[plan.Path(str(result.output)).name].output_sha256 == file_sha256(
                plan.Path(str(result.output))
            )
