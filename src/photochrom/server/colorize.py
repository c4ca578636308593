"""One request, one picture: `POST /v1/colorize`."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile

from photochrom.batch.options import Extras  # noqa: TC001  # FastAPI reads the annotation
from photochrom.errors import HintError
from photochrom.hints import Hint, load_hints
from photochrom.look import Look, ReferencePhoto
from photochrom.photo import FileOptions, ReadOptions, is_colored
from photochrom.server import pictures
from photochrom.server.bundle import MIME, Wanted, needed_beside, whole
from photochrom.server.photos import PICTURE, service_of
from photochrom.server.problems import BadRequest, documented
from photochrom.server.schemas import as_form_fields
from photochrom.server.service import Service, needed_by_file

router = APIRouter(prefix="/v1", tags=["colorize"])


@router.post(
    "/colorize",
    responses={200: {"content": {**PICTURE["content"], MIME: {}}}, **documented(400, 413, 415, 422, 429)},
    response_class=Response,
    summary="Color a photo",
)
@as_form_fields
async def colorize(
    request: Request,
    photo: UploadFile,
    hints: Annotated[str, Form(description="Hints in the JSON form of the hints file")] = "",
    reference: Annotated[UploadFile | None, File(description="Color it like this photo")] = None,
    palette: Annotated[str, Form(description='Keep to these colors: "#7a2e1d, #3b5998"')] = "",
    keep_color: Annotated[bool, Form(description="Start from the photo's own faded color")] = False,
    vividness: Annotated[float | None, Form(ge=0, le=1, allow_inf_nan=False)] = None,
    model: Annotated[str | None, Form(description="A model's name; without it the server's own")] = None,
    *,
    options: FileOptions,
    reading: ReadOptions,
    extras: Extras,
) -> Response:
    """The photo comes back in color, at its full size, in its own format where that can hold color.

    With `sidecar` or `layer` it comes in a ZIP file, together with these. What there is to say about it is in
    the header `Photochrom-Warnings`, a JSON list of sentences.
    """
    service = service_of(request)
    colors = tuple(palette.replace(",", " ").split())
    look = Look(tuple(hints_of(hints, service)), vividness, palette=colors, keep_color=keep_color)
    other = await reference.read() if reference is not None else None
    if other is not None and extras.sidecar:
        raise BadRequest(
            "A sidecar names its files, which an uploaded reference is not: leave one of the two out."
        )
    body = await photo.read()
    digest = await asyncio.to_thread(lambda: hashlib.sha256(body).hexdigest()) if extras.sidecar else ""
    wanted = Wanted(photo.filename or "", digest, look, options, reading, extras)
    return await _colorize(request, service, body, other, wanted, model)


def hints_of(text: str, service: Service) -> list[Hint]:
    """The hints of a form's field; none where it is empty. Raises HintError."""
    hints = load_hints(text.encode()) if text.strip() else []
    if len(hints) > service.limits.hints:
        raise HintError(f"{len(hints)} hints were sent; at most {service.limits.hints} are taken")
    return hints


async def _colorize(
    request: Request, service: Service, body: bytes, other: bytes | None, wanted: Wanted, model: str | None
) -> Response:
    with service.budget.holding(0, beside=len(body)) as reservation:
        async with service.admitted(request):
            photo, plate = await service.open(request, body, reservation, wanted.reading, model)
            look = wanted.look
            if other is not None:
                decoded = await service.decode(request, other, reservation)
                look = replace(look, reference=ReferencePhoto.of(decoded))
                wanted = replace(wanted, look=look)
            reservation.grow(needed_by_file(photo, wanted.file) + needed_beside(photo, wanted))
            work = partial(whole, plate, wanted)
            data, mime = await service.compute_with_hints(request, plate, look, work, bulk=True)
            colored = await service.compute(request, lambda: is_colored(photo))
    told = pictures.warnings_of(photo, dropped=colored and not look.keep_color)
    headers = {"Photochrom-Warnings": json.dumps(told)} if told else None
    return Response(data, media_type=mime, headers=headers)
