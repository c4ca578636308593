"""Ray's actors as workers, on a real cluster of two nodes on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from photochrom.batch.cluster import Cluster
from photochrom.batch.coloring import Coloring, Task
from photochrom.batch.options import Options
from photochrom.batch.plan import find, make
from photochrom.batch.pool import Lost
from photochrom.batch.runner import Settings
from photochrom.batch.store import Folder, open_store
from photochrom.batch.transfer import Transfer
from photochrom.batch.verify import verify_store as verify
from photochrom.errors import ModelError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one processor each."""
    from ray.cluster_utils import Cluster as Nodes

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    nodes = Nodes(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "object_store_memory": 80 << 20,
            "include_dashboard": False,
        },
    )
    nodes.add_node(num_cpus=1, object_store_memory=80 << 20)
    ray.init(address=nodes.address, log_to_driver=False)
    try:
        yield nodes
    finally:
        ray.shutdown()
        nodes.shutdown()


class Work:
    """A worker that does as the task says."""

    def __init__(self, folder: str):
        self.folder = folder

    def __call__(self, task: str) -> str:
        what, _, name = task.partition(" ")
        attempts = os.path.join(self.folder, name)  # noqa: PTH118
        with open(attempts, "a") as file:  # noqa: PTH123
            file.write(".")
        if what == "die" or (what == "die-once" and os.path.getsize(attempts) == 1):  # noqa: PTH202
            os._exit(9)
        if what == "where":
            return " ".join(
                os.environ.get(name, "-") for name in ("CUDA_VISIBLE_DEVICES", "PHOTOCHROM_PROVIDER")
            )
        if what == "hang":
            time.sleep(600)
        if what == "bug":
            raise ValueError("a bug")
        return task


def through(folder: Path, tasks: list[str], **settings: Any) -> dict[str, object]:
    workers: Cluster[str, str] = Cluster(partial(Work, str(folder)), **settings)
    try:
        return dict(workers.run(tasks))
    finally:
        workers.close()


@pytest.mark.usefixtures("cluster")
def test_every_task_is_done_once(tmp_path: Path) -> None:
    tasks = [f"do {number}" for number in range(40)]
    assert through(tmp_path, tasks) == {task: task for task in tasks}
    assert {len((tmp_path / str(number)).read_text()) for number in range(40)} == {1}


@pytest.mark.usefixtures("cluster")
def test_a_death_costs_another_attempt_and_three_the_photo(tmp_path: Path) -> None:
    found = through(tmp_path, ["do a", "die-once b", "die c", "do d", "bug e", "do f"])
    assert {task: found[task] for task in ("do a", "die-once b", "do d", "do f")} == {
        task: task for task in ("do a", "die-once b", "do d", "do f")
    }
    assert isinstance(found["die c"], Lost)
    assert "3 times" in found["die c"].reason
    assert isinstance(found["bug e"], Lost)
    assert "a bug" in found["bug e"].reason


@pytest.mark.usefixtures("cluster")
def test_what_takes_too_long_is_given_up(tmp_path: Path) -> None:
    found = through(tmp_path, ["hang a", *(f"do {number}" for number in range(6))], timeout=5.0)
    assert isinstance(found["hang a"], Lost)
    assert "longer than 5 seconds" in found["hang a"].reason
    assert all(found[f"do {number}"] == f"do {number}" for number in range(6))


@pytest.mark.usefixtures("cluster")
def test_tasks_are_drawn_as_there_is_room(tmp_path: Path) -> None:
    drawn = 0

    def tasks() -> Iterator[str]:
        nonlocal drawn
        for number in range(30):
            drawn += 1
            yield f"do {number}"

    workers: Cluster[str, str] = Cluster(partial(Work, str(tmp_path)))
    for done, _ in enumerate(workers.run(tasks()), 1):
        assert drawn <= done + 4  # two actors with one waiting each
    workers.close()


@pytest.mark.usefixtures("cluster")
def test_a_batch_is_the_local_one(photo: Callable[..., Path], tmp_path: Path, aws: str) -> None:
    stores = Folder(str(tmp_path / "made")), open_store(f"s3://bucket/{tmp_path.name}")
    for seed, name in enumerate(("a.png", "b/c.jpg", "b/d.tif", "e.gif")):
        photo(f"made/{name}", seed)
    (tmp_path / "made/bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
    transfer = Transfer(Options(mark=False), Settings(), *stores)
    found = list(transfer.results(transfer.cluster()))
    assert sorted(result.status for result in found) == ["done"] * 4 + ["failed"]
    coloring = Coloring(Options(mark=False))
    for job in make(find([tmp_path / "made"]), tmp_path / "local"):
        if coloring(Task(job)).status == "done":
            key = job.output.relative_to(tmp_path / "local").as_posix()
            assert stores[1].read(key)[0] == job.output.read_bytes()
    assert [
        finding.problem
        for finding in verify(*reversed(stores))
        if finding.problem and "failed" not in finding.problem
    ] == []


def test_a_node_may_go(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
    workers: Cluster[str, str] = Cluster(partial(Work, str(tmp_path)), workers=3)
    found = {}
    for number, (task, answer) in enumerate(workers.run(f"do {n}" for n in range(60))):
        found[task] = answer
        if number == 10:
            cluster.remove_node(node)
    workers.close()
    assert found == {f"do {n}": f"do {n}" for n in range(60)}


def test_a_share_of_a_gpu(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that says it has a GPU: Ray gives two actors the same one, and they run the network there."""
    with pytest.raises(OptionError, match="has no GPU"):
        Cluster(partial(Work, str(tmp_path)), gpus=0.5)
    with pytest.raises(OptionError, match="has 64 processors"):
        Cluster(partial(Work, str(tmp_path)), cpus=64)
    node = cluster.add_node(num_cpus=1, num_gpus=1, object_store_memory=80 << 20)
    try:
        workers: Cluster[str, str] = Cluster(partial(Work, str(tmp_path)), cpus=0.5, gpus=0.5)
        assert workers._room == 2
        found = dict(workers.run(f"where {number}" for number in range(6)))
        workers.close()
        assert set(found.values()) == {"0 cuda"}
        monkeypatch.setenv("PHOTOCHROM_PROVIDER", "cpu")
        assert set(through(tmp_path, ["where a"], cpus=0.5, gpus=1.0).values()) == {"0 cpu"}
        monkeypatch.delenv("PHOTOCHROM_PROVIDER")
        stores = Folder(str(tmp_path / "from")), Folder(str(tmp_path / "to"))
        stores[0].put("a.png", b"")
        transfer = Transfer(Options(), Settings(), *stores)
        with pytest.raises(ModelError, match="cuda"):  # onnxruntime here has none
            list(transfer.results(transfer.cluster(cpus=0.5, gpus=0.5)))
    finally:
        cluster.remove_node(node)


@pytest.mark.usefixtures("cluster")
def test_a_share_of_a_processor(tmp_path: Path) -> None:
    workers: Cluster[str, str] = Cluster(partial(Work, str(tmp_path)), cpus=0.5)
    assert workers._room == 4
    tasks = [f"do {number}" for number in range(12)]
    assert dict(workers.run(tasks)) == {task: task for task in tasks}
    workers.close()


def test_no_cluster_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(OptionError, match=r"127\.0\.0\.1:1 .*refused.* check --ray-address"):
        Cluster(lambda: str, address="127.0.0.1:1")


def test_without_an_address_the_cluster_is_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray alone would take any that it finds on the machine, or wait for one that is gone."""
    asked: list[object] = []
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda address, **_: asked.append(address))
    monkeypatch.setattr(ray, "nodes", list)
    for there in ("", "auto"):
        monkeypatch.setenv("RAY_ADDRESS", there)
        with pytest.raises(OptionError, match="no node"):
            Cluster(lambda: str)
    assert asked == ["local", "auto"]


MISMATCH = """
import sys
import ray
ray.__version__ = "2.1.0"
from photochrom.cli import run
sys.exit(run(["batch", sys.argv[1], sys.argv[2], "--engine", "ray", "--ray-address", sys.argv[3]]))
"""


@pytest.mark.slow
def test_another_version_of_ray_is_said(cluster: Any, photo: Callable[..., Path], tmp_path: Path) -> None:
    photo("in/a.png")
    words = [sys.executable, "-c", MISMATCH, str(tmp_path / "in"), str(tmp_path / "out"), cluster.address]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert found.returncode == 2, found.stderr
    assert found.stdout == ""
    assert "same versions of Ray" in found.stderr.splitlines()[-1]


def hostile(number: int) -> bytes:
    """Bytes that a picture's name should not have."""
    starts = [
        b"",
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"II*\0\x08\0\0\0",
        b"GIF89a\xff\xff\xff\xff",
        b"RIFF",
    ]
    return starts[number % len(starts)] + bytes(range(number))


@pytest.mark.slow
def test_three_hundred_photos_with_deaths_on_the_way(
    cluster: Any, photo: Callable[..., Path], tmp_path: Path, aws: str
) -> None:
    """A worker killed in the middle, a node that goes: each photo once, none lost, none half-written."""
    kinds = (".png", ".jpg", ".tif", ".gif", ".webp", ".bmp")
    for number in range(290):
        photo(f"made/{number % 7}/{number}{kinds[number % len(kinds)]}", number)
    for number in range(10):
        (tmp_path / f"made/hostile{number}.jpg").write_bytes(hostile(number))
    stores = Folder(str(tmp_path / "made")), open_store(f"s3://bucket/{tmp_path.name}")
    node = cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
    transfer = Transfer(Options(mark=False), Settings(workers=3), *stores)
    found = []
    for result in transfer.results(transfer.cluster()):
        found.append(result)
        if len(found) == 60:
            victim = next(p for p in psutil.process_iter() if "_Actor" in " ".join(p.cmdline()[:1]))
            victim.kill()
        if len(found) == 150:
            cluster.remove_node(node)
    assert len({result.input for result in found}) == len(found) == 300
    assert {Path(result.input).name for result in found if result.status == "failed"} == {
        f"hostile{number}.jpg" for number in range(10)
    }
    coloring = Coloring(Options(mark=False))
    for job in make(find([tmp_path / "made"]), tmp_path / "local"):
        if coloring(Task(job)).status == "done":
            key = job.output.relative_to(tmp_path / "local").as_posix()
            assert stores[1].read(key)[0] == job.output.read_bytes()
    assert len([entry.key for entry in stores[1].list() if not entry.key.startswith(".")]) == 290
    problems = [finding.problem or "" for finding in verify(*reversed(stores))]
    assert all("it failed" in problem for problem in problems if problem)
