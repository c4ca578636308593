"""Problem details (RFC 9457): every answer that is not a success, also those of the framework.

The statuses are those of docs/rest.md: 400, 401, 404, 405, 408, 410, 413, 415, 422, 429 with Retry-After, and
503 while starting or stopping. A detail is one plain sentence for a person; no path, name or trace of
the server's gets into it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from fastapi import Request  # noqa: TC002  # FastAPI reads the annotation
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from photochrom.errors import PhotochromError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI
    from starlette.types import ExceptionHandler

_MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:photochrom:problem:"
_LONGEST_DETAIL = 500


class ServerProblem(PhotochromError):
    """A refusal of the server itself."""

    headers: ClassVar[dict[str, str]] = {}


class Busy(ServerProblem):
    status = 429
    problem = "busy"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "2"}

    def __init__(self) -> None:
        super().__init__("The server is busy with other photos: try again in a moment.")


class BodyTooLarge(ServerProblem):
    status = 413
    problem = "body-too-large"

    def __init__(self, limit: int, size: int | None = None):
        found = "This upload" if size is None else f"This upload of {size / (1 << 20):.1f} MiB"
        super().__init__(
            f"{found} is larger than the {limit >> 20} MiB that this server takes: start it with a larger "
            "--max-body, or use `photochrom colorize`."
        )


class OverBudget(ServerProblem):
    """More memory than the server has at all: only a larger budget helps."""

    status = 429
    problem = "over-budget"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "3600"}

    def __init__(self, needed: int, total: int):
        super().__init__(
            f"This request needs {needed >> 20} MiB of memory and the server has {total >> 20} MiB: start it "
            "with a larger --memory, or use `photochrom colorize`."
        )


class BodyTooSlow(ServerProblem):
    status = 408
    problem = "body-too-slow"

    def __init__(self, seconds: float):
        super().__init__(
            f"The upload stalled: too little of it arrived within {seconds:g} s. Check the connection and "
            "send it again; `photochrom serve --timeout SECONDS` waits longer."
        )


class BadRequest(ServerProblem):
    status = 400
    problem = "bad-request"


class _UnknownFields(ServerProblem):
    status = 400
    problem = "unknown-field"

    def __init__(self, unknown: Sequence[str], known: Sequence[str]):
        named = ", ".join(field[:40] for field in unknown[:5])
        super().__init__(f"These fields are not known here: {named}. The fields are {', '.join(known)}.")


class Unauthorized(ServerProblem):
    status = 401
    problem = "no-token"
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}

    def __init__(self) -> None:
        super().__init__(
            "This server needs its token: open the address that it printed when it started, "
            "or send 'Authorization: Bearer TOKEN'."
        )


class UnknownPhoto(ServerProblem):
    status = 404
    problem = "unknown-photo"

    def __init__(self) -> None:
        super().__init__("There is no photo with this id: upload it first.")


class ExpiredPhoto(ServerProblem):
    status = 410
    problem = "expired-photo"

    def __init__(self) -> None:
        super().__init__("This photo is no longer kept here: upload it again.")


class TooSlow(ServerProblem):
    status = 422
    problem = "decoder-timeout"

    def __init__(self, seconds: float):
        super().__init__(
            f"The photo could not be decoded within {seconds:.1f} s: save it again and try again."
        )


class NotReady(ServerProblem):
    status = 503
    problem = "not-ready"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "2"}

    def __init__(self) -> None:
        super().__init__("The server is starting or stopping: try again in a moment.")


class BodyFault(HTTPException):
    """A problem met while a body is read: the framework lets only its own exceptions through there."""

    def __init__(self, problem: ServerProblem):
        super().__init__(problem.status, str(problem))
        self.problem = problem


def problem_response(
    status: int,
    detail: str,
    *,
    problem: str | None = None,
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> JSONResponse:
    """A problem+json answer; `problem` names its type, `extra` are further members."""
    if len(detail) > _LONGEST_DETAIL:
        detail = detail[:_LONGEST_DETAIL] + "…"
    body = {
        "type": _TYPE_PREFIX + problem if problem else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **extra,
    }
    return JSONResponse(body, status, headers, media_type=_MEDIA_TYPE)


def response_of(error: PhotochromError) -> JSONResponse:
    """The answer to an error of ours."""
    headers = error.headers if isinstance(error, ServerProblem) else None
    return problem_response(error.status, str(error), problem=error.problem, headers=headers)


async def _photochrom_error(_: Request, error: PhotochromError) -> JSONResponse:
    return response_of(error)


async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    """The framework's 422 for a bad field is our 400; the input is not repeated in the answer."""
    faults = [
        {"pointer": _pointer(fault["loc"]), "detail": str(fault["msg"])[:200]}
        for fault in error.errors()[:20]
    ]
    first = faults[0] if faults else {"pointer": "#/", "detail": "it cannot be read"}
    place = first["pointer"].removeprefix("#/") or "the request"
    detail = f"{place}: {first['detail']}."
    return problem_response(400, detail, problem="bad-field", errors=faults)


def _pointer(location: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901) without pydantic's leading "body"."""
    parts = location[1:] if location and location[0] in {"body", "query", "path", "header"} else location
    return "#/" + "/".join(str(part)[:80] for part in parts)


_SENTENCES = {
    404: "There is nothing at this address: see /docs for what there is.",
    405: "This address does not take that method: see /docs for the ones it takes.",
}


async def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    """Answers of the framework itself: unknown routes, wrong methods, broken multipart bodies."""
    if isinstance(error, BodyFault):
        return response_of(error.problem)
    detail = _SENTENCES.get(error.status_code) or str(error.detail)
    return problem_response(error.status_code, detail, headers=error.headers)


async def _unexpected(_: Request, __: Exception) -> JSONResponse:
    """A fault of ours: the answer says no more, the server's log has all of it."""
    return problem_response(500, "Something went wrong on the server; its log says what.")


async def refuse_unknown_fields(request: Request) -> None:
    """A dependency of all routes: refuses a field of a form that the route does not have."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/"):
        return
    known = [field.alias for field in request.scope["route"].dependant.body_params]
    unknown = sorted(set(await request.form()) - set(known))
    if unknown:
        raise _UnknownFields(unknown, known)


def install(app: FastAPI) -> None:
    """Turn every error raised under `app` into problem+json."""
    handlers: dict[type[Exception], Any] = {
        PhotochromError: _photochrom_error,
        RequestValidationError: _invalid,
        HTTPException: _http_error,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        typed: ExceptionHandler = handler
        app.add_exception_handler(kind, typed)


_MEANINGS = {
    400: "A field, a hint or an option that is not valid",
    401: "No token, or a wrong one",
    404: "No photo with this id",
    405: "A method that this address does not take",
    408: "The body stopped arriving",
    410: "The photo has expired or was removed",
    413: "The body is too large",
    415: "Not a picture format that is read",
    422: "Undecodable, too many pixels, or a decoder that ran out of time",
    429: "Full: try again after Retry-After seconds",
    503: "Starting or stopping",
}

_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of the problems an operation may answer with; 401 and 503 are always included."""
    always = {401, 503, 408} if 413 in statuses else {401, 503}  # a body may be too large, or stall
    return {
        status: {"description": _MEANINGS[status], "content": {_MEDIA_TYPE: {"schema": _SCHEMA}}}
        for status in sorted({*always, *statuses})
    }
