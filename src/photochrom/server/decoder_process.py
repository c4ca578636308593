"""A process that decodes hostile bytes, so that killing it harms nobody: `python -m` this module.

It reads jobs from stdin and answers on stdout. Each message is a JSON object behind its length (four
bytes, little endian); bytes follow where the object says how many. A job is `{"bytes", "max_pixels",
"max_side", "page", "invert", "salvage"}` and the file. The answer is `{"error", "message"}` or the photo's
properties; then the server, having found room for them, sends "go" or "no", and pixels and alpha follow. JSON
rather than pickle: what a hijacked decoder sends must not run in the server.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import struct
import sys
from dataclasses import asdict, fields
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import DamagedPhoto, PhotochromError

if TYPE_CHECKING:
    from photochrom.photo import Metadata, Photo

_LENGTH = struct.Struct("<I")
_LONGEST_MESSAGE = 256 << 20
_BASE_MEMORY = 3 << 30  # address space for libraries and decoders' tables, beside the pixels


def send(stream: IO[bytes], message: dict[str, Any]) -> None:
    """Write one message."""
    data = json.dumps(message).encode()
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(stream: IO[bytes]) -> dict[str, Any]:
    """Read one message. Raises EOFError where the other side is gone."""
    (length,) = _LENGTH.unpack(_read_exactly(stream, _LENGTH.size))
    if length > _LONGEST_MESSAGE:
        raise EOFError(f"a message of {length} bytes")
    message = json.loads(_read_exactly(stream, length))
    if not isinstance(message, dict):
        raise EOFError("a message that is not an object")
    return message


def _read_exactly(stream: IO[bytes], size: int) -> bytearray:
    """Read `size` bytes. Raises EOFError where there are fewer."""
    data = bytearray(size)
    fill(stream, memoryview(data))
    return data


def fill(stream: IO[bytes], view: memoryview) -> None:
    """Fill `view` from the stream. Raises EOFError where it ends before."""
    done = 0
    while done < len(view):
        count = stream.readinto(view[done:])  # type: ignore[attr-defined]  # IO lacks it, pipes have it
        if not count:
            raise EOFError("the other side is gone")
        done += count


def pack_metadata(metadata: Metadata) -> dict[str, Any]:
    """Metadata as JSON; bytes become {"b64": …}."""
    return {
        key: {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for key, value in asdict(metadata).items()
    }


def unpack_metadata(packed: dict[str, Any]) -> Metadata:
    """The reverse of `pack_metadata`; unknown keys are dropped."""
    from photochrom.photo import Metadata

    known = {f.name for f in fields(Metadata)}
    return Metadata(**{key: _unpack(value) for key, value in packed.items() if key in known})


def _unpack(value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    if isinstance(value, list):
        return tuple(_unpack(item) for item in value)
    return value


def _describe(photo: Photo) -> dict[str, Any]:
    return {
        "height": photo.height,
        "width": photo.width,
        "channels": photo.channels,
        "dtype": photo.dtype.name,
        "alpha": photo.has_alpha,
        "extra": photo.source.extra_channels,
        "format": photo.format,
        "bits": photo.bits,
        "warnings": list(photo.warnings),
        "metadata": pack_metadata(photo.metadata),
        "original": _orientation_of_original(photo),
    }


def _orientation_of_original(photo: Photo) -> int | None:
    """The orientation of a JPEG whose luminance data are kept without decoding it again; None for others."""
    original = photo.original
    keeps = original is not None and original.is_luma and original.kept == "identical"
    return original.orientation if original is not None and keeps else None


def _decode(job: dict[str, Any], data: bytearray, source: IO[bytes], out: IO[bytes]) -> None:
    from photochrom.photo import read

    limits = {name: job[name] for name in ("max_pixels", "max_side")}
    photo = read(bytes(data), page=job["page"], salvage=job["salvage"], **limits)
    if job["invert"]:
        photo = photo.inverted()
    send(out, _describe(photo))
    if receive(source).get("answer") != "go":
        return
    planes = [plane for plane in (photo.pixels, photo.alpha, photo.extra) if plane is not None]
    send(out, {"bytes": sum(plane.nbytes for plane in planes)})
    for plane in planes:
        out.write(np.ascontiguousarray(plane).reshape(-1).view(np.uint8).data)
    out.flush()


def _serve(source: IO[bytes], out: IO[bytes]) -> None:
    """Answer jobs until stdin ends."""
    while True:
        try:
            job = receive(source)
        except EOFError:
            return
        data = _read_exactly(source, job["bytes"])
        _limit_memory(job["max_pixels"])
        try:
            _decode(job, data, source, out)
        except PhotochromError as error:
            send(out, {"error": type(error).__name__, "message": str(error)})
        except MemoryError:
            message = "decoding needs more memory than it may take: save the photo again, as JPEG or PNG"
            send(out, {"error": DamagedPhoto.__name__, "message": message})


def _limit_memory(max_pixels: int) -> None:
    """Bound this process's memory, where the system can (a decoder's tables may dwarf the picture)."""
    try:
        import resource
    except ImportError:  # Windows
        return
    bound = _BASE_MEMORY + 24 * max_pixels  # RGBA of 16 bits, three times
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (bound if hard < 0 else min(bound, hard), hard))


def main() -> None:
    """Serve jobs on stdin and stdout; whatever a library prints goes elsewhere."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's; it closes stdin
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    import photochrom.photo  # noqa: F401  # loaded before the first job, not during it

    send(out, {"ready": True})
    _serve(sys.stdin.buffer, out)


if __name__ == "__main__":
    main()
