"""A JPEG in colour that keeps its own luminance data: chroma alone is computed, at the size it is stored.

Y' of the result is the input's, sample for sample. So what Cb and Cr add to R, G and B must leave every pixel
that they reach within 0..255, or decoders would clip it and change luminance: chroma gives way there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property, reduce
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.color import luminance, merge_into, neutralize, sparse
from photochrom.errors import OptionError
from photochrom.photo.jpeg import SAMPLING
from photochrom.photo.jpeg_original import encode_plane, quantization
from photochrom.photo.jpeg_scans import PROGRESSIVE, Jpeg, parse, spliced
from photochrom.photo.profiles import (
    array_to_srgb,
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

    from photochrom.color import Float, Neutral, Pixels
    from photochrom.photo.atomic import Sink
    from photochrom.photo.encoding import Options
    from photochrom.photo.jpeg_original import Luminance
    from photochrom.photo.photo import Photo

    _Blocks = tuple[Pixels, Pixels, Pixels]  # of Y' under each sample of chroma: mean, least, most

_FROM_CHROMA = ((0, 1.402), (-0.344136, -0.714136), (1.772, 0))  # what Cb and Cr add to R, G, B (ITU-T T.871)
_REACH = np.ones((3, 3), np.uint8)  # decoders smooth chroma: a sample reaches one pixel beyond its block
_STRONG = 64  # codes between the channels of a colour from which clipping one would show
_NEAR_WHITE = 224  # of 255 steps of L*
_SCALARS = 4  # samples that OpenCV may take for a scalar


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
    original, sampling = photo.original, SAMPLING[options.subsampling]

    def encoded(plane: Pixels) -> Jpeg:
        table = _tables(_quality(options.quality, luma))[1]
        return parse(encode_plane(plane, table, progressive=luma.frame == PROGRESSIVE))

    with ThreadPoolExecutor(2) as pool:
        taken = pool.submit(lambda: original.luminance)
        planes = _Planes(photo, sampling).computed(options.threads)
        luma = taken.result()
        cb, cr = pool.map(encoded, planes)
    icc = _profile(photo)
    metadata = original.as_stored(photo.metadata.of_color(icc, srgb=icc == srgb_profile()))
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
        self._photo, self._original, self._chroma = photo, photo.original, photo.source.chroma
        profile = _profile(photo)
        self._profile = profile if profile != srgb_profile() else None
        self._sampling = sampling if self._original.orientation < 5 else sampling[::-1]
        across, down = self._sampling
        self._shape = -(-photo.height // down), -(-photo.width // across)
        self._as_decoded = self._original.is_luma and self._original.orientation == 1

    def computed(self, threads: int | None) -> tuple[Pixels, Pixels]:
        """Cb and Cr (⌈H/down⌉, ⌈W/across⌉) uint8, as the data lie."""
        planes = np.empty((2, *self._shape), np.uint8)
        rows = max(1, strip_height(self._shape[1]) // 4)

        def compute(top: int) -> None:
            bottom = min(top + rows, self._shape[0])
            planes[:, top:bottom] = self._rows(top, *self._blocks(top, bottom))

        for _ in mapped_in_order(compute, range(0, self._shape[0], rows), threads):
            pass
        return stored(planes[0], self._original.orientation), stored(planes[1], self._original.orientation)

    def _blocks(self, top: int, bottom: int) -> _Blocks:
        if not self._as_decoded:
            mean, least, most = self._all_blocks
            return mean[top:bottom], least[top:bottom], most[top:bottom]
        down, height = self._sampling[1], self._photo.height
        first, last = top * down, min(bottom * down, height)
        above, below = min(first, 1), min(height - last, 1)
        rows = self._original.source.rows(first - above, last + below)
        return _reduced(rows, self._sampling, above, below)

    @cached_property
    def _all_blocks(self) -> _Blocks:
        """Those of the whole photo, upright, where Y' lies otherwise or is decoded once more."""
        orientation, luma = self._original.orientation, self._original.luma
        sampling = self._sampling if orientation < 5 else self._sampling[::-1]
        mean, least, most = (upright(plane, orientation) for plane in _reduced(luma, sampling, 0, 0))
        return mean, least, most

    def _rows(self, top: int, mean: Pixels, least: Pixels, most: Pixels) -> tuple[Pixels, Pixels]:
        """Cb and Cr of rows from `top`."""
        if mean.size <= _SCALARS:
            wide: Any = (np.pad(plane, ((0, 0), (0, 8)), mode="edge") for plane in (mean, least, most))
            cb, cr = self._rows(top, *wide)
            return cb[:, : mean.shape[1]], cr[:, : mean.shape[1]]
        neutral = mean if self._profile is None else cast("Neutral", np.take(self._neutral, mean))
        a, b = self._chroma(top, luminance(neutral), self._photo.height / self._sampling[1])
        rgb = _fast_rgb(neutral, a, b)
        if self._profile is not None:
            rgb = to_profile(rgb, self._profile)
        _, cr, cb = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
        return _in_room(cb, cr, least, most)

    @cached_property
    def _neutral(self) -> Neutral:
        """The sRGB grey of every code of Y' in the profile."""
        assert self._profile is not None
        codes = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
        greys: Neutral = neutralize(array_to_srgb(codes, self._profile)[0])[0]
        return greys


def _reduced(rows: Pixels, sampling: tuple[int, int], above: int, below: int) -> _Blocks:
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


def _fast_rgb(neutral: Neutral, a: Float, b: Float) -> Pixels:
    """`merge`, to within a code or two: luminance need not be exact, since only chroma is taken of it.

    OpenCV's 8-bit conversion takes a quarter of the time; what it clips by far is done properly, but for
    near-whites, which have no room for chroma anyway.
    """
    level = cv2.convertScaleAbs(luminance(neutral), alpha=2.55)
    planes = [level.reshape(neutral.shape), *(cv2.add(plane, 128, dtype=cv2.CV_8U) for plane in (a, b))]
    rgb = cast("Pixels", cv2.cvtColor(cv2.merge(planes), cv2.COLOR_Lab2RGB))
    lowest, highest = _extremes(rgb)
    strong = (cv2.subtract(highest, lowest) > _STRONG) & (planes[0] < _NEAR_WHITE)
    clipped = sparse(((lowest == 0) | (highest == 255)) & strong)
    if len(clipped):
        exact: Pixels = np.empty((len(clipped), 1, 3), np.uint8)
        wanted: Any = (np.take(plane, clipped)[:, None] for plane in (neutral, a, b))
        merge_into(exact, *wanted)
        rgb.reshape(-1, 3)[clipped] = exact[:, 0]
    return rgb


def _extremes(rgb: Pixels) -> tuple[Pixels, Pixels]:
    """The lowest and the highest channel of colours (h, w, 3)."""
    red, green, blue = (plane.reshape(rgb.shape[:2]) for plane in cv2.split(rgb))
    return cv2.min(cv2.min(red, green), blue), cv2.max(cv2.max(red, green), blue)


def _weighed(planes: list[Pixels], sign: int, of_cb: float, of_cr: float) -> Pixels:
    """What Cb and Cr add to a channel, with a sign and a code more, where it is above 0."""
    cb, cr = planes
    start = 1 - 128 * sign * (of_cb + of_cr)
    return cast("Pixels", cv2.addWeighted(cb, sign * of_cb, cr, sign * of_cr, start))


def _in_room(cb: Pixels, cr: Pixels, least: Pixels, most: Pixels) -> tuple[Pixels, Pixels]:
    """Cb and Cr, less where what they add leads out of 0..255 from `least` or `most`."""
    planes = [cb, cr]
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
    return planes[0], planes[1]
