"""Steps of subscriptions: what Stripe says of their invoices, and that renewals touch no other tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from callers import Row
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from reliability.model.model import Account, Order, Pack
from reliability.model.run import Run, differing_rows
from reliability.model.subscriptions import Invoice, Line, Plan
from reliability.model.world import indexes, users
from subscription_events import DELETED, Thing, at, invoice, line, older, subscription, unpaid

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
# Periods last a day, as long as most moves of the clock. Some shares of these plans are not whole tokens.
PLANS = (
    Plan("small", Decimal(60), 540),
    Plan("middle", Decimal(150), 1350, trial=Decimal(20), cap=Decimal(40), percent=Decimal(50)),
    Plan("large", Decimal(240), 1800, cap=Decimal(70), lasts=timedelta(hours=36)),
    Plan("films", Decimal(30), 300, percent=Decimal("33.3"), scope="category:moving"),
)
plans = st.sampled_from(PLANS)
discounts = st.sampled_from([*[(0, 1)] * 4, (1, 2), (1, 1)])
# The last one takes 11/9 of a token less 2/9 from the smallest plan to the next one.
shares = st.sampled_from([(1, 2), (9, 10), (1, 3), (1, 27), (1, 245)])
quantities = st.sampled_from([1, 1, 1, 2])
SAID = ("paid", "payment_succeeded", "payment_failed", "voided", "marked_uncollectible")


@dataclass
class Subscribed:
    """A subscription as Stripe has it: the plan, and the period that was billed last."""

    who: str
    subscription_id: str
    plan: Plan
    quantity: int
    starts_at: datetime
    ends_at: datetime


@dataclass
class Billed:
    """An invoice, its order in the books once it is paid, and what was said of it so far."""

    who: str
    place: int
    bill: Invoice
    order: Row
    intent: str
    attempts: int = 0


class Subscribing(Run):
    """Beginnings, trials, renewals, upgrades, smaller plans, ends."""

    def __init__(self) -> None:
        super().__init__()
        self.subscribed: list[Subscribed] = []
        self.bills: list[Billed] = []
        self.bill_events: list[Row] = []  # as they were sent

    @rule(
        who=users,
        plan=plans,
        quantity=quantities,
        trial=st.booleans(),
        discount=discounts,
        said=st.booleans(),
    )
    def subscribe(
        self, who: str, plan: Plan, quantity: int, trial: bool, discount: tuple[int, int], said: bool
    ) -> None:
        """`said`: at once, or in a later step."""
        starts_at = self.accounts[who].now.replace(microsecond=0)
        name = f"sub{len(self.subscribed)}{who}"
        one = Subscribed(who, name, plan, quantity, starts_at, starts_at + DAY)
        self.subscribed.append(one)
        amount = 0 if trial and plan.trial else plan.price * quantity
        self._bill(one, "create", [period_of(one, amount, discount)], said)

    @precondition(lambda self: self.subscribed)
    @rule(which=indexes, discount=discounts, missed=st.sampled_from([False] * 5 + [True]), said=st.booleans())
    def renew(self, which: int, discount: tuple[int, int], missed: bool, said: bool) -> None:
        """The next period, and sometimes the one after the next, so that a period is not paid."""
        one = self._some_subscription(which)
        one.starts_at, one.ends_at = one.ends_at, one.ends_at + DAY
        if missed:
            one.starts_at, one.ends_at = one.ends_at, one.ends_at + DAY
        self._bill(one, "cycle", [period_of(one, one.plan.price * one.quantity, discount)], said)

    @precondition(lambda self: self.subscribed)
    @rule(which=indexes, plan=plans, quantity=quantities, part=shares, with_renewal=st.booleans())
    def change_plan(
        self, which: int, plan: Plan, quantity: int, part: tuple[int, int], with_renewal: bool
    ) -> None:
        """A part of the period is left: that part of the old plan is credited, and of the new one charged."""
        one = self._some_subscription(which)
        since = max(self.accounts[one.who].now.replace(microsecond=0), one.starts_at + SECOND)
        if since >= one.ends_at or plan == one.plan:
            return
        old, new = (
            each.price * number * part[0] // part[1]
            for each, number in ((one.plan, one.quantity), (plan, quantity))
        )
        lines = [
            Line(one.plan, -old, since, one.ends_at, one.quantity, proration=True),
            Line(plan, new, since, one.ends_at, quantity, proration=True),
        ]
        one.plan, one.quantity = plan, quantity
        if with_renewal:
            one.starts_at, one.ends_at = one.ends_at, one.ends_at + DAY
            lines.append(period_of(one, plan.price * quantity, (0, 1)))
        self._bill(one, "cycle" if with_renewal else "update", lines, True)

    @precondition(lambda self: self.bills)
    @rule(which=indexes, said=st.sampled_from([*SAID, "paid", "paid"]))
    def hear_of_invoice(self, which: int, said: str) -> None:
        """Any invoice, paid or not; mostly one of the last two."""
        some = self.bills[-2:] if which % 4 else self.bills
        self._say(some[which // 4 % len(some)], said)

    @precondition(lambda self: self.bill_events)
    @rule(which=indexes)
    def hear_of_invoice_again(self, which: int) -> None:
        self.bank.act_as(None)
        event = self.bill_events[which % len(self.bill_events)]
        assert self.bank.call("apply_stripe_event", {"event": event})["outcome"] == "duplicate"
        self._compare_orders()

    @precondition(lambda self: self.subscribed)
    @rule(which=indexes)
    def end_subscription(self, which: int) -> None:
        """What was paid stays. Invoices that are paid later are granted."""
        one = self._some_subscription(which)
        account = self.accounts[one.who]
        if one.subscription_id not in account.plans.statuses:
            return
        thing = subscription(
            one.subscription_id, f"cus_{one.who}", one.plan.price_id, one.starts_at, one.ends_at
        )
        event = at(DELETED, thing | {"status": "canceled"}, one.starts_at)
        self._call_both(
            account, "apply_stripe_event", {"event": event}, lambda a: a.plans.end(one.subscription_id)
        )
        self.counts["end of a subscription"] += 1
        self._compare_subscriptions()

    def _some_subscription(self, which: int) -> Subscribed:
        some = self.subscribed[-2:] if which % 4 else self.subscribed
        return some[which // 4 % len(some)]

    def _bill(self, one: Subscribed, reason: str, lines: list[Line], said: bool) -> None:
        """Stripe makes an invoice. Its order is planned until the bank hears that it is paid."""
        name = f"in{len(self.bills):04}{one.who}"
        bill = Invoice(name, one.subscription_id, reason, tuple(lines))
        order_id = UUID(sha256(f"invoice:{name}".encode()).hexdigest()[:32])
        account = self.accounts[one.who]
        paid = bill.total + bill.credited
        pack = Pack(bill.tokens, Decimal(0), bill.amount)
        place = len(account.orders)
        order = Order(pack, account.now, "planned", has_checkout=True, order_id=str(order_id))
        account.orders = [*account.orders, order]
        self.orders[order_id] = account, place
        billed = Billed(one.who, place, bill, {"order_id": order_id, "amount": paid}, f"pi_{name}")
        self.bills.append(billed)
        self.counts["smaller plan" if bill.credited else f"invoice of {reason}"] += 1
        if bill.total > 0 and bill.tokens > 0:
            self.payments.append(billed)
        if said:
            self._say(billed, "paid")

    def _say(self, billed: Billed, said: str) -> None:
        """Send an event about an invoice, in the shape of today or in an older one."""
        account, bill = self.accounts[billed.who], billed.bill
        thing = as_stripe(bill, billed.who, self.names[billed.who])
        if said == "payment_failed":  # of a new attempt, or of one that was told before
            billed.attempts = max(1, billed.attempts + next(self.numbers) % 2)
        if not said.startswith("pa") or said == "payment_failed":
            thing = unpaid(thing, max(billed.attempts, 1))
        shaped = older(thing) if next(self.numbers) % 2 else thing
        event = at(f"invoice.{said}", shaped, bill.main.starts_at)
        self.bill_events.append(event)
        before, entries = self._lots_beside(bill.subscription_id), len(account.entries)
        self.counts[f"invoice {said}"] += 1
        self._call_both(
            account,
            "apply_stripe_event",
            {"event": event},
            lambda a: a.plans.hear(a, billed.place, bill, said, billed.attempts),
        )
        if before is not None and (after := self._lots_beside(bill.subscription_id)) is not None:
            known = {lot: row for lot, row in after.items() if lot in before}
            moved = set(differing_rows(known, before)) - returned(account, bill.subscription_id, entries)
            assert not moved, f"an invoice has moved tokens that are not its subscription's: {moved}"
        self._compare_payments()
        self._compare_subscriptions()

    def _lots_beside(self, subscription_id: str) -> dict[Any, Any] | None:
        """What the bank shows of lots that no invoice of this subscription paid for.

        None while freed tokens are about to end debt: that happens whatever the event is.
        """
        if any(
            entry.kind == "reinstatement"
            for account in self.accounts.values()
            for entry in account.as_read().entries[len(account.entries) :]
        ):
            return None
        own = {
            (who, lot.lot_id)
            for who, account in self.accounts.items()
            for lot in account.lots.values()
            if lot.order in account.plans.periods
            and account.plans.periods[lot.order].subscription_id == subscription_id
        }
        rows = {(row["user_id"], row["lot_id"]): row for row in self.bank.read()["lots"]}
        return {lot: row for lot, row in rows.items() if lot not in own}

    def _compare_subscriptions(self) -> None:
        told = self.bank.rows("select user_id, subscription_id, status from api.subscriptions")
        assert {tuple(row.values()) for row in told} == {
            (who, name, status)
            for who, account in self.accounts.items()
            for name, status in account.plans.statuses.items()
        }


def returned(account: Account, subscription_id: str, entries: int) -> set[tuple[str, int]]:
    """Lots that had repaid debt of this subscription, and got tokens back since there were so many entries.

    A later payment of the same period may take over a credit. Then the earlier one owes less.
    """
    return {
        (account.user_id, lot_id)
        for entry in account.entries[entries:]
        if entry.kind == "reinstatement"
        and entry.order in account.plans.periods
        and account.plans.periods[entry.order].subscription_id == subscription_id
        for lot_id, _ in entry.draws
    }


def period_of(one: Subscribed, amount: int, discount: tuple[int, int]) -> Line:
    off = amount * discount[0] // discount[1]
    return Line(one.plan, amount, one.starts_at, one.ends_at, one.quantity, discount=off)


def as_stripe(bill: Invoice, who: str, account_id: str) -> Thing:
    """The invoice, paid. The subscription says whose it is, as the HTTP API has told Stripe."""
    lines = [
        line(
            each.plan.price_id,
            each.amount,
            each.starts_at,
            each.ends_at,
            quantity=each.quantity,
            proration=each.proration,
        )
        for each in bill.lines
    ]
    for stripes, each in zip(lines, bill.lines, strict=True):
        stripes["discount_amounts"] = [{"amount": each.discount, "discount": "di_1"}] if each.discount else []
    off = sum(each.discount for each in bill.lines)
    more: Thing = {"total_discount_amounts": [{"amount": off, "discount": "di_1"}]} if off else {}
    thing = invoice(
        bill.invoice_id, bill.subscription_id, f"cus_{who}", lines, bill.reason, total=bill.total, **more
    )
    thing["parent"]["subscription_details"]["metadata"] = {"account_id": account_id}
    return thing
