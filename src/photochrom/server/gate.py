"""The gate: who may come in, how much they may carry, and what every answer wears.

A plain ASGI middleware around the whole app, so that it holds for static files, unknown routes and the
framework's own answers as well: Host and Origin are checked (a page elsewhere cannot reach a server on
loopback through DNS rebinding), the token where there is one, the body's size and pace before anything
buffers it, and memory for it is reserved. Every answer gets the security headers.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse

from photochrom.errors import PhotochromError
from photochrom.server.problems import (
    BadRequest,
    BodyFault,
    BodyTooLarge,
    BodyTooSlow,
    ServerProblem,
    Unauthorized,
    response_of,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from photochrom.server.budget import Budget, Reservation
    from photochrom.server.limits import Limits

COOKIE = "photochrom-token"
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
_LINGER = 2.0  # seconds to swallow a refused body, so that the client reads our answer and no reset

CONTENT_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Access:
    """Who may come in: the host names that a request may address (None: any), and the token."""

    hosts: frozenset[str] | None
    token: str | None = None

    def admits_host(self, host: str) -> bool:
        return self.hosts is None or _name_of(host) in self.hosts

    def admits(self, headers: Headers) -> bool:
        """Whether the token is there, as a bearer token or in the cookie that /?token=… sets."""
        if self.token is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        offered = [given.strip()] if scheme.lower() == "bearer" else []
        offered.append(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))
        return any(self.is_token(word) for word in offered)

    def is_token(self, word: str) -> bool:
        return self.token is not None and hmac.compare_digest(word.encode(), self.token.encode())


def _name_of(host: str) -> str:
    """The host's name without its port; IPv6 addresses lose their brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


class Gate:
    """The middleware; `budget` is where bodies reserve their memory."""

    def __init__(self, app: ASGIApp, access: Access, limits: Limits, budget: Budget):
        self._app, self._access, self._limits, self._budget = app, access, limits, budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        dressed = _dressed(send)
        try:
            self._check_host(headers)
            if self._signs_in(scope):
                await self._sign_in(scope, receive, dressed)
                return
            self._check_token(scope["path"], headers)
            body = self._body(headers, receive)
        except PhotochromError as error:
            await _swallow(headers, receive)
            await response_of(error)(scope, receive, dressed)
            return
        try:
            scope["photochrom.body"] = body
            await self._app(scope, body.receive, _dressed(send, body))
        finally:
            body.reservation.release()

    def _check_host(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if not self._access.admits_host(host):
            raise BadRequest(
                "This server does not answer to that host name: open it at the address that it printed."
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise BadRequest("Requests from other web sites are not taken: open the studio itself.")

    def _check_token(self, path: str, headers: Headers) -> None:
        if path not in OPEN_PATHS and not self._access.admits(headers):
            raise Unauthorized

    def _signs_in(self, scope: Scope) -> bool:
        """Whether this is the address /?token=… that `serve` prints, with the right token."""
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])
        return bool(scope["path"] == "/" and scope["method"] == "GET" and self._access.is_token(given[0]))

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the token into a cookie, which pages and pictures carry too, and out of the address."""
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, self._access.token or "", httponly=True, samesite="strict")
        await response(scope, receive, send)

    def _body(self, headers: Headers, receive: Receive) -> _Body:
        multipart = headers.get("content-type", "").lower().startswith("multipart/")
        limit = self._limits.body if multipart else self._limits.json_body
        declared = _declared_length(headers)
        if declared is not None and declared > limit:
            raise BodyTooLarge(limit)
        reservation = self._budget.reserve(declared or 0)
        return _Body(receive, reservation, limit, self._limits.seconds)


def _declared_length(headers: Headers) -> int | None:
    value = headers.get("content-length")
    if value is None:
        return None
    if not value.isascii() or not value.isdigit():
        raise BadRequest("The header Content-Length is not a number.")
    return int(value)


class _Body:
    """A body on its way in: counted, timed, and paid for in memory, chunk by chunk."""

    def __init__(self, receive: Receive, reservation: Reservation, limit: int, seconds: float):
        self._receive, self._limit, self._seconds = receive, limit, seconds
        self._deadline = time.monotonic() + seconds
        self._arrived = 0
        self._asked = False
        self._complete = False
        self.reservation = reservation

    @property
    def unfinished(self) -> bool:
        """Whether a part of the body was read or awaited, but not all."""
        return self._asked and not self._complete

    @property
    def seconds_left(self) -> float:
        """Of the time that the whole request may take."""
        return max(self._deadline - time.monotonic(), 0.0)

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        try:
            return await self._next()
        except ServerProblem as problem:
            raise BodyFault(problem) from problem

    async def _next(self) -> Message:
        self._asked = True
        try:
            message = await asyncio.wait_for(self._receive(), self.seconds_left)
        except TimeoutError:
            raise BodyTooSlow(self._seconds) from None
        self._arrived += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._arrived > self._limit:
            raise BodyTooLarge(self._limit)
        if self._arrived > self.reservation.size:
            self.reservation.grow(self._arrived - self.reservation.size)
        return message


async def _swallow(headers: Headers, receive: Receive) -> None:
    """Read a refused body away for a moment; a client that waits for "100 Continue" sends none."""
    if headers.get("expect") or (
        headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    ):
        return
    try:
        async with asyncio.timeout(_LINGER):
            while (await receive()).get("more_body", False):
                continue
    except TimeoutError:
        return


def _dressed(send: Send, body: _Body | None = None) -> Send:
    """`send` that adds the security headers, and keeps answers of the API out of caches.

    Where the answer comes before the body has, the connection is closed: nobody reads the rest.
    """

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            if body is not None and body.unfinished:
                headers["Connection"] = "close"
        await send(message)

    return dressed
