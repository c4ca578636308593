"""Two ranks under torchrun train what one rank with the doubled batch trains."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image

from photochrom.errors import DataError
from photochrom.training import checkpoints, finish
from photochrom.training import recipe as recipes
from photochrom.training.parallel import World, join, shards_of
from photochrom.training.run import RunOptions, train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np

CHANGES = ("samples.kind=affine", "samples.size=32", "schedule.epochs=0", "schedule.photos=24",
           "schedule.sheets=0", "data.validation=0.2")  # fmt: skip

# `photochrom` that names, at its end, the threads of the exchange that are still there. One that was
# still letting go of a tensor while Python ended has aborted the process.
WATCHED = """
import atexit, sys
from pathlib import Path
from photochrom.cli import main

def tell():
    names = sorted(path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm"))
    left = [name for name in names if "gloo" in name]
    sys.stderr.write(f"left {left}\\n")  # in one piece: both ranks write here

atexit.register(tell)
main()
"""


@pytest.fixture
def shards(tmp_path: Path, picture: Callable[..., np.ndarray]) -> Path:
    """Two tar shards of five photos."""
    root = tmp_path / "shards"
    root.mkdir()
    for number in range(2):
        with tarfile.open(root / f"{number}.tar", "w") as tar:
            for seed in range(5):
                coded = io.BytesIO()
                Image.fromarray(picture(10 * number + seed)).save(coded, "PNG")
                member = tarfile.TarInfo(f"a/{seed}.png")
                member.size = coded.tell()
                tar.addfile(member, io.BytesIO(coded.getvalue()))
    return root


def test_two_ranks_are_one_with_the_doubled_batch(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    program = tmp_path / "watched.py"
    program.write_text(WATCHED, encoding="utf-8")
    command += [str(program), "train", "alpha", "--data", str(shards), "--out", str(tmp_path / "two")]
    command += ["--threads", "1", "--set", "schedule.batch=2"]
    for change in CHANGES:
        command += ["--set", change]
    told = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},  # a rank that aborts says where
    )
    assert told.returncode == 0, told.stderr[-8000:]
    assert told.stderr.count("left []") == 2, told.stderr[-8000:]
    assert told.stdout.split() == [str(tmp_path / "two")]  # the first rank alone speaks
    caches = list((tmp_path / "two/cache").glob("*.json"))
    assert len(caches) == 2  # each rank decoded its own shard

    one = tmp_path / "one"
    monkeypatch.setattr(finish, "export", lambda *_: None)
    assert train(recipes.load("alpha", (*CHANGES, "schedule.batch=4")), shards, one)
    ours = checkpoints.load(one / "checkpoint.pt", torch.device("cpu"))
    theirs = checkpoints.load(tmp_path / "two/checkpoint.pt", torch.device("cpu"))
    assert ours["seen"] == theirs["seen"] == 24
    for name, value in ours["network"].items():
        torch.testing.assert_close(theirs["network"][name], value, rtol=1e-3, atol=2e-5)


def test_shards_are_split_where_they_divide_evenly() -> None:
    assert shards_of(World(1, 2), 14) == slice(1, None, 2)
    assert shards_of(World(1, 4), 14) == slice(None)
    assert shards_of(World(), 14) == slice(0, None, 1)
    everything = [range(14)[shards_of(World(rank, 7), 14)] for rank in range(7)]
    assert sorted(shard for shards in everything for shard in shards) == list(range(14))


def fail() -> None:
    raise DataError("there is nothing")


def test_a_single_process_needs_no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    world = join("cpu")
    assert (world, world.first) == (World(), True)
    values = [torch.ones(3), torch.zeros(2, 2)]
    world.average(values)
    assert world.share(lambda: "made") == "made"
    with pytest.raises(DataError, match="nothing"):
        world.share(fail)
    world.close()
    assert torch.equal(values[0], torch.ones(3))


def test_options_have_no_say_in_what_comes_out() -> None:
    assert {"device", "workers", "threads", "cache", "init", "resume"} == set(RunOptions().__dict__)
