"""Write a month of the books into a folder. Everything in it is of one moment of the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from pgcredits.bank import admin
from pgcredits.bank.admin import Connection
from pgcredits.bank.export.folder import HEADS, ExportError, File, Manifest, measure, new_folder

PURPOSE = "pgcredits export"
_SECONDS = 4 * 3600  # for one file
_TABLES = {
    "liability_rollforward": "select * from finance.liability_rollforward where month = {month}"
    " order by currency, source",
    "journal": "select * from finance.journal where day >= {month} and day < {next_month}"
    " order by day, currency, event, number, account",
    "trial_balance": "select * from finance.trial_balance({last_moment})",
    "accounts": "select * from finance.accounts order by account",
    "late_entries": "select * from finance.late_entries where month = {month}"
    " order by happened_in, currency, source, way",
    "closed_months": "select * from finance.closed_months where month <= {month} order by month",
    "entries": "select {columns} from credits.entries as e{persons}"
    " where e.posted_at >= {first_moment} and e.posted_at <= {last_moment} order by e.account_id, e.seq",
}
_ENTRY = (
    "account_id seq posted_at effective_at kind tokens balance_after debt_after draws module_id usage"
    " price_id order_id hold_id late refunds_seq campaign_id package_name"
)
# An account on a test clock may have entries of a month that the others have not begun.
_BEGUN = """
    select {first_moment} <= greatest(credits.clock(), (select max(w.test_clock) from credits.wallets as w))
"""
_HEADS = """
    select h.account_id || ' ' || h.seq || ' ' || encode(h.hash, 'hex') as line
    from credits.ledger_heads({closed_at}) as h
    order by h.account_id
"""
# The first entry, from the beginning of the month to the close, whose hash is not that of its fields and of
# the entry before. Sums come from the entries of other months, too: `pgcredits audit` looks at all of them.
_UNLINKED = """
    select x.account_id, x.seq
    from (
        select
            e.account_id,
            e.seq,
            e.hash,
            credits.entry_hash(
                coalesce(
                    lag(e.hash) over (partition by e.account_id order by e.seq),
                    (
                        select b.hash from credits.entries as b
                        where
                            b.account_id = e.account_id and b.seq = e.seq - 1
                            and b.posted_at < {first_moment}
                        order by b.posted_at desc
                        limit 1
                    ),
                    ''
                ),
                e
            ) as computed
        from credits.entries as e
        where e.posted_at >= {first_moment} and e.posted_at < {closed_at}
    ) as x
    where x.hash is distinct from x.computed
    order by x.account_id, x.seq
    limit 1
"""
# JSON has no control characters, so CSV with these neither quotes nor escapes anything in it.
_JSON_LINES = sql.SQL(
    "copy (select row_to_json(x)::text from ({}) as x)"
    " to stdout (format csv, delimiter e'\\x02', quote e'\\x01')"
)


def write(url: str, month: str, folder: Path, personal_data: bool = False) -> tuple[Manifest, str]:
    """Export a month ("2026-10") as an auditor. The folder is complete, or absent.

    Returns the manifest, and the sha256 of its file in hex. Raises ExportError, psycopg.Error.
    """
    first, after = _month(month)
    with (
        _auditors_only(),
        new_folder(folder) as unfinished,
        admin.connect(url, PURPOSE, statement_seconds=_SECONDS) as connection,
    ):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        made_at = datetime.now(UTC)
        row = connection.execute(
            "select m.closed_at, m.root_hash from finance.closed_months as m where m.month = %s", (first,)
        ).fetchone()
        closed_at, root = row or (None, None)
        values = _values(first, after, closed_at, personal_data)
        _refuse_month(connection, month, values)
        files = [
            _copy(connection, unfinished / f"{name}.{kind}", sql.SQL(query).format(**values))
            for name, query in _TABLES.items()
            for kind in ("csv", "ndjson")
        ]
        heads = _copy(
            connection,
            unfinished / HEADS,
            sql.SQL(_HEADS).format(**values),
        )
        if root not in (None, heads.sha256):
            raise ExportError(f"the entries have the root {heads.sha256}, and {month} was closed with {root}")
        manifest = Manifest(
            month,
            made_at.isoformat(),
            closed_at and closed_at.astimezone(UTC).isoformat(),
            personal_data,
            heads.rows,
            _entries(unfinished / HEADS),
            heads.sha256,
            [*files, heads],
        )
        return manifest, manifest.save(unfinished)


@contextmanager
def _auditors_only() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise ExportError(
            "only an auditor may export, because an export has every entry of the month: use the URL of a"
            f" login in the role auditor ({error.diag.message_primary})"
        ) from error


def _refuse_month(connection: Connection, month: str, values: dict[str, sql.Composable]) -> None:
    """Refuse a month that has not begun, or whose entries are not what was written. Raises ExportError."""
    begun = connection.execute(sql.SQL(_BEGUN).format(**values)).fetchone()
    if begun != (True,):
        raise ExportError(f"{month} has not begun: there is nothing to export")
    unlinked = connection.execute(sql.SQL(_UNLINKED).format(**values)).fetchone()
    if unlinked:
        account_id, seq = unlinked
        raise ExportError(
            f"the hash of entry {seq} of account {account_id} is not that of its fields: somebody has changed"
            " the ledger. `pgcredits audit` shows all that was changed"
        )


def _month(month: str) -> tuple[date, date]:
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month, re.ASCII):
        raise ExportError(f"{month!r} is not a month, such as 2026-10")
    first = date(int(month[:4]), int(month[5:]), 1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, after


def _values(
    first: date, after: date, closed_at: datetime | None, personal_data: bool
) -> dict[str, sql.Composable]:
    columns = [f"e.{name}" for name in _ENTRY.split()] + ["encode(e.hash, 'hex') as hash"]
    persons = ""
    if personal_data:
        columns += ["e.metadata", "u.user_id"]
        persons = (
            " left join lateral (select min(i.subject) as user_id from credits.identities as i"
            " where i.account_id = e.account_id) as u on true"
        )
    return {
        "month": sql.Literal(first),
        "next_month": sql.Literal(after),
        "first_moment": sql.Literal(datetime(first.year, first.month, 1, tzinfo=UTC)),
        "last_moment": sql.SQL("{}::timestamptz - interval '1 microsecond'").format(
            sql.Literal(datetime(after.year, after.month, 1, tzinfo=UTC))
        ),
        "closed_at": sql.SQL("{}::timestamptz").format(sql.Literal(closed_at or "infinity")),
        "columns": sql.SQL(", ".join(columns)),
        "persons": sql.SQL(persons),
    }


def _copy(connection: Connection, path: Path, query: sql.Composable) -> File:
    """Write what a query says into a file, row by row."""
    if path.suffix == ".csv":
        command = sql.SQL("copy ({}) to stdout (format csv, header)").format(query)
    elif path.suffix == ".ndjson":
        command = _JSON_LINES.format(query)
    else:
        command = sql.SQL("copy ({}) to stdout").format(query)
    rows = -1 if path.suffix == ".csv" else 0
    with path.open("xb") as file, connection.cursor() as cursor, cursor.copy(command) as copy:
        for line in copy:
            file.write(line)
            rows += 1
    size, digest = measure(path)
    return File(path.name, size, rows, digest)


def _entries(heads: Path) -> int:
    with heads.open(encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file)
