"""Connections of administrators: for migrate, catalog, audit, maintain and up.

The session of a superuser must not run other people's code. So here an unqualified name means an object of
PostgreSQL itself, whatever the login, the database or the environment sets. The settings are options of the
connection, so they hold before the first statement.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from pgcredits.bank import strangers
from pgcredits.database_urls import parts_of

LOCK_SECONDS = 2  # while a statement waits for a lock, everyone who comes later waits for that statement
_STATEMENT_SECONDS = 600
_IDLE_SECONDS = 120  # in a transaction
# We notice after a minute or two that a server has disappeared.
_NETWORK = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "6",
    "tcp_user_timeout": "90000",  # milliseconds
}

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

    Raises psycopg.OperationalError, AddressError for a URL that cannot be read, and StrangersError when
    somebody else has made a schema of ours.
    """
    given = parts_of(url)
    settings = {
        "search_path": "pg_catalog,pg_temp",
        "role": "none",
        "lock_timeout": f"{lock_seconds}s",
        "statement_timeout": f"{statement_seconds}s",
        "idle_in_transaction_session_timeout": f"{_IDLE_SECONDS}s",
        "default_transaction_isolation": r"read\ committed",
        "TimeZone": "UTC",
        "DateStyle": "ISO,YMD",  # the dates of a price list mean the same on every machine
        "IntervalStyle": "postgres",
        "standard_conforming_strings": "on",
        "transform_null_equals": "off",
        "quote_all_identifiers": "off",  # migrate compares texts of what exists and of what it makes
    }
    # The last one counts, so no option of the URL overrides ours.
    options = [given.get("options", ""), *(f"-c {name}={value}" for name, value in settings.items())]
    ours = {
        "options": " ".join(options).strip(),
        "application_name": purpose,
        "client_encoding": "UTF8",  # like our files
        **{name: value for name, value in _NETWORK.items() if name not in given},
    }
    wanted = given.get("connect_timeout", "")
    if not wanted.isdecimal() or int(wanted) == 0:  # libpq would wait for ever
        ours["connect_timeout"] = str(connect_timeout)
    connection = psycopg.connect(make_conninfo(url, **ours), autocommit=True)
    try:
        strangers.refuse(connection, strangers.BANK)
    except BaseException:
        connection.close()
        raise
    connection.autocommit = autocommit
    return connection
