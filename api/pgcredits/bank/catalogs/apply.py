"""Price lists: find one by its name, apply it whole, and compare it with what the bank has."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pgcredits.bank import admin
from pgcredits.bank.catalogs import catalog_file
from pgcredits.bank.catalogs.catalog_session import PURPOSE, WAIT_SECONDS, as_catalog
from pgcredits.bank.catalogs.catalog_text import Definition
from pgcredits.bank.migrate.errors import MigrationError
from pgcredits.bank.migrate.files import SQL

_CATALOG = "catalog "  # begins a line of credits.show_catalog() that names a price list


@dataclass(frozen=True, slots=True)
class Applied:
    """A price list that was applied, or would be. `before` and `after` are credits.show_catalog()."""

    path: Path
    before: list[str]
    after: list[str]

    def difference(self) -> list[str]:
        """The lines that were removed (-) and added (+)."""
        lines = difflib.unified_diff(self.before, self.after, n=0, lineterm="")
        return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def list_catalogs(sql: Path = SQL) -> list[str]:
    """The names that `apply_catalog` takes."""
    return sorted(path.stem for path in (sql / "catalogs").glob("*.sql"))


def find_catalog(name_or_path: str, sql: Path = SQL) -> Path:
    """The file of a price list. Raises MigrationError for what is neither a listed name nor a file."""
    if name_or_path in list_catalogs(sql):
        return sql / "catalogs" / f"{name_or_path}.sql"
    if not Path(name_or_path).is_file():
        known = ", ".join(list_catalogs(sql)) or "none"
        raise MigrationError(f"no price list {name_or_path!r}: give a file or one of: {known}")
    return Path(name_or_path)


def apply_catalog(
    url: str,
    name_or_path: str,
    sql: Path = SQL,
    stripe_prices: Mapping[str, str] | None = None,
    wait_seconds: float = WAIT_SECONDS,
    say: Callable[[str], None] = lambda text: None,
    *,
    add: bool = False,
    dry_run: bool = False,
) -> Applied:
    """Apply a price list whole, in one transaction, by a login that may do nothing else.

    `stripe_prices` gives packs their price at Stripe, by pack_id. `add`: apply it beside the price lists of
    other products. `dry_run`: keep nothing. A changed rule for notices locks every wallet, and waits for
    locked ones as locks.py says. Raises MigrationError, also for a name that is neither listed nor a file,
    and for a file that holds anything but definitions.
    """
    path = find_catalog(name_or_path, sql)
    definitions = catalog_file.read(path)
    return as_catalog(
        url,
        lambda connection: _apply(connection, path, definitions, stripe_prices, add),
        wait_seconds,
        say,
        dry_run=dry_run,
    )


def _apply(
    connection: admin.Connection,
    path: Path,
    definitions: Sequence[Definition],
    stripe_prices: Mapping[str, str] | None,
    add: bool,
) -> Applied:
    before = _shown(connection)
    # Set for every file, so that no setting of the login is used.
    connection.execute(
        "select set_config('pgcredits.stripe_prices', %s, true)",
        (json.dumps(stripe_prices) if stripe_prices else "",),
    )
    catalog_file.execute(connection, path, definitions)
    if stripe_prices:
        try:
            connection.execute("select credits.check_stripe_prices()")
        except psycopg.Error as error:
            raise MigrationError(f"PGCREDITS_STRIPE_PRICES: {error}") from error
    applied = Applied(path, before, _shown(connection))
    others = _names(before)
    if others and (new := _names(applied.after) - others) and not add:
        raise MigrationError(
            f"this bank has the price list {', '.join(sorted(others))}, and balances count in one unit:"
            f" {', '.join(sorted(new))} goes into a bank of its own, or is added to this one with --add"
        )
    return applied


def _shown(connection: admin.Connection) -> list[str]:
    rows = connection.execute("select line from credits.show_catalog() as line order by line").fetchall()
    return [str(line) for (line,) in rows]


def _names(shown: list[str]) -> set[str]:
    return {line.split(" ", 2)[1] for line in shown if line.startswith(_CATALOG)}


def applied_catalogs(url: str) -> list[str]:
    """The price lists of a bank, oldest first."""
    with admin.connect(url, PURPOSE) as connection:
        rows = connection.execute("select catalog_id from credits.catalogs order by applied_at").fetchall()
    return [str(name) for (name,) in rows]
