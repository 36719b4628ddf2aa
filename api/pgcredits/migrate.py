"""Bring a database up to date: pending migrations, then always the whole of sql/, under one advisory lock.

Everything runs on the one connection that holds the lock. PostgreSQL frees the lock when that connection's
work has really ended, so a killed migrate never overlaps with its successor.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import yoyo
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration

_PACKAGE = Path(__file__).parent
HOME = _PACKAGE if (_PACKAGE / "sql").is_dir() else _PACKAGE.parents[1]  # in the wheel, else in a checkout
MIGRATIONS = HOME / "migrations"
SQL = HOME / "sql"

_FOLDERS = ("credits", "api", "analytics", "audit")
_OWNER = "credits_owner"
_LOCK = 7_310_579_263_001  # any number, the same for everybody
_MONTHS_AHEAD = 13  # partitions kept ready
# The dates of a price list are UTC, and read alike on every machine.
_READ_ALIKE = (
    b"select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true),"
    b" set_config('intervalstyle', 'postgres', true)"
)


class MigrationError(RuntimeError):
    """A file could not be applied; the message names it, and the line where PostgreSQL tells one."""


def migrate(
    url: str, migrations: Path = MIGRATIONS, sql: Path = SQL, say: Callable[[str], None] = lambda text: None
) -> list[str]:
    """Apply what is pending, reload sql/; returns the ids of the migrations applied now.

    Safe from several processes at once and after a kill at any moment: a migration and its mark are one
    transaction, and so is the whole reload. `url` is a direct connection (no transaction pooling) of a
    superuser, or of the database's owner with CREATEROLE. Raises MigrationError and psycopg.OperationalError.
    """
    with _locked(url, say) as connection:
        connection.execute("create schema if not exists yoyo")
        connection.execute("revoke all on schema yoyo from public")
        backend = _Backend(connection)
        backend.create_lock_table()
        backend.break_lock()  # whoever holds the advisory lock is alone: a row left here is of the dead
        applied = []
        for migration in backend.to_apply(yoyo.read_migrations(str(migrations))):
            say(f"migration {migration.id}")
            try:
                backend.apply_one(migration)
            except psycopg.Error as error:
                raise MigrationError(f"{migration.id}: {error}") from error
            applied.append(str(migration.id))
        _reload(connection, sql)
    return applied


def list_catalogs(sql: Path = SQL) -> list[str]:
    """The names that `apply_catalog` takes."""
    return sorted(path.stem for path in (sql / "catalogs").glob("*.sql"))


def find_catalog(name_or_path: str, sql: Path = SQL) -> Path:
    """The file of a price list. Raises MigrationError for what is neither a listed name nor a file."""
    if name_or_path in list_catalogs(sql):
        return sql / "catalogs" / f"{name_or_path}.sql"
    if not Path(name_or_path).is_file():
        known = ", ".join(list_catalogs(sql)) or "none"
        raise MigrationError(f"no catalogue {name_or_path!r}: give a file or one of: {known}")
    return Path(name_or_path)


def apply_catalog(
    url: str, name_or_path: str, sql: Path = SQL, stripe_prices: Mapping[str, str] | None = None
) -> Path:
    """Execute a price list whole, in one transaction, as the owner of the tables; returns its file.

    `stripe_prices` gives packs their price at Stripe, by pack_id. Raises MigrationError, also for a name that
    is neither listed nor a file.
    """
    path = find_catalog(name_or_path, sql)
    with _locked(url) as connection, connection.transaction():
        connection.execute(f"set local role {_OWNER}".encode())
        connection.execute(_READ_ALIKE)
        if stripe_prices:
            connection.execute(
                "select set_config('pgcredits.stripe_prices', %s, true)", (json.dumps(stripe_prices),)
            )
        _execute(connection, path)
        if stripe_prices:
            try:
                connection.execute("select credits.check_stripe_prices()")
            except psycopg.Error as error:
                raise MigrationError(f"PGCREDITS_STRIPE_PRICES: {error}") from error
    return path


def applied_catalogs(url: str) -> list[str]:
    """The price lists of a bank, oldest first."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("select catalog_id from credits.catalogs order by applied_at").fetchall()
    return [str(name) for (name,) in rows]


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo on our connection, with a migration and its mark in one transaction.

    yoyo itself marks a migration after its commit, so a kill between the two would run it again.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._given = connection
        where = DatabaseURI("postgresql+psycopg", None, None, None, None, connection.info.dbname, {})
        super().__init__(where, "_yoyo_migration")

    def connect(self, dburi: DatabaseURI) -> psycopg.Connection[Any]:
        self.schema = "yoyo"
        return self._given

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:
        migration.load()
        try:
            if migration.use_transactions:
                with self.transaction():
                    self._mark(migration)
                    # Nothing is made where a name happens to lead: an unqualified CREATE fails.
                    self.execute("set local search_path to pg_catalog, pg_temp")
                    migration.process_steps(self, "apply")
            else:  # CREATE INDEX CONCURRENTLY and the like: the file must stand a second run
                migration.process_steps(self, "apply")
                with self.transaction():
                    self._mark(migration)
        finally:
            # What a migration SET without LOCAL ends with it.
            if not self.connection.closed:
                self.execute("reset session authorization")
                self.execute("reset all")
                self.init_connection(self.connection)

    def _mark(self, migration: Migration) -> None:
        self.log_migration(migration, "apply")
        self.mark_one(migration, log=False)


@contextmanager
def _locked(
    url: str, say: Callable[[str], None] = lambda text: None
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection in autocommit that holds the lock."""
    with psycopg.connect(url, autocommit=True, application_name="pgcredits migrate") as connection:
        told = False
        # Polled: waiting inside pg_advisory_lock holds a snapshot, which a concurrent index waits for.
        while not _first(connection, f"select pg_try_advisory_lock({_LOCK})"):
            if not told:
                say("waiting for another migrate to end")
                told = True
            time.sleep(0.1)
        yield connection


def _reload(connection: psycopg.Connection[Any], sql: Path) -> None:
    """All of sql/ in one transaction: a mistake leaves the old set in place."""
    with connection.transaction():
        connection.execute(_READ_ALIKE)
        connection.execute("set local check_function_bodies = off")  # whatever their order: checked below
        connection.execute("set local client_min_messages = warning")
        connection.execute(f"set local role {_OWNER}".encode())
        for folder in _FOLDERS:
            for path in sorted((sql / folder).glob("*.sql")):
                _execute(connection, path)
        connection.execute("reset role")
        _execute(connection, sql / "access.sql")
        connection.execute(f"set local role {_OWNER}".encode())
        connection.execute(f"select credits.ensure_partitions({_MONTHS_AHEAD})".encode())
        _check_bodies(connection)
        connection.execute("notify pgrst, 'reload schema'")


_BODIES = """
    select case l.lanname when 'sql' then fmgr_sql_validator(p.oid) else plpgsql_validator(p.oid) end
    from pg_proc as p
    join pg_language as l on l.oid = p.prolang
    where l.lanname in ('sql', 'plpgsql') and p.pronamespace::regnamespace::text = any(%s)
"""


def _check_bodies(connection: psycopg.Connection[Any]) -> None:
    """What CREATE FUNCTION would have checked, now that all of them are there."""
    connection.execute("set local check_function_bodies = on")
    try:
        connection.execute(_BODIES, [list(_FOLDERS)])
    except psycopg.Error as error:
        raise MigrationError(f"in the body of a function: {error}") from error


def _execute(connection: psycopg.Connection[Any], path: Path) -> None:
    text = path.read_text()
    try:
        connection.execute(text.encode())
    except psycopg.Error as error:
        position = error.diag.statement_position
        line = f":{text.count(chr(10), 0, int(position)) + 1}" if position else ""
        where = f"{path}{line}" if not path.is_absolute() else f"{path.parent.name}/{path.name}{line}"
        raise MigrationError(f"{where}: {error}") from error


def _first(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
