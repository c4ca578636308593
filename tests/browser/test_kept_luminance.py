"""A browser shows a JPEG whose luminance data were kept as libjpeg decodes it."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from photochrom.photo import read, write
from photochrom.upsample import GuidedFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

pytestmark = pytest.mark.browser

PIXELS = """async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    return [canvas.width, canvas.height, Array.from(data)];
}"""


def scene(height: int, width: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:height, :width]
    return (128 + 100 * np.sin(columns / 9) * np.cos(rows / 7)).astype(np.uint8)


def kept(gray: NDArray[np.uint8], options: dict[str, Any], sampling: Any) -> bytes:
    target, source = io.BytesIO(), io.BytesIO()
    Image.fromarray(gray).save(source, "jpeg", quality=90, **options)
    photo = read(source.getvalue())

    rows, columns = np.mgrid[: gray.shape[0], : gray.shape[1]]
    ab = np.dstack([30 * np.sin(columns / 9), 30 * np.cos(rows / 7)]).astype(np.float32)
    chroma = GuidedFilter(np.zeros_like(ab), ab)
    coloring = photo.with_pixels(lambda top, bottom: photo.rows(top, bottom), chroma=chroma)
    write(coloring, target, format="jpeg", subsampling=sampling)
    return target.getvalue()


@pytest.mark.parametrize("sampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"optimize": True}], ids=str
)
def test_chromium_decodes_what_libjpeg_decodes(
    open_page: Callable[..., Any], options: dict[str, Any], sampling: str
) -> None:
    data = kept(scene(67, 101), options, sampling)
    page = open_page("about:blank")
    source = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    width, height, values = page.evaluate(PIXELS, source)
    shown = np.array(values, np.int16).reshape(height, width, 4)[..., :3]
    with Image.open(io.BytesIO(data)) as image:
        decoded = np.asarray(image.convert("RGB"), np.int16)
    assert shown.shape == decoded.shape
    assert np.abs(shown - decoded).max() <= 1
