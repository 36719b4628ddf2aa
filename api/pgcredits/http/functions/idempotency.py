"""The Idempotency-Key header."""

from __future__ import annotations

from typing import Any

from litestar import Request

from pgcredits.http.errors import refuse


def idempotency_key(request: Request[Any, Any, Any]) -> str | None:
    """The header as text. Raises ApiError 422 bad_key when it is not UTF-8 or comes twice."""
    values = request.headers.getall("idempotency-key", [])
    if not values:
        return None
    if len(values) > 1:
        raise refuse(422, "bad_key", "There is more than one Idempotency-Key header.")
    try:
        return values[0].encode("latin-1").decode()
    except UnicodeError:
        raise refuse(422, "bad_key", "The Idempotency-Key header is not UTF-8.") from None
