"""The file of a price list: definitions, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from pgcredits.bank import admin
from pgcredits.bank.catalogs import catalog_text, catalog_words
from pgcredits.bank.catalogs.catalog_text import Definition
from pgcredits.bank.migrate.errors import MigrationError

MOST_BYTES = 1_000_000
MOST_DEFINITIONS = 10_000
# For a whole file. The administrator's session, which waits in a transaction, may be idle twice as long.
SECONDS = 50


def read(path: Path) -> list[Definition]:
    """The definitions of a price list. Raises MigrationError when the file contains anything else."""
    try:
        with path.open("rb") as file:
            found = file.read(MOST_BYTES + 1)
        text = found.decode("utf-8-sig")
    except OSError as error:
        raise MigrationError(f"{path.name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = found.count(b"\n", 0, error.start) + 1
        raise MigrationError(f"{path.name}:{line}: this is not UTF-8") from error
    if len(found) > MOST_BYTES:
        raise MigrationError(f"{path.name}: a price list has at most {MOST_BYTES:,} bytes")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise MigrationError(f"{path.name}:{line}: a NUL stands in the text")
    definitions = catalog_text.parse(text, path.name)
    if len(definitions) > MOST_DEFINITIONS:
        raise MigrationError(f"{path.name}: a price list has at most {MOST_DEFINITIONS:,} definitions")
    return definitions


def execute(connection: admin.Connection, path: Path, definitions: Sequence[Definition]) -> None:
    """Execute the definitions one by one. Raises MigrationError."""
    words, deadline = catalog_words.known(connection), time.monotonic() + SECONDS
    for definition in definitions:
        place = f"{path.name}:{definition.line}"
        if time.monotonic() > deadline:
            raise MigrationError(f"{place}: the price list takes longer than {SECONDS} s")
        try:
            connection.execute(catalog_words.statement(words, definition))
        except MigrationError as error:
            raise MigrationError(f"{place}: {error}") from error
        except psycopg.errors.UndefinedFunction as error:
            raise MigrationError(f"{place}: {catalog_words.takes(words, definition)}") from error
        except psycopg.Error as error:
            message = error.diag.message_primary or str(error)
            if (error.sqlstate or "").startswith("PT"):  # an error of ours, which names what it is about
                raise MigrationError(f"{path.name}: {message} (line {definition.line})") from error
            raise MigrationError(f"{place}: {message}") from error
