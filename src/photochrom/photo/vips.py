"""libvips, set up for strangers' files: only trusted loaders, no cache, our errors."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from photochrom.errors import DamagedPhoto

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPEAKERS = ("VipsJpeg", "vipspng", "tiff2vips", "webp2vips", "webp", "heif", "VipsForeignLoad")


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
        raise DamagedPhoto(damaged(_complaint(str(error)))) from error


def _complaint(detail: str) -> str:
    """The first line in which a decoder says what is wrong; others may be left from another file."""
    lines = (line.strip() for line in detail.splitlines())
    return next((line for line in lines if line.partition(":")[0] in _SPEAKERS), "")


def damaged(complaint: str) -> str:
    """The sentence for a photo that does not decode, with the decoder's own complaint."""
    reason = f" ({complaint[:120]})" if complaint else ""
    advice = "get a whole copy, or save it anew from a program that opens it"
    return f"the picture is damaged or cut short{reason}: {advice}"
