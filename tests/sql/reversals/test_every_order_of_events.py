"""Every order of the events of a payment ends in the same state, which an independent model tells.

The orders are walked as a tree: each event is applied once after every beginning, and undone. The model is
asked at every step, and not only at the end. The orders are sampled, unless `--prove` is given.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

import pytest
from callers import Row
from holding import Bank
from sql.reversals.payment_model import Event, Payment
from sql.reversals.scenarios import LIVES, Life, renamed
from stripe_events import attached

pytestmark = pytest.mark.slow

STEPS, FEW_STEPS = 40, 10  # of a life in the short form, on 18 and on another version


class Walk:
    """One order, its model, and the tree of the orders of its events."""

    def __init__(self, bank: Bank, life: Life, bonus: int, used: int, steps: int, seed: int) -> None:
        self.bank, self.steps, self.random, self.leaves = bank, steps, random.Random(seed), 0
        self.wants = used
        bank.rows(
            "select credits.define_pack('of 500', 'Standard', 500, 3999, 'eur', p_bonus_tokens => %s)",
            (bonus,),
        )
        bank.rows("select credits.freeze_on_fraud_warnings(true)")
        self.order = attached(bank, bank.call("create_order", user_id="clock", pack_id="of 500"))
        self.events = renamed(life.events, self.order, "_w")
        self.payment = Payment(3999, Decimal(500), Decimal(bonus), warnings_freeze=True)

    def go(self, rest: list[Event]) -> None:
        """Every order of `rest`, or as many as there are steps left."""
        if not rest:
            self.leaves += 1
            return
        tried: list[Event] = []
        for event in self.random.sample(rest, len(rest)):
            if event in tried or self.steps <= 0:
                continue
            tried.append(event)
            self.steps -= 1
            others = list(rest)
            others.remove(event)
            saved = (list(self.payment.events), list(self.payment.states), self.payment.used)
            with self.bank.connection.transaction(force_rollback=True):
                self.bank.call("apply_stripe_event", event=event)
                self.payment.deliver(event)
                self.use()
                self.compare(event)
                self.go(others)
            self.payment.events, self.payment.states, self.payment.used = saved

    def use(self) -> None:
        """Spend what the user wants to spend as soon as the tokens are there."""
        left = min(Decimal(self.wants) - self.payment.used, self.payment.available) // 25
        if left > 0:
            self.bank.call("consume_tokens", user_id="clock", module_id="whisper", usage={"calls": int(left)})
            self.payment.used += left * 25

    def compare(self, event: Event) -> None:
        balance = self.bank.row("select balance, debt from api.balance")
        order = self.bank.row(
            "select state, coalesce(paid, 0) as paid, reversed, reversal_pending, disputed from api.orders"
            " where order_id = %s",
            (self.order["order_id"],),
        )
        available = self.bank.call("quote_tokens", user_id="clock", module_id="whisper")["available"]
        expected = {
            "balance": self.payment.balance,
            "debt": self.payment.debt,
            "available": self.payment.available,
            "state": self.payment.state,
            "paid": self.payment.paid,
            "reversed": self.payment.back,
            "reversal_pending": self.payment.pending,
            "disputed": self.payment.disputed,
        }
        path = [e["type"] for e in self.payment.events]
        assert balance | order | {"available": max(available, 0)} == expected, (path, event["type"])


def ends_as_told(walk: Walk, life: Life, findings: Callable[[], list[Row]]) -> None:
    """The whole life in its own order, and the books after it."""
    with walk.bank.connection.transaction(force_rollback=True):
        for event in walk.events:
            walk.bank.call("apply_stripe_event", event=event)
            walk.payment.deliver(event)
            walk.use()
        walk.compare(walk.events[-1])
        assert (walk.payment.back, walk.payment.state) == (life.back, life.state)
        assert (walk.payment.disputed, walk.payment.pending) == (life.disputed, life.pending)
        assert findings() == []
        assert walk.bank.rows("select event_id, parked_reason from audit.parked") == []
    walk.payment.events, walk.payment.states, walk.payment.used = [], [], Decimal(0)


@pytest.mark.parametrize(("bonus", "used"), [(0, 0), (50, 0), (0, 200), (50, 525)])
@pytest.mark.parametrize("name", LIVES)
def test_every_order_of_events_ends_as_the_model_says(
    name: str, bonus: int, used: int, bank: Bank, request: pytest.FixtureRequest
) -> None:
    life = LIVES[name]
    short = STEPS if request.config.getoption("--pg") == 18 else FEW_STEPS
    steps = 10**9 if request.config.getoption("--prove") else short
    walk = Walk(bank, life, bonus, used, steps, seed=bonus + used)

    def findings() -> list[Row]:
        return bank.rows("select * from audit.findings where check_name <> 'check_release'")

    ends_as_told(walk, life, findings)
    walk.go([*walk.events, walk.random.choice(walk.events)])
    assert walk.leaves > 0 or walk.steps <= 0
