"""Anchors: the heads of all hash chains, in a file outside of the database.

Somebody who can write to the tables can also write a new chain, and an older backup is sound in itself.
Neither agrees with an anchor that was made before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from pgcredits.bank.audit.anchor_file import (
    AnchorError,
    Sum,
    Summary,
    lines,
    new_file,
    position,
    read_summary,
)
from pgcredits.bank.audit.checks import SHOWN, Check, Connection
from pgcredits.bank.audit.running import open_connection

_AT_ONCE = 5000  # heads in one question
_COMMENT = """Every head of the anchor is in the chains of the bank.

A row means: the bank no longer has an entry that it had when the anchor was made. An older backup was
restored, an account was removed, or somebody wrote a chain anew.

What to do: after a restore, follow docs/restoring.md from "Whatever happened after the dump". A replica that
lags catches up. Otherwise keep the server's log and a copy of its files, take the logins of everyone who can
write to the tables, and compare the account with an older dump."""
_HEADS = "select account_id, seq, encode(head_hash, 'hex') from credits.wallets order by account_id"
# What is safe on the disk of a server only grows.
_WHERE = """
    select
        s.system_identifier::text,
        case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end::text,
        current_database()::text,
        to_char(clock_timestamp() at time zone interval '0', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    from pg_control_system() as s
"""


def make_anchor(url: str, to: Path | None = None) -> Summary:
    """Read the heads in one snapshot, and write them to a new file if there is to be one.

    Raises AnchorError for a file that exists or cannot be written, psycopg.Error.
    """
    if to is not None and os.path.lexists(to):
        raise AnchorError(f"{to} exists: an anchor is never written over")
    with ExitStack() as stack:
        connection = stack.enter_context(closing(open_connection(url)))
        file = stack.enter_context(new_file(to)) if to else None
        found = Sum()
        for line, seq in _heads(connection):
            found.add(line, seq)
            if file:
                file.write(line)
        identifier, lsn, database, now = _where(connection)
        summary = Summary(now, identifier, lsn, database, found.accounts, found.entries, found.root)
        if file:
            file.write(f"{summary}\n".encode())
    return summary


def compare_anchor(
    url: str, path: Path, root: str | None = None, say: Callable[[str], None] = lambda line: None
) -> Check:
    """Compare the bank with an anchor. `root`: what was kept of it in yet another place.

    `say` is told what the anchor is, and when it is of another server. Raises AnchorError for a file that is
    not a whole anchor, has no head, or is not the one with this root; psycopg.Error.
    """
    summary = read_summary(path)
    if root is not None and root.lower() != summary.root:
        raise AnchorError(f"{path} has the root {summary.root}: it is not the anchor that you mean")
    if not summary.accounts:
        raise AnchorError(f"{path} has no head: it says nothing about any account")
    started = time.perf_counter()
    with closing(open_connection(url)) as connection:
        identifier, lsn, _, _ = _where(connection)
        say(
            f"the anchor has the heads of {summary.accounts} account(s) with {summary.entries} entries, of "
            f"{summary.made_at}"
        )
        if identifier != summary.system_identifier:
            say(
                f"it is of another server ({summary.system_identifier}; this one is {identifier}), so it "
                "does not show whether this server went back"
            )
        findings = _gone_back(identifier, lsn, summary)
        rows = len(findings)
        heads = islice(lines(path), summary.accounts)
        while some := list(islice(heads, _AT_ONCE)):
            found = _compare(connection, some)
            rows += len(found)
            findings = (findings + found)[:SHOWN]
    return Check("anchor", rows, (time.perf_counter() - started) * 1000, findings, _COMMENT)


def _heads(connection: Connection) -> Iterator[tuple[bytes, int]]:
    with connection.cursor(name="heads") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(_HEADS)
        for account_id, seq, head in cursor:
            yield f"{account_id} {seq} {head or '-'}\n".encode(), seq


def _where(connection: Connection) -> tuple[str, str, str, str]:
    """The server, how far it has written its log, the database, and the time."""
    ((identifier, lsn, database, now),) = connection.execute(_WHERE.encode()).fetchall()
    return identifier, lsn, database, now


def _gone_back(identifier: str, lsn: str, then: Summary) -> list[tuple[Any, ...]]:
    if identifier != then.system_identifier or position(lsn) >= then.position:
        return []
    expected = f"this server has written its log beyond {then.lsn}, where it was at {then.made_at}"
    return [(None, expected, f"{lsn}: it went back, or is a replica that lags")]


def _compare(connection: Connection, some: list[str]) -> list[tuple[Any, ...]]:
    heads = [line.split() for line in some]
    return connection.execute(
        "select account_id, expected, found"
        " from credits.anchor_faults(%s::uuid[], %s::bigint[], %s::bytea[])",
        (
            [UUID(account_id) for account_id, _, _ in heads],
            [int(seq) for _, seq, _ in heads],
            [b"" if head == "-" else bytes.fromhex(head) for _, _, head in heads],
        ),
    ).fetchall()
