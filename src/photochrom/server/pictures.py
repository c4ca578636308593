"""From plates to bytes: previews, parts of them, maps, and whole files."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from photochrom import __version__
from photochrom.batch import beside
from photochrom.errors import OptionError
from photochrom.photo import FORMATS, output_format, write
from photochrom.photo.sources import rescale
from photochrom.provenance import write_colored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.color import Float, Pixels
    from photochrom.colorizer import ColoredPlate, Plate
    from photochrom.look import Look
    from photochrom.photo import FileOptions, Photo
    from photochrom.server.schemas import Region

_PREVIEW_QUALITY = 90
_DIFFERENCE_STEP = 4  # a gray level of the difference map is 1/4 ΔE*ab
_PLACES = 6
_LARGEST_WHOLE = 2400  # a part that would need a larger preview of the whole is cut from full-size rows
_WHOLE_STEP = 800  # previews of the whole come in few sizes, because a plate keeps the last three


def jpeg(rgb: Pixels, quality: int = _PREVIEW_QUALITY) -> bytes:
    """A JPEG (4:2:0) of (H, W, 3) or (H, W) uint8."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) if rgb.ndim == 3 else rgb
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def gray_png(plane: NDArray[np.uint8]) -> bytes:
    """A small PNG of (H, W) uint8."""
    return cv2.imencode(".png", plane, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()


def fitted(pixels: Pixels, side: int) -> Pixels:
    """Pixels as uint8 whose longer side is at most `side`, area-averaged."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cast("Pixels", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return rescale(pixels, np.dtype(np.uint8))


def box(region: Region | None, height: int, width: int) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) in pixels. Raises OptionError for a region that holds no pixel."""
    if region is None:
        return 0, height, 0, width
    left, right = int(region.left * width), int(np.ceil(region.right * width))
    top, bottom = int(region.top * height), int(np.ceil(region.bottom * height))
    if left >= right or top >= bottom:
        raise OptionError("the region is empty: right must be above left, and bottom above top")
    return top, bottom, left, right


def original_preview(photo: Photo, side: int, region: Region | None) -> bytes:
    """The photo as it came, or a part of it, `side` pixels long at most."""
    top, bottom, left, right = box(region, photo.height, photo.width)
    return jpeg(fitted(photo.pixels[top:bottom, left:right], side))


def colored_preview(plate: Plate, look: Look, side: int, region: Region | None) -> bytes:
    """The colored photo, or a part of it, `side` pixels long at most."""
    colored, photo = plate.color(look), plate.photo
    if region is None:
        target = io.BytesIO()
        small = colored.small_photo(side)
        write(small, target, format="jpeg", quality=_PREVIEW_QUALITY)
        return target.getvalue()
    top, bottom, left, right = box(region, photo.height, photo.width)
    longest = max(photo.height, photo.width)
    wanted = side * longest / max(bottom - top, right - left)  # of the whole photo, for that detail
    stepped = -(-int(wanted) // _WHOLE_STEP) * _WHOLE_STEP
    if stepped > min(_LARGEST_WHOLE, longest):
        rows = colored.photo().rows(top, bottom)
        return jpeg(fitted(rows[:, left:right], side))
    whole = colored.preview(stepped)
    top, bottom, left, right = box(region, *whole.shape[:2])
    return jpeg(fitted(cast("Pixels", np.ascontiguousarray(whole[top:bottom, left:right])), side))


def difference_map(plate: Plate, look: Look, index: int) -> bytes:
    """How far one hint moves the colors: a gray PNG at the working size, 4 levels a ΔE*ab."""
    hints = look.hints
    if index >= len(hints):
        raise OptionError(f"there is no hint {index} among {len(hints)}: count from 0")
    without = replace(look, hints=(*hints[:index], *hints[index + 1 :]))
    change = plate.color(look).chroma - plate.color(without).chroma
    distance = np.hypot(change[..., 0], change[..., 1]) * _DIFFERENCE_STEP
    return gray_png(np.clip(np.rint(distance), 0, 255).astype(np.uint8))


def uncertain_places(uncertainty: Float, count: int = _PLACES) -> list[tuple[float, float, float]]:
    """(x, y, uncertainty) of the most uncertain places, well apart: where a hint helps most.

    They are peaks of the map averaged over a small area, so that a place stands for a thing and not for
    one odd cell; none lies at the rim, where half of what the network would see is missing.
    """
    height, width = uncertainty.shape
    longer = max(height, width)
    smooth = cv2.blur(uncertainty, (max(3, longer // 16),) * 2, borderType=cv2.BORDER_REFLECT_101)
    rim = min(height, width) // 16
    smooth[:rim], smooth[height - rim :], smooth[:, :rim], smooth[:, width - rim :] = 0, 0, 0, 0
    places = []
    for _ in range(count):
        y, x = np.unravel_index(int(smooth.argmax()), smooth.shape)
        if smooth[y, x] <= 0:
            break
        places.append(((x + 0.5) / width, (y + 0.5) / height, float(uncertainty[y, x])))
        cv2.circle(smooth, (int(x), int(y)), max(1, longer // 6), 0.0, thickness=-1)
    return places


def warnings_of(photo: Photo, *, dropped: bool) -> list[str]:
    """What a person should know of a photo: what was found on reading, and that its colors are dropped."""
    told = ["it is a color photo already: its colors are dropped and made anew"] if dropped else []
    return [*photo.warnings, *told]


def whole_file(
    wanted: ColoredPlate, options: FileOptions, *, side_by_side: bool = False
) -> tuple[bytes, str]:
    """A full-size file and its media type, with metadata and the mark as asked."""
    plate, colored = wanted.plate, wanted.photo()
    if side_by_side:
        colored = beside.side_by_side(plate.photo, colored)
    fmt = FORMATS[options.format] if options.format else output_format(colored)
    target = io.BytesIO()
    write_colored(colored, target, options, plate.card.name, __version__)
    return target.getvalue(), fmt.mime
