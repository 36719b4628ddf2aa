"""How long an audit takes, beside the plainest scan of the same entries, as the ledger grows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from bench.bank import Bank, opened
from bench.comparisons import Say
from bench.growth import entries_of, fill
from pgcredits.bank import audit

SIZES = (100_000, 1_000_000)  # entries
_TOUCHED = 100  # accounts with a new entry between two incremental audits
_PLAIN = b"select count(*), sum(tokens), sum(balance_after), max(debt_after) from credits.entries"
_TOUCH = b"""
    select 1 / (b.refused = 0)::integer
    from api.consume_tokens_batch((
        select jsonb_agg(jsonb_build_object('user_id', 'user-' || n, 'module_id', 'stablediffusion'))
        from generate_series(1, %(touched)s::integer) as n
    )) as b
"""


def audits(accounts: int, say: Say) -> None:
    """The full audit and the incremental one, at each size of one growing ledger."""
    with opened(accounts, say) as bank:
        for size in SIZES:
            say(f"filling the ledger to {size:,} entries")
            fill(bank, size - entries_of(bank), say)
            _measure(bank, say)


def _measure(bank: Bank, say: Say) -> None:
    entries = entries_of(bank)
    print(f"\naudit: {entries:,} entries of {bank.accounts:,} accounts")
    plain = _seconds(lambda: _plain(bank))
    for jobs in dict.fromkeys((1, os.cpu_count() or 1)):
        say(f"  the full audit, {jobs} at once")
        _print(f"full, {jobs} at once", _seconds(lambda jobs=jobs: _full(bank, jobs)), plain, entries)
    chain = _seconds(lambda: _sound(audit.run(bank.url, only=["hash_chain"])))
    _print("hash chain alone", chain, plain, entries)
    say("  the incremental audit")
    _print("incremental, since the last size", _seconds(lambda: _incremental(bank)), plain, entries)
    _print("incremental, nothing new", _seconds(lambda: _incremental(bank)), plain, entries)
    with bank.serve() as session:
        session.execute(_TOUCH, {"touched": _TOUCHED})
    _print(f"incremental, {_TOUCHED} accounts", _seconds(lambda: _incremental(bank)), plain, entries)
    _print("plain scan", plain, plain, entries)


def _plain(bank: Bank) -> None:
    with bank.connect() as admin:
        admin.execute("set max_parallel_workers_per_gather = 0")
        admin.execute(_PLAIN)


def _full(bank: Bank, jobs: int) -> None:
    checks = audit.run(bank.url, jobs=jobs)
    _sound(checks)
    slowest = sorted(checks, key=lambda check: -check.milliseconds)[:5]
    print("  " + ", ".join(f"{check.name} {check.milliseconds / 1000:.1f} s" for check in slowest))


def _incremental(bank: Bank) -> None:
    _sound([audit.run_changes(bank.url)])


def _sound(checks: list[audit.Check]) -> None:
    found = [(check.name, check.findings) for check in checks if check.rows]
    if found:
        raise RuntimeError(f"the books do not close: {found}")


def _seconds(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _print(what: str, seconds: float, plain: float, entries: int) -> None:
    print(
        f"  {what:<34} {seconds:8.2f} s  {1e6 * seconds / entries:8.2f} µs an entry  {seconds / plain:6.1f}"
        " times the plain scan",
        flush=True,
    )
