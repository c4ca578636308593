"""ICC profiles: the sRGB one that outputs carry, and which inputs are sRGB already."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from photochrom.errors import OptionError
from photochrom.photo.vips import libvips

if TYPE_CHECKING:
    from photochrom.color import Pixels

SRGB = "srgb"  # libvips' name for its built-in profile


@cache
def srgb_profile() -> bytes:
    """The sRGB profile that outputs are tagged with."""
    return bytes(libvips().Operation.call("profile_load", SRGB))


@lru_cache(maxsize=64)
def is_srgb(profile: bytes, bands: int) -> bool:
    """Whether a profile maps grey (1 band) or RGB (3 bands) to sRGB within half an 8-bit step.

    Raises pyvips.Error where the profile is invalid or of another colour space.
    """
    steps = np.linspace(0, 65535, 9).astype(np.uint16)
    if bands == 3:
        colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    else:
        colours = np.linspace(0, 65535, 256).astype(np.uint16).reshape(1, -1, 1)
    image = libvips().Image.new_from_array(np.ascontiguousarray(colours))
    image = image.copy(interpretation="rgb16" if bands == 3 else "grey16")
    image.set_type(libvips().GValue.blob_type, "icc-profile-data", profile)
    converted = image.icc_transform(SRGB, embedded=True, intent="relative", depth=16).numpy()
    difference = converted.reshape(1, -1, 3).astype(np.int32) - colours
    return bool(np.abs(difference).max() <= 128)


def is_rgb(profile: bytes) -> bool:
    """Whether a profile is one of RGB, by its header (ICC.1:2022, 7.2.8)."""
    return len(profile) >= 128 and profile[16:20] == b"RGB "


def to_profile(pixels: Pixels, profile: bytes) -> Pixels:
    """sRGB pixels (h, W, 3) in the colour space of an RGB profile, at their depth.

    Raises OptionError where the profile cannot be written to.
    """
    vips = libvips()
    deep = pixels.dtype == np.uint16
    image = vips.Image.new_from_array(np.ascontiguousarray(pixels))
    image = image.copy(interpretation="rgb16" if deep else "srgb")
    try:
        connected = image.icc_import(input_profile=SRGB, intent="relative", pcs="lab")
        connected.set_type(vips.GValue.blob_type, "icc-profile-data", profile)
        exported = connected.icc_export(intent="relative", depth=16 if deep else 8)
        converted: Pixels = exported.numpy()
    except vips.Error as error:
        msg = "the input's colour profile cannot be written to: leave the output in sRGB"
        raise OptionError(msg) from error
    return converted
