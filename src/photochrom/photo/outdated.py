"""What XMP says of the picture before it was turned, taken apart or colored, set right.

MWG Guidelines 2.0 (regions), Microsoft's People Tags, Camera Raw's crop, Google's motion photos, ISO 21496-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from photochrom.photo import xmp

if TYPE_CHECKING:
    from collections.abc import Callable

_TIFF = "http://ns.adobe.com/tiff/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_AREA = "http://ns.adobe.com/xmp/sType/Area#"
_DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
_RECTANGLE = ("http://ns.microsoft.com/photo/1.2/t/Region#", "Rectangle")
_CAMERA_RAW = "http://ns.adobe.com/camera-raw-settings/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_CONTAINER = "http://ns.google.com/photos/1.0/container/"
_ITEM = "http://ns.google.com/photos/1.0/container/item/"
_GAIN_MAP = "http://ns.adobe.com/hdr-gain-map/1.0/"
_VIDEO_CLAIMS = (
    *("MotionPhoto", "MotionPhotoVersion", "MotionPhotoPresentationTimestampUs", "MicroVideo"),
    *("MicroVideoVersion", "MicroVideoOffset", "MicroVideoPresentationTimestampUs"),
)
_GAIN_MAP_CLAIMS = (
    *("Version", "BaseRenditionIsHDR", "GainMapMin", "GainMapMax", "Gamma", "OffsetSDR", "OffsetHDR"),
    *("HDRCapacityMin", "HDRCapacityMax"),
)


class Turn(NamedTuple):
    """What an EXIF orientation does to places that are fractions of width and height."""

    orientation: int

    @property
    def swaps(self) -> bool:
        """Whether width and height change places."""
        return self.orientation >= 5

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A place in the picture as stored → as seen."""
        if self.swaps:
            x, y = y, x
        return (
            1 - x if self.orientation in (2, 3, 6, 7) else x,
            1 - y if self.orientation in (3, 4, 7, 8) else y,
        )

    def size(self, width: float, height: float) -> tuple[float, float]:
        return (height, width) if self.swaps else (width, height)

    def box(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        """left, top, right, bottom as stored → as seen."""
        (x1, y1), (x2, y2) = self.point(left, top), self.point(right, bottom)
        return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def turned(packet: bytes, orientation: int) -> bytes:
    """The packet of a picture whose pixels have been turned upright: orientation, sizes, regions, crop."""
    turn = Turn(orientation)
    packet = _mapped(packet, _TIFF, ("Orientation",), lambda value: (1,))
    for namespace, names in (
        (_TIFF, ("ImageWidth", "ImageLength")),
        (_EXIF, ("PixelXDimension", "PixelYDimension")),
        (_DIMENSIONS, ("w", "h")),
    ):
        packet = _mapped(packet, namespace, names, turn.size)
    packet = _mapped(packet, _AREA, ("x", "y"), turn.point)
    packet = _mapped(packet, _AREA, ("w", "h"), turn.size)
    packet = _mapped(packet, _CAMERA_RAW, ("CropLeft", "CropTop", "CropRight", "CropBottom"), turn.box)
    if orientation in (2, 4, 5, 7):  # a mirror turns angles round
        packet = _mapped(packet, _CAMERA_RAW, ("CropAngle",), lambda angle: (-angle,))
    return xmp.mapped(packet, [_RECTANGLE], lambda columns: [[_rectangle(turn, text) for text in columns[0]]])


def laid_back(packet: bytes, orientation: int) -> bytes:
    """What `turned` made of a packet, for pixels that are stored with that orientation after all."""
    back = turned(packet, {6: 8, 8: 6}.get(orientation, orientation))
    return _mapped(back, _TIFF, ("Orientation",), lambda value: (orientation,))


def _mapped(
    packet: bytes, namespace: str, names: tuple[str, ...], function: Callable[..., tuple[float, ...]]
) -> bytes:
    """The packet with numbers that belong together, as x and y do, mapped wherever they all stand."""

    def change(columns: list[list[str]]) -> list[list[str]] | None:
        try:
            rows = [function(*map(float, row)) for row in zip(*columns, strict=True)]
        except ValueError:  # not numbers, or not as many of each
            return None
        return [[_number(value) for value in column] for column in zip(*rows, strict=True)] if rows else None

    return xmp.mapped(packet, [(namespace, name) for name in names], change)


def _number(value: float) -> str:
    return f"{value:.10f}".rstrip("0").rstrip(".")


def _rectangle(turn: Turn, text: str) -> str:
    """Microsoft's "left, top, width, height"."""
    try:
        left, top, width, height = map(float, text.split(","))
    except ValueError:
        return text
    box = turn.box(left, top, left + width, top + height)
    return ", ".join(map(_number, (*box[:2], box[2] - box[0], box[3] - box[1])))


def without_parts(packet: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The packet without claims to parts of the file that are not carried on, and what these were.

    Others trust the claims: they cut a video's length off the end of such a file.
    """
    semantics = xmp.values(packet, _ITEM, "Semantic")
    video = any(xmp.values(packet, _CAMERA, name) for name in ("MotionPhoto", "MicroVideo"))
    gain_map = bool(xmp.values(packet, _GAIN_MAP, "Version")) or "GainMap" in semantics
    claims = [(_CAMERA, name) for name in _VIDEO_CLAIMS] + [(_GAIN_MAP, name) for name in _GAIN_MAP_CLAIMS]
    if semantics:
        claims.append((_CONTAINER, "Directory"))
    left_out = [what for what, there in (("short video", video), ("HDR gain map", gain_map)) if there]
    told = (f"its {' and its '.join(left_out)} {_is_or_are(left_out)} left out",) if left_out else ()
    return xmp.without(packet, claims), told


def _is_or_are(things: list[str]) -> str:
    return "are" if len(things) > 1 else "is"


def of_color(packet: bytes, *, srgb: bool) -> bytes:
    """The packet of a picture that is now RGB, in sRGB or in another profile's space."""
    space = "1" if srgb else "65535"
    packet = xmp.mapped(packet, [(_EXIF, "ColorSpace")], lambda columns: [[space] * len(columns[0])])
    packet = xmp.mapped(packet, [(_PHOTOSHOP, "ColorMode")], lambda columns: [["3"] * len(columns[0])])
    return xmp.without(
        packet,
        [
            (_PHOTOSHOP, "ICCProfile"),
            (_CAMERA_RAW, "ConvertToGrayscale"),  # an editor would take the colors out again
            ("http://ns.adobe.com/xap/1.0/", "Thumbnails"),  # of the picture before
        ],
    )
