"""Files as scanners, cameras and editors write them: the right values, by independent readings.

Values are CIE L*, and must be right within half a step of the file's samples.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.color import rgb2lab

from photochrom.photo import Photo, ifd, read, write
from photochrom.photo.png import chunk

FIELD = Path(__file__).parent / "field"
SCENE = tifffile.imread(FIELD / "tiff16-named.jpg")  # the grey picture, sRGB, that most files show


def lightness(rgb: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB samples (H, W) or (H, W, 3), by scikit-image."""
    bands = rgb if rgb.ndim == 3 else np.repeat(rgb[..., None], 3, 2)
    return rgb2lab(bands / np.iinfo(rgb.dtype).max)[..., 0]


def of_linear(light: np.ndarray) -> np.ndarray:
    """CIE L* of linear light 0..1."""
    return np.where(light > 216 / 24389, 116 * np.cbrt(light) - 16, light * 24389 / 27)


def encoded(light: np.ndarray) -> np.ndarray:
    """sRGB of linear light (IEC 61966-2-1), both 0..1."""
    return np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)


def tiff(array: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def written(photo: Photo, name: str) -> bytes:
    buffer = io.BytesIO()
    write(photo, buffer, format=name)
    return buffer.getvalue()


def ramp(height: int = 64, width: int = 96, dtype: type = np.uint16) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return ((x / (width - 1) * 0.8 + y / (height - 1) * 0.2) * np.iinfo(dtype).max).astype(dtype)


# --- further channels ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "alpha", "further"),
    [("photoshop-selection", None, 1), ("rgb-infrared-16bit", None, 1), ("rgb-two-extra", 3, 1)],
)
def test_only_alpha_is_alpha(name: str, alpha: int | None, further: int) -> None:
    array = tifffile.imread(FIELD / f"{name}.tif")
    photo = read(FIELD / f"{name}.tif")
    np.testing.assert_array_equal(photo.pixels, array[..., :3])
    assert photo.has_alpha == (alpha is not None)
    if alpha is not None:
        np.testing.assert_array_equal(photo.alpha, array[..., alpha])
    assert photo.extra is not None
    np.testing.assert_array_equal(photo.extra, array[..., -further:])
    assert any("further channel" in warning for warning in photo.warnings)

    with tifffile.TiffFile(io.BytesIO(written(photo, "tiff"))) as file:
        np.testing.assert_array_equal(file.asarray(), array)
        kinds = [int(kind) for kind in file.pages[0].extrasamples]
    assert kinds == ([2] if alpha is not None else []) + [0] * further
    assert not read(written(photo, "png")).source.extra_channels
    with Image.open(io.BytesIO(written(photo, "jpeg"))) as image:
        assert (
            abs(np.asarray(image.convert("L")).mean() - photo.pixels.mean() / (257 if photo.bits > 8 else 1))
            < 40
        )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("colors", [1, 3])
def test_further_channels_in_every_layout(order: str, planar: str, dtype: type, colors: int) -> None:
    bands = [ramp(dtype=dtype)] * colors + [ramp(dtype=dtype)[::-1], ramp(dtype=dtype)[:, ::-1]]
    stacked = np.stack(bands, 0 if planar == "separate" else -1)
    data = tiff(
        stacked,
        photometric="rgb" if colors == 3 else "minisblack",
        planarconfig=planar,
        extrasamples=["unspecified", "unspecified"],
        byteorder=order,
        compression="zlib",
    )
    photo = read(data)
    assert (photo.channels, photo.has_alpha, photo.source.extra_channels) == (colors, False, 2)
    np.testing.assert_array_equal(photo.rgb[..., 0], bands[0])
    np.testing.assert_array_equal(photo.extra, np.stack(bands[-2:], -1))
    again = read(written(photo.with_pixels(photo.rgb), "tiff"))
    np.testing.assert_array_equal(again.extra, photo.extra)


def test_a_spot_color_of_cmyk_is_no_alpha() -> None:
    inks = np.dstack([ramp(dtype=np.uint8)] * 5)
    photo = read(tiff(inks, photometric="separated", extrasamples=["unspecified"]))
    plain = read(tiff(inks[..., :4], photometric="separated"))
    assert (photo.channels, photo.has_alpha, photo.source.extra_channels) == (3, False, 1)
    np.testing.assert_array_equal(photo.pixels, plain.pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_associated_alpha_is_divided_out(dtype: type) -> None:
    highest = np.iinfo(dtype).max
    color = np.dstack([ramp(dtype=dtype), ramp(dtype=dtype)[::-1], ramp(dtype=dtype)[:, ::-1]])
    alpha = np.full(color.shape[:2], highest // 2, dtype)
    multiplied = np.rint(color * (alpha / highest)[..., None]).astype(dtype)
    photo = read(tiff(np.dstack([multiplied, alpha]), photometric="rgb", extrasamples=["assocalpha"]))
    np.testing.assert_array_equal(photo.alpha, alpha)
    assert np.abs(photo.pixels.astype(int) - color).max() <= 1
    with tifffile.TiffFile(io.BytesIO(written(photo, "tiff"))) as file:
        assert [int(kind) for kind in file.pages[0].extrasamples] == [2]


# --- pages ---------------------------------------------------------------------------------------


def test_a_thumbnail_in_front_is_not_the_photo() -> None:
    photo = read(FIELD / "thumbnail-first.tif")
    np.testing.assert_array_equal(photo.pixels, tifffile.imread(FIELD / "thumbnail-first.tif", key=1))
    assert photo.pages == 1
    assert photo.warnings == ()


def test_pages_are_counted() -> None:
    assert [read(FIELD / "multipage.tif", page=page).pages for page in range(3)] == [3, 3, 3]
    assert read(FIELD / "multipage.tif").warnings == ("it has 3 pages: only page 0 is read",)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_a_pyramid_is_one_page_and_a_scan_below_its_thumbnail_is_found(order: str, big: bool) -> None:
    full, small = ramp(64, 96), ramp(16, 24)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, byteorder=order, bigtiff=big) as file:
        file.write(full, photometric="minisblack")
        file.write(small, photometric="minisblack", subfiletype=1)
    photo = read(buffer.getvalue())
    assert (photo.width, photo.pages, photo.warnings) == (96, 1, ())

    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, byteorder=order, bigtiff=big) as file:
        file.write(
            small,
            photometric="minisblack",
            subfiletype=1,
            subifds=1,
            description="The harbour",
            metadata=None,
        )
        file.write(full, photometric="minisblack", metadata=None)
    photo = read(buffer.getvalue())
    np.testing.assert_array_equal(photo.pixels, full)
    assert photo.metadata.exif is not None
    assert ifd.parse(photo.metadata.exif)[270] == ifd.Field(ifd.ASCII, b"The harbour\0")


def test_nothing_but_thumbnails_are_pages_too() -> None:
    data = tiff(ramp(16, 24), photometric="minisblack", subfiletype=1)
    assert read(data).pages == 1


# --- tones ---------------------------------------------------------------------------------------


def profile(curve: bytes, pcs: bytes = b"XYZ ") -> bytes:
    """A minimal ICC profile of grey (ICC.1:2022, 8.3.4) with this kTRC."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    curve += bytes(-len(curve) % 4)
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, len(white), b"kTRC", 156 + len(white), len(curve))
    body = tags + white + curve
    head = struct.pack(">I4sI4s4s4s", 128 + len(body), bytes(4), 0x02400000, b"mntr", b"GRAY", pcs)
    head += (
        struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp")
        + bytes(28)
        + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    )
    return head.ljust(128, b"\0") + body


LINEAR = b"curv" + bytes(8)
CURVES = {
    "identity": (LINEAR, lambda x: x),
    "gamma 1.0": (b"curv" + bytes(4) + struct.pack(">IH", 1, 256), lambda x: x),
    "gamma 1.8": (b"curv" + bytes(4) + struct.pack(">IH", 1, round(1.8 * 256)), lambda x: x ** (461 / 256)),
    "parametric": (b"para" + bytes(4) + struct.pack(">HHi", 0, 0, 65536 * 3), lambda x: x**3),
    "table": (
        b"curv" + bytes(4) + struct.pack(">I3H", 3, 0, 8192, 65535),
        lambda x: np.interp(x, [0, 0.5, 1], [0, 8192 / 65535, 1]),
    ),
}


def test_a_linear_grey_profile_keeps_its_shadows() -> None:
    photo = read(FIELD / "gray-gamma-1.0.tif")
    truth = of_linear(tifffile.imread(FIELD / "gray-gamma-1.0.tif") / 65535)
    assert np.abs(lightness(photo.pixels) - truth).max() <= 0.002


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("kind", ["tiff", "tiff >", "png", "jpeg", "tiff with alpha"])
def test_grey_profiles_are_evaluated_exactly(curve: str, kind: str) -> None:
    tag, light = CURVES[curve]
    icc, deep = profile(tag), ramp()
    buffer = io.BytesIO()
    if kind.startswith("tiff"):
        array = np.dstack([deep, deep]) if "alpha" in kind else deep
        options = {"extrasamples": ["unassalpha"]} if "alpha" in kind else {}
        data = tiff(
            array, photometric="minisblack", iccprofile=icc, byteorder=">" if ">" in kind else "<", **options
        )
        samples = deep
    else:
        image = Image.fromarray((deep // 257).astype(np.uint8))
        image.save(buffer, kind, icc_profile=icc, **({"quality": 100} if kind == "jpeg" else {}))
        data = buffer.getvalue()
        samples = np.asarray(Image.open(io.BytesIO(data)))
    photo = read(data)
    highest = np.iinfo(samples.dtype).max
    assert np.abs(photo.pixels / highest - encoded(light(samples / highest))).max() <= 0.51 / highest
    assert photo.warnings == ()


def test_a_profile_that_is_cut_short_is_ignored_with_a_warning() -> None:
    photo = read(FIELD / "icc-truncated.tif")
    np.testing.assert_array_equal(photo.pixels, tifffile.imread(FIELD / "icc-truncated.tif"))
    assert photo.warnings == ("its color profile is damaged or cut short and was ignored",)
    buffer = io.BytesIO()
    Image.fromarray(ramp(dtype=np.uint8)).save(buffer, "PNG", icc_profile=profile(LINEAR)[:-6])
    assert "cut short" in read(buffer.getvalue()).warnings[0]


def png(array: np.ndarray, *chunks: bytes) -> bytes:
    """A PNG by Pillow with these chunks in front of its pixels."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    data = buffer.getvalue()
    return data[:33] + b"".join(chunks) + data[33:]


def test_a_linear_png_is_as_light_as_the_picture() -> None:
    photo = read(FIELD / "png-gama-1.0.png")
    assert np.abs(lightness(photo.pixels) - lightness(SCENE)).max() < 0.02


@pytest.mark.parametrize("array", [ramp(), ramp(dtype=np.uint8), np.dstack([ramp(dtype=np.uint8)] * 3)])
@pytest.mark.parametrize(
    ("chunks", "exponent"),
    [
        ([chunk(b"gAMA", struct.pack(">I", 100_000))], 1.0),
        ([chunk(b"gAMA", struct.pack(">I", 62_500))], 1.6),
        ([chunk(b"gAMA", struct.pack(">I", 45_455))], None),  # as which sRGB is stated
        ([chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100_000))], None),
        ([chunk(b"cICP", b"\1\x08\0\1"), chunk(b"sRGB", b"\0")], 1.0),
        ([chunk(b"cICP", b"\1\x0d\0\1"), chunk(b"gAMA", struct.pack(">I", 100_000))], None),
    ],
)
def test_what_a_png_says_of_its_tones(array: np.ndarray, chunks: list[bytes], exponent: float | None) -> None:
    photo = read(png(array, *chunks))
    if exponent is None:
        np.testing.assert_array_equal(photo.pixels, array)
        return
    highest = np.iinfo(array.dtype).max
    assert np.abs(photo.pixels / highest - encoded((array / highest) ** exponent)).max() <= 0.51 / highest
    assert photo.dtype == array.dtype


def test_wide_primaries_of_a_png() -> None:
    """Display P3 by cHRM and by cICP, against littlecms by way of a profile."""
    p3 = [0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060]
    chrm = chunk(b"cHRM", struct.pack(">8I", *(round(v * 100_000) for v in p3)))
    patches = np.array([[[200, 60, 60], [90, 160, 90], [40, 60, 150], [128, 128, 128]]], np.uint8).repeat(
        8, 0
    )
    stated = read(png(patches, chrm, chunk(b"gAMA", struct.pack(">I", 45_455)))).pixels
    np.testing.assert_array_equal(stated, read(png(patches, chunk(b"cICP", b"\x0c\x0d\0\1"))).pixels)
    from photochrom.photo.vips import libvips

    icc = bytes(libvips().Operation.call("profile_load", "p3"))
    buffer = io.BytesIO()
    Image.fromarray(patches).save(buffer, "PNG", icc_profile=icc)
    assert np.abs(stated.astype(int) - read(buffer.getvalue()).pixels).max() <= 2


def test_hdr_is_said() -> None:
    assert "HDR" in read(png(ramp(dtype=np.uint8), chunk(b"cICP", b"\x09\x10\0\1"))).warnings[0]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("array", [ramp(), ramp(dtype=np.uint8), np.dstack([ramp(dtype=np.uint8)] * 3)])
def test_the_transfer_function_of_a_tiff(order: str, array: np.ndarray) -> None:
    size = 256 if array.dtype == np.uint8 else 65536
    table = np.rint(np.linspace(0, 1, size) ** 1.5 * 65535).astype(int)
    tags = [(301, "H", size, tuple(table.tolist()), True)]
    photo = read(
        tiff(array, photometric="rgb" if array.ndim == 3 else "minisblack", byteorder=order, extratags=tags)
    )
    truth = encoded(table[array] / 65535)
    assert np.abs(photo.pixels / (size - 1) - truth).max() <= 0.51 / (size - 1)


def test_icclab_is_no_cielab() -> None:
    photo = read(FIELD / "icclab-16bit.tif")
    truth = tifffile.imread(FIELD / "icclab-16bit.tif")[..., 0] * (100 / 65280)
    assert np.abs(lightness(photo.pixels) - truth).max() <= 0.02
    assert np.abs(truth - lightness(SCENE)).max() < 0.02


def test_icclab_of_8_bits_and_big_endian() -> None:
    eight = np.dstack([ramp(dtype=np.uint8), *[np.full((64, 96), 128, np.uint8)] * 2])
    photo = read(tiff(eight, photometric="icclab", compression="zlib"))
    assert np.abs(lightness(photo.pixels) - eight[..., 0] * (100 / 255)).max() <= 0.02
    deep = np.dstack([ramp() // 2, *[np.full((64, 96), 32768, np.uint16)] * 2])
    photo = read(tiff(deep, photometric="icclab", byteorder=">"))
    assert np.abs(lightness(photo.pixels) - deep[..., 0] * (100 / 65280)).max() <= 0.02


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
def test_the_least_of_signed_samples_is_black(dtype: type) -> None:
    values = np.linspace(np.iinfo(dtype).min, np.iinfo(dtype).max, 96 * 64).reshape(64, 96).astype(dtype)
    photo = read(tiff(values, photometric="minisblack"))
    truth = (values.astype(float) - np.iinfo(dtype).min) / (float(np.iinfo(dtype).max) - np.iinfo(dtype).min)
    assert np.abs(photo.pixels / np.iinfo(photo.dtype).max - truth).max() <= 1 / np.iinfo(photo.dtype).max


def test_the_signed_file_shows_the_picture() -> None:
    photo = read(FIELD / "int8.tif")
    np.testing.assert_array_equal(photo.pixels, tifffile.imread(FIELD / "int8.tif").astype(int) + 128)
    assert np.abs(lightness(photo.pixels) - lightness(SCENE)).max() < 0.5


# --- YCbCr ---------------------------------------------------------------------------------------


def ycbcr_tiff(
    planes: np.ndarray, sub: tuple[int, int], order: str = "<", deflate: bool = False, **more: ifd.Field
) -> bytes:
    """A TIFF of one strip of (H, W, 3) YCbCr, chroma averaged over `sub` (across, down)."""
    across, down = sub
    height, width = planes.shape[:2]
    blocks = planes.reshape(height // down, down, width // across, across, 3)
    chroma = np.rint(blocks[..., 1:].mean(axis=(1, 3))).astype(np.uint8)
    luma = blocks[..., 0].transpose(0, 2, 1, 3).reshape(*chroma.shape[:2], -1)
    data = np.concatenate([luma, chroma], axis=2).astype(np.uint8).tobytes()
    data = zlib.compress(data) if deflate else data
    fields: ifd.Directory = {
        256: ifd.longs([width]),
        257: ifd.longs([height]),
        258: ifd.shorts(8, 8, 8),
        259: ifd.shorts(8 if deflate else 1),
        262: ifd.shorts(6),
        273: ifd.longs([8]),
        277: ifd.shorts(3),
        278: ifd.longs([height]),
        279: ifd.longs([len(data)]),
        530: ifd.shorts(*sub),
    }
    fields |= {int(tag.removeprefix("tag_")): value for tag, value in more.items()}
    data += b"\0" * (len(data) % 2)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + ifd.lay_out(fields, 8 + len(data))


def test_ycbcr_is_not_rgb() -> None:
    photo = read(FIELD / "ycbcr-444-uncompressed.tif")
    luma = tifffile.imread(FIELD / "ycbcr-444-uncompressed.tif")[..., 0]
    np.testing.assert_array_equal(photo.rgb, np.dstack([luma] * 3))


def test_ycbcr_coefficients_that_are_not_three_are_those_of_the_standard() -> None:
    planes = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
    two = ifd.Field(ifd.RATIONAL, struct.pack("<4I", 299, 1000, 587, 1000))
    odd, plain = read(ycbcr_tiff(planes, (1, 1), tag_529=two)), read(ycbcr_tiff(planes, (1, 1)))
    np.testing.assert_array_equal(odd.rgb, plain.rgb)


@pytest.mark.parametrize("sub", [(1, 1), (2, 1), (2, 2), (4, 4)])
@pytest.mark.parametrize("deflate", [False, True])
def test_ycbcr_of_every_subsampling(sub: tuple[int, int], deflate: bool) -> None:
    y, x = np.mgrid[:64, :96]
    rgb = np.stack([60 + x, 200 - x, 90 + y], axis=-1).astype(np.uint8)
    planes = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
    photo = read(ycbcr_tiff(planes, sub, deflate=deflate))
    assert not photo.has_alpha
    luma, blue, red = np.moveaxis(planes - np.array([0.0, 128, 128]), -1, 0)  # ITU-R BT.601
    truth = np.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], -1)
    assert np.abs(photo.pixels - truth).max() <= 0.51 + 2 * (max(sub) - 1)


def test_ycbcr_with_head_and_foot_room() -> None:
    """ReferenceBlackWhite as of video: Y 16..235, chroma 16..240."""
    luma = np.linspace(16, 235, 96).astype(np.uint8)[None].repeat(64, 0)
    planes = np.dstack([luma, np.full_like(luma, 128), np.full_like(luma, 128)])
    numbers = struct.pack("<12I", *(v for value in (16, 235, 128, 240, 128, 240) for v in (value, 1)))
    photo = read(ycbcr_tiff(planes, (1, 1), tag_532=ifd.Field(ifd.RATIONAL, numbers)))
    assert np.abs(photo.pixels[..., 0] - (luma.astype(float) - 16) * 255 / 219).max() <= 0.51


# --- repeated tags -------------------------------------------------------------------------------


def test_the_first_description_counts_and_the_second_is_kept() -> None:
    photo = read(FIELD / "two-descriptions.tif")
    with tifffile.TiffFile(FIELD / "two-descriptions.tif") as file:
        first, second = (tag.value for tag in file.pages[0].tags.getall(270))
    assert photo.metadata.exif is not None
    assert ifd.parse(photo.metadata.exif)[270] == ifd.Field(ifd.ASCII, first.encode() + b"\0")
    assert photo.metadata.comment == second

    data = written(photo, "tiff")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert [tag.value for tag in file.pages[0].tags.getall(270)] == [first]
    with Image.open(io.BytesIO(data)) as image:
        assert image.getexif().get_ifd(ifd.EXIF_IFD)[0x9286] == b"UNICODE\0" + second.encode("utf-16-le")
    with Image.open(io.BytesIO(written(photo, "jpeg"))) as image:
        assert image.getexif()[270] == first
        assert image.info["comment"].decode() == second


@pytest.mark.parametrize("tag", [315, 33432])
def test_other_texts_that_stand_there_twice(tag: int) -> None:
    tags = [(tag, "s", 0, "first", True), (tag, "s", 0, "second", True)]
    photo = read(tiff(ramp(), photometric="minisblack", extratags=tags, metadata=None))
    assert photo.metadata.exif is not None
    found = ifd.parse(photo.metadata.exif)[tag]
    assert isinstance(found, ifd.Field)
    assert found.raw == b"first\0"
    assert photo.metadata.comment == "second"


# --- orientation ---------------------------------------------------------------------------------


def test_an_orientation_that_is_a_long() -> None:
    photo = read(FIELD / "exif-orientation-long-be.jpg")
    with Image.open(FIELD / "exif-orientation-long-be.jpg") as image:
        np.testing.assert_array_equal(photo.pixels, np.rot90(np.asarray(image), -1))
    with Image.open(io.BytesIO(written(photo, "jpeg"))) as image:
        assert image.getexif()[0x0112] == 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "code"), [(1, "B3x"), (3, "H2x"), (4, "I"), (9, "i")])
@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP"])
def test_orientations_of_every_integer_type(order: str, kind: int, code: str, container: str) -> None:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 1)
    block = head + struct.pack(f"{order}HHI{code}", 0x0112, kind, 1, 6) + bytes(4)
    for exif in (block, block[:-4]):  # with and without a link to a next directory
        buffer = io.BytesIO()
        Image.fromarray(ramp(dtype=np.uint8)).convert("RGB").save(buffer, container, exif=b"Exif\0\0" + exif)
        photo = read(buffer.getvalue())
        assert (photo.height, photo.width, photo.warnings) == (96, 64, ())
        assert photo.metadata.exif is not None
        assert ifd.integers(ifd.parse(photo.metadata.exif), 0x0112) == (1,)


@pytest.mark.parametrize("kind", ["B", "H", "I"])
def test_the_orientation_of_a_tiff_may_be_of_any_integer_type(kind: str) -> None:
    data = tiff(ramp(), photometric="minisblack", extratags=[(274, kind, 1, 6, True)])
    photo = read(data)
    np.testing.assert_array_equal(photo.pixels, np.rot90(ramp(), -1))


def test_exif_without_a_link_to_a_next_directory_is_kept() -> None:
    photo = read(FIELD / "exif-no-next-ifd.jpg")
    assert photo.warnings == ()
    assert photo.metadata.exif is not None
    data = (FIELD / "exif-no-next-ifd.jpg").read_bytes()
    (length,) = struct.unpack_from(">H", data, 4)
    assert photo.metadata.exif == data[12:length] + b"\1\0\0\0"  # where the orientation, 6, stood last
    assert photo.metadata.exif in written(photo, "jpeg")
