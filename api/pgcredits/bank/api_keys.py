"""`pgcredits key`: make, list, rotate and revoke the API keys of backends. The database decides."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pgcredits.bank import admin

ROLES = ("spender", "support", "service_role")


class ApiKeyError(Exception):
    """The bank has refused. The message says why."""


@dataclass(frozen=True, slots=True)
class Made:
    """An API key, and its text where this call has made it."""

    key_id: str
    name: str
    role: str
    state: str
    expires_at: datetime | None
    api_key: str | None = field(repr=False)
    replayed: bool


def create(
    url: str, name: str, role: str, expires_at: datetime | None, idempotency_key: str | None = None
) -> Made:
    """Make a key. `url` is of a login that may become service_role. Raises ApiKeyError, psycopg.Error."""
    query = "select * from api.create_api_key(%s, %s, coalesce(%s::timestamptz, 'infinity'), %s)"
    return _made(url, query, (name, role, expires_at, idempotency_key))


def rotate(
    url: str, key_id: str, overlap: timedelta, expires_at: datetime | None, reason: str | None
) -> Made:
    """Give a key a new secret. Without `expires_at` it expires when it did. Raises ApiKeyError."""
    query = "select * from api.rotate_api_key(%s, %s, %s, %s)"
    return _made(url, query, (key_id, overlap, expires_at, reason))


def revoke(url: str, key_id: str, reason: str | None) -> Made:
    """Revoke a key, and the keys that were made with it. Raises ApiKeyError, psycopg.Error."""
    return _made(url, "select * from api.revoke_api_key(%s, %s)", (key_id, reason))


def listed(url: str) -> list[dict[str, Any]]:
    """All keys, the newest last. Raises psycopg.Error."""
    return _ask(url, "select * from api.api_keys order by created_at, key_id", ())


def _made(url: str, query: str, values: tuple[Any, ...]) -> Made:
    (row,) = _ask(url, query, values)
    return Made(**{each.name: row[each.name] for each in fields(Made)})


def _ask(url: str, query: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
    try:
        with (
            admin.connect(url, "pgcredits key") as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            cursor.execute("set local role service_role")  # the login does not inherit it
            return cursor.execute(query.encode(), values).fetchall()
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith("PT"):
            raise ApiKeyError(error.diag.message_primary or str(error)) from None
        raise
