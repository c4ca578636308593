"""Any sample format and colour space of a file → 8- or 16-bit sRGB, lazily."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from photochrom.photo.vips import libvips


@dataclass(frozen=True)
class Normalized:
    """A libvips image of uchar or ushort, grey or RGB in sRGB, alpha as its last band."""

    image: Any
    has_alpha: bool
    warnings: tuple[str, ...] = ()


def normalize(image: Any) -> Normalized:
    """Brings a freshly loaded libvips image to sRGB at 8 or 16 bits; grey stays one band."""
    has_alpha = bool(image.hasalpha())
    alpha = image[image.bands - 1] if has_alpha else None
    colour = image[: image.bands - 1] if has_alpha else image
    colour = _to_integers(colour)
    colour, warnings = _to_srgb(colour)
    if alpha is None:
        return Normalized(colour, False, warnings)
    return Normalized(colour.bandjoin(_alpha_like(alpha, image, colour)), True, warnings)


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
    from photochrom.photo.profiles import SRGB, is_srgb

    vips = libvips()
    deep = image.format != "uchar"
    has_profile = image.get_typeof("icc-profile-data") != 0
    warnings: tuple[str, ...] = ()
    if image.interpretation == "cmyk" and image.bands >= 4:
        image = image[:4].copy(interpretation="cmyk")
        return _transformed(image, deep, has_profile, "cmyk"), warnings
    if image.interpretation in ("lab", "labs", "xyz", "labq", "scrgb", "hsv", "yxy", "oklab"):
        return image.colourspace("rgb16" if deep else "srgb"), warnings
    image = image[0] if image.bands < 3 else image[:3]
    grey = image.bands == 1
    image = image.copy(
        interpretation=("grey16" if deep else "b-w") if grey else ("rgb16" if deep else "srgb")
    )
    if not has_profile:
        return image, warnings
    profile = image.get("icc-profile-data")
    try:
        if is_srgb(profile, image.bands):
            return image, warnings
        converted = _transformed(image, deep, True, SRGB)
    except vips.Error:
        return image, ("its colour profile is invalid and was ignored",)
    return (converted[1] if grey else converted), warnings


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


def _alpha_like(alpha: Any, image: Any, colour: Any) -> Any:
    """The alpha band at the depth of the converted colour."""
    if image.format == colour.format:
        return alpha
    highest = {"uchar": 255.0, "ushort": 65535.0, "uint": 4294967295.0}.get(image.format, 1.0)
    white = 255.0 if colour.format == "uchar" else 65535.0
    return (alpha * (white / highest)).rint().cast(colour.format)
