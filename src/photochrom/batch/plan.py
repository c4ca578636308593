"""The plan: which photo becomes which file, settled before any work starts.

The same inputs give the same jobs in the same order. Two results of one name, or a result that would
replace a photo (through links too), are found here, so that nothing is lost half-way.
"""

from __future__ import annotations

import codecs
import glob
import os
import sys
import unicodedata
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.batch import naming, xmp_sidecars
from photochrom.batch.options import Options
from photochrom.errors import OptionError, PhotoError
from photochrom.photo import kind_of
from photochrom.photo.formats import format_of_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LIST_SUFFIXES = (".txt", ".lst", ".list")
NOT_PHOTOS = {"@eaDir", "@__thumb", "#recycle", "$RECYCLE.BIN", "lost+found", "System Volume Information"}
_SHOWN = 10  # collisions named in a message


@dataclass(frozen=True)
class Job:
    """One photo to color: where it is and where its results go."""

    input: Path
    output: Path
    sidecar: Path | None = None
    layer: Path | None = None
    proposals: naming.ProposalFiles | None = None
    xmp: tuple[tuple[Path, Path], ...] = ()  # sidecars of the photo, each with its place

    @property
    def targets(self) -> tuple[Path, ...]:
        more = (*(self.proposals.all if self.proposals else ()), *(place for _, place in self.xmp))
        return tuple(path for path in (self.output, self.sidecar, self.layer, *more) if path)


@dataclass(frozen=True)
class Source:
    """A photo and the place it takes in the output folder (relative, still with its own suffix)."""

    path: Path
    place: Path


@dataclass
class Search:
    """How folders are looked through, and what was left out there."""

    exclude: Sequence[str] = ()  # globs of names, or of paths below the folder
    follow_links: bool = False  # enter links to folders
    left_out: dict[str, str] = field(default_factory=dict)  # path: why
    _no_pictures: set[tuple[str, int]] = field(default_factory=set)  # looked into before: path, time
    _entered: set[str] = field(default_factory=set)  # folders that links led to

    def excludes(self, place: Path) -> bool:
        """Whether a file or folder, relative to the folder that is searched, is not wanted."""
        names = (place.name, place.as_posix())
        return any(fnmatchcase(name, glob) for glob in self.exclude for name in names)

    def leave_out_folders(self, name: str) -> None:
        """Note that folders of a name in NOT_PHOTOS are left out."""
        self.left_out[f"folders named {name}"] = "thumbnails and deleted files of the system"

    def takes_folder(self, entry: os.DirEntry[str], skip: Path | None) -> bool:
        """Whether a folder is entered; else it is hidden, known, or noted as left out."""
        if entry.name.startswith(".") or Path(entry.path).absolute() == skip:
            return False
        if entry.name in NOT_PHOTOS:
            self.leave_out_folders(entry.name)
            return False
        if not entry.is_symlink():
            return True
        if not self.follow_links:
            self.left_out[entry.path] = "a link to a folder: --follow-links enters it"
            return False
        there = os.path.realpath(entry.path)
        if there in self._entered or Path(entry.path).absolute().is_relative_to(there):
            return False
        self._entered.add(there)
        return True

    def takes_file(self, entry: os.DirEntry[str]) -> bool:
        """Whether a file is a photo to color; else it is none, ours, hidden, or noted as left out."""
        if entry.name.startswith(".") or naming.is_ours(entry.name):
            return False
        if naming.is_input_name(entry.name):
            if entry.is_file() or not os.path.exists(entry.path):  # noqa: PTH110 (a broken link fails by name)
                return True
            self.left_out[entry.path] = "a pipe or device, not a file"
        elif entry.is_file():
            with suppress(FileNotFoundError):  # it went away since the folder was listed
                self._look_into(entry)
        return False

    def _look_into(self, entry: os.DirEntry[str]) -> None:
        """Note a file as left out if its content is a picture's."""
        if (looked := (entry.path, entry.stat().st_mtime_ns)) in self._no_pictures:
            return
        kind = kind_of(entry.path)
        if kind is None:
            self._no_pictures.add(looked)
        else:
            renamed = f"{kind.name} by its content, not by its name: rename it, or give it by name"
            self.left_out[entry.path] = kind.refused or renamed


def find(
    inputs: Iterable[str | Path],
    *,
    lists: bool = False,
    skip: Path | None = None,
    search: Search | None = None,
) -> list[Source]:
    """The photos of files, folders (all below them, names sorted) and quoted globs, each once, in order.

    `lists`: a .txt, .lst or .list file names photos, one a line; its relative paths keep their folders
    in the output, absolute ones do so without their root. `skip` is a folder that is not searched: the
    output's. `search` is told what was left out. Raises PhotoError where there is no photo at all.
    """
    names = [str(item) for item in inputs]
    hidden = skip.absolute() if skip else None
    search = search or Search()
    found = (source for item in names for source in _expand(item, lists, hidden, search))
    try:
        return unique(found, ", ".join(names))
    except PhotoError as error:
        told = [f"{path}: {why}" for path, why in search.left_out.items()]
        raise PhotoError("; left out: ".join([str(error), *told[:3]])) from None


def unique(sources: Iterable[Source], where: str) -> list[Source]:
    """Each photo once, in order. Raises PhotoError where there is none."""
    found: dict[str, Source] = {}
    for source in sources:
        found.setdefault(_spot(source.path), source)
    if not found:
        raise PhotoError(f"no photo in {where}: give pictures, or folders that hold some")
    return list(found.values())


def _spot(path: Path) -> str:
    """A photo's folder, links followed, and its own name: two links to one photo are two photos."""
    return str(Path(os.path.realpath(path.parent)) / path.name)


def _expand(item: str, lists: bool, skip: Path | None, search: Search) -> Iterator[Source]:
    if not item:  # an unset variable, say, which must not mean the current folder
        raise OptionError("a name is empty: give photos, or folders that hold some")
    path = Path(item)
    if path.is_dir():
        yield from walk(path, path, skip, search)
    elif lists and path.suffix.lower() in _LIST_SUFFIXES:
        yield from listed(_read_list(path), item)
    elif not path.exists() and glob.has_magic(item):
        fixed = _fixed_part(path)
        for name in sorted(glob.glob(item, recursive=True)):  # noqa: PTH207 (Path.glob takes no absolute pattern)
            match = Path(name)
            if match.is_dir():
                yield from walk(match, fixed, skip, search)
            elif naming.is_input_name(match.name):
                yield Source(match, match.relative_to(fixed))
    else:
        yield Source(path, Path(path.name))


def walk(folder: Path, root: Path, skip: Path | None, search: Search) -> Iterator[Source]:
    """Photos below a folder, as they are found; `skip` is not entered.

    A folder that cannot be listed becomes a source, so that it fails by name.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield Source(folder, folder.relative_to(root) / "unreadable")
        return
    for entry in entries:
        path = Path(entry.path)
        if search.excludes(path.relative_to(root)):
            continue
        if entry.is_dir():
            if search.takes_folder(entry, skip):
                yield from walk(path, root, skip, search)
        elif search.takes_file(entry):
            yield Source(path, path.relative_to(root))


def _fixed_part(pattern: Path) -> Path:
    """The folder before the first wildcard of a glob."""
    fixed = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed)


def _read_list(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OptionError(f"cannot read the list {path}: {error.strerror or error}") from None


def listed(text: bytes, where: str) -> Iterator[Source]:
    """The photos named by the lines of a list, UTF-8 or, with a byte-order mark, UTF-16.

    Empty lines are passed over. Raises OptionError for what is no text.
    """
    wide = text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        lines = text.decode("utf-16") if wide else text.decode("utf-8-sig", "surrogateescape")
    except UnicodeError:
        lines = "\0"
    if "\0" in lines:
        raise OptionError(f"{where} is not a list of photos: save it as text, one photo a line, in UTF-8")
    for line in lines.splitlines():
        if not line.strip():
            continue
        path = Path(line)
        climbs = path.is_absolute() or ".." in path.parts
        place = Path(os.path.normpath(path.absolute())) if climbs else path
        yield Source(path, place.relative_to(place.anchor))


def make(sources: Sequence[Source], out: Path | None, options: Options | None = None) -> list[Job]:
    """One job a source, with results below `out` (trees kept) or, without it, beside the inputs.

    Raises OptionError where two results would have one name or one would replace a photo.
    """
    jobs = lay_out(sources, out, options or Options())
    check(jobs)
    return jobs


def lay_out(sources: Sequence[Source], out: Path | None, options: Options) -> list[Job]:
    """The jobs of `make`, unchecked."""
    jobs = [Job(source.path, _output(source, out, options)) for source in sources]
    shared = Counter(naming.base(job.output) for job in jobs)
    return [_with_extras(job, options, shared[naming.base(job.output)] > 1) for job in jobs]


def to_file(source: Source, output: Path, options: Options | None = None) -> list[Job]:
    """The one job that colors a photo into a file of that name. Raises OptionError as `make` does."""
    options = options or Options()
    named = format_of_path(output).name
    if options.format not in (None, named):
        raise OptionError(f"{output} is named as {named} and --format says {options.format}: leave one out")
    jobs = [_with_extras(Job(source.path, output), options, shared=False)]
    check(jobs)
    return jobs


def _output(source: Source, out: Path | None, options: Options) -> Path:
    if out is None:
        return naming.beside(source.path, options.format)
    suffix = naming.output_suffix(source.path, options.format)
    return (out / source.place).with_name(source.place.stem + suffix)


def _with_extras(job: Job, options: Options, shared: bool) -> Job:
    """Add the names of what lies beside, with the input's suffix inside where stems are shared."""
    stem = naming.base(job.output)
    if shared:
        stem += job.output.suffix
    count = options.proposals
    return replace(
        job,
        sidecar=naming.sidecar_path(stem) if options.sidecar else None,
        layer=naming.layer_path(stem, options.layer) if options.layer else None,
        proposals=naming.proposal_files(stem, job.output.suffix, count) if count else None,
        xmp=() if options.strip else xmp_sidecars.pairs(job.input, job.output, shared=shared),
    )


def check(jobs: Sequence[Job]) -> None:
    """Raise OptionError naming every result that another result or a photo is in the way of."""
    takers: dict[str, Path] = {}
    photos = {_identity(job.input) for job in jobs} - {None}
    beside = {_identity(sidecar) for job in jobs for sidecar, _ in job.xmp} - {None}
    problems = []
    for job in jobs:
        for target in job.targets:
            first = takers.setdefault(_spelled(target), job.input)
            if first != job.input:
                problems.append(f"{first} and {job.input} would both become {target}")
            if (there := _identity(target)) in photos:
                problems.append(f"{target} is one of the photos, which are never replaced")
            if there in beside:
                problems.append(f"{target} lies beside a photo as its sidecar and is never replaced")
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        advice = "choose another output, rename a photo, or color them in separate runs"
        raise OptionError(f"{'; '.join(problems[:_SHOWN])}{more}: {advice}")


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of what a path leads to, links followed; None where there is nothing."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino)


def _spelled(path: Path) -> str:
    """A path as the file system tells names apart: Windows and macOS ignore case and composition."""
    name = str(path.absolute())
    return unicodedata.normalize("NFC", name).casefold() if sys.platform in ("win32", "darwin") else name
