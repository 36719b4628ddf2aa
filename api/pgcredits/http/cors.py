"""Calls from pages of other origins: which may call, and an explanation for those that may not.

A browser tells its page only "Failed to fetch". So two places name the setting: the refusal of a preflight,
which the browser's tools show, and our log.
"""

from __future__ import annotations

import re

import msgspec
from litestar import MediaType
from litestar.config.cors import CORSConfig
from litestar.enums import ScopeType
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from pgcredits.http.errors import ApiError, log, refuse
from pgcredits.http.origins import LOCAL, is_listed, local_pattern
from pgcredits.settings import Settings

_EXPOSED = [
    "content-range",
    "content-profile",
    "preference-applied",
    "proxy-status",
    "retry-after",
    "www-authenticate",
    "x-request-id",
]
_ORIGIN = re.compile(r"https?://[a-z0-9.\-:\[\]]{1,200}\Z")  # the log names nothing else
_TOLD = 100  # origins that the log names, each once


def configuration(settings: Settings) -> CORSConfig | None:
    """Litestar's configuration for the origins that are listed. None when none is."""
    if not settings.cors_origins:
        return None
    origins = [origin for origin in settings.cors_origins if origin != LOCAL]
    # The only cookie that we read tells guests apart. It grants nothing: all else needs a bearer token. So
    # the browser may send it from origins that are listed by name. A pattern could match a stranger's.
    named = not any("*" in origin for origin in origins)
    return CORSConfig(
        allow_origins=origins,
        allow_origin_regex=local_pattern(settings.cors_origins),
        allow_credentials=named,
        expose_headers=_EXPOSED,
    )


class Explained:
    """The app. Pages of origins that are not listed are told why they may not call."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._listed = configuration(settings)
        self._own = (settings.public_url,)
        self._told: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            for name, value in scope["headers"]:  # quicker than a mapping of all of them
                if name == b"origin" and value and not self._may_call(origin := value.decode("latin-1")):
                    self._tell(origin)
                    if scope["method"] == "OPTIONS" and _is_preflight(scope):
                        error = _refusal(origin)
                        scope["state"]["refusal"] = error
                        await _answer(error)(scope, receive, send)
                        return
        await self._app(scope, receive, send)

    def _may_call(self, origin: str) -> bool:
        if self._listed is not None and self._listed.is_origin_allowed(origin):
            return True
        return is_listed(origin, self._own)

    def _tell(self, origin: str) -> None:
        if origin not in self._told and len(self._told) < _TOLD and _ORIGIN.match(origin):
            self._told.add(origin)
            log.warning(
                "a page of %.200r called from a browser, which PGCREDITS_CORS_ORIGINS does not allow", origin
            )


def _is_preflight(scope: HTTPScope) -> bool:
    return any(name == b"access-control-request-method" for name, _ in scope["headers"])


def _refusal(origin: str) -> ApiError:
    text = (
        "Pages of this origin may not call this API. The setting PGCREDITS_CORS_ORIGINS lists those that may."
    )
    return refuse(403, "origin_not_allowed", text, origin=origin)


def _answer(error: ApiError) -> ASGIResponse:
    return ASGIResponse(
        body=msgspec.json.encode(error.body()),
        status_code=error.status,
        headers=error.headers,
        media_type=MediaType.JSON,
    )
