"""XMP sidecars taken along: as Lightroom, darktable and digiKam name them, in every way to run."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from photochrom.batch import plan, xmp_sidecars
from photochrom.batch.options import Options
from photochrom.cli import photochrom
from photochrom.errors import OptionError
from photochrom.photo import Metadata, read, xmp
from photochrom.provenance import SOURCE_TYPE, is_marked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Path]

TIFF, EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
CRS = "http://ns.adobe.com/camera-raw-settings/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
DC = "http://purl.org/dc/elements/1.1/"


def packet(attributes: str = "", word: str = "Ellis Island") -> bytes:
    """As digiKam writes one: a keyword, a face region."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{xmp.RDF}">'
        f'<rdf:Description rdf:about="" xmlns:tiff="{TIFF}" xmlns:exif="{EXIF}" xmlns:crs="{CRS}" '
        f'xmlns:photoshop="{PHOTOSHOP}" xmlns:dc="{DC}" xmlns:stArea="{AREA}" {attributes}>'
        f"<dc:subject><rdf:Bag><rdf:li>{word}</rdf:li></rdf:Bag></dc:subject>"
        "<stArea:x>0.25</stArea:x><stArea:y>0.4</stArea:y><stArea:w>0.1</stArea:w><stArea:h>0.2</stArea:h>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def invoke(*arguments: object, expect: int = 0) -> str:
    result = CliRunner().invoke(photochrom, [str(argument) for argument in arguments])
    assert result.exit_code == expect, result.output
    return result.output


def turn(path: Path) -> None:
    """Say in a photo's EXIF that it is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(path) as image:
        image.save(path, exif=exif)


def numbers(path: Path, namespace: str, *names: str) -> list[float]:
    return [float(value) for name in names for value in xmp.values(path.read_bytes(), namespace, name)]


@pytest.mark.parametrize(
    ("name", "sidecar", "place"),
    [
        ("a.jpg", "a.xmp", "a.colorized.xmp"),  # Lightroom, Bridge, exiftool
        ("a.jpg", "a.jpg.xmp", "a.colorized.jpg.xmp"),  # darktable, digiKam
        ("A.JPG", "A.XMP", "A.colorized.XMP"),  # from a file system of capitals
        ("a.gif", "a.gif.xmp", "a.colorized.png.xmp"),  # named as the output is
        ("a.b.tif", "a.b.xmp", "a.b.colorized.xmp"),
    ],
)
def test_a_sidecar_is_copied_under_the_outputs_name(
    photo: Make, tmp_path: Path, name: str, sidecar: str, place: str
) -> None:
    photo(name)
    (tmp_path / sidecar).write_bytes(packet())
    invoke("colorize", tmp_path / name)
    there = (tmp_path / place).read_bytes()
    assert b"Ellis Island" in there
    assert is_marked(Metadata(xmp=there))
    assert (tmp_path / sidecar).read_bytes() == packet()  # which stays as it was


def test_what_describes_the_photo_before_is_set_right(photo: Make, tmp_path: Path) -> None:
    path = photo("in/a.png", width=48, height=32)
    turn(path)
    stale = 'tiff:Orientation="6" exif:ColorSpace="65535" crs:ConvertToGrayscale="True" tiff:ImageWidth="48"'
    path.with_name("a.png.xmp").write_bytes(packet(f'{stale} tiff:ImageLength="32"'))
    invoke("colorize", path, "-o", tmp_path / "b.png")
    there = tmp_path / "b.png.xmp"
    assert read(tmp_path / "b.png").pixels.shape[:2] == (48, 32)
    assert numbers(there, TIFF, "Orientation", "ImageWidth", "ImageLength") == [1, 32, 48]
    np.testing.assert_allclose(numbers(there, AREA, "x", "y", "w", "h"), [0.6, 0.25, 0.2, 0.1])  # (1 - y, x)
    assert not xmp.has(there.read_bytes(), CRS, "ConvertToGrayscale")
    assert not xmp.has(there.read_bytes(), EXIF, "ColorSpace")


def test_regions_stay_where_the_jpegs_data_stay(photo: Make, tmp_path: Path) -> None:
    path = photo("a.jpg")
    turn(path)
    (tmp_path / "a.xmp").write_bytes(packet('tiff:Orientation="6"'))
    invoke("colorize", path)
    there = tmp_path / "a.colorized.xmp"
    with Image.open(tmp_path / "a.colorized.jpg") as image:
        assert image.getexif()[0x0112] == 6
    assert numbers(there, TIFF, "Orientation") == [6]
    assert numbers(there, AREA, "x", "y", "w", "h") == [0.25, 0.4, 0.1, 0.2]


def test_a_raws_sidecar_is_left_alone_and_a_pictures_names_its_new_suffix(
    photo: Make, tmp_path: Path
) -> None:
    photo("a.jpg")
    (tmp_path / "a.xmp").write_bytes(packet('photoshop:SidecarForExtension="NEF"'))
    invoke("colorize", tmp_path / "a.jpg")
    assert not (tmp_path / "a.colorized.xmp").exists()
    photo("b.gif")
    (tmp_path / "b.xmp").write_bytes(packet('photoshop:SidecarForExtension="GIF"'))
    invoke("colorize", tmp_path / "b.gif")
    there = (tmp_path / "b.colorized.xmp").read_bytes()
    assert xmp.values(there, PHOTOSHOP, "SidecarForExtension") == ["png"]


def test_both_kinds_are_taken_and_shared_stems_told_apart(photo: Make, tmp_path: Path) -> None:
    photo("in/a.jpg", 1)
    photo("in/a.tif", 2)
    (tmp_path / "in/a.xmp").write_bytes(packet(word="shared"))
    (tmp_path / "in/a.tif.xmp").write_bytes(packet(word="its own"))
    photo("in/b.jpg", 3)
    (tmp_path / "in/b.jpg.xmp").write_bytes(packet(word="one"))
    (tmp_path / "in/b.xmp").write_bytes(packet(word="two"))
    out = tmp_path / "out"
    invoke("colorize", tmp_path / "in", "-o", out)
    words = {path.name: xmp.values(path.read_bytes(), xmp.RDF, "li")[0] for path in out.glob("*.xmp")}
    expected = {"a.jpg.xmp": "shared", "a.tif.xmp": "its own", "b.jpg.xmp": "one", "b.xmp": "two"}
    assert words == expected


def test_nothing_of_somebodys_is_replaced(photo: Make, tmp_path: Path) -> None:
    path = photo("a.gif")
    (tmp_path / "a.xmp").write_bytes(packet())
    invoke("colorize", path, "-o", tmp_path / "a.png", "--if-exists", "overwrite")
    assert (tmp_path / "a.xmp").read_bytes() == packet()  # the photo's own, in the very place
    assert is_marked(Metadata(xmp=(tmp_path / "a.png.xmp").read_bytes()))
    (tmp_path / "b.xmp").write_bytes(b"somebody's")
    refused = invoke("colorize", path, "-o", tmp_path / "b.png", expect=1)
    assert "b.xmp exists already" in " ".join(refused.split())
    assert not (tmp_path / "b.png").exists()
    invoke("colorize", path, "-o", tmp_path / "b.png", "--if-exists", "overwrite")
    assert b"Ellis Island" in (tmp_path / "b.xmp").read_bytes()
    other = plan.Job(
        photo("c/d.jpg"), tmp_path / "out/d.jpg", xmp=((tmp_path / "a.xmp", tmp_path / "out/d.xmp"),)
    )
    with pytest.raises(OptionError, match=r"a\.xmp lies beside a photo"):
        plan.check(
            [other, plan.Job(path, tmp_path / "a.png", xmp=((tmp_path / "b.xmp", tmp_path / "a.xmp"),))]
        )


def test_stripped_and_unmarked(photo: Make, tmp_path: Path) -> None:
    path = photo("a.png")
    (tmp_path / "a.xmp").write_bytes(packet())
    invoke("colorize", path, "-o", tmp_path / "b.png", "--strip")
    assert not (tmp_path / "b.xmp").exists()
    invoke("colorize", path, "-o", tmp_path / "c.png", "--no-mark")
    assert (tmp_path / "c.xmp").read_bytes() == packet()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe<\0", b"<x", b"# a note", packet()[:300]])
def test_what_is_not_xmp_is_copied_with_a_warning(photo: Make, tmp_path: Path, content: bytes) -> None:
    path = photo("a.png")
    (tmp_path / "a.xmp").write_bytes(content)
    told = invoke("colorize", path)
    assert "a.xmp is not XMP" in " ".join(told.split())
    assert (tmp_path / "a.colorized.xmp").read_bytes() == content


def test_a_ledger_knows_them(photo: Make, tmp_path: Path) -> None:
    photo("in/a.png")
    sidecar, out = tmp_path / "in/a.xmp", tmp_path / "out"
    sidecar.write_bytes(packet())

    def statuses(*more: str, expect: int = 0) -> list[str]:
        lines = invoke("batch", tmp_path / "in", out, "--json", *more, expect=expect).splitlines()
        return [json.loads(line)["status"] for line in lines if line.startswith("{")]

    assert statuses("--dry-run") == ["planned"]
    assert statuses() == ["done"]
    assert statuses() == ["skipped"]
    assert statuses("--verify") == ["done", "done"]  # the picture, the sidecar
    sidecar.write_bytes(packet(word="Ellis Island, 1905"))  # a keyword is added: made anew
    assert statuses("--dry-run") == ["planned"]
    assert statuses() == ["done"]
    assert b"1905" in (out / "a.xmp").read_bytes()
    (out / "a.xmp").write_bytes(packet(word="tagged since"))
    assert statuses("--verify", expect=3) == ["done", "failed"]
    assert statuses(expect=1) == ["failed"]  # somebody's now
    assert b"tagged since" in (out / "a.xmp").read_bytes()
    assert statuses("--if-exists", "overwrite") == ["done"]
    sidecar.unlink()
    (out / "a.xmp").unlink()
    assert statuses() == ["done"]


def test_redo_writes_them_again(photo: Make, tmp_path: Path) -> None:
    path = photo("a.png")
    (tmp_path / "a.xmp").write_bytes(packet())
    invoke("colorize", path, "-o", tmp_path / "out/b.png", "--sidecar")
    first = (tmp_path / "out/b.xmp").read_bytes()
    invoke("redo", tmp_path / "out/b.colorized.json", expect=1)
    invoke("redo", tmp_path / "out/b.colorized.json", "--if-exists", "overwrite")
    assert (tmp_path / "out/b.xmp").read_bytes() == first


def test_names_and_twice_the_same_file(photo: Make, tmp_path: Path) -> None:
    path = photo("A.JPG")
    (tmp_path / "A.xmp").write_bytes(packet())
    (tmp_path / "A.XMP").hardlink_to(tmp_path / "A.xmp")  # as a file system shows it that ignores case
    assert xmp_sidecars.pairs(path, tmp_path / "o.jpg", shared=False) == (
        (tmp_path / "A.xmp", tmp_path / "o.xmp"),
    )


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_exiftool_reads_what_was_written(photo: Make, tmp_path: Path) -> None:
    path = photo("a.tif")
    (tmp_path / "a.xmp").write_bytes(packet())
    invoke("colorize", path)
    asked = ["exiftool", "-j", "-XMP:all", "-validate", str(tmp_path / "a.colorized.xmp")]
    (found,) = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    assert found["Subject"] == "Ellis Island"
    assert found["DigitalSourceType"] == SOURCE_TYPE


def test_options_of_a_job_without_sidecars_are_as_they_were(photo: Make, tmp_path: Path) -> None:
    (job,) = plan.make(plan.find([photo("a.png")]), tmp_path / "out", Options())
    assert job.targets == (tmp_path / "out/a.png",)
