"""Where photos come from and results go: a folder, or object storage. The one seam between them.

A store lists, reads and puts. Every put says what it expects to find in the place: anything, nothing, or a
certain version; that is how workers and runs that know nothing of one another never overwrite each other's
work. Object storage goes through obstore, which takes credentials, endpoint and region from each provider's
usual environment variables.
"""

from __future__ import annotations

import configparser
import hashlib
import mimetypes
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from photochrom.batch.naming import FOLDER
from photochrom.errors import MissingExtra, OptionError, PhotoError, WriteError
from photochrom.locks import alone
from photochrom.photo.atomic import PART, save, save_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

ANYTHING = "*"  # what a put may expect beside None, nothing, and a version
_PART = 8 << 20  # bytes of a large object that are held at a time
_MULTIPART = 64 << 20  # bytes from which a put goes in parts, which cannot expect anything
_RETRIES: Any = {"max_retries": 8, "retry_timeout": timedelta(seconds=120)}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://")
_REMOTE = ("s3", "gs", "az")


class Conflict(Exception):
    """What a put expected is not what is there."""


class Absent(PhotoError):
    """Nothing is there to be read."""


@dataclass(frozen=True)
class Entry:
    """A file or object. `version` changes whenever its bytes do; "" where only reading it would tell."""

    key: str  # relative to the store, with forward slashes
    size: int
    version: str
    modified: float  # seconds since 1970 by the store's clock
    beside: tuple[str, ...] | None = None  # keys of a photo's XMP sidecars; None where they are not known


class Store(Protocol):
    """A folder or a prefix of object storage. Picklable; keys are relative to it."""

    @property
    def address(self) -> str: ...

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """What lies below a prefix (a folder's name, without the slash), as it is found."""
        ...

    def find(self, key: str) -> Entry | None:
        """The entry of a key, or None. Its version is always known."""
        ...

    def read(self, key: str) -> tuple[bytes, str]:
        """Its bytes and version. Raises Absent where it is not there, PhotoError where it cannot be read."""
        ...

    def put(self, key: str, data: bytes, expect: str | None = ANYTHING) -> str:
        """Store bytes, all or nothing; the new version. Raises Conflict where `expect` is not there."""
        ...

    def location(self, key: str) -> str:
        """How a person is told of a key."""
        ...


def is_address(text: str) -> bool:
    """Whether a text is an address rather than a path."""
    return bool(_SCHEME.match(text))


def open_store(address: str) -> Store:
    """The store of a folder's path, or of a file://, s3://, gs:// or az:// address.

    Raises OptionError for another kind of address, MissingExtra where [cloud] is not installed.
    """
    if not is_address(address):
        return Folder(str(Path(address).absolute()))
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Folder(unquote(parts.path))
    if parts.scheme not in _REMOTE or not parts.netloc:
        raise OptionError(
            f"{address} is not the address of a store: give a folder, or s3://, gs://, az:// or file://"
        )
    return Objects(address.rstrip("/"))


@dataclass(frozen=True)
class Folder:
    """A local folder."""

    address: str

    def location(self, key: str) -> str:
        return str(self._path(key))

    def _path(self, key: str) -> Path:
        return Path(self.address, key)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        for folder, names, files in os.walk(self._path(prefix), onerror=self._not_listed):
            names.sort()
            for name in sorted(files):
                path = Path(folder, name)
                if not name.endswith(PART) and path.is_file():
                    found = path.stat()
                    yield Entry(path.relative_to(self.address).as_posix(), found.st_size, "", found.st_mtime)

    def _not_listed(self, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise PhotoError(f"{error.filename} cannot be listed: {error.strerror or error}")

    def find(self, key: str) -> Entry | None:
        try:
            _, version = self.read(key)
            found = self._path(key).stat()
        except (Absent, FileNotFoundError):
            return None
        return Entry(key, found.st_size, version, found.st_mtime)

    def read(self, key: str) -> tuple[bytes, str]:
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError as error:
            reason = (
                "it is a folder that cannot be listed: check its permissions"
                if path.is_dir()
                else error.strerror or str(error)
            )
            absent = isinstance(error, (FileNotFoundError, NotADirectoryError))
            raise (Absent if absent else PhotoError)(f"{path} cannot be read: {reason}") from None
        return data, _sha256(data)

    def put(self, key: str, data: bytes, expect: str | None = ANYTHING) -> str:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{path.parent} cannot be made: {error.strerror or error}") from None
        if expect == ANYTHING:
            save_bytes(path, data, overwrite=True)
            return _sha256(data)
        with alone(self._path(f"{FOLDER}/store.lock")):  # between the look and the put nobody else puts
            there = self.find(key)
            if (there.version if there else None) != expect:
                raise Conflict(key)
            save_bytes(path, data, overwrite=expect is not None)
        return _sha256(data)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Objects:
    """A prefix of a bucket or container."""

    def __init__(self, address: str):
        self.address = address
        self._store = _connect(address)

    def __reduce__(self) -> tuple[type[Objects], tuple[str]]:
        return Objects, (self.address,)

    def location(self, key: str) -> str:
        return f"{self.address}/{key}"

    def list(self, prefix: str = "") -> Iterator[Entry]:
        import obstore

        with _plain_words(self.address, "list"):
            for part in obstore.list(self._store, prefix or None, chunk_size=1000):
                yield from map(_entry, part)

    def find(self, key: str) -> Entry | None:
        import obstore

        try:
            with _plain_words(self.location(key), "read"):
                return _entry(obstore.head(self._store, key))
        except FileNotFoundError:
            return None

    def read(self, key: str) -> tuple[bytes, str]:
        import obstore

        try:
            with _plain_words(self.location(key), "read"):
                found = obstore.get(self._store, key)
                return bytes(found.bytes()), _entry(found.meta).version
        except FileNotFoundError:
            raise Absent(f"{self.location(key)} is not there any more") from None

    def fetch(self, key: str, path: Path, *, version: str, size: int) -> None:
        """Write an object as it was listed to a local file, all or nothing and part by part.

        Raises PhotoError where it is not that object any more or does not come whole, WriteError.
        """
        import obstore

        where = self.location(key)

        def receive(sink: BinaryIO) -> None:
            found = obstore.get(self._store, key)
            if _entry(found.meta).version != version:
                raise PhotoError(f"{where} changed since it was listed: start again")
            for part in found.stream(min_chunk_size=_PART):
                sink.write(part)

        def check(part: Path) -> None:
            if part.stat().st_size != size:
                raise PhotoError(
                    f"{where} came with {part.stat().st_size} bytes instead of {size}: try again"
                )

        with _plain_words(where, "read"):
            save(path, receive, check, overwrite=True)

    def put(self, key: str, data: bytes, expect: str | None = ANYTHING) -> str:
        import obstore

        mode: Any = {ANYTHING: "overwrite", None: "create"}.get(expect, {"e_tag": expect})
        kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
        large = len(data) >= _MULTIPART
        if large and expect != ANYTHING:  # parts cannot expect anything: look first
            there = self.find(key)
            if (there.version if there else None) != expect:
                raise Conflict(key)
            mode = "overwrite"
        try:
            with _plain_words(self.location(key), "write"):
                attributes = {"Content-Type": kind}
                put = obstore.put(
                    self._store, key, data, attributes=attributes, mode=mode, use_multipart=large
                )
        except (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError):
            return self._ours_after_all(key, data)
        except FileNotFoundError:
            raise WriteError(f"{self.address}: there is no such bucket or container: make it first") from None
        return put["e_tag"] or put["version"] or ""

    def _ours_after_all(self, key: str, data: bytes) -> str:
        """A put whose answer was lost on the way is tried again and finds itself: then it did succeed."""
        there, version = self.read(key)
        if there != data:
            raise Conflict(key)
        return version


def _entry(meta: Any) -> Entry:
    version = meta["e_tag"] or meta["version"] or f"{meta['size']}-{meta['last_modified'].isoformat()}"
    return Entry(meta["path"], meta["size"], version, meta["last_modified"].timestamp())


def _connect(address: str) -> Any:
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise MissingExtra(f"a store at {address}", "cloud") from None
    client: Any = {"allow_http": True} if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://") else {}
    try:
        settings: Any = _aws_profile() if address.startswith("s3:") else {}
        return from_url(address, client_options=client, retry_config=_RETRIES, **settings)
    except (BaseError, ValueError) as error:
        raise OptionError(f"{address} cannot be opened: {_reason(error)[:200]}") from None


def _aws_profile() -> dict[str, str]:
    """Keys, region and endpoint of ~/.aws where the environment has none, which is all that obstore reads."""
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return {}
    home = Path.home() / ".aws"
    files = [os.environ.get("AWS_SHARED_CREDENTIALS_FILE", home / "credentials")]
    files.append(os.environ.get("AWS_CONFIG_FILE", home / "config"))
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(files, encoding="utf-8")
    name = os.environ.get("AWS_PROFILE", "default")
    found: dict[str, str] = {}
    for section in (f"profile {name}", name):
        found |= dict(parser[section]) if parser.has_section(section) else {}
    wanted = {"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "region", "endpoint_url"}
    names = {"endpoint_url": "endpoint"}
    return {names.get(key, key): value for key, value in found.items() if key in wanted}


# What a provider's answer says, and what a person may do about it; the first that is found.
_ADVICE = (
    (
        ("NoSuchBucket", "ContainerNotFound", "bucket does not exist"),
        "there is no such bucket: check its name",
    ),
    (
        ("invalid path", "Error parsing Path", "empty path segment"),
        "a key with an empty folder name (//), a folder named . or .., or a control character cannot be "
        "read: rename that object ({reason})",
    ),
    (
        ("RequestTimeTooSkewed", "RequestExpired"),
        "this machine's clock is wrong: set it, the store refuses what is signed at another time",
    ),
    (
        ("KeyTooLong",),
        "the key is longer than the store allows, records need 25 bytes more: shorten it",
    ),
    (
        ("Received redirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint"),
        "the bucket is in another region: set AWS_REGION to its own",
    ),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "401 Unauthorized"),
        "the credentials are not accepted: check the provider's environment variables",
    ),
    (
        ("latest/api/token", "etadata", "redential", "Account must be specified"),
        "there are no credentials: set the provider's environment variables, for S3 AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for public data",
    ),
    (
        ("ObjectLocked", "object lock", "WORM", "retention", "Immutable"),
        "the object is locked against change: choose another destination",
    ),
    (
        ("InvalidObjectState",),
        "the object is archived: restore it first",
    ),
    (
        ("AccessDenied", "403 Forbidden", "AuthorizationPermissionMismatch"),
        "there is no permission to {deed} it",
    ),
    (
        ("NotImplemented", "501 Not Implemented"),
        "the store does not support conditional writes, which are needed",
    ),
    (
        ("SlowDown", "503 Service", "500 Internal", "timed out", "error sending request", "onnection"),
        "the store does not answer: try again later",
    ),
    (
        ("400 Bad Request",),
        "the store refuses the request: check region, endpoint and credentials ({reason})",
    ),
)


@contextmanager
def _plain_words(what: str, deed: str) -> Iterator[None]:
    """Turn a provider's error into one sentence that says what to do."""
    from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError

    try:
        yield
    except (FileNotFoundError, NotFoundError, AlreadyExistsError, PreconditionError):
        raise
    except UnicodeEncodeError:
        if deed == "write":
            raise WriteError(f"{what}: its name is not UTF-8, which a store needs: rename it") from None
        raise FileNotFoundError(what) from None  # no object has such a name
    except BaseError as error:
        text = _reason(error)
        said = (say for signs, say in _ADVICE if any(sign in text for sign in signs))
        advice = next(said, "{reason}").format(deed=deed, reason=text[:200])
        raise (WriteError if deed == "write" else PhotoError)(f"{what}: {advice}") from None


def _reason(error: Exception) -> str:
    """What an error says, without the client's settings and the Rust structures after it."""
    said = str(error).partition("Debug source")[0].strip()
    return re.sub(r", after .* retry_timeout: \S+", "", said) or type(error).__name__
