"""A film as it is read: its frames in order with exact time stamps, going on after damage.

Every reader opens the file anew, so that several can stand at different places of one film.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av

from photochrom.errors import DamagedPhoto, PhotoError, UnknownFormat
from photochrom.photo.strips import processors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# FFmpeg takes text for ANSI art, and lists of other files for films
_NOT_FILMS = frozenset({"tty", "concat", "hls", "dash", "sdp", "rtsp", "lrc", "webvtt", "srt", "ass"})
_ATTACHED = av.stream.Disposition.attached_pic
_RUN_UP = 3.0  # seconds before a place from which decoding starts, past frames that refer further back
_JUMP = 2  # frames: time stamps that fall back by more are a new count, by less a slip
_BETWEEN = 256  # bytes between packets that are never more than headers
_SKIPPING = frozenset({"matroska", "avi"})  # whose readers pass over what is broken in silence
_CHUNK_HEAD = 8  # bytes before an AVI packet, to which its index points
_SYNC, _MOST_BETWEEN = 0x47, 1 << 24  # a transport stream's; bytes of it that are looked at
_REORDERED = 16  # frames at most by which a packet's picture is shown before or after its neighbors'


def open_film(path: Path) -> InputContainer:
    """A film opened by FFmpeg, local files only. Raises PhotoError, UnknownFormat, DamagedPhoto."""
    try:
        if not path.stat().st_size:
            raise DamagedPhoto(f"{path} is empty (0 bytes): copy it again from where it came")
        # "file:" keeps a name with a colon from being taken for an address
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except av.error.EOFError as error:
        raise DamagedPhoto(f"{path} holds no frame that can be decoded") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno and not isinstance(error, ValueError):
            raise PhotoError(f"{path} cannot be read ({error.strerror}): check its name") from error
        raise UnknownFormat(f"{path} is not a film in a format that FFmpeg reads") from error
    if _NOT_FILMS & set(container.format.name.split(",")):
        container.close()
        raise UnknownFormat(f"{path} is not a film but a text or a list of files: give the film itself")
    return container


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first stream of moving pictures; cover pictures do not count. Raises UnknownFormat."""
    for stream in container.streams.video:
        if not stream.disposition & _ATTACHED:
            if stream.codec_context is None:
                raise UnknownFormat(f"{path}: FFmpeg has no decoder for its pictures: convert it first")
            return stream
    found = "only sound" if container.streams.audio else "no moving pictures"
    raise UnknownFormat(f"{path} holds {found}: give a film")


@dataclass
class Source:
    """A film's file and what is known of its pictures from the first of them.

    Raises as `open_film`, and DamagedPhoto where no frame can be decoded.
    """

    path: Path
    damage: list[float] = field(default_factory=list)  # seconds at which frames were lost or damaged

    def __post_init__(self) -> None:
        with closing(open_film(self.path)) as container:
            stream = picture_stream(container, self.path)
            self._numbered = container.format.name == "avi"
            self.time_base: Fraction = stream.time_base or Fraction(1, 1000)
            self.rate: Fraction = stream.average_rate or stream.guessed_rate or Fraction(25)
            self.codec: str = stream.codec_context.name
            self.count: int = stream.frames or _estimated_count(container, stream, self.rate)
            self.first: VideoFrame = self._first(container, stream)
            context = stream.codec_context
            self.sample_aspect: Fraction = stream.sample_aspect_ratio or Fraction(1)
            self.field_order: int = context.field_order
        self.width, self.height = self.first.width, self.first.height
        self.rotation: int = self.first.rotation % 360
        self.interlaced: bool = self.first.interlaced_frame or self.field_order > 1

    @property
    def on_its_side(self) -> bool:
        """Whether rows lie in the file as columns are shown."""
        return self.rotation % 180 == 90

    @property
    def step(self) -> int:
        """The usual time from frame to frame, in units of the time base, at least 1."""
        return max(1, round(1 / (self.rate * self.time_base)))

    def seconds(self, pts: int) -> float:
        return float(pts * self.time_base)

    def _first(self, container: InputContainer, stream: VideoStream) -> VideoFrame:
        frame: VideoFrame | None = next(self._decoded(container, stream, []), None)
        if frame is not None:
            return frame
        raise DamagedPhoto(f"{self.path} holds no frame that can be decoded")

    def frames(
        self, first: int | None = None, last: int | None = None, *, exact: bool = False
    ) -> Iterator[Any]:
        """Frames with first ≤ pts < last, of one size and format, pts rising from each to the next.

        exact: there is a frame at `first`, and only from it can the rest be told. What is damaged is passed
        over, or shown as the decoder has mended it; `damage` says where.
        """
        for frame in self._from(first, exact=exact):
            if last is not None and frame.pts >= last:
                return
            yield self._uniform(frame)

    def _from(self, first: int | None, *, exact: bool) -> Iterator[Any]:
        """Frames from a place on, sought if it is found that way, else counted from the beginning."""
        if first is None:
            yield from self._read(None)
            return
        sought: Iterator[Any] = iter(()) if self._numbered else self._read(first)
        before: Any = None
        for frame in sought:
            if frame.pts >= first:
                if frame.pts == first or (before is not None and not exact):
                    yield frame
                    yield from sought
                    return
                break
            before = frame
        for frame in self._read(None):
            if frame.pts >= first:
                yield frame

    def _read(self, near: int | None) -> Iterator[Any]:
        """Frames from some way before a place, or from the beginning."""
        with closing(open_film(self.path)) as container:
            stream = picture_stream(container, self.path)
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = processors()
            if near is not None:
                with suppress(av.error.FFmpegError):
                    container.seek(near - round(_RUN_UP / self.time_base), stream=stream)
            yield from self._rising(self._decoded(container, stream, self.damage), sought=near is not None)

    def _decoded(self, container: InputContainer, stream: VideoStream, damage: list[float]) -> Iterator[Any]:
        holes = _Holes()
        numbers = _Numbers(stream) if self._numbered else None
        before: int | None = None
        last: Any = None
        skips = _SKIPPING & set(container.format.name.split(","))
        for packet in packets(container, *(container.streams if skips else [stream])):
            own = packet.stream.index == stream.index
            if own and numbers:
                numbers.restore(packet)
            if skips:
                holes.see(packet)
            if not own:
                continue
            if container.format.name == "mpegts" and packet.dts is not None:
                if last and self._passes_over_damage(last, packet):
                    self._note(last.dts + self.step, damage)
                last = packet
            for frame in self._pictures(packet, damage):
                if numbers:
                    numbers.apply(frame, self.step)
                if before is not None and holes.explain(before, frame.pts, self.step):
                    self._note(before + self.step, damage)
                before = frame.pts
                yield frame
        lost = (stream.duration or 0) - (before or 0) > 2 * self.step
        if numbers and lost and not damage:  # of which the index knows nothing
            for stamp in holes.after:
                self._note(stamp, damage)

    def _passes_over_damage(self, one: Any, other: Any) -> bool:
        """Whether a transport stream is broken where its reader found no packet between two.

        It goes on in silence from the next place where packets have their length and begin with their sync
        byte (ISO/IEC 13818-1). M2TS puts a time before it, and some broadcasts a correction code behind it.
        """
        if 2 * (other.dts - one.dts) <= 3 * self.step or not 0 <= (one.pos or -1) < (other.pos or -1):
            return False
        with self.path.open("rb") as file:
            file.seek(one.pos)
            content = file.read(min(other.pos - one.pos, _MOST_BETWEEN))
        forms = ((0, 188), (4, 192), (0, 204))
        return all(set(content[before::length]) != {_SYNC} for before, length in forms)

    def _pictures(self, packet: Any, damage: list[float]) -> list[Any]:
        """The frames that a packet gives; notes what is broken of it or of them."""
        if packet.is_corrupt:  # a transport stream's, of which a part is missing
            self._note(_stamp_of(packet), damage)
        try:
            found: list[Any] = packet.decode()
        except av.error.FFmpegError:
            self._note(_stamp_of(packet), damage)
            return []
        for frame in found:
            if frame.is_corrupt:
                self._note(_stamp_of(frame), damage)
        return found

    def _note(self, stamp: int | None, damage: list[float]) -> None:
        place = self.seconds(stamp) if stamp is not None else 0.0
        if place not in damage:
            damage.append(place)

    def _rising(self, frames: Iterator[Any], *, sought: bool) -> Iterator[Any]:
        """Frames with a time stamp each, above the last one's; a count that starts again is carried on."""
        last: int | None = None
        decoded: int | None = None
        offset = anew = 0
        for frame in frames:
            stamp = _stamp_of(frame)
            if stamp is None:
                stamp = 0 if last is None else last + self.step - offset
            stamp += offset
            if decoded is None or (frame.dts is not None and frame.dts <= decoded):
                anew = 0  # frames since the count of decoding started again, ahead of that of showing
            anew += 1
            decoded = frame.dts if frame.dts is not None else decoded
            if last is not None and stamp <= last:
                falls = last - stamp > _JUMP * self.step
                if falls and anew > _REORDERED:
                    continue  # after damage, decoders give frames whose time is over
                if falls and not sought:
                    offset += last + self.step - stamp
                    stamp = last + self.step
                else:
                    stamp = last + 1
            frame.pts = last = stamp
            frame.time_base = self.time_base
            yield frame

    def _uniform(self, frame: Any) -> Any:
        """A frame of the film's first size and format: some films change theirs on the way."""
        same = (frame.width, frame.height, frame.format.name) == (
            self.width,
            self.height,
            self.first.format.name,
        )
        if same:
            return frame
        fitted = frame.reformat(self.width, self.height, self.first.format.name)
        fitted.pts, fitted.time_base = frame.pts, frame.time_base
        return fitted


def _stamp_of(one: Any) -> int | None:
    """When a packet or a frame is shown; where that is not said, when it is decoded."""
    return cast("int | None", one.pts if one.pts is not None else one.dts)


class _Holes:
    """Bytes of a file that belong to no packet, which tell lost frames from a film that had none there."""

    def __init__(self) -> None:
        self._end: int | None = None  # byte after the last packet
        self._usual = _BETWEEN  # most bytes between packets of the film as it should be
        self._waiting = False  # for the first picture after a hole
        self.after: list[int] = []  # time stamps of the packets that follow a hole

    def see(self, packet: Any) -> None:
        """Take notice of the next packet of the file, of any stream."""
        if packet.pos is None or packet.pos < 0 or not packet.size:
            return
        between = packet.pos - self._end if self._end is not None else 0
        stamp = packet.pts if packet.stream.type == "video" else None
        if between > 2 * self._usual:
            self._waiting = True
        else:
            self._usual = max(self._usual, between)
        self._end = packet.pos + packet.size
        if self._waiting and stamp is not None:
            self.after.append(stamp)
            self._waiting = False

    def explain(self, before: int, stamp: int | None, step: int) -> bool:
        """Whether frames were lost between two that follow each other."""
        if stamp is None or 2 * (stamp - before) <= 3 * step:
            return False
        return any(before < after <= stamp + _REORDERED * step for after in self.after)


class _Numbers:
    """The times of an AVI's frames, whose packets have none: FFmpeg counts those that it finds.

    The file's index knows which packets are lost, so that what follows them keeps its time. A frame is shown
    when its turn comes, which with B-frames is not when its packet was counted.
    """

    def __init__(self, stream: VideoStream):
        self._numbers = {entry.pos + _CHUNK_HEAD: entry.timestamp for entry in stream.index_entries}
        self._lost = 0  # packets before this one
        self._turn: int | None = None
        self._late = 0

    def restore(self, packet: Any) -> None:
        """Give a packet the number that it had before any was lost."""
        if packet.dts is None:
            return
        self._lost = self._numbers.get(packet.pos, packet.dts + self._lost) - packet.dts
        packet.dts += self._lost
        if packet.pts is not None:
            packet.pts += self._lost

    def apply(self, frame: Any, step: int) -> None:
        """Give a frame the time at which it is shown."""
        first = self._turn is None
        turn = frame.dts if frame.dts is not None else (self._turn or 0) + step
        if first and frame.pts is not None:
            self._late = frame.pts - turn
        self._turn = turn
        frame.pts = turn + self._late


def packets(container: InputContainer, *streams: Any) -> Iterator[Any]:
    """The packets of streams, going on where the file is damaged, to its end."""
    failures = 0
    while failures < 100:  # a file whose rest is noise comes to an end too
        try:
            yield from container.demux(*streams)
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            failures += 1
        else:
            return


def _estimated_count(container: InputContainer, stream: VideoStream, rate: Fraction) -> int:
    if stream.duration and stream.time_base:
        return round(stream.duration * stream.time_base * rate)
    return round(container.duration / av.time_base * rate) if container.duration else 0
