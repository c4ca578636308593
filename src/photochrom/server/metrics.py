"""Figures for Prometheus: requests by route and status, seconds, photos and memory held."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from photochrom.server.budget import Budget
    from photochrom.server.store import PhotoStore

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The registry of one server; several in one process do not meet."""

    def __init__(self, store: PhotoStore, budget: Budget):
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "photochrom_requests",
            "Answers by route and status",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "photochrom_request_seconds",
            "From a request's arrival to the end of its answer",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._gauge("photochrom_photos", "Photos kept", lambda: len(store))
        self._gauge("photochrom_memory_used_bytes", "Reserved memory", lambda: budget.used)
        self._gauge("photochrom_memory_total_bytes", "The memory budget", lambda: budget.total)

    def _gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        Gauge(name, text, registry=self.registry).set_function(read)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All figures in Prometheus' text form."""
        return generate_latest(self.registry)


class Measured:
    """Middleware that counts and times every answer; routes are labeled by their pattern, never by ids."""

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.observe(_known(scope["method"]), route, status, time.perf_counter() - started)


def _known(method: str) -> str:
    """The method, or "other": a client cannot make up label values."""
    return method if method in {"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"} else "other"
