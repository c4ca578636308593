"""Where a picture's colors come from: the mark in its metadata, the sidecar, the color layer.

The mark follows the IPTC Photo Metadata Standard: `DigitalSourceType` from IPTC's NewsCodes says that a
photograph was composed with material from a trained model; `AISystemUsed` and `AISystemVersionUsed`
(2025.1) say which. They are XMP properties; the older IPTC records (IIM) have no place for them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from photochrom import documents
from photochrom.errors import OptionError, PhotoError
from photochrom.photo import FileOptions, Metadata, Photo, write, xmp
from photochrom.photo.strips import OneByOne

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
XMP_BASIC = "http://ns.adobe.com/xap/1.0/"
OWN = "urn:photochrom:1.0#"


# --- the mark ------------------------------------------------------------------------------------


def mark(metadata: Metadata, model_name: str, version: str) -> Metadata:
    """The metadata with the mark of a picture colored by a model, all else kept.

    Sets `Iptc4xmpExt:DigitalSourceType`, `AISystemUsed` and `AISystemVersionUsed`. `xmp:CreatorTool` is
    set only where there is none, for it names the first tool that made the file; a source type that the
    input had moves to `photochrom:OriginalSourceType`. EXIF (its Software too) and IPTC stay untouched.
    A packet that does not parse is replaced, since nothing can be added to it.
    """
    packet = metadata.xmp
    if packet is not None and not _parses(packet):
        packet = None
    return replace(metadata, xmp=xmp.with_properties(packet, _properties(packet, model_name, version)))


def _parses(packet: bytes) -> bool:
    try:
        xmp.normalized(packet)
    except (ValueError, UnicodeError):
        return False
    return True


def _properties(packet: bytes | None, model_name: str, version: str) -> list[xmp.Property]:
    def value(namespace: str, name: str) -> str | None:
        found = xmp.values(packet, namespace, name) if packet is not None else []
        return found[0] if found else None

    stated = [
        xmp.Property(IPTC_EXT, "Iptc4xmpExt", "DigitalSourceType", SOURCE_TYPE),
        xmp.Property(IPTC_EXT, "Iptc4xmpExt", "AISystemUsed", f"Photochrom, model {model_name}"),
        xmp.Property(IPTC_EXT, "Iptc4xmpExt", "AISystemVersionUsed", version),
    ]
    if not value(XMP_BASIC, "CreatorTool"):
        stated.append(xmp.Property(XMP_BASIC, "xmp", "CreatorTool", f"Photochrom {version}"))
    source = value(IPTC_EXT, "DigitalSourceType")
    if source and source != SOURCE_TYPE:
        stated.append(xmp.Property(OWN, "photochrom", "OriginalSourceType", source))
    return stated


def unmark(metadata: Metadata) -> Metadata:
    """The metadata without the mark, of a picture whose colors are gone; the input's source type is back."""
    if metadata.xmp is None or not is_marked(metadata):
        return metadata
    names = [(IPTC_EXT, name) for name in ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed")]
    tools = xmp.values(metadata.xmp, XMP_BASIC, "CreatorTool")
    own = [(XMP_BASIC, "CreatorTool")] if any(tool.startswith("Photochrom ") for tool in tools) else []
    source = xmp.values(metadata.xmp, OWN, "OriginalSourceType")
    packet: bytes | None = xmp.without(metadata.xmp, [*names, *own, (OWN, "OriginalSourceType")])
    if source:
        stated = xmp.Property(IPTC_EXT, "Iptc4xmpExt", "DigitalSourceType", source[0])
        packet = xmp.with_properties(packet, [stated])
    elif packet == xmp.without(xmp.with_properties(None, _properties(None, "", "")), [*names, *own]):
        packet = None  # it was made for the mark alone
    return replace(metadata, xmp=packet)


def write_colored(
    photo: Photo,
    target: str | os.PathLike[str] | BinaryIO,
    options: FileOptions,
    model_name: str,
    version: str,
    *,
    pages: Sequence[Photo] = (),
    overwrite: bool = False,
) -> Path:
    """`write` of a picture colored by a model, with the mark, which stays where all else is left out."""

    def marked(page: Photo) -> Photo:
        metadata = Metadata(icc=page.metadata.icc) if options.strip else page.metadata
        return replace(page, metadata=mark(metadata, model_name, version) if options.mark else metadata)

    names = [item.name for item in fields(FileOptions) if item.name not in ("mark", "strip")]
    asked = {name: getattr(options, name) for name in names}
    rest = OneByOne(len(pages), lambda number: marked(pages[number]))
    return write(marked(photo), target, overwrite=overwrite, pages=rest, **asked)


def is_marked(metadata: Metadata) -> bool:
    """Whether a photo's metadata say that it was colored by a model."""
    if metadata.xmp is None or not _parses(metadata.xmp):
        return False
    return SOURCE_TYPE in xmp.values(metadata.xmp, IPTC_EXT, "DigitalSourceType")


# --- the sidecar ---------------------------------------------------------------------------------

_SIDECAR_VERSION = 1
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Sidecar:
    """What is needed to make a colored picture again.

    `options` are those of the command, JSON values by name; `hints` is the content of a hints file, None
    without hints; `time` is UTC in ISO 8601; `luminance` says what became of the input's luminance data
    (`photochrom.photo.luminance_written`); `model_licence` says so where it forbids commercial use; hashes
    are SHA-256 in hexadecimal. Relative paths count from the sidecar's own folder.
    """

    input: str
    input_sha256: str
    output: str
    model: str
    model_sha256: str
    photochrom: str
    options: dict[str, Any] = field(default_factory=dict)
    hints: dict[str, Any] | None = None
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    luminance: Literal["identical", "requantized", "encoded"] | None = None
    model_licence: str = ""
    version: int = _SIDECAR_VERSION

    def __post_init__(self) -> None:
        for name in ("input_sha256", "model_sha256"):
            if not _SHA256.fullmatch(getattr(self, name)):
                raise OptionError(f"{name} must be 64 hexadecimal digits, not {getattr(self, name)[:60]!r}")

    def dump(self) -> str:
        """The sidecar as JSON text."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, source: Path | str | bytes) -> Sidecar:
        """A sidecar from a file (a Path) or from JSON text. Raises OptionError that names what is wrong."""
        name = str(source) if isinstance(source, Path) else "the sidecar"
        document = documents.read_json(
            source, name, "give a sidecar that photochrom has written", OptionError
        )
        if isinstance(document, dict) and document.get("version") != _SIDECAR_VERSION:
            raise OptionError(
                f"{name} has version {document.get('version')!r}, this photochrom reads {_SIDECAR_VERSION}:"
                " use the photochrom that wrote it, or color the photo anew"
            )
        return documents.parse(cls, document, f"{name}: ")

    def check_input(self, path: Path) -> None:
        """Raises OptionError unless a file has the hash of the input that was colored."""
        found = readable_sha256(path)
        if found != self.input_sha256:
            raise OptionError(
                f"{path} is not the file that was colored (its SHA-256 is {found[:12]}…): find the original"
            )


def path_from(folder: Path, path: Path) -> str:
    """A path as a sidecar in a folder states it: relative to that, with forward slashes, where it can be."""
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()


def path_at(folder: Path, stated: str) -> Path:
    """The path that a sidecar in a folder states."""
    return Path(os.path.normpath(folder.absolute() / stated))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def readable_sha256(path: Path) -> str:
    """The same. Raises PhotoError where the file cannot be read."""
    try:
        return file_sha256(path)
    except OSError as error:
        raise PhotoError(
            f"{path} cannot be read ({error.strerror}): check its name and permissions"
        ) from error
