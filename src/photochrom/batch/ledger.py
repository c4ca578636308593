"""The ledger: an SQLite file that says which output was made from which bytes, by which model.

A row is an output. It is `pending` once planned, `running` while a live run works on it, then `done`
or `failed`. Done is done only while the row's key (hash of input, model and options) is the one now
asked for and the output is there. `ours` says that nothing but a run of this ledger can have put a
file in the output's place, so that a rerun may replace what a killed one left, and never a stranger.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photochrom.batch.naming import FOLDER
from photochrom.errors import WriteError
from photochrom.locks import RunLocks
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from photochrom.batch.plan import Job

VERSION = 2  # version 1 had no `others`
_PATIENCE = 60.0  # seconds to wait for another run's transaction
_SCHEMA = """
CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, started TEXT NOT NULL, version TEXT NOT NULL);
CREATE TABLE jobs (
    output        TEXT PRIMARY KEY,   -- relative to the output folder, with forward slashes
    input         TEXT NOT NULL,      -- absolute
    status        TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'done', 'failed')),
    ours          INTEGER NOT NULL DEFAULT 0,
    key           TEXT,               -- of the result that is there, or in the making
    input_sha256  TEXT,
    output_sha256 TEXT,
    others        TEXT,               -- JSON: sha256 by name of what else was written beside it
    model         TEXT,
    run           INTEGER REFERENCES runs (id),
    error         TEXT,
    seconds       REAL,
    updated       TEXT
);
"""


class Claim(Enum):
    """What a run may do about a job."""

    TAKEN = "taken"  # color it; what stands in its place, if anything, is ours and may be replaced
    DONE = "done"  # the very result is there already
    HELD = "held"  # another live run is at it
    FOREIGN = "foreign"  # a file that this ledger did not make, or that was changed since, is in its place


@dataclass(frozen=True)
class Row:
    """One output as the ledger knows it; the columns that are read back."""

    output: str
    input: str
    status: str
    ours: bool
    key: str | None
    input_sha256: str | None
    output_sha256: str | None
    others: dict[str, str] | None  # sha256 by name of the sidecar, layer, proposals; None: not known
    model: str | None
    run: int | None
    error: str | None

    @classmethod
    def of(cls, values: Iterable[Any]) -> Row:
        """The row of an SQLite row's values."""
        fields: list[Any] = [os.fsdecode(value) if isinstance(value, bytes) else value for value in values]
        row = cls(*fields)
        return replace(row, others=json.loads(fields[7])) if fields[7] else row

    def is_as_left(self, job: Job, target: Path) -> bool:
        """Whether a file of a job is as a run left it, or not there; unknown hashes are a killed run's."""
        if target == job.output:
            return _unchanged(target, self.output_sha256)
        return _unchanged(target, None if self.others is None else self.others.get(target.name, "not ours"))


_COLUMNS = ", ".join(Row.__dataclass_fields__)
_ALL_ROWS = f"SELECT {_COLUMNS} FROM jobs ORDER BY output"  # noqa: S608 (our own columns)
_ONE_ROW = f"SELECT {_COLUMNS} FROM jobs WHERE output = ?"  # noqa: S608


class Ledger:
    """One run's view of a ledger file. Use it in one thread only."""

    def __init__(self, path: Path, root: Path, version: str = ""):
        """Open or make the ledger at `path` for outputs below `root`.

        Raises WriteError where it cannot be kept there or is not a ledger.
        """
        self.path, self.root = path, root.absolute()
        with _said_plainly(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._locks = RunLocks(path.with_name(path.name + ".lock"))
            self._database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            self._write_ahead()
            self._run = self._start(version)

    def _write_ahead(self) -> None:
        """Log ahead: a commit costs 0.2 ms, not 35.

        SQLite does not wait for its turn to switch, whatever the timeout, so we do: two runs may begin
        at once.
        """
        last = time.monotonic() + _PATIENCE
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > last:
                    raise
            time.sleep(0.02)

    @classmethod
    def of_folder(cls, out: Path, version: str = "") -> Ledger:
        """The ledger of an output folder, kept inside it."""
        return cls(place(out), out, version)

    def _start(self, version: str) -> int:
        with self._transaction() as database:
            found = database.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                for statement in _SCHEMA.split(";\n"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {VERSION}")
            elif found == 1:
                database.execute("ALTER TABLE jobs ADD COLUMN others TEXT")
                database.execute(f"PRAGMA user_version = {VERSION}")
            elif found != VERSION:
                raise WriteError(
                    f"the ledger {self.path} is of version {found}: use the photochrom that made it"
                )
            cursor = database.execute("INSERT INTO runs (started, version) VALUES (?, ?)", (_now(), version))
            run = cursor.lastrowid or 0
            self._locks.take(run)  # inside the transaction: no one sees the run before it holds its lock
            return run

    @contextmanager
    def _transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that survives kill -9, and a power cut too if it is `durable`."""
        with _said_plainly(self.path):
            self._database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Leave one plain file behind, unless another run still uses it."""
        with suppress(sqlite3.OperationalError):
            self._database.execute("PRAGMA busy_timeout = 0")
            self._database.execute("PRAGMA journal_mode = DELETE")
        self._database.close()
        self._locks.close()

    def name(self, output: Path) -> str:
        """How this ledger calls an output."""
        return relative_name(output, self.root)

    def register(self, jobs: Iterable[Job]) -> None:
        """Note all planned jobs before work starts, so that what is missing later is known to be."""
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO jobs (output, input, updated) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [_stored(self.name(job.output), str(job.input.absolute()), _now()) for job in jobs],
            )

    def registered(self, jobs: Iterable[Job | None]) -> Iterator[Job | None]:
        """Jobs that come one by one, each noted before it is handed on."""
        for job in jobs:
            if job is not None:
                self.register([job])
            yield job

    def claim(self, job: Job, key: str, input_sha256: str, *, replace: bool = False) -> Claim:
        """Take a job for this run, or say why not. `replace` allows what is in the way to be replaced."""
        name = self.name(job.output)
        with self._transaction(durable=True) as database:  # before any result can be on the disk
            row = self._row(name)
            if row is not None and row.status == "running" and row.run != self._run and self._alive(row):
                return Claim.HELD
            verdict = decide(row, job, key, input_sha256, replace=replace)
            if verdict is Claim.TAKEN:
                database.execute(
                    "UPDATE jobs SET status = 'running', ours = 1, key = ?, input = ?, input_sha256 = ?,"
                    " output_sha256 = NULL, others = NULL, run = ?, error = NULL, updated = ?"
                    " WHERE output = ?",
                    _stored(key, str(job.input.absolute()), input_sha256, self._run, _now(), name),
                )
            return verdict

    def _alive(self, row: Row) -> bool:
        return row.run is not None and self._locks.alive(row.run)

    def done(
        self,
        job: Job,
        output_sha256: str,
        model: str,
        seconds: float,
        others: Mapping[str, str] | None = None,
    ) -> None:
        """Note that a claimed job's output is in its place, and `others` (sha256 by name) beside it."""
        self._note(
            "status = 'done', output_sha256 = ?, others = ?, model = ?, seconds = ?",
            job,
            output_sha256,
            None if others is None else json.dumps(others),
            model,
            seconds,
        )

    def failed(self, job: Job, error: str) -> None:
        """Note why a job gave no result. What a claimed job left in its place all the same is ours."""
        with self._transaction() as database:
            row = self._row(self.name(job.output))
            if row is not None and row.status == "running":
                left = {path: file_sha256(path) for path in job.targets if path.exists()}
                others = json.dumps({path.name: left[path] for path in left if path != job.output})
                values = _stored(bool(left), left.get(job.output), others, self.name(job.output))
                database.execute(
                    "UPDATE jobs SET ours = ?, output_sha256 = ?, others = ? WHERE output = ?", values
                )
        self._note("status = 'failed', error = ?", job, error)

    def release(self, job: Job) -> None:
        """Give a claimed job back, undone."""
        self._note("status = 'pending'", job)

    def _note(self, change: str, job: Job, *values: object) -> None:
        with self._transaction() as database:
            database.execute(
                f"UPDATE jobs SET {change}, updated = ? WHERE output = ?",  # noqa: S608 (fixed strings above)
                _stored(*values, _now(), self.name(job.output)),
            )

    def _row(self, name: str) -> Row | None:
        found = self._database.execute(_ONE_ROW, _stored(name)).fetchone()
        return Row.of(found) if found else None

    def row(self, job: Job) -> Row | None:
        """What is known of a job's output."""
        with _said_plainly(self.path):
            return self._row(self.name(job.output))

    def rows(self) -> list[Row]:
        """All outputs ever planned, by name."""
        with _said_plainly(self.path):
            return [Row.of(values) for values in self._database.execute(_ALL_ROWS)]


def decide(row: Row | None, job: Job, key: str, input_sha256: str, *, replace: bool = False) -> Claim:
    """What may be done about a job that no live run holds, by its row and the files that are there.

    Only what was made from this very photo, by a run of this ledger, and is as that run left it, is
    replaced without being asked; the output of another photo of the same name is not.
    """
    there = any(os.path.lexists(target) for target in job.targets)
    if row is None:
        return Claim.TAKEN if replace or not there else Claim.FOREIGN
    as_left = in_the_way(row, job) is None
    done = row.status == "done" and row.key == key
    if done and as_left and all(target.exists() for target in job.targets):
        return Claim.DONE
    same_photo = row.input == str(job.input.absolute()) or row.input_sha256 == input_sha256
    mine = row.ours and (same_photo or done) and as_left
    return Claim.TAKEN if replace or mine or not there else Claim.FOREIGN


def in_the_way(row: Row | None, job: Job) -> Path | None:
    """The first of a job's files that is there and not as a run of this ledger left it."""
    there = (target for target in job.targets if os.path.lexists(target))
    return next((target for target in there if row is None or not row.is_as_left(job, target)), None)


def place(out: Path) -> Path:
    """Where the ledger of an output folder lies."""
    return out / FOLDER / "ledger.sqlite"


def read_rows(path: Path) -> list[Row]:
    """The rows of a ledger that is only looked at. Raises WriteError where there is none."""
    if not path.is_file():
        raise WriteError(
            f"there is no ledger at {path}: only the output of 'photochrom batch' can be verified"
        )
    with (
        _said_plainly(path),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database,
    ):
        version = database.execute("PRAGMA user_version").fetchone()[0]
        columns = _ALL_ROWS if version > 1 else _ALL_ROWS.replace(" others,", " NULL,")
        return [Row.of(values) for values in database.execute(columns)]


def relative_name(output: Path, root: Path) -> str:
    """How a ledger calls an output: relative to the output folder, with forward slashes."""
    return Path(os.path.relpath(output.absolute(), root.absolute())).as_posix()


def _unchanged(output: Path, sha256: str | None) -> bool:
    """Whether the output is as a run left it; without a recorded hash a killed run's is."""
    try:
        return sha256 is None or not output.exists() or file_sha256(output) == sha256
    except OSError:
        return False


def _stored(*values: object) -> tuple[object, ...]:
    """Values as SQLite takes them: a text from a file name that is no UTF-8 becomes its bytes."""
    return tuple(
        os.fsencode(value) if isinstance(value, str) and is_odd(value) else value for value in values
    )


def is_odd(text: str) -> bool:
    """Whether a text holds bytes that are no UTF-8 (PEP 383)."""
    return not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _said_plainly(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into one sentence."""
    try:
        yield
    except OSError as error:
        raise WriteError(f"cannot keep the ledger {path}: {error.strerror or error}") from error
    except sqlite3.OperationalError as error:
        raise WriteError(f"cannot keep the ledger {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise WriteError(
            f"{path} is not a ledger, or is damaged ({error}): move it away, the pictures are untouched"
        ) from error
