"""The files that a run trains on, in a folder or in object storage.

Objects are fetched to this machine once: into a cache, under a name made of their address and version, so a
file that is there is the object that was listed, whoever fetched it. Everything below is the same for both.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from photochrom.batch.naming import is_input_name
from photochrom.batch.store import Folder, Objects, is_address, open_store
from photochrom.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from photochrom.batch.store import Entry

_AT_ONCE = 4  # objects that are fetched at a time


@dataclass(frozen=True)
class DataFile:
    """A photo or a tar shard."""

    name: str  # as a person is told of it: a path or an address
    place: PurePosixPath  # relative to the data
    size: int  # bytes
    version: str = ""  # of an object
    store: Objects | None = None  # None for a local file

    @property
    def is_shard(self) -> bool:
        return self.place.suffix == ".tar"

    @property
    def identity(self) -> tuple[str, int]:
        """What a cache of decoded photos knows it by."""
        return self.name + self.version, self.size

    def local(self, cache: Path) -> Path:
        """Where it lies on this machine; an object is fetched below `cache` unless it is there.

        Raises PhotoError where the object cannot be read, WriteError where the disk does not take it.
        """
        if self.store is None:
            return Path(self.name)
        known_by = hashlib.sha256("".join(map(str, self.identity)).encode()).hexdigest()[:24]
        path = cache / "fetched" / f"{known_by}{self.place.suffix}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            self.store.fetch(self.place.as_posix(), path, version=self.version, size=self.size)
        return path


def list_files(data: str | Path) -> list[DataFile]:
    """Tar shards, or else photos, at or under a path or address, sorted.

    Raises DataError where there are none, PhotoError or OptionError where a store cannot be read.
    """
    store = open_store(str(data)) if is_address(str(data)) else Folder(str(data))
    found = _objects(store) if isinstance(store, Objects) else _local(Path(store.address))
    shards = [file for file in found if file.is_shard]
    if not found:
        raise DataError(
            f"{data} holds no photographs and no *.tar shards: give a photo, or a folder that holds some"
        )
    return sorted(shards or found, key=lambda file: file.place)


def _takes(place: PurePosixPath) -> bool:
    """Shards lie at the top, photos at any depth; hidden files and results of ours are none."""
    return is_input_name(place.name) or (place.suffix == ".tar" and len(place.parts) == 1)


def _local(data: Path) -> list[DataFile]:
    if data.is_file():
        return [DataFile(str(data), PurePosixPath(data.name), data.stat().st_size)]
    if not data.is_dir():
        raise DataError(
            f"there is nothing at {data}: give a photo, a folder of photos, or a folder of *.tar shards"
        )
    places = ((path, PurePosixPath(path.relative_to(data))) for path in data.rglob("*"))
    return [
        DataFile(str(path), place, path.stat().st_size)
        for path, place in places
        if _takes(place) and path.is_file()
    ]


def _objects(store: Objects) -> list[DataFile]:
    place = PurePosixPath(store.address)
    if place.suffix == ".tar" or is_input_name(place.name):  # an object's own address
        above = open_store(store.address.removesuffix(f"/{place.name}"))
        if isinstance(above, Objects) and (entry := above.find(place.name)):
            return [_object(above, entry)]
    return [_object(store, entry) for entry in store.list() if _takes(PurePosixPath(entry.key))]


def _object(store: Objects, entry: Entry) -> DataFile:
    return DataFile(store.location(entry.key), PurePosixPath(entry.key), entry.size, entry.version, store)


def fetched(files: Sequence[DataFile], cache: Path) -> Iterator[tuple[DataFile, Path]]:
    """Each file with its place on this machine, in order; objects are fetched ahead of their turn."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            yield from zip(files, pool.map(lambda file: file.local(cache), files), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)
