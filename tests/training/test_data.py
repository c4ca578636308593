"""Training data in object storage: what is trained is what the same files in a folder train."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import tarfile
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
import torch
from PIL import Image

from photochrom.batch.store import Objects, open_store
from photochrom.cli import run as command
from photochrom.errors import DataError, PhotoError
from photochrom.training import checkpoints, finish
from photochrom.training import run as running
from photochrom.training.data import fetched, list_files
from photochrom.training.photos import load_photos
from photochrom.training.run import RunOptions, train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.object_storage import Rough

    from photochrom.training.recipe import Recipe

    Picture = Callable[..., np.ndarray]


def coded(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def shard(pictures: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, picture in pictures.items():
            data = coded(picture)
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


@pytest.fixture(params=["shards", "photos"])
def places(
    request: pytest.FixtureRequest, aws: str, tmp_path: Path, picture: Picture
) -> tuple[Path, Objects]:
    """The same data in a folder and in a bucket."""
    if request.param == "shards":
        files = {
            f"{number}.tar": shard(
                {f"s{seed % 2}/{seed}.png": picture(10 * number + seed) for seed in range(4)}
            )
            for number in (0, 1, 10)
        }
    else:
        files = {f"{'ab'[n % 2]}/x y/é#{n}.png": coded(picture(n)) for n in range(6)} | {"notes.txt": b"none"}
    store = open_store(f"s3://bucket/{tmp_path.name}")
    assert isinstance(store, Objects)
    for name, data in files.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        store.put(name, data)
    return tmp_path / "data", store


def test_an_address_holds_what_the_folder_holds(places: tuple[Path, Objects], tmp_path: Path) -> None:
    folder, store = places
    here, there = list_files(folder), list_files(store.address)
    assert [(file.place, file.size) for file in here] == [(file.place, file.size) for file in there]
    ours = load_photos(folder, 48, tmp_path / "ours")
    theirs = load_photos(store.address, 48, tmp_path / "theirs")
    np.testing.assert_array_equal(ours.pixels, theirs.pixels)
    assert (ours.sources, ours.shards.tolist()) == (theirs.sources, theirs.shards.tolist())
    assert ours.path.name != theirs.path.name  # a cache knows addresses, not where they were fetched to
    assert load_photos(folder.as_uri(), 48, tmp_path / "ours").path == ours.path


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of what is fetched, as it is fetched."""
    taken: list[str] = []
    real = Objects.fetch

    def fetch(self: Objects, key: str, path: Path, **listed: object) -> None:
        taken.append(key)
        real(self, key, path, **listed)  # type: ignore[arg-type]

    monkeypatch.setattr(Objects, "fetch", fetch)
    return taken


def test_what_is_there_is_not_fetched_again(
    places: tuple[Path, Objects], tmp_path: Path, taken: list[str]
) -> None:
    _, store = places
    files = list_files(store.address)
    load_photos(store.address, 48, tmp_path / "cache")
    assert sorted(taken) == sorted(str(file.place) for file in files)
    load_photos(store.address, 48, tmp_path / "cache")  # decoded before
    load_photos(store.address, 32, tmp_path / "cache")  # fetched before
    assert len(taken) == len(files)
    changed = files[0]  # of the very same size
    data, _ = store.read(str(changed.place))
    store.put(str(changed.place), data[:-1] + b"\1")
    load_photos(store.address, 48, tmp_path / "cache")
    assert taken[len(files) :] == [str(changed.place)]


def test_of_many_that_ask_at_once_one_fetches(
    places: tuple[Path, Objects], tmp_path: Path, taken: list[str]
) -> None:
    _, store = places
    begin = threading.Barrier(4)
    found: list[int] = []

    def load() -> None:
        begin.wait()
        found.append(len(load_photos(store.address, 48, tmp_path / "cache")))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(taken) == len(set(taken)) == len(list_files(store.address))


def test_a_single_object(places: tuple[Path, Objects], tmp_path: Path) -> None:
    _, store = places
    first = list_files(store.address)[0]
    (alone,) = list_files(first.name)
    assert (alone.name, alone.size, alone.version) == (first.name, first.size, first.version)
    assert len(load_photos(first.name, 48, tmp_path / "cache")) in (1, 4)


def test_an_object_that_changed_since_it_was_listed(aws: str, tmp_path: Path, picture: Picture) -> None:
    store = open_store(f"s3://bucket/{tmp_path.name}")
    store.put("a.png", coded(picture(1)))
    (file,) = list_files(store.address)
    store.put("a.png", coded(picture(2)))
    with pytest.raises(PhotoError, match="changed since it was listed"):
        file.local(tmp_path / "cache")
    assert list((tmp_path / "cache/fetched").iterdir()) == []


def test_a_rough_connection_spoils_nothing(rough: type[Rough], tmp_path: Path, picture: Picture) -> None:
    store = open_store(f"s3://bucket/{tmp_path.name}")
    data = {f"{n:02}.tar": shard({"a.png": picture(n, 200, 300)}) for n in range(20)}
    for name, content in data.items():
        store.put(name, content)
    for file, path in fetched(list_files(store.address), tmp_path / "cache"):
        assert path.read_bytes() == data[str(file.place)]
    assert rough.faults > 3
    assert len(list((tmp_path / "cache/fetched").iterdir())) == len(data)


def test_a_broken_shard_is_named_by_its_address(aws: str, tmp_path: Path) -> None:
    address = f"s3://bucket/{tmp_path.name}"
    open_store(address).put("a.tar", b"not a tar file" * 100)
    with pytest.raises(DataError, match=f"{address}/a.tar is not a whole tar"):
        load_photos(address, 48, tmp_path / "cache")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://nosuchbucket/x", "no such bucket"),
        ("s3://bucket/nothing-here", "holds no photographs"),
        ("s3://bucket/nothing-here.tar", "holds no photographs"),
        ("ftp://host/x", "give a folder, or s3://"),
        ("s3://", "give a folder, or s3://"),
    ],
)
def test_bad_addresses(
    address: str, said: str, aws: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["train", "alpha", "--data", address, "--out", str(tmp_path / "run")]) in (1, 2)
    told = capsys.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err


def test_no_credentials(
    aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    assert command(["train", "alpha", "--data", "s3://bucket/x", "--out", str(tmp_path / "run")]) == 1
    assert "set the provider's environment variables" in capsys.readouterr().err


def state(run: Path) -> dict[str, torch.Tensor]:
    kept = checkpoints.load(run / checkpoints.NAME, torch.device("cpu"))
    return {f"{part}.{name}": value for part in ("network", "average") for name, value in kept[part].items()}


class Killed(BaseException):
    """What no code catches."""


@pytest.mark.parametrize("places", ["shards"], indirect=True)
def test_resumed_on_another_machine_it_is_the_run_that_was_never_stopped(
    places: tuple[Path, Objects], tmp_path: Path, squeezed: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, store = places
    monkeypatch.setattr(finish, "export", lambda *_: None)
    assert train(squeezed, folder, tmp_path / "whole")

    real = running.Run._save

    def save_and_die(self: running.Run) -> None:
        real(self)
        if self.trainer.seen >= 4:
            monkeypatch.setattr(running.Run, "_keep_progress", lambda self: None)
            raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(running.Run, "_save", save_and_die)
        with pytest.raises(Killed):
            train(squeezed, store.address, tmp_path / "cut", RunOptions(cache=tmp_path / "one"))
    assert checkpoints.load(tmp_path / "cut/checkpoint.pt", torch.device("cpu"))["seen"] < 12
    again = RunOptions(cache=tmp_path / "another", resume=True)  # nothing is fetched there yet
    assert train(squeezed, store.address, tmp_path / "cut", again)
    whole, cut = state(tmp_path / "whole"), state(tmp_path / "cut")
    assert whole.keys() == cut.keys()
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


@pytest.mark.parametrize("places", ["shards"], indirect=True)
def test_data_that_changed_meanwhile_are_told(
    places: tuple[Path, Objects],
    tmp_path: Path,
    squeezed: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    picture: Picture,
) -> None:
    _, store = places
    monkeypatch.setattr(finish, "export", lambda *_: None)
    train(squeezed, store.address, tmp_path / "run")
    assert "data have changed" not in capsys.readouterr().err
    store.put("new.tar", shard({"s0/9.png": picture(99)}))
    train(squeezed, store.address, tmp_path / "run", RunOptions(resume=True))
    assert "data have changed" in capsys.readouterr().err


# --- several machines, which share nothing but the bucket -------------------------------------------


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def machines(data: str, folders: list[Path], *words: str) -> list[subprocess.Popen[str]]:
    """torchrun on as many machines as there are folders, one process on each."""
    port = str(free_port())
    launched = []
    for number, folder in enumerate(folders):
        command = [sys.executable, "-m", "torch.distributed.run", "--nnodes", str(len(folders))]
        command += ["--nproc-per-node", "1", "--node-rank", str(number), "--master-addr", "127.0.0.1"]
        command += ["--master-port", port, "-m", "photochrom", "train", "alpha", "--data", data]
        command += ["--out", str(folder / "run"), "--cache", str(folder / "cache"), "--threads", "1", *words]
        for change in CHANGES:
            command += ["--set", change]
        launched.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
    return launched


CHANGES = (
    "samples.kind=affine",
    "samples.size=32",
    "schedule.batch=2",
    "schedule.epochs=0",
    "schedule.photos=48",
    "schedule.checkpoint=2",
    "schedule.sheets=0",
    "data.validation=0.2",
)


def told(launched: list[subprocess.Popen[str]]) -> list[str]:
    said = [machine.communicate(timeout=240)[0] for machine in launched]
    assert [machine.returncode for machine in launched] == [0] * len(launched), said
    return said


@pytest.mark.slow
@pytest.mark.parametrize("places", ["shards"], indirect=True)
def test_two_machines_killed_and_started_again_with_one_of_them_new(
    places: tuple[Path, Objects], tmp_path: Path
) -> None:
    _, store = places
    store.put("11.tar", store.read("10.tar")[0])  # four, so that they divide by two
    never_stopped = [tmp_path / "a0", tmp_path / "a1"]
    told(machines(store.address, never_stopped))
    for folder in never_stopped:  # each fetched and decoded its own half
        assert len(list((folder / "cache/fetched").iterdir())) == 2
    assert not (tmp_path / "a1/run/checkpoint.pt").exists()

    stopped = [tmp_path / "b0", tmp_path / "b1"]
    launched = machines(store.address, stopped)
    kept = tmp_path / "b0/run/checkpoint.pt"
    while not kept.exists():
        assert all(machine.poll() is None for machine in launched)
        time.sleep(0.01)
    for machine in launched:
        for process in (psutil.Process(machine.pid), *psutil.Process(machine.pid).children(recursive=True)):
            process.kill()
        machine.communicate()
    seen = checkpoints.load(kept, torch.device("cpu"))["seen"]
    assert 0 < seen < 48
    told(machines(store.address, [tmp_path / "b0", tmp_path / "new"], "--resume"))
    whole, cut = state(tmp_path / "a0/run"), state(tmp_path / "b0/run")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
