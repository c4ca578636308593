"""ICC profiles: the sRGB one that outputs carry, and which inputs are sRGB already."""

from __future__ import annotations

import io
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
def colour_space(profile: bytes) -> str:
    """ "RGB", "GRAY", "CMYK", "Lab", … of a profile; "" for an invalid one."""
    from PIL import ImageCms

    try:
        return str(ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space).strip()
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=64)
def is_srgb(profile: bytes, bands: int) -> bool:
    """Whether a valid profile of grey (1 band) or RGB (3 bands) maps to sRGB within half an 8-bit step."""
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
        raise OptionError(
            "the input's colour profile cannot be written to: leave the output in sRGB"
        ) from error
    return converted
