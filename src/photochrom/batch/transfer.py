"""Photos from one store to another: fetched, colored as local ones are, put, and recorded.

A worker does all that concerns a photo, so the driver only lists and counts. Files are made by `Coloring` in
a temporary folder: a result in object storage has the very bytes that a local run would have written.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
import uuid
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, Protocol

from photochrom.batch import naming, plan, xmp_sidecars
from photochrom.batch.coloring import Coloring, Result, Task
from photochrom.batch.options import Options, digest
from photochrom.batch.pool import Lost, Pool
from photochrom.batch.records import Failures, Heartbeat, Record, Records, failed_keys
from photochrom.batch.store import ANYTHING, Conflict, Entry, Folder, Store
from photochrom.batch.verify import Finding, verify_store
from photochrom.errors import OptionError, PhotochromError, PhotoError
from photochrom.models import find
from photochrom.photo.formats import PICTURE_SUFFIXES
from photochrom.photo.strips import processors
from photochrom.photo.unread import unread_kind

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from photochrom.batch.cluster import Cluster
    from photochrom.batch.runner import IfExists, Settings

    class Workers(Protocol):
        """A Pool or a Cluster."""

        def run(self, tasks: Iterable[Entry], /) -> Iterator[tuple[Entry, Result | Held | Lost]]: ...
        def close(self) -> None: ...


_PATIENCE = 2.0  # seconds until photos that another run holds are asked for again


class Held(NamedTuple):
    """Another run is at the photo: ask again later."""

    key: str


class _Fetched(NamedTuple):
    data: bytes
    version: str


@dataclass(frozen=True)
class Courier:
    """Does all that concerns one photo. Made once a worker."""

    coloring: Coloring
    options: Options
    source: Store
    records: Records
    recipe: dict[str, str]  # hashes of model and options
    if_exists: IfExists

    @classmethod
    def hired(
        cls, options: Options, source: Store, target: Store, run: str, if_exists: IfExists, threads: int
    ) -> Courier:
        """What a worker sets up."""
        coloring = Coloring(options, threads)
        return cls(coloring, options, source, Records(target, run), _recipe(options), if_exists)

    def __call__(self, entry: Entry) -> Result | Held:
        """The photo's result; what a user or the system can cause is in it."""
        started = time.monotonic()
        try:
            return self._do(entry, started)
        except PhotochromError as error:
            return self._failed(entry.key, str(error), started)
        except OSError as error:  # of the worker's own disk
            return self._failed(entry.key, f"{error.filename}: {error.strerror or error}", started)

    def _do(self, entry: Entry, started: float) -> Result | Held:
        record, version = self.records.read(entry.key)
        if record and self.records.is_held(record):
            return Held(entry.key)
        fetched = None if entry.version else _Fetched(*self.source.read(entry.key))
        beside = _beside(entry, self.source, self.options)
        key = _key(fetched.version if fetched else entry.version, beside, self.recipe)
        if record and _is_done(record, key, self.records.store):
            return Result(self._where(entry.key), "skipped", output=self._there(record.output))
        record = replace(record or Record(entry.key), key=key, model=self.coloring.model, error="")
        if (claim := self.records.claim(record, version)) is None:
            return Held(entry.key)
        fetched = fetched or _Fetched(*self.source.read(entry.key))
        key = _key(fetched.version, beside, self.recipe)
        record = replace(record, key=key, photo=fetched.version)
        result, record = self._colored(record, fetched.data, beside)
        spent = time.monotonic() - started
        record = replace(record, status=result.status, error=result.error or "", seconds=round(spent, 3))
        if result.status != "skipped":
            self.records.settle(replace(record, run=self.records.run), claim)
        return replace(result, seconds=spent)

    def _colored(self, record: Record, data: bytes, beside: dict[str, _Fetched]) -> tuple[Result, Record]:
        """Color a photo whose bytes are here, with its sidecars, and put what came of it."""
        with tempfile.TemporaryDirectory(prefix="photochrom-") as folder:
            path = Path(folder, PurePosixPath(record.input).name)
            path.write_bytes(data)
            for key, sidecar in beside.items():
                Path(folder, PurePosixPath(key).name).write_bytes(sidecar.data)
            (job,) = plan.lay_out([plan.Source(path, Path(path.name))], Path(folder, "out"), self.options)
            if any(self._shares_stem(record.input) for sidecar, _ in job.xmp if sidecar.stem == path.stem):
                job = replace(job, xmp=xmp_sidecars.pairs(path, job.output, shared=True))
            result = self.coloring(Task(job))
            result = replace(result, input=self._where(record.input))
            if result.status != "done":
                return result, record
            if twin := self._twin(record.input, job.output.suffix):
                there = self._there(PurePosixPath(record.input).with_suffix(job.output.suffix).as_posix())
                reason = f"it and {self._where(twin)} would both become {there}: rename one of them"
                return replace(result, status="failed", output=None, error=reason), record
            return self._put_all(job, record, result)

    def _twin(self, key: str, suffix: str) -> str | None:
        """Another photo that would take this one's result: where the format changes, one of the same stem."""
        photo = PurePosixPath(key)
        if photo.suffix == suffix:
            return None
        others = (photo.with_suffix(other).as_posix() for other in sorted({suffix, *PICTURE_SUFFIXES}))
        taken = (other for other in others if other != key and (other < key or other.endswith(suffix)))
        return next((other for other in taken if self.source.find(other)), None)

    def _shares_stem(self, key: str) -> bool:
        photo = PurePosixPath(key)
        others = (photo.with_suffix(other).as_posix() for other in PICTURE_SUFFIXES)
        return any(other != key and self.source.find(other) for other in others)

    def _put_all(self, job: plan.Job, record: Record, result: Result) -> tuple[Result, Record]:
        """The picture last: where it is, nothing is missing."""
        parent = PurePosixPath(record.input).parent
        names = {target: (parent / target.name).as_posix() for target in job.targets}
        files = {}
        if job.sidecar:
            _address(job.sidecar, result.input, self._there(names[job.output]))
        try:
            for target in sorted(job.targets, key=lambda target: target == job.output):
                data = target.read_bytes()
                files[names[target]] = self._put(names[target], data, record)
        except Conflict as conflict:
            return self._in_the_way(str(conflict), result), record
        output = names[job.output]
        sha256 = hashlib.sha256(data).hexdigest()  # the picture's, which was the last
        record = replace(record, output=output, output_sha256=sha256, files=files)
        return replace(result, output=self._there(output)), record

    def _put(self, name: str, data: bytes, record: Record) -> str:
        """Replace only what a run put there itself and nobody has changed since."""
        store = self.records.store
        expect = ANYTHING if self.if_exists == "overwrite" else record.files.get(name)
        if expect and expect != ANYTHING and store.find(name) is None:
            expect = None
        try:
            return store.put(name, data, expect)
        except Conflict:
            there, version = store.read(name)
            if there == data:  # a killed worker had put it
                return version
            raise Conflict(name) from None

    def _in_the_way(self, name: str, result: Result) -> Result:
        if self.if_exists == "skip":
            return replace(result, status="skipped", output=self._there(name))
        reason = (
            f"{self._there(name)} exists already and is not this photo's unchanged result: choose another "
            "output, or --if-exists skip or overwrite"
        )
        return replace(result, status="failed", output=None, error=reason)

    def _where(self, key: str) -> str:
        return self.source.location(key)

    def _there(self, key: str) -> str:
        return self.records.store.location(key)

    def _failed(self, key: str, reason: str, started: float) -> Result:
        where = self._where(key)
        spent = time.monotonic() - started
        return Result(where, "failed", error=reason.removeprefix(f"{where}: "), seconds=spent)


def _recipe(options: Options) -> dict[str, str]:
    return {"model": find(options.model)[1].sha256, "options": options.fingerprint()}


def _beside(entry: Entry, source: Store, options: Options) -> dict[str, _Fetched]:
    """The XMP sidecars of a photo, by their keys."""
    if options.strip:
        return {}
    keys = entry.beside
    if keys is None:
        keys = tuple(key for key in xmp_sidecars.keys(entry.key) if source.find(key))
    return {key: _Fetched(*source.read(key)) for key in keys}


def _key(version: str, beside: dict[str, _Fetched], recipe: dict[str, str]) -> str:
    more = {"xmp": [sidecar.version for sidecar in beside.values()]} if beside else {}
    return digest({"input": version, **more, **recipe})


def _is_done(record: Record, key: str, store: Store) -> bool:
    if record.status != "done" or record.key != key:
        return False
    found = {name: store.find(name) for name in record.files}
    return all(entry and entry.version == record.files[name] for name, entry in found.items())


def _address(sidecar: Path, source: str, output: str) -> None:
    """A sidecar names where the photo and the picture really are."""
    document = {**json.loads(sidecar.read_bytes()), "input": source, "output": output}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    sidecar.write_bytes(text.encode(errors="surrogatepass"))


def _check_apart(source: Store, target: Store) -> None:
    """Raise OptionError where results would lie among the photos, or photos among results."""
    inside, outside = f"{source.address}/", f"{target.address}/"
    if inside.startswith(outside):
        raise OptionError(
            f"{source.address} lies in {target.address}: choose a destination that does not hold the photos"
        )


class Transfer:
    """A run from store to store."""

    def __init__(
        self,
        options: Options,
        settings: Settings,
        source: Store,
        target: Store,
        search: plan.Search | None = None,
    ):
        """`search` says what is not wanted, and is told what is left out.

        Raises OptionError where source and target overlap, UnknownModel.
        """
        _check_apart(source, target)
        self._options, self._settings, self._source, self._target = options, settings, source, target
        find(options.model)
        self._search = search or plan.Search()
        self._run = uuid.uuid4().hex[:12]

    def setup(self, threads: int) -> partial[Courier]:
        """What makes a worker's courier; picklable."""
        where = self._source, self._target, self._run
        return partial(Courier.hired, self._options, *where, self._settings.if_exists, threads)

    def local_workers(self) -> Pool[Entry, Result | Held]:
        """Processes on this machine."""
        count = self._settings.workers or processors()
        threads = max(1, processors() // count)
        return Pool(self.setup(threads), count, self._settings.timeout, threads)

    def cluster(
        self, address: str | None = None, *, cpus: float = 1.0, gpus: float = 0.0
    ) -> Cluster[Entry, Result | Held]:
        """Actors of so many processors and GPUs on a Ray cluster, without an address on one of our own."""
        from photochrom.batch.cluster import Cluster

        settings = self._settings
        return Cluster(
            self.setup(max(1, int(cpus))),
            address=address,
            workers=settings.workers,
            timeout=settings.timeout,
            cpus=cpus,
            gpus=gpus,
        )

    def results(self, workers: Workers, *, only_failed: bool = False) -> Generator[Result, None, None]:
        """The result of each photo, as they are ready; photos that another run holds come at the end.

        Raises PhotoError where the source cannot be listed, WriteError where nothing can be put.
        """
        heart = Heartbeat(self._target, self._run)
        failures, records = Failures(self._target, self._run), Records(self._target, self._run)
        entries = self._found(failed_keys(records)) if only_failed else self.photos()
        try:
            while True:
                held = []
                for entry, answer in workers.run(entries):
                    if isinstance(answer, Held):
                        held.append(answer.key)
                        continue
                    result = self._noted(entry.key, answer, records)
                    if result.status == "failed":
                        failures.add(entry.key, result.input, result.error or "")
                    yield result
                if not held:
                    return
                time.sleep(_PATIENCE)
                entries = self._found(held)
        finally:
            workers.close()
            failures.flush()
            heart.close()

    def preview(self) -> Generator[Result, None, None]:
        """What a run would do, without doing it: "planned", "skipped" or "failed"."""
        records, recipe = Records(self._target, self._run), _recipe(self._options)
        for entry in self.photos():
            record, _ = records.read(entry.key)
            done = record and _is_done(record, self._key(entry, recipe), self._target)
            where, there = self._source.location(entry.key), self._target.location(entry.key)
            yield Result(where, "skipped" if done else "planned", output=there)

    def _key(self, entry: Entry, recipe: dict[str, str]) -> str:
        version = entry.version or self._source.read(entry.key)[1]
        return _key(version, _beside(entry, self._source, self._options), recipe)

    def verify(self) -> Iterator[Finding]:
        """Read every result back, and see that every photo has one."""
        yield from verify_store(self._target, self._source)
        records = Records(self._target, self._run)
        for entry in self.photos():
            if records.read(entry.key)[0] is None:
                yield Finding(self._source.location(entry.key), "", "it was never taken up: run the batch")

    def _noted(self, key: str, answer: Result | Lost, records: Records) -> Result:
        """A worker that died could not write down why."""
        if isinstance(answer, Result):
            return answer
        where = self._source.location(key)
        record, version = records.read(key)
        if record and version and record.status == "running":
            records.settle(replace(record, status="failed", error=answer.reason), version)
        return Result(where, "failed", error=answer.reason)

    def _found(self, keys: Iterable[str]) -> Iterator[Entry]:
        found = (self._source.find(key) for key in keys)
        return (entry for entry in found if entry)

    def photos(self) -> Iterator[Entry]:
        """The photos of the source, while the listing goes on; the place of the results is left out.

        Raises PhotoError where there is none.
        """
        found = False
        for entry in self._in_folder() if isinstance(self._source, Folder) else self._in_bucket():
            found = True
            yield entry
        if not found:
            raise PhotoError(f"no photo in {self._source.address}: check its name and what it holds")

    def _in_folder(self) -> Iterator[Entry]:
        """As a local run finds them: what cannot be listed is an entry that fails by its name."""
        folder = Path(self._source.address)
        for source in plan.walk(folder, folder, Path(self._target.address), self._search):
            yield Entry(source.path.relative_to(folder).as_posix(), 0, "", 0.0)

    def _in_bucket(self) -> Iterator[Entry]:
        inside = f"{self._source.address}/"
        hidden = f"{self._target.address}/".removeprefix(inside)
        for entry in xmp_sidecars.noted(self._source.list()):
            if not entry.key.startswith(hidden) and self._takes(entry):
                yield entry

    def _takes(self, entry: Entry) -> bool:
        """Whether an entry is a photo to color; a picture that is not read is noted."""
        place = PurePosixPath(entry.key)
        folders = [Path(*place.parts[:depth]) for depth in range(1, len(place.parts) + 1)]
        if any(part.startswith(".") for part in place.parts):
            return False
        if known := next((part for part in place.parts if part in plan.NOT_PHOTOS), None):
            self._search.leave_out_folders(known)
            return False
        if any(self._search.excludes(folder) for folder in folders):
            return False
        if unread := unread_kind(b"", place.suffix.lower()):
            self._search.left_out[self._source.location(entry.key)] = unread.reason
        return unread is None and naming.is_input_name(place.name)
