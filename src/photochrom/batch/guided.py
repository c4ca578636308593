"""The options that guide the colours: what they hold, how they are parsed, written and obeyed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photochrom.errors import GuidanceError, PhotoError
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from photochrom.batch.options import Options
    from photochrom.colorizer import Plate
    from photochrom.guidance import Guidance, Guided, Reference
    from photochrom.models import Network

MAX_IDEAS = 12


@dataclass(frozen=True)
class ReferenceFile:
    """A reference photo by its path and its bytes' hash."""

    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path) -> ReferenceFile:
        """Raises GuidanceError for a file that cannot be read."""
        try:
            return cls(path.absolute(), file_sha256(path))
        except PhotoError as error:
            raise GuidanceError(f"the reference {error}") from None

    def to_json(self) -> dict[str, str]:
        """Its path and hash."""
        return {"path": str(self.path), "sha256": self.sha256}

    @classmethod
    def from_json(cls, document: Any) -> ReferenceFile:
        """The reference of a sidecar. Raises GuidanceError where it is gone or another file by now."""
        if not isinstance(document, dict) or {str, *map(type, document.values())} != {str}:
            raise GuidanceError(f"the option 'reference' cannot be {document!r}")
        found = cls.of(Path(document.get("path", "")))
        if found.sha256 != document.get("sha256"):
            raise GuidanceError(
                f"the reference {found.path} is not the file that was used: put that one back in its place"
            )
        return found


def parse_palette(text: str) -> tuple[str, ...]:
    """The colours of --palette. Raises GuidanceError, PhotoError."""
    from photochrom.guidance import Palette

    return Palette.parse(text).colors


def palette_from_json(document: Any) -> tuple[str, ...]:
    """The colours of a sidecar's palette. Raises GuidanceError."""
    from photochrom.guidance import Palette

    if not isinstance(document, list):
        raise GuidanceError(f"the option 'palette' cannot be {document!r}")
    return Palette(tuple(document)).colors if document else ()


class Guide:
    """Obeys a run's guiding options; the reference is prepared once for all its photos."""

    def __init__(self, options: Options, network: Network):
        self._options, self._network = options, network

    def __call__(self, plate: Plate) -> Guided:
        """What the options come to for one photo. Raises GuidanceError, PhotoError."""
        return self._guidance.guide(plate)

    @cached_property
    def _guidance(self) -> Guidance:
        from photochrom.guidance import Guidance, Palette

        asked = self._options
        palette = Palette(asked.palette) if asked.palette else None
        return Guidance(asked.hints, self._reference(), asked.keep_color, palette)

    def _reference(self) -> Reference | None:
        from photochrom.guidance import Reference
        from photochrom.photo import read

        asked = self._options
        if asked.reference is None:
            return None
        photo = read(asked.reference.path, max_pixels=asked.max_pixels, max_side=asked.max_side)
        return Reference.of(self._network, photo)
