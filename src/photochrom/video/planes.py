"""A frame's planes: Y' as it was decoded, and Cb and Cr computed from a* and b* for it.

Y' never changes, so a color is shown by the Y' that is there: a*, b* and the L* that this Y' has as a grey
give R'G'B', of which only the differences to their own luma are taken (ITU-T H.273, ISO/IEC 23091-2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from photochrom.color import Float, Neutral, linear_to_srgb, neutralize, srgb_to_linear

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from photochrom.video.source import Source

    Plane = NDArray[np.uint8] | NDArray[np.uint16]

# H.273 code points, and what an untagged film means by its height (ITU-R BT.601, BT.709)
BT709, UNSPECIFIED, BT470BG, SMPTE170M, SMPTE240M, BT2020 = 1, 2, 5, 6, 7, 9
PQ, HLG = 16, 18
LIMITED, FULL = 1, 2
_LUMA = {
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),
    BT470BG: (0.299, 0.114),
    SMPTE170M: (0.299, 0.114),
    SMPTE240M: (0.212, 0.087),
    BT2020: (0.2627, 0.0593),
}  # (Kr, Kb) by matrix_coefficients
_SMPTE_C = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
_PRIMARIES = {
    BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    BT470BG: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    SMPTE170M: _SMPTE_C,
    SMPTE240M: _SMPTE_C,
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}  # xy of red, green and blue by color_primaries, all with white D65
_D65 = np.array([0.3127, 0.3290])
_REFERENCE_WHITE = 203.0  # cd/m², of PQ and HLG (ITU-R BT.2408)
_STAYS = 0.75  # of a code, by which Cb and Cr may be off before they leave that of the frame before
_STEPS = 65536  # of the tables, one for every 16-bit value


@dataclass(frozen=True)
class Tags:
    """What a film's numbers mean, by H.273's code points; nothing is left unspecified."""

    matrix: int
    primaries: int
    transfer: int
    range: int

    @classmethod
    def of(cls, source: Source) -> Tags:
        """The film's tags; where there are none, those that players assume for its size."""
        frame = source.first
        rgb = frame.format.is_rgb
        usual = BT709 if rgb or source.height > 576 else BT470BG if source.height > 480 else SMPTE170M
        matrix = BT2020 if frame.colorspace == 10 else int(frame.colorspace)
        primaries = int(frame.color_primaries)
        transfer = int(frame.color_trc)
        return cls(
            matrix if matrix in _LUMA and not rgb else usual,
            primaries if primaries in _PRIMARIES else usual,
            transfer if transfer not in (0, UNSPECIFIED) else (SMPTE170M if usual != BT709 else BT709),
            _range(frame, source.codec),
        )


def _range(frame: VideoFrame, codec: str) -> int:
    name = frame.format.name
    if frame.color_range in (LIMITED, FULL):
        return int(frame.color_range)
    # FFmpeg takes bare grey, RGB and the "j" formats for full range
    return FULL if frame.format.is_rgb or name.startswith(("gray", "yuvj", "pal", "ya", "mono")) else LIMITED


def _is_planar_luma(name: str) -> bool:
    return name.startswith(("yuv4", "yuvj4", "yuva4", "gray", "nv")) and not name.endswith(("be", "f32le"))


@dataclass(frozen=True)
class Layout:
    """How planes lie in memory: depth in bits, and log2 of how chroma is subsampled."""

    depth: int
    wide: int
    tall: int

    @classmethod
    def of(cls, frame: VideoFrame) -> Layout:
        """That of a film: RGB gives 4:4:4; grey, which has no chroma, 4:2:0."""
        kind = frame.format
        depth = max(component.bits for component in kind.components)
        if kind.name == "pal8" or kind.name.startswith("mono"):
            return cls(8, 0, 0)
        if len(kind.components) < 3:
            return cls(min(depth, 16), 1, 1)
        wide = round(np.log2(256 / kind.chroma_width(256)))
        return cls(min(depth, 16), 0 if kind.is_rgb else wide, round(np.log2(256 / kind.chroma_height(256))))

    @property
    def name(self) -> str:
        """FFmpeg's name of the planar format."""
        ratio = {(0, 0): "444", (1, 0): "422", (1, 1): "420", (0, 1): "440", (2, 0): "411", (2, 2): "410"}
        return f"yuv{ratio[self.wide, self.tall]}p" + (f"{self.depth}le" if self.depth > 8 else "")

    def chroma_size(self, height: int, width: int) -> tuple[int, int]:
        return -(-height // (1 << self.tall)), -(-width // (1 << self.wide))


def view(plane: Any, depth: int, height: int, width: int) -> Plane:
    """A frame's plane as an array that shares its memory."""
    kind = np.dtype(np.uint16 if depth > 8 else np.uint8)
    rows = np.frombuffer(plane, kind).reshape(-1, plane.line_size // kind.itemsize)
    return cast("Plane", rows[:height, :width])


def luma(frame: VideoFrame, depth: int) -> Plane:
    """Y' (H, W) of a frame as it was decoded; of RGB, the neutral plane of equal CIE Y (full range).

    depth: of the result, that of the frame; RGB of more than 8 bits gives 16.
    """
    kind = frame.format
    if kind.is_rgb or kind.name == "pal8":
        rgb: Any = frame.to_ndarray(format="rgb24" if depth == 8 else "rgb48le")
        neutral = neutralize(rgb)
        return rescaled(neutral, 8 * neutral.itemsize, depth, FULL)
    if kind.name.startswith(("mono", "ya", "grayf")):
        frame = frame.reformat(format="gray" if depth == 8 else "gray16le")
    elif not _is_planar_luma(kind.name):
        frame = frame.reformat(format=Layout.of(frame).name)
    return view(frame.planes[0], depth, frame.height, frame.width)


def rescaled(plane: Neutral, depth: int, wanted: int, color_range: int) -> Plane:
    """A plane at another depth: limited range is shifted (BT.709, BT.2100), full range stretched."""
    if depth == wanted:
        return plane
    scale = (2**wanted - 1) / (2**depth - 1) if color_range == FULL else 2.0 ** (wanted - depth)
    most = 2**wanted - 1
    fitted = np.rint(plane * scale).clip(0, most)
    return cast("Plane", fitted.astype(np.uint16 if wanted > 8 else np.uint8))


class Signal:
    """Between a film's Y' and L*, and from L*, a* and b* to its Cb and Cr."""

    def __init__(self, tags: Tags, depth: int):
        self.tags, self.depth = tags, depth
        self._kr, self._kb = _LUMA[tags.matrix]
        full = tags.range == FULL
        unit = float((1 << depth) - 1) if full else float(219 << (depth - 8))
        self._black = 0.0 if full else float(16 << (depth - 8))
        self._unit, self._chroma_unit = unit, unit if full else float(224 << (depth - 8))
        self._xyz_to_rgb = np.linalg.inv(_relative_xyz(tags.primaries)).astype(np.float32)

    # --- tone ----------------------------------------------------------------------------------

    def to_linear(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Light relative to white (1), of encoded values 0..1; SDR is shown as photos are (sRGB)."""
        if self.tags.transfer == PQ:
            return _pq_to_light(encoded) * (10000 / _REFERENCE_WHITE)
        if self.tags.transfer == HLG:
            # BT.2100's system gamma on a display of 1000 cd/m²
            return _hlg_to_scene(encoded) ** 1.2 * (1000 / _REFERENCE_WHITE)
        return np.asarray(srgb_to_linear(encoded))

    @cached_property
    def _neutral_of(self) -> NDArray[np.uint16]:
        codes = (np.arange(256 if self.depth == 8 else 65536) - self._black) / self._unit
        light = self.to_linear(codes.clip(0, 1)).clip(0, 1)
        return np.asarray(np.rint(linear_to_srgb(light) * 65535), np.uint16)

    def neutral(self, plane: Plane) -> NDArray[np.uint16]:
        """The neutral plane (uint16, sRGB-encoded, as of photos) of Y'."""
        found: Any = cv2.LUT(plane, self._neutral_of)
        return np.asarray(found, np.uint16)

    @cached_property
    def _tables(self) -> tuple[Float, Float, Float]:
        """Of encoded values in steps: (L* + 16) / 116 and light; of the root of light: encoded."""
        encoded = np.linspace(0, 1, _STEPS)
        light = self.to_linear(encoded)
        f = np.where(light > 216 / 24389, np.cbrt(light), (24389 / 27 * light + 16) / 116)
        root = np.linspace(0, np.sqrt(light[-1]), _STEPS)
        inverse = np.interp(root, np.sqrt(light), encoded)
        return f.astype(np.float32), light.astype(np.float32), inverse.astype(np.float32)

    # --- color --------------------------------------------------------------------------------

    def encoded(self, plane: Plane, size: tuple[int, int]) -> Float:
        """Y' (0..1) at another size (h, w), by areas."""
        if plane.shape != size:
            plane = cv2.resize(plane, size[::-1], interpolation=cv2.INTER_AREA)
        scaled = cv2.multiply(np.subtract(plane, self._black, dtype=np.float32), 1 / self._unit)
        return np.asarray(np.clip(scaled, 0, 1, out=scaled))

    def lightness(self, encoded: Float) -> Float:
        """L*, which PQ and HLG may take beyond 100."""
        f = _look_up(encoded, self._tables[0])
        return cast("Float", cv2.multiply(cv2.subtract(f, 16 / 116), 116.0))

    def chroma(
        self, encoded: Float, a: Float, b: Float, before: tuple[Plane, Plane] | None = None
    ) -> tuple[Plane, Plane]:
        """Cb and Cr of a*, b* (h, w) where Y' is `encoded` (0..1); chroma that RGB cannot show gives way.

        before: those of the frame before, which stay where they are as good: a value halfway between two
        codes would flicker.
        """
        if encoded.size <= 4:  # OpenCV would take these for scalars
            encoded, a, b = (np.pad(plane, ((0, 0), (0, 8)), mode="edge") for plane in (encoded, a, b))
            cb, cr = self.chroma(encoded, a, b)
            return cb[:, :-8], cr[:, :-8]
        f, light, inverse = self._tables
        fy, y = _look_up(encoded, f), _look_up(encoded, light)
        x, z = _cube(cv2.scaleAdd(a, 1 / 500, fy)), _cube(cv2.scaleAdd(b, -1 / 200, fy))
        whitest = 1 / float(np.sqrt(light[-1]))
        channels = []
        for row in self._xyz_to_rgb:
            linear = cv2.addWeighted(x, float(row[0]), z, float(row[2]), 0)
            linear = cv2.scaleAdd(y, float(row[1]), linear)
            root = cv2.sqrt(cv2.max(linear, 0))
            channels.append(_look_up(cv2.multiply(root, whitest), inverse))
        red, green, blue = channels
        own = cv2.scaleAdd(green, 1 - self._kr - self._kb, cv2.addWeighted(red, self._kr, blue, self._kb, 0))
        blue, red = self._fitted(encoded, cv2.subtract(red, own), cv2.subtract(blue, own))
        last_cb, last_cr = before or (None, None)
        return (
            self._quantized(blue, 2 * (1 - self._kb), last_cb),
            self._quantized(red, 2 * (1 - self._kr), last_cr),
        )

    def _fitted(self, encoded: Float, red: Float, blue: Float) -> tuple[Float, Float]:
        """B' − Y' and R' − Y', less where a channel would leave 0..1."""
        kr, kb = self._kr, self._kb
        green = cv2.addWeighted(red, -kr / (1 - kr - kb), blue, -kb / (1 - kr - kb), 0)
        highest = cv2.max(cv2.max(red, green), cv2.max(blue, 1e-6))
        lowest = cv2.min(cv2.min(red, green), cv2.min(blue, -1e-6))
        room = cv2.min(cv2.divide(1 - encoded, highest), cv2.divide(encoded, -lowest))
        share = cv2.min(room, 1.0)
        return cast("Float", cv2.multiply(blue, share)), cast("Float", cv2.multiply(red, share))

    def _quantized(self, difference: Float, per: float, before: Plane | None) -> Plane:
        kind = cv2.CV_16U if self.depth > 8 else cv2.CV_8U
        middle = float(1 << (self.depth - 1))
        exact = cv2.addWeighted(difference, self._chroma_unit / per, difference, 0, middle)
        plane: Any = cv2.add(exact, 0.0, dtype=kind)
        if before is not None:
            near = cv2.compare(cv2.absdiff(exact, before.astype(np.float32)), _STAYS, cv2.CMP_LT)
            cv2.copyTo(before, near, plane)
        most = (1 << self.depth) - 1
        return cast("Plane", plane if self.depth in (8, 16) else cv2.min(plane, float(most)))


def _look_up(values: Float, table: Float) -> Float:
    """A table's entries for values, of which 0 and 1 are its ends; beyond are the ends too."""
    return cast("Float", cv2.LUT(cv2.multiply(values, _STEPS - 1.0, dtype=cv2.CV_16U), table))


def _cube(f: Float) -> Float:
    cubed: Float = cv2.multiply(cv2.multiply(f, f), f)
    dark = f < 6 / 29
    if dark.any():
        cubed[dark] = (116 * f[dark] - 16) * np.float32(27 / 24389)
    return cubed


def _relative_xyz(primaries: int) -> NDArray[np.float64]:
    """RGB -> XYZ relative to white: rows sum to 1 (SMPTE RP 177)."""

    def xyz(xy: Any) -> NDArray[np.float64]:
        x, y = xy
        return np.array([x / y, 1.0, (1 - x - y) / y])

    columns = np.stack([xyz(xy) for xy in _PRIMARIES[primaries]], axis=1)
    white = xyz(_D65)
    return np.asarray(columns * np.linalg.solve(columns, white) / white[:, None])


def _pq_to_light(encoded: NDArray[Any]) -> NDArray[Any]:
    """SMPTE ST 2084: 0..1 of 10,000 cd/m²."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = encoded ** (1 / m2)
    return np.asarray((np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1))


def _hlg_to_scene(encoded: NDArray[Any]) -> NDArray[Any]:
    """ARIB STD-B67: scene light 0..1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(encoded <= 0.5, encoded**2 / 3, (np.exp((encoded - c) / a) + b) / 12)
