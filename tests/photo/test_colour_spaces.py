"""Sample formats and color spaces on their way to sRGB; Pillow's littleCMS is the outside judge."""

from __future__ import annotations

import io
import struct
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from photochrom.color import srgb_to_linear
from photochrom.errors import OptionError, UnknownFormat
from photochrom.photo import Photo, ifd, output_format, read, tiff_codecs, write
from photochrom.photo import jpeg2000 as jpeg2000_module
from photochrom.photo.png import chunk
from photochrom.photo.profiles import _profile_with, color_space, is_srgb, srgb_profile, to_profile
from photochrom.photo.vips import libvips


def ramp(height: int = 32, width: int = 48) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 5, y * 7, 255 - (x + y) * 3], axis=-1).astype(np.uint8)


def stored(image: Image.Image, name: str, **options: Any) -> Photo:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return read(buffer.getvalue())


def built_in(name: str) -> bytes:
    return bytes(libvips().Operation.call("profile_load", name))


def tiff(array: np.ndarray, photometric: int, kind: int = 1, compression: int = 1) -> bytes:
    """A TIFF, not compressed whatever it claims, of any sample type: kind 1 unsigned, 2 signed, 3 float."""
    bands = 1 if array.ndim == 2 else array.shape[2]
    data = np.ascontiguousarray(array).tobytes()
    fields: ifd.Directory = {
        256: ifd.longs([array.shape[1]]),
        257: ifd.longs([array.shape[0]]),
        258: ifd.shorts(*[array.dtype.itemsize * 8] * bands),
        259: ifd.shorts(compression),
        262: ifd.shorts(photometric),
        273: ifd.longs([8]),
        277: ifd.shorts(bands),
        278: ifd.longs([array.shape[0]]),
        279: ifd.longs([len(data)]),
        339: ifd.shorts(*[kind] * bands),
    }
    start = 8 + len(data)
    return b"II*\0" + struct.pack("<I", start) + data + ifd.lay_out(fields, start)


# --- kinds of pixels -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["PNG", "TIFF", "GIF", "BMP"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_eight_bits_as_pillow_decodes_them(name: str, mode: str) -> None:
    image = Image.fromarray(ramp()).convert(mode)
    photo = stored(image, name)
    np.testing.assert_array_equal(photo.rgb, stored_by_pillow(image, name))
    if mode in ("P", "RGB"):
        assert photo.channels == 3
    elif name != "GIF":
        assert photo.channels == 1


def stored_by_pillow(image: Image.Image, name: str) -> np.ndarray:
    buffer = io.BytesIO()
    image.save(buffer, name)
    return np.asarray(Image.open(buffer).convert("RGB"))


def test_bilevel_scans_are_known_as_such() -> None:
    bilevel = Image.fromarray(ramp()).convert("1")
    for name, options in [("TIFF", {"compression": "group4"}), ("PNG", {}), ("BMP", {}), ("TIFF", {})]:
        photo = stored(bilevel, name, **options)
        assert photo.bits == 1, name
        assert output_format(photo).name == "png"
        assert set(np.unique(photo.pixels)) <= {0, 255}


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("name", ["PNG", "TIFF", "WEBP"])
def test_alpha_is_kept_apart(name: str, mode: str) -> None:
    image = Image.fromarray(ramp()).convert(mode)
    image.putalpha(Image.fromarray(ramp()[..., 1]))
    photo = stored(image, name, **({"lossless": True, "exact": True} if name == "WEBP" else {}))
    np.testing.assert_array_equal(photo.alpha, ramp()[..., 1])
    np.testing.assert_array_equal(photo.rgb, np.asarray(image.convert("RGB")))


def test_transparent_palettes() -> None:
    image = Image.fromarray(ramp()).convert("P")
    for name in ("PNG", "GIF"):
        photo = stored(image, name, transparency=image.getpixel((9, 9)))
        assert photo.alpha is not None
        assert set(np.unique(photo.alpha)) <= {0, 255}


def test_sixteen_bit_pngs_and_tiffs_of_opencv() -> None:
    rng = np.random.default_rng(0)
    for shape in [(20, 30), (20, 30, 3), (20, 30, 4)]:
        array = rng.integers(0, 65536, shape).astype(np.uint16)
        stored_order = array if array.ndim == 2 else array[..., [2, 1, 0, 3][: shape[2]]]
        for suffix in (".png", ".tiff"):
            _, data = cv2.imencode(suffix, stored_order)
            photo = read(data.tobytes())
            assert photo.dtype == np.uint16
            assert photo.bits == 16
            np.testing.assert_array_equal(photo.pixels, array if array.ndim == 2 else array[..., :3])


@pytest.mark.parametrize("depth", [12, 16])
@pytest.mark.parametrize("bands", [1, 3])
def test_deep_jpeg_2000_keeps_its_depth(depth: int, bands: int) -> None:
    array = np.random.default_rng(0).integers(0, 1 << depth, (64, 80, bands)).astype(np.uint16)
    lossless = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]
    written, data = cv2.imencode(".jp2", array[..., ::-1] if bands == 3 else array, lossless)
    assert written
    codestream = bytearray(data.tobytes())
    siz = codestream.index(b"\xff\x4f\xff\x51")
    for band in range(bands):  # the encoder knows 16 bits only; lossless values below 2^12 are 12-bit ones
        assert codestream[siz + 42 + 3 * band] == 15
    photo = read(bytes(codestream))
    assert photo.dtype == np.uint16
    assert photo.bits == 16
    np.testing.assert_array_equal(photo.rgb, np.broadcast_to(array, (64, 80, 3)))


def test_heic_in_a_wide_profile_is_converted() -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="HEIC needs the extra [heic]")
    pillow_heif.register_heif_opener()
    p3 = built_in("p3")
    wide = stored(Image.fromarray(ramp()), "HEIF", quality=100, chroma=444, icc_profile=p3)
    expected = stored(Image.fromarray(ramp()), "PNG", icc_profile=p3)
    assert wide.metadata.icc == p3
    assert np.abs(wide.pixels.astype(int) - expected.pixels).mean() < 3


def test_floats_are_linear_light() -> None:
    linear = np.linspace(-0.1, 1.2, 64, dtype=np.float32).reshape(4, 16)
    for array, photometric in [(linear, 1), (np.dstack([linear] * 3), 2)]:
        photo = read(tiff(array, photometric, kind=3))
        assert photo.dtype == np.uint16
        back = srgb_to_linear(photo.pixels.reshape(4, 16, -1)[..., 0] / 65535)
        np.testing.assert_allclose(back, np.clip(linear, 0, 1), atol=1e-3)


def test_floats_that_are_no_numbers() -> None:
    array = np.full((4, 16), np.nan, np.float32)
    array[0, 0] = np.inf
    assert read(tiff(array, 1, kind=3)).pixels.shape == (4, 16)


def test_wide_integers_keep_their_high_bits() -> None:
    array = np.linspace(0, 0xFFFFFFFF, 64).astype(np.uint32).reshape(4, 16)
    expected = np.rint(array / 65537).astype(np.uint16)
    np.testing.assert_array_equal(read(tiff(array, 1)).pixels, expected)


def test_white_is_zero_in_some_tiffs() -> None:
    grey = ramp()[..., 0]
    np.testing.assert_array_equal(read(tiff(grey, 0)).pixels, 255 - grey)


# --- profiles ------------------------------------------------------------------------------------


def test_an_srgb_profile_changes_no_value() -> None:
    profiles = [srgb_profile(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()]
    for profile in profiles:
        assert is_srgb(profile, 3)
        photo = stored(Image.fromarray(ramp()), "PNG", icc_profile=profile)
        np.testing.assert_array_equal(photo.pixels, ramp())
        assert photo.metadata.icc == profile


def test_a_wide_profile_is_converted_as_littlecms_does() -> None:
    p3 = built_in("p3")
    assert not is_srgb(p3, 3)
    photo = stored(Image.fromarray(ramp()), "PNG", icc_profile=p3)
    expected = ImageCms.profileToProfile(
        Image.fromarray(ramp()),
        ImageCms.ImageCmsProfile(io.BytesIO(p3)),
        ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile())),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    difference = np.abs(photo.pixels.astype(int) - np.asarray(expected).astype(int))
    assert difference.max() <= 3
    assert difference.mean() < 0.5
    assert np.abs(photo.pixels.astype(int) - ramp()).max() > 10  # it is not a no-op


def test_sixteen_bits_stay_sixteen_through_a_profile() -> None:
    array = ramp().astype(np.uint16) * 257
    buffer = io.BytesIO()
    write(Photo.from_array(array), buffer, format="tiff")
    data = buffer.getvalue().replace(srgb_profile(), built_in("p3")[: len(srgb_profile())].ljust(480, b"\0"))
    photo = read(data)
    assert photo.dtype == np.uint16
    assert photo.metadata.icc != srgb_profile()
    assert len(np.unique(photo.pixels % 257)) > 100  # not 8 bits blown up


def grey_profile(gamma: float) -> bytes:
    """A minimal monochrome profile (ICC.1:2010): a header, a white point, a gamma curve."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"grey\0" + bytes(78)
    tags, data, table = [(b"wtpt", white), (b"kTRC", curve), (b"desc", text)], b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, payload in tags:
        table += name + struct.pack(">II", start + len(data), len(payload))
        data += payload + b"\0" * (-len(payload) % 4)
    header = bytearray(128)
    header[8:24] = b"\x02\x40\0\0mntrGRAYXYZ "
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    whole = bytes(header) + struct.pack(">I", len(tags)) + table + data
    return struct.pack(">I", len(whole)) + whole[4:]


def test_a_grey_profile_is_honored() -> None:
    grey = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
    photo = stored(Image.fromarray(grey), "TIFF", icc_profile=grey_profile(1.0))
    assert photo.channels == 1
    back = srgb_to_linear(photo.pixels[0] / 255)
    np.testing.assert_allclose(back, np.arange(256) / 255, atol=0.01)


def test_cmyk_becomes_rgb() -> None:
    cmyk = Image.fromarray(ramp()).convert("CMYK")
    for name in ("TIFF", "JPEG"):
        photo = stored(cmyk, name)
        assert photo.channels == 3
        assert np.corrcoef(photo.pixels.ravel(), ramp().ravel())[0, 1] > 0.85
        assert output_format(photo).name == name.lower()
    white = stored(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "TIFF")
    assert white.pixels.min() >= 250
    ink = stored(Image.new("CMYK", (8, 8), (255, 255, 255, 255)), "TIFF")
    assert ink.pixels.max() <= 60


@pytest.mark.parametrize("profile", [b"nonsense", bytes(500), built_in("p3")[:200], built_in("cmyk")[:5000]])
def test_a_profile_that_lies_is_a_warning(profile: bytes) -> None:
    photo = stored(Image.fromarray(ramp()), "TIFF", icc_profile=profile)
    np.testing.assert_array_equal(photo.pixels, ramp())
    assert any("profile" in warning for warning in photo.warnings)


def test_a_cmyk_profile_on_rgb_pixels_is_a_warning() -> None:
    photo = stored(Image.fromarray(ramp()), "TIFF", icc_profile=built_in("cmyk"))
    np.testing.assert_array_equal(photo.pixels, ramp())
    assert any("profile" in warning for warning in photo.warnings)


def test_the_output_in_the_inputs_profile() -> None:
    p3 = built_in("p3")
    photo = stored(Image.fromarray(ramp()), "PNG", icc_profile=p3)
    buffer = io.BytesIO()
    write(photo, buffer, format="tiff", profile="input")
    image = Image.open(io.BytesIO(buffer.getvalue()))
    assert image.info["icc_profile"] == p3
    difference = np.abs(np.asarray(image).astype(int) - ramp())
    assert np.percentile(difference, 75) <= 2  # colors that sRGB cannot show have been clipped before
    spaces = [color_space(profile) for profile in (p3, built_in("cmyk"), grey_profile(2.2), b"short")]
    assert spaces == ["RGB", "CMYK", "GRAY", ""]


def test_a_broken_profile_cannot_be_written_to() -> None:
    with pytest.raises(OptionError, match="leave the output in sRGB"):
        to_profile(ramp(), built_in("p3")[:180])


def test_kinds_that_are_not_read_get_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_codecs, "are_there", lambda: False)
    lab = io.BytesIO()
    Image.fromarray(ramp()).convert("RGB").convert("LAB").save(lab, "TIFF")
    for data, said in [
        (tiff(np.zeros((4, 4), np.complex64), 1, kind=6), "samples of 64 bits"),
        (tiff(np.zeros((4, 4), np.float64), 1, kind=3), "samples of 64 bits"),
        (lab.getvalue(), "8-bit CIELAB"),
        (tiff(np.zeros((4, 4), np.uint8), 1, compression=50_000), "ZSTD compression"),
        (tiff(np.zeros((4, 4), np.uint8), 1, compression=34_712), "JPEG 2000 compression"),
    ]:
        with pytest.raises(UnknownFormat, match=f"{said}.*: save it as RGB"):
            read(data)


def test_twelve_bits_are_stretched_to_sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    _, data = cv2.imencode(".jp2", array, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])
    monkeypatch.setattr(jpeg2000_module, "bits_a_sample", lambda data: 12)  # no encoder here writes 12 bits
    photo = read(data.tobytes())
    assert photo.bits == 12
    np.testing.assert_array_equal(photo.pixels, np.rint(array / 4095 * 65535))


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (0, [-1.0]),  # 1 / 0 at black
        (0, [32767.0]),
        (1, [3.0, -32768.0, 32767.0]),
        (3, [300.0, 32767.0, 32767.0, 0.0, 0.0]),  # beyond what a float holds
        (4, [-2.0, 1.0, -0.5, 1.0, 0.1, 32767.0, -32768.0]),
    ],
)
def test_a_curve_of_any_parameters_is_read_without_a_word_of_numpys(kind: int, numbers: list[float]) -> None:
    curve = b"para" + bytes(4) + struct.pack(">HH", kind, 0)
    curve += struct.pack(
        f">{len(numbers)}i", *(max(-(2**31), min(2**31 - 1, int(n * 65536))) for n in numbers)
    )
    profile = _profile_with(srgb_profile(), b"GRAY", [((b"kTRC",), curve)])
    target = io.BytesIO()
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(target, "PNG", icc_profile=profile)
    assert read(target.getvalue()).pixels.shape == (16, 16)


@pytest.mark.parametrize("white", [(50_000, 50_000), (99_999, 1), (0, 0), (31_270, 0)])
def test_a_white_that_cannot_be_is_ignored(white: tuple[int, int]) -> None:
    target = io.BytesIO()
    Image.fromarray(ramp()).save(target, "PNG")
    said = chunk(b"cHRM", struct.pack(">8I", *white, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000))
    data = target.getvalue()[:33] + said + target.getvalue()[33:]
    np.testing.assert_array_equal(read(data).pixels, ramp())
