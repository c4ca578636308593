"""Whole films: luminance bit for bit, every time stamp, the sound's own packets, all or nothing."""

from __future__ import annotations

import os
from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from photochrom.errors import OptionError, OutputExists, WriteError
from photochrom.video import colorize, frames
from photochrom.video.encoding import CODECS, Encoder, encoding_for
from photochrom.video.source import Source

if TYPE_CHECKING:
    from pathlib import Path

DEEP = ["yuv420p10le", "yuv422p10le", "yuv444p12le", "gray10le"]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv411p", "gray", *DEEP])
def test_luminance_reaches_a_lossless_codec_bit_for_bit(
    tmp_path: Path, films: Any, colorizer: Any, pix_fmt: str
) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(4), codec="ffv1", pix_fmt=pix_fmt)
    colorize(film, tmp_path / "out.mkv", model=colorizer, codec="ffv1")
    before, after = films.luminance_planes(film), films.luminance_planes(tmp_path / "out.mkv")
    assert len(before) == len(after) == 4
    for own, kept in zip(before, after, strict=True):
        assert own.dtype == kept.dtype
        assert np.array_equal(own, kept)


def test_the_picture_takes_color(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mp4", films.pan(3))
    colorize(film, tmp_path / "out.mp4", model=colorizer)
    with closing(av.open(str(tmp_path / "out.mp4"))) as container:
        rgb = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert max(int(np.ptp(picture, axis=-1).max()) for picture in rgb) > 8


def test_time_stamps_of_any_rhythm_and_start_are_kept(tmp_path: Path, films: Any, colorizer: Any) -> None:
    times = [5000, 8601, 9000, 15555, 19000, 40001, 40002, 50000]
    film = films.write(
        tmp_path / "in.mp4",
        films.pan(8),
        times=times,
        time_base=Fraction(1, 90000),
        container_options={"movie_timescale": "90000"},
    )
    assert films.stamps(film) == [Fraction(t, 90000) for t in times]
    colorize(film, tmp_path / "out.mp4", model=colorizer)
    assert films.stamps(tmp_path / "out.mp4") == films.stamps(film)


def test_b_frames_of_matroska_keep_their_times(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(12), options={"bf": "3", "b_strategy": "0"})
    for codec in ("h264", "ffv1"):
        colorize(film, tmp_path / f"{codec}.mkv", model=colorizer, codec=codec)
        assert films.stamps(tmp_path / f"{codec}.mkv") == films.stamps(film)


def test_sound_is_copied_packet_by_packet(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mp4", films.pan(10), sound="aac")
    colorize(film, tmp_path / "out.mp4", model=colorizer)
    assert films.payloads(tmp_path / "out.mp4", "audio") == films.payloads(film, "audio")


def _dressed(container: Any, stream: Any) -> None:
    container.metadata.update({"title": "Arrival", "comment": "reel 3"})
    stream.metadata["language"] = "fra"
    container.add_attachment("notes.txt", "text/plain", b"found in the attic")
    container.set_chapters(
        [{"id": 1, "start": 0, "end": 200, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}}]
    )


def test_chapters_attachments_and_metadata_are_kept_and_the_mark_is_set(
    tmp_path: Path, films: Any, colorizer: Any
) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(5), dress=_dressed)
    colorize(film, tmp_path / "out.mkv", model=colorizer)
    with closing(av.open(str(tmp_path / "out.mkv"))) as container:
        found = {key.lower(): value for key, value in container.metadata.items()}
        assert found["title"] == "Arrival"
        assert found["comment"].startswith("reel 3 – ")
        assert found["digitalsourcetype"].endswith("compositeWithTrainedAlgorithmicMedia")
        assert found["aisystemused"] == "Photochrom, model photochrom"
        assert container.streams.video[0].metadata["language"] == "fra"
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One"]
        attached = next(stream for stream in container.streams if stream.type == "attachment")
        assert attached.data == b"found in the attic"
    colorize(films.write(tmp_path / "plain.mp4", films.pan(2)), tmp_path / "plain.out.mp4", model=colorizer)
    with closing(av.open(str(tmp_path / "plain.out.mp4"))) as container:
        assert "compositeWithTrainedAlgorithmicMedia" in container.metadata["comment"]


def test_subtitles_are_copied_and_a_container_that_cannot_says_so(
    tmp_path: Path, films: Any, colorizer: Any
) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(5), dress=_dressed)
    with pytest.raises(OptionError, match=r"\.mp4 does not hold attachments .*\.mkv"):
        colorize(film, tmp_path / "out.mp4", model=colorizer)
    sounding = films.write(tmp_path / "s.mkv", films.pan(5), sound="pcm_s16le")
    colorize(sounding, tmp_path / "s.out.mkv", model=colorizer)
    assert films.payloads(tmp_path / "s.out.mkv", "audio") == films.payloads(sounding, "audio")


def test_tags_rotation_and_aspect_are_kept(tmp_path: Path, films: Any, colorizer: Any) -> None:
    def dress(_: Any, stream: Any) -> None:
        stream.set_display_rotation(90)
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        stream.codec_context.colorspace, stream.codec_context.color_range = 5, 1
        stream.codec_context.color_primaries, stream.codec_context.color_trc = 5, 6

    film = films.write(tmp_path / "in.mp4", films.pan(3), dress=dress)
    colorize(film, tmp_path / "out.mp4", model=colorizer)
    with closing(av.open(str(tmp_path / "out.mp4"))) as container:
        stream, frame = container.streams.video[0], next(container.decode(video=0))
    assert frame.rotation == 90
    assert stream.sample_aspect_ratio == Fraction(16, 11)
    assert (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range) == (5, 5, 6, 1)


def test_an_untagged_film_is_tagged_as_players_take_it(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mp4", films.pan(2))
    colorize(film, tmp_path / "out.mp4", model=colorizer)
    with closing(av.open(str(tmp_path / "out.mp4"))) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_primaries, frame.color_range) == (6, 6, 1)


@pytest.mark.parametrize(
    ("codec", "suffix", "name"),
    [("h264", "mp4", "h264"), ("hevc", "mkv", "hevc"), ("av1", "mp4", "av1"), ("prores", "mov", "prores")],
)
def test_every_codec_writes_what_it_says(
    tmp_path: Path, films: Any, colorizer: Any, codec: str, suffix: str, name: str
) -> None:
    film = films.write(tmp_path / "in.mp4", films.pan(3, height=64, width=96))
    colorize(film, tmp_path / f"out.{suffix}", model=colorizer, codec=codec)
    with closing(av.open(str(tmp_path / f"out.{suffix}"))) as container:
        assert container.streams.video[0].codec_context.codec.canonical_name == name
        assert len(list(container.decode(video=0))) == 3


def test_ten_bits_stay_ten(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(3), codec="ffv1", pix_fmt="yuv420p10le")
    colorize(film, tmp_path / "out.mp4", model=colorizer)
    with closing(av.open(str(tmp_path / "out.mp4"))) as container:
        assert next(container.decode(video=0)).format.name == "yuv420p10le"


def test_the_film_itself_and_what_is_there_are_never_replaced(
    tmp_path: Path, films: Any, colorizer: Any
) -> None:
    film = films.write(tmp_path / "in.mp4", films.pan(2))
    content = film.read_bytes()
    os.link(film, tmp_path / "link.mp4")
    for target in (film, tmp_path / "link.mp4"):
        with pytest.raises(WriteError, match="never replaced"):
            colorize(film, target, model=colorizer, overwrite=True)
    (tmp_path / "there.mp4").write_bytes(b"mine")
    with pytest.raises(OutputExists):
        colorize(film, tmp_path / "there.mp4", model=colorizer)
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"
    assert film.read_bytes() == content
    colorize(film, tmp_path / "there.mp4", model=colorizer, overwrite=True)
    assert len(films.stamps(tmp_path / "there.mp4")) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "link.mp4", "there.mp4"]


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("out.avi", {}, r"\.mp4, \.mkv or \.mov"),
        ("out.mp4", {"codec": "ffv1"}, r"ffv1 does not fit into \.mp4: name the output \.mkv"),
        ("out.mkv", {"codec": "vp9"}, "'vp9' is not a codec"),
        ("out.mkv", {"codec": "ffv1", "crf": 20}, "ffv1 has no --crf"),
        ("out.mov", {"codec": "prores", "preset": "slow"}, "prores has no --preset"),
        ("out.mp4", {"preset": "quick"}, "h264 has no preset 'quick': choose ultrafast, .* or placebo"),
        ("out.mp4", {"codec": "av1", "preset": "slow"}, "av1 has no preset 'slow': choose 0, .* or 13"),
        ("out.mp4", {"codec": "hevc", "crf": 60}, r"--crf lies in 0\.\.51 for hevc, not 60"),
        ("out.mp4", {"start": 2.0, "end": 1.0}, "--to must lie after --from"),
        ("out.mp4", {"start": 50.0}, "no frame in the time that was asked for"),
        ("out.mp4", {"vividness": 1.5}, "vividness"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    tmp_path: Path, films: Any, colorizer: Any, name: str, options: dict[str, Any], sentence: str
) -> None:
    film = films.write(tmp_path / "in.mp4", films.pan(2))
    with pytest.raises(OptionError, match=sentence):
        colorize(film, tmp_path / name, model=colorizer, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_what_the_encoder_refuses_is_a_sentence(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(2, height=16, width=17000), codec="ffv1")
    with pytest.raises(OptionError, match="h264 does not take frames of 17000 × 16"):
        colorize(film, tmp_path / "out.mp4", model=colorizer)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_a_missing_folder_is_a_sentence(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mp4", films.pan(2))
    with pytest.raises(WriteError, match=r"the folder .*none does not exist: make it first"):
        colorize(film, tmp_path / "none" / "out.mp4", model=colorizer)


def test_a_span_begins_at_zero_with_its_own_sound(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(50), sound="pcm_s16le", options={"g": "7"})
    colorize(film, tmp_path / "out.mkv", model=colorizer, start=0.8, end=1.2)
    assert films.stamps(tmp_path / "out.mkv") == [Fraction(40 * n, 1000) for n in range(10)]
    whole = {data: seconds for seconds, data in films.payloads(film, "audio")}
    for seconds, data in films.payloads(tmp_path / "out.mkv", "audio"):
        assert abs(whole[data] - Fraction(4, 5) - seconds) <= Fraction(1, 1000)
    before = films.luminance_planes(film)[20]
    after = films.luminance_planes(tmp_path / "out.mkv")[0]
    assert np.abs(before.astype(int) - after).mean() < 2


def test_side_by_side_shows_the_original_beside(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(3), codec="ffv1")
    colorize(film, tmp_path / "out.mkv", model=colorizer, codec="ffv1", side_by_side=True)
    own, both = films.luminance_planes(film)[1], films.luminance_planes(tmp_path / "out.mkv")[1]
    assert np.array_equal(both, np.hstack([own, own]))
    with closing(av.open(str(tmp_path / "out.mkv"))) as container:
        rgb = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    spread = np.ptp(rgb, axis=-1)
    assert spread[:, :64].max() <= 2
    assert spread[:, 64:].max() > 8


def test_frames_for_a_program_are_those_of_the_file(tmp_path: Path, films: Any, colorizer: Any) -> None:
    film = films.write(tmp_path / "in.mkv", films.pan(3), codec="ffv1", pix_fmt="yuv444p")
    colorize(film, tmp_path / "out.mkv", model=colorizer, codec="ffv1")
    with closing(av.open(str(tmp_path / "out.mkv"))) as container:
        written = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    given = list(frames(film, model=colorizer))
    assert [seconds for seconds, _ in given] == [float(stamp) for stamp in films.stamps(film)]
    for (_, rgb), expected in zip(given, written, strict=True):
        assert rgb.shape == (48, 64, 3)
        assert np.abs(rgb.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("preset", [None, "ultrafast", "slower"])
def test_h264_holds_few_large_frames_back(tmp_path: Path, films: Any, preset: str | None) -> None:
    """Each that waits in the encoder takes 6 MB of memory and more."""
    film = films.write(tmp_path / "in.mp4", [films.scene(0, 1080, 1920)], options={"preset": "ultrafast"})
    encoding = encoding_for(Source(film), False, CODECS["h264"], None, preset)
    encoder = Encoder(encoding)
    y, chroma = np.full((1080, 1920), 90, np.uint8), np.full((540, 960), 128, np.uint8)
    waiting = 0
    while not list(encoder.encode(y, (chroma, chroma), 512 * waiting)):
        waiting += 1
        assert waiting <= 24
