"""Models and limits, health, metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from photochrom import __version__
from photochrom.server.photos import service_of
from photochrom.server.problems import NotReady, documented
from photochrom.server.schemas import Health, LimitsInfo, ModelInfo, Models

if TYPE_CHECKING:
    from photochrom.models import Card

router = APIRouter(tags=["status"])


@router.get("/v1/models", responses=documented(), summary="Models, and what the server takes")
async def models(request: Request) -> Models:
    service = service_of(request)
    limits, loaded = service.limits, service.colorizer.model
    return Models(
        models=[_model(card, loaded) for card in service.cards().values()],
        limits=LimitsInfo(body=limits.body, pixels=limits.pixels, hints=limits.hints, seconds=limits.seconds),
        version=__version__,
    )


def _model(card: Card, loaded: Card) -> ModelInfo:
    return ModelInfo(
        name=card.name,
        licence=card.licence,
        sha256=card.sha256,
        head=card.head,
        supports_hints=card.supports_hints,
        distribution=card.head == "bins",
        noncommercial=card.noncommercial,
        loaded=card == loaded,
    )


@router.get("/healthz", summary="The process answers")
async def healthz() -> Health:
    return Health()


@router.get("/readyz", responses={503: documented()[503]}, summary="The model is loaded")
async def readyz(request: Request) -> Health:
    if not service_of(request).ready:
        raise NotReady
    return Health()


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **documented()},
    summary="Figures for Prometheus",
)
async def metrics(request: Request) -> Response:
    return Response(service_of(request).metrics.text(), media_type="text/plain; version=0.0.4")
