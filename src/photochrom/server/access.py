"""Who may come in: host names, origins, the token, and the address that a proxy in front shows."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from starlette.requests import cookie_parser

from photochrom.errors import OptionError
from photochrom.server.problems import BadRequest, Unauthorized

if TYPE_CHECKING:
    from starlette.datastructures import Headers

COOKIE = "photochrom-token"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PORTS = {"http": 80, "https": 443}
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Access:
    """The host names that a request may address (None: any), the token, and the public address.

    `public_url` is where people find the server when a proxy stands in front of it, for example
    "https://photos.example/color": its origin is ours and its path is where the pages live, whether or
    not the proxy cuts that path off. Raises OptionError for anything but an http(s) address.
    """

    hosts: frozenset[str] | None
    token: str | None = None
    public_url: str | None = None

    def __post_init__(self) -> None:
        if self.public_url is not None and not _is_plain_address(self.public_url):
            raise OptionError(
                f"the public URL {self.public_url!r} is not an address like https://photos.example/color"
            )

    @property
    def root_path(self) -> str:
        """The path of the public address without its last slash: "" or "/color"."""
        return urlsplit(self.public_url or "").path.rstrip("/")

    @property
    def is_secure(self) -> bool:
        """Whether people come by https."""
        return urlsplit(self.public_url or "").scheme == "https"

    def admits_host(self, host: str) -> bool:
        name = _place(f"//{host}")[0]
        if self.hosts is None or name in self.hosts:
            return True
        return self.public_url is not None and name == _place(self.public_url)[0]

    def admits_origin(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` is ours: the address that the request names, or the public one."""
        scheme, is_named = urlsplit(origin).scheme, bool(_place(origin)[0])
        if self.public_url is not None and _origin(origin) == _origin(self.public_url):
            return True
        return is_named and scheme in _PORTS and _origin(origin) == _origin(f"{scheme}://{host}")

    def check(self, headers: Headers) -> None:
        """Raises BadRequest for a host name or an origin that is not ours."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self.admits_host(host):
            raise BadRequest(
                f"This server does not answer to the host name {host[:_LONGEST_NAME]!r}: open it at the "
                "address that it printed, or start it with --allow-host NAME or, behind a proxy, with "
                "--public-url ADDRESS."
            )
        if origin is not None and not self.admits_origin(origin, host):
            raise BadRequest(
                f"Requests from pages of {origin[:_LONGEST_NAME]!r} are not taken: open the studio itself. "
                "If that is the studio's address behind a proxy, start the server with --public-url ADDRESS."
            )

    def check_token(self, headers: Headers) -> None:
        """Raises Unauthorized unless the token is there: as a bearer token, or in the cookie."""
        if self.token is None:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        offered = [given.strip()] if scheme.lower() == "bearer" else []
        offered.append(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))
        if not any(map(self.is_token, offered)):
            raise Unauthorized

    def is_token(self, word: str) -> bool:
        return self.token is not None and hmac.compare_digest(word.encode(), self.token.encode())


def _is_plain_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in _PORTS and bool(_place(url)[0]) and not (parts.query or parts.fragment)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host name and port; a port that is usual for the scheme may be left out."""
    return (urlsplit(url).scheme, *_place(url))


def _place(url: str) -> tuple[str, int | None]:
    """The host's name and port; IPv6 addresses lose their brackets. An address of nowhere has no name."""
    try:
        parts: SplitResult = urlsplit(url)
        return (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return "", None
