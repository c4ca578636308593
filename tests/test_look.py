"""A look: one value, one JSON form, what earlier versions wrote, and what a plate makes of it."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom import Colorizer, Hint, Look, Photo
from photochrom.errors import GuidanceError, HintError, OptionError
from photochrom.look import MAX_SEED, ReferencePhoto

if TYPE_CHECKING:
    from pathlib import Path

colors = (
    st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}").filter(lambda c: len({c[1:3], c[3:5], c[5:]}) > 2)
)
hints = st.builds(Hint, st.floats(0, 1), st.floats(0, 1), colors, weight=st.floats(0, 1))
looks = st.builds(
    Look,
    st.lists(hints, max_size=3).map(tuple),
    st.none() | st.floats(0, 1),
    palette=st.sampled_from([(), ("#7a2e1d",), ("#7a2e1d", "#3b5998")]),
    keep_color=st.booleans(),
    proposals=st.integers(0, 12),
    seed=st.integers(0, MAX_SEED),
    model=st.sampled_from(["photochrom", "run"]),
)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "red.png"
    Image.fromarray(np.full((40, 60, 3), (200, 40, 40), np.uint8)).save(path)
    return path


@given(looks, st.booleans())
def test_there_and_back(look: Look, defaults: bool) -> None:
    document = json.loads(json.dumps(look.to_json(defaults=defaults)))
    assert Look.from_json(document) == look
    assert defaults or set(document) <= {item.name for item in fields(Look)}


def test_nothing_asked_is_an_empty_document() -> None:
    assert Look().to_json() == {}
    assert Look.from_json({}) == Look()


def test_a_look_is_a_value(picture: Path) -> None:
    look = Look([Hint(0.5, 0.5, "#aa3311")], reference=picture, palette="#7a2e1d, 3b5998")
    assert look.palette == ("#7a2e1d", "#3b5998")
    assert isinstance(look.reference, ReferencePhoto)
    assert hash(look) == hash(Look(look.hints, reference=str(picture), palette=look.palette))
    with pytest.raises(FrozenInstanceError):
        look.seed = 3  # type: ignore[misc]


def test_the_options_of_an_earlier_sidecar_and_a_hints_file(picture: Path) -> None:
    """As version 0.1.0 wrote them: everything, null where nothing was asked, hints as a hints file."""
    written = {
        "hints": {"version": 1, "hints": [{"x": 0.3, "y": 0.2, "color": "#6a8fbf"}]},
        "vividness": 0.35,
        "reference": {"path": str(picture), "sha256": ReferencePhoto.of(picture).sha256},
        "palette": ["#7a2e1d"],
        "keep_color": False,
        "proposals": 0,
        "seed": 0,
        "model": "photochrom",
    }
    look = Look.from_json(written)
    assert look.hints == (Hint(0.3, 0.2, "#6a8fbf"),)
    assert look.reference == ReferencePhoto.of(picture)
    assert Look.from_json({**written, "reference": None}).reference is None
    assert Look.from_json(written["hints"]) == Look(look.hints)


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ([], "must be an object"),
        ({"colour": 1}, "colour is not known"),
        ({"vividness": 2}, "vividness must be at least 0.0 and at most 1.0"),
        ({"vividness": "much"}, "vividness must"),
        ({"proposals": 13}, "proposals must"),
        ({"proposals": True}, "proposals must"),
        ({"seed": -1}, "seed must"),
        ({"seed": 0.5}, "seed must"),
        ({"keep_color": 1}, "keep_color must"),
        ({"palette": 5}, "palette"),
        ({"palette": ["#777777"]}, "greys"),
        ({"hints": []}, "version"),
        ({"reference": {"path": "gone.png", "sha256": "0"}}, "cannot be read"),
        ({"reference": "gone.png"}, "reference"),
    ],
)
def test_a_document_that_makes_no_sense_names_its_fault(document: object, word: str) -> None:
    with pytest.raises(OptionError, match=word):
        Look.from_json(document)


def test_a_reference_in_memory_is_used_and_cannot_be_written_down(picture: Path) -> None:
    photo = Photo.from_array(np.full((64, 64, 3), (200, 40, 40), np.uint8))
    look = Look(reference=photo)
    assert look.reference.load().photo is photo
    with pytest.raises(GuidanceError, match="save it"):
        look.to_json()


# --- what a plate makes of it --------------------------------------------------------------------


@pytest.fixture(scope="module")
def plate():
    y, x = np.mgrid[:128, :160]
    plane = (120 + 60 * np.sin(x / 19) + 40 * np.cos(y / 23)).clip(0, 255).astype(np.uint8)
    return Colorizer(threads=1).prepare(plane)


def test_hints_and_vividness_are_those_of_render(plate) -> None:
    hint = Hint(0.3, 0.4, "#a03020", radius=0.03)
    colored = plate.color(Look((hint,), 0.6))
    assert colored.hints == (hint,)
    assert np.array_equal(colored.preview(128), plate.preview([hint], 0.6, 128))
    assert np.array_equal(colored.photo().rgb, plate.render([hint], 0.6).rgb)
    assert np.array_equal(colored.chroma, plate.chroma([hint], 0.6))
    assert colored.suggest(0.3, 0.4, 2) == plate.suggest(0.3, 0.4, 2, [hint])
    assert np.array_equal(colored.uncertainty(), plate.uncertainty([hint]))


def test_a_hint_with_the_color_that_a_place_has_is_that_color(plate) -> None:
    colored = plate.color(Look())
    ab = Hint(0, 0, colored.color_at(0.5, 0.5)).ab
    assert np.hypot(*(colored.chroma[plate.size[0] // 2, plate.size[1] // 2] - ab)) < 1.5
    with pytest.raises(OptionError, match="place"):
        colored.color_at(1.5, 0)


def test_as_many_ideas_as_asked_and_its_hints_stay_last(plate) -> None:
    hint = Hint(0.1, 0.1, "#a03020")
    assert plate.color(Look()).proposals() == []
    ideas = plate.color(Look((hint,), proposals=3, seed=5)).proposals()
    assert len(ideas) == 3
    assert all(idea.hints[-1] == hint for idea in ideas)
    again = plate.color(Look((hint,), proposals=3, seed=5)).proposals()
    assert [idea.hints for idea in again] == [idea.hints for idea in ideas]


def test_a_reference_is_prepared_once(plate, picture: Path) -> None:
    look = Look(reference=picture)
    for _ in range(2):
        plate.color(look)
    assert list(look.reference.prepared) == [plate.network]


def test_borders_are_bounded() -> None:
    """Each costs the colors of the whole photo once more: thousands held a server's worker for minutes."""
    hints = [Hint(0.5, 0.5, "#6a8fbf", within=((0.1, 0.1), (0.9, 0.1), (n / 300, 0.9))) for n in range(200)]
    assert len(Look(hints[:100] * 3).hints) == 300
    with pytest.raises(HintError, match=r"200 different borders .* at most 100"):
        Look(hints)
