"""What the first version wrote is still read: its ledgers, keys and sidecars (tests/batch/earlier)."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.batch.ledger import place, read_rows
from photochrom.batch.options import Options, digest
from photochrom.cli import run
from photochrom.models import find

EARLIER = Path(__file__).with_name("earlier")
HINTS = {
    "version": 1,
    "hints": [
        {"x": 0.3, "y": 0.4, "color": "#b02030"},
        {"x": 0.1, "y": 0.1, "color": "#3050b0", "radius": 0.05, "weight": 0.5, "path": [[0.5, 0.2]]},
    ],
}
FINGERPRINT = "37a1faad87b11fe83dcb68640b6fbd2198cd33307bb9e048249cd94a78f0bf41"
PLAIN, OTHER_IDEAS = (
    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "90b6e644c1fd57775d0f702ad7db2ee3c62a98fe2592dd9df954f8d1bc7d563b",
)
ASKED = [
    *("--vividness", "0.6", "--palette", "#7a2e1d,#3b5998", "--depth", "16", "--subsampling", "4:4:4"),
    *("--quality", "90", "--profile", "input", "--strip", "--no-mark", "--sidecar", "--layer", "png"),
]
TODAY = find("photochrom")[1].sha256


@pytest.fixture
def earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a batch of the first version, as if today's model had made it."""
    shutil.copytree(EARLIER, tmp_path, dirs_exist_ok=True)
    with sqlite3.connect(place(tmp_path / "asked")) as database:
        for output, sha256 in database.execute("SELECT output, input_sha256 FROM jobs").fetchall():
            key = digest({"input": sha256, "model": TODAY, "options": FINGERPRINT})
            database.execute("UPDATE jobs SET key = ? WHERE output = ?", (key, output))
    database.close()
    for sidecar in tmp_path.rglob("*.colorized.json"):
        told = json.loads(sidecar.read_text())
        sidecar.write_text(json.dumps({**told, "model_sha256": TODAY}))
    (tmp_path / "hints.json").write_text(json.dumps(HINTS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_keys_of_options_are_those_of_the_first_version() -> None:
    assert Options().fingerprint() == PLAIN
    assert Options(seed=3, proposals=2, sidecar=True).fingerprint() == OTHER_IDEAS


def test_a_batch_goes_on_with_the_ledger(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["batch", "scans", "asked", "--hints", "hints.json", *ASKED, "--json"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [one["status"] for one in found] == ["skipped", "skipped"]


def test_other_options_replace_what_the_first_version_wrote(earlier: Path) -> None:
    before = (earlier / "asked/b.png").read_bytes()
    with sqlite3.connect(place(earlier / "asked")) as database:
        database.execute("UPDATE jobs SET input = ? || '/' || 'scans/' || output", (str(earlier),))
    database.close()
    assert run(["batch", "scans", "asked", "--sidecar"]) == 0
    assert (earlier / "asked/b.png").read_bytes() != before
    assert {row.status for row in read_rows(place(earlier / "asked"))} == {"done"}


def test_redo_makes_the_picture_of_an_earlier_sidecar(earlier: Path) -> None:
    sidecar = earlier / "asked/box/a.colorized.json"
    photo = earlier / "scans/box/a.png"
    assert run(["redo", str(sidecar), "--input", str(photo), "-o", "again.png"]) == 0
    assert run(["colorize", str(photo), "-o", "now.png", "--hints", "hints.json", *ASKED]) == 0
    again, now = (np.asarray(Image.open(name)) for name in ("again.png", "now.png"))
    assert np.array_equal(again, now)
