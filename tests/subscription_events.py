"""Stripe's events about subscriptions and their invoices, in the shapes of API version 2026-10-28, and older.

`older` turns an object of today into what Stripe sent until 2025: other members, same meaning.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from stripe_events import Event, event

Thing = dict[str, Any]

PAID = "invoice.paid"
SUCCEEDED = "invoice.payment_succeeded"
FAILED = "invoice.payment_failed"
VOIDED = "invoice.voided"
UNCOLLECTIBLE = "invoice.marked_uncollectible"
CREATED, UPDATED, DELETED, PAUSED, RESUMED, TRIAL_ENDS = (
    f"customer.subscription.{what}"
    for what in ("created", "updated", "deleted", "paused", "resumed", "trial_will_end")
)
_numbers = count(1)


def stamp(at: datetime | int) -> int:
    return at if isinstance(at, int) else int(at.replace(tzinfo=at.tzinfo or UTC).timestamp())


def line(
    price: str, amount: int, starts: datetime, ends: datetime, *, quantity: int = 1, proration: bool = False
) -> Thing:
    """A line of an invoice for one item of a subscription."""
    return {
        "id": f"il_{next(_numbers)}",
        "object": "line_item",
        "amount": amount,
        "currency": "eur",
        "discount_amounts": [],
        "metadata": {},
        "period": {"start": stamp(starts), "end": stamp(ends)},
        "pricing": {"type": "price_details", "price_details": {"price": price, "product": "prod_1"}},
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {"subscription_item": "si_1", "proration": proration},
            "invoice_item_details": None,
        },
        "quantity": quantity,
    }


def invoice(
    invoice_id: str,
    subscription_id: str,
    customer: str,
    lines: list[Thing],
    reason: str = "cycle",
    **changes: Any,
) -> Thing:
    """A paid invoice of a subscription; `changes` are fields of it."""
    subtotal = sum(one["amount"] for one in lines)
    total = changes.pop("total", subtotal)
    due = max(total, 0)
    return {
        "id": invoice_id,
        "object": "invoice",
        "amount_due": due,
        "amount_paid": due,
        "amount_remaining": 0,
        "attempt_count": 1,
        "billing_reason": f"subscription_{reason}",
        "currency": "eur",
        "customer": customer,
        "hosted_invoice_url": f"https://invoice.stripe.example/{invoice_id}",
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"metadata": {}, "subscription": subscription_id},
        },
        "starting_balance": 0,
        "status": "paid",
        "subtotal": subtotal,
        "total": total,
        "total_discount_amounts": [],
        "total_taxes": [],
        "lines": {"object": "list", "has_more": False, "data": lines},
        "payments": {
            "object": "list",
            "data": [{"payment": {"type": "payment_intent", "payment_intent": f"pi_{invoice_id}"}}]
            if due
            else [],
        },
    } | changes


def unpaid(of: Thing, attempt: int = 1, **changes: Any) -> Thing:
    """The same invoice before it was paid, after so many failed attempts."""
    open_ = {
        "status": "open",
        "amount_paid": 0,
        "amount_remaining": of["amount_due"],
        "attempt_count": attempt,
    }
    return of | open_ | changes


def subscription(
    subscription_id: str, customer: str, price: str, starts: datetime, ends: datetime, **changes: Any
) -> Thing:
    """A subscription with one item."""
    return {
        "id": subscription_id,
        "object": "subscription",
        "cancel_at": None,
        "cancel_at_period_end": False,
        "customer": customer,
        "ended_at": None,
        "livemode": False,
        "metadata": {},
        "pause_collection": None,
        "status": "active",
        "trial_end": None,
        "items": {
            "object": "list",
            "data": [
                {
                    "id": "si_1",
                    "current_period_start": stamp(starts),
                    "current_period_end": stamp(ends),
                    "price": {"id": price, "object": "price"},
                    "quantity": changes.pop("quantity", 1),
                }
            ],
        },
    } | changes


def older(thing: Thing) -> Thing:
    """The object as Stripe wrote it before 2025."""
    thing = dict(thing)
    if thing["object"] == "subscription":
        (item,) = thing["items"]["data"]
        item = dict(item)
        for name in ("current_period_start", "current_period_end"):
            thing[name] = item.pop(name)
        return thing | {"items": {"object": "list", "data": [item]}}
    details = thing.pop("parent")["subscription_details"]
    payments = thing.pop("payments")["data"]
    taxes = thing.pop("total_taxes")
    lines = []
    for one in thing["lines"]["data"]:
        one = dict(one)
        price = one.pop("pricing")["price_details"]["price"]
        proration = one.pop("parent")["subscription_item_details"]["proration"]
        lines.append(one | {"price": {"id": price, "object": "price"}, "proration": proration})
    return thing | {
        "subscription": details["subscription"],
        "subscription_details": {"metadata": details["metadata"]},
        "payment_intent": payments[0]["payment"]["payment_intent"] if payments else None,
        "total_tax_amounts": taxes,
        "tax": sum(tax["amount"] for tax in taxes) or None,
        "lines": {"object": "list", "has_more": False, "data": lines},
    }


def at(kind: str, thing: Thing, when: datetime | int, **changes: Any) -> Event:
    """An event that Stripe made at that moment."""
    return event(kind, thing, created=stamp(when), **changes)
