"""What a client wishes of an answer, in the headers of its request."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from litestar.datastructures import Headers

from pgcredits.http.database.schema_cache import SCHEMA
from pgcredits.http.dialect import media_types, preferences
from pgcredits.http.dialect.media_types import MediaType
from pgcredits.http.dialect.preferences import Preferences
from pgcredits.http.errors import ApiError

_LONGEST = 1000  # characters of headers whose meaning is kept


@dataclass(frozen=True, slots=True)
class Wish:
    """`headers`: those of the answer that say what of it was granted."""

    media_type: MediaType
    preferences: Preferences
    range: str | None
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, method: str, headers: Headers) -> Wish:
        """Raises ApiError 406 PGRST107, PGRST106, 400 PGRST100, PGRST122."""
        said = (
            headers.get("accept"),
            tuple(headers.getall("prefer", ())),
            headers.get("content-profile" if method == "POST" else "accept-profile"),
            headers.get("range") if method == "GET" else None,  # as HTTP has it
        )
        length = sum(len(text) for text in (said[0], *said[1], said[3]) if text)
        read = _read if length <= _LONGEST else _read.__wrapped__
        return read(*said)


@lru_cache(maxsize=200)  # clients have few
def _read(accept: str | None, prefer: tuple[str, ...], profile: str | None, range_: str | None) -> Wish:
    media_type = media_types.accepted(accept)
    preferred = preferences.read(prefer)
    applied = preferred.applied
    headers = (*_profile(profile), *((("preference-applied", applied),) if applied else ()))
    return Wish(media_type, preferred, range_, headers)


def _profile(schema: str | None) -> tuple[tuple[str, str], ...]:
    """The header that repeats the schema that the client named."""
    if schema is None:
        return ()
    if schema != SCHEMA:
        hint = f"Only the following schemas are exposed: {SCHEMA}"
        raise ApiError(406, "PGRST106", f"Invalid schema: {schema}", hint=hint)
    return (("content-profile", SCHEMA),)
