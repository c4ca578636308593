"""One job: read a photo, color it, write what was asked for, and say how it went."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from photochrom import __version__
from photochrom.batch import xmp_sidecars
from photochrom.batch.beside import side_by_side
from photochrom.batch.layer import write_layer
from photochrom.batch.proposals import contact_sheet, hints_text
from photochrom.colorizer import Colorizer
from photochrom.errors import DamagedPhoto, PhotochromError
from photochrom.models import DEFAULT_VIVIDNESS
from photochrom.photo import ColorCheck, Photo, read
from photochrom.photo.atomic import save_bytes
from photochrom.photo.strips import OneByOne
from photochrom.photo.writing import luminance_written
from photochrom.provenance import Sidecar, file_sha256, path_from, write_colored

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from photochrom.batch.naming import ProposalFiles
    from photochrom.batch.options import Options
    from photochrom.batch.plan import Job
    from photochrom.color import Pixels
    from photochrom.colorizer import ColoredPlate
    from photochrom.look import Look
    from photochrom.models import Card
    from photochrom.photo.jpeg_original import Luminance

Stamp = tuple[int, int, int]
Passed = Callable[[int, int], None]


@dataclass(frozen=True)
class Task:
    """A job that is to be done now."""

    job: Job
    replace: bool = False  # whether files in the way are known to be ours to replace
    stamp: Stamp | None = None  # of the input when its bytes were hashed
    input_sha256: str = ""
    hash_output: bool = False  # and all that is written beside it


@dataclass(frozen=True)
class Result:
    """How a job went. `output` is there when it is done or was there before."""

    input: str
    status: Literal["done", "skipped", "failed", "planned"]
    output: str | None = None
    error: str | None = None
    model: str | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    hashes: dict[str, str] = field(default_factory=dict)  # sha256 by name of all that was written
    luminance: Luminance | None = None  # what became of the luminance data of the photo, when it is done

    def to_json(self) -> dict[str, object]:
        """The object that --json prints."""
        return {
            "input": self.input,
            "output": self.output,
            "status": self.status,
            "error": self.error,
            "model": self.model,
            "seconds": round(self.seconds, 3),
            "luminance": self.luminance,
        }


def stamp_of(path: Path) -> Stamp:
    """What changes when a file does: inode, size and time. Raises OSError."""
    found = path.stat()
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def failure(job: Job, error: str, seconds: float = 0.0) -> Result:
    """The result of a job that gave nothing; the input's path is said once, in front."""
    path = str(job.input)
    return Result(path, "failed", error=error.removeprefix(f"{path}: "), seconds=seconds)


class Coloring:
    """Colors one photo after another with the same model and options."""

    def __init__(self, options: Options, threads: int | None = None, passed: Passed | None = None):
        """`passed(rows, height)` is told of all rows of a photo that pass, twice for each picture made."""
        self._options, self._passed = options, passed
        self._colorizer = Colorizer(options.model, threads=threads)

    def __call__(self, task: Task) -> Result:
        """Do a task. What a user or the system can cause is in the result; only bugs are raised."""
        started = time.monotonic()
        job = task.job
        try:
            warnings, luminance = self._do(task)
            hashes = {path.name: file_sha256(path) for path in job.targets} if task.hash_output else {}
        except PhotochromError as error:
            return failure(job, str(error), time.monotonic() - started)
        except MemoryError:
            return failure(job, "there is not enough memory for it", time.monotonic() - started)
        except OSError as error:
            reason = f"{error.filename or job.input}: {error.strerror or error}"
            return failure(job, reason, time.monotonic() - started)
        return Result(
            str(job.input),
            "done",
            output=str(job.output),
            model=self.model,
            seconds=time.monotonic() - started,
            warnings=warnings,
            hashes=hashes,
            luminance=luminance,
        )

    @property
    def model(self) -> str:
        """The model's name."""
        return self._colorizer.model.name

    def pipe(self, source: str, target: str, *, overwrite: bool = False) -> Result:
        """Color from a path or "-" to a path or "-". Raises PhotochromError."""
        started = time.monotonic()
        photo = self.read(source)
        original, seen = self._watched(photo)
        picture = self.picture(original, self.render(original))
        luminance = self._luminance(picture, target)
        self.store(picture, target, overwrite=overwrite)
        warnings = warnings_of(photo, seen, kept=self._options.keep_color)
        seconds = time.monotonic() - started
        return Result(
            source, "done", target, model=self.model, seconds=seconds, warnings=warnings, luminance=luminance
        )

    def _do(self, task: Task) -> tuple[tuple[str, ...], Luminance]:
        job = task.job
        if job.sidecar and not task.stamp:
            task = replace(task, stamp=stamp_of(job.input), input_sha256=file_sha256(job.input))
        photo = self.read(job.input)
        if task.stamp and stamp_of(job.input) != task.stamp:
            raise DamagedPhoto(f"{job.input} changed while it was read: run again once nothing writes to it")
        original, seen = self._watched(photo)
        colored = self._colored(original)
        result = colored.photo()
        picture = self.picture(original, result)
        luminance = self._luminance(picture, job.output)
        job.output.parent.mkdir(parents=True, exist_ok=True)
        with _withdrawn_on_error(job):
            odd = self._write_extras(task, original, result, luminance)
            if job.proposals:
                self._write_proposals(job.proposals, task.replace, original, colored)
            pages, told = self._further_pages(photo, job)
            self.store(picture, job.output, pages=pages, overwrite=task.replace)
        if self._options.keep_dates:
            dates = job.input.stat()
            for path in job.targets:
                os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))
        return (*warnings_of(photo, seen, kept=self._options.keep_color), *told, *odd), luminance

    def _further_pages(self, photo: Photo, job: Job) -> tuple[Sequence[Photo], dict[str, None]]:
        """The other pages in color, if asked for, each read when it is written; what is told of them then."""
        count = photo.pages if self._options.pages else 1
        numbers = [number for number in range(count) if number != self._options.page]
        told: dict[str, None] = {}

        def page(index: int) -> Photo:
            original = self.read(job.input, numbers[index])
            told.update({f"page {numbers[index]}: {said}": None for said in original.warnings})
            return self.picture(original, self.render(original))

        return OneByOne(len(numbers), page), told

    def read(self, source: Path | str, page: int | None = None) -> Photo:
        """Read a photo, or another page of it, within the limits that the options set."""
        asked = self._options
        limits = {"max_pixels": asked.max_pixels, "max_side": asked.max_side}
        number = asked.page if page is None else page
        photo = read(source, page=number, salvage=asked.salvage, **limits)
        if asked.pages:  # none is left out
            told = tuple(said for said in photo.warnings if f"only page {number} is read" not in said)
            photo = replace(photo, warnings=told)
        return photo.inverted() if asked.invert else photo

    def _watched(self, photo: Photo) -> tuple[Photo, ColorCheck]:
        """The photo, and what tells whether it was in color once its rows have passed."""
        check = ColorCheck(photo.height, photo.width)

        def see(top: int, pixels: Pixels) -> None:
            check.see(top, pixels)
            if self._passed:
                self._passed(len(pixels), photo.height)

        return photo.watched(see), check

    def render(self, photo: Photo) -> Photo:
        """The colored photo, at its full size; its pixels are computed when they are written."""
        return self._colored(photo).photo()

    def _colored(self, photo: Photo) -> ColoredPlate:
        return self._colorizer.prepare(photo).color(self._look)

    @cached_property
    def _look(self) -> Look:
        """What the options ask; its reference is read once, and prepared once for all photos."""
        asked, look = self._options, self._options.look
        limits = {"max_pixels": asked.max_pixels, "max_side": asked.max_side}
        return replace(look, reference=look.reference.load(**limits)) if look.reference else look

    def picture(self, original: Photo, result: Photo) -> Photo:
        """What is stored as the output: the colored photo, beside the original if that is asked for."""
        return side_by_side(original, result) if self._options.side_by_side else result

    def _luminance(self, picture: Photo, target: Path | str) -> Luminance:
        asked = self._options
        return luminance_written(picture, target, format=asked.format, luminance=asked.luminance)

    def store(
        self, photo: Photo, target: Path | str, *, pages: Sequence[Photo] = (), overwrite: bool = False
    ) -> None:
        """Write a picture, and further pages, as the options say, to a path or "-"."""
        write_colored(photo, target, self._options, self.model, __version__, pages=pages, overwrite=overwrite)

    def _write_extras(
        self, task: Task, original: Photo, result: Photo, luminance: Luminance
    ) -> tuple[str, ...]:
        """Sidecars and layer, before the picture itself: where that is, nothing is missing. Warnings."""
        layer, sidecar = task.job.layer, task.job.sidecar
        if layer and self._options.layer:
            write_layer(self._options.layer, original, result, layer, overwrite=task.replace)
        if sidecar:
            _store_text(self._sidecar(task, luminance).dump(), sidecar, task.replace)
        model = (self.model, __version__) if self._options.mark else None
        place = (original, task.job.output, model)
        upright = luminance == "encoded"  # else the pixels lie as they did
        copied = (
            xmp_sidecars.copy(pair, *place, turned=upright, overwrite=task.replace) for pair in task.job.xmp
        )
        return tuple(odd for told in copied for odd in told)

    def _write_proposals(
        self, files: ProposalFiles, overwrite: bool, original: Photo, colored: ColoredPlate
    ) -> None:
        proposals = colored.proposals()
        for picture, hints, proposal in zip(files.pictures, files.hints, proposals, strict=True):
            self.store(self.picture(original, proposal.photo()), picture, overwrite=overwrite)
            _store_text(hints_text(proposal), hints, overwrite)
        plain = replace(self._options, format=None, depth=None)  # a JPEG, whatever the picture is
        sheet = contact_sheet(colored, proposals)
        write_colored(sheet, files.sheet, plain, self.model, __version__, overwrite=overwrite)

    def _sidecar(self, task: Task, luminance: Luminance) -> Sidecar:
        here = (task.job.sidecar or task.job.output).parent
        paths = path_from(here, task.job.input), path_from(here, task.job.output)
        return sidecar_of(
            self._options, self._colorizer.model, *paths, task.input_sha256, luminance, here=here
        )


def sidecar_of(
    options: Options,
    model: Card,
    input: str,
    output: str,
    input_sha256: str,
    luminance: Luminance,
    *,
    here: Path | None = None,
) -> Sidecar:
    """All that was asked of a picture, defaults too: they may be others in a later version.

    `here` is the sidecar's folder, from which a reference's path is told. Raises GuidanceError for one that
    is only in memory.
    """
    asked = options.to_json(defaults=True)
    asked["vividness"] = DEFAULT_VIVIDNESS if options.vividness is None else options.vividness
    hints, name = asked.pop("hints"), asked.pop("model")
    if asked["reference"] and here:
        asked["reference"]["path"] = path_from(here, Path(asked["reference"]["path"]))
    return Sidecar(
        input=input,
        input_sha256=input_sha256,
        output=output,
        model=name,
        model_sha256=model.sha256,
        model_licence=model.terms,
        photochrom=__version__,
        hints=hints if options.hints else None,
        options=asked,
        luminance=luminance,
    )


def _store_text(text: str, target: Path, overwrite: bool) -> None:
    # a path may be no UTF-8; json.loads takes it so
    save_bytes(target, text.encode(errors="surrogatepass"), overwrite=overwrite)


def warnings_of(photo: Photo, seen: ColorCheck, *, kept: bool = False) -> tuple[str, ...]:
    """What a person should know about how the photo was read; `kept`: its colors were gone by."""
    dropped = "it is a color photo already: its colors are dropped and made anew"
    return (*photo.warnings, dropped) if seen.is_colored() and not kept else photo.warnings


@contextmanager
def _withdrawn_on_error(job: Job) -> Iterator[None]:
    """Remove what was written beside a picture that then was not."""
    mine = [path for path in job.targets if path != job.output and not path.exists()]
    try:
        yield
    except BaseException:
        if not job.output.exists():
            for path in mine:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        raise
