"""Weights that others have published: where they lie, and a download that checks what it gets.

The addresses could not be tried where this was written; the tests use a local server.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from tqdm import tqdm

from photochrom.errors import ModelError, UnknownModel
from photochrom.models.store import models_folder
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse
    from pathlib import Path

_BLOCK = 1 << 20  # bytes
_TRIES = 5  # transfers in a row that may bring nothing or be cut


@dataclass(frozen=True)
class Source:
    """Published weights. `sha256` is the hash's beginning, as far as it was published; or ""."""

    address: str
    licence: str
    sha256: str = ""


_HUB = "https://huggingface.co/piddnad/{}/resolve/main/pytorch_model.bin"
_ZHANG = "https://colorizers.s3.us-east-2.amazonaws.com/{}.pth"
PUBLISHED: dict[str, Source] = {
    "siggraph17": Source(_ZHANG.format("siggraph17-df00044c"), "BSD-2-Clause", "df00044c"),
    "eccv16": Source(_ZHANG.format("colorization_release_v2-9b330a0b"), "BSD-2-Clause", "9b330a0b"),
    "ddcolor": Source(_HUB.format("ddcolor_modelscope"), "Apache-2.0"),
    "ddcolor-paper": Source(_HUB.format("ddcolor_paper"), "Apache-2.0"),
    "ddcolor-artistic": Source(_HUB.format("ddcolor_artistic"), "Apache-2.0"),
    "ddcolor-tiny": Source(_HUB.format("ddcolor_paper_tiny"), "Apache-2.0"),
}


def download(name: str, sources: Mapping[str, Source] | None = None) -> Path:
    """The file of published weights, in the models' folder under a name that no model has.

    Progress goes to a terminal. What an earlier transfer left is used: a part is completed, a whole file is
    not fetched again. Raises UnknownModel for a name
    that is not in the catalogue and where PHOTOCHROM_OFFLINE forbids it, ModelError for what went wrong.
    """
    known = PUBLISHED if sources is None else sources
    if name not in known:
        raise UnknownModel(f"no published weights are known as {name!r}: pull one of {', '.join(known)}")
    if os.environ.get("PHOTOCHROM_OFFLINE", "0") not in ("", "0"):
        raise UnknownModel(
            f"PHOTOCHROM_OFFLINE forbids downloads: fetch {known[name].address} elsewhere, "
            "then use `photochrom models import`"
        )
    source, folder = known[name], models_folder()
    folder.mkdir(parents=True, exist_ok=True)
    partial, whole = folder / f".{name}.partial", folder / f".{name}.pth"
    if whole.exists() and file_sha256(whole).startswith(source.sha256):
        return whole
    for left in range(_TRIES - 1, -1, -1):
        try:
            if _transfer(source.address, partial):
                break
        except OSError as error:  # URLError and timeouts among them
            if left == 0:
                raise _failed(source, _reason(error)) from None
    else:
        raise _failed(
            source, "the transfer was cut again and again: try once more, it goes on where it stopped"
        )
    _check(source, partial)
    partial.replace(whole)
    return whole


def _transfer(address: str, partial: Path) -> bool:
    """Fetch what is missing of a file; whether it is whole now."""
    there = partial.stat().st_size if partial.exists() else 0
    ranged = {"Range": f"bytes={there}-"} if there else {}
    request = urllib.request.Request(address, headers=ranged)  # noqa: S310  the catalogue's are https
    try:
        response: HTTPResponse
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            if "html" in (response.headers.get_content_type() or ""):
                raise ModelError(f"{address} gave a web page, not weights: look there for where they are now")
            goes_on = response.status == 206
            total = int(response.headers.get("Content-Length") or 0) + (there if goes_on else 0)
            with partial.open("ab" if goes_on else "wb") as file:
                _copy(response, file, total)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is missing
            return True
        raise ModelError(f"{address} answered {error.code} ({error.reason}): it may have moved") from None
    return not total or partial.stat().st_size >= total


def _copy(response: HTTPResponse, file: BinaryIO, total: int) -> None:
    done = file.tell()
    with tqdm(
        total=total or None, initial=done, unit="B", unit_scale=True, disable=None, file=sys.stderr
    ) as bar:
        while block := response.read(_BLOCK):
            file.write(block)
            bar.update(len(block))


def _check(source: Source, partial: Path) -> None:
    found = file_sha256(partial)
    if not found.startswith(source.sha256):
        partial.unlink()
        raise ModelError(
            f"{source.address} gave a file of sha256 {found[:12]}…, not {source.sha256}…: "
            "it is not what was published"
        )


def _failed(source: Source, reason: str) -> ModelError:
    return ModelError(f"{source.address} could not be downloaded: {reason}")


def _reason(error: OSError) -> str:
    return str(getattr(error, "reason", "") or error.strerror or error)
