"""What a person asks of a photo's colours, as one value with one JSON form."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from photochrom.errors import GuidanceError, OptionError, PhotoError
from photochrom.hints import Hint, dump_hints, load_hints
from photochrom.palette import Palette
from photochrom.photo import Photo, read
from photochrom.provenance import file_sha256

MAX_PROPOSALS = 12
MAX_SEED = (1 << 31) - 1


@dataclass(frozen=True)
class ReferencePhoto:
    """The photo whose colours are to be taken: a file by its path and hash, or a photo in memory."""

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
            return cls(path.absolute(), file_sha256(path))
        except PhotoError as error:
            raise GuidanceError(f"the reference {error}") from None

    def load(self, **limits: int) -> ReferencePhoto:
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
            raise GuidanceError(f"the option 'reference' cannot be {document!r}")
        found = cls.of(document.get("path", ""))
        if found.sha256 != document.get("sha256"):
            raise GuidanceError(
                f"the reference {found.path} is not the file that was used: put that one back in its place"
            )
        return found


def load_palette(document: Any) -> tuple[str, ...]:
    """The colours of a list of "#rrggbb", or of text: such colours, or a picture's path.

    Raises GuidanceError, PhotoError.
    """
    if isinstance(document, Palette):
        return document.colors
    if isinstance(document, str):
        return Palette.parse(document).colors
    if not isinstance(document, list | tuple):
        raise GuidanceError(f"the option 'palette' cannot be {document!r}")
    return Palette(tuple(document)).colors if document else ()


def _load_hints(document: Any) -> tuple[Hint, ...]:
    return tuple(load_hints(document))


def _asked(
    default: Any, description: str, metavar: str = "", load: Any = None, dump: Any = None, **limits: Any
) -> Any:
    """A field of Look: what the command line says of it, its limits, how it is read and written as JSON."""
    told = {"description": description, "metavar": metavar, "load": load, "dump": dump, **limits}
    return field(default=default, metadata={key: value for key, value in told.items() if value is not None})


@dataclass(frozen=True)
class Look:
    """What decides on a photo's colours. Lists, paths, photos and palettes are turned into the plain forms.

    A vividness of None is the model's default. Raises HintError, GuidanceError, OptionError for what makes
    no sense.
    """

    hints: tuple[Hint, ...] = _asked(
        (), "Colors at places, as a hints file: the photo follows them.", "F.json", _load_hints, dump_hints
    )
    vividness: float | None = _asked(
        None, "From 0, safe and pale, to 1, vivid and bold.", "0..1", ge=0.0, le=1.0
    )
    reference: ReferencePhoto | None = _asked(  # noqa: RUF009 - a field, like the others
        None,
        "Color it like that photo, where the two match.",
        "PHOTO",
        ReferencePhoto.from_json,
        lambda reference: reference and reference.to_json(),
    )
    palette: tuple[str, ...] = _asked(
        (), "Keep to these colours, or to a picture's.", "'#…,#…'|PICTURE", load_palette, list
    )
    keep_color: bool = _asked(False, "Revive a faded colour photo: go by the colour left in it.")
    proposals: int = _asked(
        0, "Also write N other ideas, their hints, and a contact sheet.", "N", ge=0, le=MAX_PROPOSALS
    )
    seed: int = _asked(0, "Another seed gives other ideas.", "N", ge=0, le=MAX_SEED)
    model: str = _asked(
        "photochrom", "A model's name, a training run's folder or an ONNX file.", "NAME|RUN|FILE.onnx"
    )

    def __post_init__(self) -> None:
        given: Any = self.reference
        if isinstance(given, Photo | Path | str):
            object.__setattr__(self, "reference", ReferencePhoto.of(given))
        object.__setattr__(self, "hints", tuple(self.hints))
        object.__setattr__(self, "palette", load_palette(self.palette))
        checks = {
            "vividness": (self.vividness is None or _number(self.vividness, 0, 1), "lie in 0..1"),
            "proposals": (_whole(self.proposals, MAX_PROPOSALS), f"be a whole number of 0..{MAX_PROPOSALS}"),
            "seed": (_whole(self.seed, MAX_SEED), f"be a whole number of 0..{MAX_SEED}"),
            "keep_color": (isinstance(self.keep_color, bool), "be true or false"),
        }
        for name, (good, what) in checks.items():
            if not good:
                raise OptionError(f"{name} must {what}, not {getattr(self, name)!r}")

    def to_json(self, *, defaults: bool = False) -> dict[str, Any]:
        """As plain JSON values: what differs from the defaults, or everything."""
        document = {}
        for item in fields(Look):
            value = getattr(self, item.name)
            if defaults or value != item.default:
                write = item.metadata.get("dump")
                document[item.name] = write(value) if write else value
        return document

    @classmethod
    def from_json(cls, document: Any) -> Look:
        """The look that `to_json` wrote, in this version or an earlier one, or a hints file.

        Raises OptionError for an unknown name or a bad value.
        """
        if not isinstance(document, dict):
            raise OptionError(f"a look must be an object, not {document!r}")
        if set(document) == {"version", "hints"} and isinstance(document["hints"], list):
            document = {"hints": document}
        known = {item.name: item for item in fields(Look)}
        given = {}
        for name, value in document.items():
            if name not in known:
                raise OptionError(
                    f"the option {name!r} is not known: a newer version wrote it, so update photochrom"
                )
            if value is not None:
                load = known[name].metadata.get("load")
                given[name] = load(value) if load else value
        return Look(**given)


def _number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _whole(value: Any, high: int) -> bool:
    return isinstance(value, int) and _number(value, 0, high)


__all__ = ["MAX_PROPOSALS", "MAX_SEED", "Look", "ReferencePhoto", "load_palette"]
