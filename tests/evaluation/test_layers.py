"""What the room imports: torch in one file, nothing heavy before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import photochrom.evaluation

ROOM = Path(photochrom.evaluation.__file__).parent
FILES = sorted(ROOM.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """First names of all modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOM).as_posix())
def test_torch_is_in_one_file_and_the_web_framework_in_none(path: Path) -> None:
    names = imported(path)
    assert not names & {"fastapi", "starlette", "uvicorn", "onnxruntime"}
    if path.name != "features.py":
        assert not names & {"torch", "torchmetrics", "torchvision"}


@pytest.mark.parametrize(
    "module", ["metrics", "evaluator", "report", "charts", "study.design", "study.report", "hint_metrics"]
)
def test_importing_loads_nothing_heavy(module: str) -> None:
    heavy = "{'torch', 'sklearn', 'matplotlib', 'skimage', 'fastapi', 'scipy'}"
    code = f"import sys, photochrom.evaluation.{module}; print({heavy} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_the_style_sheet_and_the_study_page_are_in_the_package() -> None:
    assert (ROOM / "report.css").is_file()
    static = ROOM.parent / "server" / "study_static"
    assert {path.name for path in static.iterdir()} == {"index.html", "study.css", "study.js"}
