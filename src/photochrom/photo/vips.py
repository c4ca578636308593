"""libvips, set up for strangers' files: only trusted loaders, no cache, our errors."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import DamagedPhoto

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from photochrom.photo.origin import Origin

DTYPES: dict[str, np.dtype[Any]] = {"uchar": np.dtype(np.uint8), "ushort": np.dtype(np.uint16)}
_SPEAKERS = {"jpeg": "VipsJpeg", "png": "vipspng", "tiff": "tiff2vips", "webp": "webp", "heif": "heif"}
_LARGE_FILE = 32 << 20


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
        lines = (line.strip() for line in str(error).splitlines())
        complaint = next((line for line in lines if line.startswith(_SPEAKERS[loader])), "")
        raise DamagedPhoto(damaged(complaint)) from error


def damaged(complaint: str) -> str:
    """The sentence for a photo that does not decode, with the decoder's own complaint."""
    reason = f" ({complaint[:120]})" if complaint else ""
    advice = "get a whole copy, or save it anew from a program that opens it"
    return f"the picture is damaged or cut short{reason}: {advice}"


def load(loader: str, origin: Origin, fail_on: str, access: str = "sequential", **place: int) -> Any:
    """A libvips image of one page, decoded on demand from top to bottom.

    `place` is the loader's `page` and `subifd`, where it has them. `fail_on` is "truncated", "error" or
    "warning"; access "random" decodes it whole, into a scratch file if it is large. Raises DamagedPhoto where
    the header cannot be read.
    """
    vips = libvips()
    options: dict[str, Any] = {"access": access, "fail_on": fail_on, **place}
    if loader == "tiff":  # libtiff's cap on memory, 50 MB, is too small for one long compressed strip
        options["unlimited"] = origin.size > _LARGE_FILE
    with damage_reported(loader):
        if origin.path is not None:
            return vips.Operation.call(f"{loader}load", str(origin.path), **options)
        return vips.Operation.call(f"{loader}load_buffer", origin.data, **options)


def to_array(image: Any, loader: str) -> NDArray[Any]:
    """(H, W, bands) of a libvips image. Raises DamagedPhoto."""
    with damage_reported(loader):
        data = image.write_to_memory()
    array: NDArray[Any] = np.frombuffer(data, DTYPES[image.format]).reshape(
        image.height, image.width, image.bands
    )
    return array
