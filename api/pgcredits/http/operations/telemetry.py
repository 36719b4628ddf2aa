"""Traces by OpenTelemetry, if its packages are installed and its usual variables (OTEL_…) ask for them.

Each request is a span, with what its line in the log has: method, template of the path, status, slug and
request id. OpenTelemetry's own middleware adds path, query, address and user agent. We leave them out: traces
are kept in places where personal data may not be.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

log = logging.getLogger("pgcredits")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_FLUSH = 3000  # milliseconds


class Tracing:
    """Where spans go: to the provider that opentelemetry-instrument has set up, else to one of ours."""

    def __init__(self, console: bool) -> None:
        from opentelemetry import propagate, trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

        provider = trace.get_tracer_provider()
        if not isinstance(provider, TracerProvider):
            exporter: SpanExporter
            if console:
                exporter = ConsoleSpanExporter(out=sys.stderr)
            else:
                from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

                exporter = OTLPSpanExporter()
            named = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or "pgcredits"})
            provider = TracerProvider(resource=named)
            provider.add_span_processor(BatchSpanProcessor(exporter))
        self._provider = provider
        self._tracer = provider.get_tracer("pgcredits")
        self._extract = propagate.extract
        self._server = trace.SpanKind.SERVER
        self._error = trace.Status(trace.StatusCode.ERROR)

    def note(
        self,
        headers: Iterable[tuple[bytes, bytes]],
        facts: Mapping[str, Any],
        began: int,
        ended: int,
    ) -> None:
        """A span of a request that was answered. Times are nanoseconds since 1970."""
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        span = self._tracer.start_span(
            f"{facts['method']} {facts['route']}",
            context=self._extract(carrier),
            kind=self._server,
            start_time=began,
            attributes={
                "http.request.method": facts["method"],
                "http.route": facts["route"],
                "http.response.status_code": facts["status"],
                "pgcredits.request_id": facts["request_id"],
                **({"pgcredits.slug": facts["slug"]} if facts["slug"] else {}),
            },
        )
        if facts["status"] >= 500:
            span.set_status(self._error)
        span.end(ended)

    @asynccontextmanager
    async def flushed(self) -> AsyncIterator[None]:
        """Send what is left when the app ends."""
        try:
            yield
        finally:
            await asyncio.to_thread(self._provider.force_flush, _FLUSH)


def tracing(env: Mapping[str, str] | None = None) -> Tracing | None:
    """The traces that the environment asks for. None if it asks for none, or the packages are missing."""
    env = os.environ if env is None else env
    exporter = env.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    asked = exporter in ("otlp", "console") or (not exporter and any(env.get(name) for name in _ENDPOINTS))
    if not asked or env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    try:
        return Tracing(console=exporter == "console")
    except ImportError as error:
        log.warning(
            "OTEL_… asks for traces, but there is no %s: pip install pgcredits[telemetry]", error.name
        )
        return None
