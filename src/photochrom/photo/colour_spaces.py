"""Any sample format and colour space of a file → 8- or 16-bit sRGB, lazily."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photochrom.photo.profiles import SRGB, colour_space, is_srgb
from photochrom.photo.vips import libvips

if TYPE_CHECKING:
    from photochrom.color import Pixels

_DEVICE_INDEPENDENT = ("lab", "labs", "labq", "xyz", "scrgb", "hsv", "yxy", "oklab")
_TO_CONVERT = (*_DEVICE_INDEPENDENT, "cmyk")


@dataclass(frozen=True)
class Normalized:
    """A libvips image of uchar or ushort, grey or RGB in sRGB, alpha as its last band."""

    image: Any
    has_alpha: bool
    warnings: tuple[str, ...] = ()


def normalize(image: Any) -> Normalized:
    """Brings a freshly loaded libvips image to sRGB at 8 or 16 bits; grey stays one band."""
    has_alpha = bool(image.hasalpha())
    colours = image.bands - has_alpha
    if image.format in ("uchar", "ushort") and colours in (1, 3) and image.interpretation not in _TO_CONVERT:
        profile, warnings = _profile_of(image, "GRAY" if colours == 1 else "RGB")
        if profile is None or is_srgb(profile, colours):  # as almost all are: not a pixel is touched
            return Normalized(image, has_alpha, warnings)
    colour = _to_integers(image[:colours] if has_alpha else image)
    colour, warnings = _to_srgb(colour)
    if not has_alpha:
        return Normalized(colour, False, warnings)
    return Normalized(colour.bandjoin(_alpha_like(image[colours], image, colour)), True, warnings)


def _profile_of(image: Any, space: str) -> tuple[bytes | None, tuple[str, ...]]:
    """The profile of an image, if it is one of its colour space; else a warning."""
    if not image.get_typeof("icc-profile-data"):
        return None, ()
    profile = bytes(image.get("icc-profile-data"))
    if colour_space(profile) == space:
        return profile, ()
    return None, ("its colour profile is invalid or of another kind and was ignored",)


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
    converted = _transformed(image, deep, True, SRGB)
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


def _alpha_like(alpha: Any, image: Any, colour: Any) -> Any:
    """The alpha band at the depth of the converted colour."""
    if image.format == colour.format:
        return alpha
    highest = {"uchar": 255.0, "ushort": 65535.0, "uint": 4294967295.0}.get(image.format, 1.0)
    white = 255.0 if colour.format == "uchar" else 65535.0
    return (alpha * (white / highest)).rint().cast(colour.format)


def array_to_srgb(pixels: Pixels, profile: bytes) -> tuple[Pixels, tuple[str, ...]]:
    """Decoded pixels (H, W) or (H, W, 3) brought from a profile to sRGB; and warnings."""
    vips = libvips()
    image = vips.Image.new_from_array(pixels)
    image = image.copy(interpretation="b-w" if pixels.ndim == 2 else "srgb")
    image.set_type(vips.GValue.blob_type, "icc-profile-data", profile)
    converted, warnings = _to_srgb(image)
    array: Pixels = converted.numpy()
    return array.reshape(pixels.shape), warnings
