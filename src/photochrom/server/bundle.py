"""A picture and what was asked for beside it, as one ZIP file with the names that the command gives."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from photochrom.batch import naming
from photochrom.batch.coloring import sidecar_of
from photochrom.batch.layer import write_layer
from photochrom.batch.options import Extras, Options
from photochrom.photo import FORMATS, FileOptions, ReadOptions, luminance_written
from photochrom.server import pictures

if TYPE_CHECKING:
    from photochrom.colorizer import ColoredPlate, Plate
    from photochrom.look import Look
    from photochrom.photo import Photo

MIME = "application/zip"
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\\\:]+")


@dataclass(frozen=True)
class Wanted:
    """All that a request asks of an upload of that name and hash."""

    name: str
    sha256: str
    look: Look
    file: FileOptions
    reading: ReadOptions
    extras: Extras

    @property
    def is_bundle(self) -> bool:
        """Whether more than a picture is asked for."""
        return self.extras.sidecar or self.extras.layer is not None


def whole(plate: Plate, wanted: Wanted) -> tuple[bytes, str]:
    """The picture, or the ZIP file with it, and its media type."""
    colored = plate.color(wanted.look)
    data, mime = pictures.whole_file(colored, wanted.file, side_by_side=wanted.extras.side_by_side)
    if not wanted.is_bundle:
        return data, mime
    name = PurePosixPath(_UNFIT.sub("_", wanted.name).strip(". ") or "photo")
    suffixes = next(fmt.suffixes for fmt in FORMATS.values() if fmt.mime == mime)
    suffix = name.suffix if name.suffix.lower() in suffixes else suffixes[0]
    members = {f"{name.stem}{naming.MARK}{suffix}": data}
    if kind := wanted.extras.layer:
        layer = io.BytesIO()
        write_layer(kind, plate.photo, colored.photo(), layer)
        members[naming.layer_path(name.stem, kind).name] = layer.getvalue()
    if wanted.extras.sidecar:
        text = _sidecar(colored, wanted, name.name, next(iter(members)))
        members[naming.sidecar_path(name.stem).name] = text.encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:  # stored: pictures are compressed already
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    return target.getvalue(), MIME


def needed_beside(photo: Photo, wanted: Wanted) -> int:
    """Bytes that a ZIP file needs for a while, beside those of the picture in it."""
    layer = 8 if wanted.extras.layer else 0  # RGBA of 16 bits
    return photo.height * photo.width * (layer + 8) * 2 if wanted.is_bundle else 0


def _sidecar(colored: ColoredPlate, wanted: Wanted, name: str, output: str) -> str:
    """A sidecar from which `photochrom redo` makes the very picture."""
    card = colored.plate.card
    kept = luminance_written(colored.photo(), output, luminance=wanted.file.luminance)
    luminance = "encoded" if wanted.extras.side_by_side else kept
    file = replace(wanted.file, luminance="lightness") if luminance == "encoded" else wanted.file
    parts = (wanted.extras, wanted.reading, file, replace(wanted.look, model=card.name))
    options = Options(**{name: value for part in parts for name, value in vars(part).items()})
    return sidecar_of(options, card, name, output, wanted.sha256, luminance).dump()
