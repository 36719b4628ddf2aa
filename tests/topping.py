"""A user who has agreed to automatic top-ups, Stripe's answers, and its events."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from callers import Caller, Row
from psycopg.types.json import Jsonb
from stripe_events import COMPLETED, attached, event, session

WORDS = "Charge my card 9.99 euros whenever my balance falls below 100, 50 euros a month at most."
CARD_ERROR = {
    "http_status": 402,
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
}
AUTHENTICATION = CARD_ERROR | {"code": "authentication_required", "decline_code": "authentication_required"}
LOST: Row = {"message": "no answer"}


def with_customer(bank: Caller, user_id: str) -> None:
    """The account of that user has a customer at Stripe, as its first checkout makes one."""
    bank.call("open_account", user_id=user_id)
    bank.rows(
        "update credits.accounts as a set stripe_customer_id = 'cus_' || i.subject"
        " from credits.identities as i where i.account_id = a.account_id and i.subject = %s returning 1",
        (user_id,),
    )


def agree(bank: Caller, user_id: str, **changes: Any) -> Row:
    """The user agrees; a service says which card was saved."""
    asked = {"threshold": 100, "pack_id": "basique", "monthly_limit": 5000, "words": WORDS} | changes
    asked.setdefault("payment_method_id", "pm_1")
    return bank.call("set_auto_topup", user_id=user_id, **{k: v for k, v in asked.items() if v is not None})


def claim(bank: Caller, **arguments: Any) -> list[Row]:
    return list(bank.call("claim_stripe_calls", **arguments)["calls"])


def report(bank: Caller, call: Row, answer: Row) -> Row:
    return bank.row(
        "select * from api.report_stripe_call(%s, %s, %s, %s)",
        (call["account_id"], call["call_id"], call["lease"], Jsonb(answer)),
    )


def intent(call: Row, **changes: Any) -> Row:
    """The payment intent that Stripe makes for a call, charged."""
    params = call["params"]
    return {
        "id": f"pi_{call['call_id']}",
        "object": "payment_intent",
        "amount": params["amount"],
        "amount_received": params["amount"],
        "currency": params["currency"],
        "customer": params["customer"],
        "payment_method": params["payment_method"],
        "latest_charge": f"ch_{call['call_id']}",
        "livemode": False,
        "metadata": params["metadata"],
        "status": "succeeded",
    } | changes


def tell(bank: Caller, kind: str, thing: Row) -> str:
    """The outcome of an event about an object."""
    return str(bank.call("apply_stripe_event", event=event(kind, thing))["outcome"])


def topup(bank: Caller, user_id: str) -> Row:
    return bank.row("select * from api.auto_topup where user_id = %s", (user_id,))


def history(bank: Caller, user_id: str) -> list[Row]:
    return bank.rows(
        "select * from api.auto_topup_history where user_id = %s order by happened_at, event", (user_id,)
    )


def notices(bank: Caller, user_id: str) -> list[tuple[str, Any]]:
    rows = bank.rows(
        "select kind, facts ->> 'reason' as reason from api.notices"
        " where user_id = %s and kind like 'top_up%%' order by created_at",
        (user_id,),
    )
    return [(row["kind"], row["reason"]) for row in rows]


def somebody() -> str:
    return f"user_{uuid4().hex[:12]}"


def paid_order(bank: Caller, user_id: str, pack_id: str = "standard") -> Row:
    """An order that was paid in Checkout."""
    order = attached(bank, bank.call("create_order", user_id=user_id, pack_id=pack_id))
    assert tell(bank, COMPLETED, session(order)) == "granted"
    return order


def first_charge(bank: Caller, user_id: str) -> Row:
    """The call to Stripe of somebody whose balance has just fallen below the threshold."""
    with_customer(bank, user_id)
    agree(bank, user_id)
    bank.call("add_tokens", user_id=user_id, tokens=100)
    bank.call("consume_tokens", user_id=user_id, module_id="metube")
    (call,) = claim(bank)
    return call
