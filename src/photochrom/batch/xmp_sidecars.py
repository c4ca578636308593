"""XMP sidecars: what editors keep beside a photo goes along beside the colored picture.

Lightroom, Bridge and exiftool call them photo.xmp, darktable and digiKam photo.jpg.xmp. One that Adobe's
programs wrote for another file of that name, a raw one (photoshop:SidecarForExtension), is left alone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from photochrom.batch import naming
from photochrom.photo import Metadata, outdated, xmp
from photochrom.photo.atomic import save_bytes
from photochrom.provenance import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path, PurePath

    from photochrom.batch.store import Entry
    from photochrom.photo import Photo

_EXTENSION = ("http://ns.adobe.com/photoshop/1.0/", "SidecarForExtension")
_COLOR_SPACE = ("http://ns.adobe.com/exif/1.0/", "ColorSpace")
_MOST_BYTES = 32 << 20
_AHEAD = 32  # entries of a listing, in which a photo's sidecars follow it


def _names(photo: PurePath) -> list[str]:
    """What a photo's sidecars may be called: photo.jpg.xmp and photo.xmp, also .XMP beside PHOTO.JPG."""
    suffixes = (".xmp", ".XMP") if photo.suffix.isupper() else (".xmp",)
    return [base + suffix for base in (photo.name, photo.stem) for suffix in suffixes]


def keys(photo: str) -> list[str]:
    """The keys that the sidecars of a photo in a store may have, in the order of names."""
    place = PurePosixPath(photo)
    return sorted(place.with_name(name).as_posix() for name in _names(place))


def noted(listing: Iterable[Entry]) -> Iterator[Entry]:
    """A store's listing, sorted within folders; photos know their sidecars unless more may come later."""
    entries = iter(listing)
    ahead = deque(islice(entries, _AHEAD))
    while ahead:
        entry = ahead.popleft()
        if naming.is_input_name(PurePosixPath(entry.key).name):
            wanted = keys(entry.key)
            if len(ahead) < _AHEAD - 1 or ahead[-1].key > wanted[-1]:
                found = tuple(other.key for other in ahead if other.key in wanted)
                entry = replace(entry, beside=found)
        yield entry
        ahead.extend(islice(entries, 1))


def pairs(photo: Path, output: Path, *, shared: bool) -> tuple[tuple[Path, Path], ...]:
    """The sidecars beside a photo, each with its place beside the output.

    Places are named as the sidecars are, but photo.xmp becomes output.jpg.xmp where another picture has the
    output's stem (`shared`) or photo.xmp itself lies there.
    """
    found: dict[Path, Path] = {}
    for sidecar in map(photo.with_name, _names(photo)):
        if not sidecar.is_file() or sidecar.stat().st_size > _MOST_BYTES:
            continue
        if any(sidecar.samefile(other) for other in found.values()):  # names differ only by case
            continue
        whole, short = output.with_name(output.name + sidecar.suffix), output.with_suffix(sidecar.suffix)
        if sidecar.stem == photo.name:
            found[whole] = sidecar
        elif _is_for(sidecar, photo.suffix):
            taken = shared or (short.exists() and short.samefile(sidecar))
            found.setdefault(whole if taken else short, sidecar)
    return tuple((sidecar, place) for place, sidecar in found.items())


def _is_for(sidecar: Path, suffix: str) -> bool:
    try:
        stated = xmp.values(xmp.normalized(sidecar.read_bytes()), *_EXTENSION)
    except (OSError, ValueError):  # which will be told when it is copied
        return True
    return not stated or stated[0].lower() == suffix[1:].lower()


def copy(
    pair: tuple[Path, Path],
    photo: Photo,
    output: Path,
    model: tuple[str, str] | None,
    *,
    turned: bool,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Write a photo's sidecar, of `pairs`, as one of its colored picture `output`; warnings.

    What describes the photo before is set right as in its own XMP (`turned`: its pixels now lie upright), and
    the mark of `model` (name, version) is added. Raises OutputExists, WriteError, OSError.
    """
    sidecar, place = pair
    packet, odd = sidecar.read_bytes(), tuple[str, ...]()
    try:
        mended = _mended(packet, photo, output.suffix, turned=turned)
        packet = mark(Metadata(xmp=mended), *model).xmp or mended if model else mended
    except ValueError as error:
        odd = (f"its sidecar {sidecar.name} is not XMP ({error}) and was copied as it is",)
    save_bytes(place, packet, overwrite=overwrite)
    return odd


def _mended(packet: bytes, photo: Photo, suffix: str, *, turned: bool) -> bytes:
    packet, _ = outdated.without_parts(xmp.normalized(packet))
    if turned and (photo.orientation != 1 or photo.format == "heic"):
        packet = outdated.turned(packet, photo.orientation)
    packet = xmp.without(outdated.of_color(packet, srgb=True), [_COLOR_SPACE])  # the picture itself says it
    return xmp.mapped(packet, [_EXTENSION], lambda columns: [[suffix[1:]] * len(columns[0])])
