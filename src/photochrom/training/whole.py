"""Automatic color as one self-contained ONNX graph: a picture in, the colored picture out.

What `photochrom colorize` does around the network is written here once more as ONNX nodes (onnx.parser), so
that a program in any language can use it without Photochrom: tones, working size, reading, edges, gamut. The
tests hold it to `render`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper, parser

from photochrom.color import _FROM_XYZ, LUMINANCE_WEIGHTS
from photochrom.errors import ModelError
from photochrom.models import DEFAULT_VIVIDNESS, find, members
from photochrom.upsample import _RADIUS as RADIUS
from photochrom.upsample import _TOLERANCE as TOLERANCE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.models import Card

_OPSET = 18
_ROUNDS = 4  # of the chord that brings colors into the gamut


def export_whole(model: str, target: Path) -> Card:
    """Write a model's automatic coloring as one graph: `image` (1, H, W, 3) uint8 -> `colored`, the same.

    Raises UnknownModel, and ModelError for a model that averages others, and for colors averaged over sizes.
    """
    path, card = find(model)
    if members(model) or ((card.mirror or card.sizes) and card.head == "ab"):
        raise ModelError(f"{model} asks networks several times: export one model that does not")
    if any(short > card.size.short for short in card.sizes):
        raise ModelError(f"{model} is shown photos larger than its working size: export one that is not")
    network = onnx.load(path)
    if max(item.version for item in network.opset_import if item.domain == "") < _OPSET:
        network = onnx.version_converter.convert_version(network, _OPSET)
    onnx.save(_whole(network, card), target)
    return card


def _whole(network: onnx.ModelProto, card: Card) -> onnx.ModelProto:
    core = compose.add_prefix_graph(network.graph, "net.")
    asked = _asked(core, card)
    shared = {
        *_constants(card),
        *(item.name for item in core.initializer),
        "grey",
        "sides",
        "sides_f",
        "short",
    }
    further = [_renamed(asked, f"_{short}", shared - {"short_side", "longest"}) for short in card.sizes]
    reading = (_joined(card.sizes) + _VIVID) if card.head == "bins" else _COLORS
    after = reading + _guided() + _fitted() + _rounded()
    nodes = [*_nodes(_full_luminance()), *asked, *(node for one in further for node in one), *_nodes(after)]
    sides: list[Any] = [1, "height", "width", 3]
    graph = helper.make_graph(
        nodes,
        "photochrom",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, sides)],
        [helper.make_tensor_value_info("colored", TensorProto.UINT8, sides)],
        [*core.initializer, *_used(_constants(card), nodes)],
    )
    made = helper.make_model(graph, opset_imports=network.opset_import, ir_version=network.ir_version)
    made.functions.extend(network.functions)
    helper.set_model_props(made, {"model": card.name, "licence": card.licence, "sha256": card.sha256})
    onnx.checker.check_model(made)
    return made


def _asked(core: onnx.GraphProto, card: Card) -> list[onnx.NodeProto]:
    """The network's answer to the photo at the working size."""
    feeding = {"luminance": "batch", "hints": "no_hints", "spread": "no_spread"}
    fed = [
        helper.make_node("Identity", [feeding[item.name.removeprefix("net.")]], [item.name])
        for item in core.input
    ]
    answer = helper.make_node("Identity", ["net.logits" if card.head == "bins" else "net.ab"], ["answer"])
    before = _working_size() + _average("rows", 0) + _average("columns", 1) + _plate() + _STRETCH
    before += _MIRRORED if card.mirror else _ALONE
    before += _NOTHING_SPREAD if any(item.name == "net.spread" for item in core.input) else ""
    after = _UNMIRRORED if card.mirror else _TEMPERED if card.head == "bins" else ""
    return [*_nodes(before), *fed, *core.node, answer, *_nodes(after)]


def _renamed(nodes: list[onnx.NodeProto], suffix: str, shared: set[str]) -> list[onnx.NodeProto]:
    """The same nodes once more, under names of their own but for what is shared."""
    made = []
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        for names in (copy.input, copy.output):
            names[:] = [name if name in shared or not name else name + suffix for name in names]
        copy.name = node.name + suffix if node.name else ""
        made.append(copy)
    return made


def _used(constants: dict[str, NDArray[Any]], nodes: list[onnx.NodeProto]) -> list[onnx.TensorProto]:
    asked = {name for node in nodes for name in node.input}
    return [numpy_helper.from_array(value, name) for name, value in constants.items() if name in asked]


def _nodes(text: str) -> list[onnx.NodeProto]:
    return [parser.parse_node(line) for line in text.splitlines() if line.strip()]


# --- constants -----------------------------------------------------------------------------------


def _constants(card: Card) -> dict[str, NDArray[Any]]:
    scalars = {
        "zero": 0, "one": 1, "half": 0.5, "two_point_four": 2.4, "inverse_gamma": 1 / 2.4, "third": 1 / 3,
        "three": 3, "white": 255, "c12_92": 12.92, "c1_055": 1.055, "c0_055": 0.055, "c16": 16, "c100": 100,
        "c116": 116, "dark_code": 0.04045, "dark_light": 0.0031308, "epsilon": 216 / 24389, "knee": 6 / 29,
        "kappa": 24389 / 27, "small": 1e-3, "tiny": 1e-6, "pale": 18, "vividness": DEFAULT_VIVIDNESS,
        "not_dark": 40, "answers": 1 + len(card.sizes),
        "more_vivid": 1 + DEFAULT_VIVIDNESS, "tolerance": TOLERANCE**2, "flat": 5, "flat_span": 15,
        "end_dark": 8, "end_light": 92, "temperature": card.temperature, "short_side": card.size.short,
        "multiple": card.size.multiple, "longest": card.size.longest,
        "least": -0.25 / 255 / 12.92, "most": 1 + 0.25 / 255 * 2.4 / 1.055,
        "red_weight": LUMINANCE_WEIGHTS[0], "green_weight": LUMINANCE_WEIGHTS[1],
        "blue_weight": LUMINANCE_WEIGHTS[2],
    }  # fmt: skip
    for short in card.sizes:
        scalars |= {
            f"short_side_{short}": short,
            f"longest_{short}": card.size.longest * short / card.size.short,
        }
    found: dict[str, NDArray[Any]] = {name: np.array(value, np.float32) for name, value in scalars.items()}
    found |= {f"i{n}": np.array([n], np.int64) for n in range(7)} | {"back": np.array([-1], np.int64)}
    found |= {f"j{n}": np.array(n, np.int64) for n in range(2)}
    found |= {f"shape_1{n}": np.array([1, n], np.int64) for n in (1, 2, 4)}
    found |= {f"shape_2{n}": np.array([2, n], np.int64) for n in (3, 9)}
    found |= {f"shape_1{n}": np.array([1, n], np.int64) for n in (3, 9)}
    found["four"] = np.array([4], np.int64)
    found |= {
        "nothing": np.zeros(0, np.float32),
        "tails": np.array([0.005, 0.995], np.float32),
        "y_weights": LUMINANCE_WEIGHTS[:, None].astype(np.float32),
        "square": np.array(card.size.square),
        "square_sides": np.full(2, card.size.short, np.float32),
        "per_xz": np.array([1 / 500, -1 / 200], np.float32).reshape(1, 2, 1, 1),
        "from_xz": _FROM_XYZ[:, ::2].astype(np.float32)[:, :, None, None],
        "begin_left": np.array([RADIUS - 1], np.int64),
        "end_left": np.array([-(1 << 40)], np.int64),
        "end_right": np.array([-RADIUS - 1], np.int64),
    }
    if card.head == "bins":
        bins = np.array(card.bins, np.float32)
        square = (bins * bins).sum(-1)
        weights = np.stack([*bins.T, np.sqrt(square), square])
        found["readings"] = weights[:, :, None, None].astype(np.float32)
    return found


# --- tones ---------------------------------------------------------------------------------------


def _decoded(x: str, out: str) -> str:
    """Linear light of sRGB values in 0..1."""
    return f"""
        {out}_low = Div ({x}, c12_92)
        {out}_raised = Add ({x}, c0_055)
        {out}_shared = Div ({out}_raised, c1_055)
        {out}_powered = Pow ({out}_shared, two_point_four)
        {out}_is_low = LessOrEqual ({x}, dark_code)
        {out} = Where ({out}_is_low, {out}_low, {out}_powered)
    """


def _encoded(x: str, out: str) -> str:
    """sRGB in 0..1 of linear light."""
    return f"""
        {out}_line = Mul ({x}, c12_92)
        {out}_safe = Max ({x}, dark_light)
        {out}_root = Pow ({out}_safe, inverse_gamma)
        {out}_scaled = Mul ({out}_root, c1_055)
        {out}_curve = Sub ({out}_scaled, c0_055)
        {out}_is_low = LessOrEqual ({x}, dark_light)
        {out}_open = Where ({out}_is_low, {out}_line, {out}_curve)
        {out} = Clip ({out}_open, zero, one)
    """


def _lightness(y: str, out: str) -> str:
    """CIE L* of relative luminance; {out}_f is CIELAB's f of it."""
    return f"""
        {out}_root = Pow ({y}, third)
        {out}_line0 = Mul ({y}, kappa)
        {out}_line1 = Add ({out}_line0, c16)
        {out}_line = Div ({out}_line1, c116)
        {out}_high = Greater ({y}, epsilon)
        {out}_f = Where ({out}_high, {out}_root, {out}_line)
        {out}_scaled = Mul ({out}_f, c116)
        {out} = Sub ({out}_scaled, c16)
    """


def _full_luminance() -> str:
    return (
        """
        codes = Cast <to = 1> (image)
        encoded = Div (codes, white)
    """
        + _decoded("encoded", "linear")
        + """
        y_last = MatMul (linear, y_weights)
        y = Transpose <perm = [0, 3, 1, 2]> (y_last)
    """
        + _encoded("y", "grey")
        + _lightness("y", "level")
        + """
        full_shape = Shape (grey)
        sides = Slice (full_shape, i2, i4)
        sides_f = Cast <to = 1> (sides)
        short = ReduceMin <keepdims = 0> (sides_f)
    """
    )


def _working_size() -> str:
    """`working` (2,): the size by the card's rule; `reduced`: no more than the picture has."""
    return """
        ratio = Div (short_side, short)
        wished = Mul (sides_f, ratio)
        bounded = Min (wished, longest)
        counted = Div (bounded, multiple)
        whole = Round (counted)
        multiplied = Mul (whole, multiple)
        shaped = Max (multiplied, multiple)
        working_f = Where (square, square_sides, shaped)
        working = Cast <to = 7> (working_f)
        reduced = Min (working, sides)
        reduced_f = Cast <to = 1> (reduced)
    """


def _average(name: str, axis: int) -> str:
    """The share of each pixel along an axis in the averages there: (averages, pixels)."""
    return f"""
        {name}_count = Gather (reduced_f, j{axis})
        {name}_pixels = Gather (sides_f, j{axis})
        {name}_step = Div ({name}_pixels, {name}_count)
        {name}_number = Range (zero, {name}_count, one)
        {name}_first_flat = Mul ({name}_number, {name}_step)
        {name}_first = Unsqueeze ({name}_first_flat, i1)
        {name}_last = Add ({name}_first, {name}_step)
        {name}_pixel_flat = Range (zero, {name}_pixels, one)
        {name}_pixel = Unsqueeze ({name}_pixel_flat, i0)
        {name}_next = Add ({name}_pixel, one)
        {name}_until = Min ({name}_last, {name}_next)
        {name}_from = Max ({name}_first, {name}_pixel)
        {name}_open = Sub ({name}_until, {name}_from)
        {name}_overlap = Max ({name}_open, zero)
        {name} = Div ({name}_overlap, {name}_step)
    """


def _plate() -> str:
    """`plate`: L* at the working size, as `PreparedPhoto` makes it."""
    return (
        """
        columns_turned = Transpose <perm = [1, 0]> (columns)
        narrow = MatMul (grey, columns_turned)
        reduced_grey = MatMul (rows, narrow)
    """
        + _decoded("reduced_grey", "reduced_y")
        + _lightness("reduced_y", "reduced_level")
        + """
        plate_shape = Concat <axis = 0> (shape_11, working)
        resized = Resize <mode = "cubic"> (reduced_level, nothing, nothing, plate_shape)
        plate = Clip (resized, zero, c100)
    """
    )


# `seen`: the plate as `stretch_contrast` shows it to the network
_STRETCH = """
    flat_plate = Reshape (plate, back)
    count = Size (flat_plate)
    counts = Reshape (count, i1)
    sorted, order = TopK <largest = 0> (flat_plate, counts)
    count_f = Cast <to = 1> (count)
    final = Sub (count_f, one)
    places = Mul (tails, final)
    under_f = Floor (places)
    over_f = Ceil (places)
    under = Cast <to = 7> (under_f)
    over = Cast <to = 7> (over_f)
    between = Sub (places, under_f)
    lower = Gather (sorted, under)
    upper = Gather (sorted, over)
    climb = Sub (upper, lower)
    climbed = Mul (climb, between)
    ends = Add (lower, climbed)
    dark = Gather (ends, j0)
    light = Gather (ends, j1)
    wanted_dark = Min (dark, end_dark)
    wanted_light = Max (light, end_light)
    contrast = Sub (light, dark)
    over_flat = Sub (contrast, flat)
    open_share = Div (over_flat, flat_span)
    raised_share = Clip (open_share, zero, one)
    safe_contrast = Max (contrast, small)
    wanted_contrast = Sub (wanted_light, wanted_dark)
    gain = Div (wanted_contrast, safe_contrast)
    from_dark = Sub (plate, dark)
    gained = Mul (from_dark, gain)
    stretched = Add (gained, wanted_dark)
    raise = Sub (stretched, plate)
    raise_shared = Mul (raise, raised_share)
    mixed = Add (plate, raise_shared)
    seen = Clip (mixed, zero, c100)
"""
_MIRRORED = """
    mirrored = Slice (seen, back, end_left, i3, back)
    batch = Concat <axis = 0> (seen, mirrored)
    hints_shape = Concat <axis = 0> (shape_23, working)
    no_hints = Expand (zero, hints_shape)
    spread_channels = Identity (shape_29)
"""
_ALONE = """
    batch = Identity (seen)
    hints_shape = Concat <axis = 0> (shape_13, working)
    no_hints = Expand (zero, hints_shape)
    spread_channels = Identity (shape_19)
"""
_NOTHING_SPREAD = """
    cells = Div (working, four)
    spread_shape = Concat <axis = 0> (spread_channels, cells)
    no_spread = Expand (zero, spread_shape)
"""

# --- reading -------------------------------------------------------------------------------------

_UNMIRRORED = """
    own = Slice (answer, i0, i1, i0)
    other = Slice (answer, i1, i2, i0)
    other_back = Slice (other, back, end_left, i3, back)
    both = Add (own, other_back)
    mean_answer = Mul (both, half)
    logits = Div (mean_answer, temperature)
"""
_TEMPERED = """
    logits = Div (answer, temperature)
"""


def _joined(sizes: tuple[int, ...]) -> str:
    """`mean_logits`: the mean with the answers at further sizes."""
    if not sizes:
        return "mean_logits = Identity (logits)"
    return (
        "logits_shape = Shape (logits)\n"
        + "".join(
            f'like_{n} = Resize <mode = "linear"> (logits_{n}, nothing, nothing, logits_shape)\n'
            for n in sizes
        )
        + f"sum_logits = Sum (logits, {', '.join(f'like_{n}' for n in sizes)})\n"
        + "mean_logits = Div (sum_logits, answers)"
    )


_COLORS = """
    color = Identity (answer)
"""
# `Moments.vivid` at the default vividness
_VIVID = """
    p = Softmax <axis = 1> (mean_logits)
    expected = Conv (p, readings)
    mean = Slice (expected, i0, i2, i1)
    chroma = Slice (expected, i2, i3, i1)
    energy = Slice (expected, i3, i4, i1)
    mean_squared = Mul (mean, mean)
    mean_square = ReduceSum <keepdims = 1> (mean_squared, i1)
    magnitude = Sqrt (mean_square)
    chroma_square = Mul (chroma, chroma)
    chroma_safe = Max (chroma_square, tiny)
    certain = Div (mean_square, chroma_safe)
    certain_square = Mul (certain, certain)
    cell_levels = AveragePool <kernel_shape = [4, 4], strides = [4, 4]> (seen)
    light_share = Div (cell_levels, not_dark)
    light_room = Min (light_share, one)
    sure = Mul (certain_square, light_room)
    sure_chroma = Mul (sure, magnitude)
    sure_square = Mul (sure_chroma, sure_chroma)
    sure_mean = ReduceMean <keepdims = 0> (sure_square)
    sure_root = Sqrt (sure_mean)
    sure_floor = Max (sure_root, half)
    variances = Sub (energy, mean_square)
    variance = ReduceMean <keepdims = 0> (variances)
    pale_floor = Mul (sure_floor, pale)
    paleness = Div (variance, pale_floor)
    strength = Mul (paleness, vividness)
    deviation_square = Sub (energy, chroma_square)
    deviation_safe = Max (deviation_square, zero)
    deviation = Sqrt (deviation_safe)
    deviation_more = Mul (deviation, more_vivid)
    bound_chroma = Add (chroma, deviation_more)
    magnitude_safe = Max (magnitude, small)
    bound_open = Div (bound_chroma, magnitude_safe)
    bound = Max (bound_open, one)
    lift_sure = Mul (sure, strength)
    lift_open = Add (lift_sure, one)
    lift = Min (lift_open, bound)
    color = Mul (mean, lift)
"""

# --- edges ---------------------------------------------------------------------------------------


def _box(name: str) -> str:
    """`{name}_mean`: the mean over a box, edges mirrored with the outermost pixel twice."""
    side = 2 * RADIUS + 1
    return f"""
        {name}_left = Slice ({name}, begin_left, end_left, i3, back)
        {name}_right = Slice ({name}, back, end_right, i3, back)
        {name}_wide = Concat <axis = 3> ({name}_left, {name}, {name}_right)
        {name}_top = Slice ({name}_wide, begin_left, end_left, i2, back)
        {name}_bottom = Slice ({name}_wide, back, end_right, i2, back)
        {name}_tall = Concat <axis = 2> ({name}_top, {name}_wide, {name}_bottom)
        {name}_mean = AveragePool <kernel_shape = [{side}, {side}]> ({name}_tall)
    """


def _guided() -> str:
    """`ab` (1, 2, H, W): the colors enlarged along edges, as `GuidedFilter`."""
    return (
        """
        color_shape = Concat <axis = 0> (shape_12, working)
        coarse = Resize <mode = "linear"> (color, nothing, nothing, color_shape)
        level_square = Mul (plate, plate)
        level_color = Mul (coarse, plate)
        stats = Concat <axis = 1> (plate, level_square, coarse, level_color)
    """
        + _box("stats")
        + """
        m_level = Slice (stats_mean, i0, i1, i1)
        m_square = Slice (stats_mean, i1, i2, i1)
        m_color = Slice (stats_mean, i2, i4, i1)
        m_product = Slice (stats_mean, i4, i6, i1)
        m_level_square = Mul (m_level, m_level)
        spread_open = Sub (m_square, m_level_square)
        spread_level = Max (spread_open, zero)
        divisor = Add (spread_level, tolerance)
        product = Mul (m_color, m_level)
        covariance = Sub (m_product, product)
        slope = Div (covariance, divisor)
        explained = Mul (slope, m_level)
        offset = Sub (m_color, explained)
        coefficients = Concat <axis = 1> (slope, offset)
    """
        + _box("coefficients")
        + """
        large_shape = Concat <axis = 0> (shape_14, sides)
        large = Resize <mode = "linear"> (coefficients_mean, nothing, nothing, large_shape)
        large_slope = Slice (large, i0, i2, i1)
        large_offset = Slice (large, i2, i4, i1)
        along = Mul (large_slope, level)
        ab = Add (along, large_offset)
    """
    )


# --- the merge -----------------------------------------------------------------------------------


def _run(number: int) -> str:
    """`run` (1, 3, H, W): linear sRGB over y, at a share of the chroma."""
    return f"""
        step{number} = Mul (steps, share{number})
        f{number} = Add (level_f, step{number})
        cubed{number} = Pow (f{number}, three)
        toe_scaled{number} = Mul (f{number}, c116)
        toe_open{number} = Sub (toe_scaled{number}, c16)
        toe{number} = Div (toe_open{number}, kappa)
        high{number} = Greater (f{number}, knee)
        xz{number} = Where (high{number}, cubed{number}, toe{number})
        over{number} = Sub (xz{number}, y)
        run{number} = Conv (over{number}, from_xz)
    """


def _fitted() -> str:
    """`inside` (1, 3, H, W): linear sRGB whose chroma has shrunk until it fits."""
    text = """
        steps = Mul (ab, per_xz)
        no_share = Mul (y, zero)
        share0 = Add (no_share, one)
    """
    for number in range(_ROUNDS):
        text += (
            _run(number)
            + f"""
            lowest{number} = ReduceMin <keepdims = 1> (run{number}, i1)
            highest{number} = ReduceMax <keepdims = 1> (run{number}, i1)
            room_low{number} = Sub (least, y)
            room_high{number} = Sub (most, y)
            used_low{number} = Div (lowest{number}, room_low{number})
            used_high{number} = Div (highest{number}, room_high{number})
            used{number} = Max (used_low{number}, used_high{number}, one)
            share{number + 1} = Div (share{number}, used{number})
        """
        )
    return (
        text
        + _run(_ROUNDS)
        + f"""
        fitted = Add (run{_ROUNDS}, y)
        inside = Clip (fitted, zero, one)
    """
    )


def _rounded() -> str:
    """`colored`: red and blue are rounded first, and green takes what luminance is left."""
    text = """
        red = Slice (inside, i0, i1, i1)
        blue = Slice (inside, i2, i3, i1)
    """
    for name in ("red", "blue"):
        text += (
            _encoded(name, f"{name}_share")
            + f"""
            {name}_scaled = Mul ({name}_share, white)
            {name}_code = Round ({name}_scaled)
            {name}_kept = Div ({name}_code, white)
        """
            + _decoded(f"{name}_kept", f"{name}_light")
            + f"""
            {name}_part = Mul ({name}_light, {name}_weight)
        """
        )
    return (
        text
        + """
        without_red = Sub (y, red_part)
        without_blue = Sub (without_red, blue_part)
        green = Div (without_blue, green_weight)
    """
        + _encoded("green", "green_share")
        + """
        green_scaled = Mul (green_share, white)
        green_code = Round (green_scaled)
        together = Concat <axis = 1> (red_code, green_code, blue_code)
        last = Transpose <perm = [0, 2, 3, 1]> (together)
        colored = Cast <to = 2> (last)
    """
    )
