"""docs/architecture.md names the files there are, and the way of a photo is the one that it takes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

import photochrom
from photochrom.batch.coloring import Coloring, Task
from photochrom.batch.options import Options
from photochrom.batch.plan import Job

if TYPE_CHECKING:
    from types import FrameType

SOURCE = Path(photochrom.__file__).parent
PAGE = (Path(__file__).parents[1] / "docs/architecture.md").read_text(encoding="utf-8")
WAY = [
    ("photo/reading.py", "read"),
    ("prepared.py", "PreparedPhoto.__init__"),
    ("guidance/__init__.py", "guidance_of"),
    ("prepared.py", "PreparedPhoto.colors"),
    ("models/network.py", "Network.answer"),
    ("upsample.py", "GuidedFilter.fit"),
    ("provenance.py", "write_colored"),
    ("photo/writing.py", "write"),
    ("color.py", "merge_into"),
]


def test_every_file_on_the_page_is_there() -> None:
    named = set(re.findall(r"`([a-z0-9_/]+\.py)`", PAGE))
    assert len(named) > 20
    there = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")}
    assert [name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in there)] == []


def test_every_room_is_on_the_page() -> None:
    files = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"}
    rooms = files | {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert [room for room in sorted(rooms) if not re.search(rf"\b{room}\b", PAGE)] == []


def test_a_photo_passes_each_place_of_its_way_once_in_order(tmp_path: Path) -> None:
    source = tmp_path / "scan.tif"
    Image.fromarray(np.tile(np.arange(200, dtype=np.uint8), (160, 1))).save(source)
    color, passed = Coloring(Options(vividness=0.4), threads=1), []

    def watch(frame: FrameType, event: str, _: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(SOURCE):
            place = path.relative_to(SOURCE).as_posix(), frame.f_code.co_qualname
            if place in WAY:
                passed.append(place)

    sys.setprofile(watch)
    try:
        result = color(Task(Job(source, tmp_path / "out.tif")))
    finally:
        sys.setprofile(None)
    assert result.status == "done"
    assert passed == WAY
