"""What the server takes: the sizes, times and counts of docs/rest.md, each an option of `serve`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields

from photochrom.errors import OptionError

MIB = 1 << 20


def _default_memory() -> int:
    """A quarter of the machine's memory, between 512 MiB and 2 GiB; 1 GiB where it cannot be asked."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # no sysconf on Windows
        return 1024 * MIB
    return min(max(total // 4, 512 * MIB), 2048 * MIB)


@dataclass(frozen=True)
class Limits:
    """Bounds on a request and on the server's memory; sizes in bytes, times in seconds."""

    body: int = 64 * MIB  # a request with a photo
    json_body: int = 4 * MIB  # any other request: 5,000 hints with strokes fit, a parser bomb does not
    pixels: int = 50_000_000
    side: int = 60_000
    seconds: float = 30.0  # for the body to arrive, for a decoder, and for the whole request
    hints: int = 5000
    memory: int = field(default_factory=_default_memory)  # photos kept and requests under way, together
    expiry: float = 3600.0  # a photo not asked for that long is dropped
    preview: int = 4096  # the longest side of a preview, in pixels
    decoders: int = 2  # processes that decode uploads, each killed when it misbehaves

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if value < 0 or (value == 0 and limit.name != "hints"):
                raise OptionError(f"the limit {limit.name} must be above zero, not {value}")
        if self.memory < 64 * MIB:
            raise OptionError(f"the memory budget must be at least 64 MiB, not {self.memory / MIB:.0f} MiB")
