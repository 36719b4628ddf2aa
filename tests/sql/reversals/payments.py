"""A payment of a user, and what Stripe says of it later."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from callers import Caller, Row
from stripe_events import COMPLETED, Event, attached, event, session


class Payment:
    """An order that was paid, and its later events."""

    def __init__(self, bank: Caller, user_id: str, **order: Any) -> None:
        self.bank = bank
        self.order = attached(bank, bank.call("create_order", user_id=user_id, **order))
        self.session = session(self.order)
        self.intent = str(self.session["payment_intent"])
        self.charge = f"ch_{uuid4().hex}"

    def pay(self) -> Row:
        return self.tell(event(COMPLETED, self.session))

    def tell(self, news: Event) -> Row:
        return self.bank.call("apply_stripe_event", event=news)

    def about(self, kind: str, **members: Any) -> Event:
        """An event about an object that belongs to this payment."""
        thing = {"charge": self.charge, "payment_intent": self.intent, "currency": self.order["currency"]}
        return event(kind, thing | members)

    def refund(self, amount: int | None = None, status: str = "succeeded", refund_id: str = "") -> Row:
        whole = amount if amount is not None else self.order["amount"]
        name = refund_id or f"re_{uuid4().hex}"
        kind = "refund.failed" if status in ("failed", "canceled") else "refund.created"
        return self.tell(self.about(kind, id=name, object="refund", amount=whole, status=status))

    def dispute(self, step: str, amount: int | None = None, dispute_id: str = "", **members: Any) -> Row:
        """step: created, funds_withdrawn, funds_reinstated, won or lost."""
        whole = amount if amount is not None else self.order["amount"]
        closed = step in ("won", "lost", "warning_closed")
        told = {
            "id": dispute_id or f"dp_{self.intent}",
            "object": "dispute",
            "amount": whole,
            "status": step if closed else "needs_response",
            "balance_transactions": [],
        }
        kind = "charge.dispute.closed" if closed else f"charge.dispute.{step}"
        return self.tell(self.about(kind, **told | members))


def paid(bank: Caller, user_id: str = "clock", **order: Any) -> Payment:
    """A payment that has been granted; by default of 500 tokens for 39.99 EUR."""
    payment = Payment(bank, user_id, **(order or {"pack_id": "standard"}))
    assert payment.pay()["outcome"] == "granted"
    return payment


def books(bank: Caller, user_id: str = "clock") -> tuple[Any, ...]:
    """balance, held, available, debt."""
    row = bank.row("select balance, held, available, debt from api.balance where user_id = %s", (user_id,))
    return row["balance"], row["held"], row["available"], row["debt"]
