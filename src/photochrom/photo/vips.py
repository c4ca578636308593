"""libvips, set up for strangers' files: only trusted loaders, no cache, our errors."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from photochrom.errors import DamagedPhoto

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def libvips() -> Any:
    """The pyvips module, imported and set up on first use (it takes a tenth of a second)."""
    import pyvips

    pyvips.block_untrusted_set(True)
    pyvips.cache_set_max(0)  # a file that has changed must be read again
    return pyvips


@contextmanager
def damage_reported() -> Iterator[None]:
    """Turns an error of libvips into DamagedPhoto."""
    try:
        yield
    except libvips().Error as error:
        raise DamagedPhoto(damaged(str(error))) from error


def damaged(detail: str) -> str:
    """The sentence for a photo that does not decode, with the decoder's own first complaint."""
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    reason = next((line for line in lines if ":" in line and not line.startswith("unable to")), "")
    reason = f" ({reason[:120]})" if reason else ""
    advice = "get a whole copy, or save it anew from a program that opens it"
    return f"the picture is damaged or cut short{reason}: {advice}"
