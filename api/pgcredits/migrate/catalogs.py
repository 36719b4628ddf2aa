"""Price lists: found by name, and applied whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from pgcredits import admin
from pgcredits.migrate import locks, marks
from pgcredits.migrate.errors import MigrationError
from pgcredits.migrate.files import OWNER, SQL, execute

PURPOSE = "pgcredits catalog"
WAIT_SECONDS = 60.0


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
    url: str,
    name_or_path: str,
    sql: Path = SQL,
    stripe_prices: Mapping[str, str] | None = None,
    wait_seconds: float = WAIT_SECONDS,
    say: Callable[[str], None] = lambda text: None,
) -> Path:
    """Execute a price list whole, in one transaction, as the owner of the tables; returns its file.

    `stripe_prices` gives packs their price at Stripe, by pack_id. A changed rule for notices locks every
    wallet: whoever keeps one locked is waited for as locks.py says. Raises MigrationError, also for a name
    that is neither listed nor a file.
    """
    path = find_catalog(name_or_path, sql)
    with admin.connect(url, PURPOSE, autocommit=True) as connection:

        def attempt() -> None:
            with connection.transaction():
                _apply(connection, path, stripe_prices)

        locks.persist(attempt, url, connection.info.backend_pid, wait_seconds, say)
    return path


def _apply(connection: admin.Connection, path: Path, stripe_prices: Mapping[str, str] | None) -> None:
    marks.prepare(connection)
    connection.execute(f"lock table {marks.MUTEX} in access exclusive mode".encode())
    connection.execute(f"set local role {OWNER}".encode())
    if stripe_prices:
        connection.execute(
            "select set_config('pgcredits.stripe_prices', %s, true)", (json.dumps(stripe_prices),)
        )
    execute(connection, path)
    if stripe_prices:
        try:
            connection.execute("select credits.check_stripe_prices()")
        except psycopg.Error as error:
            raise MigrationError(f"PGCREDITS_STRIPE_PRICES: {error}") from error


def applied_catalogs(url: str) -> list[str]:
    """The price lists of a bank, oldest first."""
    with admin.connect(url, PURPOSE) as connection:
        rows = connection.execute("select catalog_id from credits.catalogs order by applied_at").fetchall()
    return [str(name) for (name,) in rows]
