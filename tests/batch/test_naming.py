"""Where results go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from photochrom.batch import naming

WORDS = st.text(st.characters(categories=["L", "N"], include_characters=" _-."), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.jpg", ".jpg"),
        ("a.JPG", ".JPG"),
        ("a.jpeg", ".jpeg"),
        ("a.png", ".png"),
        ("a.webp", ".webp"),
        ("a.gif", ".png"),
        ("a.BMP", ".png"),
        ("a.jp2", ".png"),
        ("a.heic", ".png"),
    ],
)
def test_the_input_format_stays_where_it_can_hold_color(name: str, suffix: str) -> None:
    assert naming.output_suffix(Path(name)) == suffix


@pytest.mark.parametrize(
    ("compression", "bilevel", "suffix"),
    [
        ("raw", True, ".png"),
        ("group4", True, ".png"),
        ("tiff_lzw", True, ".png"),
        ("raw", False, ".tif"),
        ("tiff_lzw", False, ".tif"),
    ],
)
def test_a_bilevel_tiff_becomes_png(tmp_path: Path, compression: str, bilevel: bool, suffix: str) -> None:
    path = tmp_path / "scan.tif"
    plane = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    picture = Image.fromarray(plane).convert("1") if bilevel else Image.fromarray(plane)
    picture.save(path, compression=compression)
    assert naming.output_suffix(path) == suffix


def test_a_bilevel_bigtiff_becomes_png(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    Image.fromarray(np.zeros((8, 8), np.uint8)).convert("1").save(path, big_tiff=True)
    assert path.read_bytes()[2] == 43
    assert naming.output_suffix(path) == ".png"


@example(b"\xff\xd8\xff", b"")
@given(st.binary(max_size=200), st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b""]))
def test_any_bytes_called_tif_have_a_suffix(tmp_path_factory, data: bytes, head: bytes) -> None:
    path = tmp_path_factory.mktemp("t") / "x.tif"
    path.write_bytes(head + data)
    named = {".tif", ".png"}
    content = {".jpg", ".webp", ".png"}  # decides, whatever the name says
    assert naming.output_suffix(path) in (named if head else named | content)


def test_a_name_without_a_suffix_is_judged_by_content(tmp_path: Path) -> None:
    path = tmp_path / "scan"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(path, "jpeg")
    assert naming.output_suffix(path) == ".jpg"
    path.write_bytes(b"hello")
    assert naming.output_suffix(path) == ".png"
    assert naming.output_suffix(tmp_path / "missing") == ".png"


def test_names_beside_the_input() -> None:
    assert naming.beside(Path("d/a.b.jpg")) == Path("d/a.b.colorized.jpg")
    assert naming.sidecar_path(naming.base(Path("d/a.colorized.jpg"))) == Path("d/a.colorized.json")
    assert naming.sidecar_path(naming.base(Path("o/a.jpg"))) == Path("o/a.colorized.json")
    assert naming.layer_path("o/a", "tiff") == Path("o/a.colorized.layer.tif")
    assert naming.layer_path("o/a", "png") == Path("o/a.colorized.layer.png")


@example(".", ".jpg")
@given(WORDS, st.sampled_from([".jpg", ".png", ".tif", ".gif", ".JPEG"]))
def test_no_result_is_ever_taken_as_an_input(stem: str, suffix: str) -> None:
    path = Path("d") / (stem + suffix)
    output = naming.beside(path)
    base = naming.base(output)
    for result in (
        output,
        naming.sidecar_path(base),
        naming.layer_path(base, "tiff"),
        naming.layer_path(base, "png"),
    ):
        assert not naming.is_input_name(result.name)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("a.jpg", True),
        ("A.TIFF", True),
        (".a.jpg", False),
        ("._a.jpg", False),
        ("a.txt", False),
        ("jpg", False),
    ],
)
def test_what_is_taken_from_a_folder(name: str, taken: bool) -> None:
    assert naming.is_input_name(name) is taken


def test_the_content_names_the_output_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "scan.jpg"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(path, "tiff")
    assert naming.beside(path) == tmp_path / "scan.colorized.tif"
    assert naming.output_suffix(path, "jpeg") == ".jpg"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "pair.mpo", "jpeg")
    assert naming.output_suffix(tmp_path / "pair.mpo") == ".jpg"
    (tmp_path / "gone.png").write_bytes(b"")
    assert naming.output_suffix(tmp_path / "gone.png") == ".png"
