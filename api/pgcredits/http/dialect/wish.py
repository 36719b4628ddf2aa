"""What a client wishes of an answer, in the headers of its request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request

from pgcredits.http.database.schema_cache import SCHEMA
from pgcredits.http.dialect import media_types, preferences
from pgcredits.http.dialect.media_types import MediaType
from pgcredits.http.dialect.preferences import Preferences
from pgcredits.http.errors import ApiError


@dataclass(frozen=True, slots=True)
class Wish:
    """`profile`: the header that repeats the schema that the client named."""

    media_type: MediaType
    preferences: Preferences
    profile: dict[str, str]
    range: str | None

    @classmethod
    def of(cls, request: Request[Any, Any, Any]) -> Wish:
        """Raises ApiError 406 PGRST107, PGRST106, 400 PGRST100, PGRST122."""
        return cls(
            media_types.accepted(request.headers.get("accept")),
            preferences.read(request.headers.getall("prefer", [])),
            _profile(request),
            request.headers.get("range") if request.method == "GET" else None,  # as HTTP has it
        )


def _profile(request: Request[Any, Any, Any]) -> dict[str, str]:
    name = "content-profile" if request.method == "POST" else "accept-profile"
    schema = request.headers.get(name)
    if schema is None:
        return {}
    if schema != SCHEMA:
        hint = f"Only the following schemas are exposed: {SCHEMA}"
        raise ApiError(406, "PGRST106", f"Invalid schema: {schema}", hint=hint)
    return {"Content-Profile": SCHEMA}
