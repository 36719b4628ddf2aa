"""`pgcredits audit`: run every check of the schema `audit` in one snapshot."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from rich.console import Console
from rich.table import Table

from pgcredits.bank import admin
from pgcredits.bank.strangers import TRUSTED

_SHOWN = 5  # findings printed per check
# Only views of trusted owners, because our login runs what is in a view.
_CHECKS = f"""
    select c.relname
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_roles as r on r.oid = c.relowner
    where n.nspname = 'audit' and c.relkind in ('v', 'm') and starts_with(c.relname, 'check_') and {TRUSTED}
    order by c.relname
"""  # noqa: S608 - a constant of ours


@dataclass(frozen=True, slots=True)
class Check:
    """One view audit.check_*. `findings` are the first (account_id, expected, found) of `rows`."""

    name: str
    rows: int
    milliseconds: float
    findings: list[tuple[Any, ...]]


def run(url: str) -> list[Check]:
    """Run every check as the login of `url`. All of them see the same moment of the database."""
    with admin.connect(url, "pgcredits audit", statement_seconds=3600) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        views = connection.execute(_CHECKS.encode()).fetchall()
        return [_check(connection, name) for (name,) in views]


def note(url: str, checks: list[Check]) -> bool:
    """Leave word in the bank of what was found, for those who watch it. False if this login may not."""
    if not checks:
        return False
    try:
        with admin.connect(url, "pgcredits audit") as connection:
            connection.read_only = False  # the default of an auditor is to write nothing
            connection.execute(
                "select credits.note_audit(%s::bigint, %s::bigint)",
                (len(checks), sum(check.rows for check in checks)),
            )
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.ReadOnlySqlTransaction,  # a standby
        psycopg.errors.UndefinedFunction,  # the bank is older than this program
    ):
        return False
    return True


def _check(connection: psycopg.Connection[tuple[Any, ...]], view: str) -> Check:
    query = sql.SQL("select account_id, expected, found, count(*) over () from audit.{} limit {}").format(
        sql.Identifier(view), sql.Literal(_SHOWN)
    )
    started = time.perf_counter()
    found = connection.execute(query).fetchall()
    spent = (time.perf_counter() - started) * 1000
    return Check(view.removeprefix("check_"), found[0][3] if found else 0, spent, [row[:3] for row in found])


def sound(checks: list[Check]) -> bool:
    """There is no finding, and there is at least one check: an audit without checks proves nothing."""
    return bool(checks) and not any(check.rows for check in checks)


def report(checks: list[Check], console: Console) -> None:
    """Print the checks, their findings, and the verdict."""
    if not checks:
        console.print("[red]the database has no checks: run `pgcredits migrate`")
        return
    table = Table("check", title="audit", title_justify="left")
    table.add_column("rows", justify="right")
    table.add_column("ms", justify="right")
    for check in checks:
        table.add_row(
            check.name, str(check.rows), f"{check.milliseconds:.1f}", style="red" if check.rows else ""
        )
    console.print(table)
    for check in checks:
        for account_id, expected, found in check.findings:
            console.print(
                f"{check.name}: account {account_id}: expected {expected}, found {found}",
                markup=False,
                highlight=False,
            )
        if check.rows > len(check.findings):
            console.print(f"{check.name}: and {check.rows - len(check.findings)} more", highlight=False)
    total = sum(check.rows for check in checks)
    console.print(
        "[green]the books close: no finding"
        if not total
        else f"[red]{total} finding{'s' if total > 1 else ''}"
    )
