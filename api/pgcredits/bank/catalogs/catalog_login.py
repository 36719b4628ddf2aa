"""The login that applies price lists. It may call the functions that define something, and nothing else.

A price list is text from outside. None of its text is executed (catalog_text.py). We write statements from
it, and pgcredits_catalog executes them in a session of its own, so a definition can only define. One login
cannot be kept from the functions of PostgreSQL that PUBLIC may execute. The login has a password only while
that session is opened.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from pgcredits.bank import admin
from pgcredits.bank.migrate.errors import MigrationError
from pgcredits.database_urls import as_login

LOGIN = "pgcredits_catalog"
_ATTEMPTS = 10  # another database of the same server may lend the same login at the same moment
_PAUSE = 0.1


@contextmanager
def opened(url: str, purpose: str, statement_seconds: int) -> Iterator[admin.Connection]:
    """A session of the login, beside the administrator's `url`. Raises MigrationError."""
    with admin.connect(url, purpose, autocommit=True) as administrator:
        if not administrator.execute("select from pg_roles where rolname = %s", (LOGIN,)).rowcount:
            raise MigrationError("this database is older than the program: run `pgcredits migrate` first")
        connection = _enter(administrator, url, purpose, statement_seconds)
    with connection:
        yield connection


def _enter(
    administrator: admin.Connection, url: str, purpose: str, statement_seconds: int
) -> admin.Connection:
    refusal: psycopg.Error | None = None
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt * _PAUSE)
        password = secrets.token_hex(32)
        try:
            _set_password(administrator, password)
            try:
                return admin.connect(
                    as_login(url, LOGIN, password),
                    purpose,
                    autocommit=True,
                    statement_seconds=statement_seconds,
                )
            finally:
                administrator.execute(f"alter role {LOGIN} password null".encode())
        except (psycopg.OperationalError, psycopg.errors.InternalError_) as error:
            refusal = error  # InternalError_ is "tuple concurrently updated"
    raise MigrationError(
        f"the server does not let the login {LOGIN} in with a password, which price lists are applied by:"
        f" {refusal}"
    ) from refusal


def _set_password(administrator: admin.Connection, password: str) -> None:
    # Hashed here, so that the server's log never has it. It expires by itself in case we are killed now.
    hashed = administrator.pgconn.encrypt_password(password.encode(), LOGIN.encode(), b"scram-sha-256")
    ends = administrator.execute("select (clock_timestamp() + interval '1 minute')::text").fetchone()
    administrator.execute(
        sql.SQL("alter role {} password {} valid until {}").format(
            sql.Identifier(LOGIN), sql.Literal(hashed.decode()), sql.Literal(ends[0] if ends else "")
        )
    )
