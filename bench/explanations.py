"""What a receipt and an explained balance take on a long ledger, beside a plain read of the same entries."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

from bench.bank import Bank, opened
from bench.comparisons import Say
from bench.growth import entries_of, fill

_TIMES = 200  # calls of each kind
_PAGE = 100  # movements of an explanation
_MANY = b"""
    select 1 / (b.refused = 0)::integer
    from api.consume_tokens_batch((
        select jsonb_agg(jsonb_build_object('user_id', 'user-1', 'module_id', 'stablediffusion'))
        from generate_series(1, 1000)
    )) as b
"""
_WALLET = """
    select w.account_id, w.seq from credits.wallets as w
    join credits.identities as i on w.account_id = i.account_id where i.subject = %s
"""
_ENTRY = "select e.* from credits.entries as e where e.account_id = %s and e.seq = %s"
_ENTRIES = "select e.* from credits.entries as e where e.account_id = %s and e.seq between %s and %s"
_RECEIPT = "select r.* from api.receipt(%s) as r"
_BALANCE = "select b.* from api.explain_balance(at => %s, user_id => %s, movements => %s) as b"

Question = tuple[str, tuple[Any, ...]]


def explanations(accounts: int, entries: int, say: Say) -> None:
    """A tenth of the ledger belongs to one user, the rest to all of them alike."""
    with opened(min(accounts, 1000), say) as bank:
        say(f"filling the ledger to {entries:,} entries")
        fill(bank, entries - entries // 10 - entries_of(bank), say)
        with bank.serve() as session:
            for _ in range(entries // 10_000):
                session.execute(_MANY)
        with bank.connect() as admin:
            admin.execute("vacuum (analyze)")
        print(f"\nexplanations: {entries_of(bank):,} entries, milliseconds, {_TIMES} calls of each kind")
        _measure(bank)


def _measure(bank: Bank) -> None:
    dice = random.Random(7)
    with bank.connect() as admin, bank.serve() as session:
        wallets = {
            name: admin.execute(_WALLET, (name,)).fetchone()
            for name in (f"user-{number}" for number in range(1, bank.accounts + 1))
        }
        few = [name for name in wallets if name != "user-1"] or ["user-1"]

        def entry(name: str) -> tuple[Any, int]:
            account_id, seq = wallets[name] or (None, 0)
            return account_id, dice.randint(3, seq)

        def receipt(name: str) -> tuple[Question, Question]:
            account_id, seq = entry(name)
            return (_RECEIPT, (f"{account_id}:{seq}",)), (_ENTRY, (account_id, seq))

        def balance(name: str, earlier: bool) -> tuple[Question, Question]:
            account_id, last = wallets[name] or (None, 0)
            moment = None
            if earlier:
                last = dice.randint(_PAGE, last)
                row = admin.execute(_ENTRY.replace("e.*", "e.posted_at"), (account_id, last)).fetchone()
                moment = row[0] if row else None
            return (_BALANCE, (moment, name, _PAGE)), (_ENTRIES, (account_id, last - _PAGE + 1, last))

        kinds: dict[str, Callable[[], tuple[Question, Question]]] = {
            "receipt, any user": lambda: receipt(dice.choice(few)),
            "receipt, the user with a tenth": lambda: receipt("user-1"),
            "balance now, any user": lambda: balance(dice.choice(few), False),
            "balance now, the user with a tenth": lambda: balance("user-1", False),
            "balance earlier, any user": lambda: balance(dice.choice(few), True),
            "balance earlier, the user with a tenth": lambda: balance("user-1", True),
        }
        for kind, ask in kinds.items():
            asked = [ask() for _ in range(_TIMES + 20)]
            ours = [_taken(session, question) for question, _ in asked][20:]
            plain = [_taken(admin, question) for _, question in asked][20:]
            print(
                f"  {kind:40} {median(ours):6.2f}, p95 {quantiles(ours, n=20)[-1]:6.2f};"
                f" the plain read {median(plain):5.2f}, ratio {median(ours) / median(plain):.1f}"
            )


def _taken(session: Any, question: Question) -> float:
    began = time.perf_counter()
    rows = session.execute(*question).fetchall()
    taken = (time.perf_counter() - began) * 1000
    if not rows:
        raise ValueError(f"no answer to {question}")
    return taken
