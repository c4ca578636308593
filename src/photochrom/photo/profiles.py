"""Any sample format and color space of a file → 8- or 16-bit sRGB, lazily; and ICC profiles."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import OptionError
from photochrom.photo import tones
from photochrom.photo.vips import libvips

if TYPE_CHECKING:
    from photochrom.color import Pixels

_SRGB = "srgb"  # libvips' name for its built-in profile
_DEVICE_INDEPENDENT = ("lab", "labs", "labq", "xyz", "scrgb", "hsv", "yxy", "oklab")
_TO_CONVERT = (*_DEVICE_INDEPENDENT, "cmyk")


@dataclass(frozen=True)
class Normalized:
    """A libvips image of uchar or ushort: grey or RGB in sRGB, then perhaps alpha, then further channels."""

    image: Any
    has_alpha: bool
    warnings: tuple[str, ...] = ()
    extra: int = 0


def normalize(image: Any, extra: Any = None) -> Normalized:
    """Brings a freshly loaded libvips image to sRGB at 8 or 16 bits; grey stays one band.

    `extra` are its further channels, an image too.
    """
    normal = _without_extra(image)
    if extra is None:
        return normal
    further = _alpha_like(extra, image, normal.image)
    return replace(normal, image=normal.image.bandjoin(further), extra=extra.bands)


def _without_extra(image: Any) -> Normalized:
    has_alpha = bool(image.hasalpha())
    colors = image.bands - has_alpha
    if image.format in ("uchar", "ushort") and colors in (1, 3) and image.interpretation not in _TO_CONVERT:
        profile, warnings = _profile_of(image, "GRAY" if colors == 1 else "RGB")
        if profile is None or is_srgb(profile, colors):  # as almost all are: not a pixel is touched
            return Normalized(image, has_alpha, warnings)
    color = _to_integers(image[:colors] if has_alpha else image)
    color, warnings = _to_srgb(color)
    if not has_alpha:
        return Normalized(color, False, warnings)
    return Normalized(color.bandjoin(_alpha_like(image[colors], image, color)), True, warnings)


def _profile_of(image: Any, space: str) -> tuple[bytes | None, tuple[str, ...]]:
    """The profile of an image, if it is one of its color space; else a warning."""
    if not image.get_typeof("icc-profile-data"):
        return None, ()
    profile = bytes(image.get("icc-profile-data"))
    if color_space(profile) == space:
        return profile, ()
    kind = "of another kind than its pixels" if color_space(profile) else "damaged or cut short"
    return None, (f"its color profile is {kind} and was ignored",)


def _to_integers(image: Any) -> Any:
    """uchar and ushort stay; wider integers keep their high bits; floats are linear light in 0..1."""
    kind = image.format
    if kind in ("uchar", "ushort") or image.interpretation in ("lab", "labs", "xyz"):
        return image
    if kind == "uint":
        return (image / 65537).rint().cast("ushort").copy(interpretation=_interpretation16(image))
    if kind in ("float", "double"):
        linear = image.bandjoin([image, image]) if image.bands < 3 else image[:3]
        encoded = linear.cast("float").copy(interpretation="scrgb").colourspace("rgb16")
        return encoded[1].copy(interpretation="grey16") if image.bands < 3 else encoded
    return image.cast("uchar" if kind == "char" else "ushort").copy(interpretation=_interpretation16(image))


def _interpretation16(image: Any) -> str:
    if image.interpretation == "cmyk":
        return "cmyk"
    return "grey16" if image.bands < 3 else "rgb16"


def _to_srgb(image: Any) -> tuple[Any, tuple[str, ...]]:
    deep = image.format != "uchar"
    if image.interpretation in _DEVICE_INDEPENDENT:
        return image.colourspace("rgb16" if deep else "srgb"), ()
    if image.interpretation == "cmyk" and image.bands >= 4:
        image, space = image[:4].copy(interpretation="cmyk"), "CMYK"
    elif image.bands < 3:
        image, space = image[0].copy(interpretation="grey16" if deep else "b-w"), "GRAY"
    else:
        image, space = image[:3].copy(interpretation="rgb16" if deep else "srgb"), "RGB"
    profile, warnings = _profile_of(image, space)
    if space == "CMYK":
        return _transformed(image, deep, profile is not None, "cmyk"), warnings
    if profile is None or is_srgb(profile, image.bands):
        return image, warnings
    if space == "GRAY" and (curve := tones.grey_curve(profile)) is not None:
        return tones.to_srgb(image, [curve], None), warnings
    converted = _transformed(image, deep, True, _SRGB)
    return (converted[1] if space == "GRAY" else converted), warnings


def _transformed(image: Any, deep: bool, embedded: bool, fallback: str) -> Any:
    converted = image.icc_transform(
        "srgb",
        embedded=embedded,
        input_profile=fallback,
        intent="relative",
        black_point_compensation=True,
        depth=16 if deep else 8,
    )
    return converted[:3]


def _alpha_like(alpha: Any, image: Any, color: Any) -> Any:
    """The alpha band at the depth of the converted color."""
    if image.format == color.format:
        return alpha
    highest = {"uchar": 255.0, "ushort": 65535.0, "uint": 4294967295.0}.get(image.format, 1.0)
    white = 255.0 if color.format == "uchar" else 65535.0
    return (alpha * (white / highest)).rint().cast(color.format)


def array_to_srgb(pixels: Pixels, profile: bytes) -> tuple[Pixels, tuple[str, ...]]:
    """Decoded pixels (H, W) or (H, W, 3) brought from a profile to sRGB; and warnings."""
    vips = libvips()
    image = vips.Image.new_from_array(pixels)
    image = image.copy(interpretation="b-w" if pixels.ndim == 2 else "srgb")
    image.set_type(vips.GValue.blob_type, "icc-profile-data", profile)
    converted, warnings = _to_srgb(image)
    array: Pixels = converted.numpy()
    return array.reshape(pixels.shape), warnings


# --- ICC profiles ----------------------------------------------------------------------------------


@cache
def srgb_profile() -> bytes:
    """The sRGB profile that outputs are tagged with."""
    return bytes(libvips().Operation.call("profile_load", _SRGB))


@lru_cache(maxsize=64)
def color_space(profile: bytes) -> str:
    """ "RGB", "GRAY", "CMYK", "Lab", … of a profile; "" for an invalid one, and for one that is cut short."""
    from PIL import ImageCms

    if len(profile) < max(132, int.from_bytes(profile[:4], "big")):
        return ""
    try:
        return str(ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space).strip()
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=64)
def is_srgb(profile: bytes, bands: int) -> bool:
    """Whether a valid profile of grey (1 band) or RGB (3 bands) maps to sRGB within half an 8-bit step."""
    if bands == 1 and (curve := tones.grey_curve(profile)) is not None:
        return tones.is_srgb(curve)
    steps = np.linspace(0, 65535, 9).astype(np.uint16)
    if bands == 3:
        colors = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    else:
        colors = np.linspace(0, 65535, 256).astype(np.uint16).reshape(1, -1, 1)
    image = libvips().Image.new_from_array(np.ascontiguousarray(colors))
    image = image.copy(interpretation="rgb16" if bands == 3 else "grey16")
    image.set_type(libvips().GValue.blob_type, "icc-profile-data", profile)
    converted = image.icc_transform(_SRGB, embedded=True, intent="relative", depth=16).numpy()
    difference = converted.reshape(1, -1, 3).astype(np.int32) - colors
    return bool(np.abs(difference).max() <= 128)


def to_profile(pixels: Pixels, profile: bytes) -> Pixels:
    """sRGB pixels (h, W, 3) in the color space of an RGB profile, at their depth.

    Raises OptionError where the profile cannot be written to.
    """
    vips = libvips()
    deep = pixels.dtype == np.uint16
    image = vips.Image.new_from_array(np.ascontiguousarray(pixels))
    image = image.copy(interpretation="rgb16" if deep else "srgb")
    try:
        connected = image.icc_import(input_profile=_SRGB, intent="relative", pcs="lab")
        connected.set_type(vips.GValue.blob_type, "icc-profile-data", profile)
        exported = connected.icc_export(intent="relative", depth=16 if deep else 8)
        converted: Pixels = exported.numpy()
    except vips.Error as error:
        raise OptionError(
            "the input's color profile cannot be written to: leave the output in sRGB"
        ) from error
    return converted


@lru_cache(maxsize=64)
def rgb_like_grey(profile: bytes) -> bytes | None:
    """An RGB profile whose neutrals are those of a grey one: its tone curve, and the primaries of sRGB.

    None for a grey profile without a curve (ICC.1:2022, 8.3.4: one may be a table instead).
    """
    curve = _tag(profile, b"kTRC")
    if curve is None:
        return None
    colors = [((name,), _fixed(b"XYZ ", *color)) for name, color in _SRGB_PRIMARIES.items()]
    return _profile_with(profile, b"RGB ", [((b"rTRC", b"gTRC", b"bTRC"), curve), *colors])


@lru_cache(maxsize=64)
def grey_like_rgb(profile: bytes) -> bytes | None:
    """A grey profile whose tones are those of an RGB profile's neutrals.

    None for sRGB, which grey means without a profile, and for a profile whose channels have no common curve.
    """
    curves = [_tag(profile, name) for name in (b"rTRC", b"gTRC", b"bTRC")]
    if curves[0] is None or curves.count(curves[0]) < 3 or is_srgb(profile, 3):
        return None
    return _profile_with(profile, b"GRAY", [((b"kTRC",), curves[0])])


_Tags = list[tuple[tuple[bytes, ...], bytes]]  # names, and the data that they share


def _profile_with(model: bytes, space: bytes, tags: _Tags) -> bytes:
    """A display profile of the same version as another (ICC.1:2022, 7.2 and 7.3)."""
    new = model[8] >= 4
    tags = [
        ((b"desc",), _description(f"Tone curve of the original, {space.decode().strip()}", new)),
        ((b"cprt",), _text("No copyright", new)),
        ((b"wtpt",), _fixed(b"XYZ ", 0.9642, 1, 0.8249)),
        *([((b"chad",), _fixed(b"sf32", *_D65_TO_D50))] if new else []),
        *tags,
    ]
    places, body = [], b""
    first = 132 + 12 * sum(len(names) for names, _ in tags)
    for names, data in tags:
        places += [name + struct.pack(">II", first + len(body), len(data)) for name in names]
        body += data + bytes(-len(data) % 4)
    head = bytearray(model[:128])
    struct.pack_into(">I", head, 0, first + len(body))
    head[12:24], head[84:100] = b"mntr" + space + b"XYZ ", bytes(16)
    return bytes(head) + struct.pack(">I", len(places)) + b"".join(places) + body


# Bradford-adapted to D50 (IEC 61966-2-1 with ICC.1:2022, annex E)
_SRGB_PRIMARIES = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.7141),
}
_D65_TO_D50 = (1.04788, 0.02292, -0.0502, 0.02959, 0.99048, -0.01706, -0.00923, 0.01508, 0.75168)


def _tag(profile: bytes, name: bytes) -> bytes | None:
    (count,) = struct.unpack_from(">I", profile, 128)
    for at in range(132, min(132 + 12 * count, len(profile) - 11), 12):
        if profile[at : at + 4] == name:
            start, size = struct.unpack_from(">II", profile, at + 4)
            return profile[start : start + size]
    return None


def _fixed(kind: bytes, *numbers: float) -> bytes:
    return kind + bytes(4) + struct.pack(f">{len(numbers)}i", *(round(x * 65536) for x in numbers))


def _text(text: str, new: bool) -> bytes:
    """A multiLocalizedUnicodeType of version 4, or a textType of version 2."""
    if not new:
        return b"text" + bytes(4) + text.encode("ascii") + b"\0"
    coded = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(coded), 28) + coded


def _description(text: str, new: bool) -> bytes:
    if new:
        return _text(text, new)
    coded = text.encode("ascii") + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(coded)) + coded + bytes(8 + 3 + 67)
