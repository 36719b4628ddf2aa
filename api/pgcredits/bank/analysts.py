"""`pgcredits analyst`: a login for each person who counts. The database decides what each may count.

The role is made here, because only an administrator may make roles. Its bounds are those that
audit.check_settings demands. An analyst may change the time-outs of its own session, but neither its number
of connections nor, on a server where a superuser added it, how much it may write to disk.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from psycopg import sql

from pgcredits.bank import admin
from pgcredits.bank.passwords import set_password
from pgcredits.database_urls import as_login

_BOUNDS = {
    "default_transaction_read_only": "on",
    "lock_timeout": "5s",
    "statement_timeout": "5min",
    "idle_in_transaction_session_timeout": "60s",
    "transaction_timeout": "10min",  # from PostgreSQL 17 on
    "jit": "off",
    "work_mem": "64MB",  # as roles.sql has it for pgcredits_analyst
}
_DISK = ("temp_file_limit", "5GB")  # only a superuser may set it, or lift it
_GONE_SECONDS = 10
MOST_CONNECTIONS = 10


class AnalystError(Exception):
    """The login cannot be an analyst, or the administrator may not make it one. The message says why."""


@dataclass(frozen=True, slots=True)
class Added:
    """`password`: only of a new login for which none was given. `accounts`: how many it counts now.

    `empty`: segments among those it counts that no account has. `url`: how it connects, without a password.
    """

    new: bool
    accounts: int
    disk_bounded: bool
    empty: list[str]
    url: str
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove` has done. `left`: what it could not do, as sentences."""

    counted: bool
    sessions: int
    left: list[str]


@dataclass(frozen=True, slots=True)
class Analyst:
    """A login that counts. `standing`: active, or why it cannot count."""

    login: str
    segments: list[str]
    personal_data: bool
    standing: str
    sessions: int
    granted_by: str | None
    granted_at: datetime | None


def add(
    url: str,
    login: str,
    segments: Sequence[str],
    *,
    personal_data: bool = False,
    connections: int = 5,
    password: str | None = None,
) -> Added:
    """Make a login that counts these segments (["*"]: all), or change what it counts. All or nothing.

    An analyst that is there keeps its password unless one is given, and gets its bounds again. `url` is of an
    administrator. `connections`: how many sessions it may have at once, 1 to 10. Raises AnalystError,
    psycopg.Error.
    """
    if not 1 <= connections <= MOST_CONNECTIONS:
        raise AnalystError(f"an analyst has 1 to {MOST_CONNECTIONS} sessions at once, not {connections}")
    if password is not None and (not password or "\0" in password):
        raise AnalystError("a password has at least one character, and no NUL")
    with _administrator(url) as connection:
        there = _as_owner(connection, "select credits.claim_analyst(%s)", login)
        role = sql.Identifier(login)
        if there:
            connection.execute(sql.SQL("alter role {} login valid until 'infinity'").format(role))
            connection.execute(sql.SQL("alter role {} reset all").format(role))
            here = sql.Identifier(connection.info.dbname)
            connection.execute(sql.SQL("alter role {} in database {} reset all").format(role, here))
        else:
            connection.execute(sql.SQL("create role {} login in role analyst").format(role))
        connection.execute(
            sql.SQL("alter role {} connection limit {}").format(role, sql.Literal(connections))
        )
        for name, value in _BOUNDS.items():
            if connection.execute("select from pg_settings where name = %s", (name,)).rowcount:
                _set(connection, login, name, value)
        bounded = _bound_disk(connection, login)
        made = None if there or password is not None else secrets.token_urlsafe(24)
        if chosen := password if password is not None else made:
            set_password(connection, login, chosen)
        accounts = _as_owner(
            connection, "select credits.grant_analyst(%s, %s, %s)", login, list(segments), personal_data
        )
        empty = _without_accounts(connection, segments)
    return Added(not there, int(str(accounts)), bounded, empty, as_login(url, login, None), made)


def listed(url: str) -> list[Analyst]:
    """The analysts of this bank. `url` is of an administrator. Raises AnalystError, psycopg.Error."""
    with _administrator(url) as connection:
        connection.execute("set local role credits_owner")
        rows = connection.execute("select * from credits.analysts()").fetchall()
    return [Analyst(*row) for row in rows]


def remove(url: str, login: str) -> Removed:
    """End an analyst: it counts nothing, its sessions end, its role is dropped. Repeatable.

    First the login loses everything, in a transaction of its own. So it is out even if the rest fails.
    `url` is of an administrator. Raises AnalystError, psycopg.Error.
    """
    with _administrator(url) as connection:
        there = _as_owner(connection, "select credits.claim_analyst(%s)", login)
        counted = bool(_as_owner(connection, "select credits.revoke_analyst(%s)", login))
        if there:
            connection.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(login)))
    if not there:
        return Removed(counted, 0, [])
    with admin.connect(url, "pgcredits analyst", autocommit=True) as connection:
        ended, left = _end_sessions(connection, login)
        left += _drop(connection, login)
    return Removed(counted, ended, left)


def _end_sessions(connection: admin.Connection, login: str) -> tuple[int, list[str]]:
    """End the login's sessions in all databases, and wait until they are gone."""
    mine = "from pg_stat_activity where usename = %s"
    count = connection.execute(f"select pid {mine}".encode(), (login,)).rowcount
    try:
        connection.execute(f"select pg_terminate_backend(pid) {mine}".encode(), (login,))
    except psycopg.errors.InsufficientPrivilege:
        return 0, [f"{count} session(s) go on: a superuser, or a member of pg_signal_backend, may end them"]
    end = time.monotonic() + _GONE_SECONDS
    while remaining := connection.execute(f"select pid {mine}".encode(), (login,)).rowcount:
        if time.monotonic() > end:
            return count - remaining, [f"{remaining} session(s) have not ended yet: run this again"]
        time.sleep(0.05)
    return count, []


def _drop(connection: admin.Connection, login: str) -> list[str]:
    try:
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))
    except psycopg.errors.DependentObjectsStillExist as error:
        kept = (error.diag.message_detail or "something").replace("\n", "; ")
        return [
            f"the role stays, and may not sign in, because it has rights or objects of its own: {kept}. "
            "Give these to somebody else (REASSIGN OWNED, DROP OWNED) and drop the role"
        ]
    except psycopg.errors.InsufficientPrivilege as error:
        return [f"the role stays, and may not sign in: {error.diag.message_primary}"]
    return []


def _bound_disk(connection: admin.Connection, login: str) -> bool:
    try:
        with connection.transaction():
            _set(connection, login, *_DISK)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _set(connection: admin.Connection, login: str, name: str, value: str) -> None:
    connection.execute(
        sql.SQL("alter role {} set {} = {}").format(
            sql.Identifier(login), sql.Identifier(name), sql.Literal(value)
        )
    )


def _without_accounts(connection: admin.Connection, segments: Sequence[str]) -> list[str]:
    """The segments that no account has at this moment: mistyped, or not given to anybody yet."""
    connection.execute("set local role credits_owner")
    rows = connection.execute(
        "select distinct s.segment from unnest(%s::text[]) as s (segment) where s.segment <> '*'"
        " and not exists (select from credits.accounts as a where a.segment = s.segment) order by s.segment",
        (list(segments),),
    ).fetchall()
    connection.execute("set local role none")
    return [segment for (segment,) in rows]


def _as_owner(connection: admin.Connection, statement: str, *values: object) -> object:
    connection.execute("set local role credits_owner")
    row = connection.execute(statement.encode(), values).fetchone()
    connection.execute("set local role none")
    return None if row is None else row[0]


@contextmanager
def _administrator(url: str) -> Iterator[admin.Connection]:
    """A transaction of an administrator."""
    try:
        with admin.connect(url, "pgcredits analyst") as connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise AnalystError(
            f"this takes an administrator of the bank who may create roles: {error.diag.message_primary}"
        ) from None
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        raise AnalystError("somebody else is making a role of this name: run it again") from None
    except psycopg.errors.ReservedName as error:
        raise AnalystError(str(error.diag.message_primary)) from None
    except psycopg.errors.LockNotAvailable:
        raise AnalystError("somebody else is changing analysts at this moment: run it again") from None
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith("PT"):
            raise AnalystError(error.diag.message_primary or str(error)) from None
        raise
