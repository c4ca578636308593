"""The codecs that films are written with, and one encoder of each kind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import cv2
from av.video.frame import VideoFrame

from photochrom.errors import OptionError
from photochrom.photo.strips import processors
from photochrom.video.planes import Layout, Tags, view

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from photochrom.video.planes import Plane
    from photochrom.video.source import Source

os.environ.setdefault("SVT_LOG", "1")  # else SVT-AV1 tells its settings on stderr
_GLOBAL_HEADER = 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER: parameter sets go to the container
_INTERLACED = {2: "tff=1", 3: "bff=1", 4: "bff=1", 5: "tff=1"}  # by AVFieldOrder
_LARGE = 1 << 20  # pixels; 40 frames of lookahead take 260 MB more than 10 at 1080 lines
_AVX_512 = 13  # OpenCV's number of the instructions (CV_CPU_AVX_512F)
_X264_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)
_SVT_PRESETS = tuple(str(speed) for speed in range(14))


@dataclass(frozen=True)
class Codec:
    """An encoder of FFmpeg and what it takes."""

    name: str
    encoder: str
    crf: int | None  # the default, None where quality is no choice
    preset: str | None
    presets: tuple[str, ...] = ()
    worst_crf: int = 51
    containers: tuple[str, ...] = ("mp4", "matroska", "mov")
    odd: bool = True  # whether it takes odd sides in 4:2:0


CODECS = {
    codec.name: codec
    for codec in (
        Codec("h264", "libx264", 18, "medium", _X264_PRESETS, odd=False),
        Codec("hevc", "libx265", 20, "medium", _X264_PRESETS, odd=False),
        Codec("av1", "libsvtav1", 28, "8", _SVT_PRESETS, 63, odd=False),
        Codec("prores", "prores_ks", None, None, containers=("matroska", "mov")),
        Codec("ffv1", "ffv1", None, None, containers=("matroska",)),
    )
}
_CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mkv": "matroska", ".mov": "mov"}


def container_for(suffix: str, codec: Codec) -> str:
    """FFmpeg's name of the container. Raises OptionError where none holds the codec."""
    name = _CONTAINERS.get(suffix.lower())
    if name is None:
        raise OptionError(f"films are written as .mp4, .mkv or .mov, not {suffix or 'with no suffix'}")
    if name not in codec.containers:
        fitting = " or ".join(s for s, kind in _CONTAINERS.items() if kind in codec.containers)
        raise OptionError(f"{codec.name} does not fit into {suffix}: name the output {fitting}")
    return name


def _layout_for(codec: Codec, wanted: Layout, height: int, width: int) -> Layout:
    """The nearest layout that the codec takes: deeper and finer rather than shallower and coarser.

    Raises OptionError for a size that it takes in no layout.
    """
    formats = {item.name for item in av.codec.Codec(codec.encoder, "w").video_formats or ()}
    fitting = []
    for wide, tall in ((0, 0), (1, 0), (1, 1)):
        for depth in (8, 10, 12, 14, 16):
            layout = Layout(depth, wide, tall)
            even = not ((wide and width % 2) or (tall and height % 2))
            if layout.name in formats and (codec.odd or even):
                fitting.append(layout)
    if not fitting:
        raise OptionError(f"{codec.name} takes no frames of {width} × {height}: use --codec h264 or ffv1")

    def strangeness(layout: Layout) -> tuple[int, int, int, int]:
        lost = max(0, layout.wide - wanted.wide) + max(0, layout.tall - wanted.tall)
        gained = max(0, wanted.wide - layout.wide) + max(0, wanted.tall - layout.tall)
        return max(0, wanted.depth - layout.depth), abs(layout.depth - wanted.depth), lost, gained

    return min(fitting, key=strangeness)


@dataclass(frozen=True)
class Encoding:
    """All that an encoder needs to be the same in every segment and after every interruption."""

    codec: Codec
    layout: Layout
    tags: Tags
    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    sample_aspect: Fraction
    field_order: int  # AVFieldOrder of an interlaced film, else 0
    crf: int | None
    preset: str | None

    def apply(self, context: Any) -> None:
        """Set up a codec context, or the one of an output stream."""
        context.width, context.height, context.pix_fmt = self.width, self.height, self.layout.name
        context.time_base, context.framerate = self.time_base, self.rate
        context.sample_aspect_ratio = self.sample_aspect
        context.colorspace, context.color_primaries = self.tags.matrix, self.tags.primaries
        context.color_trc, context.color_range = self.tags.transfer, self.tags.range
        context.flags |= _GLOBAL_HEADER
        context.thread_count = processors()
        if self.field_order:
            context.field_order = self.field_order
        context.options = self._options()

    def _options(self) -> dict[str, str]:
        name, found = self.codec.name, {}
        if self.codec.crf is not None:
            found["crf"] = str(self.codec.crf if self.crf is None else self.crf)
        if self.codec.preset is not None:
            found["preset"] = self.preset or self.codec.preset
        if name == "h264":
            found["x264-params"] = ":".join(self._x264_parameters())
        if name == "hevc":
            found["x265-params"] = "log-level=error"
        if name == "ffv1":
            found |= {"level": "3", "slicecrc": "1"}
        return found

    def _x264_parameters(self) -> list[str]:
        found = []
        if self.field_order:
            found += ["fake-interlaced=1", _INTERLACED.get(self.field_order, "tff=1")]
        looks_ahead = (self.preset or self.codec.preset) not in _X264_PRESETS[:2]
        if looks_ahead and self.width * self.height > _LARGE:
            found.append("rc-lookahead=10")
        # x264's AVX-512 code for macroblock trees reads memory that nobody wrote: the same frames would give
        # other bytes from run to run (core 165)
        return [*found, "asm=avx2"] if cv2.checkHardwareSupport(_AVX_512) else found


class Encoder:
    """One run of an encoder: frames in, packets out. Raises OptionError for what the encoder refuses."""

    def __init__(self, encoding: Encoding):
        self._encoding = encoding
        self._context: Any = av.CodecContext.create(encoding.codec.encoder, "w")
        encoding.apply(self._context)
        try:
            self._context.open()
        except av.error.FFmpegError:
            raise OptionError(
                f"{encoding.codec.name} does not take frames of {encoding.width} × {encoding.height} with "
                "these options: leave out --crf and --preset, or choose another --codec"
            ) from None

    def encode(self, y: Plane, chroma: tuple[Plane, Plane], pts: int) -> Iterator[Any]:
        """Packets that are ready after a frame, given as planes of the encoding's layout."""
        layout = self._encoding.layout
        frame = VideoFrame(self._encoding.width, self._encoding.height, layout.name)
        for target, plane in zip(frame.planes, (y, *chroma), strict=True):
            view(target, layout.depth, *plane.shape)[...] = plane
        frame.pts, frame.time_base = pts, self._encoding.time_base
        tags = self._encoding.tags
        frame.colorspace, frame.color_primaries = tags.matrix, tags.primaries
        frame.color_trc, frame.color_range = tags.transfer, tags.range
        return iter(self._context.encode(frame))

    def finish(self) -> Iterator[Any]:
        """The packets that the encoder still holds back; it takes no frame after."""
        return iter(self._context.encode(None))


def encoding_for(
    source: Source, side_by_side: bool, codec: Codec, crf: int | None, preset: str | None
) -> Encoding:
    """How a film is encoded. Raises OptionError for what the codec does not take."""
    if crf is not None and codec.crf is None:
        raise OptionError(f"{codec.name} has no --crf: leave it out")
    if crf is not None and not 0 <= crf <= codec.worst_crf:
        raise OptionError(f"--crf lies in 0..{codec.worst_crf} for {codec.name}, not {crf}")
    if preset is not None and codec.preset is None:
        raise OptionError(f"{codec.name} has no --preset: leave it out")
    if preset is not None and preset not in codec.presets:
        raise OptionError(
            f"{codec.name} has no preset {preset!r}: choose {', '.join(codec.presets[:-1])} "
            f"or {codec.presets[-1]}"
        )
    height, width = source.height, source.width
    if side_by_side:
        height, width = (2 * height, width) if source.on_its_side else (height, 2 * width)
    order = (source.field_order if source.field_order > 1 else 2) if source.interlaced else 0
    return Encoding(
        codec,
        _layout_for(codec, Layout.of(source.first), height, width),
        Tags.of(source),
        width,
        height,
        source.time_base,
        source.rate,
        source.sample_aspect,
        order,
        crf,
        preset,
    )
