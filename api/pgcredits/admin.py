"""Connections of administrators: migrate, catalogue, audit, maintenance, up.

A session of a superuser must not run other people's code. So whatever the login, the database or the
environment set, unqualified names lead to PostgreSQL's own objects alone here. The settings are options of
the connection: they hold before the first statement.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

LOCK_SECONDS = 2  # a statement that waits for a lock keeps everybody waiting who comes after it
_STATEMENT_SECONDS = 600
_IDLE_SECONDS = 120  # in a transaction

Connection = psycopg.Connection[tuple[Any, ...]]


def connect(
    url: str,
    purpose: str,
    *,
    autocommit: bool = False,
    lock_seconds: int = LOCK_SECONDS,
    statement_seconds: int = _STATEMENT_SECONDS,
    connect_timeout: int = 10,
) -> Connection:
    """Connect as an administrator. `purpose` is what pg_stat_activity shows.

    Raises psycopg.OperationalError, and psycopg.ProgrammingError for a URL that is none.
    """
    given = conninfo_to_dict(url)
    settings = {
        "search_path": "pg_catalog,pg_temp",
        "role": "none",
        "lock_timeout": f"{lock_seconds}s",
        "statement_timeout": f"{statement_seconds}s",
        "idle_in_transaction_session_timeout": f"{_IDLE_SECONDS}s",
        "default_transaction_isolation": r"read\ committed",
        "TimeZone": "UTC",
        "DateStyle": "ISO,YMD",  # the dates of a price list are read alike on every machine
        "IntervalStyle": "postgres",
    }
    # Later ones win, so an option of the URL changes none of ours.
    options = [str(given.get("options") or ""), *(f"-c {name}={value}" for name, value in settings.items())]
    ours = {"options": " ".join(options).strip(), "application_name": purpose}
    timeout = {} if given.get("connect_timeout") else {"connect_timeout": str(connect_timeout)}
    return psycopg.connect(make_conninfo(url, **ours, **timeout), autocommit=autocommit)
