"""The guiding options: parsed, keyed, written into the sidecar, obeyed by colorize, batch and redo."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from photochrom.batch import naming, plan
from photochrom.batch.coloring import Coloring, Task
from photochrom.batch.options import Options
from photochrom.cli import run
from photochrom.errors import GuidanceError
from photochrom.hints import load_hints
from photochrom.look import ReferencePhoto, load_palette

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A color picture: a red and a blue half with some texture."""
    rng = np.random.default_rng(0)
    rgb = rng.normal(0, 12, (64, 64, 3)) + 100
    rgb[:, :32] += (90, -40, -60)
    rgb[:, 32:] += (-60, -30, 90)
    path = tmp_path / "reference.png"
    Image.fromarray(rgb.clip(0, 255).astype(np.uint8)).save(path)
    return path


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


# --- options -----------------------------------------------------------------------------------


def test_flags_become_options_and_json_and_back(reference: Path) -> None:
    flags = {
        "reference": reference,
        "palette": "#7a2e1d,#3b5998",
        "keep_color": True,
        "proposals": 3,
        "seed": 7,
    }
    options = Options.from_flags(flags)
    assert options.palette == ("#7a2e1d", "#3b5998")
    document = json.loads(json.dumps(options.to_json()))
    assert document["reference"] == {"path": str(reference), "sha256": options.reference.sha256}
    assert Options.from_json(document) == options
    everything = json.loads(json.dumps(options.to_json(defaults=True)))
    assert Options.from_json(everything) == options
    plain = json.loads(json.dumps(Options().to_json(defaults=True)))
    assert Options.from_json(plain) == Options()


def test_each_of_them_changes_the_ledgers_key(reference: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(reference.read_bytes() + b" ")
    kinds = [
        Options(),
        Options(reference=ReferencePhoto.of(reference)),
        Options(reference=ReferencePhoto(reference, ReferencePhoto.of(other).sha256)),
        Options(palette=("#ff0000",)),
        Options(palette=("#00ff00",)),
        Options(keep_color=True),
        Options(proposals=2),
        Options(proposals=2, seed=1),
    ]
    assert len({options.fingerprint() for options in kinds}) == len(kinds)


@pytest.mark.parametrize("document", [5, "x", {}, {"path": 3}, {"path": "gone.png", "sha256": "0"}, ["a"]])
def test_a_sidecars_reference_that_cannot_be(document: object) -> None:
    with pytest.raises(GuidanceError):
        ReferencePhoto.from_json(document)


def test_a_reference_that_has_changed_is_not_used_silently(reference: Path) -> None:
    document = ReferencePhoto.of(reference).to_json()
    assert ReferencePhoto.from_json(document).path == reference
    reference.write_bytes(reference.read_bytes() + b" ")
    with pytest.raises(GuidanceError, match="is not the file that was used: put that one back"):
        ReferencePhoto.from_json(document)


def test_a_reference_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GuidanceError, match=r"the reference .*gone\.jpg cannot be read"):
        ReferencePhoto.of(tmp_path / "gone.jpg")


def test_a_palette_is_stored_as_colors_even_from_a_picture(reference: Path) -> None:
    colors = load_palette(str(reference))
    assert load_palette(list(colors)) == colors
    assert load_palette(()) == ()
    for bad in ("#zz0000", [5], ["mauve"], {"a": 1}):
        with pytest.raises(GuidanceError):
            load_palette(bad)


# --- files -------------------------------------------------------------------------------------


def test_names_of_proposals_are_never_taken_as_photos(tmp_path: Path) -> None:
    files = naming.proposal_files(tmp_path / "a", ".jpg", 3)
    assert [path.name for path in files.pictures] == [f"a.colorized.{n}.jpg" for n in (1, 2, 3)]
    assert len(files.all) == 7
    assert not any(naming.is_input_name(path.name) for path in files.all)


def test_proposals_are_planned_and_collide_like_any_result(photo: Callable[..., Path]) -> None:
    path = photo("a.png")
    jobs = plan.make(plan.find([path]), None, Options(proposals=2))
    assert len(jobs[0].targets) == 1 + 5


def test_proposals_are_written_with_hints_and_a_sheet(photo: Callable[..., Path], tmp_path: Path) -> None:
    options = Options(proposals=2, seed=3)
    (job,) = plan.to_file(
        plan.Source(photo("a.png"), tmp_path / "a.png"), tmp_path / "out/b.png", Options(proposals=2)
    )
    result = Coloring(options)(Task(job))
    assert result.status == "done", result.error
    assert job.proposals is not None
    first, second = (pixels(path) for path in job.proposals.pictures)
    assert (first != second).any()
    assert pixels(job.proposals.sheet).shape[1] > 2 * first.shape[1]
    again = Coloring(Options(hints=tuple(load_hints(job.proposals.hints[0]))))
    (other,) = plan.to_file(plan.Source(job.input, job.input), tmp_path / "out/c.png")
    assert again(Task(other)).status == "done"
    np.testing.assert_array_equal(pixels(tmp_path / "out/c.png"), first)


def test_one_reference_serves_a_whole_run(photo: Callable[..., Path], tmp_path: Path, reference) -> None:
    coloring = Coloring(Options(reference=ReferencePhoto.of(reference)))
    for number in range(2):
        path = photo(f"{number}.png", number, width=64, height=64)
        (job,) = plan.to_file(plan.Source(path, path), tmp_path / f"out/{number}.png")
        assert coloring(Task(job)).status == "done"


def test_a_faded_photo_is_not_told_that_its_color_is_dropped(reference: Path, tmp_path: Path) -> None:
    (job,) = plan.to_file(plan.Source(reference, reference), tmp_path / "b.png")
    dropped = Coloring(Options())(Task(job))
    assert "dropped" in " ".join(dropped.warnings)
    kept = Coloring(Options(keep_color=True))(Task(job, replace=True))
    assert kept.status == "done", kept.error
    assert "dropped" not in " ".join(kept.warnings)


# --- the command line --------------------------------------------------------------------------


def test_redo_makes_the_same_pixels(photo: Callable[..., Path], tmp_path: Path, reference: Path) -> None:
    path = photo("a.png", 2)
    asked = ["--reference", str(reference), "--palette", "#7a2e1d,#3b5998", "--proposals", "2", "--sidecar"]
    assert run(["colorize", str(path), *asked]) == 0
    assert run(["redo", str(tmp_path / "a.colorized.json"), "-o", str(tmp_path / "again.png")]) == 0
    for first, second in (("a.colorized.png", "again.png"), ("a.colorized.2.png", "again.colorized.2.png")):
        np.testing.assert_array_equal(pixels(tmp_path / first), pixels(tmp_path / second))


@pytest.mark.parametrize(
    ("flags", "code", "says"),
    [
        (["--palette", "mauve"], 2, "neither a color nor a picture"),
        (["--palette", ""], 2, "the palette is empty"),
        (["--palette", "#777777"], 2, "only greys"),
        (["--reference", "gone.jpg"], 2, "the reference gone.jpg cannot be read"),
        (["--proposals", "13"], 2, "13"),
        (["--keep-color"], 1, "no color of its own left"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(
    photo: Callable[..., Path], capfd, flags: list[str], code: int, says: str
) -> None:
    answer = run(["colorize", str(photo("a.png")), *flags])
    assert answer == code
    assert says in capfd.readouterr().err


def test_a_grey_reference_fails_with_advice(photo: Callable[..., Path], capfd) -> None:
    grey = photo("grey.png", 5)
    assert run(["colorize", str(photo("a.png")), "--reference", str(grey)]) == 1
    assert "choose a color photo" in capfd.readouterr().err


def test_proposals_need_files(photo: Callable[..., Path], capfd) -> None:
    assert run(["colorize", str(photo("a.png")), "-o", "-", "--proposals", "2"]) == 2
    assert "need files" in capfd.readouterr().err
