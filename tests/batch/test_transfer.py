"""From store to store: what a local run would have made, once, whatever dies on the way."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from PIL import Image
from tests.object_storage import counting, make_bucket

from photochrom.batch import plan, records
from photochrom.batch.coloring import Coloring, Task
from photochrom.batch.options import Options
from photochrom.batch.pool import Outcome
from photochrom.batch.records import Record, Records
from photochrom.batch.runner import Run, Settings
from photochrom.batch.store import Folder, Store, open_store
from photochrom.batch.transfer import Courier, Held, Transfer
from photochrom.batch.verify import verify_store as verify
from photochrom.cli import photochrom
from photochrom.errors import OptionError, PhotoError, WriteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochrom.batch.coloring import Result

    Make = Callable[..., Path]

PLAIN = Options(mark=False)
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="Red"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
CHANGED = "it is not as it was written: it was changed or damaged since"


@pytest.fixture(params=["folders", "buckets"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Store, Store]:
    """Where photos come from, and where results go."""
    if request.param == "folders":
        return Folder(str(tmp_path / "from")), Folder(str(tmp_path / "to"))
    request.getfixturevalue("aws")
    return open_store(f"s3://bucket/{tmp_path.name}/from"), open_store(f"s3://bucket/{tmp_path.name}/to")


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.batch.transfer._PATIENCE", 0.05)


class Here:
    """One courier in this process."""

    def __init__(self, transfer: Transfer):
        self.work: Callable[..., object] = transfer.setup(1)()

    def run(self, tasks: object) -> object:
        for task in tasks:  # type: ignore[attr-defined]
            yield task, self.work(task)

    def close(self) -> None:
        """Nothing is held."""


def run(stores: tuple[Store, Store], options: Options = PLAIN, **settings: object) -> dict[str, Result]:
    """What came of each photo, by its key."""
    only_failed = bool(settings.pop("only_failed", False))
    transfer = Transfer(options, Settings(**settings), *stores)  # type: ignore[arg-type]
    found = list(transfer.results(Here(transfer), only_failed=only_failed))  # type: ignore[arg-type]
    prefix = f"{stores[0].address}/"
    assert len({result.input for result in found}) == len(found)
    return {result.input.removeprefix(prefix): result for result in found}


def put_photos(
    store: Store, photo: Make, names: tuple[str, ...] = ("a.png", "b/c.jpg", "b/d.tif", "e.gif")
) -> None:
    for seed, name in enumerate(names):
        store.put(name, photo(f"made/{name}", seed).read_bytes())


def keys(store: Store) -> list[str]:
    return sorted(entry.key for entry in store.list() if not entry.key.startswith("."))


def test_results_have_the_bytes_of_a_local_run(
    stores: tuple[Store, Store], photo: Make, tmp_path: Path
) -> None:
    put_photos(stores[0], photo)
    for name in ("b/c.jpg.xmp", "e.xmp"):
        (tmp_path / "made" / name).write_bytes(PACKET)
        stores[0].put(name, PACKET)
    asked = Options(mark=False, layer="tiff")
    found = run(stores, asked)
    assert {result.status for result in found.values()} == {"done"}
    jobs = plan.make(plan.find([tmp_path / "made"]), tmp_path / "local", asked)
    coloring = Coloring(asked)
    for job in jobs:
        assert coloring(Task(job)).status == "done"
        for target in job.targets:
            key = target.relative_to(tmp_path / "local").as_posix()
            assert stores[1].read(key)[0] == target.read_bytes()
    assert len(keys(stores[1])) == 2 * len(jobs) + 2
    assert all(finding.problem is None for finding in verify(*reversed(stores)))


def test_what_is_done_is_skipped_until_photo_or_options_change(
    stores: tuple[Store, Store], photo: Make
) -> None:
    put_photos(stores[0], photo)
    run(stores)
    assert {result.status for result in run(stores).values()} == {"skipped"}
    stores[0].put("a.png", photo("other.png", 9).read_bytes())
    assert {key for key, result in run(stores).items() if result.status == "done"} == {"a.png"}
    assert {result.status for result in run(stores, Options(mark=False, vividness=0.9)).values()} == {"done"}


def test_sidecars_travel_and_count(stores: tuple[Store, Store], photo: Make) -> None:
    put_photos(stores[0], photo, ("a.jpg", "a.tif", "b/c.gif", "b/d.png"))
    for name in ("a.xmp", "b/c.gif.xmp", "b/d.xmp"):
        stores[0].put(name, PACKET)
    assert {result.status for result in run(stores).values()} == {"done"}
    sidecars = [key for key in keys(stores[1]) if key.endswith(".xmp")]
    assert sidecars == ["a.jpg.xmp", "a.tif.xmp", "b/c.png.xmp", "b/d.xmp"]
    assert stores[1].read("b/d.xmp")[0] == PACKET
    assert {result.status for result in run(stores).values()} == {"skipped"}
    stores[0].put("b/d.xmp", PACKET.replace(b"Red", b"Blue"))
    assert {key for key, result in run(stores).items() if result.status == "done"} == {"b/d.png"}
    assert b"Blue" in stores[1].read("b/d.xmp")[0]
    stores[1].put("b/d.xmp", b"tagged since")
    stores[0].put("b/d.xmp", PACKET)
    assert "exists already" in (run(stores)["b/d.png"].error or "")
    assert stores[1].read("b/d.xmp")[0] == b"tagged since"


@pytest.mark.parametrize("stores", ["buckets"], indirect=True)
def test_a_listing_tells_of_sidecars_without_a_request(
    stores: tuple[Store, Store], photo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"roll/{number:03}.jpg" for number in range(80)]
    for name in names:
        stores[0].put(name, b"a photo")
    stores[0].put("roll/041.xmp", PACKET)
    stores[0].put("roll/041.jpg.xmp", PACKET)
    stores[0].put("z.png", b"a photo")
    entries = {entry.key: entry for entry in Transfer(PLAIN, Settings(), *stores).photos()}
    assert entries["roll/041.jpg"].beside == ("roll/041.jpg.xmp", "roll/041.xmp")
    unknown = [key for key, entry in entries.items() if entry.beside is None]
    assert len(unknown) == 0 or isinstance(stores[0], Folder)  # the end of a folder asks
    assert {entries[name].beside for name in names if name not in (*unknown, "roll/041.jpg")} == {()}


def test_a_missing_result_is_made_again(stores: tuple[Store, Store], photo: Make, tmp_path: Path) -> None:
    put_photos(stores[0], photo, ("a.png",))
    run(stores)
    record, _ = Records(stores[1], "").read("a.png")
    assert record is not None
    gone = Record(**{**vars(record), "files": {"a.png": record.files["a.png"], "b.png": "gone"}})
    Records(stores[1], "x").settle(gone, Records(stores[1], "").read("a.png")[1] or "")
    assert [finding.problem for finding in verify(*reversed(stores))] == [
        None,
        "it is missing: run the batch again",
    ]
    assert run(stores)["a.png"].status == "done"


def test_a_strangers_file_is_kept(stores: tuple[Store, Store], photo: Make) -> None:
    put_photos(stores[0], photo, ("a.png",))
    stores[1].put("a.png", b"somebody's")
    failed = run(stores)["a.png"]
    assert failed.status == "failed"
    assert "exists already" in (failed.error or "")
    assert run(stores, if_exists="skip")["a.png"].status == "skipped"
    assert stores[1].read("a.png")[0] == b"somebody's"
    assert run(stores, if_exists="overwrite")["a.png"].status == "done"


def test_a_result_that_was_changed_since_is_kept(stores: tuple[Store, Store], photo: Make) -> None:
    put_photos(stores[0], photo, ("a.png",))
    run(stores)
    stores[1].put("a.png", b"retouched")
    assert [finding.problem for finding in verify(*reversed(stores)) if "changed" in (finding.problem or "")]
    assert run(stores, Options(mark=False, vividness=0.9))["a.png"].status == "failed"
    assert stores[1].read("a.png")[0] == b"retouched"


def test_verify_names_what_a_local_one_names(stores: tuple[Store, Store], photo: Make) -> None:
    put_photos(stores[0], photo, ("a.png", "b.png", "c.png", "d.png", "e.png"))
    run(stores, Options(sidecar=True))
    assert [finding.problem for finding in verify(*reversed(stores))] == [None] * 10
    stores[0].put("a.png", photo("other.png", 9).read_bytes())
    stores[1].put("b.colorized.json", b"{}")
    stores[1].put("c.png", stores[1].read("c.png")[0][:-20])
    stores[1].put(".photochrom/records/d.png.json", b"damaged")
    found = {
        finding.output or "": finding.problem for finding in verify(*reversed(stores)) if finding.problem
    }
    damaged = stores[1].location(".photochrom/records/d.png.json")
    assert found == {
        "": f"{damaged} is damaged: remove it, and the photo is colored again",
        stores[1].location("a.png"): "the photo is not the one that was colored: it was changed since",
        stores[1].location("b.colorized.json"): CHANGED,
        stores[1].location("c.png"): CHANGED,
    }


def test_a_place_without_results_is_no_proof(stores: tuple[Store, Store]) -> None:
    with pytest.raises(PhotoError, match="no record of a batch"):
        list(verify(stores[1]))


def test_a_photo_takes_five_requests(aws: str, photo: Make, tmp_path: Path) -> None:
    """As docs/scale.md counts them; and one that is done two."""
    stores = open_store(f"s3://bucket/{tmp_path.name}/from"), open_store(f"s3://bucket/{tmp_path.name}/to")
    put_photos(stores[0], photo, ("a.png",))
    (entry,) = Transfer(PLAIN, Settings(), *stores).photos()
    with counting(aws) as (proxy, asked), pytest.MonkeyPatch.context() as led:
        led.setenv("AWS_ENDPOINT_URL", proxy)
        worker = courier((open_store(stores[0].address), open_store(stores[1].address)), "x")
        assert worker(entry).status == "done"  # type: ignore[union-attr]
        assert asked == {"GET": 2, "PUT": 3}
        asked.clear()
        assert worker(entry).status == "skipped"  # type: ignore[union-attr]
        assert asked == {"GET": 1, "HEAD": 1}


def test_failures_are_listed_and_taken_up_alone(stores: tuple[Store, Store], photo: Make) -> None:
    put_photos(stores[0], photo, ("a.png",))
    stores[0].put("bad.jpg", b"\xff\xd8\xff\xe0 no photo")
    stores[0].put("empty.png", b"")
    found = run(stores)
    assert {key: result.status for key, result in found.items()} == {
        "a.png": "done",
        "bad.jpg": "failed",
        "empty.png": "failed",
    }
    tables = [stores[1].read(entry.key)[0] for entry in stores[1].list(".photochrom/failures")]
    listed = [json.loads(line) for line in b"".join(tables).splitlines()]
    assert {line["key"]: bool(line["error"]) for line in listed} == {"bad.jpg": True, "empty.png": True}
    stores[0].put("bad.jpg", photo("good.jpg", 5).read_bytes())
    again = run(stores, only_failed=True)
    assert {key: result.status for key, result in again.items()} == {"bad.jpg": "done", "empty.png": "failed"}


def test_what_could_not_be_fetched_or_put_is_taken_up_too(
    stores: tuple[Store, Store], photo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_photos(stores[0], photo, ("a.png", "b.png", "c.png"))

    real_read, real_put = type(stores[0]).read, type(stores[0]).put

    def read(self: Any, key: str) -> tuple[bytes, str]:
        if key == "a.png":
            raise PhotoError("a.png: the store does not answer")
        return real_read(self, key)

    def put(self: Any, key: str, *rest: Any) -> str:
        if key == "b.png":
            raise WriteError("b.png: the store does not answer")
        return real_put(self, key, *rest)

    with monkeypatch.context() as away:
        away.setattr(type(stores[0]), "read", read)
        away.setattr(type(stores[0]), "put", put)
        found = run(stores)
    assert {key: result.status for key, result in found.items()} == {
        "a.png": "failed",
        "b.png": "failed",
        "c.png": "done",
    }
    again = run(stores, only_failed=True)
    assert {key: result.status for key, result in again.items()} == {"a.png": "done", "b.png": "done"}


def test_a_name_that_is_no_utf8_stops_nothing(
    stores: tuple[Store, Store], photo: Make, tmp_path: Path
) -> None:
    source, target = Folder(str(tmp_path / "odd")), stores[1]
    odd, bad = os.fsdecode(b"\xff \xe4.png"), os.fsdecode(b"\xfe.png")
    source.put(odd, photo("made/a.png", 1).read_bytes())
    source.put(bad, b"no picture")
    source.put("plain.png", photo("made/b.png", 2).read_bytes())
    found = run((source, target), Options(sidecar=True))
    assert found["plain.png"].status == "done"
    assert found[bad].status == "failed"
    if isinstance(target, Folder):
        assert found[odd].status == "done"
        assert run((source, target), Options(sidecar=True))[odd].status == "skipped"
        assert {finding.problem is None for finding in verify(target, source)} == {True, False}
        assert json.loads(target.read(odd.replace(".png", ".colorized.json"))[0])["input"].endswith(odd)
    else:
        assert "not UTF-8" in (found[odd].error or "")
    assert list(run((source, target), Options(sidecar=True), only_failed=True)) in (
        [bad],
        [bad, odd],
        [odd, bad],
    )


def test_a_source_without_a_photo_is_an_error(stores: tuple[Store, Store]) -> None:
    stores[0].put("notes.txt", b"not a picture")
    with pytest.raises(PhotoError, match="no photo in"):
        run(stores)


@pytest.mark.parametrize("source", ["a.png", "missing"])
def test_a_source_that_is_not_a_folder_is_refused(photo: Make, tmp_path: Path, source: str) -> None:
    where = photo("a.png").with_name(source)
    found = CliRunner().invoke(photochrom, ["batch", str(where), (tmp_path / "to").as_uri()])
    assert isinstance(found.exception, OptionError)
    assert f"{source} is not a folder" in str(found.exception)


def test_what_is_no_photo_is_left_out_and_named(stores: tuple[Store, Store], photo: Make) -> None:
    put_photos(stores[0], photo, ("a.png", "@eaDir/a.png", "drafts/b.png"))
    stores[0].put("raw.nef", b"raw")
    stores[0].put("notes.txt", b"not a picture")
    search = plan.Search(exclude=("drafts",))
    transfer = Transfer(PLAIN, Settings(), *stores, search)
    assert [entry.key for entry in transfer.photos()] == ["a.png"]
    assert set(search.left_out) == {"folders named @eaDir", stores[0].location("raw.nef")}


def test_folders_between_stores_are_searched_as_local_ones(
    photo: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = Folder(str(tmp_path / "from")), Folder(str(tmp_path / "to"))
    put_photos(stores[0], photo, ("a.png", "shut/b.png", "elsewhere/c.png"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "from/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "from/gone.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "from/renamed").write_bytes((tmp_path / "from/a.png").read_bytes())
    os.mkfifo(tmp_path / "from/pipe.png")
    real = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("/shut"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    search = plan.Search()
    transfer = Transfer(PLAIN, Settings(), *stores, search)
    found = {Path(r.input).name: r for r in transfer.results(Here(transfer))}  # type: ignore[arg-type]
    assert {name: result.status for name, result in found.items()} == {
        "a.png": "done",
        "c.png": "done",
        "gone.jpg": "failed",
        "shut": "failed",
    }
    assert "a folder that cannot be listed" in (found["shut"].error or "")
    assert "No such file" in (found["gone.jpg"].error or "")
    assert {Path(path).name for path in search.left_out} == {"link", "renamed", "pipe.png"}
    jobs = plan.make(plan.find([tmp_path / "from"]), tmp_path / "local", PLAIN)  # and so does a local run
    local = [Run(PLAIN, Settings(isolate=False))._offer(job) for job in jobs]
    reasons = [offer.result.error for offer in local if isinstance(offer, Outcome)]
    assert reasons == ["it is a folder that cannot be listed: check its permissions"]


def test_two_photos_of_one_result_are_told(stores: tuple[Store, Store], photo: Make) -> None:
    put_photos(stores[0], photo, ("a.gif", "a.png"))
    found = run(stores)
    assert {key: result.status for key, result in found.items()} == {"a.gif": "failed", "a.png": "done"}
    assert "would both become" in (found["a.gif"].error or "")
    again = run(stores, Options(mark=False, vividness=0.9), if_exists="overwrite")
    assert {key: result.status for key, result in again.items()} == {"a.gif": "failed", "a.png": "done"}


def test_a_full_disk_of_the_worker_is_a_reason(
    stores: tuple[Store, Store], photo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_photos(stores[0], photo, ("a.png",))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp")

    monkeypatch.setattr("photochrom.batch.transfer.tempfile.TemporaryDirectory", full)
    assert "No space left" in (run(stores)["a.png"].error or "")


def test_sidecars_name_the_addresses(stores: tuple[Store, Store], photo: Make) -> None:
    put_photos(stores[0], photo, ("b/a.png",))
    run(stores, Options(sidecar=True))
    sidecar = json.loads(stores[1].read("b/a.colorized.json")[0])
    assert (sidecar["input"], sidecar["output"]) == (
        stores[0].location("b/a.png"),
        stores[1].location("b/a.png"),
    )


def test_two_runs_at_once_color_each_photo_once(stores: tuple[Store, Store], photo: Make) -> None:
    put_photos(stores[0], photo, tuple(f"{number}.png" for number in range(8)))
    found: list[dict[str, Result]] = [{}, {}]

    def one(number: int) -> None:
        found[number] = run(stores)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = [sorted(results[key].status for results in found) for key in found[0]]
    assert len(statuses) == 8
    assert all(pair in (["done", "skipped"], ["skipped", "skipped"]) for pair in statuses)
    assert sum(pair == ["done", "skipped"] for pair in statuses) == 8


def courier(stores: tuple[Store, Store], run: str) -> Courier:
    return Courier.hired(PLAIN, stores[0], stores[1], run, "error", 1)


def test_what_a_living_run_holds_waits_and_a_dead_ones_is_taken_over(
    stores: tuple[Store, Store], photo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_photos(stores[0], photo, ("a.png",))
    entry = next(iter(stores[0].list()))
    theirs, ours = records.Heartbeat(stores[1], "theirs"), records.Heartbeat(stores[1], "ours")
    assert Records(stores[1], theirs.run).claim(Record("a.png"), None)
    worker = courier(stores, ours.run)
    assert worker(entry) == Held("a.png")
    theirs.close()  # it ended without a word about the photo
    worker.records._lives.clear()
    result = worker(entry)
    assert not isinstance(result, Held)
    assert result.status == "done"
    ours.close()


def test_clocks_that_differ_do_not_matter(
    stores: tuple[Store, Store], photo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run on a machine that is a day ahead, or behind, leaves the photos of another alone."""
    put_photos(stores[0], photo, ("a.png",))
    entry = next(iter(stores[0].list()))
    theirs = records.Heartbeat(stores[1], "theirs")
    assert Records(stores[1], theirs.run).claim(Record("a.png"), None)
    real = time.time
    for shift in (86400.0, -86400.0):
        monkeypatch.setattr(time, "time", lambda shift=shift: real() + shift)
        ours = records.Heartbeat(stores[1], f"ours{shift}")
        assert courier(stores, ours.run)(entry) == Held("a.png")
        ours.close()
    theirs.close()


def test_a_versioned_bucket(aws: str, photo: Make, tmp_path: Path) -> None:
    make_bucket(aws, "versioned")
    rule = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    where = urllib.request.Request(
        f"{aws}/versioned?versioning", rule, {"Content-Type": "application/xml"}, method="PUT"
    )
    urllib.request.urlopen(where, timeout=10).close()
    stores = (
        open_store(f"s3://versioned/{tmp_path.name}/from"),
        open_store(f"s3://versioned/{tmp_path.name}/to"),
    )
    put_photos(stores[0], photo, ("a.png",))
    assert run(stores)["a.png"].status == "done"
    assert run(stores)["a.png"].status == "skipped"
    assert run(stores, Options(mark=False, vividness=0.9))["a.png"].status == "done"
    assert [finding.problem for finding in verify(*reversed(stores))] == [None]


def test_a_run_without_heartbeats_is_taken_for_dead(
    stores: tuple[Store, Store], photo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_photos(stores[0], photo, ("a.png",))
    entry = next(iter(stores[0].list()))
    assert Records(stores[1], "vanished").claim(Record("a.png"), None)
    mine = records.Heartbeat(stores[1], "mine")
    result = courier(stores, mine.run)(entry)
    assert not isinstance(result, Held)
    assert result.status == "done"
    mine.close()


def test_a_result_put_before_a_kill_is_recognized(
    stores: tuple[Store, Store], photo: Make, tmp_path: Path
) -> None:
    """Killed between the picture and its record: the record still says "running", the picture is there."""
    put_photos(stores[0], photo, ("a.png",))
    run(stores)
    record, version = Records(stores[1], "").read("a.png")
    assert record is not None
    assert Records(stores[1], "killed").claim(Record("a.png"), version)
    assert run(stores)["a.png"].status == "done"
    assert keys(stores[1]) == ["a.png"]


def test_photos_among_results_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="does not hold the photos"):
        Transfer(PLAIN, Settings(), Folder(str(tmp_path / "a/b")), Folder(str(tmp_path / "a")))


def test_results_among_photos_are_not_photos(photo: Make, tmp_path: Path) -> None:
    stores = Folder(str(tmp_path / "all")), Folder(str(tmp_path / "all/colored"))
    put_photos(stores[0], photo, ("a.png",))
    assert set(run(stores)) == {"a.png"}
    assert set(run(stores)) == {"a.png"}


def test_worker_processes_do_the_same(aws: str, photo: Make, tmp_path: Path) -> None:
    stores = open_store(f"s3://bucket/{tmp_path.name}/from"), open_store(f"s3://bucket/{tmp_path.name}/to")
    put_photos(stores[0], photo)
    transfer = Transfer(PLAIN, Settings(workers=1), *stores)
    assert {result.status for result in transfer.results(transfer.local_workers())} == {"done"}


SCRIPT = """
import sys
from photochrom.batch.options import Options
from photochrom.batch.pool import Outcome
from photochrom.batch.runner import Run, Settings
from photochrom.batch.store import open_store
from photochrom.batch.transfer import Transfer
if __name__ == "__main__":
    source, target = open_store(sys.argv[1]), open_store(sys.argv[2])
    transfer = Transfer(Options(mark=False), Settings(workers=1), source, target)
    for result in transfer.results(transfer.local_workers()):
        print(result.status, flush=True)
"""


def test_a_killed_driver_is_started_again(
    aws: str, photo: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = open_store(f"s3://bucket/{tmp_path.name}/from"), open_store(f"s3://bucket/{tmp_path.name}/to")
    put_photos(stores[0], photo, tuple(f"{number}.png" for number in range(12)))
    script = tmp_path / "drive.py"
    script.write_text(SCRIPT)
    driver = subprocess.Popen(
        [sys.executable, str(script), stores[0].address, stores[1].address], stdout=subprocess.PIPE, text=True
    )
    assert driver.stdout is not None
    assert driver.stdout.readline() == "done\n"
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    driver.stdout.close()
    monkeypatch.setattr(records, "LAPSE", 1.0)
    time.sleep(1.5)
    found = run(stores)
    assert len(found) == 12
    assert {result.status for result in found.values()} <= {"done", "skipped"}
    assert keys(stores[1]) == sorted(f"{number}.png" for number in range(12))
    assert all(finding.problem is None for finding in verify(*reversed(stores)))


def test_a_rough_connection_costs_no_photo(rough: object, photo: Make, tmp_path: Path) -> None:
    stores = open_store(f"s3://bucket/{tmp_path.name}/from"), open_store(f"s3://bucket/{tmp_path.name}/to")
    put_photos(stores[0], photo, tuple(f"{number}.png" for number in range(10)))
    assert {result.status for result in run(stores).values()} == {"done"}
    assert len(keys(stores[1])) == 10


def test_pictures_are_pictures(stores: tuple[Store, Store], photo: Make) -> None:
    put_photos(stores[0], photo, ("a.png",))
    run(stores)
    import io

    picture = Image.open(io.BytesIO(stores[1].read("a.png")[0]))
    assert picture.mode == "RGB"


def test_the_command_goes_from_store_to_store(aws: str, photo: Make, tmp_path: Path) -> None:
    source, target = f"s3://bucket/{tmp_path.name}/from", f"s3://bucket/{tmp_path.name}/to"
    put_photos(open_store(source), photo, ("a.png", "b/c.jpg"))
    open_store(source).put("bad.jpg", b"\xff\xd8\xff\xe0 no photo")

    def batch(*words: str) -> tuple[int, list[dict[str, object]]]:
        found = CliRunner().invoke(photochrom, ["batch", *words, "--json"])
        return found.exit_code, [json.loads(line) for line in found.stdout.splitlines()]

    code, planned = batch(source, target, "--dry-run")
    assert (code, {line["status"] for line in planned}) == (0, {"planned"})
    assert keys(open_store(target)) == []
    code, done = batch(source, target, "--workers", "1")
    assert code == 3
    assert {line["input"]: line["status"] for line in done} == {
        f"{source}/a.png": "done",
        f"{source}/b/c.jpg": "done",
        f"{source}/bad.jpg": "failed",
    }
    code, again = batch(source, target, "--retry-failed", "--workers", "1")
    assert (code, [line["input"] for line in again]) == (1, [f"{source}/bad.jpg"])
    assert batch(target, "--verify")[0] == 3
    assert batch(source, target, "--verify")[0] == 3
    refused = CliRunner().invoke(photochrom, ["batch", source, "s3://bucket/x", "s3://bucket/y"])
    assert isinstance(refused.exception, OptionError)
