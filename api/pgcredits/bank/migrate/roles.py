"""The roles of the bank. They belong to the cluster, so no dump of a database contains them."""

from __future__ import annotations

from pathlib import Path

from pgcredits.bank import admin
from pgcredits.bank.migrate import marks
from pgcredits.bank.migrate.errors import MigrationError
from pgcredits.bank.migrate.files import OWNER, ROLES, SQL, execute, newest_migration

PURPOSE = "pgcredits roles"
_OWNED = "take_ownership.sql"


def make_roles(connection: admin.Connection, sql: Path = SQL) -> None:
    """Make the missing roles, and give our logins the bounds that nobody has set. Raises MigrationError."""
    if (sql / ROLES).exists():
        execute(connection, sql / ROLES)


def run(url: str, take_ownership: bool) -> None:
    """What `pgcredits roles` does, in one transaction. Raises MigrationError and psycopg.OperationalError."""
    with admin.connect(url, PURPOSE) as connection:
        marks.refuse_newer(connection, newest_migration())
        make_roles(connection)
        if take_ownership:
            execute(connection, SQL / _OWNED)


def refuse_strangers_bank(connection: admin.Connection) -> None:
    """Raises MigrationError for a bank that its owner does not own: it was restored without the roles."""
    row = connection.execute(
        "select r.rolname from pg_namespace as n join pg_roles as r on r.oid = n.nspowner"
        " where n.nspname = 'credits'"
    ).fetchone()
    if row is not None and row[0] != OWNER:
        raise MigrationError(
            f"schema credits belongs to {row[0]}, not to {OWNER}: this database was restored where the roles"
            " of the bank were missing. docs/restoring.md tells the way back."
        )
