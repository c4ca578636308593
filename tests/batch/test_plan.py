"""The plan: the same every time, complete, and nothing in anything's way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.batch import plan
from photochrom.batch.options import Options
from photochrom.errors import OptionError, PhotoError

if TYPE_CHECKING:
    import random

FOLDER_NAMES = st.sampled_from(["", "a", "a/b", "c", "c d"])
FILE_NAMES = st.sampled_from(
    ["1.jpg", "2.png", "x.tif", "X.tif", "z.webp", "1.colorized.jpg", "n.txt", ".h.jpg"]
)


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(str(path).encode())


def outputs(jobs: list[plan.Job]) -> list[Path]:
    return [job.output for job in jobs]


@settings(max_examples=30, deadline=None)
@given(st.sets(st.tuples(FOLDER_NAMES, FILE_NAMES), min_size=1), st.randoms())
def test_a_tree_is_kept_in_a_fixed_order(tmp_path_factory, files: set, rng: random.Random) -> None:
    root = tmp_path_factory.mktemp("tree")
    made = [Path(folder) / name for folder, name in files]
    rng.shuffle(made)
    touch(*(root / path for path in made))
    wanted = {
        p for p in made if p.suffix != ".txt" and not p.name.startswith(".") and ".colorized." not in p.name
    }
    if not wanted:
        with pytest.raises(PhotoError):
            plan.find([root])
        return
    found = plan.find([root])
    assert [source.place for source in found] == [source.place for source in plan.find([root])]
    assert {source.place for source in found} == wanted
    assert len(found) == len(wanted)
    jobs = plan.make(found, Path("out"))
    assert {job.output for job in jobs} == {Path("out") / place for place in wanted}


def test_without_an_output_folder_results_lie_beside(tmp_path: Path) -> None:
    touch(tmp_path / "s/a.jpg", tmp_path / "s/b.gif")
    jobs = plan.make(plan.find([tmp_path]), None)
    assert outputs(jobs) == [tmp_path / "s/a.colorized.jpg", tmp_path / "s/b.colorized.png"]


def test_each_photo_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "s/b.jpg")
    found = plan.find([tmp_path / "a.jpg", tmp_path, tmp_path / "s/../a.jpg"])
    assert len(found) == 2


def test_the_output_folder_is_not_searched(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "out/a.jpg")
    assert [source.place for source in plan.find([tmp_path], skip=tmp_path / "out")] == [Path("a.jpg")]


def test_a_linked_folder_is_not_entered_and_a_linked_photo_is_taken(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.jpg", tmp_path / "else/b.jpg")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in/link.jpg").symlink_to(tmp_path / "else/b.jpg")
    assert [str(source.place) for source in plan.find([tmp_path / "in"])] == ["a.jpg", "link.jpg"]


def test_globs_keep_what_lies_below_their_fixed_part(tmp_path: Path) -> None:
    touch(tmp_path / "in/x/a.jpg", tmp_path / "in/y/b.jpg", tmp_path / "in/y/c.png", tmp_path / "in/y/c.txt")
    found = plan.find([f"{tmp_path}/in/**/*.jpg"])
    assert [str(source.place) for source in found] == ["x/a.jpg", "y/b.jpg"]
    assert [str(source.place) for source in plan.find([f"{tmp_path}/in/y*"])] == ["y/b.jpg", "y/c.png"]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(tmp_path: Path) -> None:
    touch(tmp_path / "a[1].jpg")
    assert [source.path for source in plan.find([tmp_path / "a[1].jpg"])] == [tmp_path / "a[1].jpg"]


def test_a_list_keeps_relative_folders_and_strips_roots(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "box/a.jpg", tmp_path / "b.jpg")
    (tmp_path / "list.txt").write_text(f"box/a.jpg\n\n{tmp_path}/b.jpg\nbox/../b.jpg\n")
    found = plan.find(["list.txt"], lists=True)
    below_root = tmp_path.relative_to(tmp_path.anchor)
    assert [source.place for source in found] == [Path("box/a.jpg"), below_root / "b.jpg"]
    with pytest.raises(PhotoError):
        plan.find(["nothing*.jpg"])


def test_only_batch_reads_lists(tmp_path: Path) -> None:
    touch(tmp_path / "list.txt")
    assert plan.find([tmp_path / "list.txt"])[0].path == tmp_path / "list.txt"


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"missing\.txt"):
        plan.find([tmp_path / "missing.txt"], lists=True)


def test_a_missing_photo_is_planned_so_that_it_fails_by_name(tmp_path: Path) -> None:
    assert plan.find([tmp_path / "gone.jpg"])[0].path == tmp_path / "gone.jpg"


def test_a_folder_that_cannot_be_listed_is_planned_so_that_it_fails_by_name(
    tmp_path: Path, monkeypatch
) -> None:
    touch(tmp_path / "in/a.jpg", tmp_path / "in/locked/b.jpg")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert [source.path.name for source in plan.find([tmp_path / "in"])] == ["a.jpg", "locked"]


def test_a_folder_without_photos(tmp_path: Path) -> None:
    touch(tmp_path / "readme.txt")
    with pytest.raises(PhotoError, match="no photo in"):
        plan.find([tmp_path])


def test_names_that_collide_are_all_told(tmp_path: Path) -> None:
    touch(tmp_path / "a.gif", tmp_path / "a.bmp", tmp_path / "b.gif", tmp_path / "b.png")
    with pytest.raises(OptionError) as caught:
        plan.make(plan.find([tmp_path]), tmp_path / "out")
    assert "a.bmp" in str(caught.value)
    assert "a.gif" in str(caught.value)
    assert "b.png" in str(caught.value)


def test_two_photos_of_one_name_from_two_folders_collide(tmp_path: Path) -> None:
    touch(tmp_path / "x/a.jpg", tmp_path / "y/a.jpg")
    with pytest.raises(OptionError, match="would both become"):
        plan.make(plan.find([tmp_path / "x/a.jpg", tmp_path / "y/a.jpg"]), tmp_path / "out")


def test_thousands_of_collisions_are_not_all_printed(tmp_path: Path) -> None:
    sources = [plan.Source(Path(f"{n}.jpg"), Path("same.jpg")) for n in range(1000)]
    with pytest.raises(OptionError, match="and 989 more"):
        plan.make(sources, tmp_path)


@pytest.mark.parametrize("link", ["symbolic", "hard", "same"])
def test_a_result_never_takes_the_place_of_a_photo(tmp_path: Path, link: str) -> None:
    photo, out = tmp_path / "in/a.jpg", tmp_path / "out"
    touch(photo)
    out.mkdir()
    if link == "symbolic":
        (out / "a.jpg").symlink_to(photo)
    elif link == "hard":
        (out / "a.jpg").hardlink_to(photo)
    else:
        out = tmp_path / "in"
    with pytest.raises(OptionError, match="never replaced"):
        plan.make(plan.find([photo]), out)


def test_into_a_file(tmp_path: Path) -> None:
    touch(tmp_path / "a.tif")
    source = plan.find([tmp_path / "a.tif"])[0]
    (job,) = plan.to_file(source, tmp_path / "b.jpg", Options(sidecar=True, layer="png"))
    assert job.output == tmp_path / "b.jpg"
    assert job.targets[1:] == (tmp_path / "b.colorized.json", tmp_path / "b.colorized.layer.png")
    with pytest.raises(OptionError, match="GIF"):
        plan.to_file(source, tmp_path / "b.gif")
    with pytest.raises(OptionError, match="never replaced"):
        plan.to_file(source, tmp_path / "a.tif")


def test_sidecars_of_photos_that_share_a_stem_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "a.tif", tmp_path / "b.jpg")
    jobs = plan.make(plan.find([tmp_path]), tmp_path / "out", Options(sidecar=True))
    names = [job.sidecar.name for job in jobs if job.sidecar]
    assert names == ["a.jpg.colorized.json", "a.tif.colorized.json", "b.colorized.json"]
    jobs = plan.make(plan.find([tmp_path]), None, Options(sidecar=True))
    assert [job.sidecar.name for job in jobs if job.sidecar] == names


@pytest.mark.parametrize(("platform", "collide"), [("linux", False), ("darwin", True), ("win32", True)])
def test_names_that_differ_by_case_collide_where_the_system_ignores_it(
    monkeypatch, platform: str, collide: bool
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    jobs = [plan.Job(Path(f"in/{n}"), Path("out") / name) for n, name in enumerate(["a.jpg", "A.JPG"])]
    if collide:
        with pytest.raises(OptionError):
            plan.check(jobs)
    else:
        plan.check(jobs)


# --- what folders hold besides ----------------------------------------------------------------------


def names(sources: list[plan.Source]) -> list[str]:
    return [source.place.as_posix() for source in sources]


def test_every_picture_is_taken_or_left_out_with_its_reason(tmp_path: Path) -> None:
    """In silence before: raw files, Photoshop documents, portable grey maps."""
    heads = {
        "a.jpg": b"\xff\xd8\xff\xe0",
        "b.dng": b"II*\0",
        "c.psd": b"8BPS\0\1",
        "d.jxl": b"\xff\x0a",
        "e.pdf": b"%PDF-1.7",
        "noname": b"\x89PNG\r\n\x1a\n",
        "a.jpg_original": b"\xff\xd8\xff\xe0",
        "notes.txt": b"hello",
        ".hidden.psd": b"8BPS\0\1",
        "x.colorized.layer.psd": b"8BPS\0\1",
    }
    for name, head in heads.items():
        (tmp_path / name).write_bytes(head)
    search = plan.Search()
    assert names(plan.find([tmp_path], search=search)) == ["a.jpg"]
    told = {Path(path).name: reason for path, reason in search.left_out.items()}
    assert sorted(told) == ["a.jpg_original", "b.dng", "c.psd", "d.jxl", "e.pdf", "noname"]
    assert "raw" in told["b.dng"]
    assert "Photoshop" in told["c.psd"]
    assert told["noname"] == "PNG by its content, not by its name: rename it, or give it by name"


def test_a_folder_without_a_photo_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "c.psd").write_bytes(b"8BPS\0\1")
    with pytest.raises(PhotoError, match=r"no photo in .*left out: .*c\.psd: this is a Photoshop document"):
        plan.find([tmp_path])


def test_thumbnails_of_storage_systems_are_no_photos(tmp_path: Path) -> None:
    for folder in ("@eaDir", "box/@eaDir", "#recycle", "lost+found", "$RECYCLE.BIN", "box/@__thumb"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "thumb.jpg").write_bytes(b"")
    (tmp_path / "box/a.jpg").write_bytes(b"")
    search = plan.Search()
    assert names(plan.find([tmp_path], search=search)) == ["box/a.jpg"]
    assert search.left_out.keys() >= {"folders named @eaDir", "folders named lost+found"}


@pytest.mark.parametrize(
    ("globs", "left"),
    [
        (("*.gif",), ["a.jpg", "drafts/b.jpg", "drafts/deep/c.jpg"]),
        (("drafts",), ["a.jpg", "x.gif"]),
        (("drafts/*",), ["a.jpg", "x.gif"]),
        (("deep", "a.*"), ["drafts/b.jpg", "x.gif"]),
    ],
)
def test_exclude(tmp_path: Path, globs: tuple[str, ...], left: list[str]) -> None:
    for name in ("a.jpg", "x.gif", "drafts/b.jpg", "drafts/deep/c.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert names(plan.find([tmp_path], search=plan.Search(globs))) == left


def test_links_to_folders_are_named_or_followed_once(tmp_path: Path) -> None:
    (tmp_path / "in/box").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in/box/a.jpg").write_bytes(b"")
    (tmp_path / "elsewhere/b.jpg").write_bytes(b"")
    (tmp_path / "in/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/again").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/box/back").symlink_to(tmp_path / "in")
    (tmp_path / "elsewhere/round").symlink_to(tmp_path / "elsewhere")
    search = plan.Search()
    assert names(plan.find([tmp_path / "in"], search=search)) == ["box/a.jpg"]
    assert [Path(path).name for path in search.left_out] == ["again", "back", "link"]
    assert all("--follow-links" in reason for reason in search.left_out.values())
    followed = plan.Search(follow_links=True)
    assert names(plan.find([tmp_path / "in"], search=followed)) == ["again/b.jpg", "box/a.jpg"]


@pytest.mark.skipif(os.name != "posix", reason="named pipes are made by mkfifo")
def test_a_named_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tif")
    os.mkfifo(tmp_path / "plain")
    (tmp_path / "b.jpg").write_bytes(b"")
    search = plan.Search()
    assert names(plan.find([tmp_path], search=search)) == ["b.jpg"]
    assert search.left_out == {str(tmp_path / "a.tif"): "a pipe or device, not a file"}
    (job,) = plan.make(plan.find([tmp_path / "a.tif"]), tmp_path / "out")
    assert job.output.name == "a.tif"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_lists_in_the_encodings_of_windows(tmp_path: Path, encoding: str) -> None:
    text = "box/Großmutter.jpg\r\n\r\nb c.png\r\n"
    boms = {"utf-16-le-bom": b"\xff\xfe", "utf-16-be-bom": b"\xfe\xff"}
    data = boms.get(encoding, b"") + text.encode(encoding.removesuffix("-bom"))
    (tmp_path / "list.txt").write_bytes(data)
    found = plan.find([tmp_path / "list.txt"], lists=True)
    assert names(found) == ["box/Großmutter.jpg", "b c.png"]


@pytest.mark.parametrize("data", [b"\xff\xfea", "a.jpg\n".encode("utf-16-le"), b"\xff\xd8\xff\xe0\0\x10JFIF"])
def test_a_list_that_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "list.txt").write_bytes(data)
    with pytest.raises(OptionError, match="save it as text"):
        plan.find([tmp_path / "list.txt"], lists=True)


def test_a_file_that_goes_away_while_its_folder_is_searched_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "upload.tmp").write_bytes(b"part of a photo")
    with os.scandir(tmp_path) as entries:
        (entry,) = entries
    (tmp_path / "upload.tmp").unlink()
    search = plan.Search()
    assert not search.takes_file(entry)
    assert search.left_out == {}


def test_an_empty_name_is_not_the_current_folder() -> None:
    with pytest.raises(OptionError, match="empty"):
        plan.find([""])
