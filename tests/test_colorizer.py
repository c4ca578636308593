"""The engine on synthetic pictures and the examples, with the embedded model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000

from photochrom import Colorizer, Hint, Photo, read
from photochrom.color import LUMINANCE_WEIGHTS, linear_to_srgb, rgb_to_lab, srgb_to_linear
from photochrom.errors import HintError, OptionError, UnknownModel
from photochrom.models import load_network

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def colorizer():
    return Colorizer()


@pytest.fixture(scope="module")
def home(colorizer):
    return colorizer.prepare(read(EXAMPLES / "photos" / "dust-bowl-home.jpg"))


def grey_of(rgb):
    white = np.iinfo(rgb.dtype).max
    linear = srgb_to_linear(rgb.astype(np.float64) / white) @ LUMINANCE_WEIGHTS
    return linear_to_srgb(linear) * white


def two_objects(size=256):
    """A light and a dark disc on a middle ground, with a little texture."""
    y, x = np.mgrid[:size, :size]
    plane = np.full((size, size), 120.0)
    plane[np.hypot(y - 0.5 * size, x - 0.28 * size) < 0.18 * size] = 190
    plane[np.hypot(y - 0.5 * size, x - 0.72 * size) < 0.18 * size] = 60
    plane += np.random.default_rng(0).normal(0, 2, plane.shape)
    return plane.clip(0, 255).astype(np.uint8)


LIGHT, DARK = (0.28, 0.5), (0.72, 0.5)

# --- the picture -------------------------------------------------------------------------------


def test_the_sky_is_blue_and_the_shack_is_warm(home):
    lab = rgb_to_lab(home.render().rgb)
    height, width = lab.shape[:2]
    sky, shack = lab[: height // 6, width // 8 : width // 3], lab[330:440, 560:760]
    assert sky[..., 2].mean() < -5
    assert shack[..., 2].mean() > 3
    assert np.hypot(lab[..., 1], lab[..., 2]).mean() > 4


@pytest.mark.parametrize("vividness", [0, 0.5, 1])
def test_luminance_is_kept_everywhere(colorizer, vividness):
    plane = two_objects()
    hints = [Hint(*LIGHT, "#ff0000"), Hint(*DARK, "#0000ff", radius=0.1)]
    rendered = colorizer.prepare(plane).render(hints, vividness).rgb
    assert np.abs(grey_of(rendered) - plane).max() <= 0.5


def test_16_bits_stay_16_bits(colorizer):
    plane = (two_objects().astype(np.uint16) * 257) + 3
    rendered = colorizer.prepare(plane).render([Hint(*LIGHT, "#ff0000")])
    assert rendered.dtype == np.uint16
    assert np.abs(grey_of(rendered.rgb) - plane).max() <= 0.5


def test_a_sepia_photo_keeps_its_luminance_and_loses_its_tint(colorizer):
    plane = two_objects()
    sepia = np.stack([plane, plane * 0.9, plane * 0.7], axis=-1).astype(np.uint8)
    rendered = colorizer.prepare(sepia).render().rgb
    assert np.abs(grey_of(rendered) - grey_of(sepia)).max() <= 0.51
    grey = Image.fromarray(sepia).convert("L")
    assert not np.array_equal(rendered, sepia)
    assert grey.size == (256, 256)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (10, 2000), (2000, 10), (33, 31), (300, 217)])
def test_any_shape_gives_a_picture_of_that_shape(colorizer, shape):
    plane = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    plate = colorizer.prepare(plane)
    rendered = plate.render([Hint(0.5, 0.5, "#3060ff")]).rgb
    assert rendered.shape == (*shape, 3)
    assert np.abs(grey_of(rendered) - plane).max() <= 0.5
    assert plate.uncertainty().shape == tuple(n // 4 for n in plate.size)


def test_rows_are_the_whole(home):
    photo = home.render()
    whole = photo.rgb
    assert np.array_equal(photo.rows(100, 137), whole[100:137])


def test_twice_the_same(colorizer):
    plane = two_objects()
    first, second = (colorizer.prepare(plane).render([Hint(*LIGHT, "#aa3311")]).rgb for _ in range(2))
    assert np.array_equal(first, second)


def test_arrays_and_pil_images_are_photos(colorizer):
    plane = two_objects(64)
    rgb = np.repeat(plane[..., None], 3, axis=2)
    pictures = [
        colorizer.prepare(x).render().rgb
        for x in (plane, rgb, Image.fromarray(plane), Photo.from_array(plane))
    ]
    assert all(np.array_equal(pictures[0], other) for other in pictures[1:])


def test_preview_is_the_picture_at_a_small_size(home):
    preview = home.preview(side=400)
    assert preview.shape[1] == 400
    whole = home.render().rgb
    small = np.asarray(Image.fromarray(whole).resize(preview.shape[1::-1], Image.Resampling.BOX))
    difference = deltaE_ciede2000(rgb_to_lab(small), rgb_to_lab(preview))
    assert difference.mean() < 1.0


def test_vividness_raises_chroma(home):
    chroma = [np.hypot(*home.chroma(vividness=v).transpose(2, 0, 1)).mean() for v in (0, 0.5, 1)]
    assert chroma[0] < chroma[1] < chroma[2]


def test_same_colors_at_every_size(colorizer):
    """size_stability of EVALUATION.md on an example: ΔE2000 against the largest at most 2."""
    image = Image.open(EXAMPLES / "photos" / "nagasaki-boats.jpg").convert("L")
    results = []
    for short in (256, 512, 819):
        size = (round(image.width * short / image.height), short)
        rendered = colorizer.prepare(image.resize(size, Image.Resampling.BOX)).render().rgb
        results.append(
            rgb_to_lab(np.asarray(Image.fromarray(rendered).resize((320, 256), Image.Resampling.BOX)))
        )
    for other in results[:-1]:
        assert deltaE_ciede2000(other, results[-1]).mean() <= 2


# --- hints -------------------------------------------------------------------------------------


@pytest.mark.parametrize("vividness", [0, 0.5, 0.8, 1])
@pytest.mark.parametrize("color", ["#c03020", "#2050c0", "#208030", "#808080"])
@pytest.mark.parametrize("place", [LIGHT, DARK])
def test_a_hint_is_obeyed_at_its_place(colorizer, vividness, color, place):
    """Within ΔE2000 2 of what was asked, where the gamut allows it, at every vividness."""
    from photochrom.color import fit_gamut

    plane = two_objects()
    hint = Hint(*place, color)
    rendered = colorizer.prepare(plane).render([hint], vividness).rgb
    x, y = (int(n * 256) for n in place)
    got = rgb_to_lab(rendered[y - 1 : y + 2, x - 1 : x + 2]).reshape(-1, 3).mean(0)
    asked = fit_gamut(np.array([[got[0], *hint.ab]]))[0]
    assert deltaE_ciede2000(asked, got) <= 2


def test_a_hint_fills_its_object_and_leaves_the_other_alone(colorizer):
    plane = two_objects()
    plate = colorizer.prepare(plane)
    before, after = plate.chroma(), plate.chroma([Hint(*LIGHT, "#c03020", radius=0.02)])
    y, x = np.mgrid[:256, :256] / 256
    light = np.hypot(y - LIGHT[1], x - LIGHT[0]) < 0.14
    dark = np.hypot(y - DARK[1], x - DARK[0]) < 0.14
    moved = np.hypot(*(after - before).transpose(2, 0, 1))
    assert moved[light].mean() > 4 * moved[dark].mean()
    asked = np.hypot(*(np.array(Hint(0, 0, "#c03020").ab) - before[light].mean(0)))
    assert moved[light].mean() > 0.5 * asked


def test_more_hints_restore_more(colorizer):
    truth = np.asarray(Image.open(EXAMPLES / "astronaut.jpg").resize((256, 256), Image.Resampling.BICUBIC))
    plate = colorizer.prepare(read(EXAMPLES / "photos" / "astronaut.jpg"))
    lab = rgb_to_lab(truth)
    random = np.random.default_rng(0)
    errors = []
    for count in (0, 10, 100):
        hints = []
        for x, y in random.integers(3, 253, (count, 2)):
            mean = truth[y - 3 : y + 3, x - 3 : x + 3].reshape(-1, 3).mean(0).round().astype(int)
            hints.append(Hint(x / 256, y / 256, "#" + "".join(f"{c:02x}" for c in mean), radius=3 / 256))
        errors.append(np.sqrt(((plate.chroma(hints, 0) - lab[..., 1:]) ** 2).sum(-1)).mean())
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.6 * errors[0]


def test_a_new_hint_takes_one_pass(home, monkeypatch):
    passes = []
    run = home.network.session.run_many
    monkeypatch.setattr(home.network.session, "run_many", lambda *a, **k: (passes.append(1), run(*a, **k))[1])
    home.answer()
    passes.clear()
    home.preview([Hint(0.31, 0.47, "#805040")])
    assert len(passes) == 1


def test_a_hint_without_weight_changes_nothing(home):
    ignored = [Hint(0.4, 0.6, "#c02020", weight=0.0)]
    assert np.allclose(home.answer(ignored).logits, home.answer().logits, atol=1e-3)
    assert np.abs(home.chroma(ignored) - home.chroma()).max() < 0.2


def test_too_many_hints_and_strange_vividness(home):
    with pytest.raises(HintError, match="at most"):
        home.render([Hint(0.5, 0.5, "#fff")] * 5001)
    for value in (-0.1, 1.1, "much", True):
        with pytest.raises(OptionError, match="vividness"):
            home.render(vividness=value)


# --- readings ----------------------------------------------------------------------------------


def test_suggestions_are_colors_with_probabilities(home):
    found = home.suggest(0.5, 0.1, k=5)
    shares = [share for _, share in found]
    assert 2 <= len(found) <= 5
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1 + 1e-6
    assert len({color for color, _ in found}) == len(found)
    with pytest.raises(OptionError, match="place"):
        home.suggest(1.5, 0)


def test_uncertainty_falls_where_a_hint_is(home):
    before = home.uncertainty()
    after = home.uncertainty([Hint(0.5, 0.85, "#b09060", radius=0.05)])
    assert before.dtype == np.float32
    assert 0 <= before.min() <= before.max() <= 1
    row, column = int(0.85 * before.shape[0]), int(0.5 * before.shape[1])
    assert after[row, column] < before[row, column]


def test_distribution_sums_to_one(home):
    p, bins = home.answer().distribution
    assert p.shape == (len(bins), *(n // 4 for n in home.size))
    assert np.abs(p.sum(0) - 1).max() < 1e-4
    assert home.answer().features.shape[1:] == tuple(n // 16 for n in home.size)


# --- size and models ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((256, 256), (256, 256)), ((3000, 4000), (256, 352)), ((1, 1), (256, 256)), ((10, 20000), (256, 1024))],
)
def test_working_size(shape, expected):
    assert load_network("photochrom").working_size(*shape) == expected


def test_an_unknown_model_names_the_known_ones():
    with pytest.raises(UnknownModel, match="photochrom"):
        Colorizer("colourful")


def test_importing_and_coloring_loads_no_heavy_framework(tmp_path):
    """Neither `import photochrom` nor a coloring loads torch, the web framework or ray."""
    source = tmp_path / "in.png"
    Image.fromarray(two_objects(40)).save(source)
    code = (
        "import sys, photochrom\n"
        "assert 'numpy' not in sys.modules, 'import photochrom must stay light'\n"
        f"photochrom.colorize({str(source)!r}, {str(tmp_path / 'out.png')!r})\n"
        "heavy = {'torch', 'fastapi', 'starlette', 'ray', 'matplotlib', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with Image.open(tmp_path / "out.png") as colored:
        assert colored.size == (40, 40)
