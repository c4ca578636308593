"""ONNX graphs that others exported: how they want to be fed is found out, and put into the graph.

eccv16 and siggraph17 are exported with one input of L*, DDColor with a float picture; some exports normalize
inside, some leave it to the caller. What a graph does to black and white before its first layer tells which.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import onnx
from google.protobuf.message import DecodeError, EncodeError  # type: ignore[import-untyped]
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.utils import Extractor

from photochrom.documents import option, parse
from photochrom.errors import ModelError, PhotochromError
from photochrom.models.card import Card, SizeRule, card_path, read_card, write_card
from photochrom.models.session import load
from photochrom.provenance import file_sha256
from photochrom.training.onnx_frame import framed

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean, standard deviation
_HOW = (
    'give --card FILE.toml with: licence = "…", input = "luminance" or "rgb", black and white = [what its '
    "input holds there, one number a channel], scale = what its output is multiplied by to give a* and b*"
)


@dataclass(frozen=True)
class _Feed:
    """How a graph is fed, and what its answer means: what --card says."""

    input: Literal["luminance", "rgb"]  # L*, or the grey photo as sRGB
    black: tuple[float, ...]  # what the input holds for L* 0, a channel
    white: tuple[float, ...]  # and for L* 100, or for sRGB 1
    scale: float = option(1.0, gt=0)  # ab = output · scale
    multiple: int = option(32, ge=1, le=512)  # of the sides that a graph for any size takes
    short: int = option(512, ge=32, le=4096)  # px at which such a graph sees a photo
    licence: str = "unknown"
    description: str = "An imported ONNX graph"
    family: str = "ab"


class _Interface(NamedTuple):
    input: str
    channels: int
    side: int  # of a square input; 0 for any size
    output: str


def adopt(source: Path, target: Path, name: str, feed_file: Path | None) -> Card:
    """Write the graph at `source`, made to speak our language, and its card. Raises ModelError."""
    try:
        return _adopted(source, target, name, feed_file)
    except PhotochromError:
        raise
    except Exception as error:  # a broken graph fails in ways that no list holds
        raise ModelError(f"{source} cannot be read as a graph ({error}): export it again") from error


def _adopted(source: Path, target: Path, name: str, feed_file: Path | None) -> Card:
    model = _read(source)
    if card_path(source).exists() and feed_file is None:
        card = read_card(source)
        _save(model, target)
        return _load_checked(target, replace(card, name=name))
    interface = _interface(model, source)
    feed = _given(feed_file) if feed_file else _recognized(model, interface, source)
    channels = 1 if feed.input == "luminance" else 3
    if {len(feed.black), len(feed.white)} != {channels} or interface.channels != channels:
        raise ModelError(
            f"{source} takes {interface.channels} channels; black, white and the input {feed.input} "
            f"have {len(feed.black)}, {len(feed.white)} and {channels}: they must agree"
        )
    graph = _fed(model, interface, feed)
    _save(graph, target)
    size = SizeRule(feed.short, feed.multiple)
    if interface.side:
        size = SizeRule(-(-interface.side // 4) * 4, 4, square=True)  # whole cells; the graph resizes
    facts = {"imported_from": source.name, "sha256": file_sha256(source), "feed": asdict(feed)}
    card = Card(
        name=name, head="ab", supports_hints=False, licence=feed.licence, description=feed.description,
        stride=1, size=size, mirror=False, family=feed.family, training=facts,
    )  # fmt: skip
    return _load_checked(target, card)


def _load_checked(target: Path, card: Card) -> Card:
    """The card, written beside its graph once that has answered a grey ramp with colors."""
    written = write_card(target, card)
    if card.head == "bins":
        return written
    side = card.size.short if card.size.square else 2 * card.size.multiple
    ramp = np.tile(np.linspace(0, 100, side, dtype=np.float32), (side, 1))[None, None]
    hints = np.zeros((1, 3, side, side), np.float32)
    try:
        found = load(target, threads=1).run("ab", luminance=ramp, hints=hints)
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001  ONNX Runtime's errors share no base class but this
        raise ModelError(f"the graph does not run: {str(error).splitlines()[0][:200]}") from None
    if found.shape != (1, 2, side, side) or not np.isfinite(found).all():
        raise ModelError(
            f"the graph answers a grey ramp with {found.shape} or NaN instead of ab: check its card"
        )
    return written


def _read(source: Path) -> onnx.ModelProto:
    try:
        if source.read_bytes()[:64].lstrip()[:1] == b"<":
            raise ModelError(f"{source} is a web page, not a model: download the file itself")
        model = onnx.load(source)
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, OSError, ValueError) as error:
        reason = (str(error).splitlines() or ["truncated"])[0][:160]
        raise ModelError(f"{source} is not a whole ONNX graph ({reason}): export it again") from None
    version = max(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
    return model if version >= 13 else onnx.version_converter.convert_version(model, 13)


def _save(model: onnx.ModelProto, target: Path) -> None:
    """Store a graph as one file, weights that lay in files beside it included."""
    try:
        onnx.save(model, target)
    except (EncodeError, ValueError):
        raise ModelError("the graph is larger than 2 GB, which one ONNX file cannot hold") from None


def _interface(model: onnx.ModelProto, source: Path) -> _Interface:
    """The one input and the output that a graph for automatic color has. Raises ModelError for others."""
    weights = {item.name for item in model.graph.initializer}
    inputs = [item for item in model.graph.input if item.name not in weights]
    shapes = [[d.dim_value for d in item.type.tensor_type.shape.dim] for item in inputs]
    if len(inputs) != 1 or len(shapes[0]) != 4 or shapes[0][1] not in (1, 3):
        raise ModelError(f"{source} takes {shapes or 'nothing'}, not one picture of 1 or 3 channels")
    height, width = shapes[0][2:]
    side = height if height == width else 0
    return _Interface(inputs[0].name, shapes[0][1], side, model.graph.output[0].name)


def _given(file: Path) -> _Feed:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{file} is not a TOML file ({error}): {_HOW}") from None
    return parse(_Feed, table, f"card {file}: ", ModelError)


# --- what a graph does before its first layer and after its last -------------------------------


def _recognized(model: onnx.ModelProto, interface: _Interface, source: Path) -> _Feed:
    """The feed of a known family's export, whichever order it normalizes in."""
    channels = [d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim][1:2]
    if len(model.graph.output) != 1 or channels not in ([2], [0]):
        raise ModelError(f"{source} is of no known family: {_HOW}")
    if interface.channels == 1:
        wide = any(list(item.dims)[:1] == [313] for item in model.graph.initializer)
        family = "eccv16" if wide else "siggraph17"
        low, high, licence, scale = np.array([-0.5]), np.array([0.5]), "BSD-2-Clause", 110.0
        scale /= _factor_at_the_end(model)
    else:
        mean, deviation = np.array(_IMAGENET)
        low, high = -mean / deviation, (1 - mean) / deviation
        family, licence, scale = "ddcolor", "Apache-2.0", 1.0
    offset, slope = _affine(model, interface)
    black, white = ((wanted - offset) / slope for wanted in (low, high))
    return _Feed(
        "luminance" if interface.channels == 1 else "rgb",
        tuple(black.round(6).tolist()),
        tuple(white.round(6).tolist()),
        scale,
        licence=licence,
        description=f"{family}, imported as an ONNX graph: colors alone",
        family=family,
    )


def _affine(model: onnx.ModelProto, interface: _Interface) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """offset and slope (C,): what the graph does to its input before the first layer."""
    plain = ("Sub", "Add", "Mul", "Div", "Cast", "Identity")
    made = {name for node in model.graph.node for name in node.output if node.op_type != "Constant"}
    name = interface.input
    while True:
        users = [node for node in model.graph.node if name in node.input]
        steps = [n for n in users if n.op_type in plain and not (set(n.input) - {name}) & made]
        follow = next(
            (n for n in steps if _slope(model, interface.input, n.output[0], interface) is not None), None
        )
        if follow is None or len(steps) < len(users):
            break
        name = follow.output[0]
    found = _slope(model, interface.input, name, interface)
    return found if found else (np.zeros(interface.channels), np.ones(interface.channels))


def _slope(
    model: onnx.ModelProto, first: str, last: str, interface: _Interface
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """offset and slope (C,) from one tensor to another; None where it does not depend on it."""
    if first == last:
        return np.zeros(interface.channels), np.ones(interface.channels)
    part = ReferenceEvaluator(Extractor(model).extract_model([first], [last]))
    shape = (1, interface.channels, interface.side or 32, interface.side or 32)
    found: list[Any] = [part.run(None, {first: np.full(shape, value, np.float32)}) for value in (0, 1)]
    zero, one = found[0][0], found[1][0]
    offset, slope = (np.asarray(plane[0, :, 0, 0], np.float64) for plane in (zero, one - zero))
    return (offset, slope) if (slope != 0).all() else None


def _factor_at_the_end(model: onnx.ModelProto) -> float:
    """What the last layer's answer is multiplied by."""
    known: dict[str, Any] = {item.name: item for item in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            known[node.output[0]] = onnx.helper.get_attribute_value(node.attribute[0])
    known = {k: numpy_helper.to_array(v) if isinstance(v, onnx.TensorProto) else v for k, v in known.items()}
    by_output = {name: node for node in model.graph.node for name in node.output}
    name, factor = model.graph.output[0].name, 1.0
    while (node := by_output.get(name)) and node.op_type in ("Mul", "Div", "Identity", "Resize", "Upsample"):
        constants = [item for item in node.input if item in known]
        if node.op_type in ("Mul", "Div") and constants:
            value = float(np.asarray(known[constants[0]]).flat[0])
            factor *= value if node.op_type == "Mul" else 1 / value
        name = next(item for item in node.input if item not in known)
    return factor


# --- the graph in our language -----------------------------------------------------------------

_GREY = """
    c16 = Constant <value = float {16}> ()
    c116 = Constant <value = float {116}> ()
    raised = Add (seen, c16)
    f = Div (raised, c116)
    three = Constant <value = float {3}> ()
    cubed = Pow (f, three)
    line = Mul (f, c116)
    lower = Sub (line, c16)
    kappa = Constant <value = float {0.00110705645}> ()
    toe = Mul (lower, kappa)
    knee = Constant <value = float {0.20689656}> ()
    above = Greater (f, knee)
    y = Where (above, cubed, toe)
    c12 = Constant <value = float {12.92}> ()
    straight = Mul (y, c12)
    dark = Constant <value = float {0.0031308}> ()
    bright = Max (y, dark)
    gamma = Constant <value = float {0.41666667}> ()
    powered = Pow (bright, gamma)
    c1055 = Constant <value = float {1.055}> ()
    scaled = Mul (powered, c1055)
    c0055 = Constant <value = float {0.055}> ()
    curved = Sub (scaled, c0055)
    light = Greater (y, dark)
    grey = Where (light, curved, straight)
"""
_SHARE = """
    c100 = Constant <value = float {100}> ()
    grey = Div (seen, c100)
"""
_BACK = """
    noscales = Constant <value = float[0] {}> ()
    answer_shape = Shape (answered)
    begin0 = Constant <value = int64[1] {0}> ()
    leading = Slice (answer_shape, begin0, two)
    full = Concat <axis = 0> (leading, sides)
    noroi = Constant <value = float[0] {}> ()
    sized = Resize <mode = "linear"> (answered, noroi, noscales, full)
    ab = Mul (sized, scale)
"""


def _fed(model: onnx.ModelProto, interface: _Interface, feed: _Feed) -> onnx.ModelProto:
    if interface.side:
        before = f"""
            target = Constant <value = int64[4] {{1, 1, {interface.side}, {interface.side}}}> ()
            nothing = Constant <value = float[0] {{}}> ()
            seen = Resize <mode = "linear"> (luminance, nothing, nothing, target)
        """
    else:
        before = f"""
            multiple = Constant <value = int64[1] {{{feed.multiple}}}> ()
            half = Constant <value = int64[1] {{{feed.multiple // 2}}}> ()
            more = Add (sides, half)
            times = Div (more, multiple)
            floored = Mul (times, multiple)
            whole = Max (floored, multiple)
            ones = Constant <value = int64[2] {{1, 1}}> ()
            target = Concat <axis = 0> (ones, whole)
            nothing = Constant <value = float[0] {{}}> ()
            seen = Resize <mode = "linear"> (luminance, nothing, nothing, target)
        """
    rise = [white - black for black, white in zip(feed.black, feed.white, strict=True)]
    before += _GREY if feed.input == "rgb" else _SHARE
    before += f"""
        black = Constant <value = float[1,{len(rise)},1,1] {{{_numbers(feed.black)}}}> ()
        rise = Constant <value = float[1,{len(rise)},1,1] {{{_numbers(rise)}}}> ()
        risen = Mul (grey, rise)
        fed = Add (risen, black)
        scale = Constant <value = float {{{feed.scale}}}> ()
    """
    return framed(model, before, _BACK, {interface.input: "fed"}, interface.output, hinted=False)


def _numbers(values: object) -> str:
    return ", ".join(repr(float(value)) for value in values)  # type: ignore[attr-defined]
