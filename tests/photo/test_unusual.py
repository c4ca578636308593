"""Files of rare kinds, cut files, and files whose name is another format's."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from photochrom.errors import DamagedPhoto, PhotoError, TooLarge, UnknownFormat
from photochrom.photo import decoding as decoding_module
from photochrom.photo import (
    ifd,
    kind_of,
    output_format,
    output_suffix,
    read,
    tiff_codecs,
    tiff_samples,
    write,
)

imagecodecs = pytest.importorskip("imagecodecs")
FIELD = Path(__file__).parent / "field"
RARE = ["tiff-12bit.tif", "tiff-old-jpeg.tif", "tiff-tiled-planar.tif"]


def scene(height: int = 60, width: int = 80, dtype: type = np.uint8) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return ((np.sin(x / 9) * np.cos(y / 7) + 1) / 2 * np.iinfo(dtype).max).astype(dtype)


def tiff(array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


# --- kinds that libvips does not read ------------------------------------------------------------


@pytest.mark.parametrize("name", RARE)
def test_rare_tiffs_are_read_by_tifffile(name: str) -> None:
    photo = read(FIELD / name)
    truth = tifffile.imread(FIELD / name)
    if name == "tiff-12bit.tif":
        truth = np.rint(truth * (65535 / 4095))
        assert photo.bits == 12
    elif name == "tiff-tiled-planar.tif":
        truth = np.moveaxis(truth, 0, -1)
    np.testing.assert_array_equal(photo.pixels, truth)
    assert photo.warnings == ()


@pytest.mark.parametrize("name", [*RARE, "jpeg-12bit.jpg"])
def test_without_the_extra_the_kind_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_codecs, "are_there", lambda: False)
    with pytest.raises(UnknownFormat, match=r"(12 bits|old-style JPEG|separate planes).*photochrom\[tiff\]"):
        read(FIELD / name)
    if name.endswith(".tif"):
        kind = kind_of(FIELD / name)
        assert kind is not None
        assert "photochrom[tiff]" in str(kind.refused)


@pytest.mark.parametrize(
    "compression", ["zstd", "lzma", "webp", "png", "jpeg2000", "jpegxl", "lerc", "jpegxr"]
)
@pytest.mark.parametrize("tile", [None, (32, 32)])
def test_rare_compressions(compression: str, tile: tuple[int, int] | None) -> None:
    array = scene()
    colors = np.dstack([array, array[::-1], array[:, ::-1]])
    options = {"level": 100} if compression in ("webp", "jpegxr") else {}
    data = tiff(colors, photometric="rgb", compression=compression, tile=tile, compressionargs=options)
    photo = read(data)
    lossless = compression not in ("webp", "jpegxr", "jpeg2000", "jpegxl")
    assert np.abs(photo.pixels.astype(int) - colors).max() <= (0 if lossless else 8)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha", [False, True])
def test_tiled_planes_with_and_without_alpha(order: str, dtype: type, alpha: bool) -> None:
    planes = np.stack([scene(dtype=dtype), scene(dtype=dtype)[::-1], scene(dtype=dtype)[:, ::-1]][:3])
    if alpha:
        planes = np.concatenate([planes, planes[:1]])
    more = {"extrasamples": ["unassalpha"]} if alpha else {}
    data = tiff(planes, photometric="rgb", planarconfig="separate", tile=(32, 32), byteorder=order, **more)
    photo = read(data)
    np.testing.assert_array_equal(photo.pixels, np.moveaxis(planes[:3], 0, -1))
    assert photo.has_alpha == alpha


def test_grey_in_separate_planes_of_which_libvips_would_mix_the_rows() -> None:
    planes = np.stack([scene(), scene()[::-1]])
    photo = read(
        tiff(planes, photometric="minisblack", planarconfig="separate", extrasamples=["unspecified"])
    )
    np.testing.assert_array_equal(photo.pixels, planes[0])
    np.testing.assert_array_equal(photo.extra, planes[1][..., None])


def test_white_is_zero_and_floats_of_64_bits() -> None:
    inverse = tiff(scene(), photometric="miniswhite", compression="zstd")
    np.testing.assert_array_equal(read(inverse).pixels, 255 - scene())
    light = scene() / 255.0
    wide = read(tiff(light, photometric="minisblack"))
    np.testing.assert_array_equal(
        wide.pixels, read(tiff(light.astype(np.float32), photometric="minisblack")).pixels
    )


def test_8_bit_cielab() -> None:
    from skimage.color import rgb2lab

    lab = np.dstack([scene(), np.full_like(scene(), 20), np.full_like(scene(), 246)])  # a* 20, b* −10
    photo = read(tiff(lab, photometric="cielab"))
    found = rgb2lab(photo.pixels / 65535)
    inside = (scene() > 60) & (scene() < 200)  # of the gamut
    assert np.abs(found[..., 0] - scene() * (100 / 255))[inside].max() < 0.05
    assert np.abs(found[..., 1] - 20)[inside].max() < 0.2
    assert np.abs(found[..., 2] + 10)[inside].max() < 0.2


def test_samples_that_no_one_reads_are_named() -> None:
    assert "64 bits" in str(tiff_samples.unreadable({258: ifd.shorts(64), 339: ifd.shorts(1)}))
    with pytest.raises(UnknownFormat, match="samples of 64 bits"):
        read(tiff(scene().astype(np.complex64), photometric="minisblack"))


def test_rare_kinds_have_limits_and_damage_too() -> None:
    data = tiff(scene(), photometric="minisblack", compression="zstd")
    with pytest.raises(TooLarge):
        read(data, max_pixels=80 * 60)
    spoilt = bytearray(data)
    spoilt[-len(data) // 2 :] = bytes(len(data) // 2)
    with pytest.raises(DamagedPhoto):
        read(bytes(spoilt))
    with pytest.raises(TooLarge):
        read(FIELD / "jpeg-12bit.jpg", max_pixels=100)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({277: ifd.shorts(60_000)}, UnknownFormat),
        ({256: ifd.longs([59_000]), 257: ifd.longs([59_000])}, TooLarge),
        ({322: ifd.longs([50_000]), 323: ifd.longs([50_000])}, TooLarge),
        ({322: ifd.longs([0]), 323: ifd.longs([16])}, DamagedPhoto),
        ({259: ifd.shorts(50_002)}, DamagedPhoto),
        ({258: ifd.shorts(13)}, DamagedPhoto),
    ],
)
def test_claims_that_would_fill_the_memory_are_refused_first(
    fields: ifd.Directory, error: type[Exception]
) -> None:
    honest: ifd.Directory = {
        256: ifd.longs([64]),
        257: ifd.longs([64]),
        258: ifd.shorts(8),
        259: ifd.shorts(50_000),
        262: ifd.shorts(1),
        273: ifd.longs([8]),
        277: ifd.shorts(1),
        278: ifd.longs([64]),
        279: ifd.longs([400]),
    }
    with pytest.raises(error):
        read(ifd.dump(honest | fields) + bytes(500))


def test_a_jpeg_of_12_bits() -> None:
    photo = read(FIELD / "jpeg-12bit.jpg")
    truth = imagecodecs.jpeg8_decode((FIELD / "jpeg-12bit.jpg").read_bytes())
    np.testing.assert_array_equal(photo.pixels, np.rint(truth * (65535 / 4095)))
    assert (photo.bits, output_format(photo).name) == (12, "jpeg")


# --- files that are cut short --------------------------------------------------------------------


def jpeg(progressive: bool = False, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([scene()] * 3)).save(
        buffer, "JPEG", quality=90, progressive=progressive, **options
    )
    return buffer.getvalue()


def test_a_jpeg_that_lacks_only_its_end_marker_is_read() -> None:
    data = (FIELD / "jpeg-no-eoi.jpg").read_bytes()
    photo = read(FIELD / "jpeg-no-eoi.jpg")
    with Image.open(io.BytesIO(data + b"\xff\xd9")) as image:
        np.testing.assert_array_equal(photo.rgb, np.asarray(image.convert("RGB")))
    assert photo.warnings == ("its end marker is missing: what is there was read",)
    assert photo.path == FIELD / "jpeg-no-eoi.jpg"


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kind", ["plain", "with a thumbnail", "restarts", "half a marker", "zeros behind"])
def test_end_markers(progressive: bool, kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "\xff\xd9 in a caption"
    data = jpeg(progressive, exif=exif if kind == "with a thumbnail" else b"")
    if kind == "restarts":
        data = jpeg(progressive, restart_marker_blocks=4)
    whole = read(data)
    cut = {"half a marker": data[:-1], "zeros behind": data + bytes(100)}.get(kind, data[:-2])
    photo = read(cut)
    np.testing.assert_array_equal(photo.pixels, whole.pixels)
    assert any("end marker" in warning for warning in photo.warnings) == (kind != "zeros behind")


def test_a_large_jpeg_without_its_end_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding_module, "IN_MEMORY", 0)
    whole, photo = read(jpeg()), read(jpeg()[:-2])
    np.testing.assert_array_equal(photo.pixels, whole.pixels)
    with pytest.raises(DamagedPhoto):
        list(read(jpeg()[:-400]).strips())


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["jpeg", "png", "tiff"])
def test_what_is_there_of_a_cut_file_is_salvaged_only_when_asked_for(name: str, share: float) -> None:
    buffer = io.BytesIO()
    noisy = np.random.default_rng(0).integers(0, 255, (300, 200, 3), np.uint8)
    if name == "tiff":  # with its directory in front
        buffer.write(tiff(noisy, photometric="rgb", compression="zlib", rowsperstrip=20))
    else:
        Image.fromarray(noisy).save(buffer, name)
    data = buffer.getvalue()[: int(len(buffer.getvalue()) * share)]
    with pytest.raises(DamagedPhoto):
        read(data)
    photo = read(data, salvage=True)
    assert "it is damaged or cut short: what is there was read, the rest is grey or black" in photo.warnings
    rows = int(300 * share * 0.85)
    whole = read(buffer.getvalue()).pixels
    assert (photo.pixels[:rows] == whole[:rows]).mean() > 0.99
    assert read(buffer.getvalue(), salvage=True).warnings == ()


def test_what_has_nothing_to_salvage_is_refused(tmp_path: Path) -> None:
    for data in (jpeg()[:100], b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0"):
        with pytest.raises(DamagedPhoto):
            read(data, salvage=True)


# --- names ---------------------------------------------------------------------------------------


def test_the_content_counts_not_the_name(tmp_path: Path) -> None:
    photo = read(FIELD / "tiff16-named.jpg")
    assert photo.dtype == np.uint16
    assert photo.warnings == ("its name ends in .jpg, but it is a TIFF file and was read as one",)
    assert output_suffix(photo) == ".tif"
    for suffix, told in ((".png", True), (".jpeg", False), (".mpo", False), (".dat", False), ("", False)):
        path = tmp_path / f"scan{suffix}"
        path.write_bytes(jpeg())
        assert bool(read(path).warnings) == told


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg", ".tif", ".webp", ".bmp"):
        path = tmp_path / os.fsdecode(b"\xff \xe4" + suffix.encode())
        Image.fromarray(scene()).save(path)
        assert read(path).rgb.shape[:2] == (60, 80)
    with pytest.raises(PhotoError, match="does not exist"):
        read(tmp_path / os.fsdecode(b"\xfe.png"))


def test_a_stereo_pair_says_that_a_picture_is_left_out() -> None:
    photo = read(FIELD / "stereo.mpo")
    assert "more follows the end of its picture" in photo.warnings[0]
    assert (output_format(photo).name, output_suffix(photo)) == ("jpeg", ".jpg")
    buffer = io.BytesIO()
    write(photo, buffer, format="jpeg")
    assert read(buffer.getvalue()).warnings == ()
