"""`pgcredits maintain`: book what the clock has made due, also on accounts that nobody uses."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from pgcredits.bank import admin
from pgcredits.bank.migrate import marks
from pgcredits.bank.migrate.files import newest_migration

_END_IDLE = """
    with idle as materialized (
        select
            a.pid, a.usename, a.application_name,
            extract(epoch from clock_timestamp() - a.state_change) as seconds
        from pg_stat_activity as a
        join pg_roles as r on r.oid = a.usesysid
        where
            a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
            and a.state in ('idle in transaction', 'idle in transaction (aborted)')
            and a.state_change < clock_timestamp() - make_interval(secs => %s)
            and not r.rolsuper and not r.rolreplication
            and exists (
                select
                from pg_locks as l
                join pg_class as c on c.oid = l.relation
                join pg_namespace as n on n.oid = c.relnamespace
                where
                    l.pid = a.pid and l.granted and l.locktype = 'relation'
                    and l.database = (select d.oid from pg_database as d where d.datname = current_database())
                    and n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
            )
    )
    select i.usename, i.application_name, i.seconds::float8, pg_terminate_backend(i.pid) from idle as i
"""


class RightsError(Exception):
    """The login may not see or end the sessions of others."""


@dataclass(frozen=True)
class Ended:
    """A session that was ended."""

    login: str
    program: str
    seconds: float  # for which it had done nothing

    def __str__(self) -> str:
        program = f" ({self.program})" if self.program else ""
        return f"ended a session of {self.login}{program}: idle in a transaction for {self.seconds:.0f} s"


def end_idle(url: str, seconds: float) -> list[Ended]:
    """End sessions that have been idle in a transaction for longer, with locks on tables of the bank.

    It leaves those of superusers and of replication alone. `url` is of a superuser, or of a member of
    pg_signal_backend and pg_read_all_stats. Raises RightsError, psycopg.OperationalError.
    """
    with admin.connect(url, "pgcredits maintain", autocommit=True) as connection:
        row = connection.execute(
            "select pg_has_role('pg_signal_backend', 'usage') and pg_has_role('pg_read_all_stats', 'usage')"
        ).fetchone()
        if row is None or not row[0]:
            raise RightsError(
                "ending idle sessions takes a superuser,"
                " or a member of pg_signal_backend and pg_read_all_stats"
            )
        found = connection.execute(_END_IDLE, (seconds,)).fetchall()
    return [Ended(login, program, idle) for login, program, idle, ended in found if ended]


def maintain(url: str) -> int:
    """Call api.maintain until nothing is left. Returns how many accounts were brought up to date.

    `url` is of any login that may become service_role. Each call is a transaction of its own.
    Raises MigrationError for a bank that was migrated by a newer program, psycopg.OperationalError.
    """
    accounts = 0
    with admin.connect(url, "pgcredits maintain", autocommit=True, lock_seconds=10) as connection:
        while True:
            with connection.transaction():
                connection.execute("set local role service_role")  # the login does not inherit it
                refuse_newer(connection)
                row = connection.execute(
                    "select accounts, keys, events, partitions, forgotten from api.maintain()"
                ).fetchone()
            if row is None or not any(row):
                return accounts
            accounts += row[0]


def refuse_newer(connection: admin.Connection) -> None:
    """Raises MigrationError for a bank that a newer program has migrated. For service_role.

    Not every login may read the marks of migrations. service_role may read the release.
    """
    if connection.execute("select to_regclass('api.release') is not null").fetchone() == (True,):
        row = connection.execute("select r.migration from api.release as r").fetchone()
        if row is not None:
            marks.refuse_if_newer(row[0], newest_migration())


def keep_maintaining(
    url: str, seconds: float, say: Callable[[str], None], idle_seconds: float | None = None
) -> None:
    """Maintain every so many seconds, for ever. Wait for a database that is away.

    `idle_seconds`: also `end_idle`. Raises RightsError, MigrationError.
    """
    while True:
        try:
            if idle_seconds is not None:
                for ended in end_idle(url, idle_seconds):
                    say(str(ended))
            maintain(url)
        except psycopg.OperationalError as error:
            say(f"maintenance: {str(error).strip()}")
        time.sleep(seconds)
