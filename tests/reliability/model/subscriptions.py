"""Subscriptions: what a paid invoice grants, what goes over, and what a smaller plan gives back.

Written from docs/subscriptions.md. What an invoice grants is computed from its lines alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from reliability.model.money import Reversal

if TYPE_CHECKING:
    from reliability.model.model import Account

ZERO, SMALLEST = Decimal(0), Decimal("0.000001")


@dataclass(frozen=True)
class Plan:
    """`cap` and `percent` of what a period left go over. That lasts for `lasts`, or as long as the period."""

    plan_id: str
    allowance: Decimal
    price: int
    trial: Decimal = ZERO
    cap: Decimal | None = None
    percent: Decimal | None = None
    lasts: timedelta | None = None
    scope: str | None = None

    @property
    def price_id(self) -> str:
        return f"price_{self.plan_id}"


@dataclass(frozen=True)
class Line:
    plan: Plan
    amount: int  # before the discount, and below 0 for a credit
    starts_at: datetime
    ends_at: datetime
    quantity: int = 1
    proration: bool = False
    discount: int = 0


@dataclass(frozen=True)
class Invoice:
    """`reason`: create, cycle or update."""

    invoice_id: str
    subscription_id: str
    reason: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> int:
        return sum(line.amount - line.discount for line in self.lines)

    @property
    def main(self) -> Line:
        """The line of the period, or of the larger plan within it."""
        return min(self.lines, key=lambda line: (line.proration, -line.amount))

    @property
    def prorations(self) -> list[Line]:
        return [line for line in self.lines if line.proration]

    @property
    def nets(self) -> bool:
        """Whether its prorations charge at least as much as they credit."""
        return (
            sum(line.amount for line in self.prorations) >= 0
            and sum(share(line) for line in self.prorations) >= 0
        )

    @property
    def counted(self) -> list[Line]:
        """The prorations that bring tokens. When the plan becomes smaller, the credits are money back."""
        return [line for line in self.prorations if self.nets or line.amount > 0]

    @property
    def credited(self) -> int:
        return 0 if self.nets else -sum(line.amount for line in self.prorations if line.amount < 0)

    @property
    def tokens(self) -> Decimal:
        """A line that charges a share of a plan's price brings the same share of its allowance."""
        line, prorated = self.main, sum((share(one) for one in self.counted), Fraction(0))
        whole = ZERO
        if not line.proration and line.amount:
            whole = line.plan.allowance * line.quantity
        elif not line.proration and self.reason == "create":
            whole = line.plan.trial * line.quantity
        return whole + int(prorated)

    @property
    def amount(self) -> int:
        main = 0 if self.main.proration else self.main.amount
        return main + sum(line.amount for line in self.counted)

    @property
    def net(self) -> int:
        """The price less the discount."""
        return max(self.amount - sum(line.discount for line in self.lines if line.amount > 0), 0)


def share(line: Line) -> Fraction:
    return Fraction(line.plan.allowance) * line.amount / line.plan.price


@dataclass(frozen=True)
class Period:
    """A period that has been granted, or the rest of one."""

    invoice: Invoice
    order_id: str

    @property
    def starts_at(self) -> datetime:
        return self.invoice.main.starts_at

    @property
    def ends_at(self) -> datetime:
        return self.invoice.main.ends_at

    @property
    def subscription_id(self) -> str:
        return self.invoice.subscription_id


@dataclass(frozen=True)
class Noted:
    """What has been said of an invoice."""

    first_at: datetime
    state: str = "open"
    attempts: int = 0


STATES = ("open", "uncollectible", "void", "paid")  # a later one stays
SAYS = {
    "voided": "void",
    "marked_uncollectible": "uncollectible",
    "paid": "paid",
    "payment_succeeded": "paid",
}


@dataclass
class Subscriptions:
    """Orders are named by their place in the account."""

    statuses: dict[str, str] = field(default_factory=dict)
    noted: dict[str, Noted] = field(default_factory=dict)
    periods: dict[int, Period] = field(default_factory=dict)
    unused: dict[int, Decimal] = field(default_factory=dict)  # what an allowance left when it expired
    credits: dict[str, Invoice] = field(default_factory=dict)

    def copy(self) -> Subscriptions:
        return Subscriptions(
            dict(self.statuses), dict(self.noted), dict(self.periods), dict(self.unused), dict(self.credits)
        )

    def hear(self, account: Account, place: int, invoice: Invoice, said: str, attempt: int) -> dict[str, Any]:
        """An event about an invoice has come. Returns its outcome."""
        before = self.noted.get(invoice.invoice_id)
        now = self._note(account, invoice, said, attempt)
        if SAYS.get(said) != "paid":
            tried = said == "payment_failed"
            new = now.state == "open" and now.attempts > (before.attempts if before else 0)
            return {"outcome": "applied" if new or not tried else "duplicate"}
        if before and before.state == "paid":
            return {"outcome": "duplicate"}
        granted = invoice.tokens > 0 and not self._has_had_a_trial(invoice)
        if granted:
            self._grant(account, place, invoice)
        if invoice.credited:
            self.credits[invoice.invoice_id] = invoice
            self._share_credits(account, invoice.subscription_id, ends_of_credit(invoice))
        return {"outcome": "granted" if granted else "applied"}

    def _has_had_a_trial(self, invoice: Invoice) -> bool:
        """Whether this begins another trial. Somebody may begin many at once."""
        return (
            invoice.reason == "create"
            and invoice.amount == 0
            and any(period.invoice.amount == 0 for period in self.periods.values())
        )

    def _note(self, account: Account, invoice: Invoice, said: str, attempt: int) -> Noted:
        known = self.noted.get(invoice.invoice_id) or Noted(account.now)
        state = max(known.state, SAYS.get(said, "open"), key=STATES.index)
        self.noted[invoice.invoice_id] = replace(
            known, state=state, attempts=max(known.attempts, attempt if said == "payment_failed" else 0)
        )
        begins = "incomplete" if invoice.reason == "create" else "past_due"
        status = self.statuses.setdefault(invoice.subscription_id, begins)
        if SAYS.get(said) == "paid" and status != "canceled":
            self.statuses[invoice.subscription_id] = "active"
        return self.noted[invoice.invoice_id]

    def end(self, subscription_id: str) -> dict[str, Any]:
        """It was deleted at Stripe. What was paid stays."""
        self.statuses[subscription_id] = "canceled"
        return {"outcome": "applied"}

    def _grant(self, account: Account, place: int, invoice: Invoice) -> None:
        own = self.periods[place] = Period(invoice, account.orders[place].order_id)
        order = account.orders[place]
        order.state, order.created_at = "paid", account.now
        # What the customer's balance paid was paid, too.
        order.money.arrive(max(invoice.total + invoice.credited, 0), known=invoice.total > 0)
        account.grant(
            "allowance",
            invoice.tokens,
            own.ends_at,
            scope=invoice.main.plan.scope,
            paid=invoice.amount > sum(line.discount for line in invoice.lines if line.amount > 0),
            order=place,
            effective_at=min(own.starts_at, account.now),
        )
        if order.money.paid:
            account.earn_rewards(place)
        account.follow_money(place)
        account.book_due()
        self._share_credits(account, own.subscription_id, own.ends_at)
        beside = [
            (period.starts_at, period.order_id, each)
            for each, period in self.periods.items()
            if period.subscription_id == own.subscription_id
            and (each == place or period.ends_at == own.starts_at)
        ]
        for _, _, each in sorted(beside):
            self.roll_over(account, each)
        account.book_due()
        account.hear_waiting(place)

    # What goes over

    def note_unused(self, place: int, tokens: Decimal) -> None:
        self.unused[place] = self.unused.get(place, ZERO) + tokens

    def roll_over(self, account: Account, place: int) -> None:
        """Once the next period is paid, a part of what this one left goes over, by the next terms."""
        own = self.periods[place]
        lots = [lot for lot in account.lots.values() if lot.order == place]
        (allowance,) = (lot for lot in lots if lot.source == "allowance")
        paid_next = [
            (self.noted[period.invoice.invoice_id].first_at, period.invoice.invoice_id, period)
            for period in self.periods.values()
            if period.subscription_id == own.subscription_id and period.starts_at == own.ends_at
        ]
        if len(lots) > 1 or not allowance.has_expired(account.now) or not paid_next:
            return
        following = min(paid_next)[2]
        line = following.invoice.main
        tokens = self._part(account, line, self.unused.get(place, ZERO), following)
        if tokens <= 0:
            return
        lasts = line.plan.lasts
        account.grant(
            "rollover",
            tokens,
            following.ends_at if lasts is None else following.starts_at + lasts,
            scope=allowance.scope,
            paid=allowance.paid,
            order=place,
            effective_at=min(following.starts_at, account.now),
        )
        account.follow_lots(place)
        account.end_debts()
        account.expire_lots()

    def _part(self, account: Account, line: Line, unused: Decimal, following: Period) -> Decimal:
        """A percentage of what was left, and no more than the cap, together with what went over before."""
        plan = line.plan
        if plan.percent is not None:
            unused = (unused * plan.percent / 100).quantize(SMALLEST, ROUND_DOWN)
        elif plan.cap is None:
            return ZERO
        if plan.cap is None:
            return unused
        before = sum(
            (
                lot.granted
                for each, period in self.periods.items()
                if period.subscription_id == following.subscription_id
                and period.ends_at == following.starts_at
                for lot in account.lots.values()
                if lot.order == each and lot.source == "rollover"
            ),
            ZERO,
        )
        return min(unused, plan.cap * line.quantity - before)

    # What a smaller plan gives back

    def _share_credits(self, account: Account, subscription_id: str, ends_at: datetime) -> None:
        """Credits of a period are shared out over what was paid for it before, the latest payment first."""
        inside = [
            (period.starts_at, period.invoice.invoice_id, place)
            for place, period in self.periods.items()
            if period.subscription_id == subscription_id and period.ends_at == ends_at
        ]
        parts = {place: 0 for _, _, place in inside}
        credits = [
            (starts_of_credit(one), one.invoice_id, one.credited)
            for one in self.credits.values()
            if one.subscription_id == subscription_id and ends_of_credit(one) == ends_at
        ]
        for since, crediting, left in sorted(credits):
            earlier = [each for each in inside if each[0] <= since and each[1] != crediting]
            earlier.sort(key=lambda each: each[1])
            earlier.sort(key=lambda each: each[0], reverse=True)
            for _, _, place in earlier:
                part = min(left, self.periods[place].invoice.net - parts[place])
                parts[place] += part
                left -= part
        for _, invoice_id, place in sorted(inside, key=lambda each: each[1]):
            self._credit(account, place, f"credit_{invoice_id}", parts[place])

    def _credit(self, account: Account, place: int, name: str, part: int) -> None:
        """The same share of what was really paid has come back."""
        money, amount = account.orders[place].money, self.periods[place].invoice.net
        if amount <= 0:
            return
        back = (Decimal(money.paid or 0) * part / amount).quantize(Decimal(1), ROUND_HALF_UP)
        known = money.reversals.get(name)
        if int(back) != (known.amount if known else 0):
            money.reversals[name] = Reversal("refund", int(back), "succeeded")
            account.follow_money(place)


def starts_of_credit(invoice: Invoice) -> datetime:
    return min(line.starts_at for line in invoice.prorations if line.amount < 0)


def ends_of_credit(invoice: Invoice) -> datetime:
    return max(line.ends_at for line in invoice.prorations if line.amount < 0)
