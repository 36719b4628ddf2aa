"""What an audit found, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pgcredits.bank.audit.checks import Check, sound
from pgcredits.bank.audit.running import Reporter


def report(checks: list[Check], console: Console, verdict: str = "the books close") -> None:
    """Print the checks, their findings with what to do about them, and the verdict."""
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
            _plain(console, f"{check.name}: account {account_id}: expected {expected}, found {found}")
        if check.rows > len(check.findings):
            _plain(console, f"{check.name}: and {check.rows - len(check.findings)} more")
        if check.rows and check.advice:
            _plain(console, f"{check.name}: {check.advice}")
    total = sum(check.rows for check in checks)
    console.print(
        f"[green]{verdict}: no finding" if not total else f"[red]{total} finding{'s' if total > 1 else ''}"
    )


@contextmanager
def shown_progress() -> Iterator[Reporter]:
    """Show on standard error how far the audit is, while it runs, if a person looks on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    errors = Console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("audit", total=None)

        def tell(done_last: str, done: int, of: int) -> None:
            bar.update(task, description=done_last, completed=done, total=of)

        yield tell


def as_json(checks: list[Check], mode: str) -> str:
    """The same as one JSON object on one line. `mode`: full, part or incremental."""
    return json.dumps(
        {
            "audited_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "mode": mode,
            "sound": sound(checks),
            "findings": sum(check.rows for check in checks),
            "checks": [_check(check) for check in checks],
        }
    )


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "rows": check.rows,
        "ms": round(check.milliseconds, 1),
        "advice": check.advice if check.rows else None,
        "first": [
            {"account_id": account_id and str(account_id), "expected": expected, "found": found}
            for account_id, expected, found in check.findings
        ],
    }


def _plain(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False)
