"""What Stripe has said about the money of one payment, in whatever order it came."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

REFUND_STATUSES = ("requires_action", "pending", "succeeded", "failed", "canceled")
INQUIRY_STATUSES = ("warning_needs_response", "warning_under_review", "warning_closed")
DISPUTE_STATUSES = ("needs_response", "under_review", "won", "lost")
# A status never goes back to an earlier step. The first end that is reported stays.
STEPS = (
    ("requires_action", "warning_needs_response", "actionable"),
    ("pending", "warning_under_review", "closed"),
    ("succeeded", "warning_closed"),
    ("failed", "canceled", "needs_response"),
    ("under_review",),
    ("won", "lost"),
)
STEP = {status: step for step, statuses in enumerate(STEPS) for status in statuses}
FIRST_SUCCESS = 0  # by Stripe's clock; later events say by how much they are later


class Payment(Protocol):
    """`order`: order_id, and amount in minor units. `intent`: the payment intent at Stripe."""

    order: dict[str, Any]

    @property
    def intent(self) -> str: ...


@dataclass
class MoneyEvent:
    """An event about an object that takes money back, or may: `kind` as in api.reversals."""

    event_id: str
    kind: str
    object_id: str
    amount: int
    status: str
    withdrawals: int = 0
    reinstatements: int = 0


@dataclass
class Reversal:
    kind: str
    amount: int
    status: str
    withdrawals: int = 0
    reinstatements: int = 0

    @property
    def is_open_dispute(self) -> bool:
        """A lost dispute whose withdrawal was never seen still keeps its tokens."""
        if self.kind != "dispute":
            return False
        return self.status in ("needs_response", "under_review") or (
            self.status == "lost" and not self.withdrawals
        )


@dataclass
class MoneyBack:
    """What has become of the money of an order. `known`: later events can name its payment."""

    paid: int | None = None
    known: bool = False
    charge_known: bool = False
    succeeded_at: int = FIRST_SUCCESS
    failed_at: int | None = None
    reversals: dict[str, Reversal] = field(default_factory=dict)  # by their ids at Stripe
    waiting: list[MoneyEvent] = field(default_factory=list)
    done: set[str] = field(default_factory=set)  # events that have been applied
    parked: set[str] = field(default_factory=set)

    def copy(self) -> MoneyBack:
        copies = {name: replace(reversal) for name, reversal in self.reversals.items()}
        return replace(
            self, reversals=copies, waiting=list(self.waiting), done=set(self.done), parked=set(self.parked)
        )

    def arrive(self, paid: int, known: bool) -> None:
        self.paid, self.known = paid, self.known or known

    def take_waiting(self) -> list[MoneyEvent]:
        waiting = self.waiting
        if self.known:
            self.waiting = []
        return waiting if self.known else []

    def note(self, event: MoneyEvent) -> str:
        """What an event says is added to what is known. Nothing shrinks. Returns the outcome."""
        if self.paid is not None and event.amount > self.paid:
            again = event.event_id in self.parked
            self.parked.add(event.event_id)
            return "duplicate" if again else "parked"
        self.done.add(event.event_id)
        before = self.reversals.get(event.object_id)
        after = replace(before) if before else Reversal(event.kind, event.amount, event.status)
        after.amount = max(after.amount, event.amount)
        after.status = max(after.status, event.status, key=lambda status: STEP.get(status, 0))
        after.withdrawals = max(after.withdrawals, event.withdrawals)
        after.reinstatements = max(after.reinstatements, event.reinstatements)
        if after == before:
            return "duplicate"
        self.reversals[event.object_id] = after
        if self.paid is not None:
            self.charge_known = True
        return "applied"

    def fail(self, session_id: str, at: int) -> str:
        """The payment has failed, after it had succeeded."""
        if at <= max(self.succeeded_at, self.succeeded_at if self.failed_at is None else self.failed_at):
            return "duplicate"
        self.failed_at = at
        self.reversals[session_id] = Reversal("failed_payment", self.paid or 0, "failed")
        return "applied"

    def succeed(self, at: int) -> bool:
        """The payment has succeeded, perhaps again. True if that is news."""
        news = at > self.succeeded_at
        self.succeeded_at = max(self.succeeded_at, at)
        return news

    @property
    def back(self) -> int:
        """Refunds, disputes and failures are one sum, which never exceeds what was paid."""
        refunds = {name: one for name, one in self.reversals.items() if one.kind == "refund"}
        back = sum(one.amount for one in refunds.values() if one.status == "succeeded")
        # The charge may tell of a refund whose own event was lost. It knows nothing of later invoices.
        on_charge = max((o.amount for o in self.reversals.values() if o.kind == "refunded_charge"), default=0)
        told = sum(one.amount for name, one in refunds.items() if not name.startswith("credit_"))
        back += max(on_charge - told, 0)
        back += sum(
            one.amount
            for one in self.reversals.values()
            if one.kind == "dispute" and one.withdrawals > one.reinstatements
        )
        paid = self.paid or 0
        failed = self.failed_at is not None and self.failed_at > self.succeeded_at
        return paid if failed else min(back, paid)

    @property
    def pending(self) -> int:
        under_way = sum(
            one.amount
            for one in self.reversals.values()
            if one.kind == "refund" and one.status in ("requires_action", "pending")
        )
        return min(under_way, (self.paid or 0) - self.back)

    @property
    def disputed(self) -> bool:
        """The bank under test freezes what an early fraud warning is about."""
        return any(
            one.is_open_dispute or (one.kind == "fraud_warning" and one.status == "actionable")
            for one in self.reversals.values()
        )
