"""One purchase as it ought to go, whatever Stripe tells of it, how often, and how early."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from callers import Row
from stripe_events import COMPLETED, EXPIRED, FAILED, FREE, SAYS, SUCCEEDED, Event, event, session

# What is told of an order's session: the type, and what is changed in the session. None leaves a member out.
NEWS: dict[str, tuple[str, Row]] = {
    "paid": (COMPLETED, {}),
    "paid later": (SUCCEEDED, {"total_details": {"amount_discount": None}}),
    "paid, little said": (COMPLETED, {"total_details": None, "mode": None, "status": None}),
    "free": (COMPLETED, FREE),
    "unpaid": (COMPLETED, {"payment_status": "unpaid"}),
    "nothing said": (COMPLETED, {"payment_status": None}),
    "failed": (FAILED, {}),
    "expired": (EXPIRED, {}),
    "paid elsewhere": (COMPLETED, {}),
    "expired elsewhere": (EXPIRED, {}),
    "odd: free at the full price": (COMPLETED, FREE | {"total_details": None}),
    "odd: paid in part": (COMPLETED, {"amount_total": 1}),
    "odd: a discount in words": (SUCCEEDED, {"total_details": {"amount_discount": "1"}}),
    "odd: failed and paid": (FAILED, {"payment_status": "paid"}),
    "odd: expired and complete": (EXPIRED, {"status": "complete"}),
}


@dataclass
class Purchase:
    """An order: `tell` says what an event of that news leads to, `name` does what those ask for that wait."""

    order: Row
    session_id: str
    state: str = "pending"
    named: bool = False
    granted: int = 0  # times; never more than 1
    free: bool = False  # granted for nothing: its tokens burn with those that cost nothing
    parked: bool = False  # an event of its session
    waiting: list[str] = field(default_factory=list)

    def event(self, news: str) -> Event:
        kind, changes = NEWS[news]
        name = {} if news.endswith("elsewhere") else {"id": self.session_id}
        if news == "free":
            changes = changes | {"total_details": {"amount_discount": self.order["amount"]}}
        told: dict[str, Any] = session(self.order, **name | SAYS[kind] | changes)
        return event(kind, {member: value for member, value in told.items() if value is not None})

    def tell(self, news: str) -> str:
        if not self.named:
            self.waiting.append(news)
            return "waiting"
        return self._apply(news)

    def name(self) -> None:
        self.named = True
        for news in self.waiting:
            self._apply(news)
        self.waiting = []

    def again(self) -> str:
        """The outcome of an event that was told before."""
        return "duplicate" if self.named else "waiting"

    def _apply(self, news: str) -> str:
        kind, _ = NEWS[news]
        if news.endswith("elsewhere"):
            return "parked" if kind == COMPLETED else "duplicate"
        if news.startswith(("paid", "free")):
            if self.state == "paid":
                return "duplicate"
            self.state, self.granted, self.free = "paid", self.granted + 1, news == "free"
            return "granted"
        if news.startswith("odd"):
            if self.state == "paid" or self.parked:
                return "duplicate"
            self.state, self.parked = "parked", True
            return "parked"
        state = {COMPLETED: "processing", FAILED: "failed", EXPIRED: "expired"}[kind]
        if self.state == "pending" or (self.state == "processing" and state in ("failed", "expired")):
            self.state = state
            return state
        return "duplicate"
