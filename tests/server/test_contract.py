"""Schemathesis over our own description: no 5xx, nothing that is not described, problems as promised."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import httpx
import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its dependencies
    schemathesis = pytest.importorskip("schemathesis")

TABLE = {200, 201, 204, 400, 401, 404, 405, 410, 413, 415, 422, 429, 503}
SKIPPED = {"/metrics"}  # plain text


@pytest.fixture(scope="module")
def base(serve: Callable[..., Any]) -> Iterator[str]:
    with serve() as (_, url):
        yield url.rstrip("/")


@pytest.fixture(scope="module")
def schema(base: str) -> Any:
    return schemathesis.openapi.from_url(f"{base}/openapi.json")


def upload(base: str, photo: bytes) -> str:
    return str(httpx.post(f"{base}/v1/photos", files={"photo": photo}, timeout=30).json()["id"])


def operations(schema: Any) -> list[Any]:
    return [found.ok() for found in schema.get_all_operations()]


def check(base: str, operation: Any, photo_id: str, examples: int) -> dict[int, int]:
    """Call an operation with made-up input, a real photo's id half of the time; count the statuses."""
    seen: dict[int, int] = {}

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(), real=hypothesis.strategies.booleans())
    def call(case: Any, real: bool) -> None:
        if real and "photo_id" in (case.path_parameters or {}):
            case.path_parameters["photo_id"] = photo_id
        answer = case.call(base_url=base)
        status = answer.status_code
        seen[status] = seen.get(status, 0) + 1
        assert status in TABLE, f"{status}: {answer.text[:300]}"
        assert status != 503
        if status >= 400:
            assert answer.headers["content-type"][0] == "application/problem+json"
            assert str(status) in operation.definition.raw["responses"] or status in (404, 405)
        elif status == 200 and answer.headers["content-type"][0] == "application/json":
            case.validate_response(answer, checks=[schemathesis.checks.response_schema_conformance])

    call()
    return seen


def test_every_operation_keeps_to_the_table(base: str, schema: Any, make_jpeg: Callable[..., bytes]) -> None:
    total: dict[int, int] = {}
    for operation in operations(schema):
        if operation.method.upper() == "DELETE" or operation.path in SKIPPED:
            continue
        photo_id = upload(base, make_jpeg(48, 32))
        for status, count in check(base, operation, photo_id, 15).items():
            total[status] = total.get(status, 0) + count
    assert {200, 400, 404} <= set(total), total


@pytest.mark.slow
def test_every_operation_at_length(base: str, schema: Any, make_jpeg: Callable[..., bytes]) -> None:
    for operation in operations(schema):
        photo_id = upload(base, make_jpeg(48, 32))
        check(base, operation, photo_id, 400)
