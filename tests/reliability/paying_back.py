"""Stripe's events about money that comes back from an order of a run: refunds and disputes."""

from __future__ import annotations

from random import Random

from reliability.books import Row
from reliability.model.money import MoneyEvent
from stripe_events import event

# Steps of a refund and of a dispute: the type of event, the status, and how often money moved out and in.
REFUND_STEPS = (
    ("refund.created", "pending", 0, 0),
    ("refund.updated", "succeeded", 0, 0),
    ("refund.failed", "failed", 0, 0),
)
DISPUTE_STEPS = (
    ("charge.dispute.created", "needs_response", 0, 0),
    ("charge.dispute.funds_withdrawn", "needs_response", 1, 0),
    ("charge.dispute.funds_reinstated", "won", 1, 1),
    ("charge.dispute.closed", "won", 1, 1),
    ("charge.dispute.closed", "lost", 1, 0),
)
# After these no token is withheld or frozen, so the account goes on spending from its head lot.
ENDED = (*REFUND_STEPS[1:], *DISPUTE_STEPS[3:])


def goes_back(order: Row, random: Random, only_ended: bool = False) -> Row:
    """Some event about one of two refunds and two disputes of an order, of a half and of a third."""
    steps = ENDED if only_ended else (*REFUND_STEPS, *DISPUTE_STEPS)
    return told_of(order, random.choice(steps), random.randint(1, 2))


def told_of(order: Row, step: tuple[str, str, int, int], number: int) -> Row:
    kind, status, out, back = step
    order_id, amount = order["order_id"], order["amount"] // (1 + number)
    dispute = kind.startswith("charge.dispute.")
    moved = [{"amount": -amount}] * out + [{"amount": amount}] * back
    return event(
        kind,
        {
            "id": f"{'dp' if dispute else 're'}_{number}_{order_id}",
            "object": "dispute" if dispute else "refund",
            "amount": amount,
            "currency": order["currency"],
            "status": status,
            "payment_intent": f"pi_{order_id}",
            "charge": f"ch_{order_id}",
            "metadata": {"order_id": str(order_id)},
            "client_reference_id": str(order["account_id"]),
        }
        | ({"balance_transactions": moved} if dispute else {}),
    )


def is_about_money(arguments: Row) -> bool:
    return str(arguments["event"]["type"]).startswith(("refund.", "charge."))


def money_event(told: Row) -> MoneyEvent:
    """The same for the model of a payment."""
    thing = told["data"]["object"]
    moved = [movement["amount"] for movement in thing.get("balance_transactions", [])]
    return MoneyEvent(
        told["id"],
        thing["object"],
        thing["id"],
        thing["amount"],
        thing["status"],
        sum(amount < 0 for amount in moved),
        sum(amount > 0 for amount in moved),
    )
