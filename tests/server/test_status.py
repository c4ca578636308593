"""Models, health, metrics, starting and stopping; answers of the framework itself."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from photochrom import __version__
from photochrom.errors import OptionError, PhotochromError
from photochrom.hints import Hint
from photochrom.models import DEFAULT, find
from photochrom.server.app import create_app
from photochrom.server.limits import Limits
from photochrom.server.problems import problem_response, response_of

if TYPE_CHECKING:
    from collections.abc import Callable


def test_models_are_the_cards(client: TestClient) -> None:
    told = client.get("/v1/models").json()
    _, card = find(DEFAULT)
    model = next(one for one in told["models"] if one["name"] == DEFAULT)
    assert (model["sha256"], model["licence"], model["loaded"]) == (card.sha256, card.licence, True)
    assert told["limits"]["pixels"] == 50_000_000
    assert told["limits"]["body"] == 64 << 20
    assert told["version"] == __version__


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health(client: TestClient, path: str) -> None:
    assert client.get(path).json() == {"status": "ok"}


def test_before_the_model_is_loaded(colorizer: Any, is_problem: Any, make_jpeg: Callable[..., bytes]) -> None:
    idle = TestClient(create_app(Limits(decoders=1), None, lambda: colorizer), "http://localhost")
    assert idle.get("/healthz").status_code == 200
    for answer in (
        idle.get("/readyz"),
        idle.get("/v1/models"),
        idle.post("/v1/photos", files={"photo": make_jpeg()}),
    ):
        assert is_problem(answer, 503)["type"] == "urn:photochrom:problem:not-ready"
        assert "Retry-After" in answer.headers


def test_metrics_count_by_route_and_status(client: TestClient, photo_id: str) -> None:
    client.get(f"/v1/photos/{photo_id}")
    client.get("/v1/photos/unknown")
    families = {one.name: one for one in text_string_to_metric_families(client.get("/metrics").text)}
    counts = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for sample in families["photochrom_requests"].samples
        if sample.name.endswith("_total")
    }
    assert counts["/v1/photos/{photo_id}", "200"] >= 1
    assert counts["/v1/photos/{photo_id}", "404"] >= 1
    assert not [route for route, _ in counts if photo_id in route]
    used = families["photochrom_memory_used_bytes"].samples[0].value
    assert 0 < used <= families["photochrom_memory_total_bytes"].samples[0].value
    assert families["photochrom_photos"].samples[0].value >= 1


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/v1/", "/v1/photos/", "/static/", "/static/../app.py", "/static/nix.js"]
)
def test_nothing_there(client: TestClient, path: str, is_problem: Any) -> None:
    is_problem(client.get(path), 405 if path == "/v1/photos" else 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/photos"),
        ("GET", "/v1/colorize"),
        ("POST", "/healthz"),
        ("DELETE", "/"),
        ("PATCH", "/static/icon.svg"),
    ],
)
def test_other_methods(client: TestClient, method: str, path: str, is_problem: Any) -> None:
    is_problem(client.request(method, path), 405)


def test_details_are_cut_short() -> None:
    assert len(problem_response(400, "x" * 100_000).body) < 1000


@pytest.mark.parametrize("kind", [OptionError, PhotochromError])
def test_errors_carry_their_status(kind: type[PhotochromError]) -> None:
    assert response_of(kind("why")).status_code == kind.status


@pytest.mark.parametrize(
    "change",
    [{"body": 0}, {"pixels": -1}, {"seconds": 0}, {"memory": 1 << 20}, {"expiry": 0}, {"decoders": 0}],
)
def test_limits_that_make_no_sense(change: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Limits(**change)


def test_no_hints_is_a_limit_too() -> None:
    assert Limits(hints=0).hints == 0
    assert Limits().memory >= 512 << 20


def test_openapi(client: TestClient) -> None:
    spec = client.get("/openapi.json").json()
    assert spec["openapi"].startswith("3.1")
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (method, path, status)
    assert "HTTPValidationError" not in spec["components"]["schemas"]


def test_a_hint_is_described_with_all_its_limits(client: TestClient) -> None:
    """It was written down a second time for the server; now it is the dataclass itself."""
    hint = client.get("/openapi.json").json()["components"]["schemas"]["Hint"]
    fields = hint["properties"]
    assert set(fields) == {item.name for item in dataclasses.fields(Hint) if item.init}
    assert hint["required"] == ["x", "y", "color"]
    assert hint["additionalProperties"] is False
    assert (fields["reach"]["minimum"], fields["reach"]["maximum"]) == (0.1, 10)
    for name in ("path", "within"):
        for number in fields[name]["items"]["prefixItems"]:
            assert number == {"type": "number", "minimum": 0, "maximum": 1}
