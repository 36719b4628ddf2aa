"""A period of a plan is an order as any other: a service can refund what is not spent of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from callers import refused
from subscribing import FEB, JAN, PRO, STARTER, Subscriber
from subscription_events import at, line
from topping import claim, report

pytestmark = pytest.mark.slow
MIDDLE = datetime(2098, 1, 16, 12, tzinfo=UTC)


def test_service_refunds_what_is_left_of_a_period(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    ada.spend(500)
    (order,) = ada.bank.rows("select order_id, kind from api.orders where user_id = %s", (ada.user_id,))
    asking = {"user_id": ada.user_id, "order_id": order["order_id"]}
    with refused("bad_amount"):
        ada.call("request_refund", **asking, tokens=2501)
    asked = ada.call("request_refund", **asking, tokens="Infinity")
    assert (order["kind"], asked["amount"]) == ("subscription", 2900 * 2500 // 3000)

    (call,) = [made for made in claim(ada.bank, most=100) if made["account_id"] == str(ada.account_id)]
    refund = {
        "id": ada.named("re_1"),
        "object": "refund",
        "amount": asked["amount"],
        "currency": "eur",
        "status": "succeeded",
        "payment_intent": call["params"]["payment_intent"],
        "metadata": call["params"]["metadata"],
    }
    assert ada.apply(at("refund.created", refund, JAN)) == "applied"
    report(ada.bank, call, {"object": refund})
    assert ada.balance() == 2500 - asked["tokens"]


def test_charge_that_was_refunded_is_not_explained_by_a_credit(ada: Subscriber) -> None:
    """A smaller plan credits 1450 of 2900. The charge reports a refund of 1000, whose own event was lost."""
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    smaller = (
        line(PRO, -1450, MIDDLE, FEB, proration=True),
        line(STARTER, 450, MIDDLE, FEB, proration=True),
    )
    ada.clock(MIDDLE)
    ada.pay(2, *smaller, reason="update")
    assert ada.balance() == 1500 + 500
    charge = {
        "id": ada.named("ch_1"),
        "object": "charge",
        "amount": 2900,
        "amount_refunded": 1000,
        "currency": "eur",
        "payment_intent": f"pi_in_1_{ada.user_id}",
    }
    assert ada.apply(at("charge.refunded", charge, MIDDLE)) == "applied"
    assert ada.balance() == 3000 - Decimal(3000 * 2450 * 10**6 // 2900) / 10**6 + 500


def test_credit_for_a_trial_leaves_no_reversal(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 0, JAN, FEB), reason="create")
    ada.clock(MIDDLE)
    smaller = (
        line(PRO, -1450, MIDDLE, FEB, proration=True),
        line(STARTER, 450, MIDDLE, FEB, proration=True),
    )
    ada.pay(2, *smaller, reason="update")
    assert ada.bank.rows("select from api.reversals where user_id = %s", (ada.user_id,)) == []
