"""Numbers and times that come as text: how they may be spelled, before PostgreSQL reads them.

PostgreSQL reads more than is meant, and every version more: "0x64" and "1_000" are numbers since version 16,
"tomorrow" and "infinity" are times. Here a number is decimal, and a time is ISO 8601, by default in UTC.
"""

from __future__ import annotations

import re

from pgcredits.errors import refuse

_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)?)?",
    re.ASCII,
)
_NUMBERS = frozenset(("numeric", "bigint", "integer", "smallint"))
_TIMES = frozenset(("timestamp with time zone", "timestamptz"))
_SLUGS = {"expires_at": "bad_expiry", "frozen_time": "bad_clock", "duration_ms": "bad_duration"}


def check(name: str, kind: str, text: str) -> None:
    """Refuse a spelling of a number or a time that is not meant. Raises ApiError 422."""
    if kind in _NUMBERS and not _NUMBER.fullmatch(text):
        raise refuse(422, _SLUGS.get(name, "bad_amount"), f"{name} is a decimal number.", argument=name)
    if kind in _TIMES and not _TIME.fullmatch(text):
        raise refuse(422, _SLUGS.get(name, "bad_expiry"), f"{name} is a time in ISO 8601.", argument=name)
