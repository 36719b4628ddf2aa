"""What a payment has come to, told by all that Stripe has reported of it, in whatever order.

The model knows nothing of entries, lots or rows. It keeps the events that were delivered, and says what the
account must have: what was granted, less what went back with its money, less what was used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any

Event = dict[str, Any]

SUCCEEDED = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
ENDED = {"checkout.session.async_payment_failed": "failed", "checkout.session.expired": "expired"}
REFUND_RANK = {"requires_action": 1, "pending": 2, "succeeded": 3, "failed": 4, "canceled": 4}
DISPUTE_RANK = {
    **{"warning_needs_response": 1, "warning_under_review": 2, "warning_closed": 3},
    **{"needs_response": 4, "under_review": 5, "won": 6, "lost": 6, "prevented": 6},
}
MILLIONTH = Decimal("0.000001")


@dataclass
class Payment:
    """One order of `tokens` and `bonus` tokens for `amount`, and everything that Stripe said about it."""

    amount: int
    tokens: Decimal
    bonus: Decimal = Decimal(0)
    warnings_freeze: bool = False
    events: list[Event] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    used: Decimal = Decimal(0)
    held: Decimal = Decimal(0)

    def deliver(self, event: Event) -> None:
        """An event has arrived."""
        self.events.append(event)
        session = event["data"]["object"]
        if event["type"] in ENDED:
            self.states.append(ENDED[event["type"]])
        elif event["type"] in SUCCEEDED and session["payment_status"] == "unpaid":
            self.states.append("processing")

    def of(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event["type"] in kinds]

    @property
    def successes(self) -> list[Event]:
        """The events that say that the money came."""
        said = ("paid", "no_payment_required")
        return [e for e in self.of(*SUCCEEDED) if e["data"]["object"]["payment_status"] in said]

    @property
    def state(self) -> str:
        """Of the order. Money that came wins; then the first end; then processing."""
        if self.successes:
            return "paid"
        ends = [state for state in self.states if state != "processing"]
        return ends[0] if ends else ("processing" if self.states else "pending")

    @property
    def paid(self) -> int:
        return int(self.successes[0]["data"]["object"]["amount_total"]) if self.successes else 0

    def _refunds(self) -> dict[str, tuple[int, str]]:
        refunds: dict[str, tuple[int, str]] = {}
        for event in self.of("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"):
            refund = event["data"]["object"]
            known = refunds.get(refund["id"], (0, "requires_action"))
            status = max(known[1], refund["status"], key=REFUND_RANK.__getitem__)
            refunds[refund["id"]] = (refund["amount"], status)
        return refunds

    def _disputes(self) -> dict[str, dict[str, Any]]:
        disputes: dict[str, dict[str, Any]] = {}
        for event in self.events:
            if event["type"].startswith("charge.dispute."):
                told = event["data"]["object"]
                one = disputes.setdefault(
                    told["id"], {"amount": told["amount"], "status": told["status"], "out": 0, "in": 0}
                )
                one["status"] = max(one["status"], told["status"], key=DISPUTE_RANK.__getitem__)
                moved = [movement["amount"] for movement in told["balance_transactions"]]
                outs, ins = sum(m < 0 for m in moved), sum(m > 0 for m in moved)
                if event["type"].endswith("funds_withdrawn"):
                    outs = max(outs, 1)
                elif event["type"].endswith("funds_reinstated"):
                    outs, ins = max(outs, 1), max(ins, 1)
                one["out"], one["in"] = max(one["out"], outs), max(one["in"], ins)
        return disputes

    @property
    def back(self) -> int:
        """How much of the money is back with the buyer, or with their bank."""
        refunds = self._refunds()
        on_charge = max(
            (e["data"]["object"]["amount_refunded"] for e in self.of("charge.refunded")), default=0
        )
        total = sum(amount for amount, status in refunds.values() if status == "succeeded")
        total += max(on_charge - sum(amount for amount, _ in refunds.values()), 0)
        total += sum(one["amount"] for one in self._disputes().values() if one["out"] > one["in"])
        failures = self.of("checkout.session.async_payment_failed")
        if self.successes and failures:
            last = max(e["created"] for e in self.successes)
            if max(e["created"] for e in failures) > last:
                total += self.paid
        return min(total, self.paid)

    @property
    def pending(self) -> int:
        """How much of it is being refunded."""
        pending = [a for a, status in self._refunds().values() if status in ("pending", "requires_action")]
        return min(sum(pending), self.paid - self.back)

    @property
    def disputed(self) -> bool:
        if not self.successes or not self.paid:
            return False
        closed = {
            e["data"]["object"]["id"]
            for e in self.of("radar.early_fraud_warning.created", "radar.early_fraud_warning.updated")
            if e["data"]["object"]["actionable"] is False
        }
        warned = {e["data"]["object"]["id"] for e in self.of("radar.early_fraud_warning.created")} - closed
        return (self.warnings_freeze and bool(warned)) or any(
            one["status"] in ("needs_response", "under_review")
            or (one["status"] == "lost" and not one["out"])
            for one in self._disputes().values()
        )

    def _share(self, granted: Decimal, money: int) -> Decimal:
        if not self.successes:
            return Decimal(0)
        if money >= self.paid:
            return granted if money else Decimal(0)
        return (granted * money / self.paid).quantize(MILLIONTH, ROUND_DOWN)

    def share(self, money: int) -> Decimal:
        """The tokens, and bonus tokens, that belong to so much of the money."""
        return self._share(self.tokens, money) + self._share(self.bonus, money)

    @property
    def granted(self) -> Decimal:
        return self.tokens + self.bonus if self.successes else Decimal(0)

    @property
    def balance(self) -> Decimal:
        """Below zero when more was used than its money stayed."""
        return self.granted - self.share(self.back) - self.used

    @property
    def debt(self) -> Decimal:
        """What was used, or is held, of tokens whose money is gone."""
        return max(self.used + self.held - (self.granted - self.share(self.back)), Decimal(0))

    @property
    def available(self) -> Decimal:
        """What can be spent now."""
        if self.disputed:
            return Decimal(0)
        withheld = self.share(self.back + self.pending) - self.share(self.back)
        return max(self.balance - self.held - withheld, Decimal(0))
