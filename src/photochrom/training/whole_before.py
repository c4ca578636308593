"""Nodes before the network, as text for onnx.parser: a picture's luminance, brought to the working size."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photochrom.models import Card


def before_network(card: Card, *, takes_spread: bool) -> str:
    """From the picture's grey and linear Y to what the network is fed, at one of its sizes."""
    text = _working_size() + _average("rows", 0) + _average("columns", 1) + _plate() + _STRETCH
    text += _MIRRORED if card.mirror else _ALONE
    return text + (_NOTHING_SPREAD if takes_spread else "")


def decoded(x: str, out: str) -> str:
    """Linear light of sRGB values in 0..1."""
    return f"""
        {out}_low = Div ({x}, c12_92)
        {out}_raised = Add ({x}, c0_055)
        {out}_shared = Div ({out}_raised, c1_055)
        {out}_powered = Pow ({out}_shared, two_point_four)
        {out}_is_low = LessOrEqual ({x}, dark_code)
        {out} = Where ({out}_is_low, {out}_low, {out}_powered)
    """


def encoded(x: str, out: str) -> str:
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


def stepped(x: str, out: str) -> str:
    """Values in 0..1 rounded to the steps of 16 bits."""
    return f"""
        {out}_wide = Mul ({x}, most_16)
        {out}_whole = Round ({out}_wide)
        {out} = Div ({out}_whole, most_16)
    """


def full_luminance() -> str:
    return (
        """
        codes = Cast <to = 1> (image)
        encoded = Div (codes, white)
    """
        + decoded("encoded", "linear")
        + """
        y_last = MatMul (linear, y_weights)
        exact_y = Transpose <perm = [0, 3, 1, 2]> (y_last)
    """
        + encoded("exact_y", "exact_grey")
        + stepped("exact_grey", "grey")  # as `neutralize` stores it
        + decoded("grey", "y")
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
        + decoded("reduced_grey", "reduced_y")
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
