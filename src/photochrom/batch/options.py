"""What can be asked of a coloured picture, in one place.

Each field of Options carries what every user of it needs: the flags, type and help of the command
line (`cli.options` turns them into click options for colorize, batch and watch), whether it changes
the result and so belongs to the ledger's key, and how it is written to JSON for the sidecar. A new way
to ask for something is one more field here and one line where `coloring` obeys it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from photochrom.errors import OptionError
from photochrom.look import MAX_PROPOSALS, Look, ReferencePhoto, load_palette

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field

    from photochrom.hints import Hint

DEFAULT_MODEL = "photochrom"
MAX_PIXELS, MAX_SIDE = 250_000_000, 60_000


class Flag(NamedTuple):
    """How an option looks on the command line and in JSON."""

    names: tuple[str, ...]
    help: str
    kind: Any = str  # str, int, bool, Path; a tuple of choices; or Range
    metavar: str | None = None
    bare: str | None = None  # the value when the flag is given without one
    in_key: bool = True  # False: it cannot change what is written
    parse: Callable[[Any], Any] | None = None  # command line value -> field value
    to_json: Callable[[Any], Any] | None = None
    from_json: Callable[[Any], Any] | None = None


class Range(NamedTuple):
    """A number from low to high, whole if both are."""

    low: float
    high: float | None


def _option(default: Any, *names: str, **flag: Any) -> Any:
    return field(default=default, metadata={"flag": Flag(names, **flag)})


def _load_hints(path: Path) -> tuple[Hint, ...]:
    from photochrom.hints import load_hints

    return tuple(load_hints(path))


def _hints_to_json(hints: tuple[Hint, ...]) -> Any:
    from photochrom.hints import dump_hints

    return dump_hints(hints)


def _hints_from_json(document: Any) -> tuple[Hint, ...]:
    from photochrom.hints import load_hints

    return tuple(load_hints(document))


def _written(reference: ReferencePhoto | None) -> Any:
    return None if reference is None else reference.to_json()


@dataclass(frozen=True)
class Options:
    """What is asked of every picture of a run; the defaults are the command line's."""

    hints: tuple[Hint, ...] = _option(
        (),
        "--hints",
        kind=Path,
        metavar="F.json",
        help="Colours at places, as a hints file: the photo follows them.",
        parse=_load_hints,
        to_json=_hints_to_json,
        from_json=_hints_from_json,
    )
    vividness: float | None = _option(
        None,
        "--vividness",
        kind=Range(0.0, 1.0),
        metavar="0..1",
        help="From 0, safe and pale, to 1, vivid and bold.",
    )
    reference: ReferencePhoto | None = _option(  # noqa: RUF009 - a field, like the others
        None,
        "--reference",
        kind=Path,
        metavar="PHOTO",
        help="Colour it like that photo, where the two match.",
        parse=ReferencePhoto.of,
        to_json=_written,
        from_json=ReferencePhoto.from_json,
    )
    palette: tuple[str, ...] = _option(
        (),
        "--palette",
        metavar="'#…,#…'|PICTURE",
        help="Keep to these colours, or to a picture's.",
        parse=load_palette,
        to_json=list,
        from_json=load_palette,
    )
    keep_color: bool = _option(
        False, "--keep-color", kind=bool, help="Revive a faded colour photo: go by the colour left in it."
    )
    proposals: int = _option(
        0,
        "--proposals",
        kind=Range(0, MAX_PROPOSALS),
        metavar="N",
        help="Also write N other ideas, their hints, and a contact sheet.",
    )
    seed: int = _option(
        0, "--seed", kind=Range(0, 2**31 - 1), metavar="N", help="Another seed gives other ideas."
    )
    model: str = _option(
        DEFAULT_MODEL,
        "--model",
        metavar="NAME|RUN|FILE.onnx",
        help="A model's name, a training run's folder or an ONNX file.",
    )
    side_by_side: bool = _option(
        False, "--side-by-side", kind=bool, help="Put the original and the coloured photo beside each other."
    )
    quality: int = _option(
        95, "--quality", kind=Range(1, 100), metavar="1..100", help="Quality of JPEG, WebP and AVIF."
    )
    subsampling: str = _option(
        "4:2:0", "--subsampling", kind=("4:4:4", "4:2:2", "4:2:0"), help="Chroma resolution of JPEG and AVIF."
    )
    depth: str | None = _option(
        None, "--depth", kind=("8", "16"), help="Bits a channel; the input's where the format can hold them."
    )
    profile: Literal["srgb", "input"] = _option(
        "srgb",
        "--profile",
        kind=("srgb", "input"),
        help="Store the colours in sRGB, or in the input's own RGB profile.",
    )
    strip: bool = _option(False, "--strip", kind=bool, help="Leave out EXIF, XMP, IPTC, captions and DPI.")
    mark: bool = _option(
        True, "--mark/--no-mark", kind=bool, help="State in the metadata that a model made the colours."
    )
    sidecar: bool = _option(
        False,
        "--sidecar",
        kind=bool,
        help="Write x.colorized.json, from which 'redo' makes the picture again.",
    )
    layer: str | None = _option(
        None,
        "--layer",
        kind=("tiff", "png"),
        bare="tiff",
        help="Also write the colour alone: a*, b* as 16-bit TIFF, or a transparent PNG to lay over.",
    )
    page: int = _option(
        0,
        "--page",
        kind=Range(0, None),
        metavar="N",
        help="Which page of a file with several; 0 is the first.",
    )
    max_pixels: int = _option(
        MAX_PIXELS,
        "--max-pixels",
        kind=Range(1, None),
        metavar="N",
        in_key=False,
        help="Refuse photos with more pixels.",
    )
    max_side: int = _option(
        MAX_SIDE,
        "--max-side",
        kind=Range(1, None),
        metavar="N",
        in_key=False,
        help="Refuse photos with more pixels a side.",
    )

    @classmethod
    def from_flags(cls, values: dict[str, Any]) -> Options:
        """Options of command-line values by field name; files are read here, before any work.

        Raises OptionError (HintError for hints) for a value that makes no sense.
        """
        given = {}
        for item in fields(cls):
            value = values.get(item.name)
            parse = flag(item).parse
            if value is not None:
                given[item.name] = parse(value) if parse else value
        return cls(**given)

    @property
    def look(self) -> Look:
        """What decides on the colors."""
        return Look(**{item.name: getattr(self, item.name) for item in fields(Look)})

    def to_json(self, *, defaults: bool = False) -> dict[str, Any]:
        """As plain JSON values: what differs from the defaults, or all."""
        document = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if defaults or value != item.default:
                write = flag(item).to_json
                document[item.name] = write(value) if write else value
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Options:
        """The options that `to_json` wrote. Raises OptionError for an unknown name or a bad value."""
        known = {item.name: flag(item) for item in fields(cls)}
        given = {}
        for name, value in document.items():
            if name not in known:
                raise OptionError(
                    f"the option {name!r} is not known: a newer version wrote it, so update photochrom"
                )
            read = known[name].from_json
            if value is not None:
                given[name] = read(value) if read else check(name, value, known[name].kind)
        return cls(**given)

    def fingerprint(self) -> str:
        """sha256 of everything here that can change what is written."""
        kept = {item.name for item in fields(self) if flag(item).in_key}
        return digest({name: value for name, value in self.to_json().items() if name in kept})


def flag(item: Field[Any]) -> Flag:
    """The Flag of one of Options' fields."""
    found: Flag = item.metadata["flag"]
    return found


def check(name: str, value: Any, kind: Any) -> Any:
    """The value if it is of that kind, for values that did not come through click."""
    if isinstance(kind, tuple) and not isinstance(kind, Range):
        good = value in kind
    elif isinstance(kind, Range):
        whole = isinstance(kind.low, int)
        good = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        good = good and kind.low <= value and (kind.high is None or value <= kind.high)
    else:
        good = isinstance(value, kind)
    if not good:
        raise OptionError(f"the option {name!r} cannot be {value!r}")
    return value


def digest(document: Any) -> str:
    """sha256 of a JSON document, the same for equal documents."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
