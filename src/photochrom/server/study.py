"""The study page: a local web app that shows pairs and takes answers. Keyboard first, works on a phone.

The gate and the problem answers are the studio's; a participant is a random word kept by the browser.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from photochrom.errors import PhotochromError
from photochrom.evaluation.study.answers import Answers
from photochrom.evaluation.study.design import public
from photochrom.server import problems
from photochrom.server.budget import Budget
from photochrom.server.gate import Gate
from photochrom.server.limits import Limits

if TYPE_CHECKING:
    from photochrom.evaluation.study.design import Study
    from photochrom.server.access import Access

STATIC = Path(__file__).parent / "study_static"
_REVALIDATE = {"Cache-Control": "no-cache"}
_KEEP = {"Cache-Control": "private, max-age=86400"}


class NewAnswer(BaseModel):
    """What the page sends after a choice."""

    trial: int = Field(ge=0)
    choice: str = Field(max_length=10)
    milliseconds: float = Field(ge=0, allow_inf_nan=False)


class _UnknownImage(PhotochromError):
    """An image name that is not of this study."""

    status = 404
    problem = "unknown-image"


def create_study_app(study: Study, access: Access) -> FastAPI:
    """The ASGI application of one study."""
    answers = Answers(study)
    limits = Limits()
    app = FastAPI(title="Photochrom study", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=_REVALIDATE)

    @app.get("/api/study")
    def about() -> dict[str, Any]:
        return {"study": study.identity, "practice": study.practice, "pairs": study.pairs + study.preference}

    @app.post("/api/participants", status_code=201)
    def enroll() -> dict[str, Any]:
        return state(answers, answers.enroll())

    @app.get("/api/participants/{participant}")
    def resume(participant: str) -> dict[str, Any]:
        return state(answers, participant)

    @app.post("/api/participants/{participant}/answers")
    def answer(participant: str, given: NewAnswer) -> dict[str, Any]:
        kept = answers.record(participant, given.trial, given.choice, given.milliseconds)
        told = {"right": kept.right} if kept.trial.kind == "practice" else {}
        return {**state(answers, participant), **told}

    @app.get("/api/images/{name}")
    def image(name: str) -> FileResponse:
        path = study.image_path(name)
        if path is None:
            raise _UnknownImage("there is no such picture in this study")
        return FileResponse(path, media_type="image/png", headers=_KEEP)

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    problems.install(app)
    app.add_middleware(Gate, access=access, limits=limits, budget=Budget(limits.memory))
    return app


def state(answers: Answers, participant: str) -> dict[str, Any]:
    """Where a participant stands: the next trial, or the score at the end."""
    study = answers.study
    number = answers.number(participant)
    trials, done = study.trials(number), answers.answered(participant)
    facts: dict[str, Any] = {
        "participant": participant,
        "answered": done,
        "practice": study.practice,
        "total": len(trials),
        "trial": public(study, trials[done]) if done < len(trials) else None,
    }
    if done >= len(trials):
        mine = [one for one in answers.all() if one.participant == number and one.trial.kind == "fooling"]
        facts["score"] = {"found": sum(bool(one.right) for one in mine), "pairs": len(mine)}
    return facts
