"""Lives of a payment, each as the events that Stripe sends of it.

The events are those of stripe_events.json, which belong together, with the ids of an order of ours. A few
lives that the file does not have are made of the same events with other numbers.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Event = dict[str, Any]
_ALL = {one["event"]["id"]: one["event"] for one in json.loads(
    (Path(__file__).parent / "stripe_events.json").read_text()
)}  # fmt: skip


def take(number: int, **changes: Any) -> Event:
    """Event evt_<number> of the file; `changes` are members of its object."""
    event = copy.deepcopy(_ALL[f"evt_{number:03}"])
    event["data"]["object"].update(changes)
    return event


def again(event: Event, suffix: str, created: int = 0, **changes: Any) -> Event:
    """The same in another event."""
    event = copy.deepcopy(event)
    event["id"] += suffix
    event["created"] += created
    event["data"]["object"].update(changes)
    return event


PAID = take(1)
DISPUTE = [14, 15, 16, 17]  # opened, money taken, won, money back


def _partial_dispute(amount: int) -> list[Event]:
    moved = {"amount": -amount}, {"amount": amount}
    return [
        take(14, amount=amount),
        take(15, amount=amount, balance_transactions=[moved[0]]),
        take(16, amount=amount, balance_transactions=list(moved)),
        take(17, amount=amount, balance_transactions=list(moved)),
    ]


def _lost(amount: int) -> list[Event]:
    opened, taken, *_ = _partial_dispute(amount)
    closed = take(18, id="dp_1", amount=amount, balance_transactions=[{"amount": -amount}])
    return [opened, taken, closed]


SEPA = {"charge": "ch_sepa", "payment_intent": "pi_sepa"}
BOUNCED = {"id": "re_4", **SEPA}


WARNING_CLOSED = again(take(21), "b", actionable=False) | {"type": "radar.early_fraud_warning.updated"}


@dataclass(frozen=True)
class Life:
    """Events, and how much of the money is back in the end."""

    events: list[Event]
    back: int
    state: str = "paid"
    disputed: bool = False
    pending: int = 0


LIVES: dict[str, Life] = {
    "paid by card": Life([PAID, take(24)], 0),
    "paid later": Life([take(2), take(3)], 0),
    "failed later": Life([again(take(2), "b", id="cs_test_sepa2"), take(4)], 0, "failed"),
    "failed after it had succeeded": Life(
        [take(2), take(3), take(4, id="cs_test_sepa", payment_intent="pi_sepa")], 3999
    ),
    "succeeded after it had failed": Life(
        [take(2), again(take(3), "late", 9), take(4, id="cs_test_sepa", payment_intent="pi_sepa")], 0
    ),
    "abandoned": Life([take(5)], 0, "expired"),
    "free by a promotion code": Life([take(6)], 0),
    "refunded in two parts": Life([PAID, take(7), take(8), take(9), take(10)], 3999),
    "refunded in part, told by the charge alone": Life([PAID, take(8)], 1000),
    "refunded, told by the charge alone": Life([PAID, take(8), take(10)], 3999),
    "refund is pending": Life([take(2), take(3), take(11)], 0, pending=3999),
    "refund settles": Life([take(2), take(3), take(11), take(12)], 3999),
    "refund bounces": Life(
        [take(2), take(3), take(11, **BOUNCED), take(12, **BOUNCED), take(13, **BOUNCED)], 0
    ),
    "refund bounces, and another one settles": Life(
        [take(2), take(3), again(take(12), "b", **BOUNCED), take(13, **BOUNCED), take(11), take(12)], 3999
    ),
    "dispute is open": Life([PAID, take(14), take(15)], 3999, disputed=True),
    "dispute won": Life([PAID, *(take(number) for number in DISPUTE)], 0),
    "dispute lost": Life([PAID, *_lost(3999)], 3999),
    "dispute lost, and the withdrawal never reported": Life([PAID, take(18)], 0, disputed=True),
    "inquiry only": Life([PAID, take(19), take(20)], 0),
    "inquiry becomes a dispute": Life([PAID, take(19, id="dp_1"), take(14), take(15)], 3999, disputed=True),
    "early fraud warning": Life([PAID, take(21)], 0, disputed=True),
    "early fraud warning, then a refund": Life(
        [PAID, take(21), WARNING_CLOSED, take(9, amount=3999)], 3999
    ),
    "refund and dispute of the same money": Life(
        [PAID, take(9, amount=3999), take(14), take(15)], 3999, disputed=True
    ),
    "refund after a lost dispute": Life([PAID, *_lost(2000), take(9, amount=1999)], 3999),
    "dispute won after a partial refund": Life([PAID, take(7), *_partial_dispute(2999)], 1000),
    "invoice of the payment": Life([PAID, take(27), take(9, amount=3999)], 3999),
}  # fmt: skip


def renamed(events: list[Event], order: dict[str, Any], suffix: str) -> list[Event]:
    """The events as Stripe would send them of that order. A suffix keeps the ids of objects apart."""
    text = json.dumps(events)
    for name in ("cs_test_a1", "cs_test_sepa2", "cs_test_sepa", "cs_test_exp", "cs_test_free"):
        text = text.replace(f'"{name}"', f'"{order["checkout_session_id"]}"')
    for name in ("pi_1", "pi_sepa", "pi_sepa2", "ch_1", "ch_sepa", "in_3", "issfr_1"):
        text = text.replace(f'"{name}"', f'"{name}{suffix}"')
    text = text.replace('"ord_01"', f'"{order["order_id"]}"')
    text = text.replace('"11111111-1111-1111-1111-111111111111"', f'"{order["account_id"]}"')
    named: list[Event] = json.loads(text)
    for event in named:
        event["id"] += suffix
        if event["data"]["object"]["id"].startswith(("re_", "dp_")):
            event["data"]["object"]["id"] += suffix
    return named


Deliver = Callable[[Event], Any]
