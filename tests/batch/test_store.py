"""Stores: a folder and a bucket keep the same promises."""

from __future__ import annotations

import pickle
import threading
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.object_storage import answering

from photochrom.batch.store import _RETRIES, ANYTHING, Conflict, Folder, Store, open_store
from photochrom.errors import OptionError, PhotoError, WriteError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.object_storage import Rough


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    request.getfixturevalue("aws")
    return open_store(f"s3://bucket/{tmp_path.name}")


def test_what_is_put_is_there(store: Store) -> None:
    version = store.put("a/b c/ü#%+.jpg", b"bytes")
    assert store.read("a/b c/ü#%+.jpg") == (b"bytes", version)
    found = store.find("a/b c/ü#%+.jpg")
    assert found is not None
    assert (found.size, found.version) == (5, version)
    assert [entry.key for entry in store.list()] == ["a/b c/ü#%+.jpg"]
    assert [entry.key for entry in store.list("a/b c")] == ["a/b c/ü#%+.jpg"]
    assert list(store.list("elsewhere")) == []


def test_a_put_that_expects_nothing_never_replaces(store: Store) -> None:
    store.put("x", b"first", None)
    with pytest.raises(Conflict):
        store.put("x", b"second", None)
    assert store.read("x")[0] == b"first"


def test_a_put_that_expects_a_version_replaces_that_alone(store: Store) -> None:
    old = store.put("x", b"first")
    new = store.put("x", b"second", old)
    with pytest.raises(Conflict):
        store.put("x", b"third", old)
    assert store.read("x") == (b"second", new)
    store.put("x", b"third", ANYTHING)
    assert store.read("x")[0] == b"third"


def test_of_many_that_expect_nothing_one_wins(store: Store) -> None:
    won: list[int] = []
    start = threading.Barrier(6)

    def put(number: int) -> None:
        start.wait()
        try:
            store.put("one", f"{number}".encode(), None)
        except Conflict:
            return
        won.append(number)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read("one")[0] == f"{won[0]}".encode()


def test_what_is_not_there_is_said(store: Store) -> None:
    assert store.find("nothing") is None
    with pytest.raises(PhotoError, match="nothing"):
        store.read("nothing")


def test_a_store_travels_to_other_processes(store: Store) -> None:
    version = store.put("x", b"bytes")
    assert pickle.loads(pickle.dumps(store)).read("x") == (b"bytes", version)


def test_a_file_address_is_a_folder(tmp_path: Path) -> None:
    assert open_store((tmp_path / "ü b").as_uri()) == Folder(str(tmp_path / "ü b"))


@pytest.mark.parametrize("address", ["ftp://host/x", "s3://", "https://host/x"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(OptionError, match="s3://"):
        open_store(address)


def test_no_such_bucket(aws: str) -> None:
    store = open_store("s3://none/x")
    with pytest.raises(PhotoError, match="no such bucket"):
        list(store.list())
    with pytest.raises(WriteError, match="bucket"):
        store.put("x", b"", None)


def test_without_credentials_it_says_which_to_set(
    aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")  # where a cloud's machine would ask
    with pytest.raises(PhotoError, match="AWS_ACCESS_KEY_ID"):
        list(open_store("s3://bucket/x").list())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((301, "PermanentRedirect", "must be addressed using the specified endpoint"), "set AWS_REGION"),
        ((400, "AuthorizationHeaderMalformed", "expecting 'eu-central-1'"), "set AWS_REGION"),
        ((403, "AccessDenied", "Access Denied"), "there is no permission to {deed} it"),
        ((403, "SignatureDoesNotMatch", "x"), "credentials are not accepted"),
        ((400, "ExpiredToken", "x"), "credentials are not accepted"),
        ((403, "RequestTimeTooSkewed", "x"), "this machine's clock is wrong"),
        ((403, "AccessDenied", "because object protected by object lock"), "locked against change"),
        ((403, "InvalidObjectState", "x"), "restore it first"),
        ((501, "NotImplemented", "A header you provided"), "conditional writes"),
        ((400, "KeyTooLongError", "Your key is too long"), "shorten it"),
        ((400, "InvalidRequest", "what nobody foresaw"), "check region, endpoint and credentials"),
    ],
)
def test_what_a_provider_refuses_is_one_sentence(
    aws: str, answer: tuple[int, str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_RETRIES, "max_retries", 1)  # a 501 is asked for again
    with answering(*answer) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        store = open_store("s3://bucket/x")
        for kind, deed, do in (
            (PhotoError, "list", lambda: list(store.list())),
            (PhotoError, "read", lambda: store.read("k")),
            (WriteError, "write", lambda: store.put("k", b"", None)),
        ):
            with pytest.raises(kind) as refused:
                do()
            assert said.format(deed=deed) in str(refused.value)
            assert "Debug" not in str(refused.value)
            assert len(str(refused.value).splitlines()) == 1
        with pytest.raises(PhotoError):  # its answer has no words
            store.find("k")


@pytest.mark.parametrize("key", ["a//b.png", "a/../b.png", "./b.png", "tab\t.png"])
def test_keys_that_cannot_be_read_are_named(aws: str, tmp_path: Path, key: str) -> None:
    address = f"{aws}/bucket/{tmp_path.name}/{quote(key)}"
    urllib.request.urlopen(urllib.request.Request(address, b"x", method="PUT"), timeout=10).close()
    with pytest.raises(PhotoError, match="rename that object") as refused:
        list(open_store(f"s3://bucket/{tmp_path.name}").list())
    assert key in str(refused.value)


@pytest.mark.parametrize(
    "key", ["a b/ü#%+?&.png", "e%2Fx.png", "f\\g.png", "{b}[c]^`|.png", 'a"<>~.png', "..png"]
)
def test_odd_keys(store: Store, key: str) -> None:
    version = store.put(key, b"x")
    assert store.read(key) == (b"x", version)
    assert [entry.key for entry in store.list()] == [key]


def test_keys_in_the_files_of_the_provider_do(
    aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    store = open_store(f"s3://bucket/{tmp_path.name}")
    store.put("x", b"1")
    assert [entry.key for entry in store.list()] == ["x"]


def test_a_rough_connection_loses_nothing(rough: type[Rough], tmp_path: Path) -> None:
    store = open_store(f"s3://bucket/{tmp_path.name}")
    for number in range(40):
        version = store.put(f"{number}", b"x" * 1000 + f"{number}".encode(), None)
        assert store.read(f"{number}") == (b"x" * 1000 + f"{number}".encode(), version)
    assert len(list(store.list())) == 40
    assert rough.faults > 5
