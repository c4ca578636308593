"""The application: routes, the gate around them, and what they share."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI

from photochrom import __version__
from photochrom.server import colorize, guidance, pages, photos, problems, status
from photochrom.server.access import LOOPBACK, Access
from photochrom.server.description import describe
from photochrom.server.gate import Gate
from photochrom.server.limits import Limits
from photochrom.server.metrics import Measured
from photochrom.server.service import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from photochrom.colorizer import Colorizer

_DESCRIPTION = """Believable color for black-and-white photographs; you have the last word.

Every answer that is not a success is `application/problem+json` (RFC 9457)."""


def create_app(
    limits: Limits | None = None,
    access: Access | None = None,
    colorizer: Callable[[], Colorizer] | None = None,
) -> FastAPI:
    """The ASGI application. By default it answers to loopback names only and loads the default model."""
    service = Service(limits or Limits(), colorizer or _default_colorizer)
    access = access or Access(LOOPBACK)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="Photochrom",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.service = service
    for module in (colorize, photos, guidance, status):
        app.include_router(module.router, dependencies=[Depends(problems.refuse_unknown_fields)])
    pages.mount(app)
    problems.install(app)
    describe(app)
    app.add_middleware(Measured, metrics=service.metrics)
    app.add_middleware(Gate, access=access, limits=service.limits, budget=service.budget)
    return app


def _default_colorizer() -> Colorizer:
    from photochrom.colorizer import Colorizer

    return Colorizer()
