"""The Idempotency-Key header."""

from __future__ import annotations

from litestar.datastructures import Headers

from pgcredits.http.errors import refuse


def idempotency_key(headers: Headers) -> str | None:
    """The header as text. Raises ApiError 422 bad_key when it is not UTF-8 or comes twice."""
    values = headers.getall("idempotency-key", [])
    if not values:
        return None
    if len(values) > 1:
        raise refuse(422, "bad_key", "There is more than one Idempotency-Key header.")
    try:
        return values[0].encode("latin-1").decode()
    except UnicodeError:
        raise refuse(422, "bad_key", "The Idempotency-Key header is not UTF-8.") from None
