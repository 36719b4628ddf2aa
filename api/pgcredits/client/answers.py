"""An answer of the HTTP API, and the exception that it is when it is a refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from pgcredits.client.errors import BankError, refusal


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (httpx finds them in any case of letters) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def understand(answer: Answer) -> BankError | None:
    """The refusal, or None for an answer that has what was asked for."""
    if 200 <= answer.status < 300:
        return None
    body = _object(answer.body)
    message = body.get("message")
    if not isinstance(message, str):
        message = f"the bank answered with status {answer.status}"  # a proxy, perhaps
    details = body.get("details")
    facts = _object(details) if isinstance(details, str) else {}
    return refusal(message, answer.status, facts, retry_after(answer.headers.get("retry-after")))


def facts_of(detail: str | None) -> dict[str, Any]:
    """The facts of a refusal, from the DETAIL of an error."""
    return _object(detail or "")


def retry_after(text: str | None) -> float | None:
    """Seconds from now, of a header that has seconds or a date. None when it cannot be read."""
    if text is None:
        return None
    try:
        return max(float(int(text)), 0.0)
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max((when - datetime.now(UTC)).total_seconds(), 0.0)


def _object(text: bytes | str) -> dict[str, Any]:
    """A JSON object, or an empty one."""
    try:
        found = json.loads(text, parse_float=Decimal)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
