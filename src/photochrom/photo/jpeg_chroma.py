"""A JPEG in colour that keeps its own luminance data: chroma alone is computed, at the size it is stored.

Y' of the result is the input's, sample for sample. So what Cb and Cr add to R, G and B must leave every pixel
that they reach within 0..255, or decoders would clip it and change luminance: chroma gives way there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, cached_property, reduce
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.color import luminance, merge_into, neutralize
from photochrom.errors import OptionError
from photochrom.photo.exif import with_orientation
from photochrom.photo.jpeg_original import decoded_luma, encode_plane, quantization
from photochrom.photo.jpeg_scans import PROGRESSIVE, Jpeg, parse, spliced
from photochrom.photo.local_linear import LocalLinear
from photochrom.photo.outdated import laid_back
from photochrom.photo.profiles import (
    array_to_srgb,
    color_space,
    is_srgb,
    rgb_like_grey,
    srgb_profile,
    to_profile,
)
from photochrom.photo.segments import metadata_segments
from photochrom.photo.sources import ArraySource, RowSource, stored, upright
from photochrom.photo.strips import mapped_in_order, strip_height

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochrom.color import Float, Neutral, Pixels
    from photochrom.photo.atomic import Sink
    from photochrom.photo.encoding import Options
    from photochrom.photo.jpeg_original import Luminance
    from photochrom.photo.photo import Photo


SAMPLING = {"4:2:0": (2, 2), "4:2:2": (2, 1), "4:4:4": (1, 1)}  # pixels across and down that share chroma
_FROM_CHROMA = ((0, 1.402), (-0.344136, -0.714136), (1.772, 0))  # what Cb and Cr add to R, G, B (ITU-T T.871)
_TO_CHROMA = np.array([[-0.299, -0.587, 0.886], [0.701, -0.587, -0.114]]) / [[1.772], [1.402]]  # of R, G, B
_REACH = np.ones((3, 3), np.uint8)
_CELLS = 256  # of the short side of the grid on which chroma is a linear function of Y'
_STEP = 24  # codes of Y' below and above a cell's mean between which its slope is taken


def luminance_kept(photo: Photo) -> Luminance:
    """What becomes of the luminance data of the JPEG that a coloured photo was read from, if it stays JPEG.

    "identical": not a bit of its coefficients changes. "requantized": its samples are quantised once more
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
    luma, sampling = photo.original.luminance, SAMPLING[options.subsampling]
    table = _tables(_quality(options.quality, luma))[1]
    progressive = luma.frame == PROGRESSIVE

    def encoded(plane: Pixels) -> Jpeg:
        return parse(encode_plane(plane, table, progressive=progressive))

    with ThreadPoolExecutor(2) as pool:
        cb, cr = pool.map(encoded, _Planes(photo, sampling).computed(options.threads))
    icc, orientation = _profile(photo), photo.original.orientation
    metadata = photo.metadata.of_color(icc, srgb=icc == srgb_profile())
    exif = with_orientation(metadata.exif, orientation)
    packet = laid_back(metadata.xmp, orientation) if metadata.xmp and orientation != 1 else metadata.xmp
    metadata = replace(metadata, exif=exif, xmp=packet)
    for piece in spliced(luma, cb, cr, sampling, metadata_segments(metadata)):
        sink.write(piece)


@cache
def _tables(quality: int) -> tuple[bytes, bytes]:
    """The tables that libjpeg quantises luminance and chroma with (ITU-T T.81, K.1 and K.2, scaled)."""
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


class _Planes:
    """Cb and Cr of a coloured photo, for the luminance data that it keeps."""

    def __init__(self, photo: Photo, sampling: tuple[int, int]):
        assert photo.original is not None
        assert isinstance(photo.source, RowSource)
        assert photo.source.chroma is not None
        self._original, self._chroma, self._sampling = photo.original, photo.source.chroma, sampling
        profile = _profile(photo)
        self._profile = profile if profile != srgb_profile() else None
        self._sides = photo.height, photo.width
        if self._original.orientation >= 5:
            self._sides = photo.width, photo.height

    def computed(self, threads: int | None) -> tuple[Pixels, Pixels]:
        """Cb and Cr (⌈H/down⌉, ⌈W/across⌉) uint8, as the data lie."""
        orientation = self._original.orientation
        mean, least, most = (upright(plane, orientation) for plane in self._blocks(threads))
        field = self._field(mean, threads)
        planes = np.empty((2, *mean.shape), np.uint8)

        def compute(top: int, bottom: int) -> None:
            part = slice(top, bottom)
            cb, cr = field.planes(top, mean[part].astype(np.float32), len(mean))
            planes[:, part] = _in_room(cb, cr, least[part], most[part])

        _in_strips(compute, mean.shape, threads)
        return stored(planes[0], orientation), stored(planes[1], orientation)

    def _blocks(self, threads: int | None) -> tuple[Pixels, Pixels, Pixels]:
        """The mean, the least and the most Y' under every sample of chroma, as the data lie.

        Decoders smooth chroma, so a sample reaches one pixel beyond its block.
        """
        (height, width), (across, down) = self._sides, self._sampling
        planes = np.empty((3, -(-height // down), -(-width // across)), np.uint8)

        def compute(top: int, bottom: int) -> None:
            first, last = top * down, min(bottom * down, height)
            above, below = min(first, 1), min(height - last, 1)
            luma = self._luma(first - above, last + below)
            planes[:, top:bottom] = _reduced(luma, self._sampling, above, below)

        _in_strips(compute, planes.shape[1:], threads)
        return planes[0], planes[1], planes[2]

    @cached_property
    def _luma(self) -> Callable[[int, int], Pixels]:
        """(top, bottom) → those rows of Y', as the data lie."""
        original = self._original
        if original.is_luma and original.orientation == 1:
            return original.source.rows
        if original.is_luma and isinstance(original.source, ArraySource):
            luma = stored(original.source.pixels, original.orientation)
        else:
            luma = decoded_luma(original.data)
        return lambda top, bottom: luma[top:bottom]

    def _field(self, mean: Pixels, threads: int | None) -> LocalLinear:
        """Cb - 128 and Cr - 128 as linear functions of Y' around its mean in every cell of a coarse grid.

        As a* and b* are of L*, on a grid no finer; the scales of light are smooth (0.3 codes between them).
        """
        scale = min(1, _CELLS / min(mean.shape))
        rows, columns = (max(2, round(side * scale)) for side in mean.shape)
        grid = cv2.blur(cv2.resize(mean, (columns, rows), interpolation=cv2.INTER_AREA), (3, 3))
        low, high = cv2.subtract(grid, _STEP), cv2.add(grid, _STEP)
        found = mapped_in_order(self._converted, (low, grid, high), threads)
        below, middle, above = (chroma for _, chroma in found)
        slope = cv2.blur((above - below) / cv2.subtract(high, low)[..., None], (3, 3))  # codes are rounded
        return LocalLinear(slope, middle - slope * grid[..., None])

    def _converted(self, codes: Pixels) -> Float:
        """(h, w, 2): Cb - 128 and Cr - 128 of the photo's colours where Y' is `codes` (h, w)."""
        neutral = codes if self._profile is None else cast("Neutral", np.take(self._neutral, codes))
        a, b = self._chroma(0, luminance(neutral), len(codes))
        rgb: Pixels = np.empty((*codes.shape, 3), np.uint8)
        merge_into(rgb, neutral, a, b)
        if self._profile is not None:
            rgb = to_profile(rgb, self._profile)
        return cast("Float", cv2.transform(rgb.astype(np.float32), _TO_CHROMA))

    @cached_property
    def _neutral(self) -> Neutral:
        """The sRGB grey of every code of Y' in the profile."""
        assert self._profile is not None
        codes = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
        greys: Neutral = neutralize(array_to_srgb(codes, self._profile)[0])[0]
        return greys


def _in_strips(compute: Callable[[int, int], None], shape: tuple[int, ...], threads: int | None) -> None:
    """Calls compute(top, bottom) for strips of a plane that stay in a processor's cache."""
    rows = max(1, strip_height(shape[1]) // 4)
    tops = range(0, shape[0], rows)
    for _ in mapped_in_order(lambda top: compute(top, min(top + rows, shape[0])), tops, threads):
        pass


def _reduced(rows: Pixels, sampling: tuple[int, int], above: int, below: int) -> tuple[Any, Any, Any]:
    """Of Y' (h, W), between `above` rows more before and `below` behind them, what lies under each sample."""
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


def _in_room(cb: Float, cr: Float, least: Pixels, most: Pixels) -> tuple[Pixels, Pixels]:
    """Cb and Cr, codes of 8 bits, less where what they add leads out of 0..255 from `least` or `most`."""
    shape = cb.shape
    planes = [cv2.add(np.atleast_2d(plane), 128, dtype=cv2.CV_8U) for plane in (cb, cr)]
    # what they add and take at most, and a code more, since decoders and quantising round
    up, down = (reduce(cv2.max, [_weighed(planes, sign, *row) for row in _FROM_CHROMA]) for sign in (1, -1))
    above = cv2.subtract(255, most)
    if (least < down).any() or (above < up).any():
        share = cv2.min(cv2.divide(least, down, dtype=cv2.CV_32F), cv2.divide(above, up, dtype=cv2.CV_32F))
        np.minimum(share, 1, out=share)
        planes = [
            cv2.add(cv2.multiply(cv2.subtract(plane, 128, dtype=cv2.CV_32F), share), 128, dtype=cv2.CV_8U)
            for plane in planes
        ]
    return planes[0].reshape(shape), planes[1].reshape(shape)
