"""The routes of kept photos: upload once, then render, ask and correct as often as you like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response, UploadFile

from photochrom.models import DEFAULT_VIVIDNESS
from photochrom.photo import FORMATS, ReadOptions, output_format
from photochrom.server import pictures
from photochrom.server.problems import documented
from photochrom.server.schemas import (
    Colors,
    DifferenceRequest,
    PhotoInfo,
    Place,
    Region,
    RenderRequest,
    SuggestionModel,
    Suggestions,
    SuggestRequest,
    Uncertainty,
    as_form_fields,
)
from photochrom.server.service import needed_by_file

if TYPE_CHECKING:
    from photochrom.colorizer import Plate
    from photochrom.look import Look
    from photochrom.server.service import Service
    from photochrom.server.store import Kept

router = APIRouter(prefix="/v1/photos", tags=["photos"])

PICTURE: dict[str, Any] = {"content": {fmt.mime: {} for fmt in FORMATS.values() if fmt.writes}}
JPEG: dict[str, Any] = {"content": {"image/jpeg": {}}}
_GRAY_PNG: dict[str, Any] = {"content": {"image/png": {}}}
_KNOWN = documented(400, 404, 410, 429)
_KNOWN_WITH_BODY = documented(400, 404, 410, 413, 429)

Share = Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)]
Side = Annotated[int, Query(ge=16, le=4096)]


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


@router.post("", status_code=201, responses=documented(400, 413, 415, 422, 429), summary="Upload a photo")
@as_form_fields
async def upload(
    request: Request, response: Response, photo: UploadFile, *, reading: ReadOptions
) -> PhotoInfo:
    """Keep a photo for an hour after its last use. Its colors, if it has any, are dropped."""
    kept = await service_of(request).keep(request, await photo.read(), reading)
    response.headers["Location"] = f"{request.scope['root_path']}/v1/photos/{kept.id}"
    return _info(service_of(request), kept)


@router.get("/{photo_id}", responses=_KNOWN, summary="What is known of a photo")
async def info(request: Request, photo_id: str) -> PhotoInfo:
    service = service_of(request)
    return _info(service, service.store.get(photo_id))


@router.delete("/{photo_id}", status_code=204, responses=_KNOWN, summary="Forget a photo")
async def delete(request: Request, photo_id: str) -> None:
    service_of(request).store.remove(photo_id)


@router.get(
    "/{photo_id}/original",
    responses={200: JPEG, **_KNOWN},
    response_class=Response,
    summary="The photo as it came",
)
async def original(
    request: Request,
    photo_id: str,
    side: Side = 1000,
    left: Share = 0,
    top: Share = 0,
    right: Share = 1,
    bottom: Share = 1,
) -> Response:
    """A JPEG preview of the uploaded photo or of a part of it."""
    service = service_of(request)
    photo = service.store.get(photo_id).photo
    region = Region(left=left, top=top, right=right, bottom=bottom)
    data = await service.compute(request, lambda: pictures.original_preview(photo, side, region))
    return Response(data, media_type="image/jpeg")


@router.post("/{photo_id}/render", responses={200: PICTURE, **_KNOWN_WITH_BODY}, response_class=Response)
async def render(request: Request, photo_id: str, wanted: RenderRequest) -> Response:
    """The colored photo: a JPEG preview where `side` is given, else the whole file.

    Hints travel with every request, so that several clients can work on one photo.
    """
    service = service_of(request)
    plate = await service.plate(request, photo_id, wanted.model)
    look = wanted.look(service.limits.hints)
    if wanted.side is None:
        return await _whole_file(request, service, plate, look, wanted)
    side = min(wanted.side, service.limits.preview)
    data = await service.compute_with_hints(
        request, plate, look, lambda: pictures.colored_preview(plate, look, side, wanted.region)
    )
    return Response(data, media_type="image/jpeg")


async def _whole_file(
    request: Request, service: Service, plate: Plate, look: Look, wanted: RenderRequest
) -> Response:
    def work() -> tuple[bytes, str]:
        return pictures.whole_file(plate.color(look), wanted.file)

    with service.budget.holding(needed_by_file(plate.photo, wanted.file)):
        data, mime = await service.compute_with_hints(request, plate, look, work, bulk=True)
    return Response(data, media_type=mime)


@router.get("/{photo_id}/suggest", responses=_KNOWN, summary="Colors for a place")
async def suggest(
    request: Request, photo_id: str, x: Share, y: Share, k: Annotated[int, Query(ge=1, le=20)] = 5
) -> Suggestions:
    """The network's own suggestions at a place of the photo without hints, likeliest first."""
    return await _suggest(request, photo_id, SuggestRequest(x=x, y=y, k=k))


@router.post("/{photo_id}/suggest", responses=_KNOWN_WITH_BODY, summary="Colors for a place, with hints")
async def suggest_with_hints(request: Request, photo_id: str, wanted: SuggestRequest) -> Suggestions:
    return await _suggest(request, photo_id, wanted)


async def _suggest(request: Request, photo_id: str, wanted: SuggestRequest) -> Suggestions:
    service = service_of(request)
    plate = await service.plate(request, photo_id, wanted.model)
    look = wanted.look(service.limits.hints)

    def work() -> Suggestions:
        colored = plate.color(look)
        found = colored.suggest(wanted.x, wanted.y, wanted.k) if wanted.k else []
        return Suggestions(
            current=colored.color_at(wanted.x, wanted.y),
            suggestions=[
                SuggestionModel(color=color, probability=probability) for color, probability in found
            ],
        )

    return await service.compute_with_hints(request, plate, look, work)


@router.get("/{photo_id}/uncertainty", responses=_KNOWN, summary="Where the network is guessing")
async def uncertainty(request: Request, photo_id: str) -> Uncertainty:
    """0 (sure) to 1 for every cell of the network's answer, and the places where a hint helps most."""
    return await _uncertainty(request, photo_id, Colors())


@router.post("/{photo_id}/uncertainty", responses=_KNOWN_WITH_BODY, summary="The same with hints")
async def uncertainty_with_hints(request: Request, photo_id: str, wanted: Colors) -> Uncertainty:
    return await _uncertainty(request, photo_id, wanted)


async def _uncertainty(request: Request, photo_id: str, wanted: Colors) -> Uncertainty:
    service = service_of(request)
    plate = await service.plate(request, photo_id, wanted.model)
    look = wanted.look(service.limits.hints)

    def work() -> Uncertainty:
        values = plate.color(look).uncertainty()
        places = pictures.uncertain_places(values)
        return Uncertainty(
            width=values.shape[1],
            height=values.shape[0],
            values=[[round(float(value), 3) for value in row] for row in values],
            places=[Place(x=x, y=y, uncertainty=value) for x, y, value in places],
        )

    return await service.compute_with_hints(request, plate, look, work)


@router.post(
    "/{photo_id}/difference", responses={200: _GRAY_PNG, **_KNOWN_WITH_BODY}, response_class=Response
)
async def difference(request: Request, photo_id: str, wanted: DifferenceRequest) -> Response:
    """How far one of the hints moves the colors: a gray PNG, four levels a ΔE*ab."""
    service = service_of(request)
    plate = await service.plate(request, photo_id, wanted.model)
    look = wanted.look(service.limits.hints)
    data = await service.compute_with_hints(
        request, plate, look, lambda: pictures.difference_map(plate, look, wanted.index)
    )
    return Response(data, media_type="image/png")


def _info(service: Service, kept: Kept) -> PhotoInfo:
    photo = kept.photo
    return PhotoInfo(
        id=kept.id,
        sha256=kept.sha256,
        width=photo.width,
        height=photo.height,
        format=photo.format,
        bits=photo.bits,
        colored=kept.colored,
        warnings=list(photo.warnings),
        download_format=output_format(photo).name,
        expires_in=service.limits.expiry,
        vividness=DEFAULT_VIVIDNESS,
    )
