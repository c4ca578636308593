"""Tiny grey films, made up by PyAV."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from photochrom.video.planes import view

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def scene(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """(height, 2 · width) of 0..1: a landscape of blobs to pan over."""
    noise = np.random.default_rng(seed).uniform(0, 1, (height, 2 * width))
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0.1, 0.9, cv2.NORM_MINMAX)


def pan(count: int, seed: int = 0, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Frames of a slow pan, one pixel a frame."""
    wide = scene(seed, height, width)
    return [wide[:, number % width : number % width + width] for number in range(count)]


def silence(container: Any, seconds: float, codec: str = "aac") -> Callable[[], None]:
    """A stream of noise beside the pictures; calling writes it."""
    stream = container.add_stream(codec, rate=48000, layout="mono")

    def write() -> None:
        samples = np.random.default_rng(1).normal(0, 0.05, (1, int(48000 * seconds))).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout="mono",
            rate=48000,
            frame_size=stream.codec_context.frame_size or 1024,
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))

    return write


def write_film(
    path: Path,
    pictures: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    times: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 12800),
    options: dict[str, str] | None = None,
    sound: str | None = None,
    dress: Callable[[Any, Any], None] | None = None,
    tag: Callable[[Any], None] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """A film of luminance planes of 0..1; 25 frames a second unless `times` (pts) says otherwise."""
    height, width = pictures[0].shape
    with closing(av.open(str(path), "w", container_options=container_options or {})) as container:
        stream: Any = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.time_base = time_base
        if dress:
            dress(container, stream)
        finish = silence(container, len(pictures) / 25, sound) if sound else None
        for number, picture in enumerate(pictures):
            frame = as_frame(picture, pix_fmt)
            frame.pts = times[number] if times else round(number / 25 / time_base)
            frame.time_base = time_base
            if tag:
                tag(frame)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if finish:
            finish()
    return path


def as_frame(picture: np.ndarray, pix_fmt: str) -> VideoFrame:
    """A frame whose Y' is a plane of 0..1 in limited range (full for grey and RGB), and no color."""
    height, width = picture.shape
    frame = VideoFrame(width, height, pix_fmt)
    if frame.format.is_rgb or pix_fmt == "pal8":
        rgb = np.repeat(np.rint(picture * 255).astype(np.uint8)[..., None], 3, -1)
        return VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=pix_fmt)
    depth = frame.format.components[0].bits
    most = (1 << depth) - 1
    scaled = picture * most if pix_fmt.startswith("gray") else (16 + 219 * picture) * (1 << (depth - 8))
    kind = np.uint16 if depth > 8 else np.uint8
    view(frame.planes[0], depth, height, width)[...] = np.rint(scaled).astype(kind)
    for plane in frame.planes[1:]:
        view(plane, depth, plane.height, plane.width)[...] = 1 << (depth - 1)
    return frame


def planes(path: Path, number: int) -> list[np.ndarray]:
    """Y' (0), Cb (1) or Cr (2) of every frame, as decoded."""
    with closing(av.open(str(path))) as container:
        found = [(f.planes[number], f.format.components[0].bits) for f in container.decode(video=0)]
        return [view(plane, depth, plane.height, plane.width).copy() for plane, depth in found]


def luminance_planes(path: Path) -> list[np.ndarray]:
    return planes(path, 0)


def stamps(path: Path) -> list[Fraction]:
    """When each frame is shown, in seconds."""
    with closing(av.open(str(path))) as container:
        return [f.pts * f.time_base for f in container.decode(video=0)]


def payloads(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    """(seconds, bytes) of every packet of the first stream of a kind."""
    with closing(av.open(str(path))) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]


def damaged(path: Path) -> Path:
    """Two and a half seconds of a grainy film with 900 bytes in its middle overwritten."""
    noise = np.random.default_rng(0)
    pictures = [(p + noise.normal(0, 0.05, p.shape)).clip(0, 1) for p in pan(60)]
    content = bytearray(write_film(path, pictures, options={"g": "10", "bf": "0"}).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 900] = noise.integers(0, 256, 900, np.uint8).tobytes()
    path.write_bytes(content)
    return path


class Films:
    """What the tests make films with, and look at them."""

    as_frame = staticmethod(as_frame)
    damaged = staticmethod(damaged)
    luminance_planes = staticmethod(luminance_planes)
    pan = staticmethod(pan)
    payloads = staticmethod(payloads)
    planes = staticmethod(planes)
    scene = staticmethod(scene)
    stamps = staticmethod(stamps)
    write = staticmethod(write_film)


@pytest.fixture(scope="session")
def films() -> Films:
    return Films()


@pytest.fixture(scope="session")
def colorizer() -> Any:
    from photochrom import Colorizer

    return Colorizer()
