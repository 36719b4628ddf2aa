"""Does a spend slow down as the ledger grows? Two banks with the same accounts, one with a long history."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bench.bank import Bank, opened
from bench.comparisons import SPEND, Say, many, print_rates
from bench.pgbench import Load, Peer, Round, run

YOUNG = 10_000  # entries
_AT_ONCE = 50  # charges of an account in one call
_CALL = 1000  # charges
_FILL = b"""
    select 1 / (b.refused = 0)::integer
    from api.consume_tokens_batch((
        select jsonb_agg(jsonb_build_object(
            'user_id', 'user-' || n, 'module_id', 'stablediffusion', 'idempotency_key', gen_random_uuid()
        ))
        from generate_series(%(first)s::integer, %(last)s) as n, generate_series(1, %(each)s)
    )) as b
"""


def growth(load: Load, accounts: int, entries: int, say: Say, prove: Callable[[Bank], None]) -> None:
    """Spends of the young bank and of the old one, in turns; then the proof of both books."""
    accounts = min(accounts, YOUNG // 3)  # each has three entries from the start
    with opened(accounts, say) as young, opened(accounts, say) as old:
        banks = {f"{YOUNG:,} entries": young, f"{entries:,} entries": old}
        for size, bank in ((YOUNG, young), (entries, old)):
            say(f"filling the ledger to {size:,} entries")
            started = time.monotonic()
            fill(bank, size - entries_of(bank), say)
            print(f"filled to {entries_of(bank):,} entries in {time.monotonic() - started:,.0f} s")
        for clients in dict.fromkeys((1, load.clients)):
            rounds = _take_turns(banks, replace(load, clients=clients), say)
            print_rates(
                f"growth: any of {accounts:,} accounts, {many(clients)}", rounds, of=f"{YOUNG:,} entries"
            )
        print(f"  {_sizes(old)}; shared_buffers {_shared_buffers(old)} for each of the two servers")
        print(f"  entries at the end: {entries_of(young):,} and {entries_of(old):,}")
        for name, bank in banks.items():
            print(f"\nthe bank of {name}")
            prove(bank)


def fill(bank: Bank, missing: int, say: Say) -> None:
    """Charges by batch, over all accounts again and again, from one connection for each core."""
    calls = list(_calls(bank.accounts, missing))
    workers = os.cpu_count() or 1

    def work(number: int) -> None:
        with bank.serve() as session:
            mine = calls[number::workers]
            for done, call in enumerate(mine):
                if number == 0 and done % (len(mine) // 10 + 1) == 0:
                    say(f"  {done / len(mine):.0%}")
                session.execute(_FILL, call)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    with bank.connect() as admin:
        admin.execute("vacuum (analyze)")
        admin.execute("checkpoint")


def _calls(accounts: int, missing: int) -> Iterator[dict[str, int]]:
    """Which accounts, and how many charges of each."""
    share, more = divmod(missing, accounts)
    sweeps = [(accounts, _AT_ONCE)] * (share // _AT_ONCE) + [(accounts, share % _AT_ONCE), (more, 1)]
    for last, each in sweeps:
        step = _CALL // max(each, 1)
        for first in range(1, last + 1, step) if each else ():
            yield {"first": first, "last": min(first + step - 1, last), "each": each}


def _take_turns(banks: dict[str, Bank], load: Load, say: Say) -> dict[str, list[Round]]:
    """A B, A B …: both have been warmed by a turn that does not count."""
    rounds: dict[str, list[Round]] = {name: [] for name in banks}
    for number in range(load.rounds + 1):
        for name, bank in banks.items():
            say(f"  round {number} of {load.rounds}: {name}")
            peer = Peer(SPEND, "spend", bank.service)
            rounds[name].append(run(bank, peer, load.clients, load.seconds, bank.accounts, bank.port))
    return {name: measured[1:] for name, measured in rounds.items()}


def entries_of(bank: Bank) -> int:
    return int(_value(bank, "select sum(seq) from credits.wallets"))


def _sizes(bank: Bank) -> str:
    return _value(
        bank,
        "select format('%s of ledger, %s of keys', pg_size_pretty(sum(pg_total_relation_size(p.relid))),"
        " pg_size_pretty(pg_total_relation_size('credits.idempotency_keys')))"
        " from pg_partition_tree('credits.entries') as p",
    )


def _shared_buffers(bank: Bank) -> str:
    return _value(bank, "show shared_buffers")


def _value(bank: Bank, query: str) -> str:
    with bank.connect() as admin:
        row = admin.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])
