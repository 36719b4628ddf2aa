"""The file of a price list: statements that define something, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlparse

from pgcredits import admin
from pgcredits.migrate.errors import MigrationError

_WORD = re.compile(r"select\s+credits\.define_[a-z_]+\s*\(", re.I)
_SKIPPED = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.S)


@dataclass(frozen=True, slots=True)
class Line:
    """One statement, and the line of the file on which it begins."""

    number: int
    text: str


def read(path: Path) -> list[Line]:
    """The statements of a price list. Raises MigrationError for one that does not define anything."""
    lines = list(_statements(path.read_text()))
    for line in lines:
        if not _WORD.match(line.text):
            raise MigrationError(
                f"{path.name}:{line.number}: a price list holds `select credits.define_…(…);` and nothing"
                " else"
            )
    return lines


def execute(connection: admin.Connection, path: Path, lines: list[Line]) -> None:
    """Execute the statements one by one. Raises MigrationError."""
    for line in lines:
        try:
            # In binary: that way PostgreSQL itself refuses what it sees as several statements.
            connection.execute(line.text.encode(), binary=True)
        except psycopg.Error as error:
            place = f":{line.number}" if error.diag.statement_position else ""
            raise MigrationError(f"{path.name}{place}: {error}") from error


def _statements(text: str) -> Iterator[Line]:
    position = 0
    for part in sqlparse.split(text):
        begin = text.index(part, position)
        position = begin + len(part)
        skipped = _SKIPPED.match(part)
        begin += skipped.end() if skipped else 0
        statement = text[begin:position].strip()
        if statement and statement != ";":
            yield Line(text.count("\n", 0, begin) + 1, statement)
