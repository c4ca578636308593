"""Another model than the server's own: by name alone, within the memory, for each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from photochrom.photo import read
from photochrom.server.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

AB = (30.0, -20.0)  # of the models beside the server's own


@pytest.fixture
def plum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flat_model: Callable[..., Any]) -> str:
    flat_model(tmp_path / "plum", AB, 64, "CC BY-NC 4.0")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.onnx").write_bytes(b"no graph")
    (tmp_path / "broken" / "model.json").write_text("{}")
    monkeypatch.setenv("PHOTOCHROM_MODELS", str(tmp_path))
    return "plum"


@pytest.fixture
def client(make_client: Callable[..., Any], plum: str) -> Iterator[TestClient]:
    with make_client(Limits(decoders=1)) as found:
        yield found


def mean_ab(picture: bytes) -> Any:
    from photochrom.color import rgb_to_lab

    return rgb_to_lab(read(picture).rgb)[..., 1:].mean((0, 1))


def test_the_menu_says_what_each_can_do(client: TestClient) -> None:
    models = {one["name"]: one for one in client.get("/v1/models").json()["models"]}
    assert set(models) == {"photochrom", "plum"}  # a broken one hides no other
    assert models["plum"]["noncommercial"]
    assert not models["plum"]["distribution"]
    assert not models["plum"]["loaded"]
    assert models["photochrom"]["distribution"]
    assert not models["photochrom"]["noncommercial"]


def test_a_kept_photo_in_the_colors_of_either_model(client: TestClient, photo_id: str) -> None:
    def shown(**wanted: Any) -> Any:
        answer = client.post(f"/v1/photos/{photo_id}/render", json={"side": 64, **wanted})
        assert answer.status_code == 200, answer.text
        return mean_ab(answer.content)

    own = shown()
    assert np.abs(shown(model="plum") - AB).max() < 6
    assert np.abs(shown(model=None) - own).max() < 0.5
    assert np.abs(shown(model="photochrom") - own).max() < 0.5
    hint = {"x": 0.5, "y": 0.5, "color": "#208030"}
    assert shown(model="plum", hints=[hint])[0] < shown(model="plum")[0] - 5
    whole = client.post(f"/v1/photos/{photo_id}/render", json={"model": "plum"})
    assert np.abs(mean_ab(whole.content) - AB).max() < 6


def test_in_one_request(client: TestClient, make_jpeg: Callable[..., bytes]) -> None:
    answer = client.post("/v1/colorize", files={"photo": make_jpeg()}, data={"model": "plum"})
    assert np.abs(mean_ab(answer.content) - AB).max() < 6


@pytest.mark.parametrize("name", ["plump", "./plum", "../plum", "/etc/passwd", "plum+photochrom", "broken"])
def test_names_alone_lead_to_models(client: TestClient, photo_id: str, name: str, is_problem: Any) -> None:
    answer = client.post(f"/v1/photos/{photo_id}/render", json={"side": 64, "model": name})
    assert "use one of photochrom, plum" in is_problem(answer, 400)["detail"]


def test_a_model_that_does_not_load(
    client: TestClient, photo_id: str, tmp_path: Path, is_problem: Any
) -> None:
    (tmp_path / "plum" / "model.onnx").write_bytes(b"no graph")
    answer = client.post(f"/v1/photos/{photo_id}/render", json={"side": 64, "model": "plum"})
    assert "does not load" in is_problem(answer, 422)["detail"]
    assert client.post(f"/v1/photos/{photo_id}/render", json={"side": 64}).status_code == 200


def test_what_it_cannot_do_is_said(client: TestClient, photo_id: str, is_problem: Any) -> None:
    place = {"x": 0.5, "y": 0.5, "model": "plum"}
    for verb, body in (
        ("suggest", place),
        ("uncertainty", {"model": "plum"}),
        ("proposals", {"model": "plum"}),
    ):
        problem = is_problem(client.post(f"/v1/photos/{photo_id}/{verb}", json=body), 400)
        assert problem["type"].endswith("unsupported-reading")
    told = client.post(f"/v1/photos/{photo_id}/suggest", json={**place, "k": 0}).json()
    assert told["suggestions"] == []
    assert told["current"].startswith("#")  # a pin


def test_a_model_takes_its_memory(
    client: TestClient, photo_id: str, tmp_path: Path, flat_model: Callable[..., Any]
) -> None:
    service: Any = client.app.state.service  # type: ignore[attr-defined]
    before = service.budget.used
    client.post(f"/v1/photos/{photo_id}/render", json={"side": 64, "model": "plum"})
    size = (tmp_path / "plum" / "model.onnx").stat().st_size
    assert service.budget.used == before + 3 * size
    flat_model(tmp_path / "prune", AB, 64, "CC BY-NC 4.0")
    client.post(f"/v1/photos/{photo_id}/render", json={"side": 64, "model": "prune"})
    assert service.budget.used < before + 5 * size  # one at a time


def test_the_mark_names_the_model(client: TestClient, photo_id: str) -> None:
    whole = client.post(f"/v1/photos/{photo_id}/render", json={"model": "plum"})
    assert b"plum" in whole.content
