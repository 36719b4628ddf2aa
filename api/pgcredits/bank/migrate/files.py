"""The files of migrations/ and sql/: where they are, their digests, and how to execute one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from pgcredits.bank.migrate.errors import MigrationError

_PACKAGE = Path(__file__).parents[2]
HOME = _PACKAGE if (_PACKAGE / "sql").is_dir() else _PACKAGE.parents[1]  # in the wheel, else in a checkout
MIGRATIONS = HOME / "migrations"
SQL = HOME / "sql"

FOLDERS = ("credits", "api", "analytics", "finance", "audit")  # also the names of the schemas
COMMENTS = "comments"
ACCESS = "access.sql"
HARDEN = "harden_database.sql"
ROLES = "roles.sql"
OWNER = "credits_owner"


def newest_migration(folder: Path = MIGRATIONS) -> str:
    """The id of the last migration."""
    return max((path.stem for path in folder.glob("*.sql") if ".rollback" not in path.name), default="")


def reloaded(sql: Path) -> Iterator[Path]:
    """The comments on what migrations make, then functions, views and triggers, in the order of loading.

    Folders in these are rooms for people: files load by their names, whatever room they are in.
    """
    for folder in (COMMENTS, *FOLDERS):
        yield from sorted((sql / folder).rglob("*.sql"), key=lambda path: path.name)


def digest(text: str) -> str:
    """The digest of a text. It is the same on every system: line ends do not count."""
    return hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()


def digests(sql: Path) -> dict[str, str]:
    """The digest of each file of sql/ that a migrate executes, by its path in sql/."""
    paths = [*reloaded(sql), *(path for path in (sql / ROLES, sql / ACCESS, sql / HARDEN) if path.exists())]
    return {path.relative_to(sql).as_posix(): digest(path.read_text()) for path in paths}


def execute(connection: psycopg.Connection[Any], path: Path, text: str | None = None) -> None:
    """Execute a file, or the part of it that is in `text`, with its lines. Raises MigrationError."""
    text = path.read_text() if text is None else text
    try:
        connection.execute(text.encode())
    except psycopg.Error as error:
        position = error.diag.statement_position
        line = f":{text.count(chr(10), 0, int(position)) + 1}" if position else ""
        where = f"{path}{line}" if not path.is_absolute() else f"{path.parent.name}/{path.name}{line}"
        raise MigrationError(f"{where}: {error}") from error
