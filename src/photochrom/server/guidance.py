"""The routes of guidance: proposals to start from, and the colors of another photo, both as hints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Query, Request, UploadFile

from photochrom.errors import GuidanceError
from photochrom.guidance import combined, proposals, reference_hints
from photochrom.hints import Hint, dump_hints
from photochrom.server.colorize import hints_of
from photochrom.server.photos import service_of
from photochrom.server.problems import documented
from photochrom.server.schemas import HintsFile, Proposals, ProposalsRequest

if TYPE_CHECKING:
    from photochrom.colorizer import Plate
    from photochrom.photo import Photo

router = APIRouter(prefix="/v1/photos", tags=["guidance"])


@router.get("/{photo_id}/proposals", responses=documented(400, 404, 410, 429), summary="Ideas to start from")
async def propose(
    request: Request,
    photo_id: str,
    k: Annotated[int, Query(ge=1, le=12)] = 4,
    seed: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> Proposals:
    """Lists of hints that differ where the network is least sure; the same seed gives the same ones."""
    return await _propose(request, photo_id, ProposalsRequest(k=k, seed=seed))


@router.post(
    "/{photo_id}/proposals",
    responses=documented(400, 404, 410, 413, 429),
    summary="Ideas to start from, with hints",
)
async def propose_with_hints(request: Request, photo_id: str, wanted: ProposalsRequest) -> Proposals:
    """The same; each list contains the given hints, which have the last word."""
    return await _propose(request, photo_id, wanted)


async def _propose(request: Request, photo_id: str, wanted: ProposalsRequest) -> Proposals:
    service = service_of(request)
    plate = await service.plate(request, photo_id, wanted.model)
    look = wanted.look(service.limits.hints)
    found = await service.compute_with_hints(
        request, plate, look, lambda: proposals(plate, wanted.k, wanted.seed, look.hints), bulk=True
    )
    return Proposals(proposals=[HintsFile(**dump_hints(one)) for one in found])


@router.post(
    "/{photo_id}/reference",
    responses=documented(400, 404, 410, 413, 415, 422, 429),
    summary="Hints with the colors of another photo",
)
async def reference(
    request: Request,
    photo_id: str,
    photo: UploadFile,
    hints: Annotated[str, Form(description="Your own hints, as JSON; they have the last word")] = "",
    model: Annotated[str | None, Form(description="A model's name; without it the server's own")] = None,
) -> HintsFile:
    """A hints file: your hints and those found in the reference, where the two photos match."""
    service = service_of(request)
    plate = await service.plate(request, photo_id, model)
    mine = hints_of(hints, service)
    body = await photo.read()
    with service.budget.holding(0) as reservation:
        async with service.admitted(request):
            other = await service.decode(request, body, reservation)
            found = await service.compute(request, lambda: _like(plate, mine, other), bulk=True)
    answer: dict[str, Any] = dump_hints(found)
    return HintsFile(**answer)


def _like(plate: Plate, mine: list[Hint], other: Photo) -> list[Hint]:
    theirs = reference_hints(plate, other)
    if not theirs:
        raise GuidanceError("the two photos have too little in common: pick single colors from it instead")
    return combined(plate, mine, theirs)
