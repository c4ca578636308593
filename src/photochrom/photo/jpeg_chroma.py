"""A JPEG in color that keeps its own luminance data: chroma alone is computed, at the size it is stored.

Y' of the result is the input's, sample for sample. So what Cb and Cr add to R, G and B must leave every pixel
that they reach within 0..255, or decoders would clip it and change luminance: chroma gives way there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache, reduce
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.errors import OptionError
from photochrom.photo.chroma_codes import ChromaCodes
from photochrom.photo.jpeg import SAMPLING
from photochrom.photo.jpeg_original import encode_plane, quantization
from photochrom.photo.jpeg_scans import PROGRESSIVE, Jpeg, parse, spliced
from photochrom.photo.profiles import (
    color_space,
    is_srgb,
    rgb_like_grey,
    srgb_profile,
    to_profile,
)
from photochrom.photo.segments import metadata_segments
from photochrom.photo.sources import RowSource, stored, upright
from photochrom.photo.strips import mapped_in_order, strip_height

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from photochrom.color import Pixels
    from photochrom.photo.atomic import Sink
    from photochrom.photo.encoding import Options
    from photochrom.photo.jpeg_original import Luminance, Original
    from photochrom.photo.photo import Photo

_FROM_CHROMA = ((0, 1.402), (-0.344136, -0.714136), (1.772, 0))  # what Cb and Cr add to R, G, B (ITU-T T.871)
_SCALARS = 4  # samples that OpenCV may take for a scalar
_REACH = np.ones((3, 3), np.uint8)  # decoders smooth chroma: a sample reaches one pixel beyond its block


def luminance_kept(photo: Photo) -> Luminance:
    """What becomes of the luminance data of the JPEG that a colored photo was read from, if it stays JPEG.

    "identical": not a bit of its coefficients changes. "requantized": its samples are quantized once more
    with the same table, since no package that transcodes is installed. "encoded": it is encoded anew, since
    there is no such JPEG, or one that cannot be kept (RGB, CMYK, 12 bits, arithmetic coding).
    """
    keeps = photo.original is not None and isinstance(photo.source, RowSource) and photo.source.chroma
    if not keeps or _profile(photo) is None:
        return "encoded"
    assert photo.original is not None
    return photo.original.kept


def write_with_chroma(photo: Photo, sink: Sink, options: Options) -> None:
    """Encodes a photo whose luminance is kept: not "encoded" to `luminance_kept`.

    Quality and subsampling are chroma's. Orientation stays in the EXIF, since the data lie as they lay;
    the profile is sRGB's or, where the input's codes mean something else, one in which they mean the same.
    """
    assert photo.original is not None
    original, sampling = photo.original, SAMPLING[options.subsampling]

    def encoded(plane: Pixels) -> Jpeg:
        table = _tables(_quality(options.quality, luma))[1]
        return parse(encode_plane(plane, table, progressive=luma.frame == PROGRESSIVE))

    with ThreadPoolExecutor(2) as pool:
        taken = pool.submit(lambda: original.luminance)
        planes = _planes(photo, sampling, options.threads)
        luma = taken.result()
        cb, cr = pool.map(encoded, planes)
    icc = _profile(photo)
    metadata = original.as_stored(photo.metadata.of_color(icc, srgb=icc == srgb_profile()))
    for piece in spliced(luma, cb, cr, sampling, metadata_segments(metadata)):
        sink.write(piece)


@cache
def _tables(quality: int) -> tuple[bytes, bytes]:
    """The tables that libjpeg quantizes luminance and chroma with (ITU-T T.81, K.1 and K.2, scaled)."""
    _, data = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    luminance, chroma, _ = parse(data.tobytes()).components
    return luminance.table, chroma.table


def _quality(asked: int, luma: Jpeg) -> int:
    """The quality of chroma: as asked, but no finer than luminance's own if that is above 75."""
    scale = 100 * float(quantization(luma.luminance.table).sum() / quantization(_tables(50)[0]).sum())
    own = 5000 / scale if scale > 100 else 100 - scale / 2  # libjpeg's jpeg_quality_scaling, backwards
    return min(asked, max(75, round(own)))


def _profile(photo: Photo) -> bytes | None:
    """The RGB profile in which the luminance data mean what they meant; None where there is none."""
    assert photo.original is not None
    icc, bands = photo.original.icc, photo.original.source.channels
    if icc is None or color_space(icc) != ("GRAY" if bands == 1 else "RGB") or is_srgb(icc, bands):
        return srgb_profile()
    if bands == 1:
        return rgb_like_grey(icc)
    try:
        to_profile(np.zeros((1, 1, 3), np.uint8), icc)
    except OptionError:
        return None
    return icc


def _planes(photo: Photo, sampling: tuple[int, int], threads: int | None) -> tuple[Pixels, Pixels]:
    """Cb and Cr (⌈H/down⌉, ⌈W/across⌉) uint8 of a colored photo, as the luminance data that it keeps lie."""
    assert photo.original is not None
    assert isinstance(photo.source, RowSource)
    assert photo.source.chroma is not None
    orientation, profile = photo.original.orientation, _profile(photo)
    blocks = [upright(plane, orientation) for plane in _blocks(photo.original, sampling, threads)]
    height, width = blocks[0].shape
    if width <= _SCALARS:
        blocks = [np.pad(plane, ((0, 0), (0, _SCALARS)), mode="edge") for plane in blocks]
    colors = ChromaCodes(photo.source.chroma, blocks[0], None if profile == srgb_profile() else profile)
    down = sampling[1] if orientation < 5 else sampling[0]
    planes: NDArray[np.uint8] = np.empty((2, *blocks[0].shape), np.uint8)

    def compute(top: int, bottom: int) -> None:
        mean, least, most = (plane[top:bottom] for plane in blocks)
        planes[:, top:bottom] = _in_room(*colors.planes(top, mean, photo.height / down), least, most)

    _in_strips(compute, (height, width), threads)
    return stored(planes[0, :, :width], orientation), stored(planes[1, :, :width], orientation)


def _in_strips(compute: Callable[[int, int], None], shape: tuple[int, ...], threads: int | None) -> None:
    """Calls compute(top, bottom) for strips of a plane that stay in a processor's cache."""
    rows = max(1, strip_height(shape[1]) // 4)
    tops = range(0, shape[0], rows)
    for _ in mapped_in_order(lambda top: compute(top, min(top + rows, shape[0])), tops, threads):
        pass


def _blocks(original: Original, sampling: tuple[int, int], threads: int | None) -> list[Pixels]:
    """The mean, the least and the most Y' that each sample of chroma reaches, as a JPEG's data lie.

    (⌈H/down⌉, ⌈W/across⌉) uint8 each.
    """
    across, down = sampling
    luma, height, width = original.luma_rows, original.jpeg.height, original.jpeg.width
    found: NDArray[np.uint8] = np.empty((3, -(-height // down), -(-width // across)), np.uint8)

    def compute(top: int, bottom: int) -> None:
        first, last = top * down, min(bottom * down, height)
        above, below = min(first, 1), min(height - last, 1)
        found[:, top:bottom] = _reduced(luma(first - above, last + below), sampling, above, below)

    _in_strips(compute, found.shape[1:], threads)
    return list(found)


def _reduced(rows: Pixels, sampling: tuple[int, int], above: int, below: int) -> tuple[Any, Pixels, Pixels]:
    """`_blocks` of rows (h, W) that lie between `above` rows more before and `below` behind them."""
    across, down = sampling
    inner = slice(above, len(rows) - below)
    planes = [rows[inner]] * 3
    if sampling != (1, 1):
        planes[1:] = cv2.erode(rows, _REACH)[inner], cv2.dilate(rows, _REACH)[inner]
    height, width = planes[0].shape
    edges = 0, -height % down, 0, -width % across
    mean, least, most = (cv2.copyMakeBorder(plane, *edges, cv2.BORDER_REPLICATE) for plane in planes)
    size = mean.shape[1] // across, mean.shape[0] // down
    return (
        cv2.resize(mean, size, interpolation=cv2.INTER_AREA),
        _chosen(cv2.min, least, sampling),
        _chosen(cv2.max, most, sampling),
    )


def _chosen(choose: Callable[..., Any], plane: Pixels, sampling: tuple[int, int]) -> Pixels:
    """The least or the most of every block of a plane."""
    across, down = sampling
    tall = reduce(choose, [plane[row::down] for row in range(down)])
    parts = cv2.split(tall.reshape(len(tall), -1, across))
    return cast("Pixels", reduce(choose, parts).reshape(len(tall), -1))


def _weighed(planes: list[Pixels], sign: int, of_cb: float, of_cr: float) -> Pixels:
    """What Cb and Cr add to a channel, with a sign and a code more, where it is above 0."""
    cb, cr = planes
    start = 1 - 128 * sign * (of_cb + of_cr)
    return cast("Pixels", cv2.addWeighted(cb, sign * of_cb, cr, sign * of_cr, start))


def _in_room(cb: Pixels, cr: Pixels, least: Pixels, most: Pixels) -> list[Pixels]:
    """Cb and Cr, less where what they add leads out of 0..255 from `least` or `most`."""
    planes = [cb, cr]
    # what they add and take at most, and a code more, since decoders and quantizing round
    up, down = (reduce(cv2.max, [_weighed(planes, sign, *row) for row in _FROM_CHROMA]) for sign in (1, -1))
    above = cv2.subtract(255, most)
    if not (least < down).any() and not (above < up).any():
        return planes
    share = cv2.min(cv2.divide(least, down, scale=255), cv2.divide(above, up, scale=255))  # at most 255
    for number, plane in enumerate(planes):
        over, under = (
            cv2.multiply(part, share, scale=1 / 255)
            for part in (cv2.subtract(plane, 128), cv2.subtract(128, plane))
        )
        planes[number] = cast("Pixels", cv2.subtract(cv2.add(over, 128), under))
    return planes
