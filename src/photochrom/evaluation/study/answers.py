"""What people answered, in SQLite: one file, safe against a kill, resumable at any answer."""

from __future__ import annotations

import secrets
import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photochrom.errors import DataError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photochrom.evaluation.study.design import Study, Trial

_SCHEMA = """
CREATE TABLE IF NOT EXISTS participants (
    id TEXT PRIMARY KEY, number INTEGER UNIQUE NOT NULL, started REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS answers (
    participant TEXT NOT NULL REFERENCES participants (id), trial INTEGER NOT NULL, choice TEXT NOT NULL,
    milliseconds REAL NOT NULL, answered REAL NOT NULL, PRIMARY KEY (participant, trial)
);
"""

_CHOICES = {
    "practice": ("left", "right"),
    "fooling": ("left", "right"),
    "preference": ("left", "right", "tie"),
}
_LONGEST = 3_600_000.0  # milliseconds; a longer thought is cut to this


@dataclass(frozen=True)
class Answer:
    """One answered trial."""

    participant: int
    trial: Trial
    choice: str
    milliseconds: float

    @property
    def right(self) -> bool | None:
        """Whether the machine's picture was found; None for a preference."""
        return None if self.trial.kind == "preference" else self.choice == self.trial.colored

    @property
    def model(self) -> str:
        """The model in a pair of real and colored."""
        return self.trial.left if self.trial.colored == "left" else self.trial.right


class Answers:
    """The answers of one study. Each call opens the file anew, so any thread may call."""

    def __init__(self, study: Study):
        self.study = study
        self._path = study.folder / "answers.sqlite"
        with self._open() as database:
            database.executescript(_SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            database = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            try:
                yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            raise DataError(
                f"the answers in {self._path.name} cannot be used ({error}): check the study's folder"
            ) from None

    def enroll(self) -> str:
        """A new participant's id, a random word that serves as the only account."""
        participant = secrets.token_urlsafe(12)
        with self._open() as database:
            database.execute(
                "INSERT INTO participants SELECT ?, COALESCE(MAX(number) + 1, 0), ? FROM participants",
                (participant, time.time()),
            )
        return participant

    def number(self, participant: str) -> int:
        """The participant's number. Raises UnknownParticipant."""
        with self._open() as database:
            row = database.execute("SELECT number FROM participants WHERE id = ?", (participant,)).fetchone()
        if row is None:
            raise UnknownParticipant
        return int(row[0])

    def answered(self, participant: str) -> int:
        """How many trials a participant has answered: also the index of the next one."""
        with self._open() as database:
            query = "SELECT COUNT(*) FROM answers WHERE participant = ?"
            return int(database.execute(query, (participant,)).fetchone()[0])

    def record(self, participant: str, index: int, choice: str, milliseconds: float) -> Answer:
        """Store the answer to the next trial; an answer given twice counts as the first one.

        Raises UnknownParticipant, and OptionError for a choice or a trial that makes no sense.
        """
        number = self.number(participant)
        trials = self.study.trials(number)
        if not 0 <= index <= min(self.answered(participant), len(trials) - 1):
            raise OptionError("this trial is not open: reload the page to go on")
        trial = trials[index]
        if choice not in _CHOICES[trial.kind] or not milliseconds >= 0:
            raise OptionError(
                f"the choice must be one of {', '.join(_CHOICES[trial.kind])}, with a time above zero"
            )
        values = (participant, index, choice, min(milliseconds, _LONGEST), time.time())
        with self._open() as database:
            database.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)", values)
            query = "SELECT choice, milliseconds FROM answers WHERE participant = ? AND trial = ?"
            kept = database.execute(query, (participant, index)).fetchone()
        return Answer(number, trial, *kept)

    def all(self) -> list[Answer]:
        """Every answer, practice included, by participant and trial."""
        with self._open() as database:
            rows = database.execute(
                "SELECT number, trial, choice, milliseconds FROM answers "
                "JOIN participants ON participants.id = answers.participant ORDER BY number, trial"
            ).fetchall()
        trials = {number: self.study.trials(number) for number in {row[0] for row in rows}}
        return [Answer(number, trials[number][index], choice, ms) for number, index, choice, ms in rows]


class UnknownParticipant(OptionError):
    """An id that this study has not given out."""

    status = 404
    problem = "unknown-participant"

    def __init__(self) -> None:
        super().__init__("this study does not know you: reload the page to begin anew")
