"""`pgcredits audit --incremental`: verify what has changed since the checkpoint of each account."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from pgcredits.bank import admin
from pgcredits.bank.audit.checks import SHOWN, Check, Connection, Part, bounds_of, ranges_of
from pgcredits.bank.audit.running import Reporter, merged, together

_STATEMENT_SECONDS = 3600
_COMMENT = """Each account goes on from its checkpoint: nothing that was verified is gone, and the entries
since then are in order, linked by their hashes, balanced and drawn from lots.

A row means: since the last incremental audit an account has lost entries, was changed without an entry, or
has an entry that does not follow from the one before.

What to do: run the full audit, whose checks say more. If it finds nothing, the account was put back to an
older state: compare the bank with an anchor. The checkpoint stays where it is until the fault is mended."""
_NEW_ENTRIES = """
    select coalesce(sum(w.seq - coalesce(c.seq, 0)), 0)
    from credits.wallets as w
    left join credits.audit_checkpoints as c on c.account_id = w.account_id
"""


@dataclass(frozen=True, slots=True)
class _Range(Part):
    function: str = ""

    def query(self) -> sql.Composed:
        last = self.end.int - 1 if self.end else 2**128 - 1
        return sql.SQL(
            "select account_id, expected, found, count(*) over () from {}({}, {}) limit {}"
        ).format(
            sql.Identifier("credits", self.function),
            sql.Literal(self.first or UUID(int=0)),
            sql.Literal(UUID(int=last)),
            sql.Literal(SHOWN),
        )


def run_changes(url: str, *, jobs: int = 1, progress: Reporter | None = None) -> Check:
    """Verify what is new as the login of `url`, and move the checkpoints of the accounts without a fault.

    A standby cannot keep checkpoints: there it only verifies, from those of the primary.
    Raises psycopg.Error.
    """
    with ExitStack() as stack:
        leader = stack.enter_context(closing(_connect(url)))
        ((standby,),) = leader.execute("select pg_is_in_recovery()").fetchall()
        ((entries,),) = leader.execute(_NEW_ENTRIES.encode()).fetchall()
        bounds = bounds_of(ranges_of(int(entries)))
        function = "change_faults" if standby else "audit_changes"
        work = [
            _Range("changes", number, len(bounds), first, end, function)
            for number, (first, end) in enumerate(bounds, start=1)
        ]
        crew = [leader]
        for _ in range(min(jobs, len(work)) - 1):
            try:
                crew.append(stack.enter_context(closing(_connect(url))))
            except psycopg.OperationalError:  # too many connections
                break
        results = together(work, crew, progress)
    return merged("changes", results["changes"], _COMMENT)


def _connect(url: str) -> Connection:
    """A connection each of whose statements is a transaction. By default, an auditor's writes nothing."""
    connection = admin.connect(url, "pgcredits audit", statement_seconds=_STATEMENT_SECONDS)
    connection.autocommit = True
    connection.execute("set default_transaction_read_only = off")
    return connection
