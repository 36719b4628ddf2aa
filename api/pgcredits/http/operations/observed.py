"""What is done for every answer, whatever makes it: its headers, its figures, its line in the log.

It stands around the whole app, as plain ASGI. A call costs a few microseconds more for it: see
docs/monitoring.md.
"""

from __future__ import annotations

import logging
import os
import re
import time
from itertools import count
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from pgcredits.http.database.schema_cache import SchemaCache
from pgcredits.http.operations import logs, metrics
from pgcredits.http.operations.draining import Draining
from pgcredits.http.operations.telemetry import Tracing
from pgcredits.settings import Settings

requests_log = logging.getLogger("pgcredits.requests")

# What people name a request by: a UUID, a trace id. Tokens, keys and addresses have other characters.
_SANE_ID = re.compile(rb"[A-Za-z0-9-]{8,64}\Z")
_UNKNOWN = "unknown"  # the route of a path that does not exist
_YEAR = 31_536_000  # seconds

# Balances and tokens are for one caller, and an error may be gone a moment later: no cache may keep an
# answer. Nothing that the API answers is a page. A route can say otherwise.
_DEFAULTS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
_OF_ROUTES = frozenset(name for name, _ in _DEFAULTS)
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)


class Observed:
    """The app. A route can set the headers of _DEFAULTS itself; the others are always ours."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        schema_cache: SchemaCache,
        draining: Draining,
        tracing: Tracing | None,
    ) -> None:
        self._app = app
        self._schema_cache = schema_cache
        self._draining = draining
        self._tracing = tracing
        https = settings.public_url.startswith("https:")
        hsts = ((b"strict-transport-security", b"max-age=%d" % _YEAR),) if https else ()
        self._always = (*_ALWAYS, *hsts)
        self._all = (*_DEFAULTS, *self._always)
        self._process = os.urandom(6).hex()
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = self._request_id(scope["headers"])
        logs.request_id.set(request_id)  # uvicorn answers each request in a context of its own
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._headers(message["headers"], request_id)
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            self._note(scope, state, status, time.perf_counter() - started)

    def _request_id(self, headers: Any) -> str:
        for name, value in headers:
            if name == b"x-request-id" and _SANE_ID.match(value):
                return str(value, "ascii")
        return f"{self._process}-{next(self._numbers):x}"

    def _headers(self, given: Any, request_id: str) -> list[tuple[bytes, bytes]]:
        ours = self._all
        for name, _ in given:
            if name in _OF_ROUTES:
                names = {name for name, _ in given}
                ours = (*(one for one in _DEFAULTS if one[0] not in names), *self._always)
                break
        headers = [*given, *ours, (b"x-request-id", request_id.encode())]
        if self._draining.begun:
            headers.append((b"connection", b"close"))
        return headers

    def _note(self, scope: HTTPScope, state: dict[str, Any], status: int, seconds: float) -> None:
        route = self._route(scope)
        method = scope["method"]
        metrics.request_answered(method, route, status, seconds)
        slug = None
        if refusal := state.get("refusal"):
            metrics.refused(refusal.slug, refusal.code)
            slug = refusal.slug or refusal.code
        logged = requests_log.isEnabledFor(logging.INFO)
        if not (logged or self._tracing):
            return
        facts = {
            "method": method,
            "route": route,
            "status": status,
            "slug": slug,
            "ms": round(seconds * 1000, 2),
        }
        if logged:
            arguments = (requests_log.name, logging.INFO, "", 0, "answered", (), None)
            requests_log.handle(requests_log.makeRecord(*arguments, extra={"facts": facts}))
        if self._tracing:
            ended = time.time_ns()
            facts["request_id"] = state["request_id"]
            self._tracing.note(scope["headers"], facts, ended - int(seconds * 1e9), ended)

    def _route(self, scope: HTTPScope) -> str:
        """The template of the path. The name of a function or view that exists stands in it."""
        template = str(scope.get("path_template") or _UNKNOWN)
        if template.endswith("/{name}"):
            name = scope["path_params"].get("name")
            if isinstance(name, str) and self._schema_cache.knows(name):
                return template[:-6] + name
        return template
