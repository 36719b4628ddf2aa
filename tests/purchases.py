"""One purchase as it ought to go, whatever Stripe's events say, and however often and early they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from callers import Row
from stripe_events import COMPLETED, EXPIRED, FAILED, FREE, SAYS, SUCCEEDED, Event, event, session

# Variants of events about an order's session: the type, and what is changed in the session. None leaves a
# member out.
SESSION_EVENTS: dict[str, tuple[str, Row]] = {
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
    """The expected state of an order. `receive` says what an event does, `attach` applies waiting ones."""

    order: Row
    session_id: str
    state: str = "pending"
    attached: bool = False
    granted: int = 0  # how often; never more than once
    free: bool = False  # nothing was paid, so its tokens are spent with free ones
    parked: bool = False  # an event of its session was parked
    waiting: list[str] = field(default_factory=list)
    known: bool = False  # whether a later event can name its payment

    @property
    def intent(self) -> str:
        """The payment at Stripe, which every session of this order that charges money names."""
        return f"pi_{self.order['order_id']}"

    def event(self, variant: str, **members: Any) -> Event:
        kind, changes = SESSION_EVENTS[variant]
        name = {} if variant.endswith("elsewhere") else {"id": self.session_id, "payment_intent": self.intent}
        if variant == "free":
            changes = changes | {"total_details": {"amount_discount": self.order["amount"]}}
        whole: dict[str, Any] = session(self.order, **name | SAYS[kind] | changes)
        return event(kind, {member: told for member, told in whole.items() if told is not None}, **members)

    def receive(self, variant: str) -> str:
        if not self.attached:
            self.waiting.append(variant)
            return "waiting"
        return self._apply(variant)

    def attach(self) -> None:
        self.attached = True
        for variant in self.waiting:
            self._apply(variant)
        self.waiting = []

    def repeat(self) -> str:
        """The outcome of an event that came before."""
        return "duplicate" if self.attached else "waiting"

    def _apply(self, variant: str) -> str:
        kind, changes = SESSION_EVENTS[variant]
        state = self.state
        outcome = self._move(variant, kind)
        moved = self.state != state or (variant.startswith("odd") and state != "paid")
        self.known = self.known or (moved and "payment_intent" not in changes)
        return outcome

    def _move(self, variant: str, kind: str) -> str:
        if variant.endswith("elsewhere"):
            return "parked" if kind == COMPLETED else "duplicate"
        if variant.startswith(("paid", "free")):
            if self.state == "paid":
                return "duplicate"
            self.state, self.granted, self.free = "paid", self.granted + 1, variant == "free"
            return "granted"
        if variant.startswith("odd"):
            if self.state == "paid" or self.parked:
                return "duplicate"
            self.state, self.parked = "parked", True
            return "parked"
        state = {COMPLETED: "processing", FAILED: "failed", EXPIRED: "expired"}[kind]
        if self.state == "pending" or (self.state == "processing" and state in ("failed", "expired")):
            self.state = state
            return state
        return "duplicate"
