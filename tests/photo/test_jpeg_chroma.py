"""A colored photo written beside the luminance data of the JPEG that it was read from."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from photochrom.color import in_gamut, luminance, merge, rgb_to_lab
from photochrom.errors import OptionError, UnknownFormat
from photochrom.photo import Photo, read, write
from photochrom.photo.jpeg_scans import parse
from photochrom.photo.profiles import srgb_profile
from photochrom.photo.writing import luminance_written
from photochrom.upsample import GuidedFilter

if TYPE_CHECKING:
    from pathlib import Path

Plane = NDArray[np.uint8]


def scene(height: int = 120, width: int = 160) -> Plane:
    """Smooth ramps, edges, black and white, and grain."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[:height, :width]
    values = 128 + 100 * np.sin(columns / 23) * np.cos(rows / 17) + rng.normal(0, 4, (height, width))
    values[: height // 5, : width // 3] = 255
    values[-height // 5 :, -width // 3 :] = 0
    return np.clip(values, 0, 255).astype(np.uint8)


def jpeg(pixels: NDArray[Any], **options: Any) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "jpeg", **{"quality": 90} | options)
    return target.getvalue()


def colored(photo: Photo, a: float = 20.0, b: float = 30.0) -> Photo:
    """A photo as a plate renders it, of one color all over."""
    return with_ab(photo, np.full((8, 8, 2), (a, b)))


def with_ab(photo: Photo, ab: NDArray[Any], slope: Any = 0.0) -> Photo:
    """A photo of colors (h, w, 2) at the working size, and what they change with L*."""

    def rows(top: int, bottom: int) -> Any:
        raise AssertionError("pixels are not computed where luminance is kept")

    slopes = np.broadcast_to(np.float32(slope), ab.shape).copy()
    return photo.with_pixels(rows, chroma=GuidedFilter(slopes, ab.astype(np.float32)))


def kept(data: bytes, a: float = 20.0, b: float = 30.0, **options: Any) -> bytes:
    target = io.BytesIO()
    photo = colored(read(data), a, b)
    assert luminance_written(photo, target, format="jpeg") == "identical"
    write(photo, target, format="jpeg", **options)
    return target.getvalue()


def decoded(data: bytes, mode: str) -> NDArray[Any]:
    with Image.open(io.BytesIO(data)) as image:
        image.draft(mode, image.size)
        return np.asarray(image)


def rgb(data: bytes) -> NDArray[Any]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
@pytest.mark.parametrize("size", [(120, 160), (121, 161), (1, 1), (1, 9), (9, 1), (2, 3)], ids=str)
@pytest.mark.parametrize("progressive", [False, True])
def test_luminance_is_kept_and_color_added(
    size: tuple[int, int], subsampling: str, progressive: bool
) -> None:
    data = jpeg(scene(*size), progressive=progressive)
    result = kept(data, subsampling=subsampling)
    assert np.array_equal(decoded(result, "L"), decoded(data, "L"))
    scans = parse(result).luminance_scans, parse(data).luminance_scans
    assert [bytes(scan.data) for scan in scans[0] or ()] == [bytes(scan.data) for scan in scans[1] or ()]
    assert rgb(result).shape == (*size, 3)


def test_color_is_what_was_asked_for_where_there_is_room() -> None:
    data = jpeg(np.full((64, 64), 140, np.uint8))
    lab = rgb_to_lab(rgb(kept(data)))[32, 32]
    assert np.allclose(lab[1:], (20, 30), atol=1.5)
    assert abs(lab[0] - luminance(np.full((1, 1), 140, np.uint8))[0, 0]) < 1


def test_grey_stays_grey() -> None:
    result = rgb(kept(jpeg(scene()), 0, 0))
    assert (result == result[..., :1]).all()


@pytest.mark.parametrize("ab", [(80, 60), (-70, 60), (30, -90), (0, 90)], ids=str)
def test_no_decoder_clips_luminance(ab: tuple[int, int]) -> None:
    """Chroma gives way in black, white and beside them: Y' of the decoded pixels is the stored one.

    What quantizing chroma adds stays: at quality 100 next to nothing.
    """
    data = jpeg(scene(), quality=100)
    result = kept(data, *ab, quality=100)
    luma = cv2.cvtColor(rgb(result), cv2.COLOR_RGB2GRAY).astype(int)
    difference = np.abs(luma - decoded(data, "L"))
    assert np.percentile(difference, 99.9) <= 2
    assert difference.max() <= 4


def test_color_is_strong_where_there_is_room() -> None:
    lab = rgb_to_lab(rgb(kept(jpeg(np.full((64, 64), 120, np.uint8)), 60, 40)))
    assert np.hypot(lab[..., 1], lab[..., 2]).mean() > 50


def test_edges_of_color_follow_the_photo() -> None:
    """Chroma is computed from Y' at its own size, row by row, wherever strips end."""
    data = jpeg(np.repeat(np.repeat(np.array([[60, 180], [180, 60]], np.uint8), 1000, 0), 700, 1))
    dark, bright = (float(level) for level in luminance(np.array([60, 180], np.uint8)))
    slope = np.array((60 / (bright - dark), 0))
    target = io.BytesIO()
    ab = np.full((256, 192, 2), -slope * (bright + dark) / 2)
    write(with_ab(read(data), ab, slope), target, format="jpeg")
    lab = rgb_to_lab(rgb(target.getvalue()))
    assert (lab[8:992, 8:692, 1] < -20).all()
    assert (lab[1008:, 8:692, 1] > 20).all()
    assert (lab[8:992, 708:, 1] > 20).all()


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
@pytest.mark.parametrize("size", [(40, 56), (300, 450)])
def test_chroma_is_that_of_each_sample_in_cielab(size: tuple[int, int], subsampling: Any) -> None:
    """Within a few codes of what every sample of Y' comes to with its a* and b*, where sRGB has room."""
    rows, columns = (np.linspace(0, 1, side) for side in (32, 48))
    ab = np.stack(np.broadcast_arrays(20 * np.sin(5 * columns), 20 * np.cos(4 * rows)[:, None]), axis=-1)
    plane = cv2.GaussianBlur(scene(*size), (0, 0), 2)
    plane = np.clip(plane, 70, 190)
    slope = 0.1
    target = io.BytesIO()
    photo = read(jpeg(plane, quality=100))
    write(with_ab(photo, ab, slope), target, format="jpeg", quality=100, subsampling=subsampling)
    found = decoded(target.getvalue(), "YCbCr")[..., 1:].astype(float)
    level = luminance(photo.pixels)
    a, b = GuidedFilter(np.full(ab.shape, slope, np.float32), ab.astype(np.float32)).planes(0, level, size[0])
    wanted = cv2.cvtColor(merge(photo.pixels, np.dstack([a, b])), cv2.COLOR_RGB2YCrCb)[..., [2, 1]]
    fits = cv2.erode(in_gamut(np.dstack([level, a, b])).astype(np.uint8), np.ones((9, 9))) > 0
    difference = np.abs(found - wanted)[4:-4, 4:-4][fits[4:-4, 4:-4]]
    assert len(difference) > found.size / 10
    assert difference.mean() < 1
    assert np.percentile(difference, 99) <= 3


def with_exif_orientation(data: bytes, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "A street"
    target = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(target, "jpeg", exif=exif, quality=90)
    return target.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(96, 160), (97, 163)], ids=str)
def test_orientation_stays_in_the_tag_and_chroma_lies_as_the_data(size: Any, orientation: int) -> None:
    data = with_exif_orientation(jpeg(np.full(size, 130, np.uint8)), orientation)
    photo = read(data)

    ab = np.zeros((64, 64, 2))  # red at the top, green to the left, of the photo as it is seen
    ab[:, :16, 0], ab[:16, :, 0] = -40, 50
    target = io.BytesIO()
    write(with_ab(photo, ab), target, format="jpeg")
    result = target.getvalue()
    with Image.open(io.BytesIO(result)) as image:
        assert image.getexif()[0x0112] == orientation
        assert image.getexif()[0x010E] == "A street"
        assert image.size == size[::-1]
    assert np.array_equal(decoded(result, "L"), decoded(data, "L"))
    lab = rgb_to_lab(read(result).rgb)
    height, width = lab.shape[:2]
    assert (lab[4 : height // 4 - 4, 4:-4, 1] > 35).all()
    assert (lab[height // 4 + 5 : -4, 4 : width // 4 - 4, 1] < -25).all()
    assert (np.abs(lab[height // 4 + 10 : -4, width // 4 + 10 : -4, 1]) < 4).all()


def test_a_file_that_is_stored_turned_is_checked_as_it_is_stored(tmp_path: Path) -> None:
    photo = read(with_exif_orientation(jpeg(np.full((96, 160), 130, np.uint8)), 6))
    write(colored(photo, 0, 0), tmp_path / "a.jpg", verify=True)
    assert read(tmp_path / "a.jpg").pixels.shape == (160, 96, 3)


def test_orientation_stays_where_metadata_are_stripped() -> None:
    data = with_exif_orientation(jpeg(scene()), 6)
    result = kept(data, strip=True)
    with Image.open(io.BytesIO(result)) as image:
        assert dict(image.getexif()) == {0x0112: 6}
    assert read(result).height == 160


def test_a_grey_profile_like_srgb_becomes_srgb() -> None:
    result = kept(jpeg(scene()))
    assert Image.open(io.BytesIO(result)).info["icc_profile"] == srgb_profile()


def test_lightness_encodes_anew() -> None:
    photo = read(jpeg(scene()))
    red = photo.with_pixels(np.dstack([photo.pixels] * 3))
    target = io.BytesIO()
    assert luminance_written(red, target, format="jpeg", luminance="lightness") == "encoded"
    with pytest.raises(OptionError, match="keep, lightness"):
        write(red, target, format="jpeg", luminance="dark")  # type: ignore[arg-type]


def test_other_formats_and_other_photos_are_encoded(tmp_path: Path) -> None:
    photo = colored(read(jpeg(scene())))
    assert luminance_written(photo, tmp_path / "a.jpg") == "identical"
    assert luminance_written(photo, tmp_path / "a.png") == "encoded"
    for other in (Photo.from_array(scene()), photo.with_pixels(np.dstack([scene()] * 3))):
        assert luminance_written(other, tmp_path / "a.jpg") == "encoded"


def damaged(data: bytes) -> bytes:
    """A JPEG that decoders complain of but decode: a restart marker where none belongs."""
    at = data.index(b"\xff\xda") + 200
    return data[:at] + b"\xff\xd3" + data[at + 2 :]


@pytest.mark.parametrize(
    "data",
    [jpeg(np.dstack([scene()] * 3), keep_rgb=True), damaged(jpeg(scene()))],
    ids=["RGB", "damaged"],
)
def test_what_cannot_be_kept_is_encoded(data: bytes) -> None:
    assert luminance_written(colored(read(data)), io.BytesIO(), format="jpeg") == "encoded"


@pytest.mark.parametrize(
    ("at", "value", "said"), [(1, b"\xc5", "hierarchical"), (1, b"\xde", "hierarchical"), (5, b"\0\0", "DNL")]
)
def test_kinds_that_are_not_read_are_named(at: int, value: bytes, said: str) -> None:
    data = bytearray(jpeg(scene()))
    start = data.index(b"\xff\xc0") + at
    data[start : start + len(value)] = value
    with pytest.raises(UnknownFormat, match=said):
        read(bytes(data))


def test_a_large_photo_is_decoded_whole_before_its_data_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.photo.decoding.IN_MEMORY", 0)
    assert luminance_written(colored(read(jpeg(scene()))), io.BytesIO(), format="jpeg") == "identical"
    photo = colored(read(damaged(jpeg(scene()))))
    assert luminance_written(photo, io.BytesIO(), format="jpeg") == "encoded"


def test_a_photo_whose_file_is_gone_is_written(tmp_path: Path) -> None:
    path = tmp_path / "in.jpg"
    data = jpeg(scene())
    path.write_bytes(data)
    photo = colored(read(path))
    path.unlink()
    write(photo, tmp_path / "out.jpg")
    assert np.array_equal(decoded((tmp_path / "out.jpg").read_bytes(), "L"), decoded(data, "L"))


def test_chroma_is_no_finer_than_luminance_unless_that_is_coarse() -> None:
    def table(asked: int, own: int) -> bytes:
        return parse(kept(jpeg(scene(), quality=own), quality=asked)).components[1].table

    usual = {
        q: parse(jpeg(np.zeros((8, 8, 3), np.uint8), quality=q)).components[1].table for q in (50, 75, 80, 95)
    }
    assert table(95, 80) == usual[80]
    assert table(95, 100) == usual[95]
    assert table(95, 30) == usual[75]
    assert table(50, 90) == usual[50]


def test_what_lies_behind_the_picture_is_left_out_and_said() -> None:
    photo = read(jpeg(scene()) + jpeg(scene()))
    assert any("only the first" in warning for warning in photo.warnings)
    target = io.BytesIO()
    write(colored(photo), target, format="jpeg")
    assert parse(target.getvalue()).length == len(target.getvalue())
    assert not read(jpeg(scene()) + bytes(100)).warnings


def test_cracks_in_a_bright_wall_have_chroma_of_their_own() -> None:
    """Chroma is no function of the neighborhood's mean, where there is less room for it."""
    pixels = np.full((1024, 1024), 235, np.uint8)
    pixels[:, ::16] = pixels[:, 1::16] = 70
    stored = decoded(kept(jpeg(pixels, quality=100), 30, -30, quality=100, subsampling="4:4:4"), "YCbCr")
    level, ab = np.full((1, 8), 70, np.uint8), np.full((1, 8, 2), (30, -30), np.float32)
    wanted = cv2.cvtColor(merge(level, ab), cv2.COLOR_RGB2YCrCb)[0, 0, [2, 1]].astype(int)
    assert np.abs(stored[512, 512:514, 1:].astype(int) - wanted).max() <= 10


def test_orientation_is_said_in_metadata_that_say_nothing_of_it() -> None:
    photo = read(with_exif_orientation(jpeg(scene()), 8))
    exif = Image.Exif()
    exif[0x010E], exif[0x8298] = "A street", "Ada"
    other = replace(photo.metadata, exif=exif.tobytes().removeprefix(b"Exif\0\0"))
    target = io.BytesIO()
    write(colored(replace(photo, metadata=other)), target, format="jpeg")
    with Image.open(target) as image:
        assert dict(image.getexif()) == {0x010E: "A street", 0x0112: 8, 0x8298: "Ada"}
