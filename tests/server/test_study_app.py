"""The study's small API without a browser: what it tells, keeps and refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from photochrom.evaluation.photos import PhotoSet
from photochrom.evaluation.predictors import Grey
from photochrom.evaluation.protocols import PROTOCOLS
from photochrom.evaluation.study.design import Study, create
from photochrom.server.access import Access
from photochrom.server.study import create_study_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "truth").mkdir()
    for number in range(4):
        Image.new("RGB", (32, 32), (200, 40 * number, 30)).save(tmp_path / "truth" / f"{number}.png")
    photos = PhotoSet.open(tmp_path / "truth", PROTOCOLS["photos"])
    return create(tmp_path / "study", photos, [Grey()], pairs=3, practice=1)[0]


@pytest.fixture
def client(study: Study) -> Iterator[TestClient]:
    with TestClient(create_study_app(study, Access(frozenset({"testserver"})))) as client:
        yield client


def test_a_participant_from_first_to_last(client: TestClient, study: Study) -> None:
    state = client.post("/api/participants").json()
    path = f"/api/participants/{state['participant']}"
    for trial in study.trials(0):
        assert state["trial"]["index"] == trial.index
        for side in ("left", "right"):
            picture = client.get(f"/api/images/{state['trial'][side]}")
            assert picture.headers["content-type"] == "image/png"
        body = {"trial": trial.index, "choice": trial.colored, "milliseconds": 700}
        state = client.post(f"{path}/answers", json=body).json()
        assert ("right" in state) == (trial.kind == "practice")
    assert state["trial"] is None
    assert state["score"] == {"found": 3, "pairs": 3}
    assert client.get(path).json()["answered"] == 4


def test_an_answer_sent_twice_is_kept_once(client: TestClient) -> None:
    path = f"/api/participants/{client.post('/api/participants').json()['participant']}"
    body = {"trial": 0, "choice": "left", "milliseconds": 700}
    first = client.post(f"{path}/answers", json=body).json()
    assert client.post(f"{path}/answers", json={**body, "choice": "right"}).json() == first


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"trial": 0, "choice": "up", "milliseconds": 1},
        {"trial": 0, "choice": "left", "milliseconds": -1},
        {"trial": 0, "choice": "left", "milliseconds": "soon"},
        {"trial": 7, "choice": "left", "milliseconds": 1},
        {"trial": -1, "choice": "left", "milliseconds": 1},
        {"trial": 10**30, "choice": "left", "milliseconds": 1},
    ],
)
def test_senseless_answers_are_a_problem(client: TestClient, body: dict[str, object]) -> None:
    path = f"/api/participants/{client.post('/api/participants').json()['participant']}"
    refused = client.post(f"{path}/answers", json=body)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert client.get(path).json()["answered"] == 0


@pytest.mark.parametrize(
    "path", ["/api/participants/nobody", "/api/images/nothing", "/api/images/..%2fstudy", "/nowhere"]
)
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    refused = client.get(path)
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/problem+json"


def test_the_gate_holds(study: Study) -> None:
    app = create_study_app(study, Access(frozenset({"testserver"}), token="word"))
    with TestClient(app) as client:
        assert client.get("/api/study").status_code == 401
        assert client.get("/api/study", headers={"Authorization": "Bearer word"}).status_code == 200
        assert client.get("/api/study", headers={"Host": "evil.example"}).status_code == 400
        client.get("/?token=word")  # the address that is printed signs in by a cookie
        assert client.get("/api/study").status_code == 200


def test_no_answer_tells_which_picture_is_real(client: TestClient, study: Study) -> None:
    state = client.post("/api/participants").json()
    told = str(state) + str(client.get("/api/study").json())
    assert "truth" not in told
    assert "gray" not in told
    page = client.get("/")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
