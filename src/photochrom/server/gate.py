"""The gate: who may come in, how much they may send, and which headers every answer carries.

A plain ASGI middleware around the whole app, so that it holds for static files, unknown routes and the
framework's own answers as well: Host and Origin are checked (a page elsewhere cannot reach a server on
loopback through DNS rebinding), the token where there is one, the body's size and pace before anything
buffers it, and memory for it is reserved. Every answer gets the security headers. HEAD is answered like GET;
the server leaves the body out.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse

from photochrom.errors import PhotochromError
from photochrom.server.access import COOKIE
from photochrom.server.problems import (
    BadRequest,
    BodyFault,
    BodyTooLarge,
    BodyTooSlow,
    ServerProblem,
    response_of,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from photochrom.server.access import Access
    from photochrom.server.budget import Budget, Reservation
    from photochrom.server.limits import Limits

_OPEN_PATHS = frozenset({"/healthz", "/readyz"})
_PROGRESS = 32 << 10  # bytes of a body that must arrive in each span of the time limit
_LINGER = 2.0  # seconds to swallow a refused body, so that the client reads our answer and no reset

_CONTENT_POLICY = "; ".join(
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
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}


class Gate:
    """The middleware; `budget` is where bodies reserve their memory."""

    def __init__(self, app: ASGIApp, access: Access, limits: Limits, budget: Budget):
        self._app, self._access, self._limits, self._budget = app, access, limits, budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        root, path = self._access.root_path, self._path(scope)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        scope = {**scope, "method": method, "root_path": root, "path": root + path}
        headers, answer = Headers(scope=scope), _with_headers(send)
        try:
            self._access.check(headers)
            if (way := self._redirect(scope, path)) is not None:
                await way(scope, receive, answer)
                return
            if path not in _OPEN_PATHS:
                self._access.check_token(headers)
            body = self._body(headers, receive)
        except PhotochromError as error:
            await _swallow(headers, receive)
            await response_of(error)(scope, receive, answer)
            return
        try:
            scope["photochrom.body"] = body
            await self._app(scope, body.receive, _with_headers(send, body))
        finally:
            body.reservation.release()

    def _path(self, scope: Scope) -> str:
        """The path within the app, whether or not a proxy cut the public one off; "" is that one alone."""
        path, root = str(scope["path"]), self._access.root_path
        return path[len(root) :] if path == root or path.startswith(f"{root}/") else path

    def _redirect(self, scope: Scope, path: str) -> RedirectResponse | None:
        """The way from /?token=…, which `serve` prints, to the studio, and from a sub-path to its "/".

        The token moves from the address into a cookie, which the browser sends for pages and pictures too.
        """
        home = self._access.root_path + "/"
        if scope["method"] != "GET" or path not in ("", "/"):
            return None
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])
        response = RedirectResponse(home, 303)
        if self._access.is_token(given[0]):
            secure = self._access.is_secure
            response.set_cookie(COOKIE, given[0], path=home, httponly=True, secure=secure, samesite="strict")
        elif path:
            return None
        return response

    def _body(self, headers: Headers, receive: Receive) -> _Body:
        multipart = headers.get("content-type", "").lower().startswith("multipart/")
        limit = self._limits.body if multipart else self._limits.json_body
        declared = _declared_length(headers)
        if declared is not None and declared > limit:
            raise BodyTooLarge(limit, declared)
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
    """A body on its way in: counted, timed, and paid for in memory, chunk by chunk.

    It may take as long as it likes while it gets on: `_PROGRESS` bytes in each span of `seconds`. The
    time that the request may take begins once the body is there.
    """

    def __init__(self, receive: Receive, reservation: Reservation, limit: int, seconds: float):
        self._receive, self._limit, self._seconds = receive, limit, seconds
        self._deadline = time.monotonic() + seconds
        self._arrived = self._next_mark = 0
        self._asked = False
        self._complete = False
        self.reservation = reservation

    @property
    def unfinished(self) -> bool:
        """Whether a part of the body was read or awaited, but not all."""
        return self._asked and not self._complete

    @property
    def seconds_left(self) -> float:
        """Of the time that the request may take."""
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
        if self._complete or self._arrived >= self._next_mark:
            self._deadline = time.monotonic() + self._seconds
            self._next_mark = self._arrived + _PROGRESS
        if self._arrived > self._limit:
            raise BodyTooLarge(self._limit)
        if self._arrived > self.reservation.size:
            self.reservation.grow(self._arrived - self.reservation.size)
        return message


async def _swallow(headers: Headers, receive: Receive) -> None:
    """Read a refused body for a moment and drop it; a client that waits for "100 Continue" sends none."""
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


def _with_headers(send: Send, body: _Body | None = None) -> Send:
    """`send` that adds the security headers, and keeps answers of the API out of caches.

    Where the answer comes before the body has, the connection is closed: nobody reads the rest.
    """

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            if body is not None and body.unfinished:
                headers["Connection"] = "close"
        await send(message)

    return with_headers
