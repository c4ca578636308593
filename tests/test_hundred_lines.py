"""The article's promise: from picture to picture in a hundred lines, run as a reader would run it."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.color import luminance, neutralize

SCRIPT = Path(__file__).parent.parent / "examples/hundred_lines.py"
PHOTO = SCRIPT.with_name("astronaut.jpg")
LOSS = re.compile(r"^epoch (\d+)/40  loss (\d\.\d+)$", re.MULTILINE)

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")


def test_it_is_at_most_a_hundred_lines_and_none_is_long() -> None:
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 110
    statements = [node.lineno for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.stmt)]
    assert len(statements) == len(set(statements))  # one a line: short by being simple, not by cramming


def test_it_colors_the_photo_it_has_seen(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(SCRIPT),
        str(PHOTO),
        "--epochs",
        "40",
        "--side",
        "96",
        "--out",
        str(tmp_path),
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    losses = [float(loss) for _, loss in LOSS.findall(told)]
    assert len(losses) == 40
    assert losses[-1] < 0.75 * losses[0]
    assert re.search(r"^evaluation: loss 0\.\d+$", told, re.MULTILINE)

    result = np.asarray(Image.open(tmp_path / "img_result.png"))
    grey = np.asarray(Image.open(tmp_path / "img_gray_scale.png"))
    assert result.shape == (96, 96, 3)
    assert grey.shape == (96, 96)
    assert np.abs(result.astype(int) - result.mean(-1, keepdims=True)).mean() > 2
    kept = luminance(neutralize(result)) - luminance(neutralize(grey))
    assert float(np.abs(kept).max()) < 1.0


def test_its_network_is_alpha() -> None:
    from photochrom.training.networks.seed import AB_RANGE, Alpha

    script = runpy.run_path(str(SCRIPT))
    torch.manual_seed(3)
    theirs, ours = script["network"](), Alpha()
    weights = dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True))
    ours.load_state_dict(weights)
    light = torch.rand(1, 1, 24, 40) * 100
    with torch.no_grad():
        torch.testing.assert_close(ours(light), theirs(light) * AB_RANGE, atol=1e-4, rtol=1e-4)
