"""Where the time of a spend goes, by PostgreSQL's own count of what each function takes.

Over real transactions of one call each: PL/pgSQL makes its expressions ready anew in every transaction, so
a loop inside of one would show half of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg

from bench.bank import Bank
from bench.comparisons import BARE, SPEND, peers
from bench.pgbench import Load, Peer, run

Session = psycopg.Connection[tuple[Any, ...]]
Counts = dict[str, tuple[float, ...]]

_FUNCTIONS = """
    select schemaname || '.' || funcname, sum(calls)::float8, 1000 * sum(total_time), 1000 * sum(self_time)
    from pg_stat_user_functions
    group by 1
"""
_TABLES = "select schemaname || '.' || relname, n_tup_ins::float8, n_tup_upd::float8 from pg_stat_user_tables"
_PATIENCE = 10  # seconds until the server has counted what a client did that has left
_COMMITS = 300


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one transaction."""

    microseconds: float
    wal: float  # bytes
    functions: Counts  # calls, microseconds with what they call, own microseconds
    tables: Counts  # rows inserted, rows updated


def steps(bank: Bank, load: Load, say: Callable[[str], None]) -> None:
    """Print what each function of a spend takes, and what a spend writes, beside the bare statement."""
    costs: dict[str, list[Cost]] = {BARE: [], SPEND: []}
    with bank.connect() as admin:
        admin.execute(f"alter role {bank.service.user} set track_functions = 'pl'".encode())
        for number in range(load.rounds):
            for peer in peers(bank):
                if peer.name in costs:
                    say(f"  round {number + 1} of {load.rounds}: {peer.name}")
                    costs[peer.name].append(_cost(admin, bank, peer, load.seconds))
        admin.execute(f"alter role {bank.service.user} reset track_functions".encode())
        commit = _commit(admin)
    whole = median(cost.microseconds for cost in costs[SPEND])
    functions = _medians([cost.functions for cost in costs[SPEND]])
    own = {name: numbers[2] for name, numbers in functions.items()}
    own["protocol and commit"] = whole - functions["api.consume_tokens"][1]
    dearest = sorted(own, key=lambda name: -own[name])

    print("\nsteps: one client, one spend per transaction")
    print(f"  {'':26}{'calls':>6}{'with its calls':>18}{'itself':>12}")
    for name in dearest:
        calls, total, _ = functions.get(name, (1, own[name], own[name]))
        print(f"  {name:26}{calls:6.0f}{total:15.0f} µs{own[name]:9.0f} µs{own[name] / whole:6.0%}")
    for name, measured in costs.items():
        spent, wal = (median(getattr(cost, field) for cost in measured) for field in ("microseconds", "wal"))
        print(f"  {name:18}{spent:6.0f} µs, {wal:,.0f} bytes of WAL")
        print(f"  {'':18}{_rows(_medians([cost.tables for cost in measured]))}")
    print(f"  {'a commit alone':18}{commit:6.0f} µs, shared by all who commit at that moment")
    print("  what limits a spend: " + ", ".join(f"{name} {own[name] / whole:.0%}" for name in dearest[:4]))


def _cost(admin: Session, bank: Bank, peer: Peer, seconds: int) -> Cost:
    lsn = _value(admin, "select pg_current_wal_insert_lsn()")
    functions, tables = _counts(admin, _FUNCTIONS), _counts(admin, _TABLES)
    done = run(bank, peer, 1, seconds, bank.accounts, bank.port)
    wal = float(_value(admin, f"select pg_current_wal_insert_lsn() - '{lsn}'"))
    deadline = time.monotonic() + _PATIENCE
    while True:
        rows = _per_transaction(tables, _counts(admin, _TABLES), done.transactions)
        if any(inserted >= 1 for inserted, _ in rows.values()):
            break
        if time.monotonic() > deadline:
            raise RuntimeError("PostgreSQL did not count the rows written")
        time.sleep(0.05)
    spent = _per_transaction(functions, _counts(admin, _FUNCTIONS), done.transactions)
    return Cost(1_000_000 / done.per_second, wal / done.transactions, spent, rows)


def _counts(admin: Session, query: str) -> Counts:
    return {name: tuple(map(float, numbers)) for name, *numbers in admin.execute(query.encode())}


def _per_transaction(before: Counts, after: Counts, transactions: int) -> Counts:
    """What has been counted in between; nothing of what did not change."""
    return {
        name: tuple(
            (b - a) / transactions for a, b in zip(before.get(name, (0.0,) * len(now)), now, strict=True)
        )
        for name, now in after.items()
        if now != before.get(name, (0.0,) * len(now))
    }


def _medians(rounds: list[Counts]) -> Counts:
    names = set[str].intersection(*(set(counts) for counts in rounds))
    return {
        name: tuple(map(median, zip(*(counts[name] for counts in rounds), strict=True))) for name in names
    }


def _rows(tables: Counts) -> str:
    updates = [f"updates {name}" for name, (_, updated) in sorted(tables.items()) if updated > 0.5]
    return ", ".join(
        updates + [f"inserts into {name}" for name, (rows, _) in sorted(tables.items()) if rows > 0.5]
    )


def _commit(session: Session) -> float:
    """What a commit takes that has something to write, beyond a statement that has not. Microseconds."""
    writing, reading = (
        median(_timed(session, query) for _ in range(_COMMITS))
        for query in (b"select pg_logical_emit_message(true, 'bench', '')", b"select 1")
    )
    return writing - reading


def _timed(session: Session, query: bytes) -> float:
    started = time.perf_counter()
    session.execute(query)
    return (time.perf_counter() - started) * 1_000_000


def _value(session: Session, query: str) -> Any:
    row = session.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]
