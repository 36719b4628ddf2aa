"""A subscription that is cancelled at once, with prorations: a setting of Stripe's portal.

Stripe credits the rest of the period on the customer's next invoice, which may be of another subscription.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from callers import findings
from subscribing import FEB, JAN, TEAM, Subscriber
from subscription_events import DELETED, at, line

pytestmark = pytest.mark.slow
NOW = JAN + timedelta(seconds=60)


@pytest.fixture
def cancelled(ada: Subscriber) -> Subscriber:
    """A plan of 10,000 tokens for 9900 cents, paid and cancelled a minute later."""
    ada.pay(1, line(TEAM, 9900, JAN, FEB), reason="create", sub="sub_1")
    return ada


def cancel(ada: Subscriber) -> None:
    ada.clock(NOW)
    ada.apply(at(DELETED, ada.subscription(TEAM, JAN, FEB, sub="sub_1", status="canceled"), NOW))


def credit(ada: Subscriber, shape: str, sub: str = "sub_1", amount: int = -9900) -> dict[str, Any]:
    """A line that credits the period of another subscription, in one of the places where Stripe names it."""
    told = line(TEAM, amount, NOW, FEB, proration=True)
    if shape == "item":
        told["parent"] = {
            "type": "invoice_item_details",
            "invoice_item_details": {"proration": True, "subscription": ada.named(sub)},
        }
    elif shape == "line":
        told["parent"]["subscription_item_details"]["subscription"] = ada.named(sub)
    else:
        told = {key: value for key, value in told.items() if key != "parent"}
        told |= {"proration": True, "subscription": ada.named(sub)}
    return told


def new() -> dict[str, Any]:
    return line(TEAM, 9900, NOW, FEB + timedelta(seconds=60))


@pytest.mark.parametrize("shape", ["item", "line", "older"])
@pytest.mark.parametrize("spent", [0, 10000])
def test_tokens_follow_the_credit_on_the_invoice_of_the_next_subscription(
    cancelled: Subscriber, shape: str, spent: int
) -> None:
    if spent:
        cancelled.spend(spent)
    cancel(cancelled)
    cancelled.pay(2, new(), credit(cancelled, shape), reason="create", sub="sub_2", when=NOW)
    # One payment of 9900 has stayed, and it bought 10,000 tokens.
    assert cancelled.balance() == 10000 - spent
    assert findings(cancelled.bank) == []


def test_credit_may_come_before_the_paid_invoice(ada: Subscriber) -> None:
    ada.clock(NOW)
    ada.pay(2, new(), credit(ada, "item"), reason="create", sub="sub_2", when=NOW)
    ada.pay(1, line(TEAM, 9900, JAN, FEB), reason="create", sub="sub_1")
    assert ada.balance() == 10000
    assert findings(ada.bank) == []


def test_invoice_that_only_credits_takes_the_tokens_back(cancelled: Subscriber) -> None:
    cancel(cancelled)
    cancelled.pay(2, credit(cancelled, "item"), reason="manual", sub="sub_1", when=NOW)
    assert cancelled.balance() == 0
    assert findings(cancelled.bank) == []


def test_credits_of_several_subscriptions_are_for_a_person(cancelled: Subscriber) -> None:
    cancel(cancelled)
    lines = [new(), credit(cancelled, "item", amount=-99), credit(cancelled, "item", "sub_0", amount=-99)]
    assert cancelled.pay(2, *lines, reason="create", sub="sub_2", when=NOW) == "parked"
    assert cancelled.balance() == 10000
