"""libvips, set up for strangers' files: only trusted loaders, no cache, our errors."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from photochrom.errors import DamagedPhoto

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPEAKERS = {"jpeg": "VipsJpeg", "png": "vipspng", "tiff": "tiff2vips", "webp": "webp", "heif": "heif"}


@cache
def libvips() -> Any:
    """The pyvips module, imported and set up on first use (it takes a tenth of a second)."""
    import pyvips

    pyvips.block_untrusted_set(True)
    pyvips.cache_set_max(0)  # a file that has changed must be read again
    return pyvips


@contextmanager
def damage_reported(loader: str) -> Iterator[None]:
    """Turns an error of a libvips loader ("jpeg", "tiff", …) into DamagedPhoto."""
    libvips().vips_lib.vips_error_clear()  # of what other files have left behind
    try:
        yield
    except libvips().Error as error:
        raise DamagedPhoto(damaged(_complaint(str(error), loader))) from error


def _complaint(detail: str, loader: str) -> str:
    """The first line in which the decoder says what is wrong."""
    lines = (line.strip() for line in detail.splitlines())
    return next((line for line in lines if line.startswith(_SPEAKERS[loader])), "")


def damaged(complaint: str) -> str:
    """The sentence for a photo that does not decode, with the decoder's own complaint."""
    reason = f" ({complaint[:120]})" if complaint else ""
    advice = "get a whole copy, or save it anew from a program that opens it"
    return f"the picture is damaged or cut short{reason}: {advice}"
