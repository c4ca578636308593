"""What a person asks of a photo's colors, as one value with one JSON form."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from photochrom import documents
from photochrom.documents import option
from photochrom.errors import GuidanceError, HintError, OptionError, PhotoError
from photochrom.hints import Hint, dump_hints, load_hints
from photochrom.palette import Palette
from photochrom.photo import Photo, read
from photochrom.provenance import readable_sha256

MAX_PROPOSALS = 12
_MAX_BORDERS = 100  # each costs the colors of the whole photo once more
MAX_SEED = (1 << 31) - 1


@dataclass(frozen=True)
class ReferencePhoto:
    """The photo whose colors are to be taken: a file by its path and hash, or a photo in memory."""

    path: Path
    sha256: str = ""
    photo: Photo | None = field(default=None, repr=False)
    prepared: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, source: Path | str | Photo) -> ReferencePhoto:
        """Raises GuidanceError for a file that cannot be read."""
        if isinstance(source, Photo):
            return cls(source.path or Path(), photo=source)
        path = Path(source)
        try:
            return cls(path.absolute(), readable_sha256(path))
        except PhotoError as error:
            raise GuidanceError(f"the reference {error}") from None

    def load(self, **limits: Any) -> ReferencePhoto:
        """The same with the photo read; limits are those of `read`. Raises PhotoError."""
        return self if self.photo else dataclasses.replace(self, photo=read(self.path, **limits))

    def to_json(self) -> dict[str, str]:
        """Its path and hash. Raises GuidanceError for a photo in memory, which no document can name."""
        if not self.sha256:
            raise GuidanceError("a reference in memory cannot be written down: save it and give its path")
        return {"path": str(self.path), "sha256": self.sha256}

    @classmethod
    def from_json(cls, document: Any) -> ReferencePhoto | None:
        """The reference that `to_json` wrote. Raises GuidanceError where it is gone or has changed."""
        if document is None:
            return None
        if not isinstance(document, dict) or {str, *map(type, document.values())} != {str}:
            raise GuidanceError(f"the option 'reference' cannot be {document!r}: give a photo's path")
        found = cls.of(document.get("path", ""))
        if found.sha256 != document.get("sha256"):
            raise GuidanceError(
                f"the reference {found.path} is not the file that was used: put that one back in its place"
            )
        return found


def load_palette(document: Any) -> tuple[str, ...]:
    """The colors of a list of "#rrggbb", or of text: such colors, or a picture's path.

    Raises GuidanceError, PhotoError.
    """
    if isinstance(document, Palette):
        return document.colors
    if isinstance(document, str):
        return Palette.parse(document).colors
    if not isinstance(document, list | tuple):
        raise GuidanceError(f"the option 'palette' cannot be {document!r}: give colors or a picture's path")
    return Palette(tuple(document)).colors if document else ()


def _load_hints(document: Any) -> tuple[Hint, ...]:
    return tuple(load_hints(document))


@dataclass(frozen=True)
class Look:
    """What decides on a photo's colors. Lists, paths, photos and palettes are turned into the plain forms.

    A vividness of None is the model's default. Raises HintError, GuidanceError, OptionError for what makes
    no sense.
    """

    hints: tuple[Hint, ...] = option(
        (),
        "Colors at places, as a hints file: the photo follows them.",
        metavar="F.json",
        load=_load_hints,
        dump=dump_hints,
    )
    vividness: float | None = option(
        None, "From 0, safe and pale, to 1, vivid and bold.", ge=0.0, le=1.0, metavar="0..1"
    )
    reference: ReferencePhoto | None = option(
        None,
        "Color it like that photo, where the two match.",
        metavar="PHOTO",
        load=ReferencePhoto.from_json,
        dump=lambda reference: reference and reference.to_json(),
    )
    palette: tuple[str, ...] = option(
        (),
        "Keep to these colors, or to a picture's.",
        metavar="'#…,#…'|PICTURE",
        load=load_palette,
        dump=list,
    )
    keep_color: bool = option(False, "Revive a faded color photo: go by the color left in it.")
    proposals: int = option(
        0,
        "Also write N other ideas, their hints, and a contact sheet.",
        ge=0,
        le=MAX_PROPOSALS,
        metavar="N",
    )
    seed: int = option(0, "Another seed gives other ideas.", ge=0, le=MAX_SEED, metavar="N")
    model: str = option(
        "photochrom", "A model's name, a training run's folder or an ONNX file.", metavar="NAME|RUN|FILE.onnx"
    )

    def __post_init__(self) -> None:
        given: Any = self.reference
        if isinstance(given, Photo | Path | str):
            object.__setattr__(self, "reference", ReferencePhoto.of(given))
        object.__setattr__(self, "hints", tuple(self.hints))
        if (borders := len({hint.within for hint in self.hints} - {()})) > _MAX_BORDERS:
            raise HintError(
                f"the hints have {borders} different borders (within); at most {_MAX_BORDERS} are taken: "
                "draw fewer, or give hints of one thing the same border"
            )
        object.__setattr__(self, "palette", load_palette(self.palette))
        documents.check(self)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The look in a file: of a project that the studio saved, what `to_json` wrote, or a hints file.

        Raises OptionError where it is none of them.
        """
        advice = "give a project that the studio saved"
        document = documents.read_json(path, str(path), advice, OptionError)
        if isinstance(document, dict) and "photo" in document:
            document = document.get("look")
        if not isinstance(document, dict):
            raise OptionError(f"{path} holds no look: {advice}, or a hints file")
        try:
            return cls.from_json(document)
        except OptionError as error:
            raise type(error)(f"{path}: {error}") from None

    def to_json(self, *, defaults: bool = False) -> dict[str, Any]:
        """As plain JSON values: what differs from the defaults, or everything."""
        return documents.dump(self, defaults=defaults)

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """What `to_json` wrote, in this version or an earlier one, or a hints file.

        Raises OptionError for an unknown name or a bad value.
        """
        if isinstance(document, dict) and set(document) == {"version", "hints"}:
            document = {"hints": document}
        return documents.parse(cls, document, "the option ")
