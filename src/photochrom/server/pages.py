"""The pages: the studio, and /docs from Swagger UI files of our own (no CDN, no inline script)."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os

    from fastapi import FastAPI
    from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
_REVALIDATE = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def studio() -> FileResponse:
    return FileResponse(STATIC / "index.html", headers=_REVALIDATE)


@router.get("/favicon.ico")
async def favicon() -> FileResponse:
    return FileResponse(STATIC / "icon.svg", headers=_REVALIDATE)


@router.get("/docs")
async def api_docs() -> FileResponse:
    return FileResponse(STATIC / "docs.html", headers=_REVALIDATE)


@router.get("/swagger/{name}")
async def swagger(request: Request, name: str) -> Response:
    """Swagger UI, stored gzipped (a third of the size) and unpacked for clients that do not take that."""
    media_type = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}.get(name)
    if media_type is None:
        raise HTTPException(404)
    data = (STATIC / "swagger" / f"{name}.gz").read_bytes()
    headers = {**_REVALIDATE, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(data, headers={**headers, "Content-Encoding": "gzip"}, media_type=media_type)
    return Response(gzip.decompress(data), headers=headers, media_type=media_type)


class _Files(StaticFiles):
    """Static files that browsers ask about each time, so that an upgrade is seen at once."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(_REVALIDATE)
        return response


def mount(app: FastAPI) -> None:
    """Add the pages to the app."""
    app.include_router(router)
    app.mount("/static", _Files(directory=STATIC), name="static")
