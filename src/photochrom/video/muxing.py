"""The finished film: colored pictures beside the sound, subtitles and the rest, copied as they are."""

from __future__ import annotations

import heapq
import struct
from collections import Counter
from contextlib import closing
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import av

from photochrom.errors import OptionError, WriteError
from photochrom.photo.atomic import save
from photochrom.provenance import SOURCE_TYPE
from photochrom.video.source import open_film, packets, picture_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from av.container import InputContainer, OutputContainer

    from photochrom.video.encoding import Encoding
    from photochrom.video.segments import Encoded
    from photochrom.video.source import Source

_WORDS = {"audio": "sound", "subtitle": "subtitles", "video": "further pictures", "data": "data"}


def mux(
    source: Source,
    target: Path,
    container: str,
    encoding: Encoding,
    pictures: Iterable[Encoded],
    times: list[int],
    *,
    span: tuple[Fraction, Fraction | None] | None,
    mark: dict[str, str],
    overwrite: bool,
) -> list[str]:
    """Write the film, whole or not at all; returns what was left out, a sentence each.

    times: the pts of `pictures`, in the order of decoding. span: the seconds of the original that are
    kept, the first of which becomes 0; None keeps all, and every time stamp.
    Raises OptionError for a stream that the container cannot hold, WriteError, OutputExists.
    """
    left_out: list[str] = []

    def write(file: BinaryIO) -> None:
        with closing(open_film(source.path)) as film:
            options = {"avoid_negative_ts": "disabled", **_container_options(container, encoding)}
            out = av.open(file, "w", format=container, container_options=options)
            try:
                _fill(film, out)
                out.close()
            except av.error.FFmpegError as error:
                if isinstance(error, OSError):
                    raise
                raise WriteError(f"{target} was not written: {error.strerror}") from error

    def _fill(film: InputContainer, out: OutputContainer) -> None:
        stream: Any = out.add_stream(encoding.codec.encoder, encoding.rate)
        encoding.apply(stream.codec_context)
        own = picture_stream(film, source.path)
        _dress(stream, own)
        if matrix := _display_matrix(source):
            stream.set_display_matrix(matrix)
        copies = _copied(film, own, out, target, left_out)
        out.metadata.update(_metadata(film.metadata, mark, container))
        out.set_chapters(_chapters(film, span))
        start = span[0] if span else Fraction(0)
        shift = round(start / encoding.time_base)
        queues = [_pictures(pictures, times, encoding, stream, shift)]
        if copies:
            queues.append(_sounds(film, copies, span))
        left_out.extend(_written(heapq.merge(*queues, key=lambda item: item[0]), out, stream))

    save(target, write, _checked(encoding), overwrite=overwrite)
    return left_out


def check_streams(source: Source, target: Path, container: str) -> None:
    """Raises OptionError where the container does not hold the film's sound, subtitles or attachments."""
    with closing(open_film(source.path)) as film:
        out = av.open(BytesIO(), "w", format=container)
        _copied(film, picture_stream(film, source.path), out, target, [])


def _container_options(container: str, encoding: Encoding) -> dict[str, str]:
    if container == "matroska":
        return {}
    base = encoding.time_base
    exact = base.denominator if base.numerator == 1 and base.denominator >= 1000 else 90000
    return {"movie_timescale": str(exact)}  # else the start is rounded to milliseconds


def _dress(stream: Any, own: Any) -> None:
    stream.metadata.update({key: value for key, value in own.metadata.items() if key.lower() not in _STALE})
    stream.disposition = own.disposition


# What describes the encoded bytes of the original, not the film
_STALE = frozenset({"encoder", "duration", "bps", "number_of_frames", "number_of_bytes", "vendor_id"})
_CONTAINER_S_OWN = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "duration"})


def _metadata(found: dict[str, str], mark: dict[str, str], container: str) -> dict[str, str]:
    """The film's metadata with the mark: as tags in Matroska, in the comment elsewhere."""
    kept = {key: value for key, value in found.items() if key.lower() not in _CONTAINER_S_OWN}
    sentence = "; ".join(f"{key}: {value}" for key, value in mark.items())
    name = next((key for key in kept if key.lower() == "comment"), "comment")
    kept[name] = f"{kept[name]} – {sentence}" if kept.get(name) else sentence
    return {**kept, **mark} if container == "matroska" else kept


def mark_of(model: str, version: str) -> dict[str, str]:
    """The mark of a film colored by a model, in the names of `provenance`."""
    return {
        "DigitalSourceType": SOURCE_TYPE,
        "AISystemUsed": f"Photochrom, model {model}",
        "AISystemVersionUsed": version,
    }


def _display_matrix(source: Source) -> list[int] | None:
    found: Any = source.first.side_data
    for item in found:
        if item.type.name == "DISPLAYMATRIX":
            return list(struct.unpack("=9i", bytes(item)[:36]))
    return None


def _chapters(film: InputContainer, span: tuple[Fraction, Fraction | None] | None) -> list[Any]:
    found: list[Any] = film.chapters()
    if span is None:
        return found
    cut = []
    for chapter in found:
        base = chapter["time_base"]
        first, last = chapter["start"] * base, chapter["end"] * base
        if last > span[0] and (span[1] is None or first < span[1]):
            shift = round(span[0] / base)
            start = max(0, chapter["start"] - shift)
            end = chapter["end"] if span[1] is None else min(chapter["end"], round(span[1] / base))
            cut.append({**chapter, "start": start, "end": end - shift})
    return cut


def _copied(
    film: InputContainer, own: Any, out: OutputContainer, target: Path, left_out: list[str]
) -> dict[int, Any]:
    """Streams of the output for the film's other streams, by the number of the original."""
    copies: dict[int, Any] = {}
    for stream in film.streams:
        if stream.index == own.index:
            continue
        if stream.type == "attachment":
            _attach(stream, out, target)
            continue
        try:
            copy = out.add_stream_from_template(stream, opaque=True)
        except (ValueError, av.error.FFmpegError):
            if stream.type in ("audio", "subtitle"):
                raise OptionError(_does_not_hold(stream, target)) from None
            left_out.append(f"stream {stream.index} ({_described(stream)}) has no place in {target.suffix}")
            continue
        _dress(copy, stream)
        copies[stream.index] = copy
    return copies


def _attach(stream: Any, out: OutputContainer, target: Path) -> None:
    if out.format.name != "matroska":
        raise OptionError(
            f"{target.suffix} does not hold attachments (stream {stream.index}): name the output .mkv"
        )
    copy = out.add_attachment(
        stream.metadata.get("filename", "attachment"),
        stream.mimetype or "application/octet-stream",
        stream.data,
    )
    copy.metadata.update(stream.metadata)


def _described(stream: Any) -> str:
    kind = _WORDS.get(stream.type, stream.type)
    return f"{kind}, {stream.codec_context.name}" if stream.codec_context is not None else kind


def _does_not_hold(stream: Any, target: Path) -> str:
    return f"{target.suffix} does not hold stream {stream.index} ({_described(stream)}): name the output .mkv"


def _written(queue: Iterable[tuple[Fraction, Any]], out: OutputContainer, own: Any) -> list[str]:
    """Write packets; returns what a damaged film's sound and subtitles hold that no container takes."""
    broken: Counter[Any] = Counter()
    for _, packet in queue:
        stream = packet.stream
        try:
            out.mux(packet)
        except (av.error.InvalidDataError, av.error.ArgumentError):
            if stream is own:
                raise
            broken[stream] += 1
    return [
        f"{count} broken packets of stream {stream.index} ({_described(stream)}) are left out"
        for stream, count in broken.items()
    ]


# --- packets in the order of time ----------------------------------------------------------------


def _pictures(
    pictures: Iterable[Encoded], times: list[int], encoding: Encoding, stream: Any, shift: int
) -> Iterator[tuple[Fraction, Any]]:
    base = encoding.time_base
    rising = sorted(times)
    usual = max(1, round(1 / (encoding.rate * base)))
    lasting = dict(zip(rising, [b - a for a, b in pairwise(rising)] + [usual], strict=True))
    for picture, dts in zip(pictures, decoding_times(times), strict=True):
        packet: Any = av.Packet(picture.data)
        packet.pts, packet.dts, packet.duration = picture.pts - shift, dts - shift, lasting[picture.pts]
        packet.is_keyframe, packet.time_base, packet.stream = picture.key, base, stream
        yield (dts - shift) * base, packet


def decoding_times(shown: list[int]) -> list[int]:
    """When each packet must be decoded, given when it is shown: rising, and never after that.

    The times of showing, sorted, are delayed by as many frames as the order of decoding needs.
    """
    rising = sorted(shown)
    rank = {pts: place for place, pts in enumerate(rising)}
    delay = max((place - rank[pts] for place, pts in enumerate(shown)), default=0)
    step = rising[1] - rising[0] if len(rising) > 1 else 1
    before = [rising[0] - (delay - place) * step for place in range(min(delay, len(rising)))]
    return before + rising[: len(rising) - len(before)]


def _sounds(
    film: InputContainer, copies: dict[int, Any], span: tuple[Fraction, Fraction | None] | None
) -> Iterator[tuple[Fraction, Any]]:
    latest = Fraction(-(10**6))
    streams = [film.streams[number] for number in copies]
    for packet in packets(film, *streams):
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None:
            continue
        base = packet.time_base
        if span is not None:
            here = (packet.pts if packet.pts is not None else stamp) * base
            if here < span[0] or (span[1] is not None and here >= span[1]):
                continue
            shift = round(span[0] / base)
            packet.pts = packet.pts - shift if packet.pts is not None else None
            packet.dts = packet.dts - shift if packet.dts is not None else None
            stamp -= shift
        packet.stream = copies[packet.stream_index]
        latest = max(latest, stamp * base)  # streams of one file are merged in the order of the file
        yield latest, packet


def _checked(encoding: Encoding) -> Any:
    def check(part: Path) -> None:
        with closing(open_film(part)) as film:
            found = film.streams.video[0]
            if (found.codec_context.width, found.codec_context.height) != (encoding.width, encoding.height):
                raise WriteError(f"{part} was written, but cannot be read again: report this")

    return check
