"""A bank with plans, and subscribers on test clocks whose life is told by Stripe's events."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from callers import Caller, Row
from subscription_events import PAID, Thing, at, invoice, subscription

JAN, FEB, MAR, APR, MAY = (datetime(2098, month, 1, tzinfo=UTC) for month in range(1, 6))
STARTER, PRO, TEAM = "price_starter", "price_pro", "price_team"
PLANS = (
    "select credits.define_plan('free', 'Free', 50)",
    "select credits.define_plan('starter', 'Starter', 1000, 900, 'eur',"
    " p_stripe_price_id => 'price_starter')",
    "select credits.define_plan('pro', 'Pro', 3000, 2900, 'eur', p_rollover_percent => 50,"
    " p_rollover_cap => 1000, p_trial_days => 14, p_trial_allowance => 200,"
    " p_stripe_price_id => 'price_pro')",
    "select credits.define_plan('team', 'Team', 10000, 9900, 'eur', p_rollover_cap => 2000,"
    " p_rollover_expires_after => '3 months', p_stripe_price_id => 'price_team')",
)


_numbers = count(1)


class Subscriber:
    """A user on a test clock, who is a customer of Stripe."""

    def __init__(self, bank: Caller, name: str, now: datetime = JAN) -> None:
        user_id = f"{name}_{next(_numbers)}"
        self.bank, self.user_id = bank, user_id
        self.clock(now)
        self.account_id = bank.row(
            "select account_id from credits.identities where subject = %s", (user_id,)
        )["account_id"]
        self.customer = f"cus_{user_id}"
        self.call("attach_customer", account_id=self.account_id, customer_id=self.customer)

    def call(self, function: str, **arguments: Any) -> Row:
        return self.bank.call(function, **arguments)

    def clock(self, now: datetime) -> None:
        self.call("set_test_clock", user_id=self.user_id, frozen_time=now)

    def apply(self, event: Row) -> str:
        receipt = self.call("apply_stripe_event", event=event)
        return str(receipt["outcome"])

    def invoice(self, number: int | str, *lines: Thing, sub: str = "sub_1", **changes: Any) -> Thing:
        return invoice(f"in_{number}_{self.user_id}", self.named(sub), self.customer, list(lines), **changes)

    def subscription(
        self, price: str, starts: datetime, ends: datetime, sub: str = "sub_1", **changes: Any
    ) -> Thing:
        return subscription(self.named(sub), self.customer, price, starts, ends, **changes)

    def named(self, object_id: str) -> str:
        """The id of an object at Stripe that is this user's."""
        return f"{object_id}_{self.user_id}"

    def pay(self, number: int | str, *lines: Thing, when: datetime | None = None, **changes: Any) -> str:
        """Stripe reports that this invoice is paid."""
        of = self.invoice(number, *lines, **changes)
        starts = datetime.fromtimestamp(lines[-1]["period"]["start"], UTC)
        return self.apply(at(PAID, of, when or starts))

    def spend(self, tokens: int) -> None:
        self.call("consume_tokens", module_id="metube", usage={"calls": tokens // 10}, user_id=self.user_id)

    def balance(self) -> Decimal:
        return Decimal(
            self.bank.row("select balance from api.balance where user_id = %s", (self.user_id,))["balance"]
        )

    def lots(self) -> list[tuple[Any, ...]]:
        """Source, package, tokens granted and left, and expiry, in the order of the books."""
        rows = self.bank.rows(
            "select source, package_name, granted, remaining, expires_at from api.lots"
            " where user_id = %s order by lot_id",
            (self.user_id,),
        )
        return [tuple(row.values()) for row in rows]

    def entries(self) -> list[tuple[Any, ...]]:
        rows = self.bank.rows(
            "select kind, tokens, effective_at from api.entries where user_id = %s order by seq",
            (self.user_id,),
        )
        return [tuple(row.values()) for row in rows]

    def own(self, query: str) -> Row:
        """One row of a table of the books, of this account."""
        return self.bank.row(f"{query} where account_id = %s", (self.account_id,))

    def notices(self) -> list[str]:
        rows = self.bank.rows(
            "select kind from credits.outbox where account_id = %s order by created_at", (self.account_id,)
        )
        return [row["kind"] for row in rows]

    def plan(self, sub: str = "sub_1") -> Row:
        return self.bank.row(
            "select * from api.subscriptions where user_id = %s and subscription_id = %s",
            (self.user_id, self.named(sub)),
        )
