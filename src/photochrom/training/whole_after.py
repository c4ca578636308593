"""Nodes behind the network, as text for onnx.parser: its answer read, enlarged along edges, merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photochrom.training.whole_before import decoded, encoded, stepped
from photochrom.upsample import _RADIUS as RADIUS

if TYPE_CHECKING:
    from photochrom.models import Card

_ROUNDS = 8  # of the chord that brings colors into the gamut


def after_network(card: Card) -> str:
    """From the answer at one size to `logits` of one photo, where they are what is read."""
    return _UNMIRRORED if card.mirror else _TEMPERED if card.head == "bins" else ""


def coloring(card: Card) -> str:
    """From the answers at all sizes to the picture `colored`."""
    reading = (_joined(card.sizes) + _VIVID) if card.head == "bins" else _COLORS
    return reading + _guided() + _fitted() + _rounded()


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
        inner0 = Identity (no_share)
        outer0 = Identity (share0)
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
            used{number} = Max (used_low{number}, used_high{number}, tiny)
            fits{number} = LessOrEqual (used{number}, still_inside)
            is_well{number} = Greater (used{number}, well_used)
            is_whole{number} = GreaterOrEqual (share{number}, one)
            is_most{number} = Or (is_well{number}, is_whole{number})
            settled{number} = And (fits{number}, is_most{number})
            grown{number} = Max (inner{number}, share{number})
            inner{number + 1} = Where (fits{number}, grown{number}, inner{number})
            shrunk{number} = Min (outer{number}, share{number})
            outer{number + 1} = Where (fits{number}, outer{number}, shrunk{number})
            chord{number} = Div (share{number}, used{number})
            above{number} = Greater (chord{number}, inner{number + 1})
            below{number} = Less (chord{number}, outer{number + 1})
            between{number} = And (above{number}, below{number})
            ends{number} = Add (inner{number + 1}, outer{number + 1})
            middle{number} = Mul (ends{number}, half)
            tried{number} = Where (between{number}, chord{number}, middle{number})
            share{number + 1} = Where (settled{number}, share{number}, tried{number})
        """
        )
    text += f"""
        is_inside = Greater (inner{_ROUNDS}, zero)
        share{_ROUNDS + 1} = Where (is_inside, inner{_ROUNDS}, share{_ROUNDS})
    """
    return (
        text
        + _run(_ROUNDS + 1)
        + f"""
        fitted = Add (run{_ROUNDS + 1}, y)
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
            stepped(name, f"{name}_step")  # of `encode`'s table
            + encoded(f"{name}_step", f"{name}_share")
            + f"""
            {name}_scaled = Mul ({name}_share, white)
            {name}_code = Round ({name}_scaled)
            {name}_kept = Div ({name}_code, white)
        """
            + decoded(f"{name}_kept", f"{name}_light")
            + f"""
            {name}_part = Mul ({name}_light, {name}_weight)
        """
        )
    return (
        text
        + """
        without_red = Sub (y, red_part)
        without_blue = Sub (without_red, blue_part)
        green_open = Div (without_blue, green_weight)
        green = Clip (green_open, zero, one)
    """
        + stepped("green", "green_step")
        + encoded("green_step", "green_share")
        + """
        green_scaled = Mul (green_share, white)
        green_code = Round (green_scaled)
        together = Concat <axis = 1> (red_code, green_code, blue_code)
        last = Transpose <perm = [0, 2, 3, 1]> (together)
        colored = Cast <to = 2> (last)
    """
    )
