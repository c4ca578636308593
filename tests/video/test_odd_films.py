"""Films of every sort: a picture comes out, or a sentence says why not."""

from __future__ import annotations

from contextlib import closing, suppress
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from photochrom.errors import DamagedPhoto, OptionError, PhotochromError, UnknownFormat
from photochrom.video import colorize
from photochrom.video.source import Source

if TYPE_CHECKING:
    from pathlib import Path


def colored(path: Path, colorizer: Any, name: str = "out.mkv", **options: Any) -> tuple[Any, list[Any], Any]:
    """(report, decoded frames, stream) of a film after coloring."""
    out = path.with_name(name)
    report = colorize(path, out, model=colorizer, **options)
    with closing(av.open(str(out))) as container:
        stream = container.streams.video[0]
        return report, list(container.decode(stream)), stream


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix"),
    [
        ("libvpx-vp9", "yuv420p", "webm"),
        ("libsvtav1", "yuv420p10le", "mp4"),
        ("mpeg2video", "yuv420p", "mpg"),
        ("mpeg4", "yuv420p", "avi"),
        ("mjpeg", "yuvj422p", "mov"),
        ("libx264", "gray", "mp4"),
        ("ffv1", "gray10le", "mkv"),
        ("ffv1", "gray16le", "mkv"),
        ("libx264", "yuv444p", "mkv"),
        ("libx265", "yuv420p10le", "mp4"),
        ("ffv1", "bgra", "mkv"),
        ("rawvideo", "yuyv422", "avi"),
        ("rawvideo", "rgb24", "avi"),
        ("gif", "rgb8", "gif"),
        ("prores_ks", "yuv422p10le", "mov"),
    ],
)
def test_codecs_and_pixel_formats(
    tmp_path: Path, films: Any, colorizer: Any, codec: str, pix_fmt: str, suffix: str
) -> None:
    base = Fraction(1, 25) if codec.startswith("mpeg") else Fraction(1, 12800)
    film = films.write(
        tmp_path / f"in.{suffix}", films.pan(5, 0, 64, 96), codec=codec, pix_fmt=pix_fmt, time_base=base
    )
    report, found, _ = colored(film, colorizer)
    assert len(found) == report.frames == len(films.stamps(film))
    spread = np.ptp(found[-1].to_ndarray(format="rgb24").astype(int), axis=-1)
    assert spread.max() > 8
    assert report.damage == []


@pytest.mark.parametrize("size", [(47, 63), (48, 63), (47, 64), (2, 2), (1, 1), (16, 400)])
@pytest.mark.parametrize("codec", ["h264", "ffv1"])
def test_odd_sizes(tmp_path: Path, films: Any, colorizer: Any, size: tuple[int, int], codec: str) -> None:
    film = films.write(
        tmp_path / "in.mkv", films.pan(3, height=size[0], width=size[1]), codec="ffv1", pix_fmt="yuv420p"
    )
    _, found, _ = colored(film, colorizer, codec=codec)
    assert [(frame.height, frame.width) for frame in found] == [size] * 3


def test_a_codec_that_takes_no_odd_size_says_what_to_use(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(2, height=47, width=63), codec="ffv1")
    with pytest.raises(OptionError, match=r"av1 takes no frames of 63 × 47: use --codec h264 or ffv1"):
        colorize(film, tmp_path / "out.mp4", model=colorizer, codec="av1")


def test_hdr_keeps_its_tags_and_depth(tmp_path: Path, films: Any, colorizer: Any) -> None:
    def tag(frame: Any) -> None:
        frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = 9, 9, 16, 1

    def dress(_: Any, stream: Any) -> None:
        tag_to = stream.codec_context
        tag_to.colorspace, tag_to.color_primaries, tag_to.color_trc, tag_to.color_range = 9, 9, 16, 1

    for trc in (16, 18):
        film = films.write(
            tmp_path / f"{trc}.mp4",
            films.pan(3),
            codec="libx265",
            pix_fmt="yuv420p10le",
            tag=tag,
            dress=dress,
            options={"x265-params": "log-level=error"},
        )
        _, found, _ = colored(film, colorizer, f"{trc}.out.mkv", codec="hevc")
        first = found[0]
        assert (first.colorspace, first.color_primaries, first.color_trc, first.color_range) == (9, 9, 16, 1)
        assert first.format.name == "yuv420p10le"


def test_an_upright_picture_of_a_rotated_film(tmp_path: Path, films: Any, colorizer: Any) -> None:
    """What is shown is the same, whether the file holds it upright or on its side."""
    upright = films.pan(3, height=64, width=96)
    for degrees, turns in ((90, -1), (180, 2), (-90, 1)):
        turned = [np.rot90(picture, turns).copy() for picture in upright]
        film = films.write(
            tmp_path / f"{degrees}.mp4",
            turned,
            pix_fmt="yuv444p",
            options={"crf": "0"},
            dress=lambda _, stream, degrees=degrees: stream.set_display_rotation(degrees),
        )
        _, found, _ = colored(film, colorizer, f"{degrees}.out.mp4", crf=0)
        assert found[0].rotation == films_rotation(film)
        plain = films.write(tmp_path / "p.mp4", upright, pix_fmt="yuv444p", options={"crf": "0"})
        _, shown, _ = colored(plain, colorizer, "p.out.mp4", crf=0, overwrite=True)
        own = np.rot90(found[1].to_ndarray(format="rgb24"), -turns).astype(int)
        assert np.abs(own - shown[1].to_ndarray(format="rgb24")).mean() < 1


def films_rotation(path: Path) -> int:
    with closing(av.open(str(path))) as container:
        return next(container.decode(video=0)).rotation


def _interlaced(_: Any, stream: Any) -> None:
    stream.codec_context.flags |= 0x40000 | 0x20000000  # AV_CODEC_FLAG_INTERLACED_DCT and _ME
    stream.codec_context.field_order = 2


def test_interlaced_stays_so_and_is_told(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(
        tmp_path / "in.mpg",
        films.pan(4, height=64, width=96),
        codec="mpeg2video",
        time_base=Fraction(1, 25),
        dress=_interlaced,
    )
    report, found, _ = colored(film, colorizer)
    assert any("interlaced" in warning for warning in report.warnings)
    assert all(frame.interlaced_frame for frame in found)


def test_one_frame(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mp4", films.pan(1))
    report, found, _ = colored(film, colorizer, "out.mp4")
    assert len(found) == report.frames == 1


def test_no_frames_at_all(tmp_path: Path, films: Any, colorizer: Any) -> None:
    path = tmp_path / "in.mkv"
    with closing(av.open(str(path), "w")) as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    with pytest.raises(DamagedPhoto, match="holds no frame"):
        colorize(path, tmp_path / "out.mkv", model=colorizer)
    assert not (tmp_path / "out.mkv").exists()


def test_only_sound(tmp_path: Path, colorizer: Any) -> None:
    path = tmp_path / "in.wav"
    with closing(av.open(str(path), "w")) as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
    with pytest.raises(UnknownFormat, match="holds only sound"):
        colorize(path, tmp_path / "out.mp4", model=colorizer)


def test_a_film_damaged_in_the_middle_goes_on_after_it(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.damaged(tmp_path / "in.mkv")
    report, found, _ = colored(film, colorizer)
    assert report.damage
    assert all(0.3 < seconds < 2.2 for seconds in report.damage)
    assert 45 <= len(found) <= 60
    assert found[-1].pts * found[-1].time_base == Fraction(59 * 40, 1000)


@pytest.mark.parametrize("sound", [None, "pcm_s16le"])
def test_clusters_that_matroskas_demuxer_skips_in_silence_are_damage(
    tmp_path: Path, films: Any, sound: str | None
) -> None:
    random = np.random.default_rng(0)
    pictures = [(p + random.normal(0, 0.05, p.shape)).clip(0, 1) for p in films.pan(60)]
    options = {"g": "5", "bf": "0"}
    film = films.write(
        tmp_path / "in.mkv",
        pictures,
        options=options,
        sound=sound,
        container_options={"cluster_time_limit": "200"},
    )
    content = bytearray(film.read_bytes())
    for share in (0.3, 0.5, 0.6):
        place = round(share * len(content))
        broken = content.copy()
        broken[place : place + 3000] = random.integers(0, 256, 3000, np.uint8).tobytes()
        film.write_bytes(broken)
        source = Source(film)
        times = [source.seconds(frame.pts) for frame in source.frames()]
        gaps = [(a, b) for a, b in pairwise(times) if b - a > 0.06]
        assert gaps
        for before, after in gaps:
            assert any(before < seconds <= after for seconds in source.damage)


@pytest.mark.parametrize("sound", [None, "mp2"])
@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        ("ts", "libx264", {"g": "10", "bf": "0"}),
        ("ts", "libx264", {"g": "10", "bf": "2"}),
        ("ts", "mpeg2video", {}),
        ("avi", "libx264", {"g": "10", "bf": "2"}),
        ("avi", "mjpeg", {"strict": "-2"}),
    ],
)
def test_what_readers_of_transport_streams_and_avi_pass_over_is_damage(
    tmp_path: Path, films: Any, suffix: str, codec: str, options: dict[str, str], sound: str | None
) -> None:
    """Frames that follow keep their time, and their place beside the sound."""
    random = np.random.default_rng(0)
    pictures = [(p + random.normal(0, 0.05, p.shape)).clip(0, 1) for p in films.pan(60, 0, 96, 128)]
    base = Fraction(1, 25) if suffix == "avi" or codec == "mpeg2video" else Fraction(1, 90000)
    film = films.write(
        tmp_path / f"in.{suffix}", pictures, codec=codec, options=options, time_base=base, sound=sound
    )
    whole = Source(film)
    times = [whole.seconds(frame.pts) for frame in whole.frames()]
    assert len(times) == 60
    assert np.allclose(np.diff(times), 0.04, atol=1e-3)
    assert whole.damage == []
    content = film.read_bytes()
    for share in (0.4, 0.5, 0.7):
        broken, place = bytearray(content), round(share * len(content))
        broken[place : place + 6000] = random.integers(0, 256, 6000, np.uint8).tobytes()
        film.write_bytes(broken)
        source = Source(film)
        found = [source.seconds(frame.pts) for frame in source.frames()]
        assert 25 < len(found) < 60
        assert found[-1] == pytest.approx(times[-1], abs=1e-3)
        assert source.damage
        assert all(0.1 < seconds - times[0] < 2.2 for seconds in source.damage)


def test_broken_sound_of_a_damaged_film_is_left_out_and_told(
    tmp_path: Path, films: Any, colorizer: Any
) -> None:
    random = np.random.default_rng(0)
    pictures = [(p + random.normal(0, 0.04, p.shape)).clip(0, 1) for p in films.pan(30)]
    film = films.write(tmp_path / "in.ts", pictures, time_base=Fraction(1, 90000), sound="aac")
    content = bytearray(film.read_bytes())
    packets = [at for at in range(0, len(content), 188) if content[at + 1 : at + 3] == b"\x41\x01"]
    start = content.index(b"\xff\xf1", packets[len(packets) // 2])  # of a packet of sound (ADTS)
    content[start : start + 2] = b"\0\0"
    film.write_bytes(content)
    report, found, _ = colored(film, colorizer)
    assert len(found) == 30
    assert any("broken packets of stream 1 (sound, aac) are left out" in told for told in report.warnings)
    assert 10 < len(films.payloads(tmp_path / "out.mkv", "audio")) < len(films.payloads(film, "audio"))


def test_an_avi_without_its_index_tells_that_frames_are_lost(tmp_path: Path, films: Any) -> None:
    random = np.random.default_rng(0)
    pictures = [(p + random.normal(0, 0.05, p.shape)).clip(0, 1) for p in films.pan(40, 0, 96, 128)]
    film = films.write(
        tmp_path / "in.avi", pictures, codec="mjpeg", options={"strict": "-2"}, time_base=Fraction(1, 25)
    )
    content = film.read_bytes()
    short = bytearray(content[: content.rindex(b"idx1")])
    film.write_bytes(short)
    assert not Source(film).damage
    middle = len(short) // 2
    short[middle : middle + 3000] = random.integers(0, 256, 3000, np.uint8).tobytes()
    film.write_bytes(short)
    source = Source(film)
    assert 30 < len(list(source.frames())) < 40
    assert source.damage == [pytest.approx(0.5, abs=0.13)]  # of 1.6 s


@pytest.mark.parametrize("sound", [None, "mp2"])
@pytest.mark.parametrize("bf", ["0", "3"])
@pytest.mark.parametrize("suffix", ["mkv", "ts", "m2ts"])
def test_a_film_with_pauses_of_its_own_is_not_damaged(
    tmp_path: Path, films: Any, sound: str | None, bf: str, suffix: str
) -> None:
    """As when frames alike are dropped: the rate says 25, and times jump."""
    kept = [number for number in range(80) if number < 12 or number % 7 in (0, 3) or number > 60]
    pictures = films.pan(len(kept), height=96, width=128)
    film = films.write(
        tmp_path / f"in.{suffix}",
        pictures,
        times=[40 * number for number in kept],
        time_base=Fraction(1, 1000),
        options={"g": "9", "bf": bf},
        sound=sound,
        container_options={"cluster_time_limit": "300"} if suffix == "mkv" else {},
    )
    source = Source(film)
    assert len(list(source.frames())) == len(kept)
    assert source.damage == []


def test_a_film_cut_short_gives_what_is_there(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(40), options={"g": "5", "bf": "0"})
    content = film.read_bytes()
    film.write_bytes(content[: len(content) * 2 // 3])
    _, found, _ = colored(film, colorizer)
    assert 10 < len(found) < 40


def test_any_bytes_are_a_film_or_a_sentence(tmp_path: Path, films: Any, colorizer: Any) -> None:
    random = np.random.default_rng(1)
    good = films.write(tmp_path / "good.mp4", films.pan(6)).read_bytes()
    for number in range(12):
        content = bytearray(good)
        for place in random.integers(0, len(good), 1 + 8 * number):
            content[place] = random.integers(0, 256)
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(content)
        with suppress(PhotochromError):
            colorize(path, tmp_path / f"{number}.out.mkv", model=colorizer)
            continue
        assert not (tmp_path / f"{number}.out.mkv").exists()


def test_a_film_whose_pictures_change_size_on_the_way(tmp_path: Path, films: Any, colorizer: Any) -> None:
    parts = [films.write(tmp_path / f"{n}.ts", films.pan(4, n, 48, 64 + 32 * n)) for n in range(2)]
    film = tmp_path / "in.ts"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    report, found, _ = colored(film, colorizer)
    assert len(found) == report.frames >= 7
    assert {(frame.width, frame.height) for frame in found} == {(64, 48)}
    assert [frame.pts for frame in found] == sorted({frame.pts for frame in found})
