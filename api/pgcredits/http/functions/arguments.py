"""The arguments of a request, as PostgreSQL is to read them. A value that its type cannot have is refused."""

from __future__ import annotations

from pgcredits import literals
from pgcredits.http.errors import ApiError, refuse
from pgcredits.literals import LiteralError

_SLUGS = {
    "user_id": "bad_user",
    "idempotency_key": "bad_key",
    "amount": "bad_amount",
    "tokens": "bad_amount",
    "tokens_to_add": "bad_amount",
    "tokens_to_consume": "bad_amount",
    "expires_at": "bad_expiry",
    "frozen_time": "bad_clock",
    "advance": "bad_clock",
    "at": "bad_at",
    "movements": "bad_limit",
    "before_seq": "bad_limit",
    "ttl": "bad_ttl",
    "duration_ms": "bad_duration",
    "below": "bad_threshold",
    "percent": "bad_threshold",
    "usage": "bad_usage",
    "metadata": "bad_metadata",
    "tags": "bad_tags",
    "items": "bad_items",
    "event": "bad_event",
    "max_keys": "bad_limit",
    "max_accounts": "bad_limit",
}

# What two arguments take in SQL beside a number and a time: all that is left, and never. A function for which
# that means nothing refuses it.
_ENDLESS = {
    ("tokens", "numeric"): '"Infinity"',
    ("expires_at", "timestamp with time zone"): '"infinity"',
}


def from_text(name: str, kind: str, text: str) -> str:
    """A value of a query string. Raises ApiError 422."""
    try:
        return literals.read_text(name, kind, text)
    except LiteralError as error:
        raise _refusal(error) from None


def from_json(name: str, kind: str, value: str) -> str:
    """A member of a JSON body. Raises ApiError 422."""
    if value == _ENDLESS.get((name, kind)):
        return value
    try:
        return literals.read_json(name, kind, value)
    except LiteralError as error:
        raise _refusal(error) from None


def _refusal(error: LiteralError) -> ApiError:
    return refuse(422, _SLUGS.get(error.name, "bad_argument"), str(error), argument=error.name)
