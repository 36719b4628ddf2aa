"""Stripe's events about a Checkout session, in the shapes of API version 2026-10-28."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import uuid4

from callers import Caller

Event = dict[str, Any]
Session = dict[str, Any]

COMPLETED = "checkout.session.completed"
SUCCEEDED = "checkout.session.async_payment_succeeded"
FAILED = "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"

# What a session says of itself in each type of event.
SAYS: dict[str, Session] = {
    COMPLETED: {"status": "complete", "payment_status": "paid"},
    SUCCEEDED: {"status": "complete", "payment_status": "paid"},
    FAILED: {"status": "complete", "payment_status": "unpaid"},
    EXPIRED: {"status": "expired", "payment_status": "unpaid"},
}
FREE: Session = {"payment_status": "no_payment_required", "payment_intent": None}

_numbers = count(1)


def attached(bank: Caller, order: dict[str, Any], session_id: str | None = None) -> dict[str, Any]:
    """The order once the HTTP API has opened a session for it, which alone can pay it."""
    named = {"account_id": order["account_id"], "order_id": order["order_id"]}
    return bank.call("attach_checkout", **named, session_id=session_id or f"cs_test_{uuid4().hex}")


def session(order: dict[str, Any], **changes: Any) -> Session:
    """The session that the HTTP API opens for an order, paid by card; `changes` are fields of it.

    amount_total is what the discount, tax and shipping make of the amount, unless it is one of them.
    """
    name = uuid4().hex
    details = changes.get("total_details")
    named = details if isinstance(details, dict) else {}
    whole = {key: value for key, value in named.items() if type(value) in (int, float)}
    total = order["amount"] - whole.get("amount_discount", 0)
    total += whole.get("amount_tax", 0) + whole.get("amount_shipping", 0)
    return {
        "id": order.get("checkout_session_id") or f"cs_test_{name}",
        "object": "checkout.session",
        "amount_subtotal": order["amount"],
        "amount_total": total,
        "client_reference_id": str(order["account_id"]),
        "currency": order["currency"],
        "customer": "cus_1",
        "livemode": False,
        "metadata": {
            "order_id": str(order["order_id"]),
            "account_id": str(order["account_id"]),
            "user_id": order["user_id"],
            "type": "token_purchase",
            "tokens": "1000000",
        },
        "mode": "payment",
        "payment_intent": f"pi_{name}",
        "payment_status": "paid",
        "status": "complete",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    } | changes


def event(kind: str, thing: dict[str, Any], **changes: Any) -> Event:
    """An event of that type, with an id of its own, about an object."""
    return {
        "id": f"evt_{next(_numbers)}_{uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1795200001,
        "data": {"object": thing},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    } | changes
