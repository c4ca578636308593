"""The self-contained graph against `render`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnxruntime
import pytest

from photochrom import Colorizer, read
from photochrom.cli import run
from photochrom.color import luminance, rgb_to_lab

if TYPE_CHECKING:
    from collections.abc import Callable

PHOTOS = sorted((Path(__file__).parents[2] / "examples/photos").glob("*.jpg"))


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("whole") / "photochrom.onnx"
    assert run(["export", "photochrom", str(target), "--whole"]) == 0
    return target


@pytest.fixture(scope="module")
def colored(graph: Path) -> Callable[[np.ndarray], np.ndarray]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    assert [(item.name, item.type) for item in session.get_inputs()] == [("image", "tensor(uint8)")]
    return lambda image: session.run(["colored"], {"image": image[None]})[0][0]


def difference(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    color = pytest.importorskip("skimage.color")
    return color.deltaE_ciede2000(rgb_to_lab(ours), rgb_to_lab(theirs))


@pytest.mark.parametrize("path", PHOTOS, ids=[path.stem for path in PHOTOS])
def test_the_examples_are_colored_as_render_does(path: Path, colored: Callable) -> None:
    rgb = read(path).rgb
    grey = rgb if rgb.ndim == 3 else np.repeat(rgb[..., None], 3, -1)
    found = difference(colored(grey), Colorizer(threads=1).prepare(grey).render().rgb)
    assert (found > 1).mean() < 5e-4  # where all three channels are rounded the other way
    assert found.max() < 2.5
    assert found.mean() < 0.002


@pytest.mark.parametrize(("height", "width"), [(40, 61), (300, 211), (97, 1600)])
def test_any_size_faded_and_in_a_tint(height: int, width: int, colored: Callable) -> None:
    random = np.random.default_rng(height)
    coarse = random.integers(90, 170, (5, 7, 3)).astype(np.uint8)
    tinted = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    found = colored(tinted)
    assert found.shape == tinted.shape
    expected = Colorizer(threads=1).prepare(tinted).render().rgb
    assert np.quantile(difference(found, expected), 0.98) < 1


def test_grey_keeps_its_luminance(colored: Callable) -> None:
    ramp = np.tile(np.linspace(0, 255, 200).astype(np.uint8), (120, 1))
    found = colored(np.repeat(ramp[..., None], 3, -1))
    assert np.abs(rgb_to_lab(found)[..., 0] - luminance(ramp)).max() < 0.3


def test_mistakes(graph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, code in (
        (["photochrom", str(graph)], 1),
        (["photochrom", str(tmp_path / "x.bin")], 2),
        (["nonesuch", str(tmp_path / "x.onnx")], 4),
        (["photochrom+photochrom", str(tmp_path / "x.onnx")], 1),
    ):
        assert run(["export", *words, "--whole"]) == code
        assert "Traceback" not in capsys.readouterr().err


def test_the_python_lines_of_the_docs(graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs/other-languages.md").read_text(encoding="utf-8")
    lines = page.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "colorize.onnx").write_bytes(graph.read_bytes())
    cv2.imwrite("photo.jpg", np.full((40, 50), 120, np.uint8))
    exec(compile(lines, "other-languages.md", "exec"), {})
    assert cv2.imread("colored.png").shape == (40, 50, 3)
