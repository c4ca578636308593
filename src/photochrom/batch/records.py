"""Records: what became of each photo, kept as small JSON objects beside the results in their store.

They are to a store what the ledger is to a local folder. A photo is done while its record says so with the
key now asked for (input, model and options) and its result is there unchanged. A record is only ever
replaced by who has just read it, so two workers or two runs cannot both own a photo. A run is alive while
its heartbeat, an object that it keeps putting, is younger than `LAPSE` beside our own: both by the store's
clock, so that the clocks of machines do not matter.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from photochrom.batch.naming import FOLDER
from photochrom.batch.store import ANYTHING, Absent, Conflict
from photochrom.errors import PhotochromError, WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photochrom.batch.store import Store

BEAT, LAPSE = 15.0, 60.0  # seconds between heartbeats; without one for so long a run is taken for dead
_VERSION = 1


@dataclass(frozen=True)
class Record:
    """What became of a photo. `files` are its results: key -> version as they were put."""

    input: str
    photo: str = ""  # the version that was colored
    status: str = "running"  # then "done" or "failed"
    key: str = ""
    run: str = ""
    output: str = ""
    output_sha256: str = ""
    model: str = ""
    seconds: float = 0.0
    error: str = ""
    files: dict[str, str] = field(default_factory=dict)
    version: int = _VERSION

    def dump(self) -> bytes:
        """As JSON."""
        return _encoded(asdict(self))


def _encoded(document: dict[str, Any]) -> bytes:
    """A line of JSON; names that are not UTF-8 stand in it as json.loads takes them."""
    return (json.dumps(document, ensure_ascii=False) + "\n").encode(errors="surrogatepass")


class Records:
    """The records in a store, as one run sees them."""

    def __init__(self, store: Store, run: str):
        self.store, self.run = store, run
        self._lives: dict[str, tuple[float, bool]] = {}

    def read(self, key: str) -> tuple[Record | None, str | None]:
        """The record of a photo and its version, or None and None. Raises WriteError where it is damaged."""
        place = _place(key)
        try:
            data, version = self.store.read(place)
        except Absent:
            return None, None
        return _parsed(data, self.store.location(place)), version

    def claim(self, record: Record, version: str | None) -> str | None:
        """Take a photo for this run: the claim's version, or None where somebody else was faster."""
        return self._put(replace(record, status="running", run=self.run), version)

    def settle(self, record: Record, version: str) -> None:
        """Note how a claimed photo went; where somebody took it over meanwhile, theirs stays."""
        self._put(record, version)

    def _put(self, record: Record, version: str | None) -> str | None:
        try:
            return self.store.put(_place(record.input), record.dump(), version)
        except Conflict:
            return None

    def is_held(self, record: Record) -> bool:
        """Whether another run that lives is at it."""
        return record.status == "running" and record.run != self.run and self._lives_still(record.run)

    def _lives_still(self, run: str) -> bool:
        asked, alive = self._lives.get(run, (-BEAT, False))
        if time.monotonic() - asked > BEAT / 3:
            alive = _beats(self.store, run, self.run)
            self._lives[run] = time.monotonic(), alive
        return alive

    def all(self) -> Iterator[Record | PhotochromError]:
        """Every record; in place of one that cannot be read, why."""
        for entry in self.store.list(f"{FOLDER}/records"):
            try:
                yield _parsed(self.store.read(entry.key)[0], self.store.location(entry.key))
            except PhotochromError as error:
                yield error


def _place(key: str) -> str:
    return f"{FOLDER}/records/{key}.json"


def _parsed(data: bytes, where: str) -> Record:
    try:
        found: Any = json.loads(data)
        if found["version"] == _VERSION:
            return Record(**found)
    except (ValueError, TypeError, KeyError):
        raise WriteError(f"{where} is damaged: remove it, and the photo is colored again") from None
    raise WriteError(f"{where} was written by a newer photochrom: update this one")


def _beat_key(run: str) -> str:
    return f"{FOLDER}/runs/{run}.json"


def _beats(store: Store, run: str, own: str) -> bool:
    theirs, ours = store.find(_beat_key(run)), store.find(_beat_key(own))
    if theirs is None or ours is None or ours.modified - theirs.modified > LAPSE:
        return False
    with suppress(PhotochromError, ValueError):
        return not json.loads(store.read(_beat_key(run))[0]).get("ended", False)
    return False


class Heartbeat:
    """Keeps saying that a run is alive, from a thread of its own, and in the end that it is over."""

    def __init__(self, store: Store, run: str):
        """Begins at once. Raises WriteError where nothing can be put."""
        self.run, self._store, self._over = run, store, threading.Event()
        self._beat()
        self._thread = threading.Thread(target=self._keep_beating, name="heartbeat", daemon=True)
        self._thread.start()

    def _beat(self, *, ended: bool = False) -> None:
        text = json.dumps({"run": self.run, "ended": ended, "beat": time.time()})
        self._store.put(_beat_key(self.run), text.encode(), ANYTHING)

    def _keep_beating(self) -> None:
        while not self._over.wait(BEAT):
            with suppress(PhotochromError):  # a store that is away for a moment
                self._beat()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        with suppress(PhotochromError):
            self._beat(ended=True)


class Failures:
    """The table of what failed, as JSON lines, put in parts so that a killed run has left most of it."""

    _PART, _WAIT = 500, 30.0  # lines; seconds

    def __init__(self, store: Store, run: str):
        self._store, self._run, self._lines = store, run, list[bytes]()
        self._parts, self._since = 0, time.monotonic()

    def add(self, key: str, address: str, error: str) -> None:
        self._lines.append(_encoded({"key": key, "input": address, "error": error}))
        if len(self._lines) >= self._PART or time.monotonic() - self._since > self._WAIT:
            self.flush()

    def flush(self) -> None:
        if self._lines:
            self._parts += 1
            name = f"{FOLDER}/failures/{self._run}-{self._parts:06}.jsonl"
            self._store.put(name, b"".join(self._lines))
        self._lines, self._since = [], time.monotonic()


def failed_keys(records: Records) -> list[str]:
    """The photos that failed, by the tables of all runs, and are not done since.

    One that could not be fetched has no record; one whose result could not be put has that of its claim.
    """
    keys: dict[str, None] = {}
    for entry in records.store.list(f"{FOLDER}/failures"):
        for line in records.store.read(entry.key)[0].splitlines():
            keys[json.loads(line)["key"]] = None
    found = ((key, records.read(key)[0]) for key in keys)
    return [key for key, record in found if record is None or record.status != "done"]
