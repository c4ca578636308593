"""The OpenAPI description, without the framework's own validation answers: those are our 400."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

if TYPE_CHECKING:
    from fastapi import FastAPI

_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> None:
    """Make `/openapi.json` tell what this server really answers."""

    def description() -> dict[str, Any]:
        if app.openapi_schema is None:
            spec = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                servers=app.servers,
            )
            app.openapi_schema = _mended(spec)
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]  # the documented way to extend it


def _mended(spec: dict[str, Any]) -> dict[str, Any]:
    for operations in spec["paths"].values():
        for operation in operations.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    for name in _FRAMEWORK_SCHEMAS:
        spec["components"]["schemas"].pop(name, None)
    for schema in spec["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            _bound_numbers(field)
    return spec


def _bound_numbers(field: dict[str, Any]) -> None:
    """The limits of a field of pairs are those of its numbers, which pydantic cannot say."""
    limits = {name: field.pop(key) for key, name in (("ge", "minimum"), ("le", "maximum")) if key in field}
    if limits:
        for number in field["items"]["prefixItems"]:
            number.update(limits)
