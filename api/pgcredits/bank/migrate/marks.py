"""The marks of the migrations that a database has had, and whether the files are still the same.

yoyo marks only the names. We keep the digest of each applied file with its mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import yoyo
from yoyo import internalmigrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration

from pgcredits.bank.migrate.errors import MigrationError, PrereleaseError
from pgcredits.bank.migrate.files import OWNER, digest

MUTEX = "yoyo.migrating"
_FIRST_OF_BEFORE = "0001-roles"  # every database from before 0.1.0 began with it, and no later one does
BOOKKEEPING = (
    "create schema if not exists yoyo",
    "revoke all on schema yoyo from public",
    f"create table if not exists {MUTEX} ()",  # only its owner and superusers may lock it
    "create table if not exists yoyo.applied_files (migration_id text primary key, digest text not null)",
)


def files(folder: Path) -> list[Migration]:
    """The migrations of the program, in order."""
    return list(yoyo.read_migrations(str(folder)))


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Make the tables of the marks, if they are missing."""
    if _first(connection, "select to_regclass('yoyo.applied_files')") is None:
        for statement in BOOKKEEPING:
            connection.execute(statement.encode())


def applied(connection: psycopg.Connection[Any]) -> list[str]:
    """The ids of the marks, in order. A database that was never migrated has none."""
    if _first(connection, "select to_regclass('yoyo._yoyo_migration')") is None:
        return []
    rows = connection.execute(
        "select migration_id from yoyo._yoyo_migration order by migration_id"
    ).fetchall()
    return [str(name) for (name,) in rows]


ENUM_VALUE = re.compile(
    r"^alter type (?P<type>[\w.]+) add value if not exists '[^']+'(?: (?:before|after) '[^']+')?;",
    re.M | re.I,
)


class Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo inside our transaction: its transactions become savepoints."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._given = connection
        where = DatabaseURI("postgresql+psycopg", None, None, None, None, connection.info.dbname, {})
        super().__init__(where, "_yoyo_migration")
        self._in_transaction = True

    def connect(self, dburi: DatabaseURI) -> psycopg.Connection[Any]:
        self.schema = "yoyo"
        return self._given

    def init_connection(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute("set local search_path to yoyo")

    def ensure_internal_schema_updated(self) -> None:
        if internalmigrations.needs_upgrading(self):
            internalmigrations.upgrade(self)
        if _first(self._given, "select to_regclass('yoyo.yoyo_lock')") is None:
            self.create_lock_table()

    def pending(self, migrations: Sequence[Migration]) -> list[Migration]:
        """The migrations without a mark, in the order of the files."""
        hashes = self.get_applied_migration_hashes()
        return [migration for migration in migrations if migration.hash not in hashes]

    def apply_here(self, migration: Migration) -> None:
        """Apply a migration and mark it, in the open transaction."""
        self.mark(migration)
        self.execute_steps(migration)

    def execute_steps(self, migration: Migration) -> None:
        """Apply a migration without a mark. Raises MigrationError."""
        migration.load()
        try:
            # An unqualified CREATE fails, so nothing is made in a schema by accident.
            self.execute("set local search_path to pg_catalog, pg_temp")
            migration.process_steps(self, "apply")
        except psycopg.Error as error:
            raise MigrationError(f"{migration.id}: {error}") from error
        # A setting that a migration SET without LOCAL must end with the migration.
        self.execute("reset session authorization")
        self.execute("reset all")
        self.init_connection(self.connection)

    def mark(self, migration: Migration) -> None:
        """Mark that it was applied, with the digest of its text."""
        self.log_migration(migration, "apply")
        self.mark_one(migration, log=False)
        self._given.execute(
            "insert into yoyo.applied_files values (%s, %s)"
            " on conflict (migration_id) do update set digest = excluded.digest",
            [migration.id, digest(Path(migration.path).read_text())],
        )

    def run_alone(self, migration: Migration) -> None:
        """The steps of a migration that cannot be in a transaction, on a connection in autocommit."""
        migration.load()
        self._in_transaction = False
        try:
            migration.process_steps(self, "apply")
        except psycopg.Error as error:
            raise MigrationError(f"{migration.id}: {error}") from error
        finally:
            if not self.connection.closed:
                self.execute("reset session authorization")
                self.execute("reset all")


def add_enum_values(connection: psycopg.Connection[Any], migrations: Sequence[Migration]) -> None:
    """Add the values that pending migrations add to existing enums, each in a transaction of its own.

    They cannot be used in the transaction that adds them. Functions that do not know them yet do not mind
    them, and the migration, which says IF NOT EXISTS, finds them there.
    """
    marked = set(applied(connection))
    if not marked:
        return
    for migration in migrations:
        if str(migration.id) not in marked:
            for found in ENUM_VALUE.finditer(Path(migration.path).read_text()):
                if _first(connection, f"select to_regtype('{found['type']}')") is not None:
                    with connection.transaction():
                        connection.execute(f"set local role {OWNER}".encode())
                        connection.execute(found[0].encode())


def refuse_prerelease(connection: psycopg.Connection[Any]) -> None:
    """Raises PrereleaseError for a database from before 0.1.0, whose migrations are no longer here."""
    if _FIRST_OF_BEFORE in applied(connection):
        raise PrereleaseError(
            "prerelease_database: a development state of pgcredits before 0.1.0 made this database, and its"
            " migrations cannot be continued. Nothing was done. Make a new database, or keep to the pgcredits"
            " that made this one: see docs/upgrading.md#a-database-from-before-010"
        )


def refuse_newer(connection: psycopg.Connection[Any], newest: str) -> None:
    """Raises MigrationError for a database from before 0.1.0, or of a newer program than ours (`newest`)."""
    refuse_prerelease(connection)
    refuse_if_newer(max(applied(connection), default=""), newest)


def refuse_if_newer(last: str, newest: str) -> None:
    """The same for a database whose last migration is known."""
    if last > newest:
        raise MigrationError(_newer(last, newest))


def check(connection: psycopg.Connection[Any], migrations: Sequence[Migration]) -> None:
    """Refuse a database that this program must not touch: newer than it, or made by other files.

    Raises MigrationError.
    """
    texts = {str(m.id): digest(Path(m.path).read_text()) for m in migrations}
    kept = dict(connection.execute("select migration_id, digest from yoyo.applied_files").fetchall())
    for name in applied(connection):
        if name not in texts:
            raise MigrationError(_unknown(name, texts, kept))
        if name not in kept:
            raise MigrationError(
                f"{name} is marked as applied and no digest of it is kept: `pgcredits migrate` did not apply"
                " it. Restore a dump of this database, and migrate with `pgcredits migrate` alone"
            )
        if kept[name] != texts[name]:
            raise MigrationError(
                f"{name} was applied here and its file was edited since. An applied migration stays as it "
                "is: restore the file, and put the change into a new one"
            )


def _unknown(name: str, texts: Mapping[str, str], kept: Mapping[str, str]) -> str:
    last = max(texts, default="")
    renamed = [other for other, text in texts.items() if text == kept.get(name)]
    if renamed:
        return f"{name} was applied here and its file is now called {renamed[0]}: give it its old name"
    if name > last:
        return _newer(name, last)
    return f"{name} was applied here and is no file of this pgcredits: it was renamed or removed since"


def _newer(name: str, last: str) -> str:
    return (
        f"this database is newer than this pgcredits: it has {name}, which comes after {last or 'nothing'}."
        " Use the release that it was migrated with, or a newer one"
    )


def _first(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
