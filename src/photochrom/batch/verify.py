"""Proof after the fact: is every planned output there, whole, and from the photo that is there now?"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.batch.ledger import Row, relative_name
from photochrom.batch.records import Record, Records
from photochrom.batch.store import Absent
from photochrom.errors import PhotochromError, PhotoError
from photochrom.photo import read
from photochrom.photo.atomic import PART
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from photochrom.batch.plan import Job
    from photochrom.batch.store import Store

_NO_LIMIT = 1 << 40
_NOT_YET = "it is not colored yet: run the batch again"
_MISSING = "it is missing: run the batch again"
_CHANGED = "it is not as it was written: it was changed or damaged since"
_OTHER_PHOTO = "the photo is not the one that was colored: it was changed since"


@dataclass(frozen=True)
class Finding:
    """What was found about one output; `problem` is None where all is well."""

    input: str
    output: str
    problem: str | None = None

    def to_json(self) -> dict[str, object]:
        """The object that --json prints."""
        return {
            "input": self.input,
            "output": self.output,
            "status": "failed" if self.problem else "done",
            "error": self.problem,
        }


def verify(
    out: Path, rows: Iterable[Row], planned: Iterable[Job] = (), *, threads: int = 2
) -> Iterator[Finding]:
    """Check every output of a ledger, and that each planned photo has one; findings in the ledger's order.

    An output is whole if its bytes are those that were written and it decodes to the last row; its
    photo must have the bytes it was made from. Where the plan is given, a photo that was taken out of it
    before it was colored is no longer missed.
    """
    jobs = {relative_name(job.output, out): job for job in planned}
    known = {row.output: row for row in rows if not (jobs and _withdrawn(row))}
    taken_up = {row.input for row in known.values()}
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(lambda row: _findings(out, row, jobs.get(row.output)), known.values())
        for findings in found:
            yield from findings
    for name, job in jobs.items():
        if name not in known and str(job.input.absolute()) not in taken_up:
            yield Finding(str(job.input), str(job.output), "it was never planned: run the batch")
    for part in sorted(out.rglob(f".*{PART}")):
        yield Finding(
            "", str(part), "a temporary file was left behind: run the batch again, which removes it"
        )


def _withdrawn(row: Row) -> bool:
    """Whether a photo that was never colored is gone."""
    return row.status in ("pending", "failed") and not Path(row.input).exists()


def _findings(out: Path, row: Row, job: Job | None) -> list[Finding]:
    """One for the output, and one for each file beside it."""
    if row.status != "done":
        problem = f"it failed: {row.error}" if row.error else _NOT_YET
        return [Finding(row.input, str(out / row.output), problem)]
    output = out / row.output
    others: dict[str, str | None] = dict.fromkeys(path.name for path in job.targets[1:]) if job else {}
    others.update(row.others or {})
    found = [Finding(row.input, str(output), _problem_of_output(output, row) or _problem_of_input(row))]
    for name, sha256 in others.items():
        place = output.with_name(name)
        found.append(Finding(row.input, str(place), _problem_of_bytes(place, sha256)))
    return found


def _problem_of_output(path: Path, row: Row) -> str | None:
    if problem := _problem_of_bytes(path, row.output_sha256):
        return problem
    return _problem_of_decoding(path)


def _problem_of_decoding(source: Path | bytes) -> str | None:
    """What keeps a picture, in a file or in bytes, from being decoded to its last row."""
    try:
        for _ in read(source, max_pixels=_NO_LIMIT, max_side=_NO_LIMIT).strips():
            pass
    except PhotochromError as error:
        return f"it does not decode: {error}"
    return None


def _problem_of_bytes(path: Path, sha256: str | None) -> str | None:
    """What is wrong with a file that should have this hash (None: any)."""
    try:
        found = file_sha256(path)
        if sha256 and found != sha256:
            return _CHANGED
    except FileNotFoundError:
        return _MISSING
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    return None


def _problem_of_input(row: Row) -> str | None:
    try:
        if file_sha256(Path(row.input)) != row.input_sha256:
            return _OTHER_PHOTO
    except OSError as error:
        return f"the photo cannot be compared: {error.strerror or error}"
    return None


def verify_store(target: Store, source: Store | None = None) -> Iterator[Finding]:
    """Read every result back: is it there, as it was put, does it decode, and is its photo still that one?

    Raises PhotoError where no batch has put anything, or the store cannot be read.
    """
    empty = True
    for record in Records(target, "").all():
        empty = False
        if isinstance(record, Record):
            yield from _findings_of_record(record, target, source)
        else:
            yield Finding("", "", str(record))
    if empty:
        raise PhotoError(
            f"there is no record of a batch in {target.address}: check its name; only results of "
            "'photochrom batch' can be verified"
        )


def _findings_of_record(record: Record, target: Store, source: Store | None) -> Iterator[Finding]:
    """One for the picture, and one for each file beside it."""
    photo = source.location(record.input) if source else record.input
    if record.status != "done":
        reason = f"it failed: {record.error}" if record.error else _NOT_YET
        yield Finding(photo, target.location(record.output) if record.output else "", reason)
        return
    for name, version in record.files.items():
        if name != record.output:
            problem = _problem_of_file(name, version, target)
        else:
            problem = _problem_of_picture(record, target) or _problem_of_photo(record, source)
        yield Finding(photo, target.location(name), problem)


def _problem_of_picture(record: Record, target: Store) -> str | None:
    try:
        data, _ = target.read(record.output)
    except Absent:
        return _MISSING
    except PhotoError as error:
        return str(error)
    if hashlib.sha256(data).hexdigest() != record.output_sha256:
        return _CHANGED
    return _problem_of_decoding(data)


def _problem_of_file(name: str, version: str, target: Store) -> str | None:
    try:
        entry = target.find(name)
    except PhotoError as error:
        return str(error)
    return _MISSING if entry is None else None if entry.version == version else _CHANGED


def _problem_of_photo(record: Record, source: Store | None) -> str | None:
    if source is None:
        return None
    try:
        entry = source.find(record.input)
    except PhotoError as error:
        return str(error)
    if entry is None:
        return "the photo cannot be compared: it is not there any more"
    if record.photo and entry.version != record.photo:
        return _OTHER_PHOTO
    return None
